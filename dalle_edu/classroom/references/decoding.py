"""Sampling against Hugging Face's filters and guidance, and against PyTorch's own draws."""

from typing import Any

import torch
from torch import Tensor

from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say


def _logits() -> Tensor:
    return 2 * torch.randn(6, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def _probabilities(logits: Tensor) -> Tensor:
    return logits.softmax(dim=-1)


def _top_k(version: Any) -> float:
    from transformers.generation.logits_process import TopKLogitsWarper

    logits = _logits()
    return max(gap(_probabilities(version(logits, k)), _probabilities(TopKLogitsWarper(k)(None, logits))) for k in (1, 3, 12))


def _top_p(version: Any) -> float:
    from transformers.generation.logits_process import TopPLogitsWarper

    logits = _logits()
    return max(gap(_probabilities(version(logits, p)), _probabilities(TopPLogitsWarper(p)(None, logits))) for p in (0.05, 0.5, 0.9))


def _draw(version: Any) -> float:
    from torch.distributions import Categorical

    logits = _logits()
    cumulative = Categorical(logits=logits).probs.cumsum(dim=-1)
    uniforms = torch.linspace(0.003, 0.997, 200, dtype=torch.float64)
    wrong = 0.0
    for uniform in uniforms:
        expected = (cumulative <= uniform).sum(dim=-1)
        wrong += float((version(logits, uniform.expand(6)) != expected).sum())
    return wrong


def _guide(version: Any) -> float:
    from transformers.generation.logits_process import ClassifierFreeGuidanceLogitsProcessor

    conditional, unconditional = _logits().log_softmax(dim=-1).chunk(2)
    differences = []
    for scale in (1.5, 3.0):
        theirs = ClassifierFreeGuidanceLogitsProcessor(scale)(torch.zeros(3, 1), torch.cat([conditional, unconditional]))
        differences.append(gap(version(torch.cat([conditional, unconditional]), scale), theirs))
    return max(differences)


REFERENCES = [
    Reference("decoding:keep_top_k", "transformers TopKLogitsWarper", _top_k, 1e-10, lambda: [(_logits(), k) for k in (1, 3, 12)]),
    Reference("decoding:keep_top_p", "transformers TopPLogitsWarper", _top_p, 1e-10, lambda: [(_logits(), p) for p in (0.05, 0.5, 0.9)]),
    Reference("decoding:sample", say("torch.distributions.Categorical, inverted", "torch.distributions.Categorical, inversée"), _draw, 0.0),
    Reference(
        "guidance:guide",
        "transformers ClassifierFreeGuidanceLogitsProcessor",
        _guide,
        1e-10,
        lambda: [(_logits(), scale) for scale in (1.5, 3.0)],
    ),
]
