"""Noise schedules: how much noise a diffusion model sees at each timestep.

Letters: n pictures of any shape `*s`, T timesteps, from 0 (nearly clean) to T - 1
(nearly noise). Lesson 10.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.device import off_metal
from dalle_edu.errors import DalleEduError


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """A noise schedule: the betas of T timesteps, and what follows from them.

    `betas` holds T numbers in (0, 1), the part of the variance that each timestep
    replaces by noise. A noisy picture is x_t = signal * x_0 + noise * eps (Ho et
    al. 2020, equation 4). signal² is alpha_bar, the product of all (1 - beta) so
    far, and signal² + noise² = 1, so that pictures of variance 1 keep it. alpha_bar
    is computed in float64. Raises `DalleEduError` for betas outside (0, 1), or
    none.
    """

    betas: Float[Tensor, " T"]

    def __post_init__(self) -> None:
        inside = (self.betas > 0) & (self.betas < 1)
        if not len(self.betas) or not bool(inside.all()):
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
        """alpha_bar: the part of the picture's variance left at each timestep."""
        return (1 - off_metal(self.betas).double()).cumprod(dim=0)

    def alpha_bar(self, t: int) -> float:
        """alpha_bar at one timestep; 1 at t = -1, where the picture is clean."""
        return 1.0 if t < 0 else float(self.alphas_bar[t])

    def rates(
        self, t: Int[Tensor, " n"], x: Float[Tensor, "n *s"]
    ) -> tuple[Tensor, Tensor]:
        """The signal rate and the noise rate of each of n pictures at its timestep.

        They are sqrt(alpha_bar) and sqrt(1 - alpha_bar), in a shape that multiplies
        `x`. Raises `DalleEduError` unless `t` holds one int64 for each picture,
        from 0 to T - 1; on another device than the CPU its values are not checked.
        """
        right = t.shape == x.shape[:1] and t.dtype == torch.long
        # reading values from a GPU would make the program wait for it
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
        tables = self.alphas_bar.sqrt(), (1 - self.alphas_bar).sqrt()
        signal_rate, noise_rate = (
            table.to(x.dtype).to(t.device)[t] for table in tables
        )
        return beside(signal_rate, x), beside(noise_rate, x)


def beside(numbers: Float[Tensor, " n"], x: Float[Tensor, "n *s"]) -> Tensor:
    """Reshape n numbers so that they multiply n pictures, one each."""
    return numbers.view(-1, *[1] * (x.ndim - 1))


def linear_schedule(
    timesteps: int = 1000, first: float = 1e-4, last: float = 0.02
) -> NoiseSchedule:
    """The linear schedule: betas that grow evenly (Ho et al. 2020, section 4).

    They go from `first` to `last`, both included, in float64. The default values
    are meant for 1,000 timesteps.
    """
    return NoiseSchedule(
        torch.linspace(first, last, timesteps, dtype=torch.float64, device="cpu")
    )


def cosine_schedule(
    timesteps: int = 1000, offset: float = 0.008, max_beta: float = 0.999
) -> NoiseSchedule:
    """The cosine schedule: alpha_bar falls like a squared cosine.

    Small pictures keep more signal at early timesteps than under the linear one
    (Nichol & Dhariwal 2021, equation 17). After i of T timesteps alpha_bar is the
    squared cosine of (i / T + offset) / (1 + offset) * pi / 2, and each beta is 1
    minus the ratio of alpha_bar after its timestep to alpha_bar before, in float64.
    The last betas would be 1, which leaves no signal to divide by, so they are
    clipped to `max_beta`.
    """
    at = torch.arange(timesteps + 1, dtype=torch.float64, device="cpu") / timesteps
    alpha_bar = ((at + offset) / (1 + offset) * math.pi / 2).cos() ** 2
    betas = 1 - alpha_bar[1:] / alpha_bar[:-1]
    return NoiseSchedule(betas.clamp(max=max_beta))


def shifted(schedule: NoiseSchedule, factor: float) -> NoiseSchedule:
    """A schedule with `factor` times the noise-to-signal ratio at every timestep.

    The ratio is that of the rates, not of the variances (Hoogeboom et al. 2023,
    section 3.1). The betas follow from the new alpha_bar, which is 1 before the
    first timestep, and are clipped at 0.9999. Large flat areas still show through
    much noise: with a schedule made for photographs, few timesteps decide where
    they stand. More noise gives that decision more timesteps, in training and in
    sampling. Raises `DalleEduError` unless `factor` is positive.
    """
    if factor <= 0:
        raise DalleEduError(
            f"the factor is {factor:g}; give a positive number: above 1 for more "
            "noise, below for less",
            f"le facteur est {factor:g} ; donnez un nombre positif : au-dessus de "
            "1 pour plus de bruit, au-dessous pour moins",
        )
    alphas_bar = schedule.alphas_bar
    # alpha_bar is a variance, hence the square
    noise_over_signal = factor**2 * (1 - alphas_bar) / alphas_bar
    alphas_bar = 1 / (1 + noise_over_signal)
    before = torch.cat([alphas_bar.new_ones(1), alphas_bar[:-1]])
    return NoiseSchedule((1 - alphas_bar / before).clamp(max=0.9999))
