"""Flow matching beside diffusion: in the plane, where paths can be seen, and on digits of a given class, with fewer runs of the network."""

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.diffusion import denoiser, diffusion_loss
from dalle_edu.bricks.flow import euler, flow_matching_loss, midpoint, on_timestep_scale
from dalle_edu.bricks.noise_schedule import cosine_schedule
from dalle_edu.bricks.samplers import Step, ddim
from dalle_edu.bricks.unet import UNet, UNetConfig
from dalle_edu.classroom.demo import Demo
from dalle_edu.classroom.demos.samplers import distance_of_laws
from dalle_edu.datasets.digits import digits
from dalle_edu.language import comma, say

RUNS, FLOW_RUNS, DDIM_RUNS, PER_DIGIT, WIDTH = (2, 5, 10, 20), 10, 20, 100, 0.06
ON_DIGITS = {"flow_euler": (FLOW_RUNS,), "flow_midpoint": RUNS, "ddim": RUNS}  # the numbers of runs, for each sampler
COLOURS = {"flow_euler": "#0072B2", "flow_midpoint": "#009E73", "ddim": "#D55E00"}
MARKERS = {"flow_euler": "o", "flow_midpoint": "s", "ddim": "^"}
SCHEDULE = cosine_schedule()

Sampler = Callable[..., Tensor]  # (noise, runs of the network, callback) to pictures


def flow_loss(network: nn.Module, x0: Tensor, **options: Any) -> Tensor:
    return flow_matching_loss(on_timestep_scale(network), x0, **options)


def v_loss(network: nn.Module, x0: Tensor, **options: Any) -> Tensor:
    return diffusion_loss(network, x0, SCHEDULE, "v", **options)


