"""The walk along a sampling path shows the steps that a sampler made, of pictures and of points, in both languages."""

import re

import pytest
import torch

from dalle_edu.bricks.noise_schedule import cosine_schedule
from dalle_edu.bricks.samplers import Step, ddim
from dalle_edu.classroom.demos.samplers import best_denoiser
from dalle_edu.classroom.widgets.sampling_path import change_of_belief, draw_step, path_explorer
from dalle_edu.errors import DalleEduError

SCHEDULE = cosine_schedule()


def path_of(*shape: int, steps: int = 5) -> list[Step]:
    """A real path; the denoiser of pictures believes in a grey one, and more and more in what it sees."""
    path: list[Step] = []
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    denoise = best_denoiser(SCHEDULE) if len(shape) == 2 else lambda x, t: x.clamp(-1, 1) * (1 - t.view(-1, 1, 1, 1) / 1000)
    ddim(denoise, noise, SCHEDULE, steps, callback=path.append)
    return path


@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (10, 3, 6, 4), (40, 2)])
def test_each_step_has_its_picture_and_says_its_numbers(shape, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    path = path_of(*shape)
    explorer = path_explorer(path, SCHEDULE, start=4)
    assert explorer.frames().count("data:image/png") == 5 + 1  # and the one that is shown first
    for index, step in enumerate(path):
        alt = explorer.at(index).alt
        moved = (step.x0 - path[-1].x0).abs().mean()
        assert alt.startswith(f"Step {index + 1} of 5, t = {step.t}: ")
        assert f"is {moved:.2f} away" in alt
    assert change_of_belief(path, 0) > change_of_belief(path, 3) > change_of_belief(path, 4) == 0


def test_the_slider_changes_the_picture_and_the_path_stays_as_it_was(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    path = path_of(3, 1, 8, 8)
    before = [(step.x.clone(), step.x0.clone()) for step in path]
    box = path_explorer(path, SCHEDULE).widget()
    first = box.children[-1].value
    box.children[0].value = 3
    assert box.children[-1].value != first
    assert all(torch.equal(step.x, x) and torch.equal(step.x0, x0) for step, (x, x0) in zip(path, before, strict=True))


@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (12, 2)])
def test_french_numbers_have_commas(shape, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    alt = draw_step(path_of(*shape), SCHEDULE, 0).alt
    assert alt.startswith("Pas 1 sur 5, t = 999\u00a0: la croyance")
    assert re.search(r"\d,\d\d de la dernière", alt)
    assert not re.search(r"\d\.\d", alt)


@pytest.mark.parametrize("shape", [(3, 5), (11, 1, 4, 4), (2, 2, 4, 4), (4,)])
def test_what_cannot_be_shown_is_refused(shape):
    with pytest.raises(DalleEduError, match=r"up to 10 pictures|au plus 10 images"):
        path_explorer([Step(0, 1, 999, torch.zeros(shape), torch.zeros(shape))], SCHEDULE)


def test_too_many_steps_are_refused():
    step = Step(0, 65, 999, torch.zeros(2, 2), torch.zeros(2, 2))
    with pytest.raises(DalleEduError, match=r"at most 64|au plus 64"):
        path_explorer([step] * 65, SCHEDULE)
