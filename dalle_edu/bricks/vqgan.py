"""VQGAN: a VQ-VAE whose pictures are judged by eyes rather than by pixels.

Squared error likes blur: between two sharp answers it prefers their mean. VQGAN
adds two judges (Esser et al. 2021, section 3.1): a perceptual distance, measured
between what a trained network sees in both pictures, and a patch discriminator,
which learns to tell painted patches from real ones. The second judge weighs as much
as the first wherever the decoder paints its last layer. Lesson 08.

Letters: n pictures, H x W pixels.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from dalle_edu.bricks.codebook import VQVAE, CodecConfig, codes_alive
from dalle_edu.bricks.dcgan import PatchDiscriminator
from dalle_edu.bricks.gan import hinge_discriminator_loss, hinge_generator_loss


class PerceptualDistance(nn.Module):
    """How differently a network sees two pictures: at each layer, the squared
    distance of its features, each position's made a unit vector, averaged over
    positions; the mean over layers (Zhang et al. 2018, without their learned
    weights).

    `features` is a trained stack of layers, here one that this project trains
    itself; it is frozen, and looked at after each ReLU.
    """

    def __init__(self, features: nn.Sequential):
        super().__init__()
        self.features = features.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "PerceptualDistance":
        """A judge does not learn: it stays in evaluation."""
        return super().train(False)

    def forward(
        self, first: Float[Tensor, "n 3 H W"], second: Float[Tensor, "n 3 H W"]
    ) -> Float[Tensor, ""]:
        """The distance, 0 for equal pictures, at most 4."""
        distances = []
        for layer in self.features:
            first, second = layer(first), layer(second)
            if isinstance(layer, nn.ReLU):
                distances.append(
                    (F.normalize(first, dim=1) - F.normalize(second, dim=1))
                    .square()
                    .sum(dim=1)
                    .mean()
                )
        return torch.stack(distances).mean()


def adaptive_weight(
    reconstruction: Float[Tensor, ""],
    adversarial: Float[Tensor, ""],
    last_layer: Tensor,
    most: float = 1e4,
) -> Float[Tensor, ""]:
    """The weight at which the adversarial loss pulls on the decoder's last layer as
    strongly as the reconstruction does: the ratio of their gradients' norms (Esser
    et al. 2021, equation 7, with the same 1e-4 below), at most `most`; a number,
    through which nothing learns.
    """
    (wanted,) = torch.autograd.grad(reconstruction, last_layer, retain_graph=True)
    (given,) = torch.autograd.grad(adversarial, last_layer, retain_graph=True)
    return (wanted.norm() / (given.norm() + 1e-4)).clamp(max=most).detach()


@contextmanager
def _not_learning(network: nn.Module) -> Iterator[None]:
    """Inside the block, what passes through a network teaches others and not the
    network itself.
    """
    learning = [
        parameter for parameter in network.parameters() if parameter.requires_grad
    ]
    try:
        for parameter in learning:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)


class VQGAN(VQVAE):
    """A VQ-VAE with a perceptual judge and an adversary. Two losses: `loss` teaches
    the codec alone, `discriminator_loss` the discriminator alone, so that they may
    be added up or taken by turns.
    """

    def __init__(
        self,
        config: CodecConfig,
        features: nn.Sequential,
        discriminator_width: int = 32,
        discriminator_layers: int = 2,
    ):
        super().__init__(config)
        self.perceptual = PerceptualDistance(features)
        self.discriminator = PatchDiscriminator(
            3, discriminator_width, discriminator_layers
        )

    @property
    def last_layer(self) -> Tensor:
        """The weights that paint the pixels."""
        return [
            parameter
            for parameter in self.decoder.parameters()
            if parameter.ndim > 1
        ][-1]

    def codec_parameters(self) -> list[nn.Parameter]:
        """What `loss` trains."""
        return [
            p
            for part in (self.encoder, self.decoder, self.quantizer)
            for p in part.parameters()
            if p.requires_grad
        ]

    def loss(
        self, images: Float[Tensor, "n 3 H W"], adversarial: float = 0.0
    ) -> dict[str, Float[Tensor, ""]]:
        """The codec's loss and its named parts: absolute error + perceptual
        distance + the quantiser's part + `adversarial` times the weighted verdict
        of the discriminator. Start with `adversarial` 0: there is nothing to judge
        in the first pictures.
        """
        quantized = self.quantizer(self.encoder(images))
        painted = self.decoder(quantized.vectors).float()
        pixels, seen = F.l1_loss(painted, images), self.perceptual(painted, images)
        total = pixels + seen + quantized.loss
        alive, perplexity = codes_alive(quantized.codes, self.config.num_codes)
        parts = {
            "reconstruction": pixels.detach(),
            "perceptual": seen.detach(),
            "codebook": quantized.loss.detach(),
        }
        parts |= {"codes_alive": alive, "perplexity": perplexity}
        if adversarial > 0:
            with _not_learning(self.discriminator):
                verdict = hinge_generator_loss(self.discriminator(painted))
            weight = adaptive_weight(pixels + seen, verdict, self.last_layer)
            total = total + adversarial * weight * verdict
            parts |= {"verdict": verdict.detach(), "weight": weight}
        return {"loss": total, **parts}

    def discriminator_loss(
        self, images: Float[Tensor, "n 3 H W"]
    ) -> Float[Tensor, ""]:
        """The discriminator's hinge loss: real pictures against the codec's,
        through which no gradient goes back.
        """
        with torch.no_grad():
            painted = self.decode(self.encode(images)).float()
        return hinge_discriminator_loss(
            self.discriminator(images), self.discriminator(painted)
        )
