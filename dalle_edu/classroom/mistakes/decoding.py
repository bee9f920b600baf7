"""Mistakes about sampling."""

import math

import torch
from torch import Tensor

from dalle_edu.bricks.decoding import temper
from dalle_edu.classroom.checking.proof import Mistake


def zero_instead_of_minus_infinity(logits: Tensor, k: int) -> Tensor:
    k = min(k, logits.shape[-1])
    return logits.masked_fill(logits < logits.topk(k, dim=-1).values[..., -1:], 0.0)


def k_over_the_whole_batch(logits: Tensor, k: int) -> Tensor:
    return logits.masked_fill(logits < logits.flatten().topk(k).values[-1], -math.inf)


def crossing_token_dropped(logits: Tensor, p: float) -> Tensor:
    ordered, order = logits.sort(dim=-1, descending=True)
    reached = ordered.softmax(dim=-1).cumsum(dim=-1)
    kept = ordered.masked_fill(reached > p, -math.inf)
    return torch.full_like(logits, -math.inf).scatter(-1, order, kept)


def order_forgotten(logits: Tensor, p: float) -> Tensor:
    ordered, _ = logits.sort(dim=-1, descending=True)
    before = ordered.softmax(dim=-1).cumsum(dim=-1) - ordered.softmax(dim=-1)
    return ordered.masked_fill(before >= p, -math.inf)


def always_the_likeliest(logits: Tensor, uniform: Tensor) -> Tensor:
    return logits.argmax(dim=-1)


def one_too_far(logits: Tensor, uniform: Tensor) -> Tensor:
    cumulative = logits.softmax(dim=-1).cumsum(dim=-1)
    return ((cumulative < uniform.unsqueeze(-1)).sum(dim=-1) + 1).clamp(max=logits.shape[-1] - 1)


def halves_swapped(logits: Tensor, guidance_scale: float) -> Tensor:
    unconditional, conditional = logits.chunk(2)
    return unconditional + guidance_scale * (conditional - unconditional)


def guidance_from_the_conditional(logits: Tensor, guidance_scale: float) -> Tensor:
    conditional, unconditional = logits.chunk(2)
    return conditional + guidance_scale * (conditional - unconditional)


def multiplied_by_the_temperature(logits: Tensor, temperature: float, daring: float | None = None) -> Tensor:
    return temper(logits, 1 / temperature, None if daring is None else 1 / daring)


def probabilities_tempered(logits: Tensor, temperature: float, daring: float | None = None) -> Tensor:
    return temper(logits.softmax(dim=-1), temperature, daring)


def both_questions_exchanged(logits: Tensor, temperature: float, daring: float | None = None) -> Tensor:
    return temper(logits, temperature) if daring is None else temper(logits, daring, temperature)


def all_entries_at_daring(logits: Tensor, temperature: float, daring: float | None = None) -> Tensor:
    return temper(logits, temperature) if daring is None else (logits / daring).log_softmax(dim=-1)


MISTAKES = [
    Mistake(
        "decoding:keep_top_k",
        zero_instead_of_minus_infinity,
        "A logit of 0 still has a chance after the softmax; what must not be drawn gets -∞.",
        "Un logit de 0 garde une chance après le softmax ; ce qui ne doit pas être tiré reçoit -∞.",
    ),
    Mistake(
        "decoding:keep_top_k",
        k_over_the_whole_batch,
        "The k largest are looked for in the whole batch: some rows keep many tokens and others none; look row by row.",
        "Les k plus grands sont cherchés dans tout le lot, et certaines lignes ne gardent aucun jeton ; cherchez ligne par ligne.",
    ),
    Mistake(
        "decoding:keep_top_p",
        crossing_token_dropped,
        "The token that crosses p is dropped too, so the kept ones weigh less than p, and a sure row keeps nothing.",
        "Le jeton qui franchit p est écarté aussi : les jetons gardés pèsent moins que p, et une ligne très sûre ne garde rien.",
    ),
    Mistake(
        "decoding:keep_top_p",
        order_forgotten,
        "The logits come back sorted: each token has received the probability of another; scatter them back to their places.",
        "Les logits reviennent triés : chaque jeton a reçu la probabilité d'un autre ; remettez-les à leur place avec scatter.",
    ),
    Mistake(
        "decoding:sample",
        always_the_likeliest,
        "The likeliest token is taken every time: that is greedy decoding, and all pictures of a caption are the same.",
        "Le jeton le plus probable est pris à chaque fois : c'est un décodage glouton, et toutes les images d'une phrase sont identiques.",
    ),
    Mistake(
        "decoding:sample",
        one_too_far,
        "The index is one too large: searchsorted already counts the entries whose cumulative probability is below the draw.",
        "L'indice est trop grand de un : searchsorted compte déjà les entrées dont la probabilité cumulée est sous le tirage.",
    ),
    Mistake(
        "guidance:guide",
        halves_swapped,
        "The two halves of the batch are swapped: guidance pushes away from the caption.",
        "Les deux moitiés du lot sont échangées : le guidage éloigne de la phrase.",
    ),
    Mistake(
        "guidance:guide",
        guidance_from_the_conditional,
        "The difference is added to the conditional logits, so guidance 1 already guides; start from the unconditional ones.",
        "La différence est ajoutée aux logits conditionnels, si bien qu'un guidage de 1 guide déjà ; partez des logits sans condition.",
    ),
    Mistake(
        "decoding:temper",
        multiplied_by_the_temperature,
        "The logits are multiplied by the temperature: a high one then makes the likely entries likelier; divide.",
        "Les logits sont multipliés par la température : élevée, elle renforce alors les plus probables ; divisez.",
    ),
    Mistake(
        "decoding:temper",
        probabilities_tempered,
        "Probabilities are divided by the temperature, and a softmax of them is nearly flat; divide the logits.",
        "Ce sont les probabilités qui sont divisées, et leur softmax est presque plat ; divisez les logits.",
    ),
    Mistake(
        "decoding:temper",
        both_questions_exchanged,
        "The two temperatures are exchanged: `daring` is for leaving the likeliest entry, `temperature` for the choice among the others.",
        "Les deux températures sont échangées : `daring` sert à quitter le plus probable, `temperature` à choisir parmi les autres.",
    ),
    Mistake(
        "decoding:temper",
        all_entries_at_daring,
        "All entries get the temperature `daring`: among the others, the choice is to be made at `temperature`.",
        "Toutes les entrées ont la température `daring` : parmi les autres, le choix se fait à `temperature`.",
    ),
]
