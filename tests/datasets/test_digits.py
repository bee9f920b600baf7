import pytest
import torch

from dalle_edu.datasets.digits import digits
from dalle_edu.errors import DalleEduError


@pytest.mark.parametrize("resolution", [8, 16, 32])
def test_digits_come_with_their_labels(resolution):
    images, labels = digits(resolution)
    assert images.shape == (1797, 1, resolution, resolution)
    assert images.min() >= -1
    assert images.max() <= 1
    assert labels.bincount().min() > 170
    assert labels[:10].tolist() == list(range(10))


def test_the_small_ones_are_the_scans_themselves():
    from sklearn.datasets import load_digits

    images, _ = digits()
    torch.testing.assert_close((images[:, 0] + 1) * 8, torch.tensor(load_digits().images, dtype=torch.float32))


def test_another_resolution_is_refused():
    with pytest.raises(DalleEduError, match="28; the digits come at 8, 16 or 32"):
        digits(28)
