"""Word vectors learned from sentences of a small grammar, in both languages, and the analogies that they solve."""

import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from dalle_edu.bricks.word2vec import Word2Vec, Word2VecConfig, train_word2vec
from dalle_edu.bricks.words import Vocabulary, analogy_accuracy, split_words
from dalle_edu.classroom.demo import Demo
from dalle_edu.datasets.sentences import analogies, sentences, word_pairs
from dalle_edu.language import comma, say

SHOWS = ("words", "word2vec")

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"gender": "#D55E00", "age": "#009E73", "rank": "#0072B2", "capital": "#0072B2", "offspring": "#009E73"}
Pairs = dict[str, list[tuple[str, str]]]


def demo(seed: int = 0, count: int = 6000, epochs: int = 20) -> Demo:
    """Learn the vectors of `count` sentences in each language, ask every analogy, and draw three families of words."""
    from matplotlib.figure import Figure

    start = time.process_time()
    figure = Figure(figsize=(15, 9.5), layout="constrained")
    numbers: dict[str, float] = {}
    for language, row in zip(("fr", "en"), figure.subplots(2, 3), strict=True):
        generator = torch.Generator().manual_seed(seed)
        text = [split_words(sentence) for sentence in sentences(language, count, generator)]
        vocabulary = Vocabulary(text)
        model, _ = train_word2vec(text, vocabulary, Word2VecConfig(epochs=epochs), generator)
        fresh = Word2Vec(len(vocabulary), 48, generator)
        questions = _questions(language, vocabulary)
        numbers |= {f"{language}_{relation}": analogy_accuracy(model.vectors, asked) for relation, asked in questions.items()}
        everything = torch.cat(list(questions.values()))
        numbers[f"{language}_all"] = analogy_accuracy(model.vectors, everything)
        numbers[f"{language}_all_untrained"] = analogy_accuracy(fresh.vectors, everything)
        numbers[f"{language}_questions"] = float(len(everything))
        pairs = word_pairs(language)
        _draw(row[0], model, vocabulary, {relation: pairs[relation] for relation in ("gender", "age", "rank")})
        _draw(row[1], model, vocabulary, {"capital": pairs["capital"]})
        _draw(row[2], model, vocabulary, {"offspring": pairs["offspring"]})
        titles = (
            (say("gender, age, rank", "genre, âge, rang"), ("gender", "age", "rank")),
            (say("country and capital", "pays et capitale"), ("capital",)),
            (say("animal and young", "animal et petit"), ("offspring",)),
        )
        for axes, (title, relations) in zip(row, titles, strict=True):
            asked = sum(len(questions[relation]) for relation in relations)
            right = sum(numbers[f"{language}_{relation}"] * len(questions[relation]) for relation in relations)
            axes.set_title(
                say(f"{language}: {title}, {right:.0f} of {asked} right", f"{language} : {title}, {right:.0f} justes sur {asked}")
            )
    numbers["cpu_seconds"] = time.process_time() - start
    in_french, in_english, total = numbers["fr_all"], numbers["en_all"], numbers["fr_questions"]
    return Demo(
        figure,
        numbers,
        f"From {count} sentences, the vectors answer {in_french:.1%} of {total:.0f} analogies in French and {in_english:.1%} in English; "
        f"before training, {numbers['fr_all_untrained']:.1%} and {numbers['en_all_untrained']:.1%}.",
        f"De {count} phrases, les vecteurs savent répondre à {comma(100 * in_french)} % de {total:.0f} analogies en français et à "
        f"{comma(100 * in_english)} % en anglais ; avant l'entraînement, à {comma(100 * numbers['fr_all_untrained'])} % et "
        f"{comma(100 * numbers['en_all_untrained'])} %.",
    )


def _questions(language: str, vocabulary: Vocabulary) -> dict[str, torch.Tensor]:
    asked = analogies(language)
    return {relation: torch.tensor([[vocabulary[word] for word in question] for question in asked[relation]]) for relation in asked}


def _draw(axes: "Axes", model: Word2Vec, vocabulary: Vocabulary, pairs: Pairs) -> None:
    """The words of some pairs in the plane that shows them best (principal components), an arrow for each pair."""
    from sklearn.decomposition import PCA

    relations = list(pairs)
    crossed = {word for pair in pairs[relations[-1]] for word in pair}  # where relations cross, only the words that all of them join
    words = list(dict.fromkeys(word for relation in relations for pair in pairs[relation] for word in pair if word in crossed))
    unit = torch.nn.functional.normalize(model.vectors[[vocabulary[word] for word in words]], dim=1)
    places = dict(zip(words, PCA(2).fit_transform(unit.numpy()), strict=True))
    for relation in relations:
        for first, second in pairs[relation]:
            if first in places and second in places:
                arrow = {"arrowstyle": "->", "color": COLOURS[relation], "lw": 1.8, "alpha": 0.75, "shrinkA": 4, "shrinkB": 4}
                axes.annotate("", places[second], places[first], arrowprops=arrow)
    _label(axes, places)
    axes.set(xticks=[], yticks=[])


def _label(axes: "Axes", places: dict[str, np.ndarray]) -> None:
    """Each word beside its point, on the outer side, and pushed up or down until no two touch."""
    middle = np.mean(list(places.values()), axis=0)
    low, high = np.min(list(places.values()), axis=0), np.max(list(places.values()), axis=0)
    gap, aside = 0.055 * (high - low)[1], 0.05 * (high - low)[0]
    for side in (-1, 1):
        words = sorted((word for word in places if np.sign(places[word][0] - middle[0]) == side), key=lambda word: places[word][1])
        for word, height in zip(words, _spread([float(places[word][1]) for word in words], float(gap)), strict=True):
            x, y = places[word]
            axes.plot(x, y, "o", color="black", ms=4)
            axes.plot([x, x + side * aside], [y, height], color="grey", lw=0.6)
            axes.text(x + side * aside, height, f" {word} ", ha="left" if side > 0 else "right", va="center", fontsize=10)
    axes.set(xlim=(low[0] - 6 * aside, high[0] + 6 * aside), ylim=(low[1] - 3 * gap, high[1] + 3 * gap))


def _spread(heights: list[float], gap: float) -> list[float]:
    """Heights in increasing order, moved as little as needed to stand `gap` apart."""
    spread = list(heights)
    for _ in range(100):
        for i in range(1, len(spread)):
            short = gap - (spread[i] - spread[i - 1])
            if short > 0:
                spread[i - 1], spread[i] = spread[i - 1] - short / 2, spread[i] + short / 2
    return spread
