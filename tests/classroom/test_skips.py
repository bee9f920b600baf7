"""The widget of lesson 06, and the finding of its knob over three seeds."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from dalle_edu.classroom.widgets.skips import draw_answer, skips_explorer
from dalle_edu.errors import DalleEduError

TRUTH = torch.tensor([[[0, 1], [1, 1]]]).repeat_interleave(4, dim=1).repeat_interleave(4, dim=2)


def test_switches_make_a_picture_for_every_scene_and_setting():
    truth = TRUTH.repeat(2, 1, 1)
    answers = {on: truth * int(any(on)) for on in itertools.product((True, False), repeat=2)}
    explorer = skips_explorer(torch.zeros(2, 3, 8, 8), truth, answers, (8, 4))
    page = explorer.frames()
    assert page.count("data:image/png;base64,") == 2 * 4 + 1
    assert "right on 100% of the pixels" in explorer.at(0, 0, 0).alt
    assert "right on 0% of the pixels" in explorer.at(1, 1, 1).alt


def test_every_setting_must_be_answered(monkeypatch):
    with pytest.raises(DalleEduError, match="there are 1 settings of 2 switches; give all 4"):
        skips_explorer(torch.zeros(1, 3, 8, 8), TRUTH, {(True, True): TRUTH}, (8, 4))


def test_blank_paper_is_described_too():
    assert "100%" in draw_answer(torch.ones(3, 8, 8), 0 * TRUTH[0], 0 * TRUTH[0]).alt


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_kernels_that_are_multiples_of_the_stride_paint_more_evenly(seed):
    """Lesson 06, section 4: odd kernels are more uneven than the even ones after them, and 3 is the worst from there on."""
    generator = torch.Generator().manual_seed(seed)
    uneven = {}
    for size in range(3, 9):
        painted = [
            F.conv_transpose2d(torch.ones(1, 1, 12, 12), torch.rand(1, 1, size, size, generator=generator), stride=2) for _ in range(100)
        ]
        inside = torch.cat(painted)[:, 0, 8:-8, 8:-8].flatten(1)
        uneven[size] = float((inside.std(dim=1) / inside.mean(dim=1)).mean())
    assert all(uneven[even - 1] > 1.2 * uneven[even] for even in (4, 6, 8))
    assert uneven[3] == max(uneven.values())
