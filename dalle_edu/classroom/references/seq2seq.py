"""Attention and translation against the same built from PyTorch's own modules."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.language_model import PAD
from dalle_edu.bricks.seq2seq import DotAttention
from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say

_LENGTHS = (6, 4, 1)
_MASK = torch.arange(6) < torch.tensor(_LENGTHS)[:, None]


def _noise(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _dot(version: Callable[..., Any]) -> float:
    """Handed the identity as values, PyTorch's kernel gives its weights away."""
    query, memory = _noise(3, 4, 5, seed=0), _noise(3, 6, 5, seed=1)
    mixed, weights = version(5, 5)(query, memory, _MASK)
    gaps = []
    for found, value in ((mixed, memory), (weights, torch.eye(6, dtype=torch.float64).expand(3, 6, 6))):
        gaps.append(gap(found, F.scaled_dot_product_attention(query, memory, value, attn_mask=_MASK[:, None], scale=1.0)))
    return max(gaps)


def _pair_by_pair(judge: Callable[[nn.Module], Callable[[Tensor, Tensor], Tensor]]) -> Callable[[Any], float]:
    """Each sentence alone, cut to its length, so that there is no padding to mask; each pair of a query and a memory judged by itself."""

    def difference(version: Callable[..., Any]) -> float:
        torch.manual_seed(0)
        ours = version(5, 3).double()
        query, memory = 2 * _noise(3, 4, 5, seed=0), 2 * _noise(3, 6, 3, seed=1)
        mixed, weights = ours(query, memory, _MASK)
        score, gaps = judge(ours), []
        for n, length in enumerate(_LENGTHS):
            for q in range(4):
                real = memory[n, :length]
                expected = score(query[n, q].expand(length, 5), real).flatten().softmax(dim=0)
                gaps.append(gap(weights[n, q], F.pad(expected, (0, 6 - length))))
                gaps.append(gap(mixed[n, q], torch.einsum("k,km->m", expected, real)))
        return max(gaps)

    return difference


def _bilinear(ours: nn.Module) -> nn.Module:
    theirs = nn.Bilinear(5, 3, 1, bias=False).double()
    theirs.weight.data = ours.get_parameter("key.weight").data.unsqueeze(0)
    return theirs


def _concatenated(ours: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    """W q + U k is one linear map of q and k side by side."""
    joint = nn.Linear(8, 5, bias=False).double()
    joint.weight.data = torch.cat([ours.get_parameter("query.weight"), ours.get_parameter("key.weight")], dim=1).data
    last = nn.Linear(5, 1, bias=False).double()
    last.weight.data = ours.get_parameter("value.weight").data
    network = nn.Sequential(joint, nn.Tanh(), last)
    return lambda query, memory: network(torch.cat([query, memory], dim=-1))


def _renamed(cell: nn.Module, suffix: str) -> dict[str, Tensor]:
    return {f"{name}_l0{suffix}": weight.detach() for name, weight in cell.named_parameters()}


def _translator(version: Callable[..., Any]) -> float:
    """The loss, on sentences of different lengths in both languages."""
    torch.manual_seed(0)
    ours = version(9, 8, width=3, hidden=6, attention=DotAttention).double()
    reader, writer = nn.GRU(3, 3, batch_first=True, bidirectional=True).double(), nn.GRU(3, 6, batch_first=True).double()
    reader.load_state_dict(_renamed(ours.forwards, "") | _renamed(ours.backwards, "_reverse"))
    writer.load_state_dict(_renamed(ours.writer, ""))
    source = torch.tensor([[1, 5, 3, 7, 8, 2], [1, 4, 4, 2, PAD, PAD], [1, PAD, PAD, PAD, PAD, PAD]])
    target = torch.tensor([[1, 7, 2, PAD], [1, 3, 4, 2], [1, 6, 2, PAD]])
    packed = nn.utils.rnn.pack_padded_sequence(ours.source_embedding(source), torch.tensor(_LENGTHS), batch_first=True)
    memory, ends = reader(packed)
    memory, _ = nn.utils.rnn.pad_packed_sequence(memory, batch_first=True)
    outputs, _ = writer(ours.target_embedding(target[:, :3]), torch.cat([ends[0], ends[1]], dim=-1).unsqueeze(0))
    context = F.scaled_dot_product_attention(outputs, memory, memory, attn_mask=_MASK[:, None], scale=1.0)
    logits = ours.head(ours.combine(torch.cat([context, outputs], dim=-1)).tanh())
    return gap(ours.loss(source, target), F.cross_entropy(logits.transpose(1, 2), target[:, 1:], ignore_index=PAD))


REFERENCES = [
    Reference("seq2seq:DotAttention", "torch.nn.functional.scaled_dot_product_attention(scale=1)", _dot, 1e-10),
    Reference(
        "seq2seq:GeneralAttention",
        say("torch.nn.Bilinear, pair by pair", "torch.nn.Bilinear, paire par paire"),
        _pair_by_pair(_bilinear),
        1e-10,
    ),
    Reference(
        "seq2seq:AdditiveAttention",
        say("torch.nn.Linear and Tanh, pair by pair", "torch.nn.Linear et Tanh, paire par paire"),
        _pair_by_pair(_concatenated),
        1e-10,
    ),
    Reference(
        "seq2seq:Seq2Seq",
        say(
            "torch.nn.GRU on packed sentences, with PyTorch's attention and cross-entropy",
            "torch.nn.GRU sur des phrases compactées, avec l'attention et l'entropie croisée de PyTorch",
        ),
        _translator,
        1e-10,
    ),
]
