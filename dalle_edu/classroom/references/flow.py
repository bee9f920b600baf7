"""Flow matching against diffusers' schedulers: the path, the times and the loss."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.classroom.checking.asking import DOUBLE, asked, double, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import say

CPU = torch.device("cpu")


def in_float64(times: list[float] | np.ndarray, kind: str = "FlowMatchEulerDiscreteScheduler") -> Any:
    """A scheduler of diffusers that goes through these times, from noise to picture, in float64; its timesteps are the times."""
    import diffusers

    scheduler: Any = getattr(diffusers, kind)()
    sigmas = torch.as_tensor(times, dtype=DOUBLE)
    scheduler.sigmas, scheduler.timesteps = sigmas, sigmas[:-1]
    if kind == "FlowMatchHeunDiscreteScheduler":
        scheduler.sigmas = torch.cat([sigmas[:1], sigmas[1:-1].repeat_interleave(2), sigmas[-1:]])
        scheduler.timesteps = scheduler.sigmas[:-1]
        scheduler.prev_derivative = scheduler.dt = None
    scheduler.set_begin_index(0)
    return scheduler


# ---------------------------------------------------------------- the path


def _mixed(x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """What diffusers' `scale_noise` makes of each picture; it wants its times in a table."""
    in_order = t.double().sort(descending=True).values.unique_consecutive()
    scheduler = in_float64([*in_order.tolist(), 0.0])
    scheduler.set_begin_index(None)
    return scheduler.scale_noise(x0, t.double(), noise)


