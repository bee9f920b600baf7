"""Diffusion: cover pictures with noise, learn to tell the noise from the picture, and start from nothing but noise.

Going towards noise needs no learning and is one line, q(x_t | x_0). A network learns to guess, from the noisy picture, what it showed.
Coming back (`samplers.py`) asks it again and again, with a little less noise each time. Sohl-Dickstein et al. (2015) had the idea, Ho et
al. (2020) made it paint. Nothing here knows that x is a picture: vectors, latents and embeddings diffuse alike.

A *network* is called as `network(x_t, t, **conditions)` and predicts a target: the noise ("eps"), the clean picture ("x0"), or "v". A
*denoiser* is called as `denoiser(x_t, t)` and returns the clean picture that it believes in; wrappers turn the one into the other.

Letters: n pictures of any shape `*s`, t timesteps from 0 (nearly clean) to T - 1 (nearly noise). Lesson 10.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from dalle_edu.errors import DalleEduError

TARGETS = ("eps", "x0", "v")
Network = Callable[..., Tensor]
Denoiser = Callable[[Tensor, Tensor], Tensor]

# ---------------------------------------------------------------- towards noise


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """How much noise comes at each timestep: `betas`, T numbers in (0, 1), of which everything else follows.

    x_t = signal * x_0 + noise * eps, with signal² = alpha_bar, the product of all (1 - beta) so far, and signal² + noise² = 1, so that
    pictures of variance 1 keep it. All of it is kept in float64. Raises `DalleEduError` for betas outside (0, 1).
    """

    betas: Float[Tensor, " T"]

    def __post_init__(self) -> None:
        if not len(self.betas) or not bool(((self.betas > 0) & (self.betas < 1)).all()):
            raise DalleEduError(
                "a schedule needs at least one beta, each above 0 and below 1; clip them, for instance at 0.999",
                "un calendrier demande au moins un bêta, chacun au-dessus de 0 et au-dessous de 1 ; bornez-les, par exemple à 0,999",
            )

    def __len__(self) -> int:
        return len(self.betas)

    @cached_property
    def alphas_bar(self) -> Float[Tensor, " T"]:
        """The part of the picture's variance that is left at each timestep."""
        return (1 - self.betas.double()).cumprod(dim=0)

    def alpha_bar(self, t: int) -> float:
        """`alphas_bar` at one timestep; 1 at t = -1, where the picture is clean."""
        return 1.0 if t < 0 else float(self.alphas_bar[t])

    def rates(self, t: Int[Tensor, " n"], x: Float[Tensor, "n *s"]) -> tuple[Tensor, Tensor]:
        """How much signal and how much noise each of the n pictures in `x` holds at its timestep, ready to be multiplied with them."""
        right = t.shape == x.shape[:1] and t.dtype == torch.long
        if right and len(t) and t.device.type == "cpu":  # elsewhere, looking would wait for the device
            right = int(t.min()) >= 0 and int(t.max()) < len(self)
        if not right:
            kind = f"{str(t.dtype).removeprefix('torch.')} {tuple(t.shape)}"
            raise DalleEduError(
                f"t is {kind} from {t.min()} to {t.max()}; each of {len(x)} pictures wants a whole number (int64), 0 to {len(self) - 1}",
                f"t est {kind} de {t.min()} à {t.max()} ; chacune des {len(x)} images veut un entier (int64), de 0 à {len(self) - 1}",
            )
        signal_rate, noise_rate = (table.to(x.dtype).to(t.device)[t] for table in (self.alphas_bar.sqrt(), (1 - self.alphas_bar).sqrt()))
        return _beside(signal_rate, x), _beside(noise_rate, x)


def _beside(numbers: Float[Tensor, " n"], x: Float[Tensor, "n *s"]) -> Tensor:
    """One number for each of n pictures, in a shape that multiplies them."""
    return numbers.view(-1, *[1] * (x.ndim - 1))


