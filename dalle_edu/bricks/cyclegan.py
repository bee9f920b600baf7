"""CycleGAN: translation between two styles, without pairs (Zhu et al. 2017).

Two translators, one each way, are trained against two patch discriminators, each of
which knows one style. The adversarial loss makes a translation look right, but any
picture of the other style would do. Cycle consistency adds that a picture
translated there and back must return unchanged. The identity loss adds that a
picture already in the style must stay as it is. Lesson 09.

Letters: n pictures (of style a, where there are two), m pictures of style b or
fakes, c channels, h x w pixels.
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

# ------------------------------------------------------------- least-squares losses


def least_squares_discriminator_loss(
    real_logits: Float[Tensor, "*n"], fake_logits: Float[Tensor, "*m"]
) -> Float[Tensor, ""]:
    """The least-squares loss of D: its outputs should be 1 on real, 0 on fake.

    It is half the sum of two means: of (l - 1)² over the real outputs l, and of l²
    over the fake ones (Mao et al. 2017, equation 9). No sigmoid is applied.
    """
    return ((real_logits - 1).square().mean() + fake_logits.square().mean()) / 2


def least_squares_generator_loss(
    fake_logits: Float[Tensor, "*n"],
) -> Float[Tensor, ""]:
    """The least-squares loss of G: D's outputs on its fakes should be 1.

    It is the mean of (l - 1)² over the outputs l, not halved. Unlike a saturating
    loss, it gives a gradient even where D is sure of a fake.
    """
    return (fake_logits - 1).square().mean()


LEAST_SQUARES = Losses(
    least_squares_discriminator_loss, least_squares_generator_loss
)


# --------------------------------------------------------------------- the networks


@dataclass(frozen=True)
class CycleGANConfig:
    """The shape of CycleGAN's four networks and the weights of its losses.

    The identity loss weighs half as much as the cycle loss (Zhu et al. 2017,
    sections 3.3 and 5.2). With one halving, the discriminators see patches of 16
    pixels, half of a picture of 32. `blocks` are the residual blocks of a
    translator, and `pool_size` is how many fakes each history pool keeps.
    """

    channels: int = 3
    width: int = 24
    blocks: int = 4
    discriminator_layers: int = 1
    cycle_weight: float = 10.0
    identity_weight: float = 5.0
    pool_size: int = 50


class InstanceBlock(nn.Module):
    """A residual block with instance normalisation (Johnson et al. 2016).

    Each of its two convolutions is normalised over its own picture.
    """

    def __init__(self, width: int):
        super().__init__()
        self.correct = nn.Sequential(
            *_convolution(width, width), nn.ReLU(), *_convolution(width, width)
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The input plus its correction, of the same shape."""
        return x + self.correct(x)


class Translator(nn.Module):
    """The generator of CycleGAN: pictures of one style to pictures of the other.

    Both are (n, c, h, w) in [-1, 1] with even sides. One convolution halves the
    sides, residual blocks follow, and a last layer doubles the sides again.
    Instance normalisation (Ulyanov et al. 2016) removes each picture's own
    contrast, which belongs to the style, and does not depend on the batch.
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
        """The same scenes in the other style.

        Raises `DalleEduError` for sides that are odd or under 8 pixels.
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
    """A convolution with reflected edges, and its instance normalisation."""
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


# ---------------------------------------------------------------- fakes of the past


class HistoryPool:
    """A pool of past fakes, so that a discriminator does not forget them.

    Called with a batch of fakes, it returns a batch of as many pictures. Until the
    pool is full, they are the new fakes, which it also stores. From then on each
    is, with probability 1/2, an old fake whose place the new one takes (Shrivastava
    et al. 2017, section 2.3). The fakes are taken one by one, in their order. For
    each, `generator` decides whether an old one is shown, and then which; every
    place in the pool is as likely. A pool of size 0 returns the new fakes. What is
    stored, in the list `images`, and what is returned carry no gradient. Raises
    `DalleEduError` for a negative size.
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


# ---------------------------------------------------------------- both ways at once


class CycleGAN(nn.Module):
    """Both translators, `to_b` and `to_a`, and both discriminators.

    The patch discriminators `judge_a` and `judge_b` tell real pictures of a style
    from translated ones.
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
        """The loss of both translators, its named parts, and the fakes they made.

        Its three terms are those of Zhu et al. (2017, equation 3, and section 5.2
        for the identity). `adversarial`: the discriminator of each style should
        take the fakes for real. `cycle`: a -> b -> a should return a, and b -> a ->
        b return b, in mean absolute difference. `identity`: `to_b` should leave b
        as it is, and `to_a` leave a, in mean absolute difference. Each term is the
        sum over both styles, unweighted; `loss` is `adversarial` + `cycle_weight` *
        `cycle` + `identity_weight` * `identity`. `fake_a` and `fake_b` are for the
        discriminators' turn; they, like the parts, carry no gradient.
        """
        fake_b, fake_a = self.to_b(a), self.to_a(b)
        fools_b = LEAST_SQUARES.generator(self.judge_b(fake_b))
        fools_a = LEAST_SQUARES.generator(self.judge_a(fake_a))
        adversarial = fools_b + fools_a
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
        detached = {name: part.detach() for name, part in parts.items()}
        return {"loss": loss, **detached}

    def discriminators_loss(
        self,
        a: Float[Tensor, "n c h w"],
        b: Float[Tensor, "m c h w"],
        fake_a: Float[Tensor, "m c h w"],
        fake_b: Float[Tensor, "n c h w"],
    ) -> Float[Tensor, ""]:
        """The least-squares loss of both discriminators, added up.

        The fakes come from history pools. No gradient goes back to the translators.
        """
        loss = LEAST_SQUARES.discriminator
        loss_a = loss(self.judge_a(a), self.judge_a(fake_a.detach()))
        loss_b = loss(self.judge_b(b), self.judge_b(fake_b.detach()))
        return loss_a + loss_b


@dataclass(frozen=True)
class Exchange:
    """The state of a training of CycleGAN.

    It holds an optimiser for the translators, one for the discriminators
    (`judges`), and a history pool for each style.
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
        """Adam with DCGAN's first momentum, 0.5, and empty pools.

        `generator` is the source of the pools' random numbers.
        """
        translators = [*model.to_a.parameters(), *model.to_b.parameters()]
        judges = [*model.judge_a.parameters(), *model.judge_b.parameters()]
        adam_translators, adam_judges = (
            torch.optim.Adam(side, learning_rate, betas=(0.5, 0.999), fused=True)
            for side in (translators, judges)
        )
        pools = (HistoryPool(model.config.pool_size, generator) for _ in "ab")
        return cls(model, adam_translators, adam_judges, *pools)


def cyclegan_step(
    exchange: Exchange, a: Float[Tensor, "n c h w"], b: Float[Tensor, "m c h w"]
) -> dict[str, Tensor]:
    """One step of the translators, then one of the discriminators.

    The discriminators are frozen during the step of the translators, and can learn
    again afterwards. They are trained on real pictures and on what the pools return
    for this step's fakes, each style's from its own pool. Old gradients are cleared
    before each step. The losses are returned without gradient: "loss" (of the
    translators), its parts "adversarial", "cycle" and "identity", and "judges".
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
    old_a = exchange.pool_a(parts.pop("fake_a"))
    old_b = exchange.pool_b(parts.pop("fake_b"))
    judges_loss = model.discriminators_loss(a, b, old_a, old_b)
    exchange.judges.zero_grad()
    judges_loss.backward()
    exchange.judges.step()
    detached = {"loss": parts["loss"].detach(), "judges": judges_loss.detach()}
    return {**parts, **detached}
