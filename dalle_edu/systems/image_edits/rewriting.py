"""Rewriting: edits of a picture by writing some of its codes anew (DALL·E 1 and
DALL·E mini).

`complete` keeps the top of a picture and writes the rest; `alter` writes anew the
codes that a changed caption makes unlikely. Lesson 11.

Letters: n pictures, i codes of a picture, h x w positions of their grid, v entries
of the codebook, t text tokens.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.checks import check_images, check_pairs
from dalle_edu.systems.interface.sampling import SETTINGS
from dalle_edu.systems.interface.system import System

# a code is written anew where the new caption makes it less than this many times as
# likely as the old one did
DOUBT = 0.2


class Rewriting(System):
    """A system whose pictures are codes. Subclasses give `encode`, `decode`,
    `grid`, `tokens`, `logits` and `sample_codes`.
    """

    @property
    @abstractmethod
    def grid(self) -> int:
        """Codes on a side of a picture."""

    @abstractmethod
    def encode(self, images: Float[Tensor, "n 3 H W"]) -> Int[Tensor, "n h w"]:
        """The codes of pictures in [-1, 1]."""

    @abstractmethod
    def decode(self, codes: Int[Tensor, "n i"]) -> Float[Tensor, "n 3 H W"]:
        """The pictures of rows of codes, in [-1, 1]."""

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
        """Codes of a picture for each prompt; `given` holds codes to keep, and -1
        where they must be written.
        """

    @torch.no_grad()
    def complete(
        self,
        images: Float[Tensor, "n 3 H W"],
        prompts: Sequence[str],
        *,
        rows: float = 0.5,
        seed: int = 0,
        **settings: Any,
    ) -> Float[Tensor, "n 3 H W"]:
        """Finish pictures of which the top `rows` (a part, 0 to 1, of the height)
        are given, as their captions say (Ramesh et al. 2021, figure 2d).

        `rows` is rounded to whole rows of codes. The given pixels stay as they are;
        what was below them is not looked at. `settings` are those of `generate`.
        Raises `DalleEduError` for pictures of another size or range, prompts that
        cannot be drawn, and `rows` outside [0, 1].
        """
        check_images(images, self.resolution)
        check_pairs(images, prompts)
        height = self.given_height(rows)
        codes = self.encode(images.to(self.device))
        codes[:, height * self.grid // self.resolution :] = -1
        written = self.sample_codes(
            prompts, seed=seed, given=codes.flatten(1), **settings
        )
        finished = self.decode(written)
        finished[:, :, :height] = images[:, :, :height].to(finished)
        return finished

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
        return round(rows * self.grid) * self.resolution // self.grid

    @torch.no_grad()
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
        """Change in pictures what changes in their captions, from `before` to
        `after`.

        Codes that the new caption makes much less likely than the old one did are
        written anew, with the whole object that they belong to; the others are
        kept. Codes are written in order, without a look at those kept further on,
        so each picture is tried `tries` times, and the try whose codes are the
        likeliest all in all is decoded. `settings` are those of `generate`. Raises
        `DalleEduError` for what does not match.
        """
        check_images(images, self.resolution)
        check_pairs(images, before, after)
        SETTINGS["tries"].check("tries", tries)
        codes = self.encode(images.to(self.device))
        anew = self.doubted(codes, before, after)
        kept = codes.masked_fill(anew, -1).flatten(1)
        prompts = [caption for caption in after for _ in range(tries)]
        written = self.sample_codes(
            prompts,
            seed=seed,
            given=kept.repeat_interleave(tries, dim=0),
            temperature=temperature,
            **settings,
        )
        likely = self._log_likelihood(prompts, written).sum(dim=1)
        best = likely.unflatten(0, (-1, tries)).argmax(dim=1)
        each = torch.arange(len(images))
        return self.decode(written.unflatten(0, (-1, tries))[each, best])

    def doubted(
        self,
        codes: Int[Tensor, "n h w"],
        before: Sequence[str],
        after: Sequence[str],
    ) -> Bool[Tensor, "n h w"]:
        """Which codes of a picture a changed caption puts in doubt: those that it
        makes unlikely, the objects that they belong to, and a border around these.
        """
        old, new = (
            self._log_likelihood(captions, codes.flatten(1))
            for captions in (before, after)
        )
        unlikely = (new - old < torch.tensor(DOUBT).log()).view_as(codes)
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
    """The marked positions, and all that hang together with them without crossing
    the ground, which is a picture's most frequent code.

    A doubt falls on the codes with which an object begins: once these are given,
    either caption explains the rest of it.
    """
    ground = codes.flatten(1).mode(dim=1).values[:, None, None]
    for _ in range(codes.shape[1] * 2):
        marked = marked | (_neighbours(marked) & (codes != ground))
    return marked
