"""Translation of French captions into English, with attention and without: the exactness of both, and the attention weights."""

import time
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dalle_edu.bricks.language_model import SequenceVocabulary
from dalle_edu.bricks.seq2seq import AdditiveAttention, Attention, Seq2Seq
from dalle_edu.classroom.demo import Demo
from dalle_edu.datasets.translations import caption_pairs, join_words, split_words
from dalle_edu.language import comma, say

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAIRS, NEW, BATCH, MOMENTS = 6000, 500, 128, 6
WITH, WITHOUT = "#0072B2", "#E69F00"  # Okabe & Ito
SHOWN = "une grande étoile verte au-dessus d'un petit carré rose"  # training never hears of a green star, nor of a pink square


class Averaging(Attention):
    """No attention: for every word written, the same plain mean of what was read."""

    def scores(self, query: Tensor, memory: Tensor) -> Tensor:
        return query.new_zeros(len(query), query.shape[1], memory.shape[1])


Languages = tuple[SequenceVocabulary, SequenceVocabulary]


def encoded(pairs: list[tuple[str, str]], languages: Languages) -> tuple[Tensor, Tensor]:
    """The sentences of each language as tokens."""
    french, english = (language.encode([split_words(pair[side]) for pair in pairs]) for side, language in enumerate(languages))
    return french, english


def exact(model: Seq2Seq, pairs: list[tuple[str, str]], languages: Languages) -> float:
    """The part of the sentences whose translation is right to the letter."""
    tokens, _ = model.translate(encoded(pairs, languages)[0])
    said = [join_words(languages[1].decode(row)) for row in tokens]
    return sum(sentence == wanted for sentence, (_, wanted) in zip(said, pairs, strict=True)) / len(pairs)


def trained(
    attention: type[Attention], pairs: list[tuple[str, str]], new: list[tuple[str, str]], languages: Languages, steps: int, seed: int
) -> tuple[Seq2Seq, dict[int, float]]:
    """A translator, and how much of the new sentences it got right on the way.

    The strong weight decay keeps the writer from learning by heart which words go together: without it, about one new combination in a
    hundred is put into the words of an old one.
    """
    torch.manual_seed(seed)
    french, english = languages
    model = Seq2Seq(len(french), len(english), width=48, hidden=64, attention=attention)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.5)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=steps)
    source, target = encoded(pairs, languages)
    generator, path = torch.Generator().manual_seed(seed), {}
    for step in range(1, steps + 1):
        chosen = torch.randint(len(source), (BATCH,), generator=generator)
        loss = model.loss(source[chosen], target[chosen])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        pace.step()
        if step % max(1, steps // MOMENTS) == 0:
            path[step] = exact(model, new, languages)
    return model, path


def demo(seed: int = 0, steps: int = 300) -> Demo:
    """Train both translators on the same sentences; count exact translations of sentences that name combinations never heard of."""
    started = time.process_time()
    pairs, new = caption_pairs(PAIRS, seed), caption_pairs(NEW, seed, "held_out")
    languages = (
        SequenceVocabulary(split_words(french) for french, _ in pairs),
        SequenceVocabulary(split_words(english) for _, english in pairs),
    )
    model, path = trained(AdditiveAttention, pairs, new, languages, steps, seed)
    _, other = trained(Averaging, pairs, new, languages, steps, seed)
    right, blind = (next(reversed(found.values())) for found in (path, other))
    source = languages[0].encode([split_words(SHOWN)])
    tokens, weights = model.translate(source)
    numbers = {"steps": float(steps), "exact_with_attention": right, "exact_without": blind, "cpu_seconds": time.process_time() - started}
    return Demo(
        _figure(weights[0], languages[1].decode(tokens[0]), path, other),
        numbers,
        f"Of {NEW} sentences with combinations never heard of, {right:.1%} are translated to the letter; without attention, {blind:.1%}.",
        f"Sur {NEW} phrases aux combinaisons jamais entendues, {comma(100 * right)} % sont traduites à la lettre ; "
        f"sans attention, {comma(100 * blind)} %.",
    )


def _figure(weights: Tensor, said: list[str], path: dict[int, float], other: dict[int, float]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5.4), layout="constrained")
    looking, learning = figure.subplots(1, 2, width_ratios=[1.25, 1])
    read = [say("(start)", "(début)"), *split_words(SHOWN), say("(end)", "(fin)")]
    said = [*said, say("(end)", "(fin)")][: len(weights)]
    shown = looking.imshow(weights[: len(said)], cmap="Blues", vmin=0, vmax=1, aspect="auto")
    looking.set_xticks(range(len(read)), read, rotation=45, ha="right", rotation_mode="anchor", fontsize=11)
    looking.set_yticks(range(len(said)), said, fontsize=11)
    looking.set(xlabel=say("read", "lu"), ylabel=say("written", "écrit"))
    looking.set_title(say("Where the translator looks for each word", "Où le traducteur regarde pour chaque mot"))
    figure.colorbar(shown, ax=looking, label=say("weight", "poids"), shrink=0.8)
    for found, colour, mark, label in (
        (path, WITH, "o", say("with attention", "avec attention")),
        (other, WITHOUT, "s", say("without", "sans")),
    ):
        learning.plot(list(found), [100 * part for part in found.values()], color=colour, marker=mark, linewidth=2, label=label)
    learning.set(xlabel=say("step", "pas"), ylabel=say("exact translations (%)", "traductions exactes (%)"), ylim=(-3, 103))
    learning.set_title(say("Sentences with combinations never heard of", "Phrases aux combinaisons jamais entendues"))
    learning.legend(frameon=False, loc="lower right")
    learning.spines[["top", "right"]].set_visible(False)
    learning.grid(alpha=0.25)
    return figure
