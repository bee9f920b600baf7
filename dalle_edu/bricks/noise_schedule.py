"""Noise schedules: how much noise a diffusion model sees at each timestep.

Letters: n pictures of any shape `*s`, t timesteps from 0 (nearly clean) to T - 1
(nearly noise). Lesson 10.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.errors import DalleEduError


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """How much noise comes at each timestep: `betas`, T numbers in (0, 1), of which
    everything else follows.

    x_t = signal * x_0 + noise * eps, with signal² = alpha_bar, the product of all
    (1 - beta) so far, and signal² + noise² = 1, so that pictures of variance 1 keep
    it. All of it is kept in float64. Raises `DalleEduError` for betas outside (0,
    1).
    """

    betas: Float[Tensor, " T"]

    def __post_init__(self) -> None:
        if not len(self.betas) or not bool(
            ((self.betas > 0) & (self.betas < 1)).all()
        ):
            raise DalleEduError(
                "a schedule needs at least one beta, each above 0 and below 1; "
                "clip them, for instance at 0.999",
                "un calendrier demande au moins un bêta, chacun au-dessus de 0 et "
                "au-dessous de 1 ; bornez-les, par exemple à 0,999",
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

    def rates(
        self, t: Int[Tensor, " n"], x: Float[Tensor, "n *s"]
    ) -> tuple[Tensor, Tensor]:
        """How much signal and how much noise each of the n pictures in `x` holds at
        its timestep, ready to be multiplied with them.
        """
        right = t.shape == x.shape[:1] and t.dtype == torch.long
        # elsewhere, looking would wait for the device
        if right and len(t) and t.device.type == "cpu":
            right = int(t.min()) >= 0 and int(t.max()) < len(self)
        if not right:
            kind = f"{str(t.dtype).removeprefix('torch.')} {tuple(t.shape)}"
            raise DalleEduError(
                f"t is {kind} from {t.min()} to {t.max()}; each of {len(x)} "
                f"pictures wants a whole number (int64), 0 to {len(self) - 1}",
                f"t est {kind} de {t.min()} à {t.max()} ; chacune des {len(x)} "
                f"images veut un entier (int64), de 0 à {len(self) - 1}",
            )
        signal_rate, noise_rate = (
            table.to(x.dtype).to(t.device)[t]
            for table in (self.alphas_bar.sqrt(), (1 - self.alphas_bar).sqrt())
        )
        return beside(signal_rate, x), beside(noise_rate, x)


def beside(numbers: Float[Tensor, " n"], x: Float[Tensor, "n *s"]) -> Tensor:
    """One number for each of n pictures, in a shape that multiplies them."""
    return numbers.view(-1, *[1] * (x.ndim - 1))


def linear_schedule(
    timesteps: int = 1000, first: float = 1e-4, last: float = 0.02
) -> NoiseSchedule:
    """Betas that grow evenly (Ho et al. 2020, section 4). Its end values are meant
    for 1,000 timesteps.
    """
    return NoiseSchedule(
        torch.linspace(first, last, timesteps, dtype=torch.float64, device="cpu")
    )


def cosine_schedule(
    timesteps: int = 1000, offset: float = 0.008, max_beta: float = 0.999
) -> NoiseSchedule:
    """alpha_bar falls like a squared cosine: small pictures are not drowned as
    early (Nichol & Dhariwal 2021, equation 17).

    The last betas would come to 1 and leave nothing to divide by, hence `max_beta`.
    """
    at = torch.arange(timesteps + 1, dtype=torch.float64, device="cpu") / timesteps
    alpha_bar = ((at + offset) / (1 + offset) * math.pi / 2).cos() ** 2
    return NoiseSchedule((1 - alpha_bar[1:] / alpha_bar[:-1]).clamp(max=max_beta))


def shifted(schedule: NoiseSchedule, factor: float) -> NoiseSchedule:
    """The same schedule with `factor` times as much noise beside the same signal,
    at every timestep (Hoogeboom et al. 2023, section 3.1).

    What is large and flat shows through much noise: where it will stand is settled
    while a schedule made for photographs has hardly begun. More noise gives that
    more of the timesteps, in training and in sampling. Raises `DalleEduError`
    unless `factor` is positive.
    """
    if factor <= 0:
        raise DalleEduError(
            f"the factor is {factor:g}; give a positive number: above 1 for more "
            "noise, below for less",
            f"le facteur est {factor:g} ; donnez un nombre positif : au-dessus de "
            "1 pour plus de bruit, au-dessous pour moins",
        )
    # as variances
    noise_over_signal = factor**2 * (1 - schedule.alphas_bar) / schedule.alphas_bar
    alphas_bar = 1 / (1 + noise_over_signal)
    before = torch.cat([alphas_bar.new_ones(1), alphas_bar[:-1]])
    return NoiseSchedule((1 - alphas_bar / before).clamp(max=0.9999))