def _batches(seed: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Pictures, noise and times: both ends, one picture and several, pictures of any shape."""
    shapes: list[tuple[tuple[int, ...], tuple[float, ...]]] = [
        ((3, 3, 4, 6), (0.25, 0.7, 0.5)),
        ((4, 6), (1.0, 0.1, 0.0, 0.1)),
        ((2, 2, 4, 5), (0.9, 0.3)),
        ((2,), (0.6, 0.2)),
    ]
    return [
        (double([1.0]), double([3.0]), double(0.5)),
        (double([2.0, 0.0]), double([0.0, 1.0]), double(0.25)),
        (double([1.0, 0.0], [0.0, 2.0]), double([1.0, -1.0], [3.0, 0.0]), double(0.0, 1.0)),
        *(
            (numbers(seed + 2 * place, *shape), numbers(seed + 2 * place + 1, *shape), double(*t))
            for place, (shape, t) in enumerate(shapes)
        ),
    ]


def _in_single(given: tuple[Tensor, ...]) -> Case:
    """That pictures in single precision stay so, whatever the precision of the times."""

    def ask(version: Any) -> list[str]:
        *pictures, t = given
        return [str(part.dtype) for part in asked(version, *(picture.float() for picture in pictures), t)]

    en, fr = "pictures in float32 and t in float64, the dtypes", "des images en float32 et t en float64, les dtypes"
    return scenario(en, fr, lambda: ["torch.float32"] * 2, ask, 60)


def _straight_path(seed: int) -> list[Case]:
    def peer(x0: Tensor, noise: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """The velocity is the derivative of `scale_noise`, which is linear in the time: the difference of both ends."""
        nothing, all_of_it = torch.zeros_like(t), torch.ones_like(t)
        return _mixed(x0, noise, t), _mixed(x0, noise, all_of_it) - _mixed(x0, noise, nothing)

    learned = [numbers(seed + place, 3, 4, gradient=True) for place in (50, 51)]
    usual = _batches(seed)
    return [*(call(peer, *batch) for batch in usual), call(peer, *learned, double(0.1, 0.5, 0.9)), _in_single(usual[3])]


def _endpoints(seed: int) -> list[Case]:
    def peer(velocity: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """One step of diffusers' Euler from t all the way to 0, and one to 1."""

        def gone(end: float) -> Tensor:
            rows = zip(velocity, x_t, t.tolist(), strict=True)
            return torch.stack([in_float64([now, end]).step(u, torch.tensor(now), x).prev_sample for u, x, now in rows])

        return gone(0.0), gone(1.0)

    learned = [numbers(seed + place, 3, 4, gradient=True) for place in (50, 51)]
    usual = _batches(seed)
    return [*(call(peer, *batch) for batch in usual), call(peer, *learned, double(0.1, 0.5, 0.9)), _in_single(usual[3])]


# ---------------------------------------------------------------- times


def _uniform_times(seed: int) -> list[Case]:
    """By their law: which n-th part each time is in, in order; that each place gets any part; that a part's times are spread over it."""
    names = say("parts, in order", "parts, dans l'ordre"), say("each place gets any", "chaque place en reçoit toutes")
    spread = say("spread over a part", "répartis dans une part")

    def case(n: int, tries: int) -> Case:
        def described(draws: list[Tensor]) -> dict[str, Any]:
            from scipy import stats

            drawn = torch.stack(draws).double()
            within = (drawn.sort(dim=1).values * n) % 1
            means = drawn.mean(dim=0)
            return {
                names[0]: [(row.sort().values * n).floor().clamp(max=n - 1).tolist() for row in drawn[:3]],
                names[1]: bool((means - 0.5).abs().max() < 6 / math.sqrt(12 * tries)),
                spread: bool(stats.kstest(within.flatten().numpy(), "uniform").pvalue > 1e-6),
                "dtype": [str(draws[0].dtype), list(draws[0].shape)],
            }

        def ask(version: Any) -> dict[str, Any]:
            return described([version(n, torch.Generator().manual_seed(seed + place), CPU) for place in range(tries)])

        def peer() -> dict[str, Any]:
            from scipy.stats import qmc

            table = qmc.LatinHypercube(d=tries, rng=np.random.default_rng(seed)).random(n)
            return described(list(torch.tensor(table, dtype=torch.float32).T))

        return scenario(f"{n} times", f"{n} instants", peer, ask, n)

    return [case(1, 300), case(4, 300), case(30 + seed % 9, 200)]


def _logit_normal_times(seed: int) -> list[Case]:
    def peer(n: int, generator: torch.Generator | None, device: torch.device, mean: float = 0.0, std: float = 1.0) -> Tensor:
        from diffusers.training_utils import compute_density_for_timestep_sampling

        return compute_density_for_timestep_sampling("logit_normal", n, mean, std, device=device, generator=generator)

    def generator(place: int) -> torch.Generator:
        return torch.Generator().manual_seed(seed + place)

    settings: list[tuple[int, dict[str, float]]] = [
        (1, {}),
        (5, {}),
        (6, {"mean": -0.5}),
        (7, {"std": 0.3}),
        (40, {"mean": 1.0, "std": 2.0}),
    ]
    return [
        call(peer, n, generator(place), CPU, may_change=("generator",), **options) for place, (n, options) in enumerate(settings, start=1)
    ]


# ---------------------------------------------------------------- the loss


class _Seer:
    """A network that knows the pictures, and so the velocity, but for an error that depends on time, on the pixel and on a condition."""

    def __init__(self, x0: Tensor):
        self.x0, self.asked_at, self.noise = x0, list[Tensor](), list[Tensor]()

    def __call__(self, x_t: Tensor, t: Tensor, shift: Tensor | None = None) -> Tensor:
        part = t.to(x_t.dtype).view(-1, *[1] * (x_t.ndim - 1))
        noise = (x_t - (1 - part) * self.x0) / part
        self.asked_at.append(t)
        self.noise.append(noise)
        return noise - self.x0 + self.error(t) + (0 if shift is None else shift)

    def error(self, t: Tensor) -> Tensor:
        pattern = torch.linspace(-1, 2, self.x0[0].numel(), dtype=DOUBLE).view(self.x0[0].shape)
        return (1 + t.double()).view(-1, *[1] * (self.x0.ndim - 1)) * pattern


def _losses(shape: tuple[int, ...], fixed: tuple[float, ...] | None, shifted: bool, seed: int) -> Case:
    """The loss at times that are given, or that it draws; and what the network was shown."""
    x0, n = numbers(seed, *shape), shape[0]
    shift = 0.3 + 0.1 * torch.arange(n, dtype=DOUBLE).view(-1, *[1] * (len(shape) - 1))
    names = say("loss", "perte"), say("t", "t"), say("normal noise", "bruit normal")
    by_seed = say("its generator draws", "c'est son générateur qui tire")

    def at(n: int, generator: torch.Generator | None, device: torch.device) -> Tensor:
        return double(*(fixed or ()))

    def in_parts(t: Tensor) -> Tensor:
        return t if fixed else (t.double().sort().values * len(t)).floor().clamp(max=len(t) - 1)

    def ask(version: Any) -> dict[str, Any]:
        seer, given = _Seer(x0), shift.clone().requires_grad_()
        options: dict[str, Any] = ({"shift": given} if shifted else {}) | ({"times": at} if fixed else {})

        def drawn(x0: Tensor, other: int = 0) -> Tensor:
            return version(seer, x0, generator=torch.Generator().manual_seed(seed + other), **options)

        found = asked(drawn, x0)
        t, noise = torch.cat(seer.asked_at), torch.cat(seer.noise)
        draws = [noise]
        for other in (0, 1):
            seer.noise.clear()
            drawn(x0.clone(), other)
            draws.append(torch.cat(seer.noise))
        slope = torch.autograd.grad(found, given)[0] if shifted and found.requires_grad else torch.zeros_like(shift)
        wanted = F.mse_loss(seer.error(t) + (shift if shifted else 0), torch.zeros_like(x0))
        many = noise.numel() > 1000
        normal = not many or bool(abs(noise.mean()) < 0.2 and abs(noise.std() - 1) < 0.15 and abs((noise**4).mean() - 3) < 1.5)
        apart = n == 1 or not torch.allclose(noise[0], noise[1])
        return {
            names[0]: [found.detach(), slope] if fixed else [found.detach() - wanted],
            names[1]: in_parts(t),
            names[2]: normal and apart,
            by_seed: torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2]),
        }

    def peer() -> dict[str, Any]:
        if not fixed:
            return {names[0]: [double(0.0)[0]], names[1]: torch.arange(n).double(), names[2]: True, by_seed: True}
        t, given = double(*fixed), shift.clone().requires_grad_()
        noise = numbers(seed + 2, *shape)
        answer = _Seer(x0)(_mixed(x0, noise, t), t, given if shifted else None)
        loss = F.mse_loss(answer, _mixed(x0, noise, torch.ones_like(t)) - _mixed(x0, noise, torch.zeros_like(t)))
        slope = torch.autograd.grad(loss, given)[0] if shifted else torch.zeros_like(shift)
        return {names[0]: [loss.detach(), slope], names[1]: t, names[2]: True, by_seed: True}

    size = " × ".join(map(str, shape))
    said = ["times given" if fixed else "times left out", *(["a condition"] if shifted else [])]
    dits = ["times donné" if fixed else "times omis", *(["une condition"] if shifted else [])]
    return scenario(
        ", ".join([f"pictures of {size}", *said]), ", ".join([f"des images de {size}", *dits]), peer, ask, x0.numel() + 1000 * (not fixed)
    )


