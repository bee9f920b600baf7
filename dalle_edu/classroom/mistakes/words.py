"""Mistakes about words, their similarities, neighbours and analogies."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.words import UNKNOWN, Vocabulary, nearest
from dalle_edu.classroom.checking.proof import Mistake


class UnknownWordsDropped(Vocabulary):
    def encode(self, words: Sequence[str]) -> Tensor:
        return torch.tensor([self._ids[word] for word in words if word in self._ids], dtype=torch.long)


class UnknownWordsLast(Vocabulary):
    def encode(self, words: Sequence[str]) -> Tensor:
        return torch.tensor([self._ids.get(word, len(self)) for word in words], dtype=torch.long)


class NumbersFromZero(Vocabulary):
    def encode(self, words: Sequence[str]) -> Tensor:
        return torch.tensor([self._ids[word] - 1 if word in self._ids else UNKNOWN for word in words], dtype=torch.long)


def ones_one_place_early(ids: Tensor, size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return (ids.unsqueeze(-1) - 1 == torch.arange(size)).to(dtype)


def whole_numbers(ids: Tensor, size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return (ids.unsqueeze(-1) == torch.arange(size)).long()


def words_as_columns(ids: Tensor, size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return (ids.unsqueeze(-1) == torch.arange(size)).to(dtype).movedim(-1, 0)


def as_long_as_the_largest_number(ids: Tensor, size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return F.one_hot(ids).to(dtype)


def bag_of_words(ids: Tensor, size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    bag = torch.zeros(size, dtype=dtype)
    bag[ids] = 1
    return bag


def distance_instead_of_similarity(a: Tensor, b: Tensor) -> Tensor:
    return 1 - (a * b).sum(dim=-1) / (a.norm(dim=-1) * b.norm(dim=-1)).clamp(min=1e-12)


def lengths_forgotten(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(dim=-1)


def one_length_for_all(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(dim=-1) / (a.norm() * b.norm()).clamp(min=1e-12)


def distance_itself(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).square().sum(dim=-1).sqrt()


def root_forgotten(a: Tensor, b: Tensor) -> Tensor:
    return 1 / (1 + (a - b).square().sum(dim=-1))


def along_the_streets(a: Tensor, b: Tensor) -> Tensor:
    return 1 / (1 + (a - b).abs().sum(dim=-1))


def over_the_smaller_set(a: AbstractSet[str], b: AbstractSet[str]) -> float:
    return len(a & b) / min(len(a), len(b)) if a and b else float(a == b)


def empty_sets_unlike(a: AbstractSet[str], b: AbstractSet[str]) -> float:
    return len(a & b) / max(len(a | b), 1)


def shared_words_counted_twice(a: AbstractSet[str], b: AbstractSet[str]) -> float:
    return len(a & b) / (len(a) + len(b)) if a or b else 1.0


def longest_vector_first(vectors: Tensor, query: Tensor, count: int = 10, excluded: Sequence[int] = ()) -> tuple[Tensor, Tensor]:
    products = vectors @ query
    products[[UNKNOWN, *excluded]] = -torch.inf
    return products.topk(count)


def exclusions_forgotten(vectors: Tensor, query: Tensor, count: int = 10, excluded: Sequence[int] = ()) -> tuple[Tensor, Tensor]:
    return nearest(vectors, query, count)


def unknown_word_found(vectors: Tensor, query: Tensor, count: int = 10, excluded: Sequence[int] = ()) -> tuple[Tensor, Tensor]:
    cosines = F.cosine_similarity(vectors, query[None], dim=-1)
    cosines[list(excluded)] = -torch.inf
    return cosines.topk(count)


def answers_with_the_question(vectors: Tensor, a: int, b: int, c: int, count: int = 1) -> tuple[Tensor, Tensor]:
    unit = F.normalize(vectors, dim=-1)
    return nearest(vectors, unit[b] - unit[a] + unit[c], count)


def long_vectors_weigh_more(vectors: Tensor, a: int, b: int, c: int, count: int = 1) -> tuple[Tensor, Tensor]:
    return nearest(vectors, vectors[b] - vectors[a] + vectors[c], count, excluded=(a, b, c))


def difference_the_wrong_way(vectors: Tensor, a: int, b: int, c: int, count: int = 1) -> tuple[Tensor, Tensor]:
    unit = F.normalize(vectors, dim=-1)
    return nearest(vectors, unit[a] - unit[b] + unit[c], count, excluded=(a, b, c))


MISTAKES = [
    Mistake(
        "words:Vocabulary",
        UnknownWordsDropped,
        "Unknown words disappear, so a sentence changes its length; give each of them the number of the unknown word.",
        "Les mots inconnus disparaissent et la phrase change de longueur ; donnez à chacun le numéro du mot inconnu.",
    ),
    Mistake(
        "words:Vocabulary",
        UnknownWordsLast,
        "Unknown words get the number after the last word, which is no row of any table; their number is UNKNOWN, 0.",
        "Les mots inconnus reçoivent le numéro qui suit le dernier mot et n'est la ligne d'aucun tableau ; le leur est UNKNOWN, 0.",
    ),
    Mistake(
        "words:Vocabulary",
        NumbersFromZero,
        "Known words are counted from 0, so that the most frequent word passes for the unknown one; they begin at 1.",
        "Les mots connus sont comptés à partir de 0, et le plus fréquent passe pour l'inconnu ; ils commencent à 1.",
    ),
    Mistake(
        "words:one_hot",
        ones_one_place_early,
        "The 1 stands one place early: the places are counted from 0, as the word numbers are.",
        "Le 1 est une place trop tôt : les places se comptent à partir de 0, comme les numéros des mots.",
    ),
    Mistake(
        "words:one_hot",
        whole_numbers,
        "The vectors are whole numbers; give them the `dtype` that is asked for, so that they can be multiplied by weights.",
        "Les vecteurs sont faits d'entiers ; donnez-leur le `dtype` demandé, pour qu'on puisse les multiplier par des poids.",
    ),
    Mistake(
        "words:one_hot",
        words_as_columns,
        "Each word is a column; the axis of the vocabulary comes last, so that each word is a row.",
        "Chaque mot est une colonne ; l'axe du vocabulaire vient en dernier, pour que chaque mot soit une ligne.",
    ),
    Mistake(
        "words:cosine_similarity",
        distance_instead_of_similarity,
        "This is the cosine distance, 0 for words alike; the similarity is the cosine itself, 1 for words alike.",
        "C'est la distance cosinus, nulle pour des mots semblables ; la similarité est le cosinus lui-même, qui vaut alors 1.",
    ),
    Mistake(
        "words:cosine_similarity",
        lengths_forgotten,
        "The dot product is not divided by the two lengths: frequent words, whose vectors are long, are near everything.",
        "Le produit scalaire n'est pas divisé par les deux longueurs : les mots fréquents, aux longs vecteurs, sont proches de tout.",
    ),
    Mistake(
        "words:cosine_similarity",
        one_length_for_all,
        "The length is taken over the whole batch: each pair of vectors has lengths of its own, along the last axis.",
        "La longueur est prise sur tout le lot : chaque paire de vecteurs a les siennes, le long du dernier axe.",
    ),
    Mistake(
        "words:euclidean_similarity",
        distance_itself,
        "This is the distance, 0 for equal vectors; the similarity is 1 / (1 + distance), which is 1 there.",
        "C'est la distance, nulle pour des vecteurs égaux ; la similarité est 1 / (1 + distance), qui vaut alors 1.",
    ),
    Mistake(
        "words:euclidean_similarity",
        root_forgotten,
        "The square root is missing: the distance is the root of the sum of squares.",
        "Il manque la racine carrée : la distance est la racine de la somme des carrés.",
    ),
    Mistake(
        "words:euclidean_similarity",
        along_the_streets,
        "The differences are added without squares, which is the distance of a walk along streets; square, add, take the root.",
        "Les écarts sont additionnés sans carrés, comme on marche de rue en rue ; élevez au carré, additionnez, prenez la racine.",
    ),
    Mistake(
        "words:jaccard_similarity",
        shared_words_counted_twice,
        "The shared words are counted twice below the line: divide by the size of the union, and equal sets give 1.",
        "Les mots communs comptent deux fois au dénominateur : divisez par la taille de l'union, et deux ensembles égaux donnent 1.",
    ),
    Mistake(
        "words:jaccard_similarity",
        over_the_smaller_set,
        "Divided by the smaller set, a set and a part of it get 1; divide by the size of the union.",
        "Divisé par le plus petit ensemble, un ensemble et une de ses parties ont 1 ; divisez par la taille de l'union.",
    ),
    Mistake(
        "words:jaccard_similarity",
        empty_sets_unlike,
        "Two empty sets are equal, and their similarity is 1.",
        "Deux ensembles vides sont égaux, et leur similarité vaut 1.",
    ),
    Mistake(
        "words:nearest",
        longest_vector_first,
        "The dot product lets long vectors win; compare by the cosine, which does not look at lengths.",
        "Le produit scalaire fait gagner les longs vecteurs ; comparez par le cosinus, qui ne regarde pas les longueurs.",
    ),
    Mistake(
        "words:nearest",
        exclusions_forgotten,
        "The words of `excluded` are among the answers; leave them out.",
        "Les mots de `excluded` sont parmi les réponses ; écartez-les.",
    ),
    Mistake(
        "words:nearest",
        unknown_word_found,
        "The unknown word can be an answer, and it is no word; leave number UNKNOWN out, always.",
        "Le mot inconnu peut être une réponse, et ce n'est pas un mot ; écartez toujours le numéro UNKNOWN.",
    ),
    Mistake(
        "words:analogy",
        answers_with_the_question,
        "The words of the question may answer it: king - man + woman is nearest to king itself; exclude all three.",
        "Les mots de la question peuvent y répondre : roi - homme + femme est surtout proche de roi ; excluez les trois.",
    ),
    Mistake(
        "words:analogy",
        long_vectors_weigh_more,
        "The vectors are added as they are, and the longest decides; bring each to length 1 before adding.",
        "Les vecteurs sont additionnés tels quels et le plus long décide ; ramenez chacun à la longueur 1 avant d'additionner.",
    ),
    Mistake(
        "words:analogy",
        difference_the_wrong_way,
        "The difference is taken the wrong way: from a to b is b - a, which is then added to c.",
        "La différence est prise à l'envers : pour aller de a à b, c'est b - a, que l'on ajoute ensuite à c.",
    ),
    Mistake(
        "words:one_hot",
        as_long_as_the_largest_number,
        "The vectors are as long as the largest number asks, and not the vocabulary: hand `size` on to F.one_hot.",
        "Les vecteurs ont la longueur que demande le plus grand numéro, non le vocabulaire : passez `size` à F.one_hot.",
    ),
    Mistake(
        "words:one_hot",
        bag_of_words,
        "One vector holds a 1 for every word, a bag in which their order is lost; give each word a vector of its own.",
        "Un seul vecteur porte un 1 par mot, un sac où leur ordre se perd ; donnez à chaque mot son propre vecteur.",
    ),
]
