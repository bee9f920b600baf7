"""Systems that draw from CLIP embeddings (unCLIP, Ramesh et al. 2022).

    P(x | y) = P(x | z, y) P(z | y)   x a picture, z its CLIP embedding, y a caption

A *prior* samples z for a caption, and a *decoder*, a diffusion model of small
pictures with upsamplers, samples x for z. Pictures have embeddings too, and can be
drawn again from these: see `image_edits/variations.py`. Lesson 14.

Letters: n captions or pictures, t text tokens, c channels of CLIP's text tower, e
channels of an embedding, h = w pixels on a side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from dalle_edu.bricks.contrastive import CLIP
from dalle_edu.systems.families.cascade import Cascade, CascadeSampling
from dalle_edu.systems.image_edits.variations import ImageVariations
from dalle_edu.systems.interface.checks import check_prompts
from dalle_edu.systems.interface.drawing import drawing
from dalle_edu.systems.interface.noise import noise_for, uniforms_for
from dalle_edu.systems.interface.progress import ProgressCallback, Steps, within
from dalle_edu.systems.parts.augment import resized
from dalle_edu.systems.parts.base_model import BaseModel, Conditions, KnownPixels
from dalle_edu.systems.parts.embedding_priors import (
    AutoregressivePrior,
    DiffusionPrior,
)

_PRIOR_STREAM = 1  # of random numbers; the decoder's are those of stream 0


@dataclass(frozen=True)
class UnCLIPSampling(CascadeSampling):
    """How pictures are sampled: the settings of a cascade, and those of the prior.

    Each embedding is decoded `tries` times, and the picture whose own embedding is
    nearest to it is kept. `prior` is "diffusion" or "autoregressive", under
    `prior_guidance_scale`; `prior_steps` are those of the first. With `text=False`
    the decoder is not given the caption: P(x | z).

    Two tries of ten steps without guidance cost half as much as one of twenty with
    guidance, which doubles a batch, and are right more often.
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
    Subclasses build the networks. Lesson 14.
    """

    base_stage: ClassVar[str] = "decoder"
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
        """Runs of networks for one picture: for each try the decoder's and the
        upsamplers' steps, and twice the prior's, which keeps one of two samples.
        """
        sampling: Any = self.config.sampling
        return sampling.tries * super().evaluations + 2 * sampling.prior_steps

    # ------------------------------------------------------------ embeddings

    @torch.no_grad()
    def encode_images(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n e"]:
        """The CLIP embeddings, unit vectors, of pictures in [-1, 1] of any side."""
        inputs = resized(
            images.to(self.device, torch.float32), self.clip.config.resolution
        )
        return self.clip.encode_image(inputs).float()

    @torch.no_grad()
    def encode_texts(
        self, captions: Sequence[str]
    ) -> tuple[Float[Tensor, "n t c"], Float[Tensor, "n e"]]:
        """CLIP's text tower on captions: the state of each token and of the end of
        text, zero at padding positions, and the caption's embedding, a unit vector.
        """
        text, tower = self.tokens(captions), self.clip.text_tower
        states = tower.hidden(text)
        mask = self.visible(captions).unsqueeze(-1)
        pooled = F.normalize(tower.pool(states, text), dim=-1)
        return (states * mask).float(), pooled.float()

    def visible(self, captions: Sequence[str]) -> Bool[Tensor, "n t"]:
        """The mask of `encode_texts`' states: True at tokens and at the end of
        text, False at padding positions.
        """
        return F.pad(self.tokens(captions) != 0, (1, 0), value=True)

    @drawing
    def sample_embeddings(
        self,
        prompts: Sequence[str],
        seed: int = 0,
        *,
        callback: ProgressCallback | None = None,
        **settings: Any,
    ) -> Float[Tensor, "n e"]:
        """Samples of P(z | y): for each prompt the embedding, a unit vector, of a
        picture that it may describe. `callback` is called with a `Progress` at each
        step of the prior. `settings` are the fields of `UnCLIPSampling`. Raises
        `DalleEduError` for a setting out of range, such as an unknown prior.
        """
        sampling: Any = self.sampling(settings)
        told = Steps(callback, self._prior_steps(sampling))
        words, caption = self.encode_texts(prompts)
        n, guidance_scale = len(prompts), sampling.prior_guidance_scale
        if sampling.prior == "autoregressive":
            components = self.prior_ar.config.components
            uniforms = uniforms_for(n, components, seed, _PRIOR_STREAM)
            return self.prior_ar.sample(
                uniforms.to(self.device),
                words,
                caption,
                guidance_scale,
                callback=told.of_codes("prior_ar"),
            )
        size = (2 * self.prior.config.embedding,)
        noise = noise_for(n, size, seed, _PRIOR_STREAM).to(self.device)
        return self.prior.sample(
            noise,
            words,
            caption,
            guidance_scale,
            sampling.prior_steps,
            callback=told.of_sampler("prior"),
        )

    def _prior_steps(self, sampling: Any) -> int:
        if sampling.prior == "autoregressive":
            return self.prior_ar.config.components
        return 2 * sampling.prior_steps  # of two samples, one is kept

    # ------------------------------------------------------------ drawing

    @drawing
    def generate(
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        known: KnownPixels | None = None,
        callback: ProgressCallback | None = None,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1]: P(x | y) = P(x | z, y) P(z | y).

        Picture i draws its random numbers from (seed, i) alone. `callback` is
        called with a `Progress` at each step of the prior, the decoder and the
        upsamplers. `known` and `settings` are those of `decode_embeddings`. Raises
        `DalleEduError` for a prompt that cannot be drawn or a setting out of range.
        """
        prompts = check_prompts(prompts, self.domain)
        sampling: Any = self.sampling(settings)
        before = self._prior_steps(sampling)
        after = self.step_count(len(prompts) * sampling.tries, sampling)
        z = self.sample_embeddings(
            prompts, seed, callback=within(callback, after=after), **settings
        )
        captions = prompts if sampling.text else None
        callback = within(callback, before)
        return self.decode_embeddings(
            z, captions, seed=seed, known=known, callback=callback, **settings
        )

    @drawing
    def decode_embeddings(
        self,
        z: Float[Tensor, "n e"],
        captions: Sequence[str] | None = None,
        *,
        seed: int = 0,
        known: KnownPixels | None = None,
        callback: ProgressCallback | None = None,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures from P(x | z, y), or without captions from P(x | z), in [-1, 1].

        `z` are unit vectors. `known` holds a picture for each embedding and a mask
        of the pixels to keep. `callback` is called with a `Progress` at each step.
        `settings` are the fields of `UnCLIPSampling`. Of the `tries` the one whose
        embedding has the largest cosine with `z` is kept.
        """
        sampling: Any = self.sampling(settings)
        tries = sampling.tries
        repeated_z = z.repeat_interleave(tries, dim=0)
        if captions is not None:
            captions = [caption for caption in captions for _ in range(tries)]
        if known is not None:
            pictures, keep = (
                part.repeat_interleave(tries, dim=0) for part in known
            )
            known = pictures, keep
        conditions = self.conditions(repeated_z, captions)
        drawn = self.sample(*conditions, seed, sampling, known, callback)
        cosines = (self.encode_images(drawn) * repeated_z).sum(dim=1)
        best = cosines.unflatten(0, (-1, tries)).argmax(dim=1)
        each = torch.arange(len(z), device=z.device)
        return drawn.unflatten(0, (-1, tries))[each, best]

    def conditions(
        self, z: Float[Tensor, "n e"], captions: Sequence[str] | None = None
    ) -> tuple[Conditions, Conditions]:
        """The decoder's conditions for embeddings, with or without captions, and
        those of no embedding and no caption, for guidance.
        """
        n, config = len(z), self.clip.config
        tokens = config.text_length + 1
        words = z.new_zeros(n, tokens, config.width)
        visible = torch.zeros(n, tokens, dtype=torch.bool, device=z.device)
        if captions is not None:
            words, visible = self.encode_texts(captions)[0], self.visible(captions)
        conditional = {
            "pooled": self.scaled(z),
            "text": words,
            "text_mask": visible,
        }
        unconditional = {
            "pooled": torch.zeros_like(z),
            "text": words,  # hidden by the mask
            "text_mask": torch.zeros_like(visible),
        }
        return conditional, unconditional

    def scaled(self, z: Float[Tensor, "n e"]) -> Float[Tensor, "n e"]:
        """Unit vectors times √e, so that their entries have variance 1, as the
        decoder's condition.
        """
        return z * z.shape[1] ** 0.5
