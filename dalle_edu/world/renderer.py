"""The renderer: scenes to anti-aliased pixels, on any device and at any resolution. Each object draws itself (`drawings.py`).

Letters: n scenes, k objects in the largest of them, h = w pixels on a side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.world.catalogue import SHAPES, Catalogue
from dalle_edu.world.scenes import Scene

RESOLUTIONS = (32, 64, 128)


@dataclass(frozen=True)
class Placed:
    """The m objects of one shape in a batch of scenes: for each its scene, its rank there, its place and its colour."""

    shape: str
    slot: Tensor  # (m,) long: scene * k + rank of the object in its scene
    geometry: Tensor  # (m, 3): centre x, centre y, radius, as parts of the canvas's side
    colour: Tensor  # (m, 3): red, green, blue in [0, 1]


@dataclass(frozen=True)
class Layout:
    """Scenes as tensors, with their objects grouped by shape, ready to be rendered.

    `scenes` is their number, and `slots` the most objects that one of them has. Layouts are made on the CPU and moved with `to`.
    """

    scenes: int
    slots: int
    groups: tuple[Placed, ...]

    def to(self, device: torch.device | str) -> "Layout":
        """The same layout on another device, copied without blocking the CPU where PyTorch can."""

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device, non_blocking=True)

        groups = tuple(Placed(g.shape, move(g.slot), move(g.geometry), move(g.colour)) for g in self.groups)
        return Layout(self.scenes, self.slots, groups)


def lay_out(scenes: Sequence[Scene], catalogue: Catalogue = SHAPES) -> Layout:
    """Group the objects of all scenes by shape. Raises `DalleEduError` for a shape that the catalogue does not have."""
    slots = max((len(scene.objects) for scene in scenes), default=0)
    colours = {colour.name: colour.rgb for colour in catalogue.colours}
    rows: dict[str, list[tuple[int, tuple[float, float, float], tuple[float, float, float]]]] = {}
    for i, scene in enumerate(scenes):
        for rank, thing in enumerate(scene.objects):
            rows.setdefault(thing.shape, []).append((i * slots + rank, (thing.x, thing.y, thing.radius), colours[thing.colour]))
    unknown = rows.keys() - {shape.name for shape in catalogue.shapes}
    if unknown:
        names = ", ".join(sorted(unknown))
        raise DalleEduError(
            f"the catalogue has no shape {names}; draw the scenes with the catalogue they come from",
            f"le catalogue n'a pas de forme {names} ; dessinez les scènes avec le catalogue dont elles viennent",
        )
    groups = []
    for shape in catalogue.shapes:  # in the catalogue's order, so that equal scenes give equal tensors
        if shape.name in rows:
            slot, geometry, colour = zip(*rows[shape.name], strict=True)
            places, painted = (torch.tensor(numbers, dtype=torch.float32) for numbers in (geometry, colour))
            groups.append(Placed(shape.name, torch.tensor(slot), places, painted))
    return Layout(len(scenes), slots, tuple(groups))


def render(
    scenes: Sequence[Scene] | Layout,
    resolution: int = 64,
    device: torch.device | str = "cpu",
    catalogue: Catalogue = SHAPES,
    chunk: int = 256,
) -> Float[Tensor, "n 3 h w"]:
    """Render scenes on white canvases.

    Returns pictures with values in [-1, 1], the range of every picture in this library. A later object covers an earlier one.
    Scenes are rendered `chunk` at a time, so that they stay in the processor's cache; a `Layout` is rendered at once. Raises
    `DalleEduError` for a resolution outside 8 to 1024, and for a shape that the catalogue does not have.
    """
    if not 8 <= resolution <= 1024:
        raise DalleEduError(
            f"the resolution is {resolution}; pictures are drawn at 8 to 1024 pixels, usually 32, 64 or 128",
            f"la résolution est {resolution} ; les images se dessinent de 8 à 1024 pixels, d'ordinaire 32, 64 ou 128",
        )
    if isinstance(scenes, Layout):
        return _paint(scenes.to(device), resolution, torch.device(device), catalogue)
    if not scenes:
        return torch.empty(0, 3, resolution, resolution, device=device, dtype=torch.float32)
    parts = [lay_out(scenes[start : start + chunk], catalogue) for start in range(0, len(scenes), chunk)]
    return torch.cat([_paint(part.to(device), resolution, torch.device(device), catalogue) for part in parts])


def _paint(layout: Layout, resolution: int, device: torch.device, catalogue: Catalogue) -> Float[Tensor, "n 3 h w"]:
    n, k = layout.scenes, layout.slots
    drawings = [catalogue.shape(group.shape).drawing for group in layout.groups]
    side = 1 if all(drawing.flat for drawing in drawings) else resolution
    alpha = torch.zeros(n * k, resolution, resolution, device=device, dtype=torch.float32)
    ink = torch.zeros(n * k, 3, side, side, device=device, dtype=torch.float32)
    for group, drawing in zip(layout.groups, drawings, strict=True):
        alpha[group.slot], painted = drawing.draw(group.geometry, group.colour, resolution)
        ink[group.slot] = painted * 2 - 1
    alpha, ink = alpha.view(n, k, 1, resolution, resolution), ink.view(n, k, 3, side, side)
    canvas = torch.ones(n, 3, resolution, resolution, device=device, dtype=torch.float32)
    for rank in range(k):
        canvas = torch.lerp(canvas, ink[:, rank], alpha[:, rank])
    return canvas
