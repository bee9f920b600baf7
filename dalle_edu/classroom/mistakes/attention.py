"""Mistakes about attention."""

import math

import torch
from einops import rearrange
from torch import Tensor

from dalle_edu.bricks.attention import CrossAttention, DirectedAttention, MultiHeadAttention, attend
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


def scale_forgotten(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    scores = query @ key.transpose(-2, -1)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1)
    return weights @ value, weights


def softmax_over_queries(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e9)
    weights = scores.softmax(dim=-2)
    return weights @ value, weights


def mask_after_softmax(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    weights = (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(dim=-1)
    if mask is not None:
        weights = weights * mask
    return weights @ value, weights


def mask_upside_down(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(mask, -1e9)
    weights = scores.softmax(dim=-1)
    return weights @ value, weights


def sees_the_next_token(queries: int, keys: int, device: torch.device | None = None) -> Tensor:
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries + 1)


def counts_from_the_first_key(queries: int, keys: int, device: torch.device | None = None) -> Tensor:
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril()


class HeadsCutAcrossTokens(MultiHeadAttention):
    def forward(self, x: Tensor, causal: bool = True, **rest: object) -> Tensor:  # type: ignore[override]
        n, t, w = x.shape
        query, key, value = (part.reshape(n, self.heads, t, w // self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
        return self.out(mixed.transpose(1, 2).reshape(n, t, w))


class SoftmaxOverTheAskers(CrossAttention):
    def forward(self, x: Tensor, memory: Tensor, visible: Tensor | None = None, maps: list[Tensor] | None = None) -> Tensor:
        query = rearrange(self.query(x), "n t (s d) -> n s t d", s=self.heads)
        key, value = rearrange(self.key_value(memory), "n k (two s d) -> two n s k d", two=2, s=self.heads)
        mixed, _ = softmax_over_queries(query, key, value, None if visible is None else visible[:, None, None])
        return self.out(rearrange(mixed, "n s t d -> n t (s d)"))


class PaddingAnswers(CrossAttention):
    def forward(self, x: Tensor, memory: Tensor, visible: Tensor | None = None, maps: list[Tensor] | None = None) -> Tensor:
        return super().forward(x, memory, None if visible is None else ~visible, maps)


def heads_that_do_not_see_themselves(heads: int, tokens: int, device: torch.device | None = None) -> Tensor:
    everywhere = torch.ones(tokens, tokens, dtype=torch.bool, device=device)
    return torch.stack([everywhere.tril(-1) if head < heads / 2 else everywhere.triu(1) for head in range(heads)])


def every_other_head(heads: int, tokens: int, device: torch.device | None = None) -> Tensor:
    back = torch.ones(tokens, tokens, dtype=torch.bool, device=device).tril()
    return torch.stack([back.T if head % 2 else back for head in range(heads)])


def the_first_heads_ahead(heads: int, tokens: int, device: torch.device | None = None) -> Tensor:
    ahead = torch.ones(tokens, tokens, dtype=torch.bool, device=device).triu()
    return torch.stack([ahead if head < heads / 2 else ahead.T for head in range(heads)])


class _Directed(DirectedAttention):
    def mask(self, tokens: int, visible: Tensor | None) -> Tensor | None:
        mask = every_head_by_halves(self.heads, tokens)
        return mask if visible is None else (mask & visible[:, None, None]) | torch.eye(tokens, dtype=torch.bool)

    def forward(self, x: Tensor, *_: object, visible: Tensor | None = None, maps: list[Tensor] | None = None) -> Tensor:
        query, key, value = rearrange(self.qkv(x), "n t (three s d) -> three n s t d", three=3, s=self.heads)
        return self.out(attend(query, key, value, self.mask(x.shape[1], visible), maps))


def every_head_by_halves(heads: int, tokens: int) -> Tensor:
    back = torch.ones(tokens, tokens, dtype=torch.bool).tril()
    return torch.stack([back if head < heads / 2 else back.T for head in range(heads)])


class EveryHeadSeesAll(_Directed):
    def mask(self, tokens: int, visible: Tensor | None) -> Tensor | None:
        return None if visible is None else visible[:, None, None].expand(-1, -1, tokens, -1)


class EveryHeadLooksBack(_Directed):
    def mask(self, tokens: int, visible: Tensor | None) -> Tensor | None:
        mask = torch.ones(tokens, tokens, dtype=torch.bool).tril()
        return mask if visible is None else (mask & visible[:, None, None]) | torch.eye(tokens, dtype=torch.bool)


class PaddingLooksNowhere(_Directed):
    def mask(self, tokens: int, visible: Tensor | None) -> Tensor | None:
        mask = every_head_by_halves(self.heads, tokens)
        return mask if visible is None else mask & visible[:, None, None]


MISTAKES = [
    Mistake(
        "attention:scaled_dot_product",
        scale_forgotten,
        "The scores are not divided by √d: their variance grows with d, and the softmax saturates on one key.",
        "Les scores ne sont pas divisés par √d : leur variance croît avec d, et le softmax se fige sur une seule clé.",
    ),
    Mistake(
        "attention:scaled_dot_product",
        softmax_over_queries,
        "The softmax runs over the queries; each query must share its attention out among the keys, the last axis.",
        "Le softmax porte sur les requêtes ; chaque requête doit répartir son attention entre les clés, le dernier axe.",
    ),
    Mistake(
        "attention:scaled_dot_product",
        mask_after_softmax,
        "The mask comes after the softmax, so the weights that are left no longer sum to 1; write -∞ into the scores before it.",
        "Le masque vient après le softmax : les poids restants ne somment plus à 1 ; écrivez -∞ dans les scores avant lui.",
    ),
    Mistake(
        "attention:scaled_dot_product",
        mask_upside_down,
        "The mask is read the other way round: True says where a query may look.",
        "Le masque est lu à l'envers : True dit où une requête a le droit de regarder.",
    ),
    Mistake(
        "attention:causal_mask",
        sees_the_next_token,
        "Each token sees the one after it: the network copies the answer in training and has nothing to copy when it writes.",
        "Chaque jeton voit le suivant : le réseau recopie la réponse à l'entraînement et n'a plus rien à recopier quand il écrit.",
    ),
    Mistake(
        "attention:causal_mask",
        counts_from_the_first_key,
        "With fewer queries than keys, the last query is the newest token and sees every key; here it does not.",
        "Avec moins de requêtes que de clés, la dernière requête est le jeton le plus récent et voit toutes les clés ; ici, non.",
    ),
    Mistake(
        "attention:MultiHeadAttention",
        HeadsCutAcrossTokens,
        "The heads are cut by a reshape that mixes tokens and channels; split the channels first, then move the heads forward.",
        "Les têtes sont découpées par un reshape qui mêle jetons et canaux ; coupez d'abord les canaux, puis avancez l'axe des têtes.",
    ),
    Mistake(
        "attention:CrossAttention",
        SoftmaxOverTheAskers,
        "The softmax runs over those who ask; each must share its attention out among the words it reads, the last axis.",
        "Le softmax porte sur ceux qui demandent ; chacun doit répartir son attention entre les mots lus, le dernier axe.",
    ),
    Mistake(
        "attention:CrossAttention",
        PaddingAnswers,
        "The mask is read the other way round, so that only padding answers: True says where there is a word.",
        "Le masque est lu à l'envers et seul le remplissage répond : True dit où il y a un mot.",
    ),
    edited(
        "attention:scaled_dot_product",
        "math.sqrt(query.shape[-1])",
        "query.shape[-1]",
        "The scores are divided by d; the square root of d is enough to bring their variance back to 1.",
        "Les scores sont divisés par d ; la racine de d suffit pour ramener leur variance à 1.",
    ),
    edited(
        "attention:scaled_dot_product",
        "math.sqrt(query.shape[-1])",
        "math.sqrt(key.shape[-2])",
        "The scores are divided by the root of the number of keys; d is the number of channels, the last axis of a query.",
        "Les scores sont divisés par la racine du nombre de clés ; d est le nombre de canaux, le dernier axe d'une requête.",
    ),
    edited(
        "attention:scaled_dot_product",
        "math.sqrt(query.shape[-1])",
        "math.sqrt(value.shape[-1])",
        "The scores are divided by the root of the values' width; d is the width of queries and keys.",
        "Les scores sont divisés par la racine de la largeur des valeurs ; d est celle des requêtes et des clés.",
    ),
    edited(
        "attention:scaled_dot_product",
        "-math.inf",
        "0.0",
        "A hidden key gets a score of 0, whose exponential is 1: it still counts; write -∞.",
        "Une clé cachée reçoit un score de 0, dont l'exponentielle vaut 1 : elle compte encore ; écrivez -∞.",
    ),
    edited(
        "attention:scaled_dot_product",
        "-math.inf",
        "-1e9",
        "A hidden key gets a very low score instead of -∞: a query that may look nowhere then gets a mean of what it "
        "must not see, not NaN.",
        "Une clé cachée reçoit un score très bas au lieu de -∞ : une requête qui ne peut regarder nulle part obtient "
        "alors une moyenne, et non NaN.",
    ),
    edited(
        "attention:scaled_dot_product",
        "return weights @ value, weights",
        "return weights.nan_to_num() @ value, weights.nan_to_num()",
        "NaN is replaced by zero: a query that may look nowhere must say so, with NaN.",
        "NaN est remplacé par zéro : une requête qui ne peut regarder nulle part doit le dire, par NaN.",
    ),
    edited(
        "attention:scaled_dot_product",
        "weights @ value, weights",
        "weights @ value, scores",
        "The second result is the scores; the weights are wanted, after the softmax.",
        "Le second résultat est les scores ; il faut les poids, après le softmax.",
    ),
    edited(
        "attention:scaled_dot_product",
        "        scores = scores.masked_fill(~mask, -math.inf)",
        "        pass",
        "The mask is not used: hidden keys must get a weight of 0.",
        "Le masque ne sert pas : les clés cachées doivent recevoir un poids de 0.",
    ),
    edited(
        "attention:causal_mask",
        "tril(keys - queries)",
        "tril(keys - queries - 1)",
        "A token does not see itself: it may look at the keys up to its own position, that one included.",
        "Un jeton ne se voit pas lui-même : il peut regarder les clés jusqu'à sa propre position, comprise.",
    ),
    edited(
        "attention:causal_mask",
        "tril(keys - queries)",
        "triu(keys - queries)",
        "The past is hidden and the future shown: True belongs to the keys up to the query's own position.",
        "Le passé est caché et l'avenir montré : True revient aux clés jusqu'à la position de la requête.",
    ),
    edited(
        "attention:causal_mask",
        "tril(keys - queries)",
        "tril(queries - keys)",
        "The diagonal is shifted the wrong way: with more keys than queries, the queries are the last of the sequence and see more.",
        "La diagonale est décalée du mauvais côté : avec plus de clés que de requêtes, celles-ci sont les dernières et voient davantage.",
    ),
    edited(
        "attention:causal_mask",
        "everywhere.tril(keys - queries)",
        "~everywhere.tril(keys - queries)",
        "True and False are exchanged: True is where a query may look.",
        "True et False sont échangés : True est là où une requête peut regarder.",
    ),
    Mistake(
        "attention:directed_mask",
        heads_that_do_not_see_themselves,
        "A token does not see itself: the first has nowhere to look, and its softmax is NaN; keep the diagonal.",
        "Un jeton ne se voit pas lui-même : le premier n'a rien à regarder, et son softmax vaut NaN ; gardez la diagonale.",
    ),
    Mistake(
        "attention:directed_mask",
        every_other_head,
        "Every other head looks ahead; here the first half looks back and the second half ahead.",
        "Une tête sur deux regarde en avant ; ici la première moitié regarde en arrière, la seconde en avant.",
    ),
    Mistake(
        "attention:directed_mask",
        the_first_heads_ahead,
        "The two directions are exchanged: rows are who looks, columns what is looked at, and the first half looks back.",
        "Les deux sens sont échangés : les lignes regardent, les colonnes sont regardées, et la première moitié regarde en arrière.",
    ),
    Mistake(
        "attention:DirectedAttention",
        EveryHeadSeesAll,
        "Every head sees the whole sequence: without directions, attention gets the same from words before and after.",
        "Chaque tête voit toute la suite : sans direction, l'attention tire la même chose des mots d'avant et d'après.",
    ),
    Mistake(
        "attention:DirectedAttention",
        EveryHeadLooksBack,
        "All heads look back, as in a decoder; half of them look ahead, since the whole sentence is there to be read.",
        "Toutes les têtes regardent en arrière, comme dans un décodeur ; la moitié regarde en avant, la phrase étant entière.",
    ),
    Mistake(
        "attention:DirectedAttention",
        PaddingLooksNowhere,
        "A padding token that looks ahead sees padding alone, and a softmax over nothing is NaN: let each token see itself.",
        "Un jeton de remplissage qui regarde en avant ne voit que du remplissage, et son softmax est NaN : qu'il se voie lui-même.",
    ),
]
