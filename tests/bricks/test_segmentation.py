import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.bricks.segmentation import mean_iou
from dalle_edu.errors import DalleEduError


def labels(seed: int, classes: int = 3) -> torch.Tensor:
    return torch.randint(classes, (2, 5, 4), generator=torch.Generator().manual_seed(seed))


@given(seed=st.integers(0, 2**31))
def test_it_is_between_0_and_1_and_forgets_which_map_is_the_truth(seed):
    found, truth = labels(seed), labels(seed + 1)
    assert 0 <= mean_iou(found, truth, 3) <= 1
    assert mean_iou(found, truth, 3) == pytest.approx(mean_iou(truth, found, 3))
    assert mean_iou(truth, truth, 3) == 1 or len(truth.unique()) < 3


def test_two_squares_that_share_half_of_themselves_have_a_third():
    """Two rows of two pixels that share one: one in both, three in either."""
    found, truth = torch.tensor([[[1, 1, 0]]]), torch.tensor([[[0, 1, 1]]])
    assert mean_iou(found, truth, 2) == pytest.approx((0 + 1 / 3) / 2)


def test_white_paper_is_no_success():
    truth = torch.zeros(1, 10, 10, dtype=torch.long)
    truth[0, :3, :3] = 1
    blank = torch.zeros_like(truth)
    assert float((blank == truth).float().mean()) > 0.9
    assert mean_iou(blank, truth, 2) < 0.5


def test_maps_that_cannot_be_compared_are_refused(no_shape_checking):
    with pytest.raises(DalleEduError, match=r"shapes \(2, 5, 4\) and \(1, 5, 4\); give two of the same pictures"):
        mean_iou(labels(0), labels(0)[:1], 3)
    with pytest.raises(DalleEduError, match="go from 0 to 2; expected 0 to 1: give the number of classes"):
        mean_iou(labels(0), labels(1), 2)
