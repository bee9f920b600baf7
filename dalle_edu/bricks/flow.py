"""Flow matching: learn the velocity along straight lines from noise to pictures.

Diffusion mixes a picture with noise along an arc. Here the mixture goes along a
straight line, at constant speed, and a network learns that velocity. Sampling
follows it from noise to a picture, which is an ordinary differential equation. Many
lines cross, the network learns their mean, and so the paths of sampling bend; the
straighter they are, the fewer steps they need. It is the conditional
optimal-transport path of Lipman et al. (2023), rectified flow (Liu et al. 2023) and
a stochastic interpolant (Albergo & Vanden-Eijnden 2023).

Time t is a real number, and its direction is that of diffusion: 0 is the clean
picture x0, 1 is noise, and sampling goes from 1 down to 0 (as in Esser et al. 2024,
Stable Diffusion 3). The first three papers count the other way: their t is 1 - t
here, their x_0 is the noise, and their velocity has the opposite sign.

A network is called as `network(x_t, t, **conditions)`, with one t for each picture,
and predicts the velocity. A velocity and the target "v" of `diffusion.py` say the
same: with c = sqrt((1 - t)² + t²), x_t / c is a noisy picture of diffusion, of
signal rate (1 - t) / c, and v = c * velocity + (1 - 2t) * x_t / c. Guidance is
`guidance.guided`, unchanged: at a given (x_t, t) the velocity too is a linear
function of the clean picture. Lesson 10.

Letters: n pictures of any shape `*s`.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.bricks.guidance import Network
from dalle_edu.bricks.noise_schedule import beside
from dalle_edu.bricks.samplers import Callback, Step
from dalle_edu.errors import DalleEduError

Times = Callable[[int, torch.Generator | None, torch.device], Tensor]

# ---------------------------------------------------------------- the straight path


def straight_path(
    x0: Float[Tensor, "n *s"],
    noise: Float[Tensor, "n *s"],
    t: Float[Tensor, " n"],
) -> tuple[Float[Tensor, "n *s"], Float[Tensor, "n *s"]]:
    """The point x_t of the straight line from picture to noise, and its velocity.

    x_t = (1 - t) x0 + t noise, and the velocity d x_t / dt = noise - x0 is the same
    at every t (Lipman et al. 2023, section 4.1, example II, with sigma_min = 0; Liu
    et al. 2023, equation 1). `noise` is standard normal. Raises `DalleEduError` for
    noise of another shape, and unless `t` holds one real number from 0 to 1 for
    each picture; on another device than the CPU its values are not checked.
    """
    if noise.shape != x0.shape:
        raise DalleEduError(
            f"the noise has the shape {tuple(noise.shape)} and the pictures "
            f"{tuple(x0.shape)}; every number wants noise of its own",
            f"le bruit a la forme {tuple(noise.shape)} et les images "
            f"{tuple(x0.shape)} ; chaque nombre veut son propre bruit",
        )
    part = _part_of_noise(t, x0)
    return (1 - part) * x0 + part * noise, noise - x0


def endpoints(
    velocity: Float[Tensor, "n *s"],
    x_t: Float[Tensor, "n *s"],
    t: Float[Tensor, " n"],
) -> tuple[Float[Tensor, "n *s"], Float[Tensor, "n *s"]]:
    """Both ends of the line through x_t with this velocity: picture and noise.

    Those of a predicted velocity are the picture and the noise that the network
    believes in. Nothing is divided: unlike "eps" and "x0", a velocity says both at
    every t, 0 and 1 included. Raises `DalleEduError` for a `t` that `straight_path`
    would refuse.
    """
    part = _part_of_noise(t, x_t)
    return x_t - part * velocity, x_t + (1 - part) * velocity


def _part_of_noise(t: Tensor, x: Float[Tensor, "n *s"]) -> Tensor:
    """The times of n pictures, in the dtype of `x` and a shape that multiplies it.

    Raises `DalleEduError` for times that are not real, one each, or not in [0, 1].
    """
    right = t.shape == x.shape[:1] and t.is_floating_point()
    # reading values from a GPU would make the program wait for it
    if right and t.device.type == "cpu":
        right = bool(((t >= 0) & (t <= 1)).all())
    if not right:
        kind = f"{str(t.dtype).removeprefix('torch.')} {tuple(t.shape)}"
        raise DalleEduError(
            f"t is {kind}; each of {len(x)} pictures wants a real number from 0 "
            "(clean) to 1 (noise); divide timesteps by their number",
            f"t est {kind} ; chacune des {len(x)} images veut un nombre réel de 0 "
            "(nette) à 1 (bruit) ; divisez les instants par leur nombre",
        )
    return beside(t, x).to(x.dtype)


# --------------------------------------------------------------- times for training


def uniform_times(
    n: int, generator: torch.Generator | None, device: torch.device
) -> Float[Tensor, " n"]:
    """A time in [0, 1] for each of n pictures, all as likely, in float32.

    They are stratified: [0, 1] is cut into n equal parts, and each part gives its
    time to one picture at random (Kingma et al. 2021, appendix I.1), so that the
    loss varies less than with n independent times.
    """
    parts = torch.randperm(n, generator=generator, device=device)
    within = torch.rand(n, generator=generator, device=device, dtype=torch.float32)
    return (parts + within) / n


def logit_normal_times(
    n: int,
    generator: torch.Generator | None,
    device: torch.device,
    mean: float = 0.0,
    std: float = 1.0,
) -> Float[Tensor, " n"]:
    """A time in [0, 1] for each of n pictures, mostly from the middle, in float32.

    The logit of t, log(t / (1 - t)), is normal (Esser et al. 2024, section 3.1). At
    both ends the best velocity is simple: at 1 it is x_t less the mean picture, at
    0 it is -x_t. Between them the network has more to learn. A `mean` above 0
    favours noise. Raises `DalleEduError` for an `std` that is not
    positive.
    """
    if not std > 0:
        raise DalleEduError(
            f"std is {std:g}; give a positive number, such as 1",
            f"std vaut {std:g} ; donnez un nombre positif, comme 1",
        )
    normal = torch.randn(n, generator=generator, device=device, dtype=torch.float32)
    return (mean + std * normal).sigmoid()


# ------------------------------------------------------------------------- the loss


def flow_matching_loss(
    network: Network,
    x0: Float[Tensor, "n *s"],
    times: Times = uniform_times,
    generator: torch.Generator | None = None,
    **conditions: Tensor,
) -> Float[Tensor, ""]:
    """The mean squared error of a network's velocity at random times.

    Each picture is paired with noise of its own. Many lines cross at one (x_t, t),
    and the best answer is the mean of their velocities, which carries noise to
    pictures as a whole (Lipman et al. 2023, theorem 2 and equation 23). `times` is
    `uniform_times`, `logit_normal_times` or another function of theirs: which times
    are frequent says which count. `conditions` go to the network unchanged.
    `generator` gives the times and standard normal noise, and must live on
    the device of `x0`. Raises `DalleEduError` for a network that answers with
    another shape.
    """
    t = times(len(x0), generator, x0.device)
    noise = torch.empty_like(x0).normal_(generator=generator)
    x_t, velocity = straight_path(x0, noise, t)
    prediction = network(x_t, t, **conditions)
    _check_shape(prediction, x_t)
    return (prediction - velocity).square().mean()


def on_timestep_scale(network: Network, timesteps: int = 1000) -> Network:
    """A network that is asked at t in [0, 1], and hears `timesteps` times t.

    The sinusoidal embedding of a U-Net is made for timesteps from 0 to about 1,000;
    to it all of [0, 1] is nearly one timestep, and the network could not tell noise
    from a picture. Wrap it in training and in sampling alike. Raises
    `DalleEduError` unless `timesteps` is positive.
    """
    if timesteps <= 0:
        raise DalleEduError(
            f"timesteps is {timesteps}; give a positive number, such as 1000",
            f"timesteps vaut {timesteps} ; donnez un nombre positif, comme 1000",
        )

    def rescaled(x_t: Tensor, t: Tensor, **conditions: Tensor) -> Tensor:
        return network(x_t, timesteps * t, **conditions)

    return rescaled


def _check_shape(velocity: Tensor, x: Tensor) -> None:
    """Raise `DalleEduError` for a velocity of another shape than its picture."""
    if velocity.shape != x.shape:
        raise DalleEduError(
            f"the network was given {tuple(x.shape)} and answered "
            f"{tuple(velocity.shape)}; it must return a velocity of the same shape",
            f"le réseau a reçu {tuple(x.shape)} et répondu "
            f"{tuple(velocity.shape)} ; il doit rendre une vitesse de même forme",
        )


# ------------------------------------------------------------------------- samplers
#
# They are called as those of `samplers.py`, without a schedule:
#
#     sampler(network, noise, steps, generator, callback, shift)
#
# `steps` is how many times the network runs. No noise is added on the way, so
# `generator` is not used. `callback` is called with a `Step` after each run: its t
# is the time, and its x0 the end of the line that the velocity shows.


def spaced_times(strides: int, shift: float = 1.0) -> list[float]:
    """`strides` + 1 times, from 1 (noise) down to 0 (picture).

    They are evenly spaced for a `shift` of 1. Others multiply the noise-to-signal
    ratio t / (1 - t) by `shift`, as `noise_schedule.shifted` does: above 1, more of
    the times are noisy, where large pictures are decided (Esser et al. 2024,
    equation 23). Raises `DalleEduError` unless there is at least one stride and the
    shift is positive.
    """
    _check_spacing(strides, shift)
    even = [1 - stride / strides for stride in range(strides + 1)]
    return [shift * t / (1 + (shift - 1) * t) for t in even]


def _check_spacing(steps: int, shift: float) -> None:
    """Raise `DalleEduError` unless `steps` is at least 1 and `shift` positive."""
    if steps < 1 or not 0 < shift < math.inf:
        raise DalleEduError(
            f"{steps} steps with a shift of {shift:g}; ask for at least 1 step, "
            "and a positive shift (1: evenly spaced)",
            f"{steps} pas avec un décalage de {shift:g} ; demandez au moins 1 pas, "
            "et un décalage positif (1 : pas égaux)",
        )


def _velocity(
    network: Network,
    x: Float[Tensor, "n *s"],
    t: float,
    index: int,
    steps: int,
    callback: Callback | None,
) -> Float[Tensor, "n *s"]:
    """The network's velocity at one time, in run `index`, shown to the callback.

    Raises `DalleEduError` when it is of another shape than `x`.
    """
    # half precision would round t; float64 comes with x alone, as Metal has none
    dtype = torch.promote_types(x.dtype, torch.float32)
    at = torch.full((len(x),), t, dtype=dtype, device=x.device)
    velocity = network(x, at)
    _check_shape(velocity, x)
    if callback is not None:
        callback(Step(index, steps, t, x, endpoints(velocity, x, at)[0]))
    return velocity


@torch.no_grad()
def euler(
    network: Network,
    noise: Float[Tensor, "n *s"],
    steps: int = 50,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
    shift: float = 1.0,
) -> Float[Tensor, "n *s"]:
    """Euler's method: walk straight on with the velocity, look again, walk on.

    It is of first order: twice the steps halve the error. A step gives the same as
    mixing the picture and the noise of `endpoints` again, with less noise, which is
    how DDIM moves. Raises `DalleEduError` for impossible steps or shift, and for a
    velocity of another shape.
    """
    x = noise
    for index, (now, then) in enumerate(pairwise(spaced_times(steps, shift))):
        x = x + (then - now) * _velocity(network, x, now, index, steps, callback)
    return x


@torch.no_grad()
def midpoint(
    network: Network,
    noise: Float[Tensor, "n *s"],
    steps: int = 20,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
    shift: float = 1.0,
) -> Float[Tensor, "n *s"]:
    """The midpoint method: try half a stride, walk it whole with what it shows.

    It is of second order: twice the steps quarter the error (Runge 1895). A stride
    runs the network twice; where `steps` is odd, the last one is Euler's. Raises
    `DalleEduError` for impossible steps or shift, and for a velocity of another
    shape.
    """
    _check_spacing(steps, shift)
    x, times = noise, spaced_times((steps + 1) // 2, shift)
    for stride, (now, then) in enumerate(pairwise(times)):
        velocity = _velocity(network, x, now, 2 * stride, steps, callback)
        if 2 * stride + 1 < steps:
            half = (now + then) / 2
            tried = x + (half - now) * velocity
            velocity = _velocity(
                network, tried, half, 2 * stride + 1, steps, callback
            )
        x = x + (then - now) * velocity
    return x


@torch.no_grad()
def heun(
    network: Network,
    noise: Float[Tensor, "n *s"],
    steps: int = 20,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
    shift: float = 1.0,
) -> Float[Tensor, "n *s"]:
    """Heun's method: try a whole stride, walk with the mean of both velocities.

    It is of second order, like `midpoint`. A stride runs the network twice; where
    `steps` is odd, the last one is Euler's, and the network is not asked about the
    finished picture (Karras et al. 2022, Algorithm 1). Raises `DalleEduError` for
    impossible steps or shift, and for a velocity of another shape.
    """
    _check_spacing(steps, shift)
    x, times = noise, spaced_times((steps + 1) // 2, shift)
    for stride, (now, then) in enumerate(pairwise(times)):
        velocity = _velocity(network, x, now, 2 * stride, steps, callback)
        if 2 * stride + 1 < steps:
            tried = x + (then - now) * velocity
            there = _velocity(network, tried, then, 2 * stride + 1, steps, callback)
            velocity = (velocity + there) / 2
        x = x + (then - now) * velocity
    return x
