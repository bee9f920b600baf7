"""The kernel painter of lesson 04 shows the sums that the convolution makes, with a kernel and without."""

import io
import re

import pytest
import torch
import torch.nn.functional as F

from dalle_edu.classroom.widgets.kernel_painter import KernelPainter, draw_seen
from dalle_edu.errors import DalleEduError

PICTURE = torch.arange(20.0).view(4, 5).remainder(7) / 7
KERNELS = {"edge": [[1.0, 0.0, -1.0]] * 3, "blur": [[1 / 9] * 3] * 3}


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")


@pytest.mark.parametrize("kernel", KERNELS.values())
def test_the_map_drawn_has_the_numbers_of_the_convolution(kernel):
    weights = torch.tensor(kernel, dtype=torch.float32)
    seen = F.conv2d(PICTURE[None, None], weights[None, None])
    alt = draw_seen(PICTURE, weights).alt
    low, high = re.search(r"from (\S+) to ([\d.]+)", alt).groups()
    assert "-" not in alt
    assert float(low.replace("−", "-")) == pytest.approx(seen.min().item(), abs=0.051)
    assert float(high) == pytest.approx(seen.max().item(), abs=0.051)


def test_the_titles_are_whole():
    from matplotlib.image import imread

    pixels = imread(io.BytesIO(draw_seen(torch.rand(28, 28), torch.eye(3)).png))[..., :3]
    assert pixels[:5].min() == 1.0
    assert pixels[:30].min() == 0.0  # they are there


def test_a_page_has_a_picture_for_each_kernel_and_each_picture():
    painter = KernelPainter({"one": PICTURE, "two": 1 - PICTURE, "three": PICTURE.flip(0)}, KERNELS)
    assert painter.explorer.frames().count("data:image/png") == 6 + 1  # and the first again, which is shown


def test_the_nine_numbers_and_the_menus_change_the_picture():
    box = KernelPainter({"one": PICTURE, "two": 1 - PICTURE}, KERNELS).widget()
    pictures, kernels, grid, shown = box.children
    first = shown.value
    grid.children[4].value = 5.0
    second = shown.value
    assert first != second
    assert "5" in re.search('alt="([^"]*)"', second)[1]
    kernels.value = "blur"
    assert [weight.value for weight in grid.children] == [0.11] * 9
    assert shown.value not in (first, second)
    blurred = shown.value
    pictures.value = "two"
    assert shown.value != blurred


def test_what_is_no_kernel_of_three_by_three_is_refused():
    with pytest.raises(DalleEduError, match="three rows of three"):
        KernelPainter({"one": PICTURE}, {"wide": [[1.0, 2.0, 3.0]]})
