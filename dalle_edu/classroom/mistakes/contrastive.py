"""Mistakes about CLIP."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.contrastive import CLIP, PAD, TextTower
from dalle_edu.classroom.checking.proof import Mistake


def not_normalised(images: Tensor, texts: Tensor) -> Tensor:
    return images @ texts.T


def multiplied_by_the_logarithm(log_scale: Tensor) -> Tensor:
    return log_scale


def never_capped(log_scale: Tensor) -> Tensor:
    return log_scale.exp()


def capped_a_hundredfold(log_scale: Tensor) -> Tensor:
    return log_scale.clamp(max=100).exp()


def _cosines(images: Tensor, texts: Tensor) -> Tensor:
    return F.normalize(images, dim=-1) @ F.normalize(texts, dim=-1).T


def one_direction_only(images: Tensor, texts: Tensor, scale: Tensor | float) -> Tensor:
    logits = scale * _cosines(images, texts)
    return F.cross_entropy(logits, torch.arange(len(logits)))


def every_pair_is_of_one_class(images: Tensor, texts: Tensor, scale: Tensor | float) -> Tensor:
    logits = scale * _cosines(images, texts)
    own = torch.zeros(len(logits), dtype=torch.long)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def divided_by_the_scale(images: Tensor, texts: Tensor, scale: Tensor | float) -> Tensor:
    logits, own = _cosines(images, texts) / scale, torch.arange(len(images))
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


class PaddingPooled(TextTower):
    def pool(self, hidden: Tensor, text: Tensor) -> Tensor:
        return self.project(hidden.mean(dim=1))


class ReadAtTheLastPlace(TextTower):
    def pool(self, hidden: Tensor, text: Tensor) -> Tensor:
        return self.project(hidden[:, -1])


class ReadBeforeTheEnd(TextTower):
    def pool(self, hidden: Tensor, text: Tensor) -> Tensor:
        end = (text != PAD).sum(dim=1) - 1
        return self.project(hidden[torch.arange(len(text)), end])


class NormalisedOverTheBatch(CLIP):
    def encode_image(self, images: Tensor) -> Tensor:
        return F.normalize(self.image_tower(images), dim=0)


def mean_left_short(prompts: Tensor) -> Tensor:
    return F.normalize(prompts, dim=-1).mean(dim=-2)


def long_prompts_weigh_more(prompts: Tensor) -> Tensor:
    return F.normalize(prompts.mean(dim=-2), dim=-1)


def pictures_compete(images: Tensor, classes: Tensor, scale: Tensor | float = 100.0) -> Tensor:
    return (scale * _cosines(images, classes)).softmax(dim=0)


def the_other_direction(scores: Tensor, k: int, own: Tensor | None = None) -> float:
    n = scores.shape[1]
    own = torch.arange(n) if own is None else own
    return float((scores.topk(k, dim=0).indices == own).any(dim=0).float().mean())


MISTAKES = [
    Mistake(
        "contrastive:similarity",
        not_normalised,
        "The embeddings keep their lengths, and long ones win everywhere; bring each to length 1 before the product.",
        "Les plongements gardent leur longueur, et les longs gagnent partout ; ramenez chacun à la longueur 1 avant le produit.",
    ),
    Mistake(
        "contrastive:capped_scale",
        multiplied_by_the_logarithm,
        "What is learned is the logarithm of the scale; multiply the cosines by its exponential.",
        "Ce qui s'apprend est le logarithme de l'échelle ; multipliez les cosinus par son exponentielle.",
    ),
    Mistake(
        "contrastive:capped_scale",
        never_capped,
        "Nothing stops the scale: above 100 the softmax is so sharp that training becomes unstable; cap it.",
        "Rien n'arrête l'échelle : au-delà de 100 le softmax devient si raide que l'entraînement est instable ; plafonnez-la.",
    ),
    Mistake(
        "contrastive:capped_scale",
        capped_a_hundredfold,
        "The logarithm is capped at 100, which caps nothing; the scale itself stops at 100, its logarithm at ln 100.",
        "C'est le logarithme qui est plafonné à 100, donc rien ne l'est ; l'échelle s'arrête à 100, son logarithme à ln 100.",
    ),
    Mistake(
        "contrastive:clip_loss",
        one_direction_only,
        "Only pictures choose among sentences; sentences must choose among pictures too, and the loss is the mean of both.",
        "Seules les images choisissent parmi les phrases ; les phrases doivent aussi choisir, et la perte est la moyenne des deux.",
    ),
    Mistake(
        "contrastive:clip_loss",
        every_pair_is_of_one_class,
        "All labels are 0; the right answer of row i is column i, the diagonal.",
        "Toutes les étiquettes valent 0 ; la bonne réponse de la ligne i est la colonne i, la diagonale.",
    ),
    Mistake(
        "contrastive:clip_loss",
        divided_by_the_scale,
        "The cosines are divided by the scale; it is the inverse of a temperature, so multiply.",
        "Les cosinus sont divisés par l'échelle, qui est l'inverse d'une température : multipliez.",
    ),
    Mistake(
        "contrastive:TextTower",
        PaddingPooled,
        "Padding is averaged in, so that the same caption changes with what fills it up; read it where it ends.",
        "Le remplissage entre dans la moyenne : une même légende change avec ce qui la complète ; lisez-la là où elle finit.",
    ),
    Mistake(
        "contrastive:TextTower",
        ReadAtTheLastPlace,
        "The last place is padding for all but the longest captions; read each caption at its own end.",
        "La dernière place est du remplissage pour presque toutes les légendes ; lisez chacune à sa propre fin.",
    ),
    Mistake(
        "contrastive:TextTower",
        ReadBeforeTheEnd,
        "The last word is read, not the end of text after it, and an empty caption is read from the back; count to the first padding.",
        "On lit le dernier mot au lieu de la fin de texte qui le suit, et une légende vide par la fin ; visez le premier remplissage.",
    ),
    Mistake(
        "contrastive:CLIP",
        NormalisedOverTheBatch,
        "The normalisation runs down the batch, so a picture depends on its neighbours; normalise over the channels, the last axis.",
        "La normalisation court le long du lot, et une image dépend de ses voisines ; normalisez sur les canaux, le dernier axe.",
    ),
    Mistake(
        "zero_shot:ensemble",
        mean_left_short,
        "The mean of unit vectors is shorter than 1, most for varied prompts, which then score lower; normalise it again.",
        "La moyenne de vecteurs unitaires est plus courte que 1, surtout si les phrases varient, et perd des points ; renormalisez-la.",
    ),
    Mistake(
        "zero_shot:ensemble",
        long_prompts_weigh_more,
        "Prompts are averaged before they are normalised, so those with long vectors decide; normalise each first.",
        "Les phrases sont moyennées avant d'être normalisées, et les vecteurs longs décident ; normalisez chacune d'abord.",
    ),
    Mistake(
        "zero_shot:zero_shot",
        pictures_compete,
        "The softmax runs over the pictures; each picture shares its probability out among the classes, the last axis.",
        "Le softmax porte sur les images ; chaque image répartit sa probabilité entre les classes, le dernier axe.",
    ),
    Mistake(
        "zero_shot:recall_at",
        the_other_direction,
        "Columns look for their rows here; the rows are the queries, and the other direction is the transpose.",
        "Ici les colonnes cherchent leurs lignes ; les requêtes sont les lignes, et l'autre sens est la transposée.",
    ),
]
