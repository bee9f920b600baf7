"""Mistakes about words and their vectors."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.word2vec import NOTHING, Word2Vec
from dalle_edu.bricks.words import UNKNOWN, Vocabulary, nearest
from dalle_edu.classroom.checking.proof import Mistake


class UnknownWordsDropped(Vocabulary):
    def encode(self, words: Sequence[str]) -> Tensor:
        return torch.tensor([self._ids[word] for word in words if word in self._ids], dtype=torch.long)


def distance_instead_of_similarity(a: Tensor, b: Tensor) -> Tensor:
    return 1 - (a * b).sum(dim=-1) / (a.norm(dim=-1) * b.norm(dim=-1)).clamp(min=1e-12)


def lengths_forgotten(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(dim=-1)


def shared_words_counted_twice(a: AbstractSet[str], b: AbstractSet[str]) -> float:
    return len(a & b) / (len(a) + len(b)) if a or b else 1.0


def runs_across_sentences(tokens: Tensor, sentence: Tensor, window: int, generator: torch.Generator | None = None) -> Tensor:
    around = F.pad(tokens, (window, window), value=NOTHING).unfold(0, 2 * window + 1, 1).clone()
    around[:, window] = NOTHING
    return around


def sees_itself(tokens: Tensor, sentence: Tensor, window: int, generator: torch.Generator | None = None) -> Tensor:
    around, theirs = (F.pad(line, (window, window), value=NOTHING).unfold(0, 2 * window + 1, 1) for line in (tokens, sentence))
    return around.masked_fill(theirs != sentence[:, None], NOTHING)


def throws_out_what_it_should_keep(counts: Tensor, threshold: float = 1e-3) -> Tensor:
    known = counts.double().index_fill(0, torch.tensor([UNKNOWN]), 0)
    rarity = threshold * known.sum() / known
    return 1 - (rarity.sqrt() + rarity).clamp(max=1)


def as_often_as_in_the_text(counts: Tensor, power: float = 0.75) -> Tensor:
    known = counts.double().index_fill(0, torch.tensor([UNKNOWN]), 0)
    return known / known.sum()


def noise_attracted(hidden: Tensor, output: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
    true, noise = (output[targets] * hidden).sum(dim=-1), (output[negatives] @ hidden.unsqueeze(-1)).squeeze(-1)
    counted = negatives != targets.unsqueeze(-1)
    return -(F.logsigmoid(true) + (F.logsigmoid(noise) * counted).sum(dim=-1)).mean()


def noise_averaged(hidden: Tensor, output: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
    true, noise = (output[targets] * hidden).sum(dim=-1), (output[negatives] @ hidden.unsqueeze(-1)).squeeze(-1)
    counted = negatives != targets.unsqueeze(-1)
    return -(F.logsigmoid(true) + (F.logsigmoid(-noise) * counted).mean(dim=-1)).mean()


def target_drawn_as_noise(hidden: Tensor, output: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
    true, noise = (output[targets] * hidden).sum(dim=-1), (output[negatives] @ hidden.unsqueeze(-1)).squeeze(-1)
    return -(F.logsigmoid(true) + F.logsigmoid(-noise).sum(dim=-1)).mean()


class EmptyPlacesCounted(Word2Vec):
    def hidden(self, given: Tensor) -> Tensor:
        return (self.input[given.clamp(min=0)] * (given != NOTHING).unsqueeze(-1)).mean(dim=1)


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
        "words:jaccard_similarity",
        shared_words_counted_twice,
        "The shared words are counted twice below the line: divide by the size of the union, and equal sets give 1.",
        "Les mots communs comptent deux fois au dénominateur : divisez par la taille de l'union, et deux ensembles égaux donnent 1.",
    ),
    Mistake(
        "word2vec:windows",
        runs_across_sentences,
        "The window runs on into the next sentence, and the last word of one keeps company with the first of the other.",
        "La fenêtre déborde sur la phrase suivante : le dernier mot de l'une tient compagnie au premier de l'autre.",
    ),
    Mistake(
        "word2vec:windows",
        sees_itself,
        "Each word is among its own neighbours and learns to guess itself; leave the middle of the window out.",
        "Chaque mot figure parmi ses propres voisins et apprend à se deviner lui-même ; laissez de côté le milieu de la fenêtre.",
    ),
    Mistake(
        "word2vec:keep_probability",
        throws_out_what_it_should_keep,
        "This is the chance to leave a word out, not to keep it: the rare words go and the articles stay.",
        "C'est la probabilité d'écarter un mot, non de le garder : les mots rares s'en vont et les articles restent.",
    ),
    Mistake(
        "word2vec:noise_distribution",
        as_often_as_in_the_text,
        "The counts are not raised to the power 3/4: the noise is too often an article, which soon teaches nothing.",
        "Les effectifs ne sont pas élevés à la puissance 3/4 : le bruit est trop souvent un article, qui n'apprend bientôt plus rien.",
    ),
    Mistake(
        "word2vec:negative_sampling_loss",
        noise_attracted,
        "The sign is missing on the noise: every word is pulled towards every other, and all vectors end up alike.",
        "Il manque le signe devant le bruit : chaque mot est attiré par tous les autres, et tous les vecteurs se ressemblent.",
    ),
    Mistake(
        "word2vec:negative_sampling_loss",
        noise_averaged,
        "The noise words are averaged; the loss adds them up, so that more noise words push harder.",
        "Les mots de bruit sont moyennés ; la perte les additionne, si bien que plus de mots de bruit repoussent plus fort.",
    ),
    Mistake(
        "word2vec:negative_sampling_loss",
        target_drawn_as_noise,
        "When the noise happens to be the target, the word is pulled and pushed at once; leave that draw out.",
        "Quand le bruit tombe sur la cible, le mot est attiré et repoussé à la fois ; écartez ce tirage.",
    ),
    Mistake(
        "word2vec:Word2Vec",
        EmptyPlacesCounted,
        "The mean counts the empty places of the window too; divide by the number of words that are there.",
        "La moyenne compte aussi les places vides de la fenêtre ; divisez par le nombre de mots présents.",
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
]
