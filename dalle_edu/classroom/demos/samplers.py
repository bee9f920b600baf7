"""Three samplers on a distribution whose best denoiser is known exactly, so that the error measured is theirs alone."""

import math
import time
from typing import Any, cast

import torch
from torch import Tensor

from dalle_edu.bricks.diffusion import Denoiser
from dalle_edu.bricks.noise_schedule import NoiseSchedule, cosine_schedule
from dalle_edu.bricks.samplers import Step, ddim, ddpm, dpm_solver
from dalle_edu.classroom.demo import Demo
from dalle_edu.language import comma, say

SAMPLERS = {"DDPM": ddpm, "DDIM": ddim, "DPM-Solver++(2M)": dpm_solver}
COLOURS = {"DDPM": "#D55E00", "DDIM": "#0072B2", "DPM-Solver++(2M)": "#009E73"}
MARKERS = {"DDPM": "o", "DDIM": "^", "DPM-Solver++(2M)": "s"}
STEPS, WIDTH = (5, 10, 20, 40, 80, 160), 0.2


def centres() -> Tensor:
    """Eight small clouds on a circle of radius 1."""
    angles = torch.arange(8, dtype=torch.float64) * math.pi / 4
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def best_denoiser(schedule: NoiseSchedule) -> Denoiser:
    """The mean of what x_0 may have been: a mixture over the clouds, each as likely as the noisy point says."""

    def denoise(x_t: Tensor, t: Tensor) -> Tensor:
        signal, noise = schedule.rates(t, x_t)
        spread = signal**2 * WIDTH**2 + noise**2
        away = x_t[:, None] - signal[:, None] * centres()
        likely = (-away.square().sum(dim=-1) / (2 * spread)).softmax(dim=1)
        means = centres() + (signal * WIDTH**2 / spread)[:, None] * away
        return (likely[..., None] * means).sum(dim=1)

    return denoise


def distance_of_laws(points: Tensor, others: Tensor, directions: int = 32) -> float:
    """The sliced Wasserstein distance: how far sorted shadows on a line lie apart, in the mean over lines."""
    angles = torch.arange(directions, dtype=points.dtype) * math.pi / directions
    lines = torch.stack([angles.cos(), angles.sin()])
    return float(((points @ lines).sort(dim=0).values - (others @ lines).sort(dim=0).values).abs().mean())


def eighth_turns(points: Tensor) -> Tensor:
    """All eight turns of each point. Noise and clouds look the same after an eighth of a turn, so this removes most of the chance."""
    angles = torch.arange(8, dtype=points.dtype) * math.pi / 4
    turns = torch.stack([torch.stack([angles.cos(), -angles.sin()], dim=1), torch.stack([angles.sin(), angles.cos()], dim=1)], dim=1)
    return torch.cat(list(points @ turns))


def demo(seed: int = 0, n: int = 1000) -> Demo:
    """Sample the clouds with few and with many steps; measure the distance from the true law, and from where each noise should end."""
    started = time.process_time()
    schedule, generator = cosine_schedule(), torch.Generator().manual_seed(seed)
    denoise = best_denoiser(schedule)
    noise = eighth_turns(torch.randn(n, 2, generator=generator, dtype=torch.float64))
    truth, again = (eighth_turns(centres()[0] + WIDTH * torch.randn(n, 2, generator=generator, dtype=torch.float64)) for _ in range(2))
    exact = dpm_solver(denoise, noise, schedule, len(schedule))
    law: dict[str, list[float]] = {}
    end: dict[str, list[float]] = {"DDIM": [], "DPM-Solver++(2M)": []}
    path: dict[str, list[Step]] = {}
    numbers = {"distance_of_two_true_samples": distance_of_laws(truth, again)}
    for name, sampler in SAMPLERS.items():
        law[name], path[name] = [], []
        sampler(denoise, noise[:: n // 8], schedule, 10, torch.Generator().manual_seed(seed), path[name].append)
        for steps in STEPS:
            found = sampler(denoise, noise, schedule, steps, torch.Generator().manual_seed(seed))
            law[name].append(distance_of_laws(found, truth))
            numbers[f"{name}_law_at_{steps}"] = law[name][-1]
            if name in end:
                end[name].append(float((found - exact).norm(dim=1).mean()))
                numbers[f"{name}_end_at_{steps}"] = end[name][-1]
    numbers["cpu_seconds"] = time.process_time() - started
    first, second = (values[STEPS.index(40)] for values in end.values())
    return Demo(
        _figure(path, law, end, truth, numbers["distance_of_two_true_samples"]),
        numbers,
        f"After 40 questions, DDIM is {first:.3f} from where each noise should end and the second-order solver {second:.3f}: "
        "looking back at one answer costs nothing and saves questions.",
        f"Après 40 questions, DDIM est à {comma(first, 3)} de là où chaque bruit devrait finir, le solveur du second ordre à "
        f"{comma(second, 3)} : se souvenir d'une réponse ne coûte rien et épargne des questions.",
    )


def _figure(path: dict[str, list[Step]], law: dict[str, list[float]], end: dict[str, list[float]], truth: Tensor, floor: float):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 8), layout="constrained")
    top, bottom = cast("Any", figure.subfigures(2, 1, height_ratios=[1.1, 1]))
    for axis, name in zip(top.subplots(1, 3), SAMPLERS, strict=True):
        ways = torch.stack([step.x for step in path[name]] + [path[name][-1].x0])
        axis.scatter(*truth[::10].T, s=4, color="#bbbbbb")
        axis.plot(ways[..., 0], ways[..., 1], color=COLOURS[name], linewidth=0.8, alpha=0.6)
        axis.scatter(*ways[-1].T, s=14, color="black", zorder=3)
        axis.set_title(name + say(", 10 steps", ", 10 pas"), fontsize=13)
        axis.set(xlim=(-2.2, 2.2), ylim=(-1.7, 1.7), xticks=[], yticks=[], aspect="equal")
    left, right = bottom.subplots(1, 2)
    for axis, curves, title in (
        (left, law, say("distance from the true law", "distance à la vraie loi")),
        (right, end, say("distance from where each noise should end", "distance à la fin exacte de chaque bruit")),
    ):
        for name, values in curves.items():
            axis.loglog(STEPS, values, MARKERS[name] + "-", color=COLOURS[name], linewidth=2, label=name)
        axis.set_title(title, fontsize=13)
        axis.set_xticks(STEPS, [str(steps) for steps in STEPS], fontsize=12)
        axis.minorticks_off()
        axis.set_xlabel(say("steps: questions to the denoiser", "pas : questions au débruiteur"), fontsize=12)
        axis.spines[["top", "right"]].set_visible(False)
    left.set_yticks([0.01, 0.03, 0.1], ["0.01", "0.03", "0.1"], fontsize=12)
    right.set_yticks([0.001, 0.01, 0.1], ["0.001", "0.01", "0.1"], fontsize=12)
    left.axhline(floor, color="black", linestyle=":", label=say("two true samples", "deux vrais échantillons"))
    left.legend(frameon=False, fontsize=12)
    return figure
