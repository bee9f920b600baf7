"""DCGAN: a generator and a discriminator of convolutions (Radford et al. 2016).

Labels condition the discriminator by projection (Miyato & Koyama 2018). The patch
discriminator (PatchGAN, Isola et al. 2017) gives a logit for each patch of a
picture. The game that they play is in `gan.py`. Lesson 09.

Letters: n pictures, z noise values, c channels, h x w pixels.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.convolution import receptive_field
from dalle_edu.errors import DalleEduError


@dataclass(frozen=True)
class GANConfig:
    """The shape of a DCGAN's generator and discriminator.

    There are `width` channels at half the resolution, and twice as many at each
    further halving. With `num_classes` above 0 both networks are conditional on a
    class. Raises `DalleEduError` for a resolution that is not a power of two from 8
    on.
    """

    resolution: int = 16
    channels: int = 1
    latent_dim: int = 32
    width: int = 32
    num_classes: int = 0

    def __post_init__(self) -> None:
        if self.resolution < 8 or self.resolution & (self.resolution - 1):
            raise DalleEduError(
                f"the resolution is {self.resolution}; give a power of two from 8 "
                "on",
                f"la résolution est {self.resolution} ; donnez une puissance de "
                "deux d'au moins 8",
            )

    @property
    def widths(self) -> list[int]:
        """The channels at 4 x 4, 8 x 8, ... up to half the resolution."""
        return [
            self.width * 2**i
            for i in reversed(range(int(math.log2(self.resolution)) - 2))
        ]


class Generator(nn.Module):
    """The generator: noise to pictures in [-1, 1].

    Transposed convolutions double a 4 x 4 map until it has the resolution. All of
    them but the output's are followed by batch normalisation. A class, where there
    are classes, is one more vector beside the noise.
    """

    def __init__(self, config: GANConfig):
        super().__init__()
        self.config = config
        widths = config.widths
        self.embedding = (
            nn.Embedding(config.num_classes, config.latent_dim)
            if config.num_classes
            else None
        )
        inputs = config.latent_dim * (2 if config.num_classes else 1)
        layers = [
            nn.ConvTranspose2d(inputs, widths[0], 4, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        for wide, narrow in pairwise(widths):
            layers += [
                nn.ConvTranspose2d(
                    wide, narrow, 4, stride=2, padding=1, bias=False
                ),
                nn.BatchNorm2d(narrow),
                nn.ReLU(),
            ]
        self.paint = nn.Sequential(
            *layers,
            nn.ConvTranspose2d(widths[-1], config.channels, 4, stride=2, padding=1),
            nn.Tanh(),
        )
        initialise(self)

    def forward(
        self, noise: Float[Tensor, "n z"], labels: Int[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n c h w"]:
        """A picture for each row of noise, which is sampled from N(0, 1).

        `labels` are class numbers below `num_classes`. Raises `DalleEduError` for
        noise of another width, and for missing, unexpected or unknown labels.
        """
        if noise.shape[1] != self.config.latent_dim:
            raise DalleEduError(
                f"the noise has {noise.shape[1]} channels; this generator takes "
                f"{self.config.latent_dim}",
                f"le bruit a {noise.shape[1]} canaux ; ce générateur en prend "
                f"{self.config.latent_dim}",
            )
        _check_labels(labels, self.config.num_classes)
        if self.embedding is not None:
            noise = torch.cat([noise, self.embedding(labels)], dim=1)
        return self.paint(noise[:, :, None, None])


class Discriminator(nn.Module):
    """The discriminator: pictures to logits, high for real pictures.

    Convolutions of stride 2 halve the picture down to 4 x 4. All of them but the
    input's are followed by batch normalisation, and all by a leaky ReLU.

    With classes, the logit is a linear function of the features plus their inner
    product with the class's vector (projection, Miyato & Koyama 2018, equation 3).
    This second term asks whether the picture looks like that class, and is 0 before
    training.
    """

    def __init__(self, config: GANConfig):
        super().__init__()
        self.config = config
        widths = config.widths[::-1]
        layers = [
            nn.Conv2d(config.channels, widths[0], 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
        ]
        for narrow, wide in pairwise(widths):
            layers += [
                nn.Conv2d(narrow, wide, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(wide),
                nn.LeakyReLU(0.2),
            ]
        self.look = nn.Sequential(*layers, nn.Flatten())
        self.judge = nn.Linear(widths[-1] * 16, 1)
        self.embedding = None
        if config.num_classes:
            self.embedding = nn.Embedding.from_pretrained(
                torch.zeros(config.num_classes, widths[-1] * 16), freeze=False
            )
        initialise(self)

    def forward(
        self,
        images: Float[Tensor, "n c h w"],
        labels: Int[Tensor, " n"] | None = None,
    ) -> Float[Tensor, " n"]:
        """A logit for each picture.

        Pictures are in [-1, 1], labels class numbers below `num_classes`. Raises
        `DalleEduError` for pictures of another shape, and for missing, unexpected
        or unknown labels.
        """
        side = self.config.resolution
        got, expected = list(images.shape[1:]), [self.config.channels, side, side]
        if got != expected:
            raise DalleEduError(
                f"the pictures are {got}; this discriminator looks at {expected}",
                f"les images sont {got} ; ce discriminateur en regarde de "
                f"{expected}",
            )
        _check_labels(labels, self.config.num_classes)
        features = self.look(images)
        logits = self.judge(features).squeeze(1)
        if self.embedding is None:
            return logits
        return logits + (self.embedding(labels) * features).sum(dim=1)


def _check_labels(labels: Tensor | None, num_classes: int) -> None:
    """Raise `DalleEduError` unless the labels are what `num_classes` announces."""
    if labels is None and not num_classes:
        return
    span = (0, 0) if labels is None else (int(labels.min()), int(labels.max()))
    if labels is None or not 0 <= span[0] <= span[1] < num_classes:
        raise DalleEduError(
            f"the labels are {'missing' if labels is None else span}; this network "
            f"knows {num_classes} classes, from 0 on",
            f"les étiquettes sont {'absentes' if labels is None else span} ; ce "
            f"réseau connaît {num_classes} classes, à partir de 0",
        )


def initialise(network: nn.Module, std: float = 0.02) -> None:
    """Initialise a network as DCGAN does (Radford et al. 2016).

    Weights of convolutions and linear maps are sampled from N(0, std²), scales of
    batch normalisation from N(1, std²); biases are 0.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(module.weight, std=std)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, mean=1.0, std=std)
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]


