"""Recurrent networks against PyTorch's, weights copied across."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.language_model import PAD
from dalle_edu.bricks.recurrent import GRUCell, LSTMCell, RNNCell
from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say


def _noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _cell(peer: type[nn.Module], parts: int) -> Callable[[Any], float]:
    """Three steps of a cell from the same start."""

    def difference(version: Callable[..., Any]) -> float:
        torch.manual_seed(0)
        theirs = peer(3, 5).double()
        ours = version(3, 5).double()
        ours.load_state_dict(theirs.state_dict())
        start = tuple(_noise(4, 5, seed=1 + part) for part in range(parts))
        mine = other = start if parts == 2 else start[0]
        gaps = []
        for step in range(3):
            x = 2 * _noise(4, 3, seed=10 + step)
            mine, other = ours(x, mine), theirs(x, other)
            pairs = zip(mine, other, strict=True) if parts == 2 else [(mine, other)]
            gaps += [gap(a, b) for a, b in pairs]
        return max(gaps)

    return difference


_LENGTHS = torch.tensor([6, 4, 1])


def _unroll(version: Callable[..., Any]) -> float:
    """Sentences of different lengths, read forwards and backwards, by each kind of cell."""
    x, mask = _noise(3, 6, 2), torch.arange(6) < _LENGTHS[:, None]
    gaps = []
    for cell, layer in ((RNNCell, nn.RNN), (LSTMCell, nn.LSTM), (GRUCell, nn.GRU)):
        torch.manual_seed(0)
        theirs = layer(2, 4, batch_first=True, bidirectional=True).double()
        whole, _ = theirs(x)
        packed, ends = theirs(nn.utils.rnn.pack_padded_sequence(x, _LENGTHS, batch_first=True))
        padded, _ = nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
        for direction, suffix in enumerate(("", "_reverse")):
            ours, part = cell(2, 4).double(), slice(4 * direction, 4 * direction + 4)
            ours.load_state_dict({name: theirs.get_parameter(f"{name}_l0{suffix}").detach() for name in ours.state_dict()})
            outputs, _ = version(ours, x, backwards=bool(direction))
            gaps.append(gap(outputs, whole[..., part]))
            outputs, state = version(ours, x, mask=mask, backwards=bool(direction))
            gaps.append(gap(outputs[mask], padded[mask][..., part]))
            pairs = zip(state, ends, strict=True) if cell is LSTMCell else [(state, ends)]
            gaps += [gap(mine, other[direction]) for mine, other in pairs]
    return max(gaps)


def _teacher_forcing(version: Callable[[Tensor], tuple[Tensor, Tensor]]) -> float:
    sentences = torch.randint(0, 9, (3, 7), generator=torch.Generator().manual_seed(0))
    shown, expected = version(sentences)
    before, after = sentences.unfold(1, 2, 1).unbind(-1)
    return max(gap(shown, before), gap(expected, after))


def _masked_cross_entropy(version: Callable[[Tensor, Tensor], Tensor]) -> float:
    logits, expected = 3 * _noise(3, 4, 6), torch.tensor([[1, 5, 2, 3], [4, 2, PAD, PAD], [2, PAD, PAD, PAD]])
    return gap(version(logits, expected), F.cross_entropy(logits.flatten(0, 1), expected.flatten(), ignore_index=PAD))


def _sample_next(version: Callable[..., Tensor]) -> float:
    """How far the frequencies of 20,000 draws are from PyTorch's probabilities, beyond what chance explains (once in ten thousand)."""
    logits = torch.tensor([1.0, 0.0, -1.0, 2.0], dtype=torch.float64)
    gaps = []
    for temperature in (0.5, 1.0, 2.0):
        drawn = version(logits.expand(20_000, 4), temperature, torch.Generator().manual_seed(0))
        frequencies = torch.bincount(drawn, minlength=4) / 20_000
        wanted = torch.distributions.Categorical(logits=logits / temperature).probs
        gaps.append(gap(frequencies.cumsum(0), wanted.cumsum(0)))
    return max(0.0, max(gaps) - 0.016)


REFERENCES = [
    Reference("recurrent:RNNCell", "torch.nn.RNNCell", _cell(nn.RNNCell, 1), 1e-10),
    Reference("recurrent:LSTMCell", "torch.nn.LSTMCell", _cell(nn.LSTMCell, 2), 1e-10),
    Reference("recurrent:GRUCell", "torch.nn.GRUCell", _cell(nn.GRUCell, 1), 1e-10),
    Reference(
        "recurrent:unroll",
        say(
            "torch.nn.RNN, LSTM and GRU, bidirectional, on packed sentences",
            "torch.nn.RNN, LSTM et GRU, bidirectionnels, sur des phrases compactées",
        ),
        _unroll,
        1e-10,
    ),
    Reference("language_model:teacher_forcing", "torch.Tensor.unfold", _teacher_forcing, 0.0),
    Reference("language_model:masked_cross_entropy", "torch.nn.functional.cross_entropy(ignore_index)", _masked_cross_entropy, 1e-10),
    Reference("language_model:sample_next", "torch.distributions.Categorical", _sample_next, 1e-5),
]
