"""The discrete VAE: a picture becomes a small grid of codes, and a grid of codes
becomes a picture again.

The encoder gives each position of the grid a distribution over K codes; the decoder
paints from the codes chosen. Choosing is not differentiable, so training draws a
*soft* choice with the Gumbel-softmax (Jang et al. 2017; Maddison et al. 2017), and
its temperature falls until soft and hard choices meet. This is stage one of DALL·E
1 (Ramesh et al. 2021, section 2.1), on a 32 x 32 grid there and an 8 x 8 grid here.
Lesson 08.

Letters: n pictures, k codes, h x w positions on the grid, H x W pixels.
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
    """Draw a code for each position, softly: softmax((logits + Gumbel noise) /
    temperature).

    As the temperature falls towards 0 the draw tends to a one-hot vector with the
    probabilities softmax(logits). With `hard`, the result *is* that one-hot vector
    while its gradient is still the soft one's (straight-through, Bengio et al.
    2013).
    """
    uniform = torch.empty_like(logits).uniform_(1e-7, 1, generator=generator)
    gumbel = uniform.log_().neg_().clamp_(min=1e-7).log_().neg_()  # -log(-log u)
    soft = ((logits + gumbel) / temperature).softmax(dim=-1)
    if not hard:
        return soft
    one_hot = torch.zeros_like(soft).scatter_(
        -1, soft.argmax(dim=-1, keepdim=True), 1.0
    )
    return one_hot + soft - soft.detach()


def temperature_at(
    progress: float, start: float = 1.0, end: float = 1 / 4, until: float = 0.75
) -> float:
    """The temperature after a part `progress` of training: a half cosine from
    `start` to `end`, reached at `until`, in the logarithm.

    DALL·E's falls to 1/16. Colder draws make noisier gradients, and our choices are
    nearly one-hot well before.
    """
    fall = 0.5 * (1 - math.cos(math.pi * min(progress / until, 1.0)))
    return start * (end / start) ** fall


def kl_to_uniform(log_q: Float[Tensor, "*n k"]) -> Float[Tensor, ""]:
    """KL(q || uniform) = log k - H(q), in nats per position: the mean over batch
    and grid, so that neither size changes its weight.
    """
    return math.log(log_q.shape[-1]) + (log_q.exp() * log_q).sum(dim=-1).mean()


def codebook_entropy(
    log_q: Float[Tensor, "*n k"], weight: Float[Tensor, "*n"] | None = None
) -> Float[Tensor, ""]:
    """The entropy, in nats, of the mean distribution over codes in a batch: log k
    when all codes serve alike, 0 when one code does everything.

    `weight` says how much each position counts in the mean (equally, unless given).
    """
    q = log_q.exp().flatten(0, -2)
    mean = (
        q.mean(dim=0)
        if weight is None
        else weight.flatten() @ q / weight.sum().clamp(min=1e-6)
    )
    return torch.special.entr(mean).sum()


def patch_contrast(
    images: Float[Tensor, "n c H W"], grid: int
) -> Float[Tensor, "n h w"]:
    """The standard deviation of the pixels in each patch of a `grid` x `grid`
    division: 0 where a picture is flat.
    """
    return rearrange(
        images, "n c (h p) (w q) -> n h w (c p q)", h=grid, w=grid
    ).std(dim=-1)


def reconstruction_loss(
    painted: Float[Tensor, "n c H W"], images: Float[Tensor, "n c H W"]
) -> Float[Tensor, ""]:
    """The mean square and the mean absolute error of a pixel: the one for large
    areas, the other for sharp edges.
    """
    return F.mse_loss(painted, images) + F.l1_loss(painted, images)


@dataclass(frozen=True)
class DVAEConfig(CodecConfig):
    """The shape of a discrete VAE.

    `sharpness` is the logit of a perfect match between what the encoder says and a
    code: a low one spreads each position over hundreds of near-synonyms, a high one
    uses fewer codes and learns more slowly to move between them.
    """

    sharpness: float = 48.0
    kl_weight: float = 0.0
    entropy_weight: float = 0.02
    straight_through: bool = False


class DiscreteVAE(nn.Module):
    """Encoder, codebook, decoder.

    Pictures are (n, 3, resolution, resolution) in [-1, 1]; codes are whole numbers
    below `num_codes`, (n, grid, grid).

    The encoder says a direction for each position, and the logit of a code is how
    well its own direction agrees: the cosine, times `sharpness`. DALL·E's encoder
    gives one free logit a code instead; at our size most of those die within a
    minute, while directions that are compared keep every code near some patch (the
    l2-normalised codes of Yu et al. 2022, section 3.2).
    """

    def __init__(self, config: DVAEConfig):
        super().__init__()
        self.config = config
        self.encoder, self.decoder = patch_encoder(config), patch_decoder(config)
        self.codebook = nn.Embedding(config.num_codes, config.code_dim)

    def logits(self, images: Float[Tensor, "n 3 H W"]) -> Float[Tensor, "n h w k"]:
        """For each position of the grid, how well each code agrees with it."""
        directions = F.normalize(
            self.encoder(images).permute(0, 2, 3, 1).float(), dim=-1
        )
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
        return self.decoder(self.code_directions()[codes].permute(0, 3, 1, 2))

    def decode_soft(
        self, choice: Float[Tensor, "n h w k"]
    ) -> Float[Tensor, "n 3 H W"]:
        """The picture of a mixture of codes at each position: a point in the convex
        hull of the codebook.
        """
        return self.decoder((choice @ self.code_directions()).permute(0, 3, 1, 2))

    def loss(
        self,
        images: Float[Tensor, "n 3 H W"],
        temperature: float,
        generator: torch.Generator | None = None,
    ) -> dict[str, Float[Tensor, ""]]:
        """The loss and its named parts: reconstruction + kl_weight * KL -
        entropy_weight * codebook entropy.

        In the entropy each patch counts for its contrast: the codes are wanted
        where something is to be seen.
        """
        log_q = self.logits(images).float().log_softmax(dim=-1)
        choice = gumbel_softmax(
            log_q, temperature, self.config.straight_through, generator
        )
        painted = self.decode_soft(choice).float()
        reconstruction = reconstruction_loss(painted, images)
        kl, entropy = (
            kl_to_uniform(log_q),
            codebook_entropy(log_q, patch_contrast(images, self.config.grid)),
        )
        total = (
            reconstruction
            + self.config.kl_weight * kl
            - self.config.entropy_weight * entropy
        )
        alive, perplexity = codes_alive(
            log_q.detach().argmax(dim=-1), self.config.num_codes
        )
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
        """What the decoder loses on the likeliest codes, the ones that it paints
        from once training is over.

        Soft choices let a little of other codes through, and the decoder comes to
        count on it; a last stage without them mends that. The codes themselves stay
        as they are.
        """
        chosen = self.code_directions().detach()[self.encode(images)]
        return {
            "loss": reconstruction_loss(
                self.decoder(chosen.permute(0, 3, 1, 2)).float(), images
            )
        }
