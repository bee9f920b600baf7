"""Pictures from pictures: what a system can do that draws from CLIP embeddings
(Ramesh et al. 2022, section 3).

A sentence is one way to an embedding; a picture is another. Drawn again from its
own embedding, a picture varies; from an embedding on the way to another picture's,
two pictures mix; from one moved as a caption changes, a picture follows the words.
Lesson 14.

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
from dalle_edu.systems.interface.system import System

_PERCENT = 100
_NO_CHANGE = 1e-5  # the length of a difference of embeddings that says nothing


class ImageVariations(System):
    """A system that draws from embeddings. Subclasses give the embeddings of
    pictures and of captions, and draw from them.
    """

    @abstractmethod
    def encode_images(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n e"]:
        """The embeddings of pictures, unit vectors."""

    @abstractmethod
    def encode_texts(
        self, captions: Sequence[str]
    ) -> tuple[Float[Tensor, "n t c"], Float[Tensor, "n e"]]:
        """The states of captions' tokens, and the captions' embeddings."""

    @abstractmethod
    def decode_embeddings(
        self,
        z: Float[Tensor, "n e"],
        captions: Sequence[str] | None = None,
        *,
        seed: int = 0,
        **options: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures with these embeddings."""

    @torch.no_grad()
    def vary(
        self, images: Float[Tensor, "n 3 h w"], *, seed: int = 0, **options: Any
    ) -> Float[Tensor, "n 3 h w"]:
        """Other pictures with the same embeddings: what CLIP sees of a picture
        stays, the rest is drawn anew. Options are those of `decode_embeddings`.
        """
        check_images(images, images.shape[-1])
        return self.decode_embeddings(
            self.encode_images(images), seed=seed, **options
        )

    @torch.no_grad()
    def loop(
        self,
        images: Float[Tensor, "n 3 h w"],
        frames: int,
        *,
        seed: int = 0,
        **options: Any,
    ) -> Float[Tensor, "frames n 3 h w"]:
        """The pictures, a variation of each, a variation of that, and so on: what
        CLIP does not see drifts, then what it does.
        """
        check_images(images, self.resolution)
        shown = [images.to(self.device)]
        for frame in range(1, frames):
            shown.append(self.vary(shown[-1], seed=seed + frame, **options))
        return torch.stack(shown)

    @torch.no_grad()
    def mix(
        self,
        first: Float[Tensor, "n 3 h w"],
        second: Float[Tensor, "n 3 h w"],
        ratio: float = 0.3,
        *,
        seed: int = 0,
        **options: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures whose embeddings lie on the way from the first pictures' to the
        second ones', `ratio` of it gone, along the sphere.
        """
        check_couples(first, second)
        return self.decode_embeddings(
            on_the_way(
                self.encode_images(first), self.encode_images(second), ratio
            ),
            seed=seed,
            **options,
        )

    @torch.no_grad()
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
        """Pictures moved by what changes between two captions: a text diff, section
        3.3 of the paper.
        """
        check_images(images, images.shape[-1])
        check_pairs(images, before, after)
        difference = self.encode_texts(after)[1] - self.encode_texts(before)[1]
        for same in (
            (difference.norm(dim=-1) < _NO_CHANGE).nonzero().flatten().tolist()
        ):
            raise DalleEduError(
                f'"{before[same]}" and "{after[same]}" say the same, so there is '
                "no way to go; change the second caption",
                f"« {before[same]} » et « {after[same]} » disent la même chose, "
                "il n'y a donc nulle part où aller ; changez la seconde",
            )
        return self.decode_embeddings(
            on_the_way(
                self.encode_images(images), F.normalize(difference, dim=-1), ratio
            ),
            seed=seed,
            **options,
        )


def on_the_way(
    first: Float[Tensor, "n e"], second: Float[Tensor, "n e"], ratio: float
) -> Float[Tensor, "n e"]:
    """Points on the great circles from unit vectors to others, a part `ratio` of
    the way, to a percent. Raises `DalleEduError` for a ratio that is not in [0, 1].
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
