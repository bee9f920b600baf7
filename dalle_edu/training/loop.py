"""Training: one visible loop for every system.

    for each stage of the recipe:
        for each update:
            a batch of the world -> loss -> gradients -> clip -> step -> EMA

All random numbers come from (seed, stage, update), never from what happened before, so a run that was killed goes on from its last
checkpoint exactly as if nothing had happened (`resume.py`). The run folder holds `run.json` (what was asked), `log.jsonl` (losses, marks),
`sheets/` (pictures) and `checkpoint.safetensors`.
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
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say
from dalle_edu.scorecard import questions
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

_ENDLESS = 2**62
_BAR = "{desc} |{bar}| {percentage:3.0f} % [{elapsed}<{remaining}] {postfix}"


def train(
    run: Run,
    folder: str | Path,
    device: str | None = None,
    compile: bool = False,
    workers: int | None = None,
    quiet: bool = False,
) -> Trainable:
    """Train a system in `folder`, or go on with the run that is there, and return it; its weights are saved as `folder/NAME.safetensors`.

    `workers` processes make the batches (8 on a GPU, none elsewhere, unless given). Ctrl-C ends the update at hand, saves a checkpoint and
    raises `KeyboardInterrupt`. Raises `DalleEduError` for bad settings, a folder that holds another run, or a loss that is no longer
    finite.
    """
    run.check()
    place = choose_device(device)
    accelerator = Accelerator(cpu=place.torch_device.type == "cpu", device_placement=False)
    if accelerator.num_processes > 1 and place.torch_device.type == "cuda":
        place = choose_device(f"cuda:{accelerator.local_process_index}")
    trainer = Trainer(run, Path(folder), place, accelerator, compile, workers, quiet or not accelerator.is_main_process)
    with StopPolitely() as stopping:
        return trainer.go(stopping)


class Trainer:
    """The state of a run, and the loop."""

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
        """All stages, from the beginning or from where the folder's checkpoint stands."""
        self.progress = begin(self.run, self.system, self.stages, self.folder, self.accelerator.is_main_process, self.log)
        self.accelerator.wait_for_everyone()
        for index, stage in enumerate(self.stages):
            if index >= self.progress.stage and self.run.trains(stage.name):
                self._stage(index, stage, stopping)
        if self.accelerator.is_main_process:
            self.system.save(self.folder / f"{self.system.name}.safetensors", metadata=self._metadata())
        return self.system.eval()

    def _stage(self, index: int, stage: Stage, stopping: threading.Event) -> None:
        """One stage, from its first update or from where the checkpoint stands."""
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
                    began += time.monotonic() - paused  # looking is not training
                    cpu_began += time.process_time() - cpu_paused
                if stopping.is_set() or time.monotonic() - saved > self.run.save_every:
                    self._save(index, optimizers, ema)
                    saved = time.monotonic()
                if stopping.is_set():
                    raise KeyboardInterrupt
        ema.swap(parameters)  # the averaged weights are those that later stages build on
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
        """Only the parts that a stage names learn; the others are frozen."""
        learning = {name for name, _ in trained_parameters(self.system, stage)}
        for name, parameter in self.system.named_parameters():
            parameter.requires_grad_(name in learning)
        self.system.train()
        self.system.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.compile:
            functorch_config.donated_buffer = False  # a VQGAN walks back through its decoder more than once
            for part in stage.parts:
                for network in _networks(self.system.get_submodule(part)):
                    network.compile()

    def _batches(self, index: int, stage: Stage, update: int) -> Iterator[Batch]:
        """Batch after batch of a series that depends on the seed and the stage; a process takes its own share of each."""
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

        world = World(_ENDLESS, seed=self.run.seed * 101 + index, kinds=PRACTICE)
        return iter(DataLoader(world, batch_sampler=order(), collate_fn=world.collate, num_workers=self.workers))

    def _seed(self, index: int, update: int) -> int:
        return (((self.run.seed * 31 + index) * 1_000_003 + update) * 1_009 + self.accelerator.process_index) % 2**63

    def _agree(self, seconds: float) -> float:
        """The time of the first process, for all: their learning rates must be equal."""
        if self.accelerator.num_processes == 1 or self.run.minutes is None:
            return seconds
        shared = torch.tensor([seconds], dtype=torch.float64, device=self.place.torch_device)
        torch.distributed.broadcast(shared, src=0)
        return float(shared)

    # ------------------------------------------------------------ what it leaves behind

    def _log(self, stage: Stage, clock: Clock, losses: dict[str, torch.Tensor], bar: tqdm) -> None:
        values = {name: float(value.detach()) for name, value in losses.items()}  # the one moment that waits for the device
        bar.n = round(min(clock.progress, 1.0), 4)
        bar.set_postfix_str(say("update {}, loss {:.3f}", "mise à jour {}, perte {:.3f}").format(clock.update, values["loss"]))
        self.log.losses(stage.name, clock, self._reading(clock), values)

    def _look(self, stage: Stage, clock: Clock, ema: EMA, parameters: list) -> None:
        """Examine the averaged weights: the marks go to the log, the first pictures to a sheet."""
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
        """What the clock says; on a GPU, wall time is its time too."""
        reading = clock.reading()
        return reading | {"gpu_seconds": reading["seconds"]} if self.place.torch_device.type == "cuda" else reading

    def _save(self, stage: int, optimizers: list[torch.optim.Optimizer], ema: EMA | None) -> None:
        if self.accelerator.is_main_process:
            save_progress(self.folder, self.system, stage, self.progress.clocks, optimizers, ema, self._metadata())

    def _metadata(self) -> dict[str, Any]:
        """What was asked, of what this run went on from, and where: for whoever finds the weights."""
        machine = f"{processor_name(self.place.torch_device)}, torch {torch.__version__}"
        return {"run": vars(self.run) | {}, "before": self.progress.before, "machine": machine}


def _networks(part: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """What of a part is called as a whole: itself, or else those of its children that are."""
    if type(part).forward is not torch.nn.Module.forward:
        yield part
    else:
        for child in part.children():
            yield from _networks(child)
