"""Mistakes about sampling."""

import math

import torch
from torch import Tensor

from dalle_edu.bricks.decoding import temper
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
        "decoding:sample",
        "uniform.double().unsqueeze(-1)",
        "uniform.double()[:1].expand(len(logits)).unsqueeze(-1)",
        "One random number serves for all rows: each row has its own, `uniform[i]`.",
        "Un seul nombre tiré sert pour toutes les lignes : chacune a le sien, `uniform[i]`.",
    ),
    edited(
        "decoding:sample",
        "softmax(dim=-1).cumsum(dim=-1)",
        "softmax(dim=0).cumsum(dim=0)",
        "Softmax and cumulative sum run over the batch; they must run over the vocabulary, the last axis.",
        "Le softmax et la somme cumulée portent sur le lot ; ils doivent porter sur le vocabulaire, le dernier axe.",
    ),
    edited(
        "decoding:sample",
        "return chosen.squeeze(-1)",
        "return (chosen.squeeze(-1) - 1)",
        "The index is one too small: look at where the count begins.",
        "L'indice est trop petit de un : voyez où commence le compte.",
    ),
    edited(
        "decoding:sample",
        "logits.double().softmax(dim=-1)",
        "logits.double().softmax(dim=-1).sort(dim=-1, descending=True).values",
        "It returns a rank among the sorted probabilities, not an entry: there is no need to sort.",
        "Elle rend un rang parmi les probabilités triées, et non une entrée : nul besoin de trier.",
    ),
    edited(
        "decoding:sample",
        "logits.double().softmax(dim=-1)",
        "logits.double().exp()",
        " * cumulative[..., -1:]",
        "",
        "The exponentials are not divided by their sum: the number drawn, below 1, then falls too early.",
        "Les exponentielles ne sont pas divisées par leur somme : le nombre tiré, inférieur à 1, tombe alors trop tôt.",
    ),
    edited(
        "decoding:sample",
        "    return chosen.squeeze(-1).clamp(max=logits.shape[-1] - 1)",
        "    return torch.nn.functional.one_hot(chosen.squeeze(-1).clamp(max=logits.shape[-1] - 1), logits.shape[-1])",
        "It returns rows with a 1 in the place drawn; the place itself is wanted, a whole number for each row.",
        "Elle rend des lignes avec un 1 à la place tirée ; il faut la place elle-même, un entier par ligne.",
    ),
    edited(
        "decoding:sample",
        "torch.searchsorted(cumulative, target, right=True)",
        "(logits.double().softmax(dim=-1) - uniform.double().unsqueeze(-1)).abs().argmin(dim=-1, keepdim=True)",
        "It takes the entry whose probability is nearest to the number drawn: look where the *cumulative* distribution passes it.",
        "Elle prend l'entrée dont la probabilité est la plus proche du nombre tiré : cherchez où la loi *cumulée* le dépasse.",
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
