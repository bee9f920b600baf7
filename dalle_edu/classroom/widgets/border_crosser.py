"""The border crosser: a vector is moved from cell to cell of a codebook in the plane; its code jumps, its gradient does not."""

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.bricks.codebook import nearest_code, straight_through
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import BLACK, BLUE, COLOURS, VERMILION, Picture, legend, picture, plot
from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS = 25  # positions of the vector on its way
MARGINS = {"left": 0.01, "bottom": 0.13, "right": 0.99, "top": 0.92, "wspace": 0.22}  # of the picture
TANGENT = 0.22  # half of the length of the lines that show a slope, in parts of the way


def border_explorer(codebook: Float[Tensor, "k d"], start: Float[Tensor, " d"], end: Float[Tensor, " d"], steps: int = STEPS) -> Explorer:
    """An interactive picture of a vector that moves from `start` to `end` across the cells of a codebook in the plane. Lesson 08.

    Beside the plane stands how far the quantised vector has come along the way: a staircase, whose slope is 0 on every step. The slope that
    `straight_through` passes on is that of the identity, 1, wherever the vector is. Raises `DalleEduError` for codes that are not in the
    plane, a way of no length, fewer than 2 steps, and more than 64.
    """
    if codebook.shape[1] != 2 or len(codebook) < 2 or torch.equal(start, end) or steps < 2:
        raise DalleEduError(
            f"a codebook of {tuple(codebook.shape)} and a way of {steps} steps from {start.tolist()} to {end.tolist()}; "
            "give at least 2 codes of 2 numbers, two different ends, and at least 2 steps",
            f"un dictionnaire de {tuple(codebook.shape)} et un chemin de {steps} pas de {start.tolist()} à {end.tolist()} ; "
            "donnez au moins 2 codes de 2 nombres, deux bouts différents, et au moins 2 pas",
        )
    parts = [round(100 * place / (steps - 1)) for place in range(steps)]
    return Explorer(
        lambda part: draw_crossing(codebook, start, end, part / 100),
        part=Knob(say("part of the way (%)", "part du chemin (%)"), parts),
    )


def slopes_at(vector: Float[Tensor, " 2"], codebook: Float[Tensor, "k 2"], way: Float[Tensor, " 2"]) -> tuple[float, float]:
    """How fast the quantised vector moves along a way of length 1 while the vector does: in truth, and by the straight-through estimator.

    The first is measured by a small step to either side, the second is the gradient that comes back.
    """
    step = 1e-4 * way
    behind, ahead = (codebook[nearest_code(each, codebook)] for each in (vector - step, vector + step))
    learned = vector.clone().requires_grad_()
    quantized = codebook[nearest_code(vector, codebook)]
    (gradient,) = torch.autograd.grad(straight_through(learned, quantized) @ way, learned)
    return float((ahead - behind) @ way / 2e-4), float(gradient @ way)


def draw_crossing(codebook: Float[Tensor, "k 2"], start: Float[Tensor, " 2"], end: Float[Tensor, " 2"], part: float) -> Picture:
    """The vector at a part of its way in [0, 1], the cells of the codes, and how far its code has come, with both slopes there."""
    codebook, start, end = codebook.detach().float(), start.float(), end.float()
    length = (end - start).norm()
    way = (end - start) / length
    vector = start + part * (end - start)
    code = int(nearest_code(vector, codebook))
    true, passed_on = slopes_at(vector, codebook, way)
    figure, (plane, stairs) = plot(1, 2, width=8.6, height=3.9, margins=MARGINS)
    _draw_cells(plane, codebook, torch.stack([start, end]))
    plane.plot(*zip(start.tolist(), end.tolist(), strict=True), color=BLACK, linestyle=":", linewidth=1.2)
    arrow = {"arrowstyle": "-|>", "color": BLACK, "lw": 1.6, "shrinkA": 6, "shrinkB": 4}
    plane.annotate("", xy=codebook[code].tolist(), xytext=vector.tolist(), arrowprops=arrow)
    plane.scatter([codebook[code, 0]], [codebook[code, 1]], s=260, facecolor="none", edgecolor=VERMILION, linewidth=2.2, zorder=4)
    plane.scatter([vector[0]], [vector[1]], s=90, color=VERMILION, edgecolor="white", linewidth=1.2, zorder=5)
    plane.set_title(say(f"the vector's code: {code}", f"le code du vecteur : {code}"))
    came = _draw_stairs(stairs, codebook, start, end, part, (true, passed_on))
    written = decimal(passed_on, 0 if passed_on == round(passed_on) else 2)
    stairs.set_title(
        say(f"slope: {_said(true)} in truth, {written} passed on", f"pente : {_said(true)} en vérité, {written} au passage direct")
    )
    at, of_code = decimal(100 * part, 0), decimal(100 * came, 0)
    en = f"A vector at {at} % of its way is in the cell of code {code}, which is at {of_code} %; the true slope is {_said(true)}, "
    fr = f"Un vecteur à {at} % de son chemin est dans la cellule du code {code}, qui est à {of_code} % ; la pente vraie est {_said(true)}, "
    return picture(figure, say(f"{en}the one passed on {written}.", f"{fr}celle du passage direct {written}."), density=1.2)


