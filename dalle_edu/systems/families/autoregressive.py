"""Autoregressive systems: a codec turns pictures into a grid of codes and back, and
a prior samples such grids for captions, one code after the other.

DALL·E 1 and DALL·E mini differ in both parts. They share drawing, which is here,
and edits, which are in `image_edits/rewriting.py`. Lessons 11 and 13.

Letters: n captions or pictures, t text tokens, i codes of a picture, v entries of
the codebook, h = w pixels on a side.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.gpt import sample_codes
from dalle_edu.systems.families.reading import (
    reading_accuracy,
    sequence_log_likelihood,
)
from dalle_edu.systems.image_edits.rewriting import Rewriting
from dalle_edu.systems.interface.checks import check_prompts
from dalle_edu.systems.interface.drawing import drawing
from dalle_edu.systems.interface.noise import uniforms_for
from dalle_edu.systems.interface.progress import ProgressCallback, Steps
from dalle_edu.systems.interface.recipe import Recipe
from dalle_edu.systems.interface.system import TOGETHER

PRIOR_STAGE = "prior"
# what exams look at in the stages before the prior is trained
RECONSTRUCTED = ("reconstructed pictures", "des images reconstruites")


@dataclass(frozen=True)
class AutoregressiveRecipe(Recipe):
    """The stages, and `caption_dropout`, the part of captions that training
    replaces by padding: classifier-free guidance needs a prior that has learned to
    sample without a caption too (Ho & Salimans 2021).
    """

    caption_dropout: float = 0.1


@dataclass(frozen=True)
class AutoregressiveSampling:
    """How codes are sampled.

    `guidance_scale` 1 is the prior as trained. `temperature` 0 takes the likeliest
    code each time. `daring`, where it is not None, is the temperature of the
    decision whether to leave the likeliest code, and `temperature` then that of the
    choice among the others (see `decoding.temper`). `top_k` and `top_p` filter the
    codes. `epsilon` leaves out those that the network, before guidance and at
    temperature 1, finds less likely than this (`decoding.keep_above_epsilon`). The
    ranges are in `interface/sampling.py`.
    """

    guidance_scale: float = 2.0
    temperature: float = 0.7
    daring: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    epsilon: float | None = None


@runtime_checkable
class Codec(Protocol):
    """What turns pictures into grids of codes, and back."""

    def encode(self, images: Tensor) -> Tensor:
        """The grids of codes of pictures in [-1, 1]."""

    def decode(self, codes: Tensor) -> Tensor:
        """The pictures of grids of codes."""


class AutoregressiveSystem(Rewriting):
    """A system with a codec, a prior over its codes and a tokenizer. Subclasses
    define `codec`, `code_prior` and `logits`. Lessons 11 and 13.
    """

    @property
    @abstractmethod
    def codec(self) -> Codec:
        """The network that turns pictures into codes and back."""

    @property
    @abstractmethod
    def code_prior(self) -> Any:
        """The network that samples codes. Its `config` is a `CodeModelConfig`."""

    @property
    def grid(self) -> int:
        return self.code_prior.config.grid

    @property
    def evaluations(self) -> int:
        # the prior for each token, and the decoder once
        return self.grid**2 // self.code_prior.config.codes_per_token + 1

    def tokens(self, captions: Sequence[str]) -> Int[Tensor, "n t"]:
        length = self.code_prior.config.text_length
        return self.tokenizer.encode(captions, length).to(self.device)

    def codes_and_text(
        self,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        generator: torch.Generator | None,
    ) -> tuple[Int[Tensor, "n i"], Int[Tensor, "n t"]]:
        """What the prior learns from: the codes of pictures, and the tokens of
        their captions. Of a part `caption_dropout` of the captions all tokens are
        0, which is padding.
        """
        text = self.tokens(captions)
        dropout = self.config.recipe.caption_dropout  # type: ignore[attr-defined]
        draws = torch.rand(len(text), 1, generator=generator, device=text.device)
        return self.encode(images).flatten(1), text * (draws >= dropout)

    # ------------------------------------------------------------ drawing

    def sampling(self, settings: dict[str, Any]) -> AutoregressiveSampling:
        """The settings as `System.sampling` gives them. A temperature that is given
        without `daring` applies to both decisions, so that one knob is enough.
        """
        sampling = super().sampling(settings)
        temperature_given = settings.get("temperature") is not None
        if temperature_given and settings.get("daring") is None:
            return AutoregressiveSampling(**vars(sampling) | {"daring": None})
        return sampling

    @drawing
    def generate(
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        given: Int[Tensor, "n i"] | None = None,
        callback: ProgressCallback | None = None,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1]: the codes of `sample_codes`,
        decoded.

        The random numbers of picture i depend on (seed, i) alone. `given` holds
        codes to keep, in reading order, and -1 where one is to be sampled.
        `callback` is called with a `Progress` after each code. `settings` are the
        fields of `AutoregressiveSampling`. Raises `DalleEduError` for a prompt that
        cannot be drawn and a setting out of range.
        """
        codes = self.sample_codes(
            prompts, seed=seed, given=given, callback=callback, **settings
        )
        return self.decode(codes)

    @drawing
    def sample_codes(
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        given: Int[Tensor, "n i"] | None = None,
        callback: ProgressCallback | None = None,
        **settings: Any,
    ) -> Int[Tensor, "n i"]:
        """The codes of the pictures that `generate` draws, under the same
        conditions.
        """
        prompts = check_prompts(prompts, self.domain)
        sampling = vars(self.sampling(settings))
        text = self.tokens(prompts)
        uniforms = uniforms_for(len(text), self.grid**2, seed).to(self.device)
        starts, parts = range(0, len(text), TOGETHER), []
        steps = Steps(callback, len(starts) * self.grid**2)
        for start in starts:
            rows = slice(start, start + TOGETHER)
            codes = sample_codes(
                self.code_prior,
                text[rows],
                uniforms[rows],
                given=None if given is None else given[rows],
                callback=steps.of_codes(PRIOR_STAGE),
                **sampling,
            )
            parts.append(codes)
        return torch.cat(parts)

    def encode(self, images: Float[Tensor, "n 3 h w"]) -> Int[Tensor, "n h2 w2"]:
        return self.codec.encode(images)

    def decode(self, codes: Int[Tensor, "n i"]) -> Float[Tensor, "n 3 h w"]:
        grids = codes.unflatten(1, (self.grid, -1)).split(TOGETHER)
        pictures = [self.codec.decode(part).float().clamp(-1, 1) for part in grids]
        return torch.cat(pictures)

    @drawing
    def reconstruct(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures encoded and decoded again: the best that drawing can reach,
        since every picture passes through the same decoder.
        """
        return self.decode(self.encode(images).flatten(1))

    @torch.no_grad()
    def measure(
        self, stage: str, images: Tensor, captions: Sequence[str]
    ) -> dict[str, float]:
        """In the stages of the codec, how many of its "codes" are alive: used for
        one of the pictures at least. In that of the prior, how well it reads: see
        `reading_accuracy`.
        """
        if stage == PRIOR_STAGE and self.domain.catalogue is None:
            return {}
        parts = images.split(TOGETHER)
        codes = torch.cat([self.encode(part).flatten(1) for part in parts])
        if stage == PRIOR_STAGE:
            catalogue = self.domain.catalogue
            return reading_accuracy(captions, codes, self.log_likelihood, catalogue)
        known = self.code_prior.config.num_codes
        return {"codes_alive": float(len(codes.unique())), "codes": float(known)}

    @torch.no_grad()
    def log_likelihood(
        self, captions: Sequence[str], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, " n"]:
        """The log-probability of the codes of pictures under captions, in nats.
        Raises `DalleEduError` for a caption of more than `text_length` tokens.
        """
        parts = zip(
            self.tokens(captions).split(TOGETHER),
            codes.split(TOGETHER),
            strict=True,
        )
        return torch.cat(
            [sequence_log_likelihood(self.logits(*each), each[1]) for each in parts]
        )

    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        if stage == PRIOR_STAGE:
            return self.generate(captions, seed=seed)
        return self.reconstruct(images)
