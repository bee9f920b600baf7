"""Mistakes about filters of a distribution: top-k, top-p and epsilon."""

import math

import torch
from torch import Tensor

from dalle_edu.classroom.checking.edited import edited
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
    edited(
        "decoding:keep_top_k",
        "logits.topk(k, dim=-1)",
        "logits.topk(k, dim=-1, largest=False)",
        "logits < smallest_kept",
        "logits > smallest_kept",
        "The k least likely entries are kept; keep the k likeliest.",
        "Ce sont les k entrées les moins probables qui restent ; gardez les k plus probables.",
    ),
    edited(
        "decoding:keep_top_k",
        "logits < smallest_kept",
        "logits <= smallest_kept",
        "The k-th entry is lost too: only what is below it goes.",
        "La k-ième entrée est perdue aussi : seul ce qui est au-dessous s'en va.",
    ),
    edited(
        "decoding:keep_top_k",
        "k = min(k, logits.shape[-1])",
        "k = min(k + 1, logits.shape[-1])",
        "One entry too many stays: the threshold is the k-th largest logit, counted from 1.",
        "Il reste k + 1 entrées : le seuil est le k-ième plus grand logit, compté à partir de 1.",
    ),
    edited(
        "decoding:keep_top_k",
        "values[..., -1:]",
        "values[:1, -1:]",
        "The threshold of the first row serves for all: each row has its own.",
        "Le seuil de la première ligne sert pour toutes : chaque ligne a le sien.",
    ),
    edited(
        "decoding:keep_top_k",
        "    return logits.masked_fill(logits < smallest_kept, -math.inf)",
        "    return logits.masked_fill(logits < smallest_kept, -math.inf).softmax(dim=-1)",
        "It returns probabilities; logits are wanted, so that temperature and top-p can follow.",
        "Elle rend des probabilités ; il faut des logits, pour que la température et top-p puissent suivre.",
    ),
    edited(
        "decoding:keep_top_k",
        "-math.inf",
        "-100.0",
        "Logits of -100 are not -∞: at a high temperature what was left out has a chance again.",
        "Un logit de -100 n'est pas -∞ : à haute température, ce qui est écarté retrouve une chance.",
    ),
    edited(
        "decoding:keep_top_k",
        "    return logits.masked_fill(logits < smallest_kept, -math.inf)",
        "    return logits.topk(k, dim=-1).values",
        "It returns the k values alone; all entries are wanted, in their places, with -∞ for the others.",
        "Elle rend les seules k valeurs ; il faut toutes les entrées, à leur place, avec -∞ pour les autres.",
    ),
    edited(
        "decoding:keep_top_k",
        "logits.topk(k, dim=-1).values[..., -1:]",
        "logits.topk(min(k, len(logits)), dim=0).values[-1:]",
        "The k largest are looked for in each column, among the rows of the batch: look along the last axis.",
        "Les k plus grands sont cherchés dans chaque colonne, parmi les lignes du lot : cherchez selon le dernier axe.",
    ),
    edited(
        "decoding:keep_top_p",
        "torch.full_like(logits, -math.inf).scatter(-1, order, kept)",
        "kept.gather(-1, order)",
        "Here `gather(order)` permutes once more; to undo a sort, `scatter` puts each logit back to its place.",
        "Ici `gather(order)` permute encore une fois ; pour défaire un tri, `scatter` remet chaque logit à sa place.",
    ),
    edited(
        "decoding:keep_top_p",
        "descending=True",
        "descending=False",
        "The sort is ascending: the least likely entries are kept first; begin with the likeliest.",
        "Le tri est croissant : les entrées les moins probables sont gardées d'abord ; commencez par les plus probables.",
    ),
    edited(
        "decoding:keep_top_p",
        "before >= p",
        "probabilities < p",
        "Each probability is compared with p by itself; what counts is the sum of those that come before it.",
        "Chaque probabilité est comparée à p toute seule ; ce qui compte est la somme de celles qui la précèdent.",
    ),
    edited(
        "decoding:keep_top_p",
        "before >= p",
        "before > p",
        "One too many is kept where the sum is exactly p: the set has reached p already.",
        "Il en reste une de trop là où la somme vaut exactement p : l'ensemble a déjà atteint p.",
    ),
    edited(
        "decoding:keep_top_p",
        " & (before > 0)",
        "",
        "With p = 0 nothing is left: the likeliest entry is always kept.",
        "Avec p = 0 il ne reste rien : l'entrée la plus probable est toujours gardée.",
    ),
    edited(
        "decoding:keep_top_p",
        "probabilities.cumsum(dim=-1)",
        "probabilities.cumsum(dim=0)",
        "The sum runs down the rows of the batch; it must run along each row.",
        "La somme descend les lignes du lot ; elle doit courir le long de chaque ligne.",
    ),
    edited(
        "decoding:keep_top_p",
        "before >= p",
        "(before >= p)[:1].expand_as(ordered)",
        "The number kept in the first row serves for all: each row has its own.",
        "Le nombre gardé dans la première ligne sert pour toutes : chaque ligne a le sien.",
    ),
    edited(
        "decoding:keep_top_p",
        "scatter(-1, order, kept)",
        "scatter(-1, order, kept).softmax(dim=-1)",
        "It returns probabilities; logits are wanted, -∞ for those left out.",
        "Elle rend des probabilités ; il faut des logits, -∞ pour ceux qui sont écartés.",
    ),
    edited(
        "decoding:keep_top_p",
        "return torch.full_like(logits, -math.inf).scatter(-1, order, kept)",
        "return logits.masked_fill(left_out, -math.inf)",
        "The mask is in the order of the sort and the logits are not: put both in the same order.",
        "Le masque est dans l'ordre du tri et les logits ne le sont pas : mettez les deux dans le même ordre.",
    ),
    edited(
        "decoding:keep_top_p",
        "masked_fill(left_out, -math.inf)",
        "masked_fill(left_out, 0.0)",
        "Those left out get a logit of 0, which still has a chance: write -∞.",
        "Ceux qui sont écartés reçoivent un logit de 0, qui garde une chance : écrivez -∞.",
    ),
    edited(
        "decoding:keep_above_epsilon",
        "unlikely & (logits < logits.amax(dim=-1, keepdim=True))",
        "unlikely",
        "Where no entry reaches epsilon all are left out, and nothing can be drawn: the likeliest entry is always kept.",
        "Quand aucune entrée n'atteint epsilon, toutes sont écartées et rien ne peut être tiré : la plus probable reste toujours.",
    ),
    edited(
        "decoding:keep_above_epsilon",
        "logits.softmax(dim=-1) < epsilon",
        "logits < epsilon",
        "Logits are compared with epsilon, which is a probability: take the softmax first.",
        "Ce sont les logits qui sont comparés à epsilon, qui est une probabilité : prenez d'abord le softmax.",
    ),
    edited(
        "decoding:keep_above_epsilon",
        "logits.softmax(dim=-1) < epsilon",
        "(logits - logits.amax(dim=-1, keepdim=True)).exp() < epsilon",
        "Probabilities are compared with a part of the likeliest's: that is min-p; epsilon is the same whatever the likeliest is.",
        "Les probabilités sont comparées à une part de la plus grande : c'est min-p ; epsilon ne dépend pas de la plus probable.",
    ),
    edited(
        "decoding:keep_above_epsilon",
        "< epsilon",
        "<= epsilon",
        "An entry whose probability is exactly epsilon is lost: only what is below it goes.",
        "Une entrée dont la probabilité vaut exactement epsilon est perdue : seul ce qui est au-dessous s'en va.",
    ),
    edited(
        "decoding:keep_above_epsilon",
        "logits.softmax(dim=-1)",
        "logits.softmax(dim=0)",
        "The softmax runs down the rows of the batch; it must run along each row.",
        "Le softmax descend les lignes du lot ; il doit courir le long de chaque ligne.",
    ),
    edited(
        "decoding:keep_above_epsilon",
        "logits.amax(dim=-1, keepdim=True)",
        "logits.amax()",
        "Only the likeliest entry of the whole batch is sure to be kept: each row keeps its own.",
        "Seule l'entrée la plus probable de tout le lot est gardée à coup sûr : chaque ligne garde la sienne.",
    ),
    edited(
        "decoding:keep_above_epsilon",
        "masked_fill(left_out, -math.inf)",
        "masked_fill(left_out, 0.0)",
        "Those left out get a logit of 0, which still has a chance: write -∞.",
        "Ceux qui sont écartés reçoivent un logit de 0, qui garde une chance : écrivez -∞.",
    ),
    edited(
        "decoding:keep_above_epsilon",
        "masked_fill(left_out, -math.inf)",
        "masked_fill(left_out, -math.inf).softmax(dim=-1)",
        "It returns probabilities; logits are wanted, so that guidance and temperature can follow.",
        "Elle rend des probabilités ; il faut des logits, pour que le guidage et la température puissent suivre.",
    ),
]
