"""Pixels: means of blocks, colours unmixed one by one, segmentations compared, against NumPy and scikit-learn."""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.classroom.checking.asking import numbers
from dalle_edu.classroom.checking.cases import Case, call
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import say
from dalle_edu.world.catalogue import SHAPES, Catalogue


def _shrink(seed: int) -> list[Case]:
    def peer(images: Tensor, side: int) -> Tensor:
        """The mean of each block: rows by a matrix, and columns by the same."""
        blocks = torch.eye(side, dtype=images.dtype).repeat_interleave(images.shape[-1] // side, dim=1)
        mean = blocks / blocks.sum(dim=1, keepdim=True)
        return mean @ images @ mean.T

    steps = torch.arange(12.0).view(1, 3, 2, 2)
    sizes = [(2, 6, 3), (2, 6, 2), (3, 8, 2), (1, 8, 8), (2, 9, 1)]
    drawn = [call(peer, numbers(seed + n, n, 3, large, large), small) for n, large, small in sizes]
    learned = [call(peer, numbers(seed, 2, 3, 6, 6, gradient=True), side) for side in (3, 6)]
    return [call(peer, steps, 1), call(peer, steps, 2), *drawn, call(peer, numbers(seed, 2, 3, 4, 4).float(), 2), *learned]


def _shrink_known(seed: int) -> list[Case]:
    def peer(known: tuple[Tensor, Tensor] | None, side: int) -> tuple[Tensor, Tensor] | None:
        if known is None:
            return None
        part = known[0].shape[-1] // side
        blocks = [each.unflatten(3, (side, part)).unflatten(2, (side, part)).transpose(3, 4).flatten(4) for each in known]
        return blocks[0].mean(dim=-1), blocks[1].all(dim=-1)

    def known(n: int, side: int, share: float, number: int) -> tuple[Tensor, Tensor]:
        keep = torch.rand(n, 1, side, side, generator=torch.Generator().manual_seed(number)) < share
        return numbers(number, n, 3, side, side), keep

    small = torch.ones(1, 3, 2, 2), torch.tensor([[[[True, True], [True, False]]]])
    return [
        call(peer, small, 1),
        call(peer, (small[0], torch.ones(1, 1, 2, 2, dtype=torch.bool)), 1),
        call(peer, small, 2),
        *(
            call(peer, known(n, large, share, seed), side)
            for n, large, side, share in ((2, 6, 3, 0.9), (3, 8, 2, 0.97), (2, 8, 4, 0.3), (1, 6, 6, 0.5))
        ),
    ]


def _unmix(seed: int) -> list[Case]:
    """Palette colours with white, and a little noise: never halfway between two colours, where rounding would choose."""

    def peer(images: Tensor, catalogue: Catalogue = SHAPES) -> tuple[Tensor, Tensor]:
        colours, alphas = [], []
        for pixel in images.permute(0, 2, 3, 1).reshape(-1, 3).double().numpy():
            absorbed, found = 1 - (np.clip(pixel, -1, 1) + 1) / 2, []
            for colour in catalogue.colours:
                line = 1 - np.array(colour.rgb)
                along = min(max(float(absorbed @ line / (line @ line)), 0.0), 1.0)
                found.append((float(np.linalg.norm(absorbed - along * line)), along))
            best = min(range(len(found)), key=lambda place: round(found[place][0], 9))
            colours.append(best)
            alphas.append(found[best][1])
        n, _, h, w = images.shape
        return torch.tensor(colours).view(n, h, w), torch.tensor(alphas).float().view(n, h, w)

    def mixed(ranks: list[int], coverage: list[float], catalogue: Catalogue = SHAPES) -> Tensor:
        """A row of pixels, each so much of a colour, the rest white."""
        rgb = [[1 - part * (1 - channel) for channel in catalogue.colours[rank].rgb] for rank, part in zip(ranks, coverage, strict=True)]
        return (2 * torch.tensor(rgb).T - 1).view(1, 3, 1, -1)

    rng, three = np.random.default_rng(seed), replace(SHAPES, colours=SHAPES.colours[2:5])
    drawn = [
        torch.cat([mixed(rng.integers(0, 8, 6).tolist(), rng.uniform(0.4, 0.95, 6).tolist()) for _ in range(5)], dim=2) for _ in range(2)
    ]
    pictures = torch.cat(drawn) + 0.01 * numbers(seed, 2, 3, 5, 6).clamp(-2, 2).float()
    over = torch.tensor([[-1.3, -1.4, -1.5]]).T.view(1, 3, 1, 1)
    return [
        call(peer, mixed([0, 3], [1.0, 1.0])),
        call(peer, mixed([2, 2, 7], [0.5, 0.25, 0.75])),
        call(peer, mixed([0], [0.0])),
        call(peer, over),
        call(peer, pictures.clamp(-1, 1)),
        call(peer, mixed([0, 1, 2], [0.9, 0.6, 0.4], three), three),
        call(peer, mixed([0, 1, 2], [0.9, 0.6, 0.4], three), catalogue=three),
    ]


def _mean_iou(seed: int) -> list[Case]:
    def peer(found: Tensor, truth: Tensor, classes: int) -> float:
        from sklearn.metrics import jaccard_score

        labels = list(range(classes))
        return float(jaccard_score(truth.flatten().numpy(), found.flatten().numpy(), labels=labels, average="macro", zero_division=0.0))

    def labels(number: int, *shape: int, classes: int) -> Tensor:
        return torch.randint(classes, shape, generator=torch.Generator().manual_seed(number))

    half = torch.tensor([[[0, 1], [1, 1]]])
    rare = torch.where(torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(seed)) < 0.9, 0, 2)
    return [
        call(peer, half, half, 2),
        call(peer, half, torch.tensor([[[0, 0], [1, 1]]]), 2),
        call(peer, half, 1 - half, 2),
        call(peer, half, half, 3),
        call(peer, labels(seed, 2, 5, 5, classes=4), labels(seed + 1, 2, 5, 5, classes=4), 4),
        call(peer, torch.zeros(3, 6, 6, dtype=torch.long), rare, 3),
        call(peer, F.relu(rare - 1), rare, 4),
    ]


REFERENCES = [
    Reference("systems.families.cascade:shrink", say("a matrix of means", "une matrice de moyennes"), cases=_shrink, tolerance=1e-6),
    Reference(
        "systems.families.cascade:shrink_known", say("the mean and `all` of blocks", "moyenne et `all` des blocs"), _shrink_known, 1e-6
    ),
    Reference(
        "scorecard.picture_parser:unmix", say("one pixel at a time in NumPy", "pixel par pixel en NumPy"), cases=_unmix, tolerance=1e-5
    ),
    Reference("segmentation:mean_iou", "sklearn.metrics.jaccard_score", cases=_mean_iou, tolerance=1e-6),
]
