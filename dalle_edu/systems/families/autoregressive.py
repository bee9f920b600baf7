"""Systems that draw by writing codes: a codec turns pictures into a grid of codes
and back, a prior writes such grids for captions.

DALL·E 1 and DALL·E mini differ in both parts and share everything else: drawing,
which is here, and edits (`image_edits/rewriting.py`). Lessons 11 and 13.

Letters: n captions or pictures, t text tokens, i codes of a picture, v entries of
the codebook, h = w pixels on a side.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.gpt import sample_codes
from dalle_edu.systems.image_edits.rewriting import Rewriting
from dalle_edu.systems.interface.checks import check_prompts
from dalle_edu.systems.interface.noise import uniforms_for
from dalle_edu.systems.interface.recipe import Recipe
from dalle_edu.systems.interface.system import TOGETHER

PRIOR_STAGE = "prior"
# what exams look at before the prior learns
RECONSTRUCTED = ("reconstructed pictures", "des images reconstruites")


@dataclass(frozen=True)
class AutoregressiveRecipe(Recipe):
    """`caption_dropout` is the part of captions that training leaves out, so that
    guidance knows what no caption looks like.
    """

    caption_dropout: float = 0.1


@dataclass(frozen=True)
class AutoregressiveSampling:
    """How codes are chosen. `temperature` 0 takes the likeliest code each time;
    `daring`, where it is not None, is the temperature of whether to leave the
    likeliest (see `decoding.temper`); `top_k` and `top_p` filter the codes.
    """

    guidance_scale: float = 2.0
    temperature: float = 0.7
    daring: float | None = None
    top_k: int | None = None
    top_p: float | None = None


@runtime_checkable
class Codec(Protocol):
    """Pictures to grids of codes, and back."""

    def encode(self, images: Tensor) -> Tensor:
        """The codes of pictures."""

    def decode(self, codes: Tensor) -> Tensor:
        """The pictures of codes."""


class AutoregressiveSystem(Rewriting):
    """A system with a codec, a prior over codes and a tokenizer. Subclasses give
    `codec`, `code_prior` and `logits`.
    """

    @property
    @abstractmethod
    def codec(self) -> Codec:
        """What turns pictures into codes."""

    @property
    @abstractmethod
    def code_prior(self) -> Any:
        """What writes codes; its `config` says how many."""

    @property
    def grid(self) -> int:
        return self.code_prior.config.grid

    @property
    def evaluations(self) -> int:
        return self.grid**2 + 1  # each code, and the decoder

    def tokens(self, captions: Sequence[str]) -> Int[Tensor, "n t"]:
        length = self.code_prior.config.text_length
        return self.tokenizer.encode(captions, length).to(self.device)

    def codes_and_text(
        self,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        generator: torch.Generator | None,
    ) -> tuple[Int[Tensor, "n i"], Int[Tensor, "n t"]]:
        """What the prior learns from: the codes of pictures, and their captions,
        some of which are left out for guidance's sake: their tokens are all 0.
        """
        text = self.tokens(captions)
        dropout = self.config.recipe.caption_dropout  # type: ignore[attr-defined]
        draws = torch.rand(len(text), 1, generator=generator, device=text.device)
        return self.encode(images).flatten(1), text * (draws >= dropout)

    # ------------------------------------------------------------ drawing

    def sampling(self, settings: dict[str, Any]) -> AutoregressiveSampling:
        """As every system's; a temperature given alone serves for `daring` too."""
        sampling = super().sampling(settings)
        alone = settings.get("temperature") is not None
        if alone and settings.get("daring") is None:
            return AutoregressiveSampling(**vars(sampling) | {"daring": None})
        return sampling

    @torch.no_grad()
    def generate(
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        given: Int[Tensor, "n i"] | None = None,
        callback: Callable[[int, Tensor], None] | None = None,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1]: the codes of `sample_codes`,
        decoded.

        Picture i draws its random numbers from (seed, i) alone. `given` holds codes
        to keep, row by row, and -1 where they must be written. `callback(position,
        codes)` is called after each code. `settings` are the fields of
        `AutoregressiveSampling`. Raises `DalleEduError` for a prompt that cannot be
        drawn or a setting out of range.
        """
        return self.decode(
            self.sample_codes(
                prompts, seed=seed, given=given, callback=callback, **settings
            )
        )

    @torch.no_grad()
    def sample_codes(
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        given: Int[Tensor, "n i"] | None = None,
        callback: Callable[[int, Tensor], None] | None = None,
        **settings: Any,
    ) -> Int[Tensor, "n i"]:
        """The codes of the pictures that `generate` draws."""
        check_prompts(prompts)
        chosen = vars(self.sampling(settings))
        text = self.tokens(prompts)
        uniforms = uniforms_for(len(text), self.grid**2, seed).to(self.device)
        written = []
        for start in range(0, len(text), TOGETHER):
            rows = slice(start, start + TOGETHER)
            kept = None if given is None else given[rows]
            written.append(
                sample_codes(
                    self.code_prior,
                    text[rows],
                    uniforms[rows],
                    given=kept,
                    callback=callback,
                    **chosen,
                )
            )
        return torch.cat(written)

    def encode(self, images: Float[Tensor, "n 3 h w"]) -> Int[Tensor, "n h2 w2"]:
        return self.codec.encode(images)

    def decode(self, codes: Int[Tensor, "n i"]) -> Float[Tensor, "n 3 h w"]:
        grids = codes.unflatten(1, (self.grid, -1)).split(TOGETHER)
        pictures = [self.codec.decode(part).float().clamp(-1, 1) for part in grids]
        return torch.cat(pictures)

    @torch.no_grad()
    def reconstruct(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures through the codes and back: the best that the prior can hope
        for.
        """
        return self.decode(self.encode(images).flatten(1))

    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        if stage == PRIOR_STAGE:
            return self.generate(captions, seed=seed)
        return self.reconstruct(images)
