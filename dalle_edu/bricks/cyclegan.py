"""CycleGAN: two styles, no pairs, and a translator each way that must find its way
back (Zhu et al. 2017).

Two translators are trained against two patch discriminators, each of which knows
one style only. That makes a translation look right, not *be* right: any picture of
the other style would do. Cycle consistency adds that there and back again must
return the picture itself, and identity that what is already in the style stays.

Letters: n pictures, c channels, h x w pixels; a and b are the two styles. Lesson
08.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from dalle_edu.bricks.convolution import Unpatchify
from dalle_edu.bricks.dcgan import PatchDiscriminator
from dalle_edu.bricks.gan import Losses
from dalle_edu.errors import DalleEduError


def least_squares_discriminator_loss(
    real_logits: Float[Tensor, "*n"], fake_logits: Float[Tensor, "*m"]
) -> Float[Tensor, ""]:
    """D draws its outputs on real pictures to 1 and on fakes to 0, by squares (Mao
    et al. 2017, equation 9).
    """
    return ((real_logits - 1).square().mean() + fake_logits.square().mean()) / 2


def least_squares_generator_loss(
    fake_logits: Float[Tensor, "*n"],
) -> Float[Tensor, ""]:
    """G draws D's outputs on its fakes to 1; a fake that D is sure of still gives a
    gradient.
    """
    return (fake_logits - 1).square().mean()


LEAST_SQUARES = Losses(
    least_squares_discriminator_loss, least_squares_generator_loss
)


# ---------------------------------------------------------------- the networks


@dataclass(frozen=True)
class CycleGANConfig:
    """The shape of the four networks and the weights of the losses (Zhu et al.
    2017, sections 3.3 and 5.2): identity weighs half the cycle.

    One halving in the discriminators: they see patches of 16 pixels, half of a
    picture of 32.
    """

    channels: int = 3
    width: int = 24
    blocks: int = 4
    discriminator_layers: int = 1
    cycle_weight: float = 10.0
    identity_weight: float = 5.0
    pool_size: int = 50


class InstanceBlock(nn.Module):
    """Two convolutions, each normalised over its own picture, added to their input
    (Johnson et al. 2016).
    """

    def __init__(self, width: int):
        super().__init__()
        self.correct = nn.Sequential(
            *_convolution(width, width), nn.ReLU(), *_convolution(width, width)
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return x + self.correct(x)


class Translator(nn.Module):
    """Pictures of one style in, of the other out, both (n, c, h, w) in [-1, 1] with
    even sides: halve once, residual blocks, double back.

    Instance normalisation (Ulyanov et al. 2016) forgets each picture's own
    contrast, which is style, and needs no batch.
    """

    def __init__(self, config: CycleGANConfig):
        super().__init__()
        width, wide = config.width, 2 * config.width
        self.paint = nn.Sequential(
            *_convolution(config.channels, width, kernel_size=7),
            nn.ReLU(),
            *_convolution(width, wide, stride=2),
            nn.ReLU(),
            *(InstanceBlock(wide) for _ in range(config.blocks)),
            Unpatchify(wide, width, 2),
            nn.InstanceNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(
                width,
                config.channels,
                kernel_size=7,
                padding=3,
                padding_mode="reflect",
            ),
            nn.Tanh(),
        )

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The same scenes in the other style. Raises `DalleEduError` for sides that
        are odd or under 8 pixels.
        """
        if images.shape[2] % 2 or images.shape[3] % 2 or min(images.shape[2:]) < 8:
            raise DalleEduError(
                f"the pictures are {list(images.shape[2:])}; a translator takes "
                "even sides of 8 pixels or more",
                f"les images sont {list(images.shape[2:])} ; un traducteur prend "
                "des côtés pairs d'au moins 8 pixels",
            )
        return self.paint(images)


def _convolution(
    channels: int, width: int, kernel_size: int = 3, stride: int = 1
) -> list[nn.Module]:
    convolution = nn.Conv2d(
        channels,
        width,
        kernel_size,
        stride,
        padding=kernel_size // 2,
        padding_mode="reflect",
        bias=False,
    )
    return [convolution, nn.InstanceNorm2d(width)]