def _said(slope: float) -> str:
    """A true slope: 0 within a cell, or none at all on a border."""
    return "0" if slope == 0 else say("none (a jump)", "aucune (un saut)")


def _draw_cells(axes: "Axes", codebook: Tensor, ends: Tensor) -> None:
    """Each point of the plane in the colour of its nearest code, and the codes with their numbers."""
    way = ends[1] - ends[0]
    across = torch.stack([-way[1], way[0]]) * (1.0 if way[0] >= 0 else -1.0)  # upwards
    everything = torch.cat([codebook, ends])
    middle, reach = (everything.amin(0) + everything.amax(0)) / 2, float((everything.amax(0) - everything.amin(0)).max()) * 0.62
    (low, bottom), (high, top) = (middle - reach).tolist(), (middle + reach).tolist()
    columns, rows = torch.linspace(low, high, 81), torch.linspace(bottom, top, 81)
    points = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
    distances = (points[..., None, :] - codebook).square().sum(dim=-1)
    for place in range(len(codebook)):
        others = torch.arange(len(codebook)) != place
        lead = distances[..., others].amin(dim=-1) - distances[..., place]  # above 0 in the cell of this code
        axes.contourf(columns, rows, lead, levels=[0, math.inf], colors=[COLOURS[place % len(COLOURS)]], alpha=0.25)
        axes.contour(columns, rows, lead, levels=[0], colors="grey", linewidths=0.9)
        above = float(codebook[place] @ across) >= float(ends[0] @ across)
        offset = (7, 5) if above else (7, -15)  # away from the way
        axes.annotate(
            f"{place}",
            (float(codebook[place, 0]), float(codebook[place, 1])),
            xytext=offset,
            textcoords="offset points",
            fontweight="bold",
            fontsize=12,
        )
    axes.scatter(codebook[:, 0], codebook[:, 1], s=45, marker="s", color=BLACK, zorder=3)
    axes.set(xticks=[], yticks=[], xlim=(low, high), ylim=(bottom, top))


def _draw_stairs(axes: "Axes", codebook: Tensor, start: Tensor, end: Tensor, part: float, slopes: tuple[float, float]) -> float:
    """How far the code has come while the vector moves, and both slopes where it is; returns how far it has come there."""
    parts = torch.linspace(0, 1, 1001)
    path = start + parts[:, None] * (end - start)
    codes = nearest_code(path, codebook)
    came = ((codebook[codes] - start) @ (end - start) / (end - start).square().sum()).numpy()
    for piece in np.split(np.arange(len(parts)), np.flatnonzero(np.diff(codes.numpy())) + 1):
        axes.plot(100 * parts[piece], 100 * came[piece], color=BLACK, linewidth=2)
    vector = start + part * (end - start)
    here = float((codebook[nearest_code(vector, codebook)] - start) @ (end - start) / (end - start).square().sum())
    across = np.array([part - TANGENT, part + TANGENT])
    if slopes[0] == 0:
        axes.plot(100 * across, [100 * here] * 2, color=BLUE, linewidth=2, linestyle="--", label=say("true slope", "pente vraie"))
    passed_on = 100 * (here + slopes[1] * (across - part))
    axes.plot(100 * across, passed_on, color=VERMILION, linewidth=3, label=say("straight-through slope", "pente du passage direct"))
    axes.scatter([100 * part], [100 * here], s=90, color=VERMILION, edgecolor="white", linewidth=1.2, zorder=5)
    margin = 100 * TANGENT + 4
    axes.set(xlim=(-6, 106), ylim=(100 * came.min() - margin, 100 * came.max() + margin))
    axes.set_xlabel(say("how far the vector has come (%)", "avancée du vecteur (%)"))
    axes.set_ylabel(say("how far its code has come (%)", "avancée de son code (%)"))
    legend(axes, loc="upper left")
    return here
