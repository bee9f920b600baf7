"""Rankings and their agreement against SciPy's, and a bootstrap in NumPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import say
from dalle_edu.rankings.questionnaire import Ranking

CHANCE = 0.1  # by so much two bootstraps of a few questions may differ


def _places(seed: int) -> list[Case]:
    def peer(scores: Sequence[float]) -> tuple[int, ...]:
        from scipy.stats import rankdata

        return tuple(rankdata(-np.array(scores), method="min").tolist())

    rng = np.random.default_rng(seed)
    drawn = [[round(float(score), digits) for score in rng.normal(size=size)] for size, digits in ((4, 3), (8, 0), (12, 1))]
    few = [[0.1, 0.9, 0.9, 0.5], [1.0], [], [2.0, 2.0], [0.0, -0.5, -0.5, -0.5, -1.0], [3.0, 2.0, 1.0], [-1e-12, 0.0]]
    return [call(peer, scores) for scores in [*few, *drawn]]


def their_tau(first: Sequence[Any], second: Sequence[Any]) -> float:
    from scipy.stats import kendalltau

    return float(kendalltau(first, second, variant="b").statistic)


def _drawn_places(rng: np.random.Generator, size: int, few: bool = False) -> tuple[int, ...]:
    """A ranking of so many choices; with `few` several share a place."""
    return tuple(int(place) for place in (rng.integers(1, 4, size) if few else 1 + rng.permutation(size)))


def _tau(seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    small = [
        ((1, 2), (1, 2)),
        ((1, 2), (2, 1)),
        ((1, 1), (1, 2)),
        ((1, 2), (1, 1)),
        ((1, 2, 3), (1, 3, 2)),
        ((1, 1, 3), (1, 2, 3)),
        ((1, 1, 3), (1, 1, 3)),
        ((1, 2, 2, 4), (4, 2, 2, 1)),
        ((1, 1, 1, 4), (1, 2, 2, 4)),
        ((0.5, -0.5, 0.25), (10.0, 0.0, 0.1)),
    ]
    drawn = [(_drawn_places(rng, size, few), _drawn_places(rng, size, not few)) for size in (4, 6, 9) for few in (True, False)]
    return [call(their_tau, *pair) for pair in [*small, *drawn]]


def _agreement(seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    one = Ranking("Ada", "person", {"a": (1, 2, 3, 4), "b": (2, 1, 3, 4), "c": (1, 1, 1, 1)})
    other = Ranking("clip", "model", {"b": (1, 2, 3, 4), "a": (4, 3, 2, 1), "c": (1, 2, 3, 4), "d": (1, 2, 3, 4)})
    tied, alone = Ranking("Bob", "person", {"a": (1, 1)}), Ranking("Eve", "person", {"a": (1, 2)})
    alike, inverse = (Ranking("x", "person", {"a": places}) for places in ((1, 2, 3), (3, 2, 1)))
    many = [
        Ranking(name, kind, {f"q{i}": _drawn_places(rng, 6, few) for i in range(40)})
        for name, kind, few in (("p", "person", True), ("q", "model", False))
    ]
    drawn_again = scenario(
        "40 questions, the interval with seed=5, 5 and 6",
        "40 questions, l'intervalle avec seed=5, 5 et 6",
        lambda: {say("the same seed, the same interval", "même graine, même intervalle"): [True, False]},
        lambda version: {say("the same seed, the same interval", "même graine, même intervalle"): _compared(version, *many)},
        400,
    )
    pairs = ((one, other), (tied, alone), (alike, inverse), (alike, alike), (many[0], many[1]))
    return [*(_agreed(*pair) for pair in pairs), drawn_again]


def _compared(version: Any, one: Ranking, other: Ranking) -> list[bool]:
    """Whether the interval of seed 5 is the same another time, and with another seed."""
    low, again, differently = (version(one, other, seed=seed).low for seed in (5, 5, 6))
    return [low == again, low == differently]


def _agreed(one: Ranking, other: Ranking) -> Case:
    """Both directions, and a second seed of the bootstrap; the ends of an interval are right within what chance explains."""

    def wanted(one: Ranking, other: Ranking) -> dict[str, Any]:
        taus = [their_tau(places, other.places[name]) for name, places in one.places.items() if name in other.places]
        clear = np.array([tau for tau in taus if tau == tau])
        low, high = -1.0, 1.0
        if len(clear) > 1:
            drawn = clear[np.random.default_rng(1).integers(0, len(clear), (4000, len(clear)))].mean(axis=1)
            low, high = (float(each) for each in np.quantile(drawn, (0.025, 0.975)))
        return {
            say("raters", "juges"): (one.rater, other.rater),
            say("kinds", "sortes"): (one.kind, other.kind),
            "questions": len(clear),
            say("tied", "ex æquo"): len(taus) - len(clear),
            "tau": float(clear.mean()) if len(clear) else float("nan"),
            "low": low,
            "high": high,
        }

    def found(version: Any, one: Ranking, other: Ranking, seed: int) -> dict[str, Any]:
        answer = version(one, other, seed=seed) if seed else version(one, other)
        values = [answer.raters, answer.kinds, answer.questions, answer.tied, answer.tau, answer.low, answer.high]
        right = wanted(one, other)
        near = {end: right[end] for end, value in (("low", answer.low), ("high", answer.high)) if abs(value - right[end]) < CHANCE}
        return dict(zip(right, values, strict=True)) | (near if len(near) == 2 else {})

    pairs = ((one, other, 0), (other, one, 3))
    title = f"one = {one.places}, other = {other.places}" if len(one.places) < 4 else say("40 questions", "40 questions")
    return scenario(
        title, title, lambda: [wanted(*pair[:2]) for pair in pairs], lambda v: [found(v, *pair) for pair in pairs], 6 * len(one.places)
    )


REFERENCES = [
    Reference("rankings.agreement:places_of", "scipy.stats.rankdata", cases=_places, tolerance=0.0),
    Reference("rankings.agreement:kendall_tau", "scipy.stats.kendalltau", cases=_tau, tolerance=1e-10),
    Reference("rankings.agreement:agreement", "scipy.stats.kendalltau", cases=_agreement, tolerance=1e-10),
]
