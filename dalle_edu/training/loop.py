"""Training: one loop for every system.

    for each stage of the recipe:
        for each update:
            a batch of the world -> loss -> gradients -> clip -> step -> EMA

All random numbers depend on (seed, stage, update) alone, so a run that was killed goes on from its last checkpoint exactly as if it had
never stopped (`resume.py`). The run's folder holds `run.json` (its settings), `log.jsonl` (losses and marks), `sheets/` (pictures) and
`checkpoint.safetensors`.
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch._functorch.config as functorch_config
from accelerate import Accelerator
from torch.utils.data import DataLoader
from tqdm import tqdm

from dalle_edu.device import Device, choose_device, processor_name
from dalle_edu.download import tell
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say
from dalle_edu.scorecard import questions
from dalle_edu.seeds import SEEDS
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.systems.interface.registry import model_class
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.training.ema import EMA
from dalle_edu.training.interrupts import StopPolitely
from dalle_edu.training.learning_rate import learning_rate_schedule
from dalle_edu.training.log import RunLog
from dalle_edu.training.looks import LOOKS, look
from dalle_edu.training.optimizers import build_optimizers, trained_parameters
from dalle_edu.training.resume import begin, restore, save_progress
from dalle_edu.training.run import Clock, Run
from dalle_edu.world import World
from dalle_edu.world.dataset import Batch
from dalle_edu.world.scene_sampler import PRACTICE

_ENDLESS = 2**62  # scenes: more than any run takes
_BAR = "{desc} |{bar}| {percentage:3.0f} % [{elapsed}<{remaining}] {postfix}"


def train(
    run: Run,
    folder: str | Path,
    device: str | None = None,
    compile: bool = False,
    workers: int | None = None,
    quiet: bool = False,
) -> Trainable:
    """Train a system in `folder`, or go on with the run that is there. Returns the system, in evaluation mode; its weights are saved as
    `folder/NAME.safetensors`.

    `device` is "cpu", "cuda" or "mps", by default the fastest there is. `compile` goes through `torch.compile`. `workers` processes make
    the batches (8 on a GPU and none elsewhere, unless given). `quiet` leaves out the progress bar. Ctrl-C ends the update at hand, saves a
    checkpoint and raises `KeyboardInterrupt`. Raises `DalleEduError` for bad settings, a folder that holds another run, and a loss that is
    no longer finite.
    """
    run.check()
    place = choose_device(device)
    accelerator = Accelerator(cpu=place.torch_device.type == "cpu", device_placement=False)
    if accelerator.num_processes > 1 and place.torch_device.type == "cuda":
        place = choose_device(f"cuda:{accelerator.local_process_index}")
    if place.remark and accelerator.is_main_process and not quiet:
        tell(place.remark)
    trainer = Trainer(run, Path(folder), place, accelerator, compile, workers, quiet or not accelerator.is_main_process)
    with StopPolitely() as stopping:
        return trainer.go(stopping)


class Trainer:
    """The loop and its state: one run, on one device, in one process of perhaps several.

    Raises `DalleEduError` for stages that the system does not have.
    """

    def __init__(self, run: Run, folder: Path, place: Device, accelerator: Accelerator, compile: bool, workers: int | None, quiet: bool):
        self.run, self.folder, self.place, self.accelerator = run, folder, place, accelerator
        self.compile, self.quiet = compile, quiet
        self.workers = workers if workers is not None else (8 if place.torch_device.type == "cuda" else 0)
        kind: Any = model_class(run.system)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(run.seed)
            self.system: Trainable = kind(kind.presets[run.preset])
        self.system.to(place.torch_device)
        self.stages = self.system.stages
        run.check_stages([stage.name for stage in self.stages])
        self.exam = questions(run.exam, seed=7) if run.exam and accelerator.is_main_process else []
        self.log = RunLog(folder / "log.jsonl" if accelerator.is_main_process else None)

    def go(self, stopping: threading.Event) -> Trainable:
        """Train all stages, from the beginning or from the folder's checkpoint, and return the system. Raises `KeyboardInterrupt` after a
        checkpoint, once `stopping` is set, and `DalleEduError` as `train` does.
        """
        self.progress = begin(self.run, self.system, self.stages, self.folder, self.accelerator.is_main_process, self.log)
        self.accelerator.wait_for_everyone()
        for index, stage in enumerate(self.stages):
            if index >= self.progress.stage and self.run.trains(stage.name):
                self._stage(index, stage, stopping)
        if self.accelerator.is_main_process:
            self.system.save(self.folder / f"{self.system.name}.safetensors", metadata=self._metadata())
        return self.system.eval()

    def _stage(self, index: int, stage: Stage, stopping: threading.Event) -> None:
        """Train one stage, from its first update or from the checkpoint. Raises `KeyboardInterrupt` once `stopping` is set."""
        clock = self.progress.clocks[index]
        self._prepare(stage)
        parameters = trained_parameters(self.system, stage)
        optimizers = build_optimizers(self.system, stage)
        ema = EMA(parameters)
        if index == self.progress.stage:
            restore(self.progress.tensors, optimizers, ema)
        model = self.accelerator.prepare(self.system) if self.accelerator.num_processes > 1 else self.system
        generator = torch.Generator(self.place.torch_device)
        began, saved = time.monotonic() - clock.seconds, time.monotonic()
        cpu_began = time.process_time() - clock.cpu_seconds
        with tqdm(total=1.0, initial=clock.progress, desc=f"{stage.name}, {self.place}", disable=self.quiet, bar_format=_BAR) as bar:
            for batch in self._batches(index, stage, clock.update):
                if clock.progress >= 1:
                    break
                generator.manual_seed(self._seed(index, clock.update))
                losses = self._update(stage, batch, clock, model, optimizers, generator)
                ema.update(parameters, clock.update)
                clock.update += 1
                clock.seconds, clock.cpu_seconds = self._agree(time.monotonic() - began), time.process_time() - cpu_began
                if clock.update % 10 == 0 or clock.progress >= 1:
                    self._log(stage, clock, losses, bar)
                if clock.looks < len(LOOKS) and clock.progress >= LOOKS[clock.looks]:
                    paused, cpu_paused = time.monotonic(), time.process_time()
                    self._look(stage, clock, ema, parameters)
                    began += time.monotonic() - paused  # exams do not count as time of training
                    cpu_began += time.process_time() - cpu_paused
                if stopping.is_set() or time.monotonic() - saved > self.run.save_every:
                    self._save(index, optimizers, ema)
                    saved = time.monotonic()
                if stopping.is_set():
                    raise KeyboardInterrupt
        ema.swap(parameters)  # later stages build on the averaged weights
        self._save(index + 1, [], None)

    def _update(
        self,
        stage: Stage,
        batch: Batch,
        clock: Clock,
        model: torch.nn.Module,
        optimizers: list[torch.optim.Optimizer],
        generator: torch.Generator,
    ) -> dict[str, torch.Tensor]:
        """One update: learning rate, loss, gradients, clip, step. Returns the loss and its named parts."""
        rate = self.run.rate * learning_rate_schedule(clock.update, clock.progress)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate
        images = batch.images(self.system.resolution, self.place.torch_device).contiguous(memory_format=torch.channels_last)
        with self.place.autocast():
            losses = model(images, batch.captions, stage=stage.name, progress=clock.progress, generator=generator)
        self.accelerator.backward(losses["loss"])
        learning = [parameter for optimizer in optimizers for group in optimizer.param_groups for parameter in group["params"]]
        self.accelerator.clip_grad_norm_(learning, self.run.clip)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return losses

    # ------------------------------------------------------------ what an update needs

    def _prepare(self, stage: Stage) -> None:
        """Freeze all parameters but those of the parts that the stage names, and compile these parts if asked to."""
        learning = {name for name, _ in trained_parameters(self.system, stage)}
        for name, parameter in self.system.named_parameters():
            parameter.requires_grad_(name in learning)
        self.system.train()
        self.system.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.compile:
            functorch_config.donated_buffer = False  # a VQGAN's loss needs several backward passes through its decoder
            for part in stage.parts:
                for network in _networks(self.system.get_submodule(part)):
                    network.compile()

    def _batches(self, index: int, stage: Stage, update: int) -> Iterator[Batch]:
        """The batches of a stage, from that of `update` on: a series that depends on the seed and the stage. Each process takes its share
        of every batch. Raises `DalleEduError` where a batch does not divide among the processes.
        """
        size = self.run.batch_size or stage.batch_size
        processes, rank = self.accelerator.num_processes, self.accelerator.process_index
        if size % processes:
            raise DalleEduError(
                f"a batch of {size} cannot be shared out among {processes} processes; choose a multiple",
                f"un lot de {size} ne se partage pas entre {processes} processus ; choisissez un multiple",
            )
        share = size // processes

        def order() -> Iterator[list[int]]:
            for number in range(update, _ENDLESS // size):
                start = number * size + rank * share
                yield list(range(start, start + share))

        world = World(_ENDLESS, seed=(self.run.seed * 101 + index) % SEEDS, kinds=PRACTICE)
        return iter(DataLoader(world, batch_sampler=order(), collate_fn=world.collate, num_workers=self.workers))

    def _seed(self, index: int, update: int) -> int:
        """The seed of an update's random numbers: another for each stage, update and process."""
        return (((self.run.seed * 31 + index) * 1_000_003 + update) * 1_009 + self.accelerator.process_index) % 2**63

    def _agree(self, seconds: float) -> float:
        """The first process's time, in all processes: the learning rate depends on it and must be the same in each."""
        if self.accelerator.num_processes == 1 or self.run.minutes is None:
            return seconds
        device = self.place.torch_device if self.place.torch_device.type == "cuda" else "cpu"  # Apple's GPU has no float64
        shared = torch.tensor([seconds], dtype=torch.float64, device=device)
        torch.distributed.broadcast(shared, src=0)
        return float(shared)

    # ------------------------------------------------------------ what it leaves behind

    def _log(self, stage: Stage, clock: Clock, losses: dict[str, torch.Tensor], bar: tqdm) -> None:
        """Show progress and losses, and log the losses."""
        values = {name: float(value.detach()) for name, value in losses.items()}  # the only place that waits for the device
        bar.n = round(min(clock.progress, 1.0), 4)
        bar.set_postfix_str(say("update {}, loss {:.3f}", "mise à jour {}, perte {:.3f}").format(clock.update, values["loss"]))
        self.log.losses(stage.name, clock, self._reading(clock), values)

    def _look(self, stage: Stage, clock: Clock, ema: EMA, parameters: list) -> None:
        """Examine the averaged weights. The marks go to the log, the first pictures to a sheet."""
        while clock.looks < len(LOOKS) and clock.progress >= LOOKS[clock.looks]:
            clock.looks += 1
        if not self.exam:
            return
        ema.swap(parameters)
        self.system.eval()
        sheet = self.folder / "sheets" / f"{stage.name}-{clock.update:06d}.png"
        seen = look(self.system, stage.name, self.exam, sheet, self.place.torch_device)
        self.log.write({"stage": stage.name, **self._reading(clock), **seen})
        ema.swap(parameters)
        self.system.train()

    def _reading(self, clock: Clock) -> dict[str, int | float]:
        """What the clock reads. On a GPU, wall time is GPU time too."""
        reading = clock.reading()
        return reading | {"gpu_seconds": reading["seconds"]} if self.place.torch_device.type == "cuda" else reading

    def _save(self, stage: int, optimizers: list[torch.optim.Optimizer], ema: EMA | None) -> None:
        if self.accelerator.is_main_process:
            save_progress(self.folder, self.system, stage, self.progress.clocks, optimizers, ema, self._metadata())

    def _metadata(self) -> dict[str, Any]:
        """What is saved with the weights: the settings of the run, those of the runs that it went on from, and the machine."""
        machine = f"{processor_name(self.place.torch_device)}, torch {torch.__version__}"
        return {"run": vars(self.run) | {}, "before": self.progress.before, "machine": machine}


def _networks(part: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """The modules of a part that have a `forward`, which is what `compile` needs: the part itself, or else those among its descendants."""
    if type(part).forward is not torch.nn.Module.forward:
        yield part
    else:
        for child in part.children():
            yield from _networks(child)
