"""Image variations: pictures from pictures, for systems that draw from CLIP
embeddings (Ramesh et al. 2022, section 3).

A picture drawn again from its own embedding is a variation. One drawn from an
embedding between those of two pictures mixes them. One drawn from an embedding that
is moved as a caption changes follows the words. Lesson 14.

Letters: n pictures, h = w pixels on a side, e channels of an embedding, t tokens, c
channels of their states.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from dalle_edu.bricks.vae import slerp
from dalle_edu.errors import DalleEduError
from dalle_edu.language import comma
from dalle_edu.systems.interface.checks import (
    check_couples,
    check_images,
    check_pairs,
)
from dalle_edu.systems.interface.drawing import drawing
from dalle_edu.systems.interface.progress import ProgressCallback, one_of
from dalle_edu.systems.interface.system import System

_PERCENT = 100
_NO_CHANGE = 1e-5  # the largest difference of embeddings that is a rounding error


class ImageVariations(System):
    """A system that draws from CLIP embeddings. Subclasses define `encode_images`,
    `encode_texts` and `decode_embeddings`. Lesson 14.
    """

    @abstractmethod
    def encode_images(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n e"]:
        """The embeddings, unit vectors, of pictures in [-1, 1]."""

    @abstractmethod
    def encode_texts(
        self, captions: Sequence[str]
    ) -> tuple[Float[Tensor, "n t c"], Float[Tensor, "n e"]]:
        """The states of captions' tokens, and the captions' embeddings, which are
        unit vectors.
        """

    @abstractmethod
    def decode_embeddings(
        self,
        z: Float[Tensor, "n e"],
        captions: Sequence[str] | None = None,
        *,
        seed: int = 0,
        **options: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures, in [-1, 1], that have these embeddings, which are unit
        vectors.
        """

    @drawing
    def vary(
        self, images: Float[Tensor, "n 3 h w"], *, seed: int = 0, **options: Any
    ) -> Float[Tensor, "n 3 h w"]:
        """Variations: pictures in [-1, 1] with the same embeddings (section 3.1 of
        the paper). What CLIP's embedding holds of a picture stays, and all else is
        drawn anew. `options` are those of `decode_embeddings`, with its `callback`
        and `progress`. Raises `DalleEduError` for anything but square pictures in
        [-1, 1].
        """
        check_images(images, images.shape[-1])
        return self.decode_embeddings(
            self.encode_images(images), seed=seed, **options
        )

    @drawing
    def loop(
        self,
        images: Float[Tensor, "n 3 h w"],
        frames: int,
        *,
        seed: int = 0,
        callback: ProgressCallback | None = None,
        **options: Any,
    ) -> Float[Tensor, "frames n 3 h w"]:
        """The pictures, a variation of each, a variation of that, and so on, in so
        many `frames`. First what CLIP's embedding does not hold drifts, then what
        it does. `callback` is called with a `Progress` at each step of each frame;
        `options` are those of `vary`. Raises `DalleEduError` for pictures of
        another size or range.
        """
        check_images(images, self.resolution)
        shown = [images.to(self.device, torch.float32)]
        for frame in range(1, frames):
            if callback is not None:
                options["callback"] = one_of(callback, frame - 1, frames - 1)
            shown.append(self.vary(shown[-1], seed=seed + frame, **options))
        return torch.stack(shown)

    @drawing
    def mix(
        self,
        first: Float[Tensor, "n 3 h w"],
        second: Float[Tensor, "n 3 h w"],
        ratio: float = 0.3,
        *,
        seed: int = 0,
        **options: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """Interpolations: pictures in [-1, 1] whose embeddings lie between those of
        the first pictures (`ratio` 0) and of the second ones (1), on the great
        circle (section 3.2 of the paper). `options` are those of
        `decode_embeddings`. Raises `DalleEduError` for batches that do not match,
        and a ratio outside [0, 1].
        """
        check_couples(first, second)
        start, end = self.encode_images(first), self.encode_images(second)
        z = on_the_way(start, end, ratio)
        return self.decode_embeddings(z, seed=seed, **options)

    @drawing
    def steer(
        self,
        images: Float[Tensor, "n 3 h w"],
        before: Sequence[str],
        after: Sequence[str],
        ratio: float = 0.4,
        *,
        seed: int = 0,
        **options: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """Text diffs: pictures in [-1, 1] whose embeddings are moved by the part
        `ratio` of the way towards the difference of two captions' embeddings
        (section 3.3 of the paper). `options` are those of `decode_embeddings`.
        Raises `DalleEduError` for captions that do not match the pictures or say
        the same, and a ratio outside [0, 1].
        """
        check_images(images, images.shape[-1])
        before, after = check_pairs(images, before, after, domain=self.domain)
        difference = self.encode_texts(after)[1] - self.encode_texts(before)[1]
        unchanged = difference.norm(dim=-1) < _NO_CHANGE
        for same in unchanged.nonzero().flatten().tolist():
            raise DalleEduError(
                f'"{before[same]}" and "{after[same]}" say the same, so there is '
                "no way to go; change the second caption",
                f"« {before[same]} » et « {after[same]} » disent la même chose, "
                "il n'y a donc nulle part où aller ; changez la seconde",
            )
        start, end = self.encode_images(images), F.normalize(difference, dim=-1)
        z = on_the_way(start, end, ratio)
        return self.decode_embeddings(z, seed=seed, **options)


def on_the_way(
    first: Float[Tensor, "n e"], second: Float[Tensor, "n e"], ratio: float
) -> Float[Tensor, "n e"]:
    """Spherical interpolation: the points of the great circles from unit vectors
    (`ratio` 0) to others (1). The ratio is rounded to a percent. Raises
    `DalleEduError` for a ratio outside [0, 1].
    """
    if not 0 <= ratio <= 1:
        raise DalleEduError(
            f"the ratio is {ratio:g}; give the part of the way that is gone, 0 to "
            "1",
            f"le rapport est {comma(ratio, 2)} ; donnez la part du chemin "
            "parcourue, de 0 à 1",
        )
    paths = [
        slerp(one, other, _PERCENT + 1)
        for one, other in zip(first, second, strict=True)
    ]
    return torch.stack(paths)[:, round(ratio * _PERCENT)]
