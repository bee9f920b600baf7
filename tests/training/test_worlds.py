"""A new shape and a dozen sprites, in catalogues that live in the tests, go through training, drawing, exams and edits."""

from pathlib import Path
from typing import Any

import pytest
import torch
from sprites import moons, sprites
from tiny_systems import TINY, tiny_clip

from dalle_edu import load
from dalle_edu.datasets.world_source import WorldSource
from dalle_edu.errors import DalleEduError
from dalle_edu.scorecard import score
from dalle_edu.studies.edits import completions, inpaintings
from dalle_edu.systems.interface.registry import model_class
from dalle_edu.training.loop import train
from dalle_edu.training.run import Run
from dalle_edu.world import SHAPES, render, sample_scene
from dalle_edu.world.catalogue_files import world_of

WORLDS = {"moons": moons, "sprites": sprites}
SAID = {"moons": "a red moon above a blue circle", "sprites": "une pieuvre verte à gauche d'une glace rose"}


@pytest.fixture(scope="module", params=sorted(WORLDS))
def world(request, tmp_path_factory) -> tuple[str, WorldSource, Path]:
    """The name of a catalogue, its source, and the weights of a CLIP that learned it, on which DALL·E 2 stands."""
    source, folder = WorldSource(WORLDS[request.param](), request.param), tmp_path_factory.mktemp("clip")
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(model_class("clip").presets, "tiny", tiny_clip().config)
        train(Run("clip", "tiny", updates=4, batch_size=4, exam=8), folder, device="cpu", quiet=True, source=source)
    return request.param, source, folder / "clip.safetensors"


@pytest.mark.parametrize("name", sorted(TINY.keys() - {"vqgan_clip"}))
def test_a_catalogue_of_ones_own_is_trained_drawn_examined_and_edited(name, world, tmp_path, monkeypatch):
    called, source, clip = world
    kind = model_class(name)
    monkeypatch.setitem(kind.presets, "tiny", TINY[name]().config)
    foundations = {"clip": str(clip)} if kind.foundations else {}
    run = Run(name, "tiny", updates=12, batch_size=4, exam=8, foundations=foundations)
    train(run, tmp_path, device="cpu", quiet=True, source=source)
    log = (tmp_path / "log.jsonl").read_text()
    assert '"skills"' in log
    assert list((tmp_path / "sheets").glob("*.png"))

    system: Any = load(tmp_path / f"{name}.safetensors")
    assert world_of(system.domain.catalogue) == world_of(source.catalogue) != world_of(SHAPES)
    drawn = system.generate([SAID[called]], seed=1)
    assert drawn.shape == (1, 3, system.resolution, system.resolution)
    with pytest.raises(DalleEduError, match="dragon"):
        system.generate(["a dragon"])
    report = score(system, name, prompts=8, progress=False)
    assert report.to_json()["world"] == world_of(source.catalogue)
    assert {thing.shape for question in report.asked for thing in question.scene.objects} <= {
        shape.name for shape in source.catalogue.shapes
    }
    if hasattr(system, "complete"):
        completions(system, n=2)
    if hasattr(system, "inpaint"):
        inpaintings(system, n=2)


def test_the_examiner_gives_a_perfect_system_of_a_catalogue_all_marks(world):
    """A system that draws by the renderer, where only its catalogue tells the examiner what to look for."""
    _, source, _ = world

    class Renders:
        domain = source.domain

        def __init__(self, asked: list) -> None:
            self.asked = [question.scene for question in asked]

        def generate(self, prompts: list[str], *, seed: int) -> torch.Tensor:
            scenes, self.asked = self.asked[: len(prompts)], self.asked[len(prompts) :]
            return render(scenes, 64, catalogue=source.catalogue)

    from dalle_edu.scorecard import questions

    system = Renders(questions(200, 0, source.catalogue))
    report = score(system, "true", prompts=200, progress=False)
    assert all(rate.correct >= 0.99 * rate.n for rate in report.rates().values())
    system = Renders(questions(200, 3, source.catalogue))  # the pictures of other questions
    assert all(rate.correct < 0.75 * rate.n for rate in score(system, "others", prompts=200, progress=False).rates().values())


def test_weights_know_the_world_that_they_learned_and_no_other(world, tmp_path, monkeypatch):
    called, source, _ = world
    kind = model_class("dalle1")
    monkeypatch.setitem(kind.presets, "tiny", TINY["dalle1"]().config)
    run = Run("dalle1", "tiny", updates=40, batch_size=4, exam=0, save_every=0.0)
    with monkeypatch.context() as patched:
        patched.setattr(kind, "loss", _breaking_off(kind.loss, 30))
        with pytest.raises(MemoryError):
            train(run, tmp_path, device="cpu", quiet=True, source=source)
    with pytest.raises(DalleEduError, match="other pictures"):
        train(run, tmp_path, device="cpu", quiet=True)
    other = WorldSource(WORLDS["sprites" if called == "moons" else "moons"]())
    with pytest.raises(DalleEduError, match="other pictures"):
        train(run, tmp_path, device="cpu", quiet=True, source=other)
    train(run, tmp_path, device="cpu", quiet=True, source=WorldSource(WORLDS[called]()))  # the same catalogue, made anew


def _breaking_off(loss: Any, call: int) -> Any:
    calls = iter(range(10**6))

    def once(*args: Any, **options: Any) -> Any:
        if next(calls) == call:
            raise MemoryError
        return loss(*args, **options)

    return once


def test_a_scene_of_the_catalogue_is_no_scene_of_the_shapes(world):
    _, source, _ = world
    scene = sample_scene(3, catalogue=source.catalogue)
    new = {shape.name for shape in source.catalogue.shapes} - {shape.name for shape in SHAPES.shapes}
    assert new
    if {thing.shape for thing in scene.objects} & new:
        with pytest.raises(DalleEduError, match="no shape"):
            render([scene], 32)
