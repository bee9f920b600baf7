"""VQGAN: a VQ-VAE with a perceptual loss and an adversarial loss.

Squared error prefers the mean of two sharp answers, which is blurred. VQGAN adds
two losses (Esser et al. 2021, section 3.1). The perceptual one is a distance
between the features that a trained network finds in both pictures. The adversarial
one comes from a patch discriminator, trained to tell decoded patches from real
ones. Its weight is adapted so that, on the decoder's last layer, its gradient is as
strong as that of the reconstruction. Lesson 09.

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
    """The distance between the features of two pictures in a trained network.

    At each layer, each position's features are made a unit vector (zeros stay
    zeros), and their squared distance, summed over channels, is averaged over
    positions and pictures; the result is the mean over layers (LPIPS, Zhang et al.
    2018, without their learned weights).

    `features` is a trained stack of layers, here one that this project trains
    itself. It is frozen, and read after each ReLU.
    """

    def __init__(self, features: nn.Sequential):
        super().__init__()
        self.features = features.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "PerceptualDistance":
        """Stay in evaluation mode: the features do not learn."""
        return super().train(False)

    def forward(
        self, first: Float[Tensor, "n 3 H W"], second: Float[Tensor, "n 3 H W"]
    ) -> Float[Tensor, ""]:
        """The distance, from 0 for equal pictures to 4 at most."""
        distances = []
        for layer in self.features:
            first, second = layer(first), layer(second)
            if isinstance(layer, nn.ReLU):
                difference = F.normalize(first, dim=1) - F.normalize(second, dim=1)
                distances.append(difference.square().sum(dim=1).mean())
        return torch.stack(distances).mean()


def adaptive_weight(
    reconstruction: Float[Tensor, ""],
    adversarial: Float[Tensor, ""],
    last_layer: Tensor,
    most: float = 1e4,
) -> Float[Tensor, ""]:
    """The weight of the adversarial loss that balances it with reconstruction.

    It is the norm of the gradient of `reconstruction` on the decoder's last layer,
    divided by that of `adversarial` + 1e-4 (Esser et al. 2021, equation 7), and at
    most `most`. It is returned without gradient. Both losses can still be
    backpropagated afterwards, and no `grad` is filled in.
    """
    (wanted,) = torch.autograd.grad(reconstruction, last_layer, retain_graph=True)
    (given,) = torch.autograd.grad(adversarial, last_layer, retain_graph=True)
    return (wanted.norm() / (given.norm() + 1e-4)).clamp(max=most).detach()


@contextmanager
def _not_learning(network: nn.Module) -> Iterator[None]:
    """Freeze a network inside the block; gradients still pass through it."""
    learning = [p for p in network.parameters() if p.requires_grad]
    try:
        for parameter in learning:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)


class VQGAN(VQVAE):
    """A VQ-VAE trained with a perceptual distance and a patch discriminator.

    `loss` gives gradients to the encoder, the codebook and the decoder alone, and
    `discriminator_loss` to the discriminator alone, so that they may be added up or
    taken in turns. Pictures are in [-1, 1].
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
        """The weights of the decoder's last layer, which paints the pixels."""
        return [p for p in self.decoder.parameters() if p.ndim > 1][-1]

    def codec_parameters(self) -> list[nn.Parameter]:
        """The parameters that `loss` trains."""
        return [
            p
            for part in (self.encoder, self.decoder, self.quantizer)
            for p in part.parameters()
            if p.requires_grad
        ]

    def loss(
        self, images: Float[Tensor, "n 3 H W"], adversarial: float = 0.0
    ) -> dict[str, Float[Tensor, ""]]:
        """The loss of encoder, codebook and decoder, and its named parts.

        It is the absolute error + the perceptual distance + the quantiser's part +
        `adversarial` times the weighted loss from the discriminator (`verdict`).
        Training starts with `adversarial` 0, because the first pictures are too far
        from real for the discriminator to help.
        """
        quantized = self.quantizer(self.encoder(images))
        painted = self.decoder(quantized.vectors).float()
        pixels = F.l1_loss(painted, images)
        perceptual = self.perceptual(painted, images)
        total = pixels + perceptual + quantized.loss
        alive, perplexity = codes_alive(quantized.codes, self.config.num_codes)
        parts = {
            "reconstruction": pixels.detach(),
            "perceptual": perceptual.detach(),
            "codebook": quantized.loss.detach(),
            "codes_alive": alive,
            "perplexity": perplexity,
        }
        if adversarial > 0:
            with _not_learning(self.discriminator):
                verdict = hinge_generator_loss(self.discriminator(painted))
            weight = adaptive_weight(pixels + perceptual, verdict, self.last_layer)
            total = total + adversarial * weight * verdict
            parts |= {"verdict": verdict.detach(), "weight": weight}
        return {"loss": total, **parts}

    def discriminator_loss(
        self, images: Float[Tensor, "n 3 H W"]
    ) -> Float[Tensor, ""]:
        """The discriminator's hinge loss: real pictures against decoded ones.

        No gradient goes back to the decoder.
        """
        with torch.no_grad():
            painted = self.decode(self.encode(images)).float()
        return hinge_discriminator_loss(
            self.discriminator(images), self.discriminator(painted)
        )
