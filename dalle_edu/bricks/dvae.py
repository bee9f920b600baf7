"""The discrete VAE (dVAE): a picture to a small grid of codes, and back.

The encoder gives each position of the grid a distribution over k codes; the decoder
paints from the codes chosen. Choosing is not differentiable, so training samples a
*soft* choice with the Gumbel-softmax (Jang et al. 2017; Maddison et al. 2017). Its
temperature falls until soft and hard choices nearly agree. This is stage one of
DALL·E 1 (Ramesh et al. 2021, section 2.1), on a grid of 32 x 32 there and of 8 x 8
here. Lesson 11.

Letters: n pictures, c colour channels, k codes, d channels of a code, h x w
positions on the grid, H x W pixels, p x q pixels of a patch.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.codebook import (
    CodecConfig,
    codes_alive,
    patch_decoder,
    patch_encoder,
)


def gumbel_softmax(
    logits: Float[Tensor, "*n k"],
    temperature: float,
    hard: bool = False,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "*n k"]:
    """Sample a code for each position, softly (Gumbel-softmax).

    The sample is softmax((logits + Gumbel noise) / temperature): k positive numbers
    of sum 1 (Jang et al. 2017; Maddison et al. 2017). As the temperature falls
    towards 0, it tends to a one-hot vector with the probabilities softmax(logits).

    With `hard`, the result *is* that one-hot vector, while its gradient is still
    that of the soft sample (straight-through, Bengio et al. 2013). Lesson 11.
    """
    uniform = torch.empty_like(logits).uniform_(1e-7, 1, generator=generator)
    gumbel = uniform.log_().neg_().clamp_(min=1e-7).log_().neg_()  # -log(-log u)
    soft = ((logits + gumbel) / temperature).softmax(dim=-1)
    if not hard:
        return soft
    winner = soft.argmax(dim=-1, keepdim=True)
    one_hot = torch.zeros_like(soft).scatter_(-1, winner, 1.0)
    return one_hot + soft - soft.detach()


def temperature_at(
    progress: float, start: float = 1.0, end: float = 1 / 4, until: float = 0.75
) -> float:
    """The Gumbel-softmax's temperature after a part `progress` of training.

    Its logarithm follows half a cosine from `start` to `end`, which it reaches when
    `progress`, from 0 to 1, is `until`. DALL·E 1's temperature falls to 1/16.
    Colder samples make noisier gradients, and our choices are nearly one-hot well
    before.
    """
    fall = 0.5 * (1 - math.cos(math.pi * min(progress / until, 1.0)))
    return start * (end / start) ** fall


def kl_to_uniform(log_q: Float[Tensor, "*n k"]) -> Float[Tensor, ""]:
    """KL(q || uniform) = log k - H(q), in nats per position.

    It is the mean over batch and grid, so that neither size changes its weight.
    Lesson 11.
    """
    return math.log(log_q.shape[-1]) + (log_q.exp() * log_q).sum(dim=-1).mean()


def codebook_entropy(
    log_q: Float[Tensor, "*n k"], weight: Float[Tensor, "*n"] | None = None
) -> Float[Tensor, ""]:
    """The entropy, in nats, of the mean distribution over codes in a batch.

    It is log k when all codes serve alike, and 0 when one code does everything.
    `weight` says how much each position counts in the mean (equally, unless given).
    Lesson 11.
    """
    q = log_q.exp().flatten(0, -2)
    if weight is None:
        mean = q.mean(dim=0)
    else:
        mean = weight.flatten() @ q / weight.sum().clamp(min=1e-6)
    return torch.special.entr(mean).sum()


def patch_contrast(
    images: Float[Tensor, "n c H W"], grid: int
) -> Float[Tensor, "n h w"]:
    """The standard deviation of the pixels in each patch; 0 where it is flat.

    The picture is divided into `grid` x `grid` patches.
    """
    division = "n c (h p) (w q) -> n h w (c p q)"
    return rearrange(images, division, h=grid, w=grid).std(dim=-1)


def reconstruction_loss(
    painted: Float[Tensor, "n c H W"], images: Float[Tensor, "n c H W"]
) -> Float[Tensor, ""]:
    """The mean squared error plus the mean absolute error of a pixel.

    The squared error serves large areas, the absolute error sharp edges.
    """
    return F.mse_loss(painted, images) + F.l1_loss(painted, images)


@dataclass(frozen=True)
class DVAEConfig(CodecConfig):
    """The shape of a discrete VAE and the weights of its loss.

    `sharpness` is the logit of a perfect match between what the encoder gives and a
    code. A low one spreads each position over hundreds of codes that mean nearly
    the same. A high one uses fewer codes, and positions move between them more
    slowly. With `straight_through`, training samples hard choices.
    """

    sharpness: float = 48.0
    kl_weight: float = 0.0
    entropy_weight: float = 0.02
    straight_through: bool = False


class DiscreteVAE(nn.Module):
    """The discrete VAE: an encoder, a codebook, a decoder.

    Pictures are (n, 3, resolution, resolution) in [-1, 1]; codes are whole numbers
    below `num_codes`, (n, grid, grid).

    The encoder gives a direction for each position. The logit of a code is the
    cosine between that direction and the code's own, times `sharpness`. DALL·E 1's
    encoder gives one free logit for each code instead; at our size most of those
    codes are out of use within a minute. Comparing directions keeps every code near
    some patch (the l2-normalised codes of Yu et al. 2022, section 3.2).
    """

    def __init__(self, config: DVAEConfig):
        super().__init__()
        self.config = config
        self.encoder, self.decoder = patch_encoder(config), patch_decoder(config)
        self.codebook = nn.Embedding(config.num_codes, config.code_dim)

    @torch.no_grad()
    def initialise_codebook(
        self,
        images: Float[Tensor, "n 3 H W"],
        generator: torch.Generator | None = None,
    ) -> None:
        """Put the codes where the encoder puts patches of pictures in [-1, 1].

        Directions sampled at random are far from those of an untrained encoder,
        and most of them never become the nearest of any patch. Here each code
        takes the direction of a patch and keeps its own length. Codebooks are
        initialised from a first batch in SoundStream too, there by k-means
        (Zeghidour et al. 2021, section III.C).

        Patches are sampled without replacement, each with a probability that grows
        with its contrast, so that few codes go to blank paper. Where there are
        fewer patches than codes, the last codes stay as they are.
        """
        vectors = self.encoder(images).permute(0, 2, 3, 1).flatten(0, 2).float()
        contrast = patch_contrast(images.float(), self.config.grid).flatten()
        count = min(len(vectors), self.config.num_codes)
        chosen = torch.multinomial(contrast + 1e-3, count, generator=generator)
        codes = self.codebook.weight[:count]
        lengths = torch.linalg.vector_norm(codes.float(), dim=-1, keepdim=True)
        codes.copy_(F.normalize(vectors[chosen], dim=-1) * lengths)

    def logits(self, images: Float[Tensor, "n 3 H W"]) -> Float[Tensor, "n h w k"]:
        """How well each code fits each position: cosine times `sharpness`."""
        vectors = self.encoder(images).permute(0, 2, 3, 1).float()
        directions = F.normalize(vectors, dim=-1)
        return self.config.sharpness * directions @ self.code_directions().T

    def code_directions(self) -> Float[Tensor, "k d"]:
        """The codebook, each code a unit vector."""
        return F.normalize(self.codebook.weight, dim=-1)

    @torch.no_grad()
    def encode(self, images: Float[Tensor, "n 3 H W"]) -> Int[Tensor, "n h w"]:
        """The most likely code at each position."""
        return self.logits(images).argmax(dim=-1)

    def decode(self, codes: Int[Tensor, "n h w"]) -> Float[Tensor, "n 3 H W"]:
        """The picture that a grid of codes stands for."""
        chosen = self.code_directions()[codes]
        return self.decoder(chosen.permute(0, 3, 1, 2))

    def decode_soft(
        self, choice: Float[Tensor, "n h w k"]
    ) -> Float[Tensor, "n 3 H W"]:
        """The picture of a mixture of codes at each position.

        `choice` holds the weights of the codes, whose sum is 1: a mixture is a
        point in the convex hull of the codebook.
        """
        mixed = choice @ self.code_directions()
        return self.decoder(mixed.permute(0, 3, 1, 2))

    def loss(
        self,
        images: Float[Tensor, "n 3 H W"],
        temperature: float,
        generator: torch.Generator | None = None,
    ) -> dict[str, Float[Tensor, ""]]:
        """The loss and its named parts.

        The loss is reconstruction + kl_weight * KL - entropy_weight * codebook
        entropy. In the entropy each patch counts for its contrast, because codes
        are wanted where there is something to see.
        """
        log_q = self.logits(images).float().log_softmax(dim=-1)
        choice = gumbel_softmax(
            log_q, temperature, self.config.straight_through, generator
        )
        painted = self.decode_soft(choice).float()
        reconstruction = reconstruction_loss(painted, images)
        kl = kl_to_uniform(log_q)
        contrast = patch_contrast(images, self.config.grid)
        entropy = codebook_entropy(log_q, contrast)
        total = (
            reconstruction
            + self.config.kl_weight * kl
            - self.config.entropy_weight * entropy
        )
        likeliest = log_q.detach().argmax(dim=-1)
        alive, perplexity = codes_alive(likeliest, self.config.num_codes)
        return {
            "loss": total,
            "reconstruction": reconstruction.detach(),
            "kl": kl.detach(),
            "entropy": entropy.detach(),
            "codes_alive": alive,
            "perplexity": perplexity,
        }

    def decoder_loss(
        self, images: Float[Tensor, "n 3 H W"]
    ) -> dict[str, Float[Tensor, ""]]:
        """The reconstruction loss of the decoder alone, from the likeliest codes.

        Once training is over, the decoder paints from these. Soft choices mix in a
        little of other codes, and the decoder comes to rely on it; a last stage of
        training on this loss corrects that. Encoder and codebook get no gradient.
        """
        chosen = self.code_directions().detach()[self.encode(images)]
        painted = self.decoder(chosen.permute(0, 3, 1, 2)).float()
        return {"loss": reconstruction_loss(painted, images)}
