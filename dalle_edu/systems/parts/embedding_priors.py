"""Priors: from a caption to the CLIP embedding of a picture that it might be said
of (Ramesh et al. 2022, section 2.2).

Many pictures go with one caption, so a prior must *draw* an embedding, not compute
one. Both ways of the paper are here: by diffusion, in which a transformer looks at
the caption and at a noisy embedding and says the clean one; and number by number,
in which the embedding is cut down to its principal components, each rounded to one
of a few values, and a transformer writes these as it would write words.

Letters: n captions, t text tokens, c channels of CLIP's text tower, e channels of
an embedding, w channels of the prior, k components, b bins.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.decoding import sample_sequence
from dalle_edu.bricks.diffusion import denoiser, diffusion_loss
from dalle_edu.bricks.guidance import guided
from dalle_edu.bricks.noise_schedule import cosine_schedule
from dalle_edu.bricks.samplers import dpm_solver
from dalle_edu.bricks.transformer import Block
from dalle_edu.bricks.unet_blocks import sinusoidal_embedding

LATE = 0.02  # how fast the running moments of embeddings follow


@dataclass(frozen=True)
class PriorConfig:
    """The shape of a prior: a causal transformer over what is known of a caption,
    then over what is not yet known of the picture.
    """

    text_width: int = 128
    embedding: int = 128
    width: int = 128
    depth: int = 3
    heads: int = 4
    components: int = 24  # of the embeddings, for the prior that writes them
    bins: int = 64  # values that each may take


class PriorContext(nn.Module):
    """What a prior is told: the states of the caption's tokens and the caption's
    own embedding, as tokens of the prior's width.
    """

    def __init__(self, config: PriorConfig):
        super().__init__()
        self.words = nn.Linear(config.text_width, config.width, bias=False)
        self.caption = nn.Linear(config.embedding, config.width, bias=False)

    def forward(
        self, words: Float[Tensor, "n t c"], caption: Float[Tensor, "n e"]
    ) -> Float[Tensor, "n t+1 w"]:
        return torch.cat(
            [
                self.words(words),
                self.caption(caption * math.sqrt(caption.shape[1])).unsqueeze(1),
            ],
            dim=1,
        )


class DiffusionPrior(nn.Module):
    """Noise to embedding: the tokens are the caption's, the time, the noisy
    embedding, and a last one in which the clean one is read off.

    Embeddings are unit vectors; they diffuse multiplied by √e, so that their
    entries have variance 1.
    """

    def __init__(self, config: PriorConfig):
        super().__init__()
        self.config = config
        self.known = PriorContext(config)
        self.time = nn.Sequential(
            nn.Linear(config.width, config.width),
            nn.SiLU(),
            nn.Linear(config.width, config.width),
        )
        self.noisy = nn.Linear(config.embedding, config.width)
        self.answer = nn.Parameter(0.02 * torch.randn(config.width))
        self.blocks = nn.ModuleList(
            Block(config.width, config.heads) for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(config.width, bias=False)
        self.clean = nn.Linear(config.width, config.embedding, bias=False)
        self.schedule = cosine_schedule()

    def forward(
        self,
        x_t: Float[Tensor, "n e"],
        t: Int[Tensor, " n"],
        words: Float[Tensor, "n t c"],
        caption: Float[Tensor, "n e"],
    ) -> Float[Tensor, "n e"]:
        """The clean embedding that it believes in, scaled. Blank captions are all
        zeros.
        """
        time = self.time(sinusoidal_embedding(t, self.config.width).to(x_t.dtype))
        conditional = [
            time.unsqueeze(1),
            self.noisy(x_t).unsqueeze(1),
            self.answer.expand(len(x_t), 1, -1),
        ]
        x = torch.cat([self.known(words, caption), *conditional], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.clean(self.norm(x)[:, -1])

    def loss(
        self,
        embedding: Float[Tensor, "n e"],
        words: Float[Tensor, "n t c"],
        caption: Float[Tensor, "n e"],
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        """The mean squared error of the clean embedding (equation 2 of the
        paper).
        """
        x0 = embedding * math.sqrt(self.config.embedding)
        return {
            "loss": diffusion_loss(
                self,
                x0,
                self.schedule,
                "x0",
                generator=generator,
                words=words,
                caption=caption,
            )
        }

    def sample(
        self,
        noise: Float[Tensor, "n two_e"],
        words: Float[Tensor, "n t c"],
        caption: Float[Tensor, "n e"],
        guidance_scale: float = 1.0,
        steps: int = 10,
    ) -> Float[Tensor, "n e"]:
        """Unit vectors: of two draws for each caption, the one nearer to the
        caption's own embedding, as in the paper.
        """
        pairs = []
        for start in noise.chunk(2, dim=1):
            conditional = {"words": words, "caption": caption}
            unconditional = {
                "words": torch.zeros_like(words),
                "caption": torch.zeros_like(caption),
            }
            denoise = denoiser(
                guided(self, guidance_scale, conditional, unconditional),
                self.schedule,
                "x0",
            )
            pairs.append(
                F.normalize(
                    dpm_solver(denoise, start, self.schedule, steps), dim=-1
                )
            )
        scores = torch.stack(
            [(pair * caption).sum(dim=-1) for pair in pairs], dim=1
        )
        return torch.stack(pairs, dim=1)[
            torch.arange(len(noise), device=noise.device), scores.argmax(dim=1)
        ]


class AutoregressivePrior(nn.Module):
    """Component after component: each is one of `bins` values, given the caption
    and the components before it.
    """

    mean: Tensor  # of embeddings, running
    second: Tensor  # their running second moment, E[z zᵀ]
    basis: Tensor  # the principal directions, the widest first
    deviation: Tensor  # how far embeddings spread along each

    def __init__(self, config: PriorConfig):
        super().__init__()
        self.config = config
        e, k = config.embedding, config.components
        self.register_buffer("mean", torch.zeros(e))
        self.register_buffer("second", torch.eye(e) / e)
        self.register_buffer("basis", torch.eye(e)[:, :k].clone())
        self.register_buffer("deviation", torch.full((k,), e**-0.5))
        self.known = PriorContext(config)
        self.value = nn.Embedding(k * config.bins, config.width)
        self.start = nn.Parameter(0.02 * torch.randn(config.width))
        self.place = nn.Embedding(k, config.width)
        self.blocks = nn.ModuleList(
            Block(config.width, config.heads) for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(config.width, bias=False)
        self.head = nn.Linear(config.width, config.bins, bias=False)
        nn.init.normal_(self.value.weight, std=0.02)
        nn.init.normal_(self.place.weight, std=0.02)

    @property
    def _settled(self) -> bool:
        return not torch.equal(
            self.basis, torch.eye(*self.basis.shape, device=self.basis.device)
        )

    @torch.no_grad()
    def follow(self, embedding: Float[Tensor, "n e"]) -> None:
        """Let the running moments follow a batch of embeddings, until the
        components are fixed.
        """
        if self._settled:
            return
        z = embedding.float()
        self.mean.lerp_(z.mean(dim=0), LATE)
        with torch.autocast(z.device.type, enabled=False):
            self.second.lerp_(z.T @ z / len(z), LATE)

    @torch.no_grad()
    def settle(self) -> None:
        """Fix the components, once: the widest directions of what was followed, and
        the spread along each.
        """
        if self._settled:  # a network has learned to write in them
            return
        covariance = (self.second - torch.outer(self.mean, self.mean)).double()
        values, vectors = torch.linalg.eigh(covariance)
        # of two opposite directions, one
        signs = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True)).sign()
        k = self.config.components
        self.basis.copy_((vectors * signs).flip(1)[:, :k])
        self.deviation.copy_(values.flip(0)[:k].clamp(min=1e-8).sqrt())

    def to_codes(self, embedding: Float[Tensor, "n e"]) -> Int[Tensor, "n k"]:
        """Each component as the number of its bin; the bins share out three
        deviations to each side of the mean.
        """
        along = (embedding - self.mean) @ self.basis / self.deviation
        return (
            ((along + 3) / 6 * self.config.bins)
            .floor()
            .long()
            .clamp(0, self.config.bins - 1)
        )

    def to_embedding(self, codes: Int[Tensor, "n k"]) -> Float[Tensor, "n e"]:
        """The unit vector that the middles of bins stand for."""
        along = ((codes + 0.5) / self.config.bins * 6 - 3) * self.deviation
        return F.normalize(self.mean + along @ self.basis.T, dim=-1)

    def forward(
        self,
        codes: Int[Tensor, "n written"],
        words: Float[Tensor, "n t c"],
        caption: Float[Tensor, "n e"],
    ) -> Float[Tensor, "n written+1 b"]:
        """The logits of every component's bin, given those before it; of one more
        than are given.
        """
        k, known = self.config.components, self.known(words, caption)
        ranks = torch.arange(min(codes.shape[1] + 1, k), device=codes.device)
        values = self.value(
            codes[:, : k - 1]
            + ranks[: min(codes.shape[1], k - 1)] * self.config.bins
        )
        x = torch.cat(
            [self.start.expand(len(codes), 1, -1), values], dim=1
        ) + self.place(ranks)
        x = torch.cat([known, x], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x[:, known.shape[1] :]))

    def loss(
        self,
        embedding: Float[Tensor, "n e"],
        words: Float[Tensor, "n t c"],
        caption: Float[Tensor, "n e"],
    ) -> dict[str, Tensor]:
        """Cross-entropy, in nats per component."""
        codes = self.to_codes(embedding)
        logits = self(codes[:, :-1], words, caption).float()
        return {"loss": F.cross_entropy(logits.flatten(0, 1), codes.flatten())}

    def sample(
        self,
        uniforms: Float[Tensor, "n k"],
        words: Float[Tensor, "n t c"],
        caption: Float[Tensor, "n e"],
        guidance_scale: float = 1.0,
        temperature: float = 1.0,
    ) -> Float[Tensor, "n e"]:
        """Unit vectors, written component by component; `uniforms` holds the chance
        of each, in [0, 1).
        """
        if guidance_scale != 1.0:
            words, caption = (
                torch.cat([told, torch.zeros_like(told)])
                for told in (words, caption)
            )
        rows = 1 if guidance_scale == 1.0 else 2

        def next_logits(
            position: int, written: Int[Tensor, "n written"]
        ) -> Float[Tensor, "rows b"]:
            return self(written.repeat(rows, 1), words, caption)[:, -1]

        return self.to_embedding(
            sample_sequence(next_logits, uniforms, guidance_scale, temperature)
        )
