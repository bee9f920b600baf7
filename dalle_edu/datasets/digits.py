"""The digits of scikit-learn: 1,797 real handwritten digits that come with the package, so that nothing is downloaded."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.errors import DalleEduError


def digits(resolution: int = 8) -> tuple[Float[Tensor, "n 1 h w"], Int[Tensor, " n"]]:
    """The digits and their labels: pictures of (1,797, 1, resolution, resolution) in [-1, 1], white on black, and labels 0 to 9.

    They were scanned at 8 x 8 with 17 levels of grey (Alpaydin & Kaynak 1998, from 43 people); 16 and 32 are bilinear interpolations.
    Raises `DalleEduError` for another resolution.
    """
    if resolution not in (8, 16, 32):
        raise DalleEduError(
            f"the resolution is {resolution}; the digits come at 8, 16 or 32 pixels",
            f"la résolution est {resolution} ; les chiffres viennent en 8, 16 ou 32 pixels",
        )
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.tensor(bunch.images, dtype=torch.float32).unsqueeze(1) / 8 - 1
    if resolution != 8:
        images = F.interpolate(images, size=resolution, mode="bilinear", align_corners=False)
    return images, torch.tensor(bunch.target, dtype=torch.long)
