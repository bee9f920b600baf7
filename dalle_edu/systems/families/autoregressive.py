"""Systems that draw by writing codes: a codec turns pictures into a grid of codes
and back, a prior writes such grids for captions.

DALL·E 1 and DALL·E mini differ in both parts and share everything else, which is
here: drawing, finishing a picture that someone began, and changing what a caption
says of one.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from dalle_edu.bricks.gpt import sample_codes
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.checks import (
    check_choice,
    check_guidance_scale,
    check_images,
    check_pairs,
    check_prompts,
    check_tries,
)
from dalle_edu.systems.interface.noise import uniforms_for
from dalle_edu.systems.interface.system import TOGETHER, System
from dalle_edu.world.tokenizer import CaptionTokenizer

# a code is written anew where the new caption makes it less than this many times as
# likely as the old one did
DOUBT = 0.2


@runtime_checkable
class Codec(Protocol):
    """Pictures to grids of codes, and back."""

    def encode(self, images: Tensor) -> Tensor: ...
    def decode(self, codes: Tensor) -> Tensor: ...


class AutoregressiveSystem(System):
    """A system with a codec, a prior and a tokenizer. Subclasses give `codec`,
    `code_prior` and `logits`.
    """

    tokenizer: CaptionTokenizer
    prior_stage: ClassVar[str] = "prior"

    @property
    @abstractmethod
    def codec(self) -> Codec:
        """What turns pictures into codes."""

    @property
    @abstractmethod
    def code_prior(self) -> Any:
        """What writes codes; its `config` says how many."""

    @abstractmethod
    def logits(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n i v"]:
        """What the prior says of every code, given the caption and the codes before
        it.
        """

    @property
    def evaluations(self) -> int:
        return self.code_prior.config.image_length + 1  # each code, and the decoder

    def tokens(self, captions: Sequence[str]) -> Int[Tensor, "n t"]:
        return self.tokenizer.encode(
            captions, self.code_prior.config.text_length
        ).to(self.device)

    def codes_and_text(
        self,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        generator: torch.Generator | None,
    ) -> tuple[Int[Tensor, "n i"], Int[Tensor, "n t"]]:
        """What the prior learns from: the codes of pictures, and their captions,
        some of which are left out for guidance's sake.
        """
        text = self.tokens(captions)
        kept = (
            torch.rand(len(text), 1, generator=generator, device=text.device)
            >= self.config.caption_dropout
        )
        return self.codec.encode(images).flatten(1), text * kept

    # ------------------------------------------------------------ drawing

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        guidance_scale: float | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        daring: float | None = None,
        given: Int[Tensor, "n i"] | None = None,
        callback: Callable[[int, Tensor], None] | None = None,
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1].

        `guidance_scale` 1 follows the caption as training did, more follows it more
        closely; `temperature` 0 takes the likeliest code each time, and `daring` is
        the temperature of whether not to (see `decoding.temper`); a temperature
        given alone serves for both. `top_k` and `top_p` filter the codes. Picture i
        draws its chance from (seed, i) alone. `given` holds codes to keep, row by
        row, and -1 where they must be written. `callback(position, codes)` watches
        the codes come. Raises `DalleEduError` for a prompt that cannot be drawn or
        a setting out of range.
        """
        codes = self.sample_codes(
            prompts,
            seed=seed,
            guidance_scale=guidance_scale,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            daring=daring,
            given=given,
            callback=callback,
        )
        return torch.cat([self.decode(part) for part in codes.split(TOGETHER)])

    @torch.no_grad()
    def sample_codes(
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        guidance_scale: float | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        daring: float | None = None,
        given: Int[Tensor, "n i"] | None = None,
        callback: Callable[[int, Tensor], None] | None = None,
    ) -> Int[Tensor, "n i"]:
        """The codes of the pictures that `generate` draws."""
        guidance_scale = (
            self.config.guidance_scale if guidance_scale is None else guidance_scale
        )
        if temperature is None:
            temperature, daring = (
                self.config.temperature,
                self.config.daring if daring is None else daring,
            )
        check_prompts(prompts)
        check_guidance_scale(guidance_scale)
        check_choice(temperature, top_k, top_p, daring)
        uniforms = uniforms_for(
            len(prompts), self.code_prior.config.image_length, seed
        ).to(self.device)
        text, written = self.tokens(prompts), []
        for start in range(0, len(text), TOGETHER):
            rows = slice(start, start + TOGETHER)
            choice: Any = {
                "temperature": temperature,
                "top_k": top_k,
                "top_p": top_p,
                "daring": daring,
            }
            kept = None if given is None else given[rows]
            written.append(
                sample_codes(
                    self.code_prior,
                    text[rows],
                    uniforms[rows],
                    guidance_scale,
                    given=kept,
                    callback=callback,
                    **choice,
                )
            )
        return torch.cat(written)

    def decode(self, codes: Int[Tensor, "n i"]) -> Float[Tensor, "n 3 h w"]:
        """The pictures of rows of codes."""
        return (
            self.codec.decode(codes.unflatten(1, (self.code_prior.config.grid, -1)))
            .float()
            .clamp(-1, 1)
        )

    @torch.no_grad()
    def reconstruct(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures through the codes and back: the best that the prior can hope
        for.
        """
        return self.codec.decode(self.codec.encode(images)).float().clamp(-1, 1)

    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        return (
            self.generate(captions, seed=seed)
            if stage == self.prior_stage
            else self.reconstruct(images)
        )

    # ------------------------------------------------------- with a picture at hand

    @torch.no_grad()
    def complete(
        self,
        images: Float[Tensor, "n 3 h w"],
        prompts: Sequence[str],
        *,
        rows: float = 0.5,
        seed: int = 0,
        **options: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """Finish pictures of which the top `rows` (a part, 0 to 1, of the height)
        are given, as their captions say (Ramesh et al. 2021, figure 2d). The given
        pixels stay as they are; what was below them is not looked at.

        `rows` is rounded to whole rows of codes. `options` are those of `generate`.
        """
        check_images(images, self.resolution)
        check_pairs(images, prompts)
        height = self.given_height(rows)
        codes = self.codec.encode(images.to(self.device))
        codes[:, height * codes.shape[1] // self.resolution :] = -1
        painted = self.generate(
            prompts, seed=seed, given=codes.flatten(1), **options
        )
        painted[:, :, :height] = images[:, :, :height].to(painted)
        return painted

    def given_height(self, rows: float) -> int:
        """How many rows of pixels `complete` keeps of a picture. Raises
        `DalleEduError` unless `rows` is a part of it.
        """
        if not 0 <= rows <= 1:
            raise DalleEduError(
                f"rows is {rows:g}; give the part of the picture's height that is "
                "kept, 0 to 1",
                f"rows vaut {rows:g} ; donnez la part gardée de la hauteur de "
                "l'image, de 0 à 1",
            )
        grid = self.code_prior.config.grid
        return round(rows * grid) * self.resolution // grid

    @torch.no_grad()
    def alter(
        self,
        images: Float[Tensor, "n 3 h w"],
        before: Sequence[str],
        after: Sequence[str],
        *,
        seed: int = 0,
        tries: int = 8,
        temperature: float | None = 1.0,
        **options: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """Change in pictures what changes in their captions: codes that the new
        caption makes much less likely than the old one did are written anew, with
        the whole object that they belong to; the others are kept.

        Who writes in order cannot see what is kept further on, so each picture is
        tried `tries` times, and the try whose codes are the likeliest all in all is
        painted. `options` are those of `generate`.
        """
        check_images(images, self.resolution)
        check_pairs(images, before, after)
        check_tries(tries)
        codes = self.codec.encode(images.to(self.device))
        old, new = (
            self._log_likelihood(captions, codes.flatten(1))
            for captions in (before, after)
        )
        doubted = (new - old < torch.tensor(DOUBT).log()).view_as(codes)
        anew = _neighbours(_objects_around(doubted, codes))
        given = (
            codes.masked_fill(anew, -1).flatten(1).repeat_interleave(tries, dim=0)
        )
        prompts = [caption for caption in after for _ in range(tries)]
        written = self.sample_codes(
            prompts, seed=seed, given=given, temperature=temperature, **options
        )
        likely = (
            self._log_likelihood(prompts, written)
            .sum(dim=1)
            .unflatten(0, (-1, tries))
        )
        return self.decode(
            written.unflatten(0, (-1, tries))[
                torch.arange(len(images)), likely.argmax(dim=1)
            ]
        )

    def _log_likelihood(
        self, captions: Sequence[str], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n i"]:
        """The logarithm of the probability of each code, given the caption and the
        codes before it.
        """
        logits = self.logits(self.tokens(captions), codes).float()
        return logits.log_softmax(dim=-1).gather(2, codes.unsqueeze(2)).squeeze(2)

    # ------------------------------------------------------------ files


def _neighbours(marked: Bool[Tensor, "n h w"]) -> Bool[Tensor, "n h w"]:
    """The marked positions of a grid, and the eight around each."""
    return (
        F.max_pool2d(
            marked.float().unsqueeze(1), kernel_size=3, stride=1, padding=1
        ).squeeze(1)
        > 0
    )


def _objects_around(
    marked: Bool[Tensor, "n h w"], codes: Int[Tensor, "n h w"]
) -> Bool[Tensor, "n h w"]:
    """The marked positions, and all that hang together with them without crossing
    the ground, which is a picture's most frequent code.

    A doubt falls on the codes with which an object begins: once these are given,
    either caption explains the rest of it.
    """
    ground = codes.flatten(1).mode(dim=1).values[:, None, None]
    for _ in range(codes.shape[1] * 2):
        marked = marked | (_neighbours(marked) & (codes != ground))
    return marked
