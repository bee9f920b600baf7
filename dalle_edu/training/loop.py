"""Training: one loop for every system.

    for each stage of the recipe:
        for each update:
            a batch of the source -> loss -> gradients -> clip -> step -> EMA

All random numbers depend on (seed, stage, update) alone, so a run that was killed goes on from its last checkpoint exactly as if it had
never stopped (`resume.py`). The run's folder holds `run.json` (its settings), `log.jsonl` (losses and marks), `sheets/` (pictures), and
the last two checkpoints.
"""

import contextlib
import math
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import torch._functorch.config as functorch_config
from accelerate import Accelerator
from tqdm import tqdm

from dalle_edu.datasets.source import Batch, Source
from dalle_edu.device import Device, choose_device, processor_name
from dalle_edu.download import tell
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say
from dalle_edu.progress_bar import Bar, progress_bar
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.training.batches import batches, share_of
from dalle_edu.training.clock import Clock
from dalle_edu.training.conditions import conditions, differences
from dalle_edu.training.ema import EMA
from dalle_edu.training.expectations import Expectations
from dalle_edu.training.finite import no_longer_finite, not_finite
from dalle_edu.training.folder import occupied
from dalle_edu.training.interrupts import StopPolitely
from dalle_edu.training.learning_rate import learning_rate_schedule
from dalle_edu.training.log import RunLog
from dalle_edu.training.looks import LOOKS, exam_of, look
from dalle_edu.training.optimizers import build_optimizers, trained_parameters
from dalle_edu.training.processes import Processes
from dalle_edu.training.resume import RunProgress, begin, progress_tensors, restore, save_progress
from dalle_edu.training.run import Run, is_whole
from dalle_edu.training.sources import source_of, system_for
from dalle_edu.training.start import start_stage
from dalle_edu.training.threads import BatchThreads, Losses, pieces_of


def train(
    run: Run,
    folder: str | Path,
    device: str | None = None,
    compile: bool = False,
    workers: int | None = None,
    quiet: bool = False,
    source: Source | None = None,
) -> Trainable:
    """Train a system in `folder`, or go on with the run that is there. Returns the system, in evaluation mode; its weights are saved as
    `folder/NAME.safetensors`.

    `device` is "cpu", "cuda" or "mps", by default the fastest there is. `compile` goes through `torch.compile`. `workers` processes make
    the batches (8 on a GPU and none elsewhere, unless given). A progress bar comes where somebody waits, and `quiet` leaves it out.
    `source` is what the system learns from, where the settings do not name it. Ctrl-C ends the update at hand, saves a checkpoint and
    raises `KeyboardInterrupt`. Started by torchrun, several processes share every batch; the first alone reads and writes its folder, and
    tells the others where the run begins. Raises `DalleEduError` for bad settings, a folder that holds another run or that another process
    trains in, a picture that can no longer be read, and a loss or weights that are no longer finite.
    """
    run.check()
    if workers is not None and not is_whole(workers, 0, 256):
        raise DalleEduError(
            f"workers is {workers}; it is a whole number from 0 to 256", f"workers vaut {workers} ; il faut un nombre entier de 0 à 256"
        )
    place = choose_device(device)
    accelerator = Accelerator(cpu=place.torch_device.type == "cpu", device_placement=False)
    if accelerator.num_processes > 1 and place.torch_device.type == "cuda":
        place = choose_device(f"cuda:{accelerator.local_process_index}")
    if place.remark and accelerator.is_main_process and not quiet:
        tell(place.remark)
    hushed = quiet or not accelerator.is_main_process
    trainer = Trainer(run, Path(folder), place, accelerator, compile, workers, hushed, source or source_of(run))
    with StopPolitely() as stopping, trainer.processes.lost_connections():
        return trainer.go(stopping)


