"""Mistakes about pixels: pictures made smaller, colours unmixed, segmentations compared."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.segmentation import mean_iou
from dalle_edu.classroom.checking.proof import Mistake
from dalle_edu.systems.families.cascade import shrink
from dalle_edu.world.catalogue import SHAPES, Catalogue


def every_nth_pixel(images: Tensor, side: int) -> Tensor:
    step = images.shape[-1] // side
    return images[..., ::step, ::step]


def the_largest_of_each_block(images: Tensor, side: int) -> Tensor:
    return F.max_pool2d(images, images.shape[-1] // side)


def side_taken_for_the_factor(images: Tensor, side: int) -> Tensor:
    return F.avg_pool2d(images, side)


def known_by_half(known: tuple[Tensor, Tensor] | None, side: int) -> tuple[Tensor, Tensor] | None:
    if known is None:
        return None
    return shrink(known[0], side), F.adaptive_avg_pool2d(known[1].float(), side) >= 0.5


def known_by_one_pixel(known: tuple[Tensor, Tensor] | None, side: int) -> tuple[Tensor, Tensor] | None:
    if known is None:
        return None
    return shrink(known[0], side), F.adaptive_avg_pool2d(known[1].float(), side) > 0


def mask_of_full_size(known: tuple[Tensor, Tensor] | None, side: int) -> tuple[Tensor, Tensor] | None:
    return None if known is None else (shrink(known[0], side), known[1])


def _lines(images: Tensor, catalogue: Catalogue) -> tuple[Tensor, Tensor, Tensor]:
    absorbed = 1 - (images.clamp(-1, 1) + 1) / 2
    palette = 1 - torch.tensor([colour.rgb for colour in catalogue.colours])
    along = torch.einsum("nrhw,cr->nchw", absorbed, palette) / palette.square().sum(1).view(1, -1, 1, 1)
    return absorbed, palette, along


def the_nearest_colour(images: Tensor, catalogue: Catalogue = SHAPES) -> tuple[Tensor, Tensor]:
    absorbed, palette, along = _lines(images, catalogue)
    colour = (absorbed[:, None] - palette[None, :, :, None, None]).square().sum(dim=2).argmin(dim=1)
    return colour, along.clamp(0, 1).gather(1, colour.unsqueeze(1)).squeeze(1)


def the_longest_way_along(images: Tensor, catalogue: Catalogue = SHAPES) -> tuple[Tensor, Tensor]:
    along = _lines(images, catalogue)[2].clamp(0, 1)
    colour = along.argmax(dim=1)
    return colour, along.gather(1, colour.unsqueeze(1)).squeeze(1)


def lines_from_black(images: Tensor, catalogue: Catalogue = SHAPES) -> tuple[Tensor, Tensor]:
    light, palette = (images.clamp(-1, 1) + 1) / 2, torch.tensor([colour.rgb for colour in catalogue.colours])
    along = torch.einsum("nrhw,cr->nchw", light, palette) / palette.square().sum(1).view(1, -1, 1, 1)
    along = along.clamp(0, 1)
    missed = (light[:, None] - along[:, :, None] * palette[None, :, :, None, None]).square().sum(dim=2)
    colour = missed.argmin(dim=1)
    return colour, along.gather(1, colour.unsqueeze(1)).squeeze(1)


def share_of_pixels_right(found: Tensor, truth: Tensor, classes: int) -> float:
    return float((found == truth).float().mean())


def _counts(found: Tensor, truth: Tensor, classes: int) -> tuple[Tensor, Tensor, Tensor]:
    pairs = (truth * classes + found).flatten().bincount(minlength=classes**2).view(classes, classes)
    return pairs.diag(), pairs.sum(dim=0), pairs.sum(dim=1)


def both_counted_twice(found: Tensor, truth: Tensor, classes: int) -> float:
    both, in_found, in_truth = _counts(found, truth, classes)
    return float((both / (in_found + in_truth).clamp(min=1)).mean())


def recall_of_each_class(found: Tensor, truth: Tensor, classes: int) -> float:
    both, _, in_truth = _counts(found, truth, classes)
    return float((both / in_truth.clamp(min=1)).mean())


def one_ratio_for_all(found: Tensor, truth: Tensor, classes: int) -> float:
    both, in_found, in_truth = _counts(found, truth, classes)
    return float(both.sum() / (in_found + in_truth - both).sum())


def absent_classes_left_out(found: Tensor, truth: Tensor, classes: int) -> float:
    both, in_found, in_truth = _counts(found, truth, classes)
    union = in_found + in_truth - both
    return float((both / union)[union > 0].mean())


def absent_classes_count_as_one(found: Tensor, truth: Tensor, classes: int) -> float:
    both, in_found, in_truth = _counts(found, truth, classes)
    return float((both / (in_found + in_truth - both)).nan_to_num(1).mean())


def background_left_out(found: Tensor, truth: Tensor, classes: int) -> float:
    both, in_found, in_truth = _counts(found, truth, classes)
    return float((both / (in_found + in_truth - both).clamp(min=1))[1:].mean())


def background_counts_as_zero(found: Tensor, truth: Tensor, classes: int) -> float:
    return background_left_out(found, truth, classes) * (classes - 1) / classes


def mean_over_pictures(found: Tensor, truth: Tensor, classes: int) -> float:
    means = [mean_iou(one, other, classes) for one, other in zip(found, truth, strict=True)]
    return sum(means) / len(means)


_SHRINK, _KNOWN = "systems.families.cascade:shrink", "systems.families.cascade:shrink_known"
_UNMIX, _IOU = "scorecard.picture_parser:unmix", "segmentation:mean_iou"
MISTAKES = [
    Mistake(
        _SHRINK,
        every_nth_pixel,
        "Only one pixel of each block is kept: thin lines vanish or stay by chance; take the mean of the block.",
        "Un seul pixel de chaque bloc est gardé : les traits fins disparaissent ou restent par hasard ; prenez la moyenne du bloc.",
    ),
    Mistake(
        _SHRINK,
        the_largest_of_each_block,
        "The largest value of each block is kept, which whitens the picture; take the mean.",
        "C'est la plus grande valeur de chaque bloc qui est gardée, ce qui blanchit l'image ; prenez la moyenne.",
    ),
    Mistake(
        _SHRINK,
        side_taken_for_the_factor,
        "The argument `side` is the side of the result; blocks have the old side divided by the new one.",
        "L'argument `side` est le côté du résultat ; les blocs ont pour côté l'ancien divisé par le nouveau.",
    ),
    Mistake(
        _KNOWN,
        known_by_half,
        "A small pixel counts as known when half of what it replaces is; it would show something of the unknown half.",
        "Un petit pixel compte pour connu dès que la moitié de ce qu'il remplace l'est ; il montrerait un peu de l'inconnu.",
    ),
    Mistake(
        _KNOWN,
        known_by_one_pixel,
        "One known pixel makes the whole block known; all of them must be.",
        "Un seul pixel connu rend tout le bloc connu ; il faut qu'ils le soient tous.",
    ),
    Mistake(
        _KNOWN,
        mask_of_full_size,
        "The mask keeps its size, and no longer fits the small pictures: shrink it too.",
        "Le masque garde sa taille et ne va plus avec les petites images : réduisez-le aussi.",
    ),
    Mistake(
        _UNMIX,
        the_nearest_colour,
        "The nearest palette colour is taken: a pale red pixel on an outline is nearer to pink; compare lines from white.",
        "La couleur la plus proche est prise : au bord, un rouge pâle est plus près du rose ; comparez des droites issues du blanc.",
    ),
    Mistake(
        _UNMIX,
        the_longest_way_along,
        "The colour with the largest coverage is taken, without asking how far its line misses the pixel.",
        "C'est la couleur de plus grande couverture qui est prise, sans voir de combien sa droite manque le pixel.",
    ),
    Mistake(
        _UNMIX,
        lines_from_black,
        "The lines start from black; the paper is white, so count what each colour absorbs, 1 - rgb.",
        "Les droites partent du noir ; le papier est blanc : comptez ce que chaque couleur absorbe, 1 - rvb.",
    ),
    Mistake(
        _IOU,
        share_of_pixels_right,
        "This is the share of right pixels: with 90 % of background, a network that sees nothing gets 90 %.",
        "C'est la part des pixels justes : avec 90 % de fond, un réseau qui ne voit rien obtient 90 %.",
    ),
    Mistake(
        _IOU,
        both_counted_twice,
        "The union counts what both have twice: subtract the intersection once.",
        "L'union compte deux fois ce que les deux ont en commun : retirez une fois l'intersection.",
    ),
    Mistake(
        _IOU,
        recall_of_each_class,
        "Only what belongs to the class is looked at; pixels wrongly given to it must count too, in the union.",
        "Seul ce qui appartient à la classe est regardé ; les pixels qu'on lui donne à tort comptent aussi, dans l'union.",
    ),
    Mistake(
        _IOU,
        one_ratio_for_all,
        "One ratio for all classes together lets the background decide; compute it for each class, then take the mean.",
        "Un seul rapport pour toutes les classes laisse le fond décider ; calculez-le par classe, puis prenez la moyenne.",
    ),
    Mistake(
        _IOU,
        absent_classes_left_out,
        "A class that is in neither map is left out of the mean; here it counts as 0, and the mean divides by all classes.",
        "Une classe absente des deux cartes est ôtée de la moyenne ; ici elle compte pour 0, et l'on divise par toutes les classes.",
    ),
    Mistake(
        _IOU,
        absent_classes_count_as_one,
        "A class that is in neither map counts as 1, as if it had been found; here it counts as 0.",
        "Une classe absente des deux cartes compte pour 1, comme si elle avait été trouvée ; ici elle compte pour 0.",
    ),
    Mistake(
        _IOU,
        background_left_out,
        "Class 0 is left out as if it were the background; it is a class like the others, so count from 0.",
        "La classe 0 est ôtée comme si c'était le fond ; c'est une classe comme les autres : comptez à partir de 0.",
    ),
    Mistake(
        _IOU,
        background_counts_as_zero,
        "Class 0 is skipped, and the sum divided by all classes, as if it were never found: begin the loop at 0.",
        "La classe 0 est sautée, et la somme divisée par toutes les classes, comme si on la manquait : commencez la boucle à 0.",
    ),
    Mistake(
        _IOU,
        mean_over_pictures,
        "Each picture has a mean of its own, and classes that it lacks pull it down; count the pixels of all pictures first.",
        "Chaque image a sa moyenne, que baissent les classes qu'elle n'a pas ; comptez d'abord les pixels de toutes les images.",
    ),
]
