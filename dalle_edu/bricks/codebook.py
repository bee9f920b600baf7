"""The codebook: continuous vectors become numbers from a list, and a picture a grid
of such numbers.

A vector quantiser replaces each vector by the nearest code of a codebook. Choosing
has no gradient, so the gradient is copied straight across it; the codes follow the
vectors that chose them, and the encoder is asked to commit to its choice. With an
encoder and a decoder around it, it is the VQ-VAE (van den Oord et al. 2017). Lesson
08.

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

# ---------------------------------------------------------------- choosing a code


def nearest_code(
    vectors: Float[Tensor, "*m d"], codebook: Float[Tensor, "k d"]
) -> Int[Tensor, "*m"]:
    """The number of the code nearest to each vector (Euclidean distance; the first
    of equals).

    |v - c|² = |v|² - 2 v·c + |c|², and |v|² is the same for all codes: one matrix
    product does.
    """
    return (codebook.square().sum(dim=-1) - 2 * vectors @ codebook.T).argmin(dim=-1)


def straight_through(
    vectors: Float[Tensor, "*m d"], quantized: Float[Tensor, "*m d"]
) -> Float[Tensor, "*m d"]:
    """The codes, with the gradient of the vectors: what comes back to a code goes
    on to the vector that chose it (Bengio et al. 2013).
    """
    return vectors + (quantized - vectors).detach()


def vq_losses(
    vectors: Float[Tensor, "*m d"],
    quantized: Float[Tensor, "*m d"],
    beta: float = 0.25,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The last two terms of equation 3 of van den Oord et al. (2017), as means over
    all entries.

    The codebook loss |sg[v] - c|² moves the codes towards the vectors; beta times
    the commitment loss |v - sg[c]|² keeps the vectors near their codes.
    """
    return F.mse_loss(quantized, vectors.detach()), beta * F.mse_loss(
        vectors, quantized.detach()
    )


