"""The agreement of rankings: of people with one another, with a critic, with the examiner, and with the protocol.

Agreement is Kendall's τ (tau-b, which allows ties): among all pairs of choices, the part in the same order less the part in the opposite
order. It is computed for each question and averaged, with a 95 % confidence interval by the bootstrap over the questions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch

from dalle_edu.rankings.questionnaire import Questionnaire, Ranking
from dalle_edu.scorecard.marks import mark
from dalle_edu.scorecard.picture_parser import parse_pictures
from dalle_edu.seeds import check_seed
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.world.grammar import read_caption

EXAMINER = "examiner"


@dataclass(frozen=True)
class Agreement:
    """The agreement of two raters: the mean of Kendall's τ over `questions`, in [-1, 1], and its 95 % interval, `low` to `high`.

    `tied` counts the questions where one of the two gave one place to all choices, for which τ is not defined. Without any other question
    `tau` is NaN and the interval is all of [-1, 1].
    """

    raters: tuple[str, str]
    kinds: tuple[str, str]
    questions: int
    tied: int
    tau: float
    low: float
    high: float


@torch.no_grad()
def ranked_by_critic(questionnaire: Questionnaire, critic: Critic) -> Ranking:
    """The ranking of a critic: the choices of each question by the cosine similarity of picture and sentence."""
    places = {}
    for name, question in questionnaire.questions.items():
        cosines = critic.similarity(question.pictures.to(critic.scale.device), question.sentences)
        places[name] = places_of(cosines.flatten().tolist())
    return Ranking(critic.title, "model", places)


def ranked_by_examiner(questionnaire: Questionnaire) -> Ranking:
    """The ranking of the examiner: the choices of each question by the share of marks that each earns.

    Questions with a sentence that the grammar cannot parse are left out, and all of them where there is no grammar.
    """
    places: dict[str, tuple[int, ...]] = {}
    catalogue = questionnaire.domain.catalogue
    if catalogue is None:
        return Ranking(EXAMINER, "model", places)
    for name, question in questionnaire.questions.items():
        said = [read_caption(sentence, catalogue) for sentence in question.sentences]
        found = parse_pictures(question.pictures, catalogue)
        shares = []
        for description in said:
            for objects in found:
                marks = [] if description is None else list(mark(description, objects).values())
                shares += [sum(marks) / len(marks)] if marks else []
        if len(shares) == question.choices:
            places[name] = places_of(shares)
    return Ranking(EXAMINER, "model", places)


def places_of(scores: Sequence[float]) -> tuple[int, ...]:
    """The place of each score, 1 for the highest; ties share the better place."""
    return tuple(1 + sum(other > score for other in scores) for score in scores)


def kendall_tau(first: Sequence[int] | Sequence[float], second: Sequence[int] | Sequence[float]) -> float:
    """Kendall's τ-b of two rankings of the same choices, in [-1, 1]; NaN where one of them ranks all choices alike.

    Among all pairs of choices: those in the same order less those in the opposite order, divided by √(a b), where a and b are the numbers
    of pairs that the first and the second ranking do not tie (Kendall 1945).
    """
    balance, clear_in_first, clear_in_second = 0, 0, 0
    for i, j in combinations(range(len(first)), 2):
        # -1, 0 or 1: which of the two choices comes first, 0 where they share a place
        one = (first[i] > first[j]) - (first[i] < first[j])
        other = (second[i] > second[j]) - (second[i] < second[j])
        balance += one * other
        clear_in_first += abs(one)
        clear_in_second += abs(other)
    if not clear_in_first or not clear_in_second:
        return math.nan
    return balance / math.sqrt(clear_in_first * clear_in_second)


def agreement(one: Ranking, other: Ranking, seed: int = 0) -> Agreement:
    """The agreement of two rankings over the questions that both answer; `seed` is that of the bootstrap."""
    from scipy import stats  # takes a second to import

    shared = [name for name in one.places if name in other.places]
    taus = [kendall_tau(one.places[name], other.places[name]) for name in shared]
    clear = [tau for tau in taus if not math.isnan(tau)]
    raters, kinds = (one.rater, other.rater), (one.kind, other.kind)
    if not clear:
        return Agreement(raters, kinds, 0, len(shared), math.nan, -1.0, 1.0)
    low, high = -1.0, 1.0
    if len(clear) > 1:
        interval = stats.bootstrap(
            (clear,), np.mean, method="percentile", n_resamples=2000, rng=np.random.default_rng(check_seed(seed))
        ).confidence_interval
        low, high = float(interval.low), float(interval.high)
    return Agreement(raters, kinds, len(clear), len(taus) - len(clear), float(np.mean(clear)), low, high)


def agreements(rankings: Sequence[Ranking]) -> list[Agreement]:
    """The agreement of every two rankings that share a question."""
    return [agreement(one, other) for one, other in combinations(rankings, 2) if set(one.places) & set(other.places)]
