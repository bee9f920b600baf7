"""Vector quantisation: a vector becomes the number of its nearest code.

A picture becomes a small grid of such numbers. Choosing a code has no gradient, so
the gradient is copied straight across the choice. The codes of the codebook move
towards the vectors that chose them, and a commitment loss keeps the encoder near
its choice. With an encoder and a decoder around it, this is the VQ-VAE (van den
Oord et al. 2017). Lesson 08.

Letters: n pictures, k codes, d channels of a code, h x w positions on the grid, H x
W pixels, m vectors.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.convolution import Patchify, Unpatchify, residual_stack
from dalle_edu.errors import DalleEduError

# ------------------------------------------------------------------ choosing a code


def nearest_code(
    vectors: Float[Tensor, "*m d"], codebook: Float[Tensor, "k d"]
) -> Int[Tensor, "*m"]:
    """The number of the code nearest to each vector, by Euclidean distance.

    The codes are the rows of `codebook`, numbered from 0; of equally near ones, the
    first is taken. |v - c|² = |v|² - 2 v·c + |c|², and |v|² is the same for all
    codes, so that one matrix product is enough.
    """
    return (codebook.square().sum(dim=-1) - 2 * vectors @ codebook.T).argmin(dim=-1)


def straight_through(
    vectors: Float[Tensor, "*m d"], quantized: Float[Tensor, "*m d"]
) -> Float[Tensor, "*m d"]:
    """The straight-through estimator: the codes, with the vectors' gradient.

    The value is that of `quantized`. The gradient that reaches it goes on to
    `vectors`, unchanged, and none goes to `quantized` (Bengio et al. 2013).
    """
    return vectors + (quantized - vectors).detach()


def vq_losses(
    vectors: Float[Tensor, "*m d"],
    quantized: Float[Tensor, "*m d"],
    beta: float = 0.25,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The codebook loss and the commitment loss, as means over all entries.

    They are the last two terms of equation 3 of van den Oord et al. (2017); sg
    stops the gradient. The codebook loss, the first, |sg[v] - c|², moves the codes
    towards the vectors. The commitment loss, |v - sg[c]|² times `beta`, keeps the
    vectors near their codes.
    """
    codebook_loss = F.mse_loss(quantized, vectors.detach())
    commitment = beta * F.mse_loss(vectors, quantized.detach())
    return codebook_loss, commitment


