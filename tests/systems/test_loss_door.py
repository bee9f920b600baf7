"""The one door of every system's loss: what does not match is refused before any work, with what came and what to do."""

from typing import Any

import pytest
import torch
from by_hand import batch, seeded
from tiny_systems import TINY, build, tiny_clip
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.trainable import Trainable

LEARNING = sorted({*TINY, "clip"} - {"vqgan_clip"})
pytestmark = pytest.mark.usefixtures("no_shape_checking")  # what a reader meets


@pytest.fixture(scope="module", params=LEARNING)
def tiny(request) -> Trainable:
    return tiny_clip() if request.param == "clip" else build(request.param)


@pytest.fixture
def door(tiny, monkeypatch):
    """Calls the loss with something wrong; returns what the error says, having checked that nothing was done."""
    images, captions = batch(tiny.resolution, 4)
    worked: list[Any] = []
    monkeypatch.setattr(tiny, "stage_loss", lambda *told: worked.append(told))

    def call(stage: str | None, **changes: Any) -> str:
        given = {"images": images, "captions": captions, "progress": 0.5} | changes
        generator = seeded(3)
        with pytest.raises(DalleEduError) as refused:
            tiny.loss(given["images"], given["captions"], stage=stage, progress=given["progress"], generator=generator)
        assert not worked
        assert torch.equal(generator.get_state(), seeded(3).get_state())
        return str(refused.value)

    call.images = images  # type: ignore[attr-defined]
    call.captions = captions  # type: ignore[attr-defined]
    return call


def stages(system: Trainable) -> list[str]:
    return [stage.name for stage in system.stages]


def wrong_pictures(images: Tensor) -> dict[str, tuple[Tensor, str]]:
    side = images.shape[-1]
    bytes_ = ((images + 1) * 127.5).round()
    hidden = images.clone()
    hidden[2, 1, 5, 7] = float("nan")
    infinite = images.clone()
    infinite[0, 0, 0, 0] = float("inf")
    return {
        "in [0, 255]": (bytes_, "to 255; give floats from -1 to 1"),
        "bytes": (bytes_.to(torch.uint8), f"torch.uint8 from {int(bytes_.min())} to 255; give floats from -1 to 1"),
        "a little out of range": (images * 1.01, "give floats from -1 to 1"),
        "not a number": (hidden, "nan; give floats from -1 to 1"),
        "infinite": (infinite, "inf; give floats from -1 to 1"),
        "smaller": (images[..., ::2, ::2], f"(4, 3, {side // 2}, {side // 2}); this system works on (n, 3, {side}, {side}): resize them"),
        "not square": (images[..., 1:], f"(4, 3, {side}, {side - 1}); this system works on"),
        "grey": (images[:, :1], f"(4, 1, {side}, {side}); this system works on"),
        "one alone": (images[0], f"(3, {side}, {side}); this system works on"),
        "none": (images[:0], f"(0, 3, {side}, {side}); this system works on"),
    }


@pytest.mark.parametrize("kind", list(wrong_pictures(torch.ones(4, 3, 32, 32))))
def test_pictures_of_another_range_or_size_are_refused_in_every_stage(tiny, door, kind):
    pictures, expected = wrong_pictures(door.images)[kind]
    for stage in stages(tiny):
        said = door(stage, images=pictures)
        assert said.startswith("the pictures are ")
        assert expected in said


def test_captions_that_are_not_one_for_each_picture_are_refused(tiny, door):
    wrong = {
        "3 captions": door.captions[:3],
        "5 captions": [*door.captions, "a red circle"],
        "0 captions": [],
        "1 captions": "four",  # as long as there are pictures
    }
    for stage in stages(tiny):
        for came, captions in wrong.items():
            assert door(stage, captions=captions) == f"4 pictures came with {came}; give a list of one each"


@pytest.mark.parametrize(("progress", "came"), [(-0.01, "-0.01"), (1.01, "1.01"), (float("nan"), "nan"), (50, "50")])
def test_a_progress_that_is_no_part_is_refused(tiny, door, progress, came):
    for stage in stages(tiny):
        assert door(stage, progress=progress) == f"the progress is {came}; it goes from 0 to 1 within a stage"


def test_a_stage_that_does_not_exist_is_refused(tiny, door):
    known = ", ".join(stages(tiny))
    for stage in ("painting", "Prior", "upsampler_4096"):
        assert door(stage) == f'{tiny.name} has no stage "{stage}"; name one of: {known}'


def test_without_a_stage_several_are_a_question_and_one_is_none(tiny, door, monkeypatch):
    known = stages(tiny)
    if len(known) > 1:
        assert door(None) == f"{tiny.name} learns in stages; name one of: {', '.join(known)}"
        return
    went: list[str] = []
    monkeypatch.setattr(tiny, "stage_loss", lambda stage, *_: went.append(stage) or {})
    tiny.loss(door.images, door.captions)
    assert went == known


def test_the_stage_is_asked_for_before_the_pictures_are_looked_at(tiny, door):
    assert "stage" in door("painting", images=torch.zeros(1))


def test_calling_a_system_is_asking_for_its_loss(tiny, monkeypatch):
    images, captions = batch(tiny.resolution, 4)
    for stage in stages(tiny):
        found, expected = (way(images, captions, stage=stage, generator=seeded()) for way in (tiny, tiny.loss))
        assert found.keys() == expected.keys()
        assert torch.equal(found["loss"], expected["loss"])
        with pytest.raises(DalleEduError, match="came with 3 captions"):
            tiny(images, captions[:3], stage=stage)


def test_the_door_lets_in_what_is_right_at_its_edges(tiny, monkeypatch):
    images, captions = torch.ones(1, 3, tiny.resolution, tiny.resolution), ["a red circle"]
    went: list[tuple] = []
    monkeypatch.setattr(tiny, "stage_loss", lambda *told: went.append(told) or {})
    for stage in stages(tiny):
        for progress in (0.0, 1.0):
            generator = seeded()
            tiny.loss(-images, captions, stage=stage, progress=progress, generator=generator)
            assert went[-1] == (stage, went[-1][1], captions, progress, generator)
            assert torch.equal(went[-1][1], -images)


def test_what_learns_nothing_says_what_to_train_in_its_place():
    system = build("vqgan_clip")
    images, captions = batch(32, 2)
    for stage in (None, "prior"):
        with pytest.raises(DalleEduError, match="vqgan_clip learns nothing of its own"):
            system.loss(images, captions, stage=stage)
