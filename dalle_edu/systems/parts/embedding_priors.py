"""Priors: from a caption to the CLIP embedding of a picture that it may describe
(Ramesh et al. 2022, section 2.2).

Many pictures go with one caption, so a prior *samples* an embedding. Both priors of
the paper are here. In the diffusion prior, a transformer is given the caption and a
noisy embedding and predicts the clean one. In the autoregressive prior, the
embedding is reduced to its principal components, each rounded to one of a few
values, and a transformer samples these one after the other, as it would words.
Lesson 14.

Letters: n captions, t text tokens, c channels of CLIP's text tower, e channels of
an embedding, w channels of the prior, k components, b bins.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.decoding import sample_sequence
from dalle_edu.bricks.diffusion import denoiser, diffusion_loss
from dalle_edu.bricks.guidance import guided
from dalle_edu.bricks.noise_schedule import cosine_schedule
from dalle_edu.bricks.samplers import Callback, dpm_solver
from dalle_edu.bricks.transformer import Block
from dalle_edu.bricks.unet_blocks import sinusoidal_embedding
from dalle_edu.device import off_metal

LATE = 0.02  # the weight of a new batch in the running moments of embeddings


@dataclass(frozen=True)
class PriorConfig:
    """The shape of a prior: a causal transformer, whose first tokens are those of
    the caption. `text_width` and `embedding` are those of CLIP.
    """

    text_width: int = 128
    embedding: int = 128
    width: int = 128
    depth: int = 3
    heads: int = 4
    components: int = 24  # principal components of the autoregressive prior
    bins: int = 64  # values that each may take


class PriorContext(nn.Module):
    """A prior's condition: the states of the caption's tokens and the caption's own
    embedding, projected to tokens of the prior's width.
    """

    def __init__(self, config: PriorConfig):
        super().__init__()
        self.words = nn.Linear(config.text_width, config.width, bias=False)
        self.caption = nn.Linear(config.embedding, config.width, bias=False)

    def forward(
        self, words: Float[Tensor, "n t c"], caption: Float[Tensor, "n e"]
    ) -> Float[Tensor, "n t+1 w"]:
        """The tokens. `caption` is a unit vector; times √e its entries have
        variance 1.
        """
        scaled = caption * math.sqrt(caption.shape[1])
        last = self.caption(scaled).unsqueeze(1)
        return torch.cat([self.words(words), last], dim=1)


class DiffusionPrior(nn.Module):
    """The diffusion prior, from noise to an embedding. The tokens of its
    transformer are those of the caption, the timestep, the noisy embedding, and a
    last one whose output is the prediction of the clean embedding.

    Embeddings are unit vectors. Diffusion works on them times √e, so that their
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
        """The predicted clean embedding, times √e, for noisy embeddings x_t at
        timesteps t. Without a caption, `words` and `caption` are zero.
        """
        time = self.time(sinusoidal_embedding(t, self.config.width).to(x_t.dtype))
        tokens = [
            self.known(words, caption),
            time.unsqueeze(1),
            self.noisy(x_t).unsqueeze(1),
            self.answer.expand(len(x_t), 1, -1),
        ]
        x = torch.cat(tokens, dim=1)
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
        """The mean squared error of the clean embedding, under "loss" (Ramesh et
        al. 2022, equation 2). `embedding` and `caption` are unit vectors.
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
        callback: Callback | None = None,
    ) -> Float[Tensor, "n e"]:
        """Embeddings, unit vectors: of two samples for each caption, the one with
        the larger cosine with the caption's own embedding (section 2.2 of the
        paper). `noise` is standard normal and holds the beginnings of both;
        `callback` is the sampler's.
        """
        conditional = {"words": words, "caption": caption}
        unconditional = {
            "words": torch.zeros_like(words),
            "caption": torch.zeros_like(caption),
        }
        predict = guided(self, guidance_scale, conditional, unconditional)
        denoise = denoiser(predict, self.schedule, "x0")
        candidates = []
        for start in noise.chunk(2, dim=1):
            z = dpm_solver(denoise, start, self.schedule, steps, callback=callback)
            candidates.append(F.normalize(z, dim=-1))
        scores = torch.stack([(z * caption).sum(dim=-1) for z in candidates], dim=1)
        each = torch.arange(len(noise), device=noise.device)
        return torch.stack(candidates, dim=1)[each, scores.argmax(dim=1)]


class AutoregressivePrior(nn.Module):
    """The autoregressive prior: each principal component of an embedding is one of
    `bins` values, sampled given the caption and the components before it.

    The components are found during training. While the decoder is trained, `follow`
    gathers moments of CLIP's embeddings; before the prior is trained, `settle`
    computes their principal directions, which then stay.
    """

    mean: Tensor  # the running mean of embeddings
    second: Tensor  # their running second moment, E[z zᵀ]
    basis: Tensor  # the principal directions, that of the largest variance first
    deviation: Tensor  # the standard deviation of embeddings along each

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
        """Update the running moments by a batch of embeddings. Once the components
        are fixed, nothing changes.
        """
        if self._settled:
            return
        z = embedding.float()
        self.mean.lerp_(z.mean(dim=0), LATE)
        with torch.autocast(z.device.type, enabled=False):
            self.second.lerp_(z.T @ z / len(z), LATE)

    @torch.no_grad()
    def settle(self) -> None:
        """Fix the components: the directions of largest variance among the
        embeddings that were followed, and their standard deviations. A second call
        changes nothing.
        """
        if self._settled:  # the network has been trained on these components
            return
        covariance = self.second - torch.outer(self.mean, self.mean)
        values, vectors = torch.linalg.eigh(off_metal(covariance).double())
        # of two opposite directions, the one whose largest entry is positive
        signs = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True)).sign()
        k = self.config.components
        self.basis.copy_((vectors * signs).flip(1)[:, :k].float())
        self.deviation.copy_(values.flip(0)[:k].clamp(min=1e-8).sqrt().float())

    def to_codes(self, embedding: Float[Tensor, "n e"]) -> Int[Tensor, "n k"]:
        """Each component of unit vectors as the number of its bin. The bins divide
        the range from three standard deviations below the mean to three above;
        what lies beyond is in the first or the last.
        """
        along = (embedding - self.mean) @ self.basis / self.deviation
        bins = ((along + 3) / 6 * self.config.bins).floor().long()
        return bins.clamp(0, self.config.bins - 1)

    def to_embedding(self, codes: Int[Tensor, "n k"]) -> Float[Tensor, "n e"]:
        """The unit vectors whose components are the middles of these bins."""
        bins = codes.to(self.deviation.dtype)
        along = ((bins + 0.5) / self.config.bins * 6 - 3) * self.deviation
        return F.normalize(self.mean + along @ self.basis.T, dim=-1)

    def forward(
        self,
        codes: Int[Tensor, "n written"],
        words: Float[Tensor, "n t c"],
        caption: Float[Tensor, "n e"],
    ) -> Float[Tensor, "n written+1 b"]:
        """The logits of the bins of each component given those before it, from the
        first to the one after those in `codes`. Without a caption, `words` and
        `caption` are zero.
        """
        known = self.known(words, caption)
        before = codes[:, : self.config.components - 1]
        ranks = torch.arange(before.shape[1] + 1, device=codes.device)
        # each component has values of its own in the table
        values = self.value(before + ranks[:-1] * self.config.bins)
        start = self.start.expand(len(codes), 1, -1)
        x = torch.cat([start, values], dim=1) + self.place(ranks)
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
        """The cross-entropy of the components' bins, in nats per component, under
        "loss". `embedding` and `caption` are unit vectors.
        """
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
        callback: Callable[[int, Tensor], None] | None = None,
    ) -> Float[Tensor, "n e"]:
        """Embeddings, unit vectors, sampled component by component. `uniforms` in
        [0, 1) are the random numbers of each; `callback(component, bins)` is called
        after each component.
        """
        if guidance_scale != 1.0:
            words, caption = (
                torch.cat([condition, torch.zeros_like(condition)])
                for condition in (words, caption)
            )
        rows = 1 if guidance_scale == 1.0 else 2

        def next_logits(
            position: int, written: Int[Tensor, "n written"]
        ) -> Float[Tensor, "rows b"]:
            return self(written.repeat(rows, 1), words, caption)[:, -1]

        sampled = sample_sequence(
            next_logits, uniforms, guidance_scale, temperature, callback=callback
        )
        return self.to_embedding(sampled)
