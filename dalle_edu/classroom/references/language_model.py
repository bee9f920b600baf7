"""The character model against one built of PyTorch's own layers, which reads the whole text anew for each symbol."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.language_model import END, PAD, START, CharacterModel
from dalle_edu.bricks.recurrent import Cell, GRUCell, LSTMCell
from dalle_edu.classroom.checking.asking import lent
from dalle_edu.classroom.checking.cases import Case, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.recurrent import drawn_weights, layer_of, part_of, with_weights
from dalle_edu.classroom.references.words import within_chance
from dalle_edu.language import comma, say

_SIZES = 6, 3, 4  # of the vocabulary, of an embedding, of a state
_DRAWS = 20_000


def _logits(weights: Mapping[str, Tensor], cell: type[Cell], tokens: Tensor) -> Tensor:
    """The logits after the last token."""
    outputs, _ = layer_of(cell, part_of(weights, "cell"))(F.embedding(tokens, weights["embedding.weight"]))
    return F.linear(outputs[:, -1], weights["head.weight"], weights["head.bias"])


def _likeliest(weights: Mapping[str, Tensor], cell: type[Cell], prompt: Tensor, length: int) -> Tensor:
    """Prompts continued by the likeliest symbol each time; padding after an end."""
    written, ended = prompt, torch.zeros(len(prompt), dtype=torch.bool)
    for _ in range(length):
        chosen = _logits(weights, cell, written).argmax(dim=-1).where(~ended, PAD)
        ended = ended | (chosen == END)
        written = torch.cat([written, chosen[:, None]], dim=1)
    return written


def _with_ends(cell: type[Cell], prompt: Tensor, length: int, seed: int) -> dict[str, Tensor]:
    """Weights with which one text ends early, and another goes on."""
    for number in range(300):
        weights = drawn_weights(CharacterModel(*_SIZES, cell), seed + 1000 * number, 1.5)
        ends = (_likeliest(weights, cell, prompt, length)[:, prompt.shape[1] :] == END).any(dim=1)
        if ends.any() and (len(prompt) == 1 or not ends.all()):
            break
    return weights


def _greedy(cell: type[Cell], prompt: Tensor, length: int, seed: int) -> Case:
    weights = _with_ends(cell, prompt, length, seed)

    def ask(version: Callable[..., Any]) -> Tensor:
        made, generator = with_weights(version(*_SIZES, cell), weights), torch.Generator().manual_seed(seed)
        return lent(lambda given: made.sample(given, length, 0.0, generator), "prompt", prompt)

    text = f"{cell.__name__}, prompt {prompt.tolist()}, length {length}, temperature 0"
    return scenario(text, text, lambda: _likeliest(weights, cell, prompt, length), ask, prompt.numel() + length)


def _frequencies(temperature: float, seed: int) -> Case:
    """How often each symbol follows the start, beside PyTorch's probabilities."""
    weights = drawn_weights(CharacterModel(*_SIZES), seed, 1.0)
    prompt = torch.full((_DRAWS, 1), START)
    key, again, following = say("frequencies", "fréquences"), say("same seed", "même graine"), say("the next sample", "le tirage suivant")

    def wanted() -> list[float]:
        logits = _logits(weights, LSTMCell, prompt[:1])
        return torch.distributions.Categorical(logits=logits / temperature).probs[0].tolist()

    def ask(version: Callable[..., Any]) -> dict[str, Any]:
        made, generators = with_weights(version(*_SIZES), weights), [torch.Generator().manual_seed(seed) for _ in range(2)]
        first, second, same = (made.sample(prompt, 1, temperature, generators[place])[:, 1] for place in (0, 0, 1))
        counts = torch.bincount(first, minlength=_SIZES[0]).tolist()
        return {key: within_chance(counts, wanted()), again: torch.equal(first, same), following: not torch.equal(first, second)}

    return scenario(
        f"{_DRAWS} samples of one symbol, temperature {temperature}",
        f"{_DRAWS} tirages d'un symbole, température {comma(temperature, 1)}",
        lambda: {key: wanted(), again: True, following: True},
        ask,
        2000,
    )


def _character_model(seed: int) -> list[Case]:
    one, three = torch.tensor([[START]]), torch.tensor([[START, 3, 4], [START, 5, 5], [START, 4, 3], [START, 3, 3]])
    return [
        _greedy(LSTMCell, one, 1, seed),
        _greedy(LSTMCell, one, 4, seed + 1),
        _greedy(LSTMCell, three[:, :2], 5, seed + 2),
        _greedy(LSTMCell, three, 8, seed + 3),
        _greedy(GRUCell, three, 6, seed + 4),
        _frequencies(0.5, seed + 5),
        _frequencies(2.0, seed + 6),
    ]


REFERENCES = [
    Reference(
        "language_model:CharacterModel",
        say("torch.nn.LSTM, the text read anew for each symbol", "torch.nn.LSTM, le texte relu à chaque symbole"),
        cases=_character_model,
        tolerance=0.0,
    ),
]