def _flow_matching_loss(seed: int) -> list[Case]:
    times = (0.2, 0.9, 0.5, 0.7)
    return [
        _losses((1, 1), (0.5,), False, seed),
        _losses((2, 3), (0.25, 1.0), False, seed + 1),
        _losses((4, 2), times, True, seed + 2),
        _losses((4, 3, 2, 5), times, True, seed + 3),
        _losses((40, 3, 4, 4), tuple((place + 1) / 40 for place in range(40)), False, seed + 4),
        _losses((4, 2), None, False, seed + 5),
        _losses((64, 3, 4, 4), None, True, seed + 6),
    ]


def _heard(x_t: Tensor, t: Tensor, **conditions: Tensor) -> Tensor:
    """A network whose answer says what it was given."""
    answer = x_t.sin() * (t.view(-1, *[1] * (x_t.ndim - 1)) / 7).cos()
    for place, name in enumerate(sorted(conditions), start=1):
        answer = answer + place * conditions[name]
    return answer


def _on_timestep_scale(seed: int) -> list[Case]:
    """diffusers tells its networks these timesteps for these times."""

    def case(shape: tuple[int, ...], steps: int, timesteps: int | None, told: bool, place: int) -> Case:
        x_t = numbers(seed + place, *shape)
        shift = numbers(seed + place + 1, shape[0], *[1] * (len(shape) - 1))
        conditions = {"shift": shift, "other": 2 * shift} if told else {}
        options = {} if timesteps is None else {"timesteps": timesteps}

        def each(network: Callable[..., Tensor], times: Tensor) -> list[Tensor]:
            whole = torch.linspace(0.1, 0.9, shape[0]) if steps > 1 else torch.full((shape[0],), 0.25)
            moments = [*(t.expand(shape[0]) for t in times), whole.double() * (times[0] if len(times) else 1.0)]
            return [asked(network, x_t, t.double(), **conditions) for t in moments]

        def ask(version: Any) -> list[Tensor]:
            return each(asked(version, _heard, **options), torch.linspace(1, 1 / steps, steps, dtype=DOUBLE))

        def peer() -> list[Tensor]:
            import diffusers

            scheduler: Any = diffusers.FlowMatchEulerDiscreteScheduler(timesteps or 1000)
            scheduler.set_timesteps(sigmas=np.linspace(1, 1 / steps, steps))
            ratio = scheduler.timesteps.double() / scheduler.sigmas[:-1].double()
            times = torch.linspace(1, 1 / steps, steps, dtype=DOUBLE)
            return each(lambda x_t, t, **rest: _heard(x_t, t * ratio[0].round(), **rest), times)

        size = " × ".join(map(str, shape))
        scale = say("timesteps left out", "timesteps omis") if timesteps is None else f"timesteps = {timesteps}"
        en = f"x_t of {size}, {scale}" + (", conditions" if told else "")
        return scenario(en, f"x_t de {size}, {scale}" + (", des conditions" if told else ""), peer, ask, x_t.numel() * steps)

    return [
        case((1, 1), 1, 10, False, 1),
        case((2, 3), 1, None, False, 3),
        case((3, 2), 4, 50, False, 5),
        case((2, 2, 3, 4), 5, None, True, 7),
        case((2, 4), 3, 7, True, 9),
    ]


REFERENCES = [
    Reference("flow:straight_path", "diffusers.FlowMatchEulerDiscreteScheduler.scale_noise", cases=_straight_path, tolerance=1e-6),
    Reference("flow:endpoints", "diffusers.FlowMatchEulerDiscreteScheduler.step", cases=_endpoints, tolerance=1e-5),
    Reference("flow:uniform_times", "scipy.stats.qmc.LatinHypercube", cases=_uniform_times, tolerance=0.0),
    Reference(
        "flow:logit_normal_times",
        "diffusers.training_utils.compute_density_for_timestep_sampling",
        cases=_logit_normal_times,
        tolerance=1e-6,
    ),
    Reference(
        "flow:flow_matching_loss",
        say("torch.nn.functional.mse_loss on diffusers' path", "torch.nn.functional.mse_loss sur le chemin de diffusers"),
        cases=_flow_matching_loss,
        tolerance=1e-6,
    ),
    Reference("flow:on_timestep_scale", "diffusers.FlowMatchEulerDiscreteScheduler.timesteps", cases=_on_timestep_scale, tolerance=1e-6),
]
