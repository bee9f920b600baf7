"""A transformer translates captions; the attention weights of each of its heads are shown."""

import time
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dalle_edu.bricks.decoding import beam_search
from dalle_edu.bricks.language_model import SequenceVocabulary, masked_cross_entropy, teacher_forcing
from dalle_edu.bricks.transformer import Transformer
from dalle_edu.classroom.demo import Demo
from dalle_edu.classroom.learner import Learner
from dalle_edu.datasets.translations import caption_pairs, join_words, split_words
from dalle_edu.language import comma, say
from dalle_edu.training.learning_rate import learning_rate_schedule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAIRS, NEW, BATCH, LENGTH = 6000, 300, 128, 24
SHOWN = "un grand anneau vert au-dessus d'une petite étoile noire"


def demo(seed: int = 0, steps: int = 400) -> Demo:
    """Train on caption pairs; translate, greedily, sentences that name combinations never heard of; draw the heads."""
    started = time.process_time()
    pairs, new = caption_pairs(PAIRS, seed), caption_pairs(NEW, seed, "held_out")
    french, english = (SequenceVocabulary(split_words(pair[side]) for pair in pairs) for side in (0, 1))
    sources, targets = (vocabulary.encode([split_words(pair[side]) for pair in pairs]) for side, vocabulary in enumerate((french, english)))
    torch.manual_seed(seed)
    model = Transformer(len(french), len(english), width=64, depth=2, heads=4, length=LENGTH)
    learner = Learner(model, ("encoder.blocks", "decoder.blocks"))
    generator = torch.Generator().manual_seed(seed)
    for step in range(steps):
        rows = torch.randint(len(sources), (BATCH,), generator=generator)
        written, expected = teacher_forcing(targets[rows])
        loss = masked_cross_entropy(model(sources[rows], written), expected)
        learner.step(loss, learning_rate_schedule(step, step / steps))
    model.eval()
    said = [_translate(model, french.encode([split_words(source)]), english) for source, _ in new]
    right = sum(join_words(english.decode(tokens)) == wanted for tokens, (_, wanted) in zip(said, new, strict=True)) / len(new)
    numbers = {"steps": float(steps), "exact": right, "cpu_seconds": time.process_time() - started}
    return Demo(
        _figure(model, french, english),
        numbers,
        f"Of {NEW} sentences with combinations never heard of, {right:.1%} are translated to the letter.",
        f"Sur {NEW} phrases aux combinaisons jamais entendues, {comma(100 * right)} % sont traduites à la lettre.",
    )


@torch.no_grad()
def _translate(model: Transformer, source: Tensor, english: SequenceVocabulary) -> Tensor:
    """The greedy translation: beam search with one beam."""
    memory = model.encode(source)

    def next_log_probabilities(tokens: Tensor) -> Tensor:
        return model.decode(tokens, memory.expand(len(tokens), -1, -1), source.expand(len(tokens), -1))[:, -1].log_softmax(dim=-1)

    return beam_search(next_log_probabilities, torch.tensor([1]), beams=1, length=LENGTH - 2, end=2)[0]


def _figure(model: Transformer, french: SequenceVocabulary, english: SequenceVocabulary) -> "Figure":
    from matplotlib.figure import Figure

    source = french.encode([split_words(SHOWN)])
    written = torch.cat([torch.tensor([1]), _translate(model, source, english)])[None]
    maps: list[Tensor] = []
    model.decode(written[:, :-1], model.encode(source), source, maps)
    read = [say("(start)", "(début)"), *split_words(SHOWN), say("(end)", "(fin)")]
    wrote = [*(english.symbols[token] for token in written[0, 1:-1]), say("(end)", "(fin)")]
    figure = Figure(figsize=(13, 8), layout="constrained")
    figure.suptitle(say("Where each head looks, layer by layer, for the word it helps to write",
                        "Où regarde chaque tête, couche par couche, pour le mot qu'elle aide à écrire"))  # fmt: skip
    for layer, (row, weights) in enumerate(zip(figure.subplots(len(maps), 4, sharex=True, sharey=True), maps, strict=True)):
        for head, axes in enumerate(row):
            axes.imshow(weights[0, head], cmap="Blues", vmin=0, vmax=1, aspect="auto")
            axes.set_title(say(f"layer {layer + 1}, head {head + 1}", f"couche {layer + 1}, tête {head + 1}"), fontsize=10)
            axes.set_xticks(range(len(read)), read, rotation=60, ha="right", rotation_mode="anchor", fontsize=9)
            axes.set_yticks(range(len(wrote)), wrote, fontsize=9)
    return figure
