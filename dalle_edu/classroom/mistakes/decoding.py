"""Mistakes about sampling; those about filters are in `truncation.py`."""

from torch import Tensor

from dalle_edu.bricks.decoding import temper
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


def always_the_likeliest(logits: Tensor, uniform: Tensor) -> Tensor:
    return logits.argmax(dim=-1)


def one_too_far(logits: Tensor, uniform: Tensor) -> Tensor:
    cumulative = logits.softmax(dim=-1).cumsum(dim=-1)
    return ((cumulative < uniform.unsqueeze(-1)).sum(dim=-1) + 1).clamp(max=logits.shape[-1] - 1)


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
