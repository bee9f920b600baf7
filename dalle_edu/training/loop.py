"""Training: one visible loop for every system.

    for each stage of the system:
        for each update:
            draw a batch of the world -> loss -> gradients -> clip -> step -> average

All chance comes from (seed, stage, update), never from what happened before, so a run that was killed goes on from its last checkpoint
exactly as if nothing had happened. The run folder holds `run.json` (what was asked), `log.jsonl` (losses, marks), `sheets/` (pictures)
and `checkpoint.safetensors`.
"""

import json
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch._functorch.config as functorch_config
from accelerate import Accelerator
from torch.utils.data import DataLoader
from tqdm import tqdm

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.device import Device, choose_device, processor_name
from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.language import say
from dalle_edu.loading import go_on_from, lay_foundations
from dalle_edu.scorecard import mark, parse_pictures, questions
from dalle_edu.scorecard.marks import tally
from dalle_edu.systems import Stage, Trainable, model_class
from dalle_edu.training.ema import EMA
from dalle_edu.training.interrupts import StopPolitely
from dalle_edu.training.learning_rate import learning_rate_schedule
from dalle_edu.training.optimizers import build_optimizers, load_optimizer_tensors, optimizer_tensors, trained_parameters
from dalle_edu.training.run import Clock, Run
from dalle_edu.world import World, picture_sheet, render, save_picture
from dalle_edu.world.dataset import Batch
from dalle_edu.world.scene_sampler import PRACTICE

LOOKS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # parts of a stage after which it is examined
_ENDLESS = 2**62


def train(
    run: Run,
    folder: str | Path,
    device: str | None = None,
    compile: bool = False,
    workers: int | None = None,
    quiet: bool = False,
) -> Trainable:
    """Train a system in `folder`, or go on with the run that is there, and return it; its weights are saved as `folder/NAME.safetensors`.

    Ctrl-C ends the update at hand, saves a checkpoint and raises `KeyboardInterrupt`. Raises `DalleEduError` for bad settings, a folder
    that holds another run, or a loss that is no longer finite.
    """
    run.check()
    folder = Path(folder)
    place = choose_device(device)
    accelerator = Accelerator(cpu=place.torch_device.type == "cpu", device_placement=False)
    if accelerator.num_processes > 1 and place.torch_device.type == "cuda":
        place = choose_device(f"cuda:{accelerator.local_process_index}")
    trainer = Trainer(run, folder, place, accelerator, compile, workers, quiet or not accelerator.is_main_process)
    with StopPolitely() as stopping:
        return trainer.go(stopping)