class HistoryPool:
    """Fakes of the past, so that a discriminator does not forget what a translator
    used to do (Shrivastava et al. 2017, section 2.3).

    Called with a batch of fakes, it returns a batch: each picture is the new one,
    or with chance 1/2, once the pool is full, an old one whose place the new one
    takes. What is stored carries no gradient.
    """

    def __init__(self, size: int, generator: torch.Generator):
        if size < 0:
            raise DalleEduError(
                f"the pool's size is {size}; give 0 or more",
                f"la taille de la réserve est {size} ; donnez 0 ou plus",
            )
        self.size, self.generator = size, generator
        self.images: list[Tensor] = []

    def __call__(self, fakes: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        shown = []
        for fake in fakes.detach():
            if len(self.images) < self.size:
                self.images.append(fake)
            elif self.size and torch.rand((), generator=self.generator) < 0.5:
                place = int(torch.randint(self.size, (), generator=self.generator))
                fake, self.images[place] = self.images[place], fake
            shown.append(fake)
        return torch.stack(shown)


# ---------------------------------------------------------------- the losses


class CycleGAN(nn.Module):
    """Both translators and both discriminators: `to_b` and `to_a` translate,
    `judge_a` and `judge_b` tell real from translated.
    """

    def __init__(self, config: CycleGANConfig):
        super().__init__()
        self.config = config
        self.to_b, self.to_a = Translator(config), Translator(config)
        self.judge_a, self.judge_b = (
            PatchDiscriminator(
                config.channels,
                2 * config.width,
                config.discriminator_layers,
                nn.InstanceNorm2d,
            )
            for _ in "ab"
        )

    def translators_loss(
        self, a: Float[Tensor, "n c h w"], b: Float[Tensor, "m c h w"]
    ) -> dict[str, Tensor]:
        """What both translators lower, its named parts, and the fakes that it made,
        for the discriminators (Zhu et al. 2017, equation 3).

        `adversarial`: each fake fools the judge of its style. `cycle`: a -> b -> a
        returns a, and b -> a -> b returns b, in mean absolute difference.
        `identity`: `to_b` leaves b as it is, and `to_a` leaves a.
        """
        fake_b, fake_a = self.to_b(a), self.to_a(b)
        adversarial = LEAST_SQUARES.generator(
            self.judge_b(fake_b)
        ) + LEAST_SQUARES.generator(self.judge_a(fake_a))
        cycle = F.l1_loss(self.to_a(fake_b), a) + F.l1_loss(self.to_b(fake_a), b)
        identity = F.l1_loss(self.to_b(b), b) + F.l1_loss(self.to_a(a), a)
        loss = (
            adversarial
            + self.config.cycle_weight * cycle
            + self.config.identity_weight * identity
        )
        parts = {
            "adversarial": adversarial,
            "cycle": cycle,
            "identity": identity,
            "fake_a": fake_a,
            "fake_b": fake_b,
        }
        return {
            "loss": loss,
            **{name: part.detach() for name, part in parts.items()},
        }

    def discriminators_loss(
        self,
        a: Float[Tensor, "n c h w"],
        b: Float[Tensor, "m c h w"],
        fake_a: Float[Tensor, "m c h w"],
        fake_b: Float[Tensor, "n c h w"],
    ) -> Float[Tensor, ""]:
        """What both discriminators lower. The fakes come from history pools; no
        gradient returns to the translators.
        """
        return LEAST_SQUARES.discriminator(
            self.judge_a(a), self.judge_a(fake_a.detach())
        ) + LEAST_SQUARES.discriminator(
            self.judge_b(b), self.judge_b(fake_b.detach())
        )


@dataclass(frozen=True)
class Exchange:
    """What a training of CycleGAN carries from step to step: an optimiser for each
    side and a pool for each style.
    """

    model: CycleGAN
    translators: torch.optim.Optimizer
    judges: torch.optim.Optimizer
    pool_a: HistoryPool
    pool_b: HistoryPool

    @classmethod
    def start(
        cls,
        model: CycleGAN,
        generator: torch.Generator,
        learning_rate: float = 2e-4,
    ) -> "Exchange":
        """Adam with the momentum 0.5 that DCGAN and CycleGAN train with, and empty
        pools.
        """
        translators = [*model.to_a.parameters(), *model.to_b.parameters()]
        judges = [*model.judge_a.parameters(), *model.judge_b.parameters()]
        adam_1, adam_2 = (
            torch.optim.Adam(side, learning_rate, betas=(0.5, 0.999))
            for side in (translators, judges)
        )
        return cls(
            model,
            adam_1,
            adam_2,
            *(HistoryPool(model.config.pool_size, generator) for _ in "ab"),
        )


def cyclegan_step(
    exchange: Exchange, a: Float[Tensor, "n c h w"], b: Float[Tensor, "m c h w"]
) -> dict[str, Tensor]:
    """One step of the translators, then one of the discriminators on real pictures
    and on fakes from the pools; returns the losses.
    """
    model = exchange.model
    model.judge_a.requires_grad_(False)
    model.judge_b.requires_grad_(False)
    parts = model.translators_loss(a, b)
    exchange.translators.zero_grad()
    parts["loss"].backward()
    exchange.translators.step()
    model.judge_a.requires_grad_(True)
    model.judge_b.requires_grad_(True)
    judged = model.discriminators_loss(
        a,
        b,
        exchange.pool_a(parts.pop("fake_a")),
        exchange.pool_b(parts.pop("fake_b")),
    )
    exchange.judges.zero_grad()
    judged.backward()
    exchange.judges.step()
    return {**parts, "loss": parts["loss"].detach(), "judges": judged.detach()}
