"""Sampling: from a distribution over the next token to a token, and from tokens to
a sentence or a picture.

Each way is one free function of logits, so that they combine: temperatures, then
filters, then a draw. `guide` is classifier-free guidance. `beam_search` looks for
the likeliest whole sequence instead. Lesson 05.

Letters: n sequences, v entries of a vocabulary, t tokens, b beams.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.guidance import guide
from dalle_edu.errors import DalleEduError


def keep_top_k(logits: Float[Tensor, "n v"], k: int) -> Float[Tensor, "n v"]:
    """Leave the k most likely entries of each row a chance, and the others none
    (Fan et al. 2018).
    """
    k = min(k, logits.shape[-1])
    return logits.masked_fill(
        logits < logits.topk(k, dim=-1).values[..., -1:], -math.inf
    )


def keep_top_p(logits: Float[Tensor, "n v"], p: float) -> Float[Tensor, "n v"]:
    """Leave the smallest set of entries whose probabilities reach p a chance
    (nucleus sampling, Holtzman et al. 2020); the likeliest always.
    """
    if p >= 1:  # rounding in the sum below would lose the least likely
        return logits
    ordered, order = logits.sort(dim=-1, descending=True)
    before = ordered.softmax(dim=-1).cumsum(dim=-1) - ordered.softmax(dim=-1)
    return torch.full_like(logits, -math.inf).scatter(
        -1, order, ordered.masked_fill(before >= p, -math.inf)
    )


def temper(
    logits: Float[Tensor, "n v"], temperature: float, daring: float | None = None
) -> Float[Tensor, "n v"]:
    """Divide by a temperature: below 1 the likely becomes likelier, above 1 less
    so.

    A low temperature makes what is rare at each step never happen: a picture that
    is white so far stays white. With `daring`, two questions have two temperatures:
    *whether* to leave the likeliest entry is asked at `daring`, *for which* other
    one at `temperature`. The result is then log-probabilities. `daring` equal to
    `temperature` changes no probability.
    """
    if daring is None:
        return logits if temperature == 1 else logits / temperature
    chances = (logits / daring).log_softmax(dim=-1)
    likeliest = chances.argmax(dim=-1, keepdim=True)
    others = torch.ones_like(logits, dtype=torch.bool).scatter(-1, likeliest, False)
    leaving = chances.masked_fill(~others, -math.inf).logsumexp(
        dim=-1, keepdim=True
    )
    which = (
        (logits / temperature).masked_fill(~others, -math.inf).log_softmax(dim=-1)
    )
    return torch.where(others, leaving + which, chances)


def sample(
    logits: Float[Tensor, "n v"], uniform: Float[Tensor, " n"]
) -> Int[Tensor, " n"]:
    """Draw an entry of each row with probabilities softmax(logits), by inverting
    the cumulative distribution at `uniform` in [0, 1).

    Chance comes from outside, a number for each row, so a picture does not depend
    on the batch that it is drawn in.
    """
    cumulative = logits.double().softmax(dim=-1).cumsum(dim=-1)
    last = logits.shape[-1] - 1
    chosen = torch.searchsorted(
        cumulative,
        uniform.double().unsqueeze(-1) * cumulative[..., -1:],
        right=True,
    )
    return chosen.squeeze(-1).clamp(max=last)


def choose(
    logits: Float[Tensor, "n v"],
    uniform: Float[Tensor, " n"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    daring: float | None = None,
) -> Int[Tensor, " n"]:
    """One step of sampling: temperature, filters, draw."""
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = temper(logits, temperature, daring)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    return sample(logits, uniform)


def sample_sequence(
    next_logits: Callable[[int, Int[Tensor, "n written"]], Float[Tensor, "rows v"]],
    uniforms: Float[Tensor, "n i"],
    guidance_scale: float = 1.0,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    given: Int[Tensor, "n i"] | None = None,
    callback: Callable[[int, Tensor], None] | None = None,
    daring: float | None = None,
) -> Int[Tensor, "n i"]:
    """Write pictures code after code: ask for logits, `choose`, and ask again, with
    the new code written.

    `next_logits(position, written)` is what a network says of the code at
    `position`, given those before it; with `guidance_scale` other than 1 it answers
    2n rows, with their captions and without. `uniforms` holds the chance of every
    choice, in [0, 1). `given` holds codes that are known, and -1 where they must be
    written. `callback(position, codes)` is called after each code.
    """
    # so that what comes out is a tensor like any other
    with torch.inference_mode(False):
        codes = torch.zeros(
            uniforms.shape, dtype=torch.long, device=uniforms.device
        )
    for position in range(uniforms.shape[1]):
        logits = next_logits(position, codes[:, :position])
        if guidance_scale != 1.0:
            logits = guide(logits, guidance_scale)
        chosen = choose(
            logits, uniforms[:, position], temperature, top_k, top_p, daring
        )
        if given is not None:
            chosen = torch.where(
                given[:, position] >= 0, given[:, position], chosen
            )
        codes[:, position] = chosen
        if callback is not None:
            callback(position, codes)
    return codes


def beam_search(
    next_log_probabilities: Callable[[Int[Tensor, "b t"]], Float[Tensor, "b v"]],
    start: Int[Tensor, " t"],
    beams: int,
    length: int,
    end: int | None = None,
    length_penalty: float = 0.0,
) -> tuple[Int[Tensor, " l"], float]:
    """The likeliest continuation of `start` that keeping the `beams` best
    beginnings finds, and its score.

    `next_log_probabilities(tokens)` gives log p(next | tokens) for each row. A
    sequence stops at the token `end`, or after `length` new tokens. Its score is
    its log-probability divided by (new tokens)^`length_penalty`: 0 favours short
    sequences, 1 compares means (Wu et al. 2016, section 7, simplified). One beam is
    the greedy choice. The result holds the new tokens, `end` included.
    """
    if beams < 1 or length < 1:
        raise DalleEduError(
            f"{beams} beams of {length} tokens were asked for; give at least 1 of "
            "each",
            f"{beams} faisceaux de {length} jetons sont demandés ; donnez au moins "
            "1 de chaque",
        )
    tokens, scores = (
        start.unsqueeze(0),
        torch.zeros(1, device=start.device, dtype=torch.float64),
    )
    finished: list[tuple[float, Tensor]] = []
    for written in range(1, length + 1):
        totals = scores.unsqueeze(1) + next_log_probabilities(tokens).double()
        # twice as many: half of them may end here
        best, where = totals.flatten().topk(min(2 * beams, totals.numel()))
        rows, choices = where // totals.shape[1], where % totals.shape[1]
        grown = torch.cat([tokens[rows], choices.unsqueeze(1)], dim=1)
        ends = (
            (choices == end)
            if end is not None
            else torch.zeros_like(choices, dtype=torch.bool)
        )
        finished += [
            (float(s) / written**length_penalty, row[len(start) :])
            for s, row in zip(best[ends], grown[ends], strict=True)
        ]
        tokens, scores = grown[~ends][:beams], best[~ends][:beams]
        if not len(tokens) or (
            finished
            and length_penalty == 0
            and max(finished, key=lambda f: f[0])[0] >= float(scores[0])
        ):
            break  # what is unfinished can only lose
    finished += [
        (float(s) / written**length_penalty, row[len(start) :])
        for s, row in zip(scores, tokens, strict=True)
    ]
    score, sequence = max(finished, key=lambda found: found[0])
    return sequence, score