class Trainer:
    """The state of a run, and the loop."""

    def __init__(self, run: Run, folder: Path, place: Device, accelerator: Accelerator, compile: bool, workers: int | None, quiet: bool):
        self.run, self.folder, self.place, self.accelerator = run, folder, place, accelerator
        self.compile, self.quiet = compile, quiet
        self.workers = workers if workers is not None else (8 if place.torch_device.type == "cuda" else 0)
        kind = model_class(run.system)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(run.seed)
            self.system: Trainable = kind(kind.presets[run.preset])
        run.check_stages([stage.name for stage in self.system.stages])
        self.system.to(place.torch_device)
        self.exam = questions(run.exam, seed=7) if run.exam else []
        self.before: list[dict] = []  # the runs that made the weights that this one begins with

    # ------------------------------------------------------------ the loop

    def go(self, stopping: threading.Event) -> Trainable:
        first, tensors, clocks = self._resume()
        for index, stage in enumerate(self.system.stages):
            if index < first or not self.run.trains(stage.name):
                continue
            self._stage(index, stage, clocks[index], tensors if index == first else {}, clocks, stopping)
        if self.accelerator.is_main_process:
            self.system.save(self.folder / f"{self.run.system}.safetensors", metadata=self._metadata())
        return self.system.eval()

    def _stage(self, index: int, stage: Stage, clock: Clock, tensors: dict, clocks: list[Clock], stopping: threading.Event) -> None:
        self._prepare(stage)
        parameters = trained_parameters(self.system, stage)
        optimizers = build_optimizers(self.system, stage)
        ema = EMA(parameters)
        if any(name.startswith("average.") for name in tensors):
            load_optimizer_tensors(optimizers, {k.removeprefix("optimizer."): v for k, v in tensors.items() if k.startswith("optimizer.")})
            ema.weights = {k.removeprefix("average."): v for k, v in tensors.items() if k.startswith("average.")}
            ema.weights = {name: value.to(self.place.torch_device) for name, value in ema.weights.items()}
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
                    self._save(index, clocks, optimizers, ema)
                    saved = time.monotonic()
                if stopping.is_set():
                    raise KeyboardInterrupt
        ema.swap(parameters)
        self._save(index + 1, clocks, [], None)

    def _update(
        self,
        stage: Stage,
        batch: Batch,
        clock: Clock,
        model: torch.nn.Module,
        optimizers: list[torch.optim.Optimizer],
        generator: torch.Generator,
    ) -> dict[str, torch.Tensor]:
        """One update: loss, gradients, clip, step."""
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
        if not all(math.isfinite(value) for value in values.values()):
            place = f"{stage.name}, {clock.update}"
            raise DalleEduError(
                f"the loss is no longer finite ({place}); lower the learning rate, or take another seed and another folder",
                f"la perte n'est plus finie ({place}) ; baissez le pas d'apprentissage, ou prenez une autre graine et un autre dossier",
            )
        bar.n = round(min(clock.progress, 1.0), 4)
        bar.set_postfix_str(say("update {}, loss {:.3f}", "mise à jour {}, perte {:.3f}").format(clock.update, values["loss"]))
        self._write({"stage": stage.name, **self._reading(clock), **values})

    @torch.compiler.set_stance("force_eager")  # compiling anew for so few pictures takes longer than drawing them
    def _look(self, stage: Stage, clock: Clock, ema: EMA, parameters: list) -> None:
        """Examine the averaged weights: the marks go to the log, the first pictures to a sheet."""
        while clock.looks < len(LOOKS) and clock.progress >= LOOKS[clock.looks]:
            clock.looks += 1
        if not self.exam or not self.accelerator.is_main_process:
            return
        ema.swap(parameters)
        self.system.eval()
        scenes, texts = [question.scene for question in self.exam], [question.text for question in self.exam]
        images = render(scenes, self.system.resolution, self.place.torch_device)
        starts = range(0, len(texts), 64)
        seen: dict[str, Any] = {name: round(value, 4) for name, value in self.system.measure(stage.name, images, texts).items()}
        previews = [self.system.preview(stage.name, images[i : i + 64], texts[i : i + 64], seed=i) for i in starts]
        drawn = torch.cat([preview for preview in previews if preview is not None] or [images[:0]])
        if len(drawn):
            marks = [mark(scene.description, objects) for scene, objects in zip(scenes, parse_pictures(drawn), strict=True)]
            seen["skills"] = {skill: round(rate.correct / rate.n, 4) for skill, rate in tally(marks).items() if rate.n}
            save_picture(picture_sheet(drawn[:16], texts[:16]), self.folder / "sheets" / f"{stage.name}-{clock.update:06d}.png")
        self._write({"stage": stage.name, **self._reading(clock), **seen})
        ema.swap(parameters)
        self.system.train()

    def _reading(self, clock: Clock) -> dict[str, int | float]:
        """What the clock says; on a GPU, wall time is its time too."""
        reading = clock.reading()
        return reading | {"gpu_seconds": reading["seconds"]} if self.place.torch_device.type == "cuda" else reading

    def _write(self, entry: dict[str, Any]) -> None:
        if self.accelerator.is_main_process:
            with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    # ------------------------------------------------------------ stopping and going on

    def _save(self, index: int, clocks: list[Clock], optimizers: list, ema: EMA | None) -> None:
        if not self.accelerator.is_main_process:
            return
        tensors = {f"system.{name}": value for name, value in self.system.state_dict().items()}
        tensors |= {f"optimizer.{name}": value for name, value in optimizer_tensors(optimizers).items()}
        tensors |= {f"average.{name}": value for name, value in (ema.weights if ema else {}).items()}
        metadata = self._metadata() | {"stage": index, "clocks": [asdict(clock) for clock in clocks]}
        save_checkpoint(self.folder / "checkpoint.safetensors", tensors, metadata)

    def _metadata(self) -> dict[str, Any]:
        """What was asked, of what this run went on from, and where: for whoever finds the weights."""
        machine = f"{processor_name(self.place.torch_device)}, torch {torch.__version__}"
        return {"run": asdict(self.run), "before": self.before, "machine": machine}

    def _resume(self) -> tuple[int, dict[str, torch.Tensor], list[Clock]]:
        """The stage to begin with, its tensors, and the clocks: from the folder's checkpoint, or from nothing."""
        chosen = [stage for stage in self.system.stages if self.run.trains(stage.name)]
        shares, updates_shares = sum(stage.share for stage in chosen), sum(stage.updates_share for stage in chosen)
        clocks = []
        for stage in self.system.stages:
            updates = None if self.run.updates is None else max(1, round(self.run.updates * stage.updates_share / updates_shares))
            seconds = None if self.run.minutes is None else self.run.minutes * 60 * stage.share / shares
            clocks.append(Clock(updates, seconds))
        path, asked = self.folder / "checkpoint.safetensors", self.folder / "run.json"
        tensors: dict[str, torch.Tensor] = {}
        stage_index = 0
        if path.exists():
            tensors, metadata = load_checkpoint(path)
            asked_now = asdict(self.run)
            begun_with = asked_now | metadata["run"] if "run" in metadata else {}  # an older version wrote fewer settings
            if begun_with != asked_now:
                settings = ", ".join(f"{name} {begun_with[name]}" for name in begun_with if begun_with[name] != asked_now.get(name))
                raise DalleEduError(
                    f"{self.folder} holds a run with other settings ({settings}); give the same, or use another folder",
                    f"{self.folder} contient un entraînement à d'autres réglages ({settings}) ; reprenez-les, ou prenez un autre dossier",
                )
            self.before = metadata.get("before", [])
            stage_index, clocks = metadata["stage"], [Clock(**clock) for clock in metadata["clocks"]]
            self.system.load_state_dict({k.removeprefix("system."): v for k, v in tensors.items() if k.startswith("system.")})
        elif self.run.begin_with is not None:
            self.before = go_on_from(self.system, self.run.begin_with)
        else:
            lay_foundations(self.system, self.run.foundations)
        if self.accelerator.is_main_process:
            write_aside(asked, lambda file: file.write((json.dumps(asdict(self.run), indent=2) + "\n").encode()))
            self._trim_log(stage_index, clocks)
        self.accelerator.wait_for_everyone()
        return stage_index, tensors, clocks

    def _trim_log(self, stage_index: int, clocks: list[Clock]) -> None:
        """Drop what was logged after the checkpoint: it will be logged again."""
        log = self.folder / "log.jsonl"
        if not log.exists():
            return
        reached = {stage.name: clocks[i].update if i <= stage_index else 0 for i, stage in enumerate(self.system.stages)}
        kept = []
        for line in log.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # the line that the kill cut short
            if entry["update"] <= reached.get(entry["stage"], 0):
                kept.append(line + "\n")
        write_aside(log, lambda file: file.write("".join(kept).encode()))


def _networks(part: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """What of a part is called as a whole: itself, or else those of its children that are."""
    if type(part).forward is not torch.nn.Module.forward:
        yield part
    else:
        for child in part.children():
            yield from _networks(child)


_BAR = "{desc} |{bar}| {percentage:3.0f} % [{elapsed}<{remaining}] {postfix}"
