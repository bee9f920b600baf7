"""Hard negatives against sentences changed by hand or word for word, and their loss against sums written out."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.classroom.checking.asking import numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario, with_gradients
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.reranking import vector_of
from dalle_edu.classroom.references.scorecard import drawn_description
from dalle_edu.language import say
from dalle_edu.systems.hard_negatives.attributes import UNSAID
from dalle_edu.systems.hard_negatives.contrastive_loss import QUESTIONS
from dalle_edu.systems.hard_negatives.negatives import CHANGES, hard_negative
from dalle_edu.world.grammar import caption, read_caption
from dalle_edu.world.held_out import names_held_out
from dalle_edu.world.scenes import Description, Mention

# ---------------------------------------------------------------- captions that are wrong in one thing

BY_HAND = [  # a caption, the second random number, what changes, and the caption that comes out
    ("a red circle to the left of a blue square", 0.0, "opposite", "a red circle to the right of a blue square"),
    ("a red circle left of a blue square", 0.0, "opposite", "a red circle right of a blue square"),
    ("un cercle rouge au-dessus d'un carré bleu", 0.0, "opposite", "un cercle rouge en dessous d'un carré bleu"),
    ("a red circle above a blue square", 0.2, "across", "a red circle to the left of a blue square"),
    ("a red circle above a blue square", 0.7, "across", "a red circle to the right of a blue square"),
    ("a red circle and a blue square", 0.0, "colours_swapped", "a blue circle and a red square"),
    ("une étoile verte et un carré bleu", 0.0, "colours_swapped", "une étoile bleue et un carré vert"),
    ("a red circle and a square", 0.0, "colours_swapped", "a red circle and a square"),
    ("a red circle and a blue square", 0.0, "shapes_swapped", "a red square and a blue circle"),
    ("three red stars", 0.0, "number", "four red stars"),
    ("three red stars", 0.5, "number", "a red star"),
    ("une étoile", 0.9, "number", "quatre étoiles"),
    ("a small red star", 0.3, "size", "a large red star"),
    ("une petite étoile rouge", 0.3, "size", "une grande étoile rouge"),
    ("a red star", 0.3, "size", "a red star"),
    ("a red star", 0.0, "colour", "a green star"),
    ("a green star", 0.0, "colour", "a red star"),
    ("a red circle and a square", 0.6, "opposite", "a red circle and a square"),
    ("a picture of a red star", 0.0, "shape", "a picture of a red circle"),
    ("a zebra on a bicycle", 0.5, "shape", "a zebra on a bicycle"),
]
_TURNED = {"left": "right", "right": "left", "above": "below", "below": "above", "over": "under", "under": "over"}
_OFTEN = {"opposite": 6, "across": 2, "colours_swapped": 3, "shapes_swapped": 3, "number": 1, "shape": 4, "colour": 1, "size": 1}


def _for_training(text: str, draws: Sequence[float], change: str | None = None) -> str:
    """A change drawn among those that the caption allows, each as often as it says, and then one of all phrasings."""
    said = read_caption(text)
    if said is None:
        return text
    urn = [name for name, often in _OFTEN.items() if CHANGES[name][0](said) for _ in range(often)]
    made = CHANGES[urn[math.floor(draws[0] * len(urn))]][1](said, draws[1])
    number = math.floor(draws[2] * 720720)
    return text if names_held_out(made) else caption(made, ("fr", "en")[number % 2], number // 2)


def _word_for_word(text: str, draws: Sequence[float], change: str | None = None) -> str:
    """The opposite relation in English."""
    return re.sub("|".join(_TURNED), lambda found: _TURNED[found[0]], text)


def _captions(seed: int, count: int = 12) -> list[str]:
    rng = np.random.default_rng(seed)
    return [caption(drawn_description(rng), str(rng.choice(["fr", "en"])), int(rng.integers(12))) for _ in range(count)]


def _hard_negative(seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    pair = Mention("circle", "red"), Mention("square", "blue", "small")
    turned = [
        caption(Description(pair, relation=relation), "en", int(rng.integers(12))) for relation in ("left", "right", "above", "below")
    ]
    training = [(text, tuple(round(float(draw), 3) for draw in rng.random(3))) for text in [*_captions(seed, 30), "a zebra"]]
    return [
        *(call(wanted, text, (0.0, draw), change) for text, draw, change, wanted in BY_HAND),
        *(call(_word_for_word, text, (0.9, 0.9), "opposite") for text in turned),
        *(call(_for_training, text, draws) for text, draws in training),
    ]


# ---------------------------------------------------------------- which captions agree


def _compatible(seed: int) -> list[Case]:
    opposite = {0: 1, 1: 0, 2: 3, 3: 2, UNSAID: UNSAID}

    def agree(one: list[int], other: list[int]) -> bool:
        return not any(a != b and UNSAID not in (a, b) for a, b in zip(one, other, strict=True))

    def peer(some: Tensor, others: Tensor) -> Tensor:
        either = [[row, [row[0], *row[4:7], *row[1:4], opposite[row[7]]]] for row in others.tolist()]
        return torch.tensor([[any(agree(one, side) for side in sides) for sides in either] for one in some.tolist()])

    generator = torch.Generator().manual_seed(seed)

    def drawn(rows: int) -> Tensor:
        """Captions of a world of two shapes, one colour and one size, so that many agree."""
        number, relation = (torch.randint(*bounds, (rows, 1), generator=generator) for bounds in ((2, 4), (-1, 4)))
        shapes, others = torch.randint(0, 2, (rows, 2), generator=generator), torch.randint(-1, 1, (rows, 4), generator=generator)
        first, second = (torch.cat([shapes[:, i : i + 1], others[:, 2 * i : 2 * i + 2]], dim=1) for i in (0, 1))
        return torch.cat([number, first, second, relation], dim=1)

    def row(*values: int) -> Tensor:
        return torch.tensor([values])

    left, right_turned = row(2, 0, 0, -1, 1, 2, -1, 0), row(2, 1, 2, -1, 0, 0, -1, 1)
    return [
        call(peer, row(1, 0, 0, -1, 0, 0, -1, -1), row(1, 0, -1, 1, 0, -1, 1, -1)),
        call(peer, row(1, 0, 0, -1, 0, 0, -1, -1), row(1, 0, 2, -1, 0, 2, -1, -1)),
        call(peer, left, right_turned),
        call(peer, left, left),
        call(peer, left, row(2, 1, 2, -1, 0, 0, -1, 0)),
        call(peer, left, row(2, 1, -1, -1, 0, -1, -1, -1)),
        call(peer, torch.cat([left, right_turned]), torch.cat([right_turned, row(3, 0, 0, -1, 0, 0, -1, -1), left])),
        call(peer, drawn(12), drawn(15)),
        call(peer, drawn(3), drawn(3)),
    ]


# ---------------------------------------------------------------- their loss, and what was learned by it


def masked_loss(anchors: Tensor, texts: Tensor, scale: Tensor | float, false_negatives: Tensor) -> Tensor:
    """One logarithm of a sum after the other, over the pairs that count."""
    n, m, losses = len(anchors), len(texts), []
    logits = [[scale * (anchor * text).sum() for text in texts] for anchor in anchors]
    for own in range(n):
        among_texts = [logits[own][j] for j in range(m) if j == own or not false_negatives[own, j]]
        among_anchors = [logits[i][own] for i in range(n) if i == own or not false_negatives[i, own]]
        losses += [torch.stack([each - logits[own][own] for each in row]).exp().sum().log() for row in (among_texts, among_anchors)]
    return torch.stack(losses).mean()


def _masked_loss(seed: int) -> list[Case]:
    def unit(number: int, *shape: int) -> Tensor:
        return F.normalize(numbers(number, *shape), dim=-1)

    def mask(n: int, m: int) -> Tensor:
        return torch.rand(n, m, generator=torch.Generator().manual_seed(seed + n)) < 0.3

    none, eye = torch.zeros(2, 2, dtype=torch.bool), torch.eye(2, dtype=torch.bool)
    square, both = torch.eye(2, dtype=torch.float64), torch.ones(2, 2, dtype=torch.bool)
    learned = numbers(seed, 3, 4), numbers(seed + 1, 5, 4), torch.tensor(3.0, dtype=torch.float64)

    def slopes(loss: Callable[..., Tensor]) -> Any:
        anchors, texts, scale = inputs = [each.clone().requires_grad_() for each in learned]
        return with_gradients(loss(F.normalize(anchors, dim=1), F.normalize(texts, dim=1), scale, mask(3, 5)), inputs)

    gradient = "the gradient, of 3 anchors and 5 texts put to length 1", "le gradient, de 3 ancres et 5 textes ramenés à la longueur 1"
    return [
        call(masked_loss, square, square, 1.0, none),
        call(masked_loss, square, square, 1.0, eye),
        call(masked_loss, square, square, 2.0, both),
        call(
            masked_loss, square, torch.cat([square, -square]), 1.0, torch.tensor([[False, True, False, False], [False, False, True, True]])
        ),
        call(masked_loss, unit(seed, 4, 6), unit(seed + 1, 4, 6), 5.0, mask(4, 4)),
        call(masked_loss, unit(seed, 4, 6), unit(seed + 1, 9, 6), 5.0, mask(4, 9)),
        call(masked_loss, unit(seed, 1, 3), unit(seed + 1, 3, 3), torch.tensor(20.0, dtype=torch.float64), mask(1, 3)),
        call(masked_loss, unit(seed, 4, 6).float(), unit(seed + 1, 9, 6).float(), 5.0, mask(4, 9)),
        scenario(*gradient, lambda: slopes(masked_loss), slopes, 30),
    ]


def _of_one_picture(one: Any, other: Any) -> bool:
    """Whether two captions may be true of one picture: in one of both orders they differ in nothing that both state."""

    def stated(said: Description) -> list[Any]:
        first, last = said.mentions[0], said.mentions[-1]
        return [said.number, first.shape, first.colour, first.size, last.shape, last.colour, last.size, said.relation]

    return any(all(a == b or None in (a, b) for a, b in zip(stated(one), stated(side), strict=True)) for side in (other, other.turned()))


def _accuracy(seed: int) -> list[Case]:
    def peer(anchors: Tensor, captions: Sequence[str], encode: Callable[[Sequence[str]], Tensor]) -> dict[str, float]:
        found: dict[str, list[bool]] = {}
        for place, (anchor, text) in enumerate(zip(anchors.numpy(), captions, strict=True)):
            for question, change in QUESTIONS.items():
                wrong = hard_negative(text, (0.0, place * 0.618 % 1), change)
                if not _of_one_picture(read_caption(text), read_caption(wrong)):
                    own, against = (float(anchor @ encode([each])[0].numpy()) for each in (text, wrong))
                    found.setdefault(question, []).append(own > against)
        return {question: sum(right) / len(right) for question, right in found.items()}

    def by_letters(captions: Sequence[str]) -> Tensor:
        return torch.stack([vector_of(each, 6) for each in captions])

    def all_alike(captions: Sequence[str]) -> Tensor:
        return torch.ones(len(captions), 6, dtype=torch.float64) / math.sqrt(6)

    few = ["a red circle to the left of a blue square", "three green stars", "un grand carré rouge"]
    drawn = _captions(seed, 25)
    near = [F.normalize(by_letters(each) + 0.3 * numbers(seed, len(each), 6), dim=1) for each in (few, drawn)]
    return [
        call(peer, by_letters(few), few, by_letters),
        call(peer, near[0], few, by_letters),
        call(peer, near[0], few, all_alike),
        call(peer, near[0][1:2], few[1:2], by_letters),
        call(peer, -by_letters(few), few, by_letters),
        call(peer, near[1], drawn, by_letters),
    ]


_LOSS = "systems.hard_negatives.contrastive_loss"
REFERENCES: list[Any] = [
    Reference("systems.hard_negatives.negatives:hard_negative", say("sentences by hand", "des phrases à la main"), _hard_negative, 0.0),
    Reference("systems.hard_negatives.attributes:compatible", say("one attribute at a time", "un attribut à la fois"), _compatible, 0.0),
    Reference(f"{_LOSS}:masked_clip_loss", say("sums written out", "des sommes écrites"), cases=_masked_loss, tolerance=1e-6),
    Reference(f"{_LOSS}:hard_negative_accuracy", say("one caption at a time", "une légende à la fois"), cases=_accuracy, tolerance=1e-6),
]