def linear_schedule(timesteps: int = 1000, first: float = 1e-4, last: float = 0.02) -> NoiseSchedule:
    """Betas that grow evenly (Ho et al. 2020, section 4). Its end values are meant for 1,000 timesteps."""
    return NoiseSchedule(torch.linspace(first, last, timesteps, dtype=torch.float64, device="cpu"))


def cosine_schedule(timesteps: int = 1000, offset: float = 0.008, max_beta: float = 0.999) -> NoiseSchedule:
    """alpha_bar falls like a squared cosine: small pictures are not drowned as early (Nichol & Dhariwal 2021, equation 17).

    The last betas would come to 1 and leave nothing to divide by, hence `max_beta`.
    """
    at = torch.arange(timesteps + 1, dtype=torch.float64, device="cpu") / timesteps
    alpha_bar = ((at + offset) / (1 + offset) * math.pi / 2).cos() ** 2
    return NoiseSchedule((1 - alpha_bar[1:] / alpha_bar[:-1]).clamp(max=max_beta))


def shifted(schedule: NoiseSchedule, factor: float) -> NoiseSchedule:
    """The same schedule with `factor` times as much noise beside the same signal, at every timestep (Hoogeboom et al. 2023, section 3.1).

    What is large and flat shows through much noise: where it will stand is settled while a schedule made for photographs has hardly
    begun. More noise gives that more of the timesteps, in training and in sampling. Raises `DalleEduError` unless `factor` is positive.
    """
    if factor <= 0:
        raise DalleEduError(
            f"the factor is {factor:g}; give a positive number: above 1 for more noise, below for less",
            f"le facteur est {factor:g} ; donnez un nombre positif : au-dessus de 1 pour plus de bruit, au-dessous pour moins",
        )
    noise_over_signal = factor**2 * (1 - schedule.alphas_bar) / schedule.alphas_bar  # as variances
    alphas_bar = 1 / (1 + noise_over_signal)
    before = torch.cat([alphas_bar.new_ones(1), alphas_bar[:-1]])
    return NoiseSchedule((1 - alphas_bar / before).clamp(max=0.9999))


def add_noise(
    x0: Float[Tensor, "n *s"], noise: Float[Tensor, "n *s"], t: Int[Tensor, " n"], schedule: NoiseSchedule
) -> Float[Tensor, "n *s"]:
    """Draw x_t from q(x_t | x_0) in one step, `noise` being standard normal (Ho et al. 2020, equation 4).

    Raises `DalleEduError` for a timestep outside the schedule, or noise of another shape.
    """
    if noise.shape != x0.shape:
        raise DalleEduError(
            f"the noise has the shape {tuple(noise.shape)} and the pictures {tuple(x0.shape)}; every number wants noise of its own",
            f"le bruit a la forme {tuple(noise.shape)} et les images {tuple(x0.shape)} ; chaque nombre veut son propre bruit",
        )
    signal_rate, noise_rate = schedule.rates(t, x0)
    return signal_rate * x0 + noise_rate * noise


# ---------------------------------------------------------------- what a network may predict


def training_target(
    x0: Float[Tensor, "n *s"], noise: Float[Tensor, "n *s"], t: Int[Tensor, " n"], schedule: NoiseSchedule, target: str
) -> Float[Tensor, "n *s"]:
    """What the network should say at t: the noise, the picture, or v = signal * noise - noise rate * picture (Salimans & Ho 2022).

    "eps" says little where there is almost no noise, "x0" where there is almost nothing else; "v" is as hard everywhere. Raises
    `DalleEduError` for another target.
    """
    _check_target(target)
    if target == "eps":
        return noise
    if target == "x0":
        return x0
    signal_rate, noise_rate = schedule.rates(t, x0)
    return signal_rate * noise - noise_rate * x0


