"""The start of a stage: the codebook of DALL·E 1 is initialised once, from the run's own pictures, by the first process alone."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tiny_systems import build
from tiny_training import RUN
from torch import Tensor

from dalle_edu.bricks.dvae import DiscreteVAE
from dalle_edu.datasets.world_source import WorldSource
from dalle_edu.device import choose_device
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.dalle1 import PRESETS, DallE1
from dalle_edu.systems.interface.configuration import rebuild
from dalle_edu.training.clock import Clock
from dalle_edu.training.ema import EMA
from dalle_edu.training.loop import train
from dalle_edu.training.processes import Processes
from dalle_edu.training.resume import RunProgress
from dalle_edu.training.sources import source_of, system_for
from dalle_edu.training.start import start_stage
from dalle_edu.world import World, render
from dalle_edu.world.scene_sampler import PRACTICE

SHORT = replace(RUN, updates=16, batch_size=2, exam=0)
PICTURES = 6  # what the tiny preset starts from


@pytest.fixture
def met(monkeypatch) -> list[tuple[str, Any]]:
    """What the system is given, in order: "start" with a stage and pictures, "loss" with the stage, pictures and the codebook."""
    start, loss, events = DallE1.start_stage, DallE1.loss, list[tuple[str, Any]]()

    def started(self: DallE1, stage: str, images: Tensor, generator: Any) -> None:
        events.append(("start", (stage, images.clone())))
        start(self, stage, images, generator)

    def lost(self: DallE1, images: Tensor, captions: Any, **options: Any) -> Any:
        events.append(("loss", (options["stage"], images.clone(), self.dvae.codebook.weight.detach().clone())))
        return loss(self, images, captions, **options)

    monkeypatch.setattr(DallE1, "start_stage", started)
    monkeypatch.setattr(DallE1, "loss", lost)
    return events


def preset(monkeypatch, **stage: Any) -> None:
    """The tiny preset, its codec's stage changed."""
    tiny = PRESETS["tiny"]
    codec, *others = tiny.recipe.stages
    monkeypatch.setitem(PRESETS, "tiny", replace(tiny, recipe=replace(tiny.recipe, stages=(replace(codec, **stage), *others))))


def random_codebook() -> Tensor:
    return system_for(SHORT, WorldSource()).dvae.codebook.weight.detach()  # type: ignore[union-attr,return-value]


def of(events: list[tuple[str, Any]], name: str) -> list[Any]:
    return [told for what, told in events if what == name]


