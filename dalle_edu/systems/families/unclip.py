"""Systems that draw from CLIP embeddings (unCLIP, Ramesh et al. 2022).

    P(x | y) = P(x | z, y) P(z | y)   x a picture, z its CLIP embedding, y a caption

A *prior* samples z for a caption, and a *decoder*, a diffusion model of small
pictures with upsamplers, samples x for z. A picture has an embedding too, so that
pictures can be asked for as well as sentences: see `image_edits/variations.py`.
Lesson 14.

Letters: n captions or pictures, t text tokens, c channels of CLIP's text tower, e
channels of an embedding, h = w pixels on a side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from dalle_edu.bricks.contrastive import CLIP
from dalle_edu.bricks.samplers import Callback
from dalle_edu.systems.families.cascade import Cascade, CascadeSampling
from dalle_edu.systems.image_edits.variations import ImageVariations
from dalle_edu.systems.interface.checks import check_prompts
from dalle_edu.systems.interface.noise import noise_for, uniforms_for
from dalle_edu.systems.parts.augment import resized
from dalle_edu.systems.parts.base_model import BaseModel, Conditions, KnownPixels
from dalle_edu.systems.parts.embedding_priors import (
    AutoregressivePrior,
    DiffusionPrior,
)

_OF_THE_PRIOR = 1  # the stream of its random numbers; the decoder's is another


@dataclass(frozen=True)
class UnCLIPSampling(CascadeSampling):
    """Beyond a cascade's: each embedding is decoded `tries` times, and the picture
    in which CLIP sees it best is kept; `prior` is "diffusion" or "autoregressive";
    `text=False` leaves y out of P(x | z, y).

    Two tries of ten steps without guidance cost half of what one of twenty costs
    with it, and are right more often.
    """

    guidance_scale: float = 1.0
    steps: int = 10
    tries: int = 2
    prior: str = "diffusion"
    prior_guidance_scale: float = 3.0
    prior_steps: int = 10
    text: bool = True


class UnCLIP(Cascade, ImageVariations):
    """A cascade whose base model, the decoder, is conditioned on a CLIP embedding.
    Subclasses build the networks.
    """

    clip: CLIP
    decoder: BaseModel
    prior: DiffusionPrior
    prior_ar: AutoregressivePrior

    @property
    def base_model(self) -> BaseModel:
        return self.decoder

    @property
    def text_length(self) -> int:
        return self.clip.config.text_length

    @property
    def evaluations(self) -> int:
        """The prior too samples twice and keeps one."""
        sampling: Any = self.config.sampling
        return sampling.tries * super().evaluations + 2 * sampling.prior_steps

    # ------------------------------------------------------------ embeddings

    @torch.no_grad()
    def encode_images(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n e"]:
        """The CLIP embeddings of pictures of any side, unit vectors."""
        looked_at = resized(images.to(self.device), self.clip.config.resolution)
        return self.clip.encode_image(looked_at).float()

    @torch.no_grad()
    def encode_texts(
        self, captions: Sequence[str]
    ) -> tuple[Float[Tensor, "n t c"], Float[Tensor, "n e"]]:
        """CLIP's text tower on captions: the state of each token and of the end of
        text, zero at padding positions, and the caption's embedding, a unit vector.
        """
        text, tower = self.tokens(captions), self.clip.text_tower
        states = tower.hidden(text)
        there = self.visible(captions).unsqueeze(-1)
        pooled = F.normalize(tower.pool(states, text), dim=-1)
        return (states * there).float(), pooled.float()

    def visible(self, captions: Sequence[str]) -> Bool[Tensor, "n t"]:
        """Where captions have a token, or the end of text after them."""
        return F.pad(self.tokens(captions) != 0, (1, 0), value=True)

    @torch.no_grad()
    def sample_embeddings(
        self, prompts: Sequence[str], seed: int = 0, **settings: Any
    ) -> Float[Tensor, "n e"]:
        """P(z | y): for each prompt the embedding of a picture that it might be
        said of, a unit vector. Raises `DalleEduError` for an unknown prior.
        """
        sampling: Any = self.sampling(settings)
        words, caption = self.encode_texts(prompts)
        n, guidance_scale = len(prompts), sampling.prior_guidance_scale
        if sampling.prior == "autoregressive":
            components = self.prior_ar.config.components
            uniforms = uniforms_for(n, components, seed, _OF_THE_PRIOR)
            return self.prior_ar.sample(
                uniforms.to(self.device), words, caption, guidance_scale
            )
        size = (2 * self.prior.config.embedding,)
        noise = noise_for(n, size, seed, _OF_THE_PRIOR).to(self.device)
        return self.prior.sample(
            noise, words, caption, guidance_scale, sampling.prior_steps
        )

    # ------------------------------------------------------------ drawing

    @torch.no_grad()
    def generate(
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        known: KnownPixels | None = None,
        callback: Callback | None = None,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1]: P(x | y) = P(x | z, y) P(z | y).

        Picture i draws its random numbers from (seed, i) alone. `known`, `callback`
        and `settings` are those of `decode_embeddings`. Raises `DalleEduError` for
        a prompt that cannot be drawn or a setting out of range.
        """
        check_prompts(prompts)
        sampling: Any = self.sampling(settings)
        z = self.sample_embeddings(prompts, seed, **settings)
        captions = prompts if sampling.text else None
        return self.decode_embeddings(
            z, captions, seed=seed, known=known, callback=callback, **settings
        )

    @torch.no_grad()
    def decode_embeddings(
        self,
        z: Float[Tensor, "n e"],
        captions: Sequence[str] | None = None,
        *,
        seed: int = 0,
        known: KnownPixels | None = None,
        callback: Callback | None = None,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures from P(x | z, y), or without captions P(x | z), in [-1, 1].

        `known` is a picture for each embedding and where it is kept; `callback`
        watches the decoder's steps; `settings` are the fields of `UnCLIPSampling`.
        """
        sampling: Any = self.sampling(settings)
        tries = sampling.tries
        wanted = z.repeat_interleave(tries, dim=0)
        said = (
            None
            if captions is None
            else [y for y in captions for _ in range(tries)]
        )
        if known is not None:
            pictures, keep = (
                part.repeat_interleave(tries, dim=0) for part in known
            )
            known = pictures, keep
        told = self.conditions(wanted, said)
        drawn = self.sample(*told, seed, sampling, known, callback)
        near = (self.encode_images(drawn) * wanted).sum(dim=1)
        best = near.unflatten(0, (-1, tries)).argmax(dim=1)
        each = torch.arange(len(z), device=z.device)
        return drawn.unflatten(0, (-1, tries))[each, best]

    def conditions(
        self, z: Float[Tensor, "n e"], captions: Sequence[str] | None = None
    ) -> tuple[Conditions, Conditions]:
        """The decoder's conditions for embeddings, with or without captions, and
        those of no embedding and no caption.
        """
        n, seen = len(z), self.clip.config
        tokens = seen.text_length + 1
        words = torch.zeros(n, tokens, seen.width, device=z.device)
        visible = torch.zeros(n, tokens, dtype=torch.bool, device=z.device)
        if captions is not None:
            words, visible = self.encode_texts(captions)[0], self.visible(captions)
        given = {"pooled": self.scaled(z), "text": words, "text_mask": visible}
        none = {"pooled": torch.zeros_like(z), "text": words}
        return given, none | {"text_mask": torch.zeros_like(visible)}

    def scaled(self, z: Float[Tensor, "n e"]) -> Float[Tensor, "n e"]:
        """Unit vectors times √e: entries of variance 1, as networks like them."""
        return z * z.shape[1] ** 0.5
