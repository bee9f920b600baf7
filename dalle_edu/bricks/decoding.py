"""Decoding: from a distribution over the next token to tokens.

Temperature, top-k, top-p and epsilon are free functions of logits, so that they
combine; `sample` then draws. `sample_sequence` writes a sequence token by token,
with classifier-free guidance (`guide`). `beam_search` looks for the likeliest whole
sequence instead. Lesson 05.

Letters: n sequences, v entries of a vocabulary, t tokens of a beginning, i tokens
of a picture, b beams, l tokens of the result.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.guidance import guide
from dalle_edu.device import off_metal
from dalle_edu.errors import DalleEduError


def keep_top_k(logits: Float[Tensor, "n v"], k: int) -> Float[Tensor, "n v"]:
    """Top-k: keep the k likeliest entries of each row (Fan et al. 2018).

    The logits of the others become -inf, so that their probability is 0.
    """
    k = min(k, logits.shape[-1])
    smallest_kept = logits.topk(k, dim=-1).values[..., -1:]
    return logits.masked_fill(logits < smallest_kept, -math.inf)


def keep_top_p(logits: Float[Tensor, "n v"], p: float) -> Float[Tensor, "n v"]:
    """Top-p: keep the smallest set of entries whose probabilities reach p.

    This is nucleus sampling (Holtzman et al. 2020). The likeliest entry is always
    kept. The logits of those left out become -inf.
    """
    if p >= 1:  # rounding in the sum below would lose the least likely
        return logits
    ordered, order = logits.sort(dim=-1, descending=True)
    probabilities = ordered.softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities
    left_out = (before >= p) & (before > 0)
    kept = ordered.masked_fill(left_out, -math.inf)
    # each logit goes back to its place
    return torch.full_like(logits, -math.inf).scatter(-1, order, kept)


def keep_above_epsilon(
    logits: Float[Tensor, "n v"], epsilon: float
) -> Float[Tensor, "n v"]:
    """Epsilon sampling: keep the entries whose probability is at least `epsilon`.

    A network leaves a little probability to every entry, however wrong (Hewitt,
    Manning & Liang 2022, "Truncation sampling as language model desmoothing"). A
    low temperature silences these, and with them what is seldom but right: an
    object that may begin at any place, with 5 chances in 100 at each. An `epsilon`
    of 0.01 tells the two apart. The likeliest entry is always kept. The logits of
    those left out become -inf. An `epsilon` of 0 leaves out nothing, 1 keeps the
    likeliest alone.
    """
    unlikely = logits.softmax(dim=-1) < epsilon
    left_out = unlikely & (logits < logits.amax(dim=-1, keepdim=True))
    return logits.masked_fill(left_out, -math.inf)


def temper(
    logits: Float[Tensor, "n v"], temperature: float, daring: float | None = None
) -> Float[Tensor, "n v"]:
    """Divide logits by a temperature.

    Below 1 the likely entries become likelier, above 1 less so. At a low
    temperature, what is rare at each step never happens: a picture that is white so
    far stays white. `daring` gives two questions two temperatures: *whether* to
    leave the likeliest entry is asked at `daring`, *for which* other entry at
    `temperature`. The result is then log-probabilities. `daring` equal to
    `temperature` changes no probability.
    """
    if daring is None:
        return logits if temperature == 1 else logits / temperature
    whether = (logits / daring).log_softmax(dim=-1)
    likeliest = whether.argmax(dim=-1, keepdim=True)
    others = torch.ones_like(logits, dtype=torch.bool).scatter(-1, likeliest, False)
    only_others = whether.masked_fill(~others, -math.inf)
    leaving = only_others.logsumexp(dim=-1, keepdim=True)
    which = (logits / temperature).masked_fill(~others, -math.inf)
    # where nothing else is possible there is nothing to share out
    possible = others & (logits > -math.inf)
    return torch.where(possible, leaving + which.log_softmax(dim=-1), whether)


def sample(
    logits: Float[Tensor, "n v"], uniform: Float[Tensor, " n"]
) -> Int[Tensor, " n"]:
    """Draw an entry of each row with probabilities softmax(logits).

    The entry is where the cumulative distribution passes `uniform`, in [0, 1).
    There is one such number for each row, given from outside, so that a picture
    does not depend on the batch that it is drawn in.
    """
    device = logits.device
    # float64, which Apple's GPU lacks: there, this step is made on the CPU
    logits, uniform = off_metal(logits), off_metal(uniform)
    cumulative = logits.double().softmax(dim=-1).cumsum(dim=-1)
    # rounding may make the total differ from 1
    target = uniform.double().unsqueeze(-1) * cumulative[..., -1:]
    chosen = torch.searchsorted(cumulative, target, right=True)
    return chosen.squeeze(-1).clamp(max=logits.shape[-1] - 1).to(device)


def choose(
    logits: Float[Tensor, "n v"],
    uniform: Float[Tensor, " n"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    daring: float | None = None,
) -> Int[Tensor, " n"]:
    """One step of decoding: temperature, filters, draw.

    A `temperature` of 0 takes the likeliest entry. `uniform` is in [0, 1).
    """
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
    epsilon: float | None = None,
) -> Int[Tensor, "n i"]:
    """Write pictures code after code.

    At each position `next_logits` is asked for logits, and `choose` draws the code.
    `next_logits(position, written)` gives the logits of the code at `position`,
    from the codes before it. With a `guidance_scale` other than 1 it gives 2n rows:
    with the captions, then without. `uniforms`, in [0, 1), has one number for each
    choice. `given` holds the codes that are known, and -1 where they must be
    written. `callback(position, codes)` is called after each code.

    `epsilon` leaves out codes before anything else (`keep_above_epsilon`). Their
    probabilities are those of the network as trained: guidance above 1 and the
    temperature, which sharpen, act on what is kept.
    """
    # made outside inference mode, the result can be used by any later code
    with torch.inference_mode(False):
        codes = torch.zeros(
            uniforms.shape, dtype=torch.long, device=uniforms.device
        )
    for position in range(uniforms.shape[1]):
        logits = as_trained = next_logits(position, codes[:, :position])
        if guidance_scale != 1.0:
            as_trained = guide(logits, min(guidance_scale, 1.0))
            logits = guide(logits, guidance_scale)
        if epsilon is not None:
            left_out = keep_above_epsilon(as_trained, epsilon) == -math.inf
            logits = logits.masked_fill(left_out, -math.inf)
        uniform = uniforms[:, position]
        chosen = choose(logits, uniform, temperature, top_k, top_p, daring)
        if given is not None:
            known = given[:, position]
            chosen = torch.where(known >= 0, known, chosen)
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
    """Beam search: a likely continuation of `start`, and its score.

    At each step the `beams` best beginnings are kept; one beam is the greedy
    choice. `next_log_probabilities(tokens)` gives log p(next | tokens) for each
    row. A sequence stops at the token `end`, or after `length` new tokens. Its
    score is its log-probability divided by (new tokens)^`length_penalty`: 0 favours
    short sequences, 1 compares means (Wu et al. 2016, section 7, simplified). The
    result holds the new tokens, `end` included. The beams are kept on the CPU, with
    their totals in float64; the network is asked on the device of `start`.

    Raises `DalleEduError` for fewer than one beam or one token.
    """
    if beams < 1 or length < 1:
        raise DalleEduError(
            f"{beams} beams of {length} tokens were asked for; "
            "give at least 1 of each",
            f"{beams} faisceaux de {length} jetons sont demandés ; "
            "donnez au moins 1 de chaque",
        )
    finished: list[tuple[float, Tensor]] = []

    def finish(totals: Tensor, sequences: Tensor) -> None:
        for total, sequence in zip(totals, sequences, strict=True):
            new_tokens = sequence[len(start) :]
            score = float(total) / len(new_tokens) ** length_penalty
            finished.append((score, new_tokens))

    def best_finished() -> tuple[float, Tensor]:
        return max(finished, key=lambda scored: scored[0])

    tokens = start.cpu().unsqueeze(0)
    totals = torch.zeros(1, device="cpu", dtype=torch.float64)
    for _ in range(length):
        asked = next_log_probabilities(tokens.to(start.device))
        grown_totals = totals.unsqueeze(1) + asked.cpu().double()
        # twice as many as beams: half of them may end here
        kept = min(2 * beams, grown_totals.numel())
        best, where = grown_totals.flatten().topk(kept)
        rows, choices = (
            where // grown_totals.shape[1],
            where % grown_totals.shape[1],
        )
        grown = torch.cat([tokens[rows], choices.unsqueeze(1)], dim=1)
        ends = torch.zeros_like(choices, dtype=torch.bool)
        if end is not None:
            ends = choices == end
        finish(best[ends], grown[ends])
        tokens, totals = grown[~ends][:beams], best[~ends][:beams]
        if not len(tokens):
            break
        # log-probabilities only decrease, so that no beam can catch up
        if (
            finished
            and length_penalty == 0
            and best_finished()[0] >= float(totals[0])
        ):
            break
    finish(totals, tokens)
    score, sequence = best_finished()
    return sequence.to(start.device), score
