"""Mistakes about hard negatives and false ones."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.contrastive import similarity
from dalle_edu.classroom.checking.proof import Mistake
from dalle_edu.systems.hard_negatives.attributes import UNSAID
from dalle_edu.systems.hard_negatives.contrastive_loss import QUESTIONS, compatible_captions
from dalle_edu.systems.hard_negatives.negatives import CHANGES, hard_negative
from dalle_edu.world.grammar import caption, guess_language, read_caption

# ---------------------------------------------------------------- captions that are wrong in one thing


def named_from_the_other_side(text: str, draws: Sequence[float], change: str | None = None) -> str:
    said = read_caption(text)
    if change == "opposite" and said and said.relation:
        return caption(said.turned(), guess_language(text))
    return hard_negative(text, draws, change)


def always_in_the_plainest_words(text: str, draws: Sequence[float], change: str | None = None) -> str:
    made = hard_negative(text, draws, change)
    said = read_caption(made)
    return caption(said, guess_language(text)) if change and said and made != text else made


def two_things_wrong(text: str, draws: Sequence[float], change: str | None = None) -> str:
    made = hard_negative(text, draws, change)
    said = read_caption(made)
    if made == text or said is None or said.mentions[0].colour is None:
        return made
    first = replace(said.mentions[0], colour="black")
    return caption(replace(said, mentions=(first, *said.mentions[1:])), guess_language(made))


def held_out_made_all_the_same(text: str, draws: Sequence[float], change: str | None = None) -> str:
    said = read_caption(text)
    if change is not None or said is None:
        return hard_negative(text, draws, change)
    possible = [name for name, (says, _) in CHANGES.items() if says(said)]
    made = CHANGES[possible[int(draws[0] * len(possible))]][1](said, draws[1])
    choice = int(draws[2] * 720720)
    return caption(made, ("fr", "en")[choice % 2], choice // 2)


# ---------------------------------------------------------------- which captions agree


def _agree(some: Tensor, others: Tensor) -> Tensor:
    some, others = some[:, None], others[None]
    return ((some == others) | (some == UNSAID) | (others == UNSAID)).all(dim=2)


_SWAPPED = [0, 4, 5, 6, 1, 2, 3, 7]


def in_the_order_named(some: Tensor, others: Tensor) -> Tensor:
    return _agree(some, others)


def turned_without_its_relation(some: Tensor, others: Tensor) -> Tensor:
    return _agree(some, others) | _agree(some, others[:, _SWAPPED])


def unsaid_differs(some: Tensor, others: Tensor) -> Tensor:
    opposite = torch.tensor([1, 0, 3, 2, UNSAID])
    turned = torch.cat([others[:, _SWAPPED[:7]], opposite[others[:, 7:]]], dim=1)
    return (some[:, None] == others[None]).all(dim=2) | (some[:, None] == turned[None]).all(dim=2)


# ---------------------------------------------------------------- the loss, and what was learned by it


def _loss(logits: Tensor, masked: Tensor, own_logits: Tensor) -> Tensor:
    n = len(logits)
    own = torch.arange(n)
    hidden = logits.masked_fill(masked, -torch.inf)
    return (F.cross_entropy(hidden, own) + F.cross_entropy(own_logits.masked_fill(masked[:, :n], -torch.inf).T, own)) / 2


def _others(false_negatives: Tensor) -> Tensor:
    masked, own = false_negatives.clone(), torch.arange(len(false_negatives))
    masked[own, own] = False
    return masked


def false_negatives_count(anchors: Tensor, texts: Tensor, scale: Tensor | float, false_negatives: Tensor) -> Tensor:
    logits = scale * similarity(anchors, texts)
    return _loss(logits, torch.zeros_like(false_negatives), logits[:, : len(anchors)])


def masked_with_zero(anchors: Tensor, texts: Tensor, scale: Tensor | float, false_negatives: Tensor) -> Tensor:
    logits = (scale * similarity(anchors, texts)).masked_fill(_others(false_negatives), 0.0)
    return _loss(logits, torch.zeros_like(false_negatives), logits[:, : len(anchors)])


def hard_negatives_unused(anchors: Tensor, texts: Tensor, scale: Tensor | float, false_negatives: Tensor) -> Tensor:
    n = len(anchors)
    logits = scale * similarity(anchors, texts[:n])
    return _loss(logits, _others(false_negatives[:, :n]), logits)


def one_direction(anchors: Tensor, texts: Tensor, scale: Tensor | float, false_negatives: Tensor) -> Tensor:
    logits = (scale * similarity(anchors, texts)).masked_fill(_others(false_negatives), -torch.inf)
    return F.cross_entropy(logits, torch.arange(len(anchors)))


def _accuracy(
    anchors: Tensor, captions: Sequence[str], encode: Callable[[Sequence[str]], Tensor], ties: bool = False, all_count: bool = False
) -> dict[str, float]:
    own, numbers = (anchors * encode(captions)).sum(dim=1), {}
    for question, change in QUESTIONS.items():
        wrong = [hard_negative(text, (0.0, i * 0.618 % 1), change) for i, text in enumerate(captions)]
        asked = ~compatible_captions(captions, wrong).diagonal()
        against = (anchors * encode(wrong)).sum(dim=1)
        right = own >= against if ties else own > against
        if all_count or asked.any():
            numbers[question] = float(right[asked | all_count].float().mean())
    return numbers


def a_tie_is_a_success(anchors: Tensor, captions: Sequence[str], encode: Callable[[Sequence[str]], Tensor]) -> dict[str, float]:
    return _accuracy(anchors, captions, encode, ties=True)


def unchanged_captions_count(anchors: Tensor, captions: Sequence[str], encode: Callable[[Sequence[str]], Tensor]) -> dict[str, float]:
    return _accuracy(anchors, captions, encode, all_count=True)


def all_questions_together(anchors: Tensor, captions: Sequence[str], encode: Callable[[Sequence[str]], Tensor]) -> dict[str, float]:
    found = _accuracy(anchors, captions, encode)
    return dict.fromkeys(found, sum(found.values()) / len(found)) if found else {}


_NEGATIVE, _ATTRIBUTES = "systems.hard_negatives.negatives:hard_negative", "systems.hard_negatives.attributes:compatible"
_MASKED = "systems.hard_negatives.contrastive_loss:masked_clip_loss"
_MEASURE = "systems.hard_negatives.contrastive_loss:hard_negative_accuracy"
MISTAKES = [
    Mistake(
        _NEGATIVE,
        named_from_the_other_side,
        "Objects and relation are both turned round, so that the caption still says the same: change the relation alone.",
        "Les objets et la relation sont tous deux retournés, et la légende dit toujours la même chose : ne changez que la relation.",
    ),
    Mistake(
        _NEGATIVE,
        always_in_the_plainest_words,
        "The changed caption is put in the plainest words; it keeps those of the original, or its style would give it away.",
        "La légende changée est dite dans les mots les plus simples ; elle garde ceux de l'originale, que son style trahirait.",
    ),
    Mistake(
        _NEGATIVE,
        two_things_wrong,
        "More than one thing is changed: a caption that is wrong in two things is an easy negative.",
        "Plus d'une chose est changée : une légende fausse en deux points est un négatif facile.",
    ),
    Mistake(
        _NEGATIVE,
        held_out_made_all_the_same,
        "Every change is equally likely and may make a held-out pair, which training would then learn to call false.",
        "Les changements sont équiprobables et peuvent former une paire réservée, que l'entraînement apprendrait à dire fausse.",
    ),
    Mistake(
        _ATTRIBUTES,
        in_the_order_named,
        "The objects are compared in the order in which captions name them; the other caption may name the second one first.",
        "Les objets sont comparés dans l'ordre où on les nomme ; l'autre légende peut nommer d'abord le second.",
    ),
    Mistake(
        _ATTRIBUTES,
        turned_without_its_relation,
        "The objects are exchanged, but not the relation: seen from the other object, left is right and above is below.",
        "Les objets sont échangés, mais non la relation : vu de l'autre objet, gauche devient droite, et dessus dessous.",
    ),
    Mistake(
        _ATTRIBUTES,
        unsaid_differs,
        "What a caption leaves open counts as a difference; “a star” may be true of the picture of “a red star”.",
        "Ce qu'une légende ne dit pas compte pour une différence ; « une étoile » peut convenir à l'image d'« une étoile rouge ».",
    ),
    Mistake(
        _MASKED,
        false_negatives_count,
        "False negatives are not masked: the network is told that a true caption is wrong.",
        "Les faux négatifs ne sont pas masqués : on apprend au réseau qu'une légende vraie est fausse.",
    ),
    Mistake(
        _MASKED,
        masked_with_zero,
        "What is masked gets the logit 0, which still counts in the softmax; -∞ takes it out.",
        "Ce qui est masqué reçoit le logit 0, qui compte encore dans le softmax ; c'est -∞ qui l'en retire.",
    ),
    Mistake(
        _MASKED,
        hard_negatives_unused,
        "Only the anchors' own texts are used; the hard negatives, after the first n, must compete too.",
        "Seuls servent les textes propres aux ancres ; les négatifs difficiles, après les n premiers, doivent concourir aussi.",
    ),
    Mistake(
        _MASKED,
        one_direction,
        "Only texts are chosen among; take the mean with the other direction, in which each text looks for its anchor.",
        "On ne choisit que parmi les textes ; faites la moyenne avec l'autre sens, où chaque texte cherche son ancre.",
    ),
    Mistake(
        _MEASURE,
        a_tie_is_a_success,
        "A tie counts as a success: an encoder that gives one vector to all captions would be right every time.",
        "L'égalité compte pour une réussite : un encodeur qui donne le même vecteur à toutes les légendes aurait toujours raison.",
    ),
    Mistake(
        _MEASURE,
        unchanged_captions_count,
        "Captions that the change leaves as they are, or still true, are counted too; leave them out of the question.",
        "Les légendes que le changement laisse telles quelles, ou encore vraies, sont comptées aussi ; écartez-les de la question.",
    ),
    Mistake(
        _MEASURE,
        all_questions_together,
        "One rate for everything hides that colours are known and places are not; give each question its own.",
        "Un seul taux pour tout cache que les couleurs sont sues et non les places ; donnez le sien à chaque question.",
    ),
]