@torch.no_grad()
def codes_alive(
    codes: Int[Tensor, "n h w"], num_codes: int
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """How many codes a batch uses: those that occur, and the perplexity.

    The perplexity is the exponential of the entropy, in nats, of the frequencies of
    the codes among all positions of all pictures; it goes from 1 to `num_codes`. A
    code that does not occur adds nothing to it. Both results are single numbers in
    tensors of float32; they stay on the device, because reading their values waits
    for the GPU.
    """
    ones = torch.ones(codes.numel(), device=codes.device)
    counts = torch.zeros(num_codes, device=codes.device)
    counts.scatter_add_(0, codes.flatten(), ones)
    frequencies = counts / counts.sum()
    perplexity = torch.special.entr(frequencies).sum().exp()
    return (counts > 0).float().sum(), perplexity


class Quantized(NamedTuple):
    """The output of a vector quantiser.

    `codes` are the numbers of the codes chosen, `vectors` the codes themselves with
    the straight-through gradient, and `loss` the quantiser's part of the loss.
    """

    codes: Int[Tensor, "n h w"]
    vectors: Float[Tensor, "n d h w"]
    loss: Float[Tensor, ""]


class VectorQuantizer(nn.Module):
    """A codebook that follows the vectors it quantises.

    With `decay` None the codes move by gradient (the codebook loss). With a decay
    they are moving averages of the vectors that chose them, which needs no learning
    rate (van den Oord et al. 2017, appendix A.1). A code that no vector chooses
    never moves again, until `revive` puts it where the vectors are.

    `counts` holds the moving average of how many vectors of a batch choose each
    code, and `sums` that of the sum of those vectors.

    Raises `DalleEduError` for a size below 1, a negative `beta`, or a `decay`
    outside [0, 1).
    """

    counts: Tensor
    sums: Tensor

    def __init__(
        self,
        num_codes: int,
        code_dim: int,
        beta: float = 0.25,
        decay: float | None = 0.99,
    ):
        super().__init__()
        _check_settings(num_codes, code_dim, beta, decay)
        self.num_codes, self.beta, self.decay = num_codes, beta, decay
        self.codebook = nn.Parameter(
            torch.randn(num_codes, code_dim), requires_grad=decay is None
        )
        self.register_buffer("counts", torch.ones(num_codes))
        self.register_buffer("sums", self.codebook.detach().clone())

    def forward(self, vectors: Float[Tensor, "n d h w"]) -> Quantized:
        """Replace each vector by its nearest code.

        A vector has the d channels of one position. The loss is the commitment
        loss; without a decay the codebook loss is added to it. With a decay, and in
        training only, the codebook then follows the vectors; what is returned is
        still made of the codes as they were.

        Raises `DalleEduError` for vectors of another width than the codes.
        """
        _check_width(vectors, self.codebook)
        last = rearrange(vectors, "n d h w -> n h w d").float()
        codes = nearest_code(last, self.codebook)
        quantized = self.codebook[codes]
        codebook_loss, commitment = vq_losses(last, quantized, self.beta)
        if self.training and self.decay is not None:
            self.follow(last.detach().flatten(0, 2), codes.flatten(), self.decay)
        loss = commitment if self.decay is not None else codebook_loss + commitment
        chosen = rearrange(straight_through(last, quantized), "n h w d -> n d h w")
        return Quantized(codes, chosen, loss)

    @torch.no_grad()
    def follow(
        self, vectors: Float[Tensor, "m d"], codes: Int[Tensor, " m"], decay: float
    ) -> None:
        """Update the moving averages, then the codes that they define.

        A moving average keeps the share `decay` of itself and takes 1 - decay of
        the batch's value: for `counts` how many vectors chose each code, for `sums`
        the sum of those vectors. A code is its sum divided by its count, smoothed
        as (count + ε) / (total + k ε) total, where ε is 1e-5 and total adds up the
        counts.
        """
        chosen = F.one_hot(codes, self.num_codes).to(vectors.dtype)
        self.counts.lerp_(chosen.sum(dim=0), 1 - decay)
        # in half precision, a moving average loses its many small steps
        with torch.autocast(vectors.device.type, enabled=False):
            self.sums.lerp_(chosen.T @ vectors, 1 - decay)
        total = self.counts.sum()
        # Laplace smoothing: no division by zero where no vector chose the code
        smoothed = (self.counts + 1e-5) / (total + self.num_codes * 1e-5) * total
        self.codebook.copy_(self.sums / smoothed.unsqueeze(1))

    @torch.no_grad()
    def revive(
        self,
        vectors: Float[Tensor, "n d h w"],
        threshold: float = 0.1,
        generator: torch.Generator | None = None,
    ) -> Int[Tensor, ""]:
        """Move rarely chosen codes onto vectors of the batch; return how many.

        These are the codes whose moving count is below `threshold`. Each becomes a
        vector of the batch, sampled for it alone with `generator`, every one as
        likely. Its row of `sums` becomes that vector and its count 1, as if one
        vector had just chosen it.
        """
        flat = rearrange(vectors, "n d h w -> (n h w) d").float()
        picked = torch.randint(
            len(flat), (self.num_codes,), generator=generator, device=flat.device
        )
        replacements = flat[picked]
        dead = self.counts < threshold
        rows = dead.unsqueeze(1)
        self.codebook.copy_(torch.where(rows, replacements, self.codebook))
        self.sums.copy_(torch.where(rows, replacements, self.sums))
        self.counts.masked_fill_(dead, 1.0)
        return dead.sum()


def _check_settings(
    num_codes: int, code_dim: int, beta: float, decay: float | None
) -> None:
    makes_sense = num_codes >= 1 and code_dim >= 1 and beta >= 0
    if not makes_sense or not (decay is None or 0 <= decay < 1):
        given = (
            f"{num_codes} codes, {code_dim} channels, beta {beta}, decay {decay}"
        )
        raise DalleEduError(
            f"{given}: a codebook has codes and channels, a beta of 0 or more, "
            "and a decay of 0 to 1 (1 excluded) or none",
            f"{given} : un codebook a des codes et des canaux, un beta positif "
            "ou nul, et un decay de 0 à 1 (exclu) ou aucun",
        )


def _check_width(vectors: Tensor, codebook: Tensor) -> None:
    if vectors.shape[1] != codebook.shape[1]:
        raise DalleEduError(
            f"the vectors have {vectors.shape[1]} channels and the codes "
            f"{codebook.shape[1]}; give both as many",
            f"les vecteurs ont {vectors.shape[1]} canaux et les codes "
            f"{codebook.shape[1]} ; donnez-leur le même nombre",
        )


# -------------------------------------------------------------- around the codebook


@dataclass(frozen=True)
class CodecConfig:
    """The shape of an encoder and a decoder around a codebook.

    `resolution` is the side of a picture and `grid` that of its grid of codes, so
    that each code stands for a patch of `resolution / grid` pixels on a side.
    """

    resolution: int = 64
    grid: int = 8
    num_codes: int = 256
    width: int = 64
    depth: int = 2
    code_dim: int = 32


def patch_encoder(config: CodecConfig) -> nn.Sequential:
    """The encoder: a picture to one vector for each of its patches.

    It takes (n, 3, resolution, resolution) and gives (n, code_dim, grid, grid). It
    looks at each patch alone, so that equal patches get equal codes. An encoder
    that sees the neighbours writes something about them into every code of the
    empty background, and the network that must predict those codes learns little
    else.
    """
    width = 4 * config.width
    return nn.Sequential(
        Patchify(3, width, config.resolution // config.grid),
        residual_stack(width, config.depth, kernel_size=1),
        nn.ReLU(),
        nn.Conv2d(width, config.code_dim, kernel_size=1),
    )


def patch_decoder(config: CodecConfig) -> nn.Sequential:
    """The decoder: a vector for each patch to a picture.

    It takes (n, code_dim, grid, grid) and gives (n, 3, resolution, resolution).
    Unlike the encoder, it looks at neighbouring patches, too.
    """
    width, patch = config.width, config.resolution // config.grid
    return nn.Sequential(
        nn.Conv2d(config.code_dim, 2 * width, kernel_size=3, padding=1),
        residual_stack(2 * width, config.depth),
        Unpatchify(2 * width, width, 2),
        residual_stack(width, config.depth),
        nn.ReLU(),
        Unpatchify(width, 3, patch // 2),
    )


class VQVAE(nn.Module):
    """The VQ-VAE: an encoder, a vector quantiser, a decoder.

    Pictures are in [-1, 1]; codes are whole numbers below `num_codes`, (n, grid,
    grid). `beta` and `decay` are those of `VectorQuantizer`.
    """

    def __init__(
        self, config: CodecConfig, beta: float = 0.25, decay: float | None = 0.99
    ):
        super().__init__()
        self.config = config
        self.encoder, self.decoder = patch_encoder(config), patch_decoder(config)
        self.quantizer = VectorQuantizer(
            config.num_codes, config.code_dim, beta, decay
        )

    @torch.no_grad()
    def encode(self, images: Float[Tensor, "n 3 H W"]) -> Int[Tensor, "n h w"]:
        """The nearest code at each position."""
        vectors = self.encoder(images).permute(0, 2, 3, 1).float()
        return nearest_code(vectors, self.quantizer.codebook)

    def decode(self, codes: Int[Tensor, "n h w"]) -> Float[Tensor, "n 3 H W"]:
        """The picture that a grid of codes stands for."""
        vectors = self.quantizer.codebook[codes]
        return self.decoder(vectors.permute(0, 3, 1, 2))

    def loss(
        self, images: Float[Tensor, "n 3 H W"]
    ) -> dict[str, Float[Tensor, ""]]:
        """The loss and its named parts.

        "loss" is "reconstruction" + "codebook". The first is the mean squared error
        plus the mean absolute error between the pictures and what the decoder makes
        of the quantised vectors; the second is the quantiser's loss. "codes_alive"
        and "perplexity" say how many codes the batch uses. All but "loss" are
        detached.
        """
        quantized = self.quantizer(self.encoder(images))
        painted = self.decoder(quantized.vectors).float()
        reconstruction = F.mse_loss(painted, images) + F.l1_loss(painted, images)
        alive, perplexity = codes_alive(quantized.codes, self.config.num_codes)
        return {
            "loss": reconstruction + quantized.loss,
            "reconstruction": reconstruction.detach(),
            "codebook": quantized.loss.detach(),
            "codes_alive": alive,
            "perplexity": perplexity,
        }
