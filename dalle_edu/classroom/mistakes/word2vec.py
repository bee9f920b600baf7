"""Mistakes about how word2vec learns."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.word2vec import NOTHING, Word2Vec
from dalle_edu.bricks.words import UNKNOWN
from dalle_edu.classroom.checking.proof import Mistake


def runs_across_sentences(tokens: Tensor, sentence: Tensor, window: int, generator: torch.Generator | None = None) -> Tensor:
    around = F.pad(tokens, (window, window), value=NOTHING).unfold(0, 2 * window + 1, 1).clone()
    around[:, window] = NOTHING
    return around


def sees_itself(tokens: Tensor, sentence: Tensor, window: int, generator: torch.Generator | None = None) -> Tensor:
    around, theirs = (F.pad(line, (window, window), value=NOTHING).unfold(0, 2 * window + 1, 1) for line in (tokens, sentence))
    return around.masked_fill(theirs != sentence[:, None], NOTHING)


def looks_back_only(tokens: Tensor, sentence: Tensor, window: int, generator: torch.Generator | None = None) -> Tensor:
    around, theirs = (F.pad(line, (window, window), value=NOTHING).unfold(0, 2 * window + 1, 1) for line in (tokens, sentence))
    after = torch.arange(2 * window + 1) >= window
    return around.masked_fill((theirs != sentence[:, None]) | after, NOTHING)


def throws_out_what_it_should_keep(counts: Tensor, threshold: float = 1e-3) -> Tensor:
    known = counts.double().index_fill(0, torch.tensor([UNKNOWN]), 0)
    rarity = threshold * known.sum() / known
    return 1 - (rarity.sqrt() + rarity).clamp(max=1)


def root_alone(counts: Tensor, threshold: float = 1e-3) -> Tensor:
    known = counts.double().index_fill(0, torch.tensor([UNKNOWN]), 0)
    return (threshold * known.sum() / known).sqrt().clamp(max=1).index_fill(0, torch.tensor([UNKNOWN]), 0)


def unknown_words_kept(counts: Tensor, threshold: float = 1e-3) -> Tensor:
    rarity = threshold * counts.double().sum() / counts
    return (rarity.sqrt() + rarity).clamp(max=1)


def unknown_words_in_the_total(counts: Tensor, threshold: float = 1e-3) -> Tensor:
    rarity = threshold * counts.double().sum() / counts
    return (rarity.sqrt() + rarity).clamp(max=1).index_fill(0, torch.tensor([UNKNOWN]), 0)


def root_alone_among_all_words(counts: Tensor, threshold: float = 1e-3) -> Tensor:
    rarity = threshold * counts.double().sum() / counts
    return rarity.sqrt().clamp(max=1).index_fill(0, torch.tensor([UNKNOWN]), 0)


def left_out_among_all_words(counts: Tensor, threshold: float = 1e-3) -> Tensor:
    return 1 - unknown_words_in_the_total(counts, threshold)


def as_often_as_in_the_text(counts: Tensor, power: float = 0.75) -> Tensor:
    known = counts.double().index_fill(0, torch.tensor([UNKNOWN]), 0)
    return known / known.sum()


def unknown_word_drawn(counts: Tensor, power: float = 0.75) -> Tensor:
    weights = counts.double() ** power
    return weights / weights.sum()


def weights_that_do_not_add_up(counts: Tensor, power: float = 0.75) -> Tensor:
    known = counts.double().index_fill(0, torch.tensor([UNKNOWN]), 0)
    return known**power / known.sum()


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


class WordsAddedUp(Word2Vec):
    def hidden(self, given: Tensor) -> Tensor:
        return (self.input[given.clamp(min=0)] * (given != NOTHING).unsqueeze(-1)).sum(dim=1)


class LastWordInEmptyPlaces(Word2Vec):
    def hidden(self, given: Tensor) -> Tensor:
        return self.input[given].mean(dim=1)


MISTAKES = [
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
        "word2vec:windows",
        looks_back_only,
        "Only the words before are taken; the window reaches as far after the word as before it.",
        "Seuls les mots d'avant sont pris ; la fenêtre va aussi loin après le mot qu'avant.",
    ),
    Mistake(
        "word2vec:keep_probability",
        throws_out_what_it_should_keep,
        "This is the chance to leave a word out, not to keep it: the rare words go and the articles stay.",
        "C'est la probabilité d'écarter un mot, non de le garder : les mots rares s'en vont et les articles restent.",
    ),
    Mistake(
        "word2vec:keep_probability",
        root_alone,
        "This is the root alone, as in the paper; here, as in the program, threshold / f is added to it.",
        "C'est la racine seule, comme dans l'article ; ici, comme dans le programme, on lui ajoute seuil / f.",
    ),
    Mistake(
        "word2vec:keep_probability",
        unknown_words_kept,
        "Unknown words count as one word and are kept; they are no part of the total, and their probability is 0.",
        "Les mots inconnus comptent pour un mot et sont gardés ; ils ne sont pas du total, et leur probabilité est 0.",
    ),
    Mistake(
        "word2vec:noise_distribution",
        as_often_as_in_the_text,
        "The counts are not raised to the power 3/4: the noise is too often an article, which soon teaches nothing.",
        "Les effectifs ne sont pas élevés à la puissance 3/4 : le bruit est trop souvent un article, qui n'apprend bientôt plus rien.",
    ),
    Mistake(
        "word2vec:noise_distribution",
        unknown_word_drawn,
        "The unknown word is drawn as noise; it stands for any word, and its probability is 0.",
        "Le mot inconnu est tiré comme bruit ; il tient lieu de n'importe quel mot, et sa probabilité est 0.",
    ),
    Mistake(
        "word2vec:noise_distribution",
        weights_that_do_not_add_up,
        "The powers are divided by the sum of the counts; divide by their own sum, so that the probabilities add up to 1.",
        "Les puissances sont divisées par la somme des effectifs ; divisez par leur propre somme, pour que les probabilités fassent 1.",
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
        "word2vec:Word2Vec",
        WordsAddedUp,
        "The vectors are added up; take their mean, so that the number of neighbours does not matter.",
        "Les vecteurs sont additionnés ; prenez leur moyenne, pour que le nombre de voisins ne compte pas.",
    ),
    Mistake(
        "word2vec:Word2Vec",
        LastWordInEmptyPlaces,
        "NOTHING is -1, which for Python is the last row: the empty places were filled with the last word.",
        "NOTHING vaut -1, et pour Python c'est la dernière ligne : les places vides ont reçu le dernier mot.",
    ),
    Mistake(
        "word2vec:keep_probability",
        unknown_words_in_the_total,
        "The unknown words are in the total; f is a word's share of the known words' tokens alone.",
        "Les mots inconnus sont dans le total ; f est la part d'un mot parmi les jetons des seuls mots connus.",
    ),
    Mistake(
        "word2vec:keep_probability",
        root_alone_among_all_words,
        "This is the root alone, and its f counts unknown words too: leave them out of the total, and add threshold / f to the root.",
        "C'est la racine seule, et son f compte aussi les mots inconnus : ôtez-les du total, et ajoutez seuil / f à la racine.",
    ),
    Mistake(
        "word2vec:keep_probability",
        left_out_among_all_words,
        "This is the chance to leave a word out, 1 - p; give p itself, with an f that does not count the unknown words.",
        "C'est la probabilité d'écarter un mot, 1 - p ; rendez p lui-même, avec un f qui ne compte pas les mots inconnus.",
    ),
]
