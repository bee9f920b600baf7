"""Rewriting: edits of a picture that sample some of its codes again (DALL·E 1 and
DALL·E mini).

`complete` keeps the codes of the top of a picture and samples the rest. `alter`
samples again the codes that a changed caption makes unlikely. Lessons 11 and 13.

Letters: n pictures of H x W pixels, i codes of a picture, h x w positions of their
grid, v entries of the codebook, t text tokens.
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from dalle_edu.device import off_metal
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.checks import check_images, check_pairs
from dalle_edu.systems.interface.drawing import drawing
from dalle_edu.systems.interface.sampling import SETTINGS
from dalle_edu.systems.interface.system import System

# a code is sampled again where its probability under the new caption is less than
# this many times that under the old one
DOUBT = 0.2


class Rewriting(System):
    """A system that draws codes. Subclasses define `encode`, `decode`, `grid`,
    `tokens`, `logits` and `sample_codes`.
    """

    @property
    @abstractmethod
    def grid(self) -> int:
        """Codes on a side of a picture."""

    @abstractmethod
    def encode(self, images: Float[Tensor, "n 3 H W"]) -> Int[Tensor, "n h w"]:
        """The grids of codes of pictures in [-1, 1]."""

    @abstractmethod
    def decode(self, codes: Int[Tensor, "n i"]) -> Float[Tensor, "n 3 H W"]:
        """The pictures, in [-1, 1], of codes in reading order."""

    @abstractmethod
    def tokens(self, captions: Sequence[str]) -> Int[Tensor, "n t"]:
        """Captions as token numbers, padded with 0."""

    @abstractmethod
    def logits(
        self, text: Int[Tensor, "n t"], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n i v"]:
        """The logits of every code, given the caption and the codes before it."""

    @abstractmethod
    def sample_codes(
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        given: Int[Tensor, "n i"] | None = None,
        **settings: Any,
    ) -> Int[Tensor, "n i"]:
        """The codes of a picture for each prompt. `given` holds codes to keep, and
        -1 where one is to be sampled.
        """

    @drawing
    def complete(
        self,
        images: Float[Tensor, "n 3 H W"],
        prompts: Sequence[str],
        *,
        rows: float = 0.5,
        seed: int = 0,
        **settings: Any,
    ) -> Float[Tensor, "n 3 H W"]:
        """Pictures in [-1, 1], of which the top is kept and the rest drawn anew as
        their captions say (Ramesh et al. 2021, figure 2d).

        `rows` is the part of the height that is kept, in [0, 1], rounded to whole
        rows of codes. Kept pixels stay exactly as they are, and the others have no
        influence. `settings` are those of `generate`, with its `callback` and
        `progress`. Raises `DalleEduError` for pictures of another size or range,
        prompts that cannot be drawn, and `rows` outside [0, 1].
        """
        check_images(images, self.resolution)
        (prompts,) = check_pairs(images, prompts, domain=self.domain)
        height = self.given_height(rows)
        codes = self.encode(images.to(self.device, torch.float32))
        codes[:, height * self.grid // self.resolution :] = -1
        written = self.sample_codes(
            prompts, seed=seed, given=codes.flatten(1), **settings
        )
        finished = self.decode(written)
        finished[:, :, :height] = images[:, :, :height].to(finished)
        return finished

    def given_height(self, rows: float) -> int:
        """The number of rows of pixels that `complete` keeps. Raises
        `DalleEduError` unless `rows` is in [0, 1].
        """
        if not 0 <= rows <= 1:
            raise DalleEduError(
                f"rows is {rows:g}; give the part of the picture's height that is "
                "kept, 0 to 1",
                f"rows vaut {rows:g} ; donnez la part gardée de la hauteur de "
                "l'image, de 0 à 1",
            )
        return round(rows * self.grid) * self.resolution // self.grid

    @drawing
    def alter(
        self,
        images: Float[Tensor, "n 3 H W"],
        before: Sequence[str],
        after: Sequence[str],
        *,
        seed: int = 0,
        tries: int = 8,
        temperature: float | None = 1.0,
        **settings: Any,
    ) -> Float[Tensor, "n 3 H W"]:
        """Pictures in [-1, 1], changed as their captions change from `before` to
        `after`.

        Codes that the new caption makes much less likely than the old one are
        sampled again, with the whole object that they belong to; the others are
        kept. Codes are sampled in reading order and cannot depend on codes kept
        further on, so each picture is sampled `tries` times, and the try of the
        highest likelihood as a whole is decoded. `settings` are those of
        `generate`. Raises `DalleEduError` for pictures of another size or range,
        captions that cannot be drawn or are not one for each picture, and a setting
        out of range.
        """
        check_images(images, self.resolution)
        before, after = check_pairs(images, before, after, domain=self.domain)
        SETTINGS["tries"].check("tries", tries)
        codes = self.encode(images.to(self.device, torch.float32))
        doubted = self.doubted(codes, before, after)
        kept = codes.masked_fill(doubted, -1).flatten(1)
        prompts = [caption for caption in after for _ in range(tries)]
        sampled = self.sample_codes(
            prompts,
            seed=seed,
            given=kept.repeat_interleave(tries, dim=0),
            temperature=temperature,
            **settings,
        )
        likelihoods = self._log_likelihood(prompts, sampled).sum(dim=1)
        best = likelihoods.unflatten(0, (-1, tries)).argmax(dim=1)
        each = torch.arange(len(images), device=best.device)
        return self.decode(sampled.unflatten(0, (-1, tries))[each, best])

    def doubted(
        self,
        codes: Int[Tensor, "n h w"],
        before: Sequence[str],
        after: Sequence[str],
    ) -> Bool[Tensor, "n h w"]:
        """A mask of the codes that a changed caption makes unlikely, of the objects
        that they belong to, and of a border around these. `before` and `after` are
        the captions of each picture.
        """
        old, new = (
            self._log_likelihood(captions, codes.flatten(1))
            for captions in (before, after)
        )
        unlikely = (new - old < math.log(DOUBT)).view_as(codes)
        return _neighbours(_objects_around(unlikely, codes))

    def _log_likelihood(
        self, captions: Sequence[str], codes: Int[Tensor, "n i"]
    ) -> Float[Tensor, "n i"]:
        """The logarithm of the probability of each code, given the caption and the
        codes before it.
        """
        logits = self.logits(self.tokens(captions), codes).float()
        return logits.log_softmax(dim=-1).gather(2, codes.unsqueeze(2)).squeeze(2)


def _neighbours(marked: Bool[Tensor, "n h w"]) -> Bool[Tensor, "n h w"]:
    """The marked positions of a grid, and the eight around each."""
    marks = marked.float().unsqueeze(1)
    return F.max_pool2d(marks, kernel_size=3, stride=1, padding=1).squeeze(1) > 0


def _objects_around(
    marked: Bool[Tensor, "n h w"], codes: Int[Tensor, "n h w"]
) -> Bool[Tensor, "n h w"]:
    """The marked positions, and all that are connected with them through positions
    other than the ground, which is a picture's most frequent code.

    A new caption makes unlikely the codes with which an object begins. Given these,
    the rest of the object is likely under either caption, so it must be added here.
    """
    most_frequent = off_metal(codes.flatten(1)).mode(dim=1).values
    ground = most_frequent[:, None, None].to(codes.device)
    for _ in range(codes.shape[1] * 2):
        marked = marked | (_neighbours(marked) & (codes != ground))
    return marked
