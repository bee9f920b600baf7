"""What a drawing tells while it goes on: the same shape for every system and edit, counted over the whole call, and no picture changes."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny_systems import TINY, build, drawings, small
from torch import Tensor

from dalle_edu import progress_bar
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.progress import Progress

PROMPTS = ["un cercle rouge", "a large blue square", "trois étoiles vertes"]
METHODS = [(name, verb) for name in TINY for verb in drawings(build(name)) if verb not in ("autoregressive", "filters", "epsilon")]
MAKERS = {"dalle1": "families.autoregressive", "dalle_mini": "families.autoregressive", "vqgan_clip": "vqgan_clip"}
STEPS = {  # in a batch: of the network that draws, and of those before and after it
    "dalle1": [("prior", 16)],
    "dalle_mini": [("prior", 16)],
    "vqgan_clip": [("latent", 4)],
    "imagen": [("base", 4), ("upsampler_64", 2)],
    "dalle2": [("decoder", 4), ("upsampler_64", 2)],
}


def drawn(name: str, verb: str, **options: Any) -> Tensor:
    return drawings(small(name), **options)[verb]()


@pytest.mark.parametrize(("name", "verb"), METHODS)
def test_steps_are_counted_over_the_whole_call_and_change_nothing(name, verb, monkeypatch):
    told: list[Progress] = []
    monkeypatch.setattr(f"dalle_edu.systems.{MAKERS.get(name, 'families.cascade')}.TOGETHER", 2)
    assert torch.equal(drawn(name, verb, callback=told.append), drawn(name, verb))
    assert [each.index for each in told] == list(range(len(told)))
    assert {each.total for each in told} == {len(told)}
    a_batch = sum(count for _, count in STEPS[name])
    before = [each for each in told if each.stage == "prior"] if name == "dalle2" else []
    assert len(before) == (4 if name == "dalle2" and verb in ("generate", "inpaint") else 0)
    assert len(told) - len(before) >= a_batch
    assert [each.stage for each in told[len(before) :]] == [stage for stage, count in STEPS[name] for _ in range(count)] * (
        (len(told) - len(before)) // a_batch
    )
    assert all(isinstance(each.state, Tensor) for each in told)
    assert all((each.estimate is None) == (name in ("dalle1", "dalle_mini")) for each in told)
    assert all(each.estimate is None or each.stage == "latent" or each.estimate.shape == each.state.shape for each in told)


@pytest.mark.parametrize(("name", "network"), [("dalle1", "gpt"), ("dalle_mini", "bart")])
@pytest.mark.parametrize("together", [1, 2, 4])
def test_a_prior_runs_once_a_token_and_the_decoder_once_a_picture(name, network, together):
    system = build(name)
    shape = replace(getattr(system.config.model, network), codes_per_token=together)
    found = type(system)(replace(system.config, model=replace(system.config.model, **{network: shape})))
    assert found.evaluations == {1: 65, 2: 33, 4: 17}[together]


@pytest.mark.parametrize("name", sorted(TINY))
def test_batches_are_counted(name, monkeypatch):
    """Three pictures, two at a time, are two batches; each of dalle2's is tried twice."""
    monkeypatch.setattr(f"dalle_edu.systems.{MAKERS.get(name, 'families.cascade')}.TOGETHER", 2)
    told: list[Progress] = []
    small(name).generate(PROMPTS, callback=told.append)
    a_batch = sum(count for _, count in STEPS[name])
    assert len(told) == (4 + 3 * a_batch if name == "dalle2" else 2 * a_batch)
    assert [(each.index, each.total) for each in told] == [(index, len(told)) for index in range(len(told))]


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_the_frames_of_a_loop_are_one_drawing(frames):
    told: list[Progress] = []
    tiny = build("dalle2")
    tiny.loop(torch.zeros(1, 3, 64, 64), frames, callback=told.append)
    assert [each.index for each in told] == list(range(6 * (frames - 1)))
    assert {each.total for each in told} <= {6 * (frames - 1)}


def test_the_other_prior_tells_its_steps_too():
    told: list[Progress] = []
    build("dalle2").generate(PROMPTS, prior="autoregressive", callback=told.append)
    assert [each.stage for each in told[:5]] == ["prior_ar"] * 4 + ["decoder"]
    assert [each.index for each in told] == list(range(10))
    assert {each.total for each in told} == {10}


@pytest.mark.parametrize(("name", "verb"), METHODS)
def test_what_a_callback_raises_stops_the_drawing(name, verb):
    class Enough(Exception):
        pass

    seen = []

    def stop(told: Progress) -> None:
        seen.append(told.index)
        if told.index == 2:
            raise Enough

    with pytest.raises(Enough):
        drawn(name, verb, callback=stop)
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("options", [{"callback": "print"}, {"callback": 3}, {"progress": "yes"}, {"progress": print}, {"progress": 1}])
def test_what_is_no_callback_and_no_choice_of_a_bar_is_refused_before_any_step(options, no_shape_checking):
    (name,) = options
    with pytest.raises(DalleEduError, match=name):
        build("dalle1").generate(PROMPTS, **options)


# ---------------------------------------------------------------- bars


@pytest.mark.parametrize(("name", "verb"), METHODS)
def test_a_bar_changes_nothing_and_goes_away(name, verb, capsys):
    told: list[Progress] = []
    assert torch.equal(drawn(name, verb, callback=told.append, progress=True), drawn(name, verb, progress=False))
    shown = capsys.readouterr().err
    assert f"{name}, {told[0].stage} |" in shown
    assert shown.endswith(" \r")


def test_a_bar_goes_away_when_a_drawing_is_stopped(capsys):
    def stop(told: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build("dalle1").generate(PROMPTS, callback=stop, progress=True)
    assert capsys.readouterr().err.endswith(" \r")


def test_pictures_take_both(capsys):
    told: list[Progress] = []
    assert len(build("imagen").pictures("a red circle", callback=told.append, progress=True)) == 1
    assert len(told) == 6
    assert "imagen, base |" in capsys.readouterr().err


def test_a_bar_is_for_somebody_who_waits(capsys, monkeypatch):
    monkeypatch.setattr(progress_bar, "PATIENCE", 0.0)
    build("imagen").generate(PROMPTS)
    assert capsys.readouterr().err == ""  # a pipe
    monkeypatch.setattr(progress_bar, "_on_terminal", lambda: True)
    build("imagen").generate(PROMPTS)
    assert "imagen, base |" in capsys.readouterr().err
    with progress_bar.without_bars():
        build("imagen").generate(PROMPTS)
    with progress_bar.progress_bar("an exam", progress=False):
        build("imagen").generate(PROMPTS)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    build("imagen").generate(PROMPTS)
    monkeypatch.delenv("TQDM_DISABLE")
    monkeypatch.setattr(progress_bar, "PATIENCE", 600.0)
    build("imagen").generate(PROMPTS)
    assert capsys.readouterr().err == ""
