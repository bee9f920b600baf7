"""Convolution kernels: those written by hand detect edges, those that are learned classify digits."""

import time
from typing import TYPE_CHECKING, Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.convolution import SmallClassifier, conv2d, conv_transpose2d
from dalle_edu.classroom.demo import Demo
from dalle_edu.datasets.digits import digits
from dalle_edu.language import comma, say
from dalle_edu.world import render, sample_scene

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWS = ("convolution", "pooling")
TRAINED, BATCH = 1500, 64  # the last 297 digits are kept for the exam
EDGES = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])  # left to right (Sobel & Feldman 1968)


def demo(seed: int = 0, steps: int = 600) -> Demo:
    """Edges of a scene by a kernel written by hand, then a classifier of digits whose kernels learn."""
    started = time.process_time()
    images, labels = digits()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    images, labels = images[order], labels[order]
    torch.manual_seed(seed)
    model, generator = SmallClassifier(1, 10), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=steps)
    path: dict[int, float] = {}
    for step in range(1, steps + 1):
        rows = torch.randint(TRAINED, (BATCH,), generator=generator)
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        pace.step()
        if step % max(1, steps // 12) == 0:
            path[step] = _accuracy(model, images, labels)
    numbers = {"steps": float(steps), "accuracy": path[max(path)], "cpu_seconds": time.process_time() - started}
    return Demo(
        _figure(model, path),
        numbers,
        f"Two layers of learned kernels read {numbers['accuracy']:.1%} of digits that they have never seen.",
        f"Deux couches de noyaux appris lisent {comma(100 * numbers['accuracy'])} % de chiffres jamais vus.",
    )


@torch.no_grad()
def _accuracy(model: SmallClassifier, images: Tensor, labels: Tensor) -> float:
    return float((model(images[TRAINED:]).argmax(dim=-1) == labels[TRAINED:]).float().mean())


def _figure(model: SmallClassifier, path: dict[int, float]) -> "Figure":
    from matplotlib.figure import Figure

    scene = render([sample_scene(3, 5)], 64)
    grey = scene.mean(dim=1, keepdim=True)
    across, down = (conv2d(grey, kernel[None, None], padding=1) for kernel in (EDGES, EDGES.T))
    small = conv2d(grey, torch.full((1, 1, 4, 4), 1 / 16), stride=4)
    back = conv_transpose2d(small, torch.ones(1, 1, 4, 4), stride=4)
    panels = [
        ((scene[0].permute(1, 2, 0) + 1) / 2, say("a scene", "une scène"), {}),
        (across[0, 0], say("edges, left to right", "bords, de gauche à droite"), {"cmap": "RdBu", "vmin": -6, "vmax": 6}),
        (down[0, 0], say("edges, top to bottom", "bords, de haut en bas"), {"cmap": "RdBu", "vmin": -6, "vmax": 6}),
        (small[0, 0], say("stride 4: 16 × 16", "pas 4 : 16 × 16"), {"cmap": "gray", "vmin": -1, "vmax": 1}),
        (back[0, 0], say("transposed: 64 × 64 again", "transposée : de nouveau 64 × 64"), {"cmap": "gray", "vmin": -1, "vmax": 1}),
    ]
    figure = Figure(figsize=(12, 5.6), layout="constrained")
    top, bottom = cast("Any", figure.subfigures(2, 1, height_ratios=[1.1, 1]))
    for axes, (picture, title, options) in zip(top.subplots(1, 5), panels, strict=True):
        axes.imshow(picture, **options)
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    left, right = bottom.subfigures(1, 2)
    kernels = next(model.features.parameters()).detach()[:, 0]
    limit = float(kernels.abs().max())
    for axes, kernel in zip(left.subplots(2, 8).flat, kernels, strict=True):
        axes.imshow(kernel, cmap="RdBu", vmin=-limit, vmax=limit)
        axes.set_axis_off()
    left.suptitle(say("the 16 kernels of the first layer, learned", "les 16 noyaux de la première couche, appris"), fontsize=11)
    curve = right.subplots()
    curve.plot(list(path), [100 * rate for rate in path.values()], color="#0072B2", marker="o", linewidth=2)
    curve.set(xlabel=say("step", "pas"), ylabel=say("digits read (%)", "chiffres lus (%)"), ylim=(0, 103))
    curve.spines[["top", "right"]].set_visible(False)
    curve.grid(alpha=0.25)
    return figure