class Trainer:
    """The loop and its state: one run, on one device, in one process of perhaps several.

    Raises `DalleEduError` for stages that the system does not have, and batches that cannot be shared out.
    """

    def __init__(
        self,
        run: Run,
        folder: Path,
        place: Device,
        accelerator: Accelerator,
        compile: bool,
        workers: int | None,
        quiet: bool,
        source: Source,
    ):
        self.run, self.folder, self.place, self.accelerator, self.source = run, folder, place, accelerator, source
        self.compile, self.quiet = compile, quiet
        self.workers = workers if workers is not None else (8 if place.torch_device.type == "cuda" else 0)
        self.system = system_for(run, source).to(place.torch_device)
        self.stages = self.system.stages
        run.check_stages([stage.name for stage in self.stages])
        self.processes = Processes(accelerator)
        shares = {stage.name: share_of(run, stage, self.processes) for stage in self.stages if run.trains(stage.name)}
        alone = place.torch_device.type == "cpu" and self.processes.count == 1 and not compile
        self.pieces = {name: pieces_of(share) if alone and self.system.divisible(name) else 1 for name, share in shares.items()}
        self.exam = exam_of(source, run.exam) if self.processes.first else None
        self.log = RunLog(folder / "log.jsonl" if self.processes.first else None, _tell)
        self.expectations = Expectations(run, source)
        self.conditions = conditions(place, self.processes.count, compile, max(self.pieces.values(), default=1))
        self.saved: tuple[str, int] | None = None  # the stage and the update of the last checkpoint

    def go(self, stopping: threading.Event) -> Trainable:
        """Train all stages, from the beginning or from the folder's checkpoint, and return the system. Raises `KeyboardInterrupt` after a
        checkpoint, once `stopping` is set, and `DalleEduError` as `train` does.
        """
        weights = f"{self.system.name}.safetensors"
        with occupied(self.folder, weights) if self.processes.first else contextlib.nullcontext():
            self._begin()
            for index, stage in enumerate(self.stages):
                if index >= self.progress.stage and self.run.trains(stage.name):
                    self._stage(index, stage, stopping)
            if self.processes.first:
                self._check_half()
                self.system.save(self.folder / weights, metadata=self._metadata())
            self.processes.wait()
        return self.system.eval()

    def _begin(self) -> None:
        """Go on from the first process's checkpoint, or begin as it does. Raises `DalleEduError` as `begin` does."""

        def told() -> bytes:
            self.progress = begin(self.run, self.source, self.system, self.stages, self.folder, self.log, _tell)
            return self.progress.to_bytes(self.system) if self.processes.count > 1 else b""

        contents = self.processes.hear(told)
        if not self.processes.first:
            self.progress = RunProgress.from_bytes(contents, self.system)
        if self.progress.tensors:
            done = min(self.progress.stage, len(self.stages) - 1)
            self.saved = self.stages[done].name, self.progress.clocks[done].update
        ahead = [index for index, stage in enumerate(self.stages) if index >= self.progress.stage and self.run.trains(stage.name)]
        if ahead and self.processes.first and self.progress.conditions != self.conditions:
            clock = self.progress.clocks[ahead[0]]
            self.log.entry(self.stages[ahead[0]].name, clock, self._reading(clock), {"conditions": self.conditions})
            changed = differences(self.progress.conditions, self.conditions)
            if changed:
                _tell(changed)
        if ahead and not self.quiet:
            first = self.stages[ahead[0]]
            for remark in self.source.remarks(self.run.batch_size or first.batch_size):
                _tell(remark)

    def _stage(self, index: int, stage: Stage, stopping: threading.Event) -> None:
        """Train one stage, from its first update or from the checkpoint. Raises `KeyboardInterrupt` once `stopping` is set, and
        `DalleEduError` where the loss or the weights are no longer finite.
        """
        clock = self.progress.clocks[index]
        start_stage(self.system, self.run, self.source, index, self.progress, self.place, self.processes, self._seed(index, -1))
        self._prepare(stage)
        parameters = trained_parameters(self.system, stage)
        threads = BatchThreads(self.pieces[stage.name], self.system, self.place.torch_device)
        optimizers = build_optimizers(self.system, stage, threads.pool)
        ema = EMA(parameters)
        if index == self.progress.stage:
            restore(self.progress.tensors, optimizers, ema)
        model = self.accelerator.prepare(self.system) if self.processes.count > 1 else self.system
        began, saved = time.monotonic() - clock.seconds, time.monotonic()
        cpu_began = time.process_time() - clock.cpu_seconds
        shown = False if self.quiet else None
        with threads, progress_bar(f"{stage.name}, {self.place}", progress=shown, patience=0.0, initial=clock.progress) as bar:
            bar.reach(clock.progress)
            for parts in self._batches(index, stage, clock.update):
                if clock.progress >= 1:
                    break
                threads.seed(self._seed(index, clock.update))
                try:
                    losses = self._update(stage, parts, clock, model, optimizers, threads)
                except DalleEduError:  # a picture that can no longer be read
                    if clock.update and self.processes.count == 1:
                        self._save(stage, clock, index, progress_tensors(self.system, optimizers, ema))
                    raise
                ema.update(parameters, clock.update)
                clock.update += 1
                due = time.monotonic() - saved > self.run.save_every
                clock.seconds, stop, due = self.processes.agree(time.monotonic() - began, stopping.is_set(), due)
                clock.cpu_seconds = time.process_time() - cpu_began
                if clock.update % 10 == 0 or clock.progress >= 1:
                    self._log(stage, clock, losses, bar)
                if clock.looks < len(LOOKS) and clock.progress >= LOOKS[clock.looks]:
                    paused, cpu_paused = time.monotonic(), time.process_time()
                    self._look(stage, clock, ema, parameters)
                    began += time.monotonic() - paused  # exams do not count as time of training
                    cpu_began += time.process_time() - cpu_paused
                if stop or due:
                    self._save(stage, clock, index, progress_tensors(self.system, optimizers, ema))
                    saved = time.monotonic()
                if stop:
                    self.processes.wait()  # until the first has saved: a process that ends may end the others
                    raise KeyboardInterrupt
        ema.swap(parameters)  # later stages build on the averaged weights
        self._save(stage, clock, index + 1, progress_tensors(self.system, [], None))

    def _update(
        self,
        stage: Stage,
        parts: Sequence[Batch],
        clock: Clock,
        model: torch.nn.Module,
        optimizers: list[torch.optim.Optimizer],
        threads: BatchThreads,
    ) -> Losses:
        """One update: learning rate, loss, gradients, clip, step. Returns the loss and its named parts.

        Where a batch comes in several parts, their gradients are averaged, and so are the losses. Each part is shared among the threads.
        """

        def loss_of(model: torch.nn.Module, images: torch.Tensor, captions: Sequence[str], generator: torch.Generator) -> Losses:
            with self.place.autocast(cache=threads.pool is None):
                return model(images, captions, stage=stage.name, progress=clock.progress, generator=generator)

        rate = self.run.rate * learning_rate_schedule(clock.update, clock.progress)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate
        learning = [parameter for optimizer in optimizers for group in optimizer.param_groups for parameter in group["params"]]
        taken: list[Losses] = []
        for number, batch in enumerate(parts, start=1):
            images = batch.images(self.system.resolution, self.place.torch_device).contiguous(memory_format=torch.channels_last)
            if threads.pool is not None:
                taken.append(threads.learn(loss_of, images, batch.captions, learning, 1 / len(parts)))
                continue
            alone = number < len(parts) and self.processes.count > 1  # processes exchange the sum, with the last part
            with self.accelerator.no_sync(model) if alone else contextlib.nullcontext():
                losses = loss_of(model, images, batch.captions, threads.generators[0])
                self.accelerator.backward(losses["loss"] / len(parts) if len(parts) > 1 else losses["loss"])
            taken.append({name: value.detach() for name, value in losses.items()})
        self.accelerator.clip_grad_norm_(learning, self.run.clip)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return taken[0] if len(taken) == 1 else {name: torch.stack([each[name] for each in taken]).mean() for name in taken[0]}

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

    def _batches(self, index: int, stage: Stage, update: int) -> Iterator[list[Batch]]:
        """The batches of a stage, from that of `update` on, in the parts that the run accumulates."""
        return batches(self.source, self.run, index, stage, update, self.processes, self.workers)

    def _seed(self, index: int, update: int) -> int:
        """The seed of an update's random numbers: another for each stage, update and process."""
        return (((self.run.seed * 31 + index) * 1_000_003 + update) * 1_009 + self.processes.rank) % 2**63

    # ------------------------------------------------------------ what it leaves behind

    def _log(self, stage: Stage, clock: Clock, losses: dict[str, torch.Tensor], bar: Bar) -> None:
        """Show progress and losses, and log the losses. Raises `DalleEduError` where one is no longer finite."""
        means = self.processes.mean([float(value) for value in losses.values()])  # the only place that waits for the device
        values = dict(zip(losses, means, strict=True))
        if not all(math.isfinite(value) for value in means):
            raise no_longer_finite("the loss", "la perte", stage.name, clock.update, self.saved)
        note = say("update {}, loss {:.3f}", "mise à jour {}, perte {:.3f}").format(clock.update, values["loss"])
        bar.reach(min(clock.progress, 1.0), note)
        self.log.entry(stage.name, clock, self._reading(clock), values)

    def _look(self, stage: Stage, clock: Clock, ema: EMA, parameters: list) -> None:
        """Examine the averaged weights. The marks go to the log, the first pictures to a sheet."""
        while clock.looks < len(LOOKS) and clock.progress >= LOOKS[clock.looks]:
            clock.looks += 1
        if self.exam is None:
            return
        ema.swap(parameters)
        self.system.eval()
        sheet = self.folder / "sheets" / f"{stage.name}-{clock.update:06d}.png"
        seen = look(self.system, stage.name, self.exam, sheet, self.place.torch_device)
        self.log.entry(stage.name, clock, self._reading(clock), seen)
        said = self.expectations.sentence(stage.name, clock, seen)
        if said and not self.quiet:
            _tell(said)
        ema.swap(parameters)
        self.system.train()

    def _reading(self, clock: Clock) -> dict[str, int | float]:
        """What the clock reads. On a GPU, wall time is GPU time too."""
        reading = clock.reading()
        return reading | {"gpu_seconds": reading["seconds"]} if self.place.torch_device.type == "cuda" else reading

    def _save(self, stage: Stage, clock: Clock, goes_on: int, tensors: dict[str, torch.Tensor]) -> None:
        """Save a checkpoint, after which the stage of index `goes_on` comes. Raises `DalleEduError` where a number is no longer finite, in
        which case nothing is written.
        """
        spoilt = not_finite(tensors)
        if spoilt is not None:
            spoilt = spoilt.removeprefix("system.")
            raise no_longer_finite(spoilt, spoilt, stage.name, clock.update, self.saved)
        if self.processes.first:
            save_progress(self.folder, tensors, goes_on, self.progress.clocks, self._metadata() | {"conditions": self.conditions})
        self.saved = stage.name, clock.update

    def _check_half(self) -> None:
        """Raise `DalleEduError` where a finished weight is infinite in the half precision of its file."""
        tensors = {name: value.half() for name, value in self.system.state_dict().items() if value.is_floating_point()}
        spoilt = not_finite(tensors)
        if spoilt is not None:
            raise no_longer_finite(f"{spoilt}, in half precision,", f"{spoilt}, en demi-précision,", self.stages[-1].name, 0, self.saved)

    def _metadata(self) -> dict[str, Any]:
        """What is saved with the weights: the settings of the run, those of the runs that it went on from, and the machine."""
        machine = f"{processor_name(self.place.torch_device)}, torch {torch.__version__}"
        source = {"name": self.source.name, "fingerprint": self.source.fingerprint}
        return {"run": vars(self.run) | {}, "before": self.progress.before, "machine": machine, "source": source}


def _tell(sentence: str) -> None:
    """Say something on standard error, above the progress bar. A terminal that is gone ends no training."""
    with contextlib.suppress(OSError, ValueError):
        tqdm.write(sentence, file=sys.stderr)


def _networks(part: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """The modules of a part that have a `forward`, which is what `compile` needs: the part itself, or else those among its descendants."""
    if type(part).forward is not torch.nn.Module.forward:
        yield part
    else:
        for child in part.children():
            yield from _networks(child)
