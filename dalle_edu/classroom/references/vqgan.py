"""VQGAN's perceptual distance and adaptive weight against PyTorch's cosine similarity and gradients."""

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say


def _perceptual(version: Any) -> float:
    """The squared distance of two unit vectors is 2 - 2 cos; and the network that looks learns nothing."""
    torch.manual_seed(0)
    looks = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 5, 3)
    features = nn.Sequential(looks[0], nn.ReLU(), nn.MaxPool2d(2), looks[1], nn.ReLU()).double()
    for look in looks:
        nn.init.ones_(cast("Tensor", look.bias))  # so that something is seen everywhere: the cosine of nothing is not defined
    first, second = (torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(i), dtype=torch.float64) for i in (1, 2))
    first.requires_grad_()
    ours = version(features)(first, second)
    (gradient,) = torch.autograd.grad(ours, first)
    cosines = []
    a, b = first, second
    for layer in features:
        a, b = layer(a), layer(b)
        if isinstance(layer, nn.ReLU):
            cosines.append(2 - 2 * F.cosine_similarity(a, b, dim=1).mean())
    theirs = torch.stack(cosines).mean()
    (expected,) = torch.autograd.grad(theirs, first)
    frozen = float(any(parameter.requires_grad for parameter in features.parameters()))
    return max(gap(ours, theirs), gap(gradient, expected), frozen)


def _weight(version: Any) -> float:
    """Two losses whose gradients are known: 3 w·a has gradient 3a, |w|²/2 has gradient w."""
    a, w = torch.tensor([3.0, 4.0], dtype=torch.float64), torch.tensor([0.6, 0.8], dtype=torch.float64, requires_grad=True)
    tiny = 1e-12 * (w * a).sum()
    found = [version(3 * (w * a).sum(), w.square().sum() / 2, w), version((w * a).sum(), tiny, w), version(tiny, (w * a).sum(), w)]
    expected = [15 / (1 + 1e-4), 1e4, 5e-12 / (5 + 1e-4)]
    learns = float(any(weight.requires_grad for weight in found))
    return max(learns, *(abs(float(ours) - theirs) for ours, theirs in zip(found, expected, strict=True)))


REFERENCES = [
    Reference("vqgan:PerceptualDistance", "torch.nn.functional.cosine_similarity", _perceptual, 1e-8),
    Reference("vqgan:adaptive_weight", say("the norms of known gradients", "les normes de gradients connus"), _weight, 1e-8),
]