def picture_and_noise(
    prediction: Float[Tensor, "n *s"], x_t: Float[Tensor, "n *s"], t: Int[Tensor, " n"], schedule: NoiseSchedule, target: str
) -> tuple[Float[Tensor, "n *s"], Float[Tensor, "n *s"]]:
    """The picture x0 and the noise eps that a prediction means: whichever is predicted, x_t gives the other.

    Every sampler works from this pair, whatever the network predicts. Raises `DalleEduError` for an unknown target.
    """
    _check_target(target)
    signal_rate, noise_rate = schedule.rates(t, x_t)
    if target == "eps":
        return (x_t - noise_rate * prediction) / signal_rate, prediction
    if target == "x0":
        return prediction, (x_t - signal_rate * prediction) / noise_rate
    return signal_rate * x_t - noise_rate * prediction, noise_rate * x_t + signal_rate * prediction


def _check_target(target: str) -> None:
    if target not in TARGETS:
        raise DalleEduError(
            f'the target is "{target}"; a network predicts one of {", ".join(TARGETS)}',
            f"la cible est « {target} » ; un réseau prédit l'une de {', '.join(TARGETS)}",
        )


def spread_timesteps(n: int, timesteps: int, generator: torch.Generator | None, device: torch.device) -> Int[Tensor, " n"]:
    """A timestep for each of n pictures, every one as likely as any other: the k-th part of the schedule goes to one of them at random."""
    parts = torch.randperm(n, generator=generator, device=device) + torch.rand(n, generator=generator, device=device)
    return (parts / n * timesteps).long().clamp(max=timesteps - 1)  # rounding may reach the end


def diffusion_loss(
    network: Network,
    x0: Float[Tensor, "n *s"],
    schedule: NoiseSchedule,
    target: str = "v",
    weights: Float[Tensor, " T"] | None = None,
    generator: torch.Generator | None = None,
    **conditions: Tensor,
) -> Float[Tensor, ""]:
    """Noise each picture as far as chance says, and take the mean squared error of what the network says (Ho et al. 2020, Algorithm 1).

    Chance is fair to the batch: each n-th part of the schedule gets one picture (Kingma et al. 2021, appendix I.1), which makes the
    gradient less of a gamble than n independent draws. `weights` says how much each timestep counts; without it, all alike. `conditions`
    go to the network as they are. `generator` lives where `x0` does.
    """
    t = spread_timesteps(len(x0), len(schedule), generator, x0.device)
    noise = torch.empty_like(x0).normal_(generator=generator)
    prediction = network(add_noise(x0, noise, t, schedule), t, **conditions)
    error = (prediction - training_target(x0, noise, t, schedule, target)).square().reshape(len(x0), -1).mean(dim=1)
    return error.mean() if weights is None else (weights.to(error)[t] * error).mean()


# ---------------------------------------------------------------- from a network to a denoiser


def guided(network: Network, guidance_scale: float, conditional: dict[str, Tensor], unconditional: dict[str, Tensor]) -> Network:
    """Classifier-free guidance (Ho & Salimans 2022): go from what the network says without the condition to what it says with it, and on.

    `conditional` and `unconditional` are the conditions of n pictures, with and without what is asked. The network runs once, on a batch of
    2n; at a scale of 1 it runs on n, for guidance does nothing there. Whatever it predicts may be mixed: at one (x_t, t), eps, x0 and v are
    straight lines of one another. Raises `DalleEduError` unless both have the same names and shapes.
    """
    if {name: value.shape for name, value in conditional.items()} != {name: value.shape for name, value in unconditional.items()}:
        raise DalleEduError(
            f"guidance has the conditions {sorted(conditional)} on one side, {sorted(unconditional)} on the other; give both the same "
            "names and shapes",
            f"le guidage a les conditions {sorted(conditional)} d'un côté, {sorted(unconditional)} de l'autre ; donnez les mêmes noms et "
            "formes aux deux",
        )

    def predict(x_t: Tensor, t: Tensor) -> Tensor:
        if guidance_scale == 1:
            return network(x_t, t, **conditional)
        doubled = {name: torch.cat([conditional[name], unconditional[name]]) for name in conditional}
        with_condition, without = network(torch.cat([x_t, x_t]), torch.cat([t, t]), **doubled).chunk(2)
        return without + guidance_scale * (with_condition - without)

    return predict