def test_the_codec_starts_once_from_the_first_pictures_of_its_stage(met, tmp_path):
    train(SHORT, tmp_path, device="cpu", quiet=True)
    ((stage, pictures),) = of(met, "start")
    assert (met[0][0], stage) == ("start", "codec")
    world = World(PICTURES, SHORT.seed * 101, kinds=PRACTICE)  # the series of the first stage
    torch.testing.assert_close(pictures, render([world[i][0] for i in range(PICTURES)], 32))
    seen = [images for stage, images, _ in of(met, "loss") if stage == "codec"]
    assert torch.equal(torch.cat(seen[: PICTURES // 2]), pictures)


def test_the_first_update_meets_codes_that_are_patches_of_these_pictures(met, tmp_path):
    """Every code is parallel to what the untrained encoder gives for one of them, but for the rounding of bfloat16."""
    train(SHORT, tmp_path, device="cpu", quiet=True)
    codebook, before = of(met, "loss")[0][2], random_codebook()
    dvae = system_for(SHORT, WorldSource()).dvae
    vectors = dvae.encoder(of(met, "start")[0][1]).flatten(2).transpose(1, 2).flatten(0, 1)  # type: ignore[union-attr,operator]
    cosines = torch.nn.functional.cosine_similarity(codebook[:, None], vectors[None], dim=2).amax(dim=1)
    assert cosines.min() > 0.999
    torch.testing.assert_close(codebook.norm(dim=1), before.norm(dim=1))
    assert (torch.nn.functional.cosine_similarity(codebook, before) < 0.9).all()


def test_the_average_begins_with_the_codes_that_were_started(met, tmp_path, monkeypatch):
    begun, make = list[Tensor](), EMA.__init__

    def begin(self: EMA, parameters: Any, *rest: Any) -> None:
        make(self, parameters, *rest)
        begun.extend(value.clone() for name, value in self.weights.items() if name == "dvae.codebook.weight")

    monkeypatch.setattr(EMA, "__init__", begin)
    train(SHORT, tmp_path, device="cpu", quiet=True)
    assert len(begun) == 1
    assert torch.equal(begun[0], of(met, "loss")[0][2])


def test_the_run_s_seed_decides(met, tmp_path):
    for number, seed in enumerate((3, 3, 4)):
        train(replace(SHORT, seed=seed), tmp_path / str(number), device="cpu", quiet=True)
    first, same, other = (codebook for stage, _, codebook in of(met, "loss")[:: SHORT.updates])
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_a_recipe_without_it_and_the_weights_of_another_run_start_nothing(met, tmp_path, monkeypatch):
    begun = replace(SHORT, seed=9, begin_with=str(tmp_path / "first" / "dalle1.safetensors"))
    train(SHORT, tmp_path / "first", device="cpu", quiet=True)
    met.clear()
    given = DallE1.load(tmp_path / "first" / "dalle1.safetensors").dvae.codebook.weight  # type: ignore[union-attr]
    train(begun, tmp_path / "begun", device="cpu", quiet=True)
    assert not of(met, "start")
    assert torch.equal(of(met, "loss")[0][2], given)
    met.clear()
    preset(monkeypatch, start_images=0)
    train(SHORT, tmp_path / "without", device="cpu", quiet=True)
    assert not of(met, "start")
    assert torch.equal(of(met, "loss")[0][2], random_codebook())


def breaking_off(loss: Callable[..., Any], call: int) -> Callable[..., Any]:
    calls = iter(range(1, 1000))

    def broken(*args: Any, **options: Any) -> Any:
        if next(calls) == call:
            raise MemoryError
        return loss(*args, **options)

    return broken


@pytest.mark.parametrize(("call", "starts"), [(1, 2), (4, 1)], ids=["before the first update", "in the middle of the stage"])
def test_a_run_that_resumes_starts_only_what_no_update_has_changed(met, call, starts, tmp_path, monkeypatch):
    train(SHORT, tmp_path / "whole", device="cpu", quiet=True)
    met.clear()
    with monkeypatch.context() as patched:
        patched.setattr(DallE1, "loss", breaking_off(DallE1.loss, call))
        with pytest.raises(MemoryError):
            train(SHORT, tmp_path / "broken", device="cpu", quiet=True)
    train(SHORT, tmp_path / "broken", device="cpu", quiet=True)
    assert len(of(met, "start")) == starts
    whole, broken = (DallE1.load(tmp_path / name / "dalle1.safetensors").state_dict() for name in ("whole", "broken"))
    assert all(torch.equal(value, broken[name]) for name, value in whole.items())


def fill(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        Image.effect_noise((32, 32), 20 + number).convert("RGB").save(folder / f"{number:03d}.png")
        (folder / f"{number:03d}.txt").write_text(f"noise number {number}", encoding="utf-8")
    return folder


def test_a_folder_of_few_pictures_gives_each_once(met, tmp_path, monkeypatch):
    preset(monkeypatch, start_images=256)
    run = replace(SHORT, data=str(fill(tmp_path / "pictures", 5)))
    size = source_of(run).size
    train(run, tmp_path / "run", device="cpu", quiet=True)
    ((_, pictures),) = of(met, "start")
    assert len(pictures) == size
    assert len(pictures.flatten(1).unique(dim=0)) == size


def test_a_picture_that_is_gone_ends_the_run_with_a_sentence(tmp_path, monkeypatch):
    folder = fill(tmp_path / "pictures", 12)
    run = replace(SHORT, data=str(folder))
    source = source_of(run)
    monkeypatch.setattr(type(source.series(0)), "__getitem__", lambda *_: (_ for _ in ()).throw(DalleEduError("gone", "partie")))
    with pytest.raises(DalleEduError, match="gone"):
        train(run, tmp_path / "run", device="cpu", quiet=True, source=source)


# ---------------------------------------------------------------- several processes


class TwoProcesses(Processes):
    """One of two processes; what the first says lies in `wire` for the other."""

    def __init__(self, rank: int, wire: list[bytes]):
        self.count, self.rank, self.wire = 2, rank, wire

    def hear(self, make: Callable[[], bytes]) -> bytes:
        if self.first:
            self.wire.append(make())
        return self.wire[-1]


@pytest.fixture
def begun() -> Callable[[int], tuple[DallE1, RunProgress]]:
    def make(update: int) -> tuple[DallE1, RunProgress]:
        system: Any = system_for(SHORT, WorldSource())
        return system, RunProgress(0, [Clock(4, None, update), Clock(4, None), Clock(4, None)], {}, [], {})

    return make


def test_the_first_process_starts_and_the_others_take_its_weights(begun, monkeypatch):
    """The second cannot compute it: on another machine its codes would differ in their last bits."""
    wire = list[bytes]()
    (first, progress), (second, other) = begun(0), begun(0)
    place, source = choose_device("cpu"), WorldSource()
    start_stage(first, SHORT, source, 0, progress, place, TwoProcesses(0, wire), seed=7)
    assert len(wire) == 1
    monkeypatch.setattr(DiscreteVAE, "initialise_codebook", None)
    start_stage(second, SHORT, source, 0, other, place, TwoProcesses(1, wire), seed=8)
    assert not torch.equal(first.dvae.codebook.weight, random_codebook())
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


@pytest.mark.parametrize("changed", ["update", "begin_with", "start_images"])
def test_where_nothing_starts_no_process_speaks(changed, begun, monkeypatch):
    wire = list[bytes]()
    preset(monkeypatch, start_images=0 if changed == "start_images" else PICTURES)
    system, progress = begun(1 if changed == "update" else 0)
    run = replace(SHORT, begin_with="weights.safetensors") if changed == "begin_with" else SHORT
    start_stage(system, run, WorldSource(), 0, progress, choose_device("cpu"), TwoProcesses(0, wire), seed=7)
    assert not wire
    assert torch.equal(system.dvae.codebook.weight, random_codebook())


# ---------------------------------------------------------------- the recipes


def test_a_configuration_from_before_it_starts_nothing():
    config = json.loads(json.dumps(asdict(build("dalle1").config)))
    for stage in config["recipe"]["stages"]:
        del stage["start_images"]
    assert [stage.start_images for stage in rebuild(type(PRESETS["tiny"]), config).recipe.stages] == [0, 0, 0]


def test_other_stages_and_systems_leave_their_weights_as_they_are():
    for name, stage in (("dalle1", "prior"), ("dalle1", "decoder"), ("dalle_mini", "prior"), ("imagen", "base")):
        system = build(name)
        before = {key: value.clone() for key, value in system.state_dict().items()}
        system.start_stage(stage, torch.zeros(2, 3, 32, 32), None)
        assert all(torch.equal(value, before[key]) for key, value in system.state_dict().items())


def test_the_shipped_recipe_is_todays_to_the_last_digit():
    codec, decoder, prior = PRESETS["standard"].recipe.stages
    assert [stage.start_images for stage in (codec, decoder, prior)] == [0, 0, 0]
    assert [stage.embeddings_rate for stage in (codec, decoder, prior)] == [1.0, 1.0, 1.0]
    assert [(stage.learning_rate, stage.matrix_learning_rate) for stage in (codec, decoder)] == [(2e-3, 2e-2), (1e-3, 1e-2)]