@torch.no_grad()
def codes_alive(
    codes: Int[Tensor, "n h w"], num_codes: int
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """How many codes a batch uses: the number that occur at all, and the perplexity
    (the exponential of the entropy of their frequencies).

    Both stay tensors on the device: reading them is the caller's choice, and the
    only moment that waits for the GPU.
    """
    counts = torch.zeros(num_codes, device=codes.device).scatter_add_(
        0, codes.flatten(), torch.ones(codes.numel(), device=codes.device)
    )
    frequencies = counts / counts.sum()
    return (counts > 0).float().sum(), torch.special.entr(frequencies).sum().exp()


class Quantized(NamedTuple):
    """What a quantiser makes of vectors: codes, their vectors (with the
    straight-through gradient), and its part of the loss.
    """

    codes: Int[Tensor, "n h w"]
    vectors: Float[Tensor, "n d h w"]
    loss: Float[Tensor, ""]


class VectorQuantizer(nn.Module):
    """A codebook that follows the vectors it is given.

    With `decay` None the codes move by gradient (the codebook loss); with a decay
    they are running means of the vectors that chose them, which needs no learning
    rate (van den Oord et al. 2017, appendix A.1). A code that nobody chooses any
    more would never move again: `revive` puts it where the vectors are.
    """

    counts: Tensor  # running number of vectors that choose each code
    sums: Tensor  # and running sum of those vectors

    def __init__(
        self,
        num_codes: int,
        code_dim: int,
        beta: float = 0.25,
        decay: float | None = 0.99,
    ):
        super().__init__()
        if (
            num_codes < 1
            or code_dim < 1
            or beta < 0
            or not (decay is None or 0 <= decay < 1)
        ):
            given = (
                f"{num_codes} codes, {code_dim} channels, "
                f"beta {beta}, decay {decay}"
            )
            raise DalleEduError(
                f"{given}: a codebook has codes and channels, a beta of 0 or more, "
                "and a decay of 0 to 1 (1 excluded) or none",
                f"{given} : un codebook a des codes et des canaux, un beta positif "
                "ou nul, et un decay de 0 à 1 (exclu) ou aucun",
            )
        self.num_codes, self.beta, self.decay = num_codes, beta, decay
        self.codebook = nn.Parameter(
            torch.randn(num_codes, code_dim), requires_grad=decay is None
        )
        self.register_buffer("counts", torch.ones(num_codes))
        self.register_buffer("sums", self.codebook.detach().clone())

    def forward(self, vectors: Float[Tensor, "n d h w"]) -> Quantized:
        """The codes, the vectors that stand for them (with the gradient of
        `vectors`), and the loss. In training the codebook follows.

        Raises `DalleEduError` for vectors of another width than the codes.
        """
        if vectors.shape[1] != self.codebook.shape[1]:
            raise DalleEduError(
                f"the vectors have {vectors.shape[1]} channels and the codes "
                f"{self.codebook.shape[1]}; give both as many",
                f"les vecteurs ont {vectors.shape[1]} canaux et les codes "
                f"{self.codebook.shape[1]} ; donnez-leur le même nombre",
            )
        last = rearrange(vectors, "n d h w -> n h w d").float()
        codes = nearest_code(last, self.codebook)
        quantized = self.codebook[codes]
        codebook_loss, commitment = vq_losses(last, quantized, self.beta)
        if self.training and self.decay is not None:
            self._follow(last.detach().flatten(0, 2), codes.flatten(), self.decay)
        loss = commitment if self.decay is not None else codebook_loss + commitment
        return Quantized(
            codes,
            rearrange(straight_through(last, quantized), "n h w d -> n d h w"),
            loss,
        )

    @torch.no_grad()
    def _follow(
        self, vectors: Float[Tensor, "m d"], codes: Int[Tensor, " m"], decay: float
    ) -> None:
        chosen = F.one_hot(codes, self.num_codes).to(vectors.dtype)
        self.counts.lerp_(chosen.sum(dim=0), 1 - decay)
        # running sums of many small steps want full precision
        with torch.autocast(vectors.device.type, enabled=False):
            self.sums.lerp_(chosen.T @ vectors, 1 - decay)
        total = self.counts.sum()
        # no division by zero where nobody chose
        smoothed = (self.counts + 1e-5) / (total + self.num_codes * 1e-5) * total
        self.codebook.copy_(self.sums / smoothed.unsqueeze(1))

    @torch.no_grad()
    def revive(
        self,
        vectors: Float[Tensor, "n d h w"],
        threshold: float = 0.1,
        generator: torch.Generator | None = None,
    ) -> Int[Tensor, ""]:
        """Move the codes whose running count is below `threshold` onto vectors of
        the batch taken at random; returns how many.
        """
        flat = rearrange(vectors, "n d h w -> (n h w) d").float()
        dead = self.counts < threshold
        picks = flat[
            torch.randint(
                len(flat),
                (self.num_codes,),
                generator=generator,
                device=flat.device,
            )
        ]
        self.codebook.copy_(torch.where(dead.unsqueeze(1), picks, self.codebook))
        self.sums.copy_(torch.where(dead.unsqueeze(1), picks, self.sums))
        self.counts.masked_fill_(dead, 1.0)
        return dead.sum()


# -------------------------------------------------------------- around the codebook


@dataclass(frozen=True)
class CodecConfig:
    """The shape of an encoder and a decoder around a codebook. `resolution / grid`
    is the side of the patch that one code stands for.
    """

    resolution: int = 64
    grid: int = 8
    num_codes: int = 256
    width: int = 64
    depth: int = 2
    code_dim: int = 32


def patch_encoder(config: CodecConfig) -> nn.Sequential:
    """Pictures of (n, 3, resolution, resolution) to vectors of (n, code_dim, grid,
    grid).

    It looks at each patch alone, so that equal patches get equal codes: an encoder
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
    """Vectors of (n, code_dim, grid, grid) to pictures of (n, 3, resolution,
    resolution). It does look around.
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
    """Encoder, vector quantiser, decoder. Pictures are in [-1, 1]; codes are whole
    numbers below `num_codes`, (n, grid, grid).
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
        return nearest_code(
            self.encoder(images).permute(0, 2, 3, 1).float(),
            self.quantizer.codebook,
        )

    def decode(self, codes: Int[Tensor, "n h w"]) -> Float[Tensor, "n 3 H W"]:
        """The picture that a grid of codes stands for."""
        return self.decoder(self.quantizer.codebook[codes].permute(0, 3, 1, 2))

    def loss(
        self, images: Float[Tensor, "n 3 H W"]
    ) -> dict[str, Float[Tensor, ""]]:
        """The loss and its named parts: reconstruction (mean squared and absolute
        error) + the quantiser's part.
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
