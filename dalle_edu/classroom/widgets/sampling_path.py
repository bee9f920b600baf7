"""Sampling, step by step: what the sampler holds, and the clean picture that the denoiser believes in at that moment.

path = []
ddim(denoise, noise, schedule, 20, callback=path.append)
path_explorer(path, schedule)
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.bricks.noise_schedule import NoiseSchedule
from dalle_edu.bricks.samplers import Step
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import BLUE, VERMILION, Picture, picture, plot
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say

MOST_SHOWN = 10  # pictures side by side


def path_explorer(path: Sequence[Step], schedule: NoiseSchedule, start: int = 0) -> Explorer:
    """An interactive walk along a sampling path: x_t above and the belief in x_0 below, at a step that is chosen.

    `path` holds the steps that a sampler's callback was given, of up to 10 pictures (n, c, h, w) in [-1, 1], c being 1 or 3; or of points
    of the plane (n, 2), with an arrow from each to where the denoiser believes that it comes from. Step `start` is shown first. Raises
    `DalleEduError` for anything else, and for no step or more than 64. Lesson 10.
    """
    for step in path:
        _check_shape(step.x)
    return Explorer(
        lambda step: draw_step(path, schedule, step - 1),
        step=Knob(say("step", "pas"), range(1, len(path) + 1), start=start),
    )


def _check_shape(x: Tensor) -> None:
    points = x.ndim == 2 and x.shape[1] == 2
    pictures = x.ndim == 4 and len(x) <= MOST_SHOWN and x.shape[1] in (1, 3)
    if not points and not pictures:
        raise DalleEduError(
            f"the path holds {tuple(x.shape)}; give points (n, 2), or up to {MOST_SHOWN} pictures (n, c, h, w) of 1 or 3 channels",
            f"le chemin contient {tuple(x.shape)} ; donnez des points (n, 2), ou au plus {MOST_SHOWN} images (n, c, h, w) à 1 ou 3 canaux",
        )


def change_of_belief(path: Sequence[Step], index: int) -> float:
    """How far the belief at a step is from the last one: the mean absolute difference, over pictures and pixels, or coordinates."""
    return float((path[index].x0 - path[-1].x0).abs().mean())


def draw_step(path: Sequence[Step], schedule: NoiseSchedule, index: int) -> Picture:
    """One step of a path. The title says t and which part of the variance is noise, the alt text how far the belief will move."""
    step = path[index]
    noise = 100 * (1 - schedule.alpha_bar(int(step.t)))
    title = say(f"t = {step.t}: {noise:.0f} % of the variance is noise", f"t = {step.t} : {noise:.0f} % de la variance est du bruit")
    moved = change_of_belief(path, index)
    en = f"Step {index + 1} of {len(path)}, t = {step.t}: the belief below is {moved:.2f} away from the last one, in the mean."
    fr = f"Pas {index + 1} sur {len(path)}, t = {step.t} : la croyance d'en bas est à {moved:.2f} de la dernière, en moyenne."
    if step.x.ndim == 2:
        return picture(_plane(step, title), say(en.replace(" below", ""), fr.replace(" d'en bas", "")))
    width = max(4.4, 0.95 * len(step.x) + 0.4)
    height = 2 * min(1.4, (width - 0.5) / len(step.x)) + 0.6
    margins = {"left": 0.45 / width, "right": 1 - 0.05 / width, "bottom": 0.05 / height, "top": 1 - 0.4 / height, "hspace": 0.06}
    figure, rows = plot(2, 1, width=width, height=height, margins=margins)
    labels = say("state $x_t$", "état $x_t$"), say("belief $x_0$", "croyance $x_0$")
    for axes, pictures, label in zip(rows, (step.x, step.x0), labels, strict=True):
        axes.imshow(_strip(pictures).numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.set_ylabel(label)
    rows[0].set_title(title)
    return picture(figure, say(en, fr))


def _strip(pictures: Float[Tensor, "n c h w"]) -> Tensor:
    """The pictures side by side, with a white column between them, as (h, w, c) in [0, 1]."""
    shown = torch.nn.functional.pad((pictures.detach().float().cpu().clamp(-1, 1) + 1) / 2, (0, 1), value=1.0)
    strip = torch.cat(list(shown), dim=2)[..., :-1].permute(1, 2, 0)
    return strip[..., 0] if strip.shape[-1] == 1 else strip


def _plane(step: Step, title: str):
    """Points of the plane, and an arrow from each to where the denoiser believes that it comes from."""
    figure, axes = plot(width=4.8, height=4.8, margins={"left": 0.09, "bottom": 0.06, "right": 0.98, "top": 0.93})
    x, x0 = (points.detach().float().cpu().numpy() for points in (step.x, step.x0))
    axes.quiver(*x.T, *(x0 - x).T, angles="xy", scale_units="xy", scale=1, color=BLUE, alpha=0.5, width=0.005, headwidth=5)
    axes.scatter(*x.T, s=16, color=BLUE, label="$x_t$")
    axes.scatter(*x0.T, s=16, color=VERMILION, marker="x", label=say("belief in $x_0$", "croyance en $x_0$"))
    reach = 3.0
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    axes.set_title(title)
    axes.legend(frameon=False, loc="upper right")
    return figure