def fitted(network: nn.Module, loss: Callable[[torch.Generator], Tensor], steps: int, seed: int) -> nn.Module:
    """A network that has taken `steps` updates; the rate of learning rises over the first tenth and falls to zero."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, fused=True)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(generator).backward()
        optimizer.step()
        pace.step()
    return network.eval()


def samplers_of(flow: Callable[..., Tensor], v: Callable[..., Tensor], limit: float) -> dict[str, Sampler]:
    """Three ways from noise to pictures: two with a network of velocities, one with a network of v, which is clipped at `limit`."""
    denoise = denoiser(v, SCHEDULE, "v", clip=lambda x0: x0.clamp(-limit, limit))
    return {
        "flow_euler": lambda noise, runs, callback=None: euler(flow, noise, runs, callback=callback).clamp(-limit, limit),
        "flow_midpoint": lambda noise, runs, callback=None: midpoint(flow, noise, runs, callback=callback).clamp(-limit, limit),
        "ddim": lambda noise, runs, callback=None: ddim(denoise, noise, SCHEDULE, runs, callback=callback),
    }


# ---------------------------------------------------------------- in the plane


def moons(n: int, generator: torch.Generator) -> Tensor:
    """Points of two half-circles, one inside the other; their coordinates have about the variance of noise."""
    angle, upper = math.pi * torch.rand(n, generator=generator), torch.rand(n, generator=generator) < 0.5
    x = torch.where(upper, angle.cos(), 1 - angle.cos()) - 0.5
    y = torch.where(upper, angle.sin(), 0.5 - angle.sin()) - 0.25
    return 1.3 * torch.stack([x, 1.5 * y], dim=1)


def best_picture(x: Tensor, signal: Tensor, noise: Tensor, centres: Tensor) -> Tensor:
    """The mean of what x0 may have been where x = signal * x0 + noise * eps: x0 is one of the centres, give or take `WIDTH`."""
    spread = signal**2 * WIDTH**2 + noise**2
    away = x[:, None] - signal[:, None] * centres
    likely = (-away.square().sum(dim=-1) / (2 * spread)).softmax(dim=1)
    middle = (likely[..., None] * centres).sum(dim=1)
    return middle + signal * WIDTH**2 / spread * (x - signal * middle)


def in_the_plane(seed: int, n: int = 1000) -> tuple[dict[str, Any], dict[str, float]]:
    """What is drawn, and how far the points of each sampler are from the law of the moons, by the number of runs.

    The best velocity and the best denoiser are known exactly here, so that the error is that of path and sampler.
    """
    generator = torch.Generator().manual_seed(seed)
    centres = moons(300, generator)

    def points() -> Tensor:
        return centres[torch.randint(len(centres), (n,), generator=generator)] + WIDTH * torch.randn(n, 2, generator=generator)

    def velocity(x: Tensor, t: Tensor) -> Tensor:
        return (x - best_picture(x, 1 - t[:, None], t[:, None], centres)) / t[:, None]

    def v(x: Tensor, t: Tensor) -> Tensor:
        signal, noise = SCHEDULE.rates(t, x)
        return (signal * x - best_picture(x, signal, noise, centres)) / noise

    truth, again, noise = points(), points(), torch.randn(n, 2, generator=generator)
    numbers = {"plane_distance_of_two_true_samples": distance_of_laws(truth, again)}
    drawn: dict[str, Any] = {"truth": truth, "lines": (truth[:60], noise[:60])}
    for name, sampler in samplers_of(velocity, v, 10.0).items():
        for runs in RUNS:
            numbers[f"plane_distance_{name}_at_{runs}"] = distance_of_laws(sampler(noise, runs), truth)
        path: list[Step] = []
        end = sampler(noise[:60], DDIM_RUNS, path.append)
        drawn[name] = torch.stack([*(step.x for step in path), end])
    return drawn, numbers


# ---------------------------------------------------------------- digits


def energy_distance(points: Tensor, others: Tensor) -> float:
    """How far two laws are apart (Székely & Rizzo 2013): 0 in the mean where they are one. Distances of a point to itself are left out."""

    def within(x: Tensor) -> float:
        return float(torch.cdist(x, x).sum() / (len(x) * (len(x) - 1)))

    return 2 * float(torch.cdist(points, others).mean()) - within(points) - within(others)


def distance_by_class(found: tuple[Tensor, Tensor], real: tuple[Tensor, Tensor]) -> float:
    """The energy distance of the pictures of each class, in the mean over the ten classes."""
    return sum(energy_distance(*(pictures[labels == digit].flatten(1) for pictures, labels in (found, real))) for digit in range(10)) / 10


def on_digits(seed: int, steps: int) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Two thirds of the digits teach both networks; the others teach the classifier, and are those that pictures are compared with."""
    from sklearn.svm import SVC

    images, labels = digits(8)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    seen, other = order[: 2 * len(order) // 3], order[2 * len(order) // 3 :]
    judge = SVC(gamma="scale", C=10).fit(images[other].flatten(1), labels[other])
    classes = F.one_hot(labels, 10).float()

    def trained(loss: Callable[..., Tensor]) -> nn.Module:
        torch.manual_seed(seed)
        network = UNet(UNetConfig(1, 1, 1, (24, 48), depth=1, attention_levels=(1,), heads=2, pooled_width=10))

        def on_a_batch(generator: torch.Generator) -> Tensor:
            chosen = seen[torch.randint(len(seen), (64,), generator=generator)]
            return loss(network, images[chosen], generator=generator, pooled=classes[chosen])

        return fitted(network, on_a_batch, steps, seed)

    wanted = torch.arange(10).repeat(PER_DIGIT)
    flow, v = (partial(trained(loss), pooled=F.one_hot(wanted, 10).float()) for loss in (flow_loss, v_loss))
    noise = torch.randn(len(wanted), 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    numbers = {
        "samples": float(len(wanted)),
        "judge_error_on_real_digits": 1 - float(judge.score(images[seen].flatten(1), labels[seen])),
        "distance_of_real_digits": distance_by_class((images[seen], labels[seen]), (images[other], labels[other])),
    }
    found = {}
    for name, sampler in samplers_of(on_timestep_scale(flow), v, 1.0).items():
        for runs in ON_DIGITS[name]:
            drawn = found[f"{name}_at_{runs}"] = sampler(noise, runs)
            numbers[f"error_{name}_at_{runs}"] = 1 - float(judge.score(drawn.flatten(1), wanted))
            numbers[f"distance_{name}_at_{runs}"] = distance_by_class((drawn, wanted), (images[other], labels[other]))
    return found, numbers


# ---------------------------------------------------------------- both


def demo(seed: int = 0, steps: int = 400) -> Demo:
    """Sample in the plane; train twice on digits, with the same data, network and number of updates for flow matching and for diffusion."""
    started = time.process_time()
    plane, numbers = in_the_plane(seed)
    found, of_digits = on_digits(seed, steps)
    numbers |= of_digits | {"steps": float(steps), "cpu_seconds": time.process_time() - started}
    return Demo(_figure(plane, found, numbers), numbers, *_finding(numbers))


def _finding(numbers: dict[str, float]) -> tuple[str, str]:
    """In English and in French. The share misread alone would mislead: in two runs DDIM's digits are all alike, and well read."""
    count, names = int(numbers["samples"]), (f"flow_midpoint_at_{FLOW_RUNS}", f"ddim_at_{DDIM_RUNS}", "ddim_at_2")
    near = [numbers[f"distance_{name}"] for name in names]
    wrong = [numbers[f"error_{name}"] for name in names]
    chance = 196 * math.sqrt(max(wrong[:2]) * (1 - max(wrong[:2])) / count)  # half of a 95% interval, in points
    misread = [100 * share for share in (*wrong, numbers["judge_error_on_real_digits"])]
    return (
        f"In {FLOW_RUNS} runs of its network the flow draws {count:,} digits at a distance of {near[0]:.3f} from real ones; "
        f"in {DDIM_RUNS}, DDIM is at {near[1]:.3f}. {misread[0]:.1f}% and {misread[1]:.1f}% are misread (±{chance:.1f}; "
        f"of real digits, {misread[3]:.1f}%). In 2 runs DDIM has {misread[2]:.1f}% misread, "
        f"but at {near[2]:.3f}: average digits are easy to read.",
        f"En {FLOW_RUNS} passages dans son réseau, le flot dessine {_french(count)} chiffres à une distance de {comma(near[0], 3)} "
        f"des vrais ; en {DDIM_RUNS}, DDIM est à {comma(near[1], 3)}. {comma(misread[0], 1)} % et {comma(misread[1], 1)} % sont mal lus "
        f"(± {comma(chance, 1)} ; des vrais chiffres, {comma(misread[3], 1)} %). En 2 passages, DDIM n'a que {comma(misread[2], 1)} % "
        f"de mal lus, mais à {comma(near[2], 3)} : des chiffres moyens se lisent bien.",
    )


def _french(count: int) -> str:
    return f"{count:,}".replace(",", "\u202f")


def alt_text(numbers: dict[str, float]) -> str:
    """What the figure shows, in the reader's language, for readers who listen."""
    first, last = (numbers[f"plane_distance_{name}_at_{FLOW_RUNS}"] for name in ("flow_midpoint", "ddim"))
    one, other = (numbers[f"distance_{name}_at_{FLOW_RUNS}"] for name in ("flow_midpoint", "ddim"))
    return say(
        "Six pictures. Above, the plane: sixty straight grey lines from noise to two moons, which cross; the paths of the flow, which "
        "follow the mean velocity, so that they bend where lines cross and do not cross themselves; the paths of DDIM. "
        f"After {FLOW_RUNS} runs the flow's midpoint is {first:.2f} from the moons and DDIM {last:.2f}. "
        f"Below: sheets of digits drawn by the flow in {FLOW_RUNS} runs and by DDIM in {DDIM_RUNS}, which look alike, and curves of the "
        f"distance to real digits by the number of runs: at {FLOW_RUNS}, {one:.2f} for the flow's midpoint and {other:.2f} for DDIM.",
        "Six images. En haut, le plan : soixante droites grises du bruit à deux lunes, qui se croisent ; les chemins du flot, qui suivent "
        "la vitesse moyenne, et donc tournent là où les droites se croisent sans se croiser eux-mêmes ; ceux de DDIM. "
        f"Après {FLOW_RUNS} passages, le point milieu du flot est à {comma(first, 2)} des lunes et DDIM à {comma(last, 2)}. "
        f"En bas : des planches de chiffres dessinés par le flot en {FLOW_RUNS} passages et par DDIM en {DDIM_RUNS}, qui se ressemblent, "
        "et les courbes de la distance aux vrais chiffres selon le nombre de passages : "
        f"à {FLOW_RUNS}, {comma(one, 2)} pour le point milieu du flot et {comma(other, 2)} pour DDIM.",
    )


def _figure(plane: dict[str, Any], found: dict[str, Tensor], numbers: dict[str, float]):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 8.6), layout="constrained")
    top, bottom = cast("Any", figure.subfigures(2, 1, height_ratios=[1, 1.05]))
    lines, flowing, turning = top.subplots(1, 3)
    ends, starts = plane["lines"]
    both = torch.stack([starts, ends])
    lines.plot(both[..., 0], both[..., 1], color="#999999", linewidth=0.8, alpha=0.7)
    lines.set_title(say("training: straight lines", "entraînement : des droites"), fontsize=13)
    for axis, name, title in (
        (flowing, "flow_euler", say(f"the flow, {DDIM_RUNS} runs", f"le flot, {DDIM_RUNS} passages")),
        (turning, "ddim", say(f"DDIM, {DDIM_RUNS} runs", f"DDIM, {DDIM_RUNS} passages")),
    ):
        axis.plot(plane[name][..., 0], plane[name][..., 1], color=COLOURS[name], linewidth=0.8, alpha=0.7)
        axis.set_title(title, fontsize=13)
    for axis, path in ((lines, both), (flowing, plane["flow_euler"]), (turning, plane["ddim"])):
        axis.scatter(*plane["truth"][::5].T, s=3, color="#cccccc", zorder=0)
        axis.scatter(*path[0].T, s=9, facecolor="white", edgecolor="black", linewidth=0.6, zorder=3)
        axis.scatter(*path[-1].T, s=12, color="black", zorder=3)
        axis.set(xlim=(-3, 3), ylim=(-2.6, 2.6), xticks=[], yticks=[], aspect="equal")
    sheets = bottom.subplots(1, 3, width_ratios=[1, 1, 1.25])
    for axis, name, runs, title in (
        (sheets[0], "flow_midpoint", FLOW_RUNS, say("flow (midpoint)", "flot (point milieu)")),
        (sheets[1], "ddim", DDIM_RUNS, "DDIM"),
    ):
        drawn = found[f"{name}_at_{runs}"].view(-1, 10, 8, 8)
        rows = [torch.cat([F.pad(picture, (0, 1, 0, 1), value=1.0) for picture in drawn[:8, digit]], dim=1) for digit in range(10)]
        axis.imshow(torch.cat(rows), cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
        error = 100 * numbers[f"error_{name}_at_{runs}"]
        axis.set_title(
            say(f"{title}, {runs} runs\n{error:.1f}% errors", f"{title}, {runs} passages\n{comma(error, 1)} % d'erreurs"), fontsize=13
        )
        axis.set(xticks=[])
        axis.set_yticks([9 * digit + 4 for digit in range(10)], [str(digit) for digit in range(10)], fontsize=11)
    sheets[0].set_ylabel(say("digit asked for", "chiffre demandé"), fontsize=12)
    names = {"flow_euler": say("flow, Euler", "flot, Euler"), "flow_midpoint": say("flow, midpoint", "flot, point milieu"), "ddim": "DDIM"}
    for name, label in names.items():
        values = [numbers[f"distance_{name}_at_{runs}"] for runs in ON_DIGITS[name]]
        sheets[2].plot(ON_DIGITS[name], values, MARKERS[name] + "-", color=COLOURS[name], linewidth=2, label=label)
    sheets[2].set_xscale("log")
    sheets[2].set_xticks(RUNS, [str(runs) for runs in RUNS], fontsize=12)
    sheets[2].minorticks_off()
    sheets[2].set_ylim(bottom=0)
    sheets[2].set_xlabel(say("runs of the network", "passages dans le réseau"), fontsize=12)
    sheets[2].set_title(say("distance to real digits", "distance aux vrais chiffres"), fontsize=13)
    sheets[2].legend(frameon=False, fontsize=12)
    sheets[2].spines[["top", "right"]].set_visible(False)
    return figure
