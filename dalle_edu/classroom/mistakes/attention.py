"""Mistakes about attention."""

import math

import torch
from einops import rearrange
from torch import Tensor

from dalle_edu.bricks.attention import CrossAttention, MultiHeadAttention
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
        "NaN is replaced by zero: a query that may look nowhere must say so, with NaN, as PyTorch does.",
        "NaN est remplacé par zéro : une requête qui ne peut regarder nulle part doit le dire, par NaN, comme PyTorch.",
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
    edited(
        "attention:MultiHeadAttention",
        "mask & visible_keys",
        "mask | visible_keys",
        "A key may be seen if it is not later *and* not padding: combine the two masks with &.",
        "Une clé est visible si elle n'est pas postérieure *et* n'est pas du remplissage : combinez les deux masques par &.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "visible[:, None, None]",
        "~visible[:, None, None]",
        "`visible` is read the other way round: it is False where a token is padding.",
        "`visible` est lu à l'envers : il vaut False là où un jeton est du remplissage.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "visible[:, None, None]",
        "visible[:, None, :, None]",
        "`visible` hides queries, the rows; it says which *keys* may be looked at, the columns.",
        "`visible` cache des requêtes, les lignes ; il dit quelles *clés* on peut regarder, les colonnes.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "        if visible is not None:\n",
        "        if visible is not None and mask is not None:\n",
        "`visible` counts only where attention is causal: padding must be hidden in any case.",
        "`visible` ne compte que si l'attention est causale : le remplissage doit être caché dans tous les cas.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "mask = visible_keys if mask is None else mask & visible_keys",
        "mask = visible_keys",
        "`visible` takes the place of the causal mask: both must hold.",
        "`visible` prend la place du masque causal : il faut les deux.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "n t (three s d) -> three n s t d",
        "n t (three d s) -> three n s t d",
        "The channels of the heads are interleaved: each head has a slice of neighbouring channels, (s d).",
        "Les canaux des têtes sont entrelacés : chaque tête a une tranche de canaux voisins, (s d).",
    ),
    edited(
        "attention:MultiHeadAttention",
        "n t (three s d) -> three n s t d",
        "n t (s three d) -> three n s t d",
        "Queries, keys and values are cut within each head: of the 3w channels the first w are queries, then keys, then values.",
        "Requêtes, clés et valeurs sont découpées dans chaque tête : des 3w canaux, les w premiers sont les requêtes, "
        "puis les clés, les valeurs.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "three=3, s=self.heads",
        "three=3, s=1",
        "There is a single head: cut the channels into `self.heads` slices.",
        "Il n'y a qu'une tête : coupez les canaux en `self.heads` tranches.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "        query, key, value = rearrange(",
        "        key, query, value = rearrange(",
        "Queries and keys are exchanged: the first w channels are the queries.",
        "Requêtes et clés sont échangées : les w premiers canaux sont les requêtes.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "        query, key, value = rearrange(",
        "        query, value, key = rearrange(",
        "Keys and values are exchanged: the channels hold queries, then keys, then values.",
        "Clés et valeurs sont échangées : les canaux contiennent les requêtes, puis les clés, puis les valeurs.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "masked = causal and queries > 1",
        "masked = causal and cache is None",
        "With a cache nothing is masked: when several tokens come at once, the later ones must still be hidden from the earlier.",
        "Avec un cache, rien n'est masqué : si plusieurs jetons arrivent ensemble, les derniers doivent rester cachés aux premiers.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "self.out(attend(query, key, value, mask, maps))",
        "attend(query, key, value, mask, maps)",
        "The heads' results are not mixed: the projection `self.out` comes last.",
        "Les résultats des têtes ne sont pas mêlés : la projection `self.out` vient en dernier.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "causal_mask(queries, keys, x.device)",
        "causal_mask(keys, keys, x.device)[:queries]",
        "With a cache the queries are the last of the sequence: its mask must start at their position, not at the first.",
        "Avec un cache, les requêtes sont les dernières de la suite : le masque doit commencer à leur position, et non à la première.",
    ),
    edited(
        "attention:MultiHeadAttention",
        "            key, value = cache.extend(layer, key, value)",
        "            cache.extend(layer, key, value)",
        "The cache is filled, but what it gives back is dropped: the queries must look at all keys so far.",
        "Le cache est rempli, mais ce qu'il rend est perdu : les requêtes doivent regarder toutes les clés jusqu'ici.",
    ),
]