class PatchDiscriminator(nn.Module):
    """A patch discriminator: a logit for each overlapping patch of a picture.

    It judges texture and edges, and takes pictures of any size (PatchGAN, Isola et
    al. 2017, section 3.2.2). `layers` convolutions of stride 2 and two of stride 1,
    all 4 x 4 with a padding of 1, see patches of 16, 34 and 70 pixels for 1, 2 and
    3 layers. The first has `width` channels, each further one twice as many as the
    one before, 8 times `width` at most; the last has 1. A leaky ReLU of slope 0.2
    follows each but the last. Those between the first and the last have a bias, and
    `norm(channels)` before their ReLU. All are in order in `judge`, a Sequential,
    whose weights `initialise` samples; `strides` lists the strides.

    A normalisation over the whole picture (batch, instance) makes a patch's logit
    depend on the others, but only through its statistics.
    """

    def __init__(
        self,
        channels: int = 3,
        width: int = 64,
        layers: int = 3,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    ):
        super().__init__()
        widths = [width * min(2**i, 8) for i in range(layers + 1)]
        self.strides = [2] * layers + [1, 1]
        modules: list[nn.Module] = [
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
        ]
        for stride, (narrow, wide) in zip(
            self.strides[1:], pairwise(widths), strict=False
        ):
            modules += [
                nn.Conv2d(narrow, wide, 4, stride=stride, padding=1),
                norm(wide),
                nn.LeakyReLU(0.2),
            ]
        self.judge = nn.Sequential(*modules, nn.Conv2d(widths[-1], 1, 4, padding=1))
        initialise(self)

    @property
    def receptive_field(self) -> int:
        """The side of a patch, in pixels."""
        return receptive_field([4] * len(self.strides), self.strides)

    def forward(
        self, images: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, "n rows columns"]:
        """A logit for each patch, row by row.

        Raises `DalleEduError` for pictures too small to hold a patch after all the
        halvings.
        """
        side, smallest = min(images.shape[-2:]), 3 * 2 ** (len(self.strides) - 2)
        if side < smallest:
            raise DalleEduError(
                f"the pictures are {side} pixels on a side; give {smallest} or "
                "more, or fewer layers",
                f"les images ont {side} pixels de côté ; donnez-en au moins "
                f"{smallest}, ou moins de couches",
            )
        return self.judge(images).squeeze(1)