def denoiser(network: Network, schedule: NoiseSchedule, target: str = "v", clip: Callable[[Tensor], Tensor] | None = None) -> Denoiser:
    """What samplers ask: (x_t, t) to the clean picture that the network believes in, which `clip` keeps in range if need be."""
    _check_target(target)

    def denoise(x_t: Tensor, t: Tensor) -> Tensor:
        x0, _ = picture_and_noise(network(x_t, t), x_t, t, schedule, target)
        return x0 if clip is None else clip(x0)

    return denoise


def dynamic_threshold(x0: Float[Tensor, "n *s"], percentile: float = 0.995) -> Float[Tensor, "n *s"]:
    """Bring each picture back into [-1, 1] without flattening it: clip where it is brighter than almost all, and divide by that.

    Strong guidance pushes pixels out of range; a plain clip turns them all into saturated patches (Saharia et al. 2022, Imagen, section
    2.3). A picture that is in range already stays as it is. Raises `DalleEduError` for a percentile outside [0, 1].
    """
    if not 0 <= percentile <= 1:
        raise DalleEduError(
            f"the percentile is {percentile}; give a part of the pixels, from 0 to 1",
            f"le percentile est {percentile} ; donnez une part des pixels, de 0 à 1",
        )
    brightness = x0.reshape(len(x0), -1).abs()
    brightness = brightness.to(torch.promote_types(x0.dtype, torch.float32))  # half precision has no quantiles
    largest = _beside(torch.quantile(brightness, percentile, dim=1).clamp(min=1), x0).to(x0.dtype)
    return x0.clamp(-largest, largest) / largest


# ---------------------------------------------------------------- a part of the picture is known


def inpainting(
    denoise: Denoiser,
    known: Float[Tensor, "n *s"],
    mask: Bool[Tensor, "#n *#s"],
    schedule: NoiseSchedule,
    generator: torch.Generator | None = None,
    noise: Float[Tensor, "n *s"] | None = None,
) -> Denoiser:
    """Keep what is known, paint the rest: at each step the known region is noised anew to that step's level, or always by `noise`.

    This is the replacement of Lugmayr et al. (2022, RePaint, equation 8), without their going back and forth. `mask` is True where `known`
    is kept: there the denoiser sees the truth, as noisy as the rest, and its answer is the truth. Any sampler may use it. Raises
    `DalleEduError` for a mask that is not boolean.
    """
    if mask.dtype != torch.bool:
        raise DalleEduError(
            f"the mask is {mask.dtype}; give booleans, True where the picture is known",
            f"le masque est {mask.dtype} ; donnez des booléens, True là où l'image est connue",
        )

    def denoise_around(x_t: Tensor, t: Tensor) -> Tensor:
        fresh = torch.empty_like(known).normal_(generator=generator) if noise is None else noise
        return torch.where(mask, known, denoise(torch.where(mask, add_noise(known, fresh, t, schedule), x_t), t))

    return denoise_around


def low_resolution_condition(
    low: Float[Tensor, "n c h w"],
    resolution: int,
    t: Int[Tensor, " n"],
    schedule: NoiseSchedule,
    generator: torch.Generator | None = None,
    noise: Float[Tensor, "n c H W"] | None = None,
) -> Float[Tensor, "n c+1 H W"]:
    """What a super-resolution network is shown beside x_t: the small picture, enlarged and noised, and a channel that says how much.

    Trained on small pictures noised at random, the network does not take their faults for truth (Ho et al. 2021, conditioning
    augmentation; Saharia et al. 2022 tell it the level). The last channel is t / T. Without a `noise`, it is drawn from `generator`.
    """
    enlarged = F.interpolate(low, size=(resolution, resolution), mode="bilinear", align_corners=False)
    noisy = add_noise(enlarged, torch.empty_like(enlarged).normal_(generator=generator) if noise is None else noise, t, schedule)
    level = (t.to(low) / len(schedule)).view(-1, 1, 1, 1).expand(-1, 1, resolution, resolution)
    return torch.cat([noisy, level], dim=1)
