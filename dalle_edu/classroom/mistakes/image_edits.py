"""Mistakes about variations, mixtures, text diffs, and rewriting."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.classroom.checking.proof import Mistake
from dalle_edu.systems.image_edits.rewriting import DOUBT, Rewriting
from dalle_edu.systems.image_edits.variations import ImageVariations, on_the_way


def straight_through_the_sphere(first: Tensor, second: Tensor, ratio: float) -> Tensor:
    return torch.lerp(first, second, round(100 * ratio) / 100)


def straight_then_normalised(first: Tensor, second: Tensor, ratio: float) -> Tensor:
    return F.normalize(straight_through_the_sphere(first, second, ratio), dim=-1)


def from_the_other_end(first: Tensor, second: Tensor, ratio: float) -> Tensor:
    return on_the_way(second, first, ratio)


class DrawnAlike(ImageVariations):
    def loop(self, images: Tensor, frames: int, *, seed: int = 0, **options: Any) -> Tensor:
        shown = [images]
        for _ in range(1, frames):
            shown.append(self.vary(shown[-1], seed=seed, **options))
        return torch.stack(shown)


class AlwaysFromTheFirst(ImageVariations):
    def loop(self, images: Tensor, frames: int, *, seed: int = 0, **options: Any) -> Tensor:
        varied = [self.vary(images, seed=seed + frame, **options) for frame in range(1, frames)]
        return torch.stack([images, *varied])


class AddsTheDifference(ImageVariations):
    def steer(
        self, images: Tensor, before: Sequence[str], after: Sequence[str], ratio: float = 0.4, *, seed: int = 0, **options: Any
    ) -> Tensor:
        difference = self.encode_texts(after)[1] - self.encode_texts(before)[1]
        z = F.normalize(self.encode_images(images) + ratio * difference, dim=-1)
        return self.decode_embeddings(z, seed=seed, **options)


class TowardsTheNewCaption(ImageVariations):
    def steer(
        self, images: Tensor, before: Sequence[str], after: Sequence[str], ratio: float = 0.4, *, seed: int = 0, **options: Any
    ) -> Tensor:
        z = on_the_way(self.encode_images(images), self.encode_texts(after)[1], ratio)
        return self.decode_embeddings(z, seed=seed, **options)


class CaptionsExchanged(ImageVariations):
    def steer(
        self, images: Tensor, before: Sequence[str], after: Sequence[str], ratio: float = 0.4, *, seed: int = 0, **options: Any
    ) -> Tensor:
        return super().steer(images, after, before, ratio, seed=seed, **options)


class MixesPixels(ImageVariations):
    def mix(self, first: Tensor, second: Tensor, ratio: float = 0.3, *, seed: int = 0, **options: Any) -> Tensor:
        return self.vary(torch.lerp(first, second, ratio), seed=seed, **options)


# ---------------------------------------------------------------- which codes are rewritten


class DoubtfulCodesAlone(Rewriting):
    def doubted(self, codes: Tensor, before: Sequence[str], after: Sequence[str]) -> Tensor:
        old, new = (self._log_likelihood(captions, codes.flatten(1)) for captions in (before, after))
        return (new - old < torch.tensor(DOUBT).log()).view_as(codes)


class NoBorder(Rewriting):
    def doubted(self, codes: Tensor, before: Sequence[str], after: Sequence[str]) -> Tensor:
        bordered = super().doubted(codes, before, after)
        ground = codes.flatten(1).mode(dim=1).values[:, None, None]
        return bordered & (codes != ground)


class UnlikelyWhateverWasSaid(Rewriting):
    def doubted(self, codes: Tensor, before: Sequence[str], after: Sequence[str]) -> Tensor:
        return super().doubted(codes, after, before)


class FirstTryKept(Rewriting):
    def alter(self, images: Tensor, before: Sequence[str], after: Sequence[str], *, tries: int = 8, **settings: Any) -> Tensor:
        codes = self.encode(images)
        kept = codes.masked_fill(self.doubted(codes, before, after), -1).flatten(1)
        prompts = [caption for caption in after for _ in range(tries)]
        settings = {"temperature": 1.0} | settings
        sampled = self.sample_codes(prompts, given=kept.repeat_interleave(tries, dim=0), **settings)
        return self.decode(sampled.unflatten(0, (-1, tries))[:, 0])


class TheBottomKept(Rewriting):
    def complete(self, images: Tensor, prompts: Sequence[str], *, rows: float = 0.5, seed: int = 0, **settings: Any) -> Tensor:
        turned = super().complete(images.flip(2), prompts, rows=rows, seed=seed, **settings)
        return turned.flip(2)


class KeptPixelsDecoded(Rewriting):
    def complete(self, images: Tensor, prompts: Sequence[str], *, rows: float = 0.5, seed: int = 0, **settings: Any) -> Tensor:
        codes = self.encode(images)
        codes[:, self.given_height(rows) * self.grid // self.resolution :] = -1
        return self.decode(self.sample_codes(prompts, seed=seed, given=codes.flatten(1), **settings))


_WAY, _VARIATIONS = "systems.image_edits.variations:on_the_way", "systems.image_edits.variations:ImageVariations"
_REWRITING = "systems.image_edits.rewriting:Rewriting"
MISTAKES = [
    Mistake(
        _WAY,
        straight_through_the_sphere,
        "It goes straight through the sphere: halfway the vector is shorter than 1, which no picture's embedding is.",
        "Le chemin est droit, à travers la sphère : à mi-chemin le vecteur est plus court que 1, ce qu'aucun plongement n'est.",
    ),
    Mistake(
        _WAY,
        straight_then_normalised,
        "Straight, then put to length 1: the vector is on the sphere, but a quarter of the ratio is not a quarter of the angle.",
        "Tout droit, puis ramené à la longueur 1 : on est sur la sphère, mais un quart du rapport n'est pas un quart de l'angle.",
    ),
    Mistake(
        _WAY,
        from_the_other_end,
        "The ratio is counted from the wrong end: 0 is the first vector, 1 the second.",
        "Le rapport est compté depuis le mauvais bout : 0 donne le premier vecteur, 1 le second.",
    ),
    Mistake(
        _VARIATIONS,
        DrawnAlike,
        "Every round has the same seed, and so the same noise: the loop soon comes to rest; add the number of the frame.",
        "Chaque tour a la même graine, donc le même bruit : la boucle se fige vite ; ajoutez le numéro de l'image.",
    ),
    Mistake(
        _VARIATIONS,
        AlwaysFromTheFirst,
        "Every frame is a variation of the first picture; in the loop each is drawn from the one before it.",
        "Chaque image est une variation de la première ; dans la boucle, chacune est tirée de la précédente.",
    ),
    Mistake(
        _VARIATIONS,
        AddsTheDifference,
        "The difference of the captions is added as it is, so that its length decides how far one goes; put it to length 1 and turn.",
        "La différence des légendes est ajoutée telle quelle, et sa longueur décide de l'écart ; normalisez-la, puis tournez.",
    ),
    Mistake(
        _VARIATIONS,
        TowardsTheNewCaption,
        "It turns towards the new caption as a whole; only what changes, after minus before, is to move the picture.",
        "L'image tourne vers la nouvelle légende entière ; seul ce qui change, après moins avant, doit la déplacer.",
    ),
    Mistake(
        _VARIATIONS,
        CaptionsExchanged,
        "The difference is taken the wrong way round: it is the embedding of `after` minus that of `before`.",
        "La différence est prise à l'envers : c'est le plongement de `after` moins celui de `before`.",
    ),
    Mistake(
        _VARIATIONS,
        MixesPixels,
        "Pixels are mixed, and the embedding is that of a double exposure; mix the embeddings of the two pictures.",
        "Ce sont les pixels qui sont mêlés, comme une double exposition ; mêlez les plongements des deux images.",
    ),
    Mistake(
        _REWRITING,
        DoubtfulCodesAlone,
        "Only the unlikely codes are rewritten: the rest of the object stays, and has two colours afterwards.",
        "Seuls les codes improbables sont réécrits : le reste de l'objet demeure, et il a ensuite deux couleurs.",
    ),
    Mistake(
        _REWRITING,
        NoBorder,
        "The border of the object is kept: its outline, shared with the ground, would still show the old shape.",
        "Le bord de l'objet est gardé : son contour, partagé avec le fond, montrerait encore l'ancienne forme.",
    ),
    Mistake(
        _REWRITING,
        UnlikelyWhateverWasSaid,
        "The captions are exchanged: what is rewritten became likelier; look for codes that the *new* caption makes unlikely.",
        "Les légendes sont échangées : on réécrit ce qui devient plus probable ; cherchez ce que la *nouvelle* rend improbable.",
    ),
    Mistake(
        _REWRITING,
        FirstTryKept,
        "The first try is taken; keep the one of the highest likelihood under the new caption.",
        "Le premier essai est pris ; gardez celui de la plus grande vraisemblance sous la nouvelle légende.",
    ),
    Mistake(
        _REWRITING,
        TheBottomKept,
        "The bottom of the picture is kept; codes are written in reading order, so that only the top can be given.",
        "C'est le bas de l'image qui est gardé ; les codes s'écrivent dans l'ordre de lecture, et seul le haut peut être donné.",
    ),
    Mistake(
        _REWRITING,
        KeptPixelsDecoded,
        "What is kept comes back through the codec, a little changed; put the given pixels back over it.",
        "Ce qui est gardé repasse par le codec et en sort un peu changé ; remettez par-dessus les pixels donnés.",
    ),
]
