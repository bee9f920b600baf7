"""Mistakes about rankings and their agreement."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from dalle_edu.classroom.checking.proof import Mistake
from dalle_edu.rankings.agreement import Agreement, agreement
from dalle_edu.rankings.questionnaire import Ranking


def ties_broken_by_order(scores: Sequence[float]) -> tuple[int, ...]:
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    return tuple(1 + order.index(place) for place in range(len(scores)))


def the_lowest_first(scores: Sequence[float]) -> tuple[int, ...]:
    return tuple(1 + sum(other < score for other in scores) for score in scores)


def ties_share_the_worse_place(scores: Sequence[float]) -> tuple[int, ...]:
    return tuple(sum(other >= score for other in scores) for score in scores)


def no_place_left_free(scores: Sequence[float]) -> tuple[int, ...]:
    return tuple(1 + len({other for other in scores if other > score}) for score in scores)


def _signs(first: Sequence[Any], second: Sequence[Any]) -> list[tuple[int, int]]:
    pairs = combinations(range(len(first)), 2)
    return [((first[i] > first[j]) - (first[i] < first[j]), (second[i] > second[j]) - (second[i] < second[j])) for i, j in pairs]


def tau_a(first: Sequence[Any], second: Sequence[Any]) -> float:
    signs = _signs(first, second)
    return sum(one * other for one, other in signs) / len(signs)


def tied_pairs_left_out(first: Sequence[Any], second: Sequence[Any]) -> float:
    clear = [one * other for one, other in _signs(first, second) if one and other]
    return sum(clear) / len(clear) if clear else math.nan


def share_in_the_same_order(first: Sequence[Any], second: Sequence[Any]) -> float:
    signs = _signs(first, second)
    clear = sum(abs(one) for one, _ in signs) * sum(abs(other) for _, other in signs)
    return sum(one * other > 0 for one, other in signs) / math.sqrt(clear) if clear else math.nan


def undefined_is_zero(first: Sequence[Any], second: Sequence[Any]) -> float:
    signs = _signs(first, second)
    clear = sum(abs(one) for one, _ in signs) * sum(abs(other) for _, other in signs)
    return sum(one * other for one, other in signs) / math.sqrt(clear) if clear else 0.0


def _with(tau: Callable[[Sequence[float], Sequence[float]], float], one: Ranking, other: Ranking, seed: int) -> Agreement:
    """The agreement with another τ; of its interval the ends are left."""
    right = agreement(one, other, seed)
    found = [tau(places, other.places[name]) for name, places in one.places.items() if name in other.places]
    clear = [each for each in found if each == each]
    return replace(right, tau=sum(clear) / len(clear) if clear else math.nan)


def ties_count_as_disagreement(one: Ranking, other: Ranking, seed: int = 0) -> Agreement:
    return _with(tau_a, one, other, seed)


def questions_matched_by_place(one: Ranking, other: Ranking, seed: int = 0) -> Agreement:
    names = list(one.places)[: len(other.places)]
    return agreement(one, replace(other, places=dict(zip(names, other.places.values(), strict=False))), seed)


def one_tau_of_all_questions(one: Ranking, other: Ranking, seed: int = 0) -> Agreement:
    shared = [name for name in one.places if name in other.places]
    together = [[place for name in shared for place in ranking.places[name]] for ranking in (one, other)]
    signs = _signs(*together)
    clear = sum(abs(a) for a, _ in signs) * sum(abs(b) for _, b in signs)
    return replace(agreement(one, other, seed), tau=sum(a * b for a, b in signs) / math.sqrt(clear) if clear else math.nan)


MISTAKES = [
    Mistake(
        "rankings.agreement:places_of",
        ties_broken_by_order,
        "Equal scores get different places, by the order in which they come; they share the better one.",
        "Des notes égales reçoivent des places différentes, selon leur ordre d'arrivée ; elles partagent la meilleure.",
    ),
    Mistake(
        "rankings.agreement:places_of",
        the_lowest_first,
        "The lowest score gets the first place; here a high score is a good one.",
        "La note la plus basse reçoit la première place ; ici, une note haute est une bonne note.",
    ),
    Mistake(
        "rankings.agreement:places_of",
        ties_share_the_worse_place,
        "Equal scores share the worse of their places: of two firsts both would be second.",
        "Les notes égales partagent la moins bonne de leurs places : deux premiers seraient tous deux seconds.",
    ),
    Mistake(
        "rankings.agreement:places_of",
        no_place_left_free,
        "After two firsts comes a second; it is third, since two stand before it.",
        "Après deux premiers vient un deuxième ; il est troisième, puisque deux sont devant lui.",
    ),
    Mistake(
        "rankings.agreement:kendall_tau",
        tau_a,
        "It divides by all pairs (τ-a), so that two rankings with the same ties do not agree with 1; divide by √(a b).",
        "La division se fait par toutes les paires (τ-a) : deux classements aux mêmes ex æquo n'atteignent pas 1 ; divisez par √(a b).",
    ),
    Mistake(
        "rankings.agreement:kendall_tau",
        tied_pairs_left_out,
        "Pairs that one ranking ties are left out altogether (Goodman and Kruskal's γ), as if nothing had been said of them.",
        "Les paires ex æquo dans l'un des classements sont écartées (le γ de Goodman et Kruskal), comme si rien n'en était dit.",
    ),
    Mistake(
        "rankings.agreement:kendall_tau",
        share_in_the_same_order,
        "Pairs in the opposite order are not subtracted: two opposite rankings give 0 in place of -1.",
        "Les paires d'ordre opposé ne sont pas soustraites : deux classements contraires donnent 0 au lieu de -1.",
    ),
    Mistake(
        "rankings.agreement:kendall_tau",
        undefined_is_zero,
        "Where one ranking ties everything τ is not defined: return NaN, since 0 would say that they disagree.",
        "Quand un classement met tout ex æquo, τ n'est pas défini : rendez NaN, car 0 dirait qu'ils ne s'accordent pas.",
    ),
    Mistake(
        "rankings.agreement:agreement",
        ties_count_as_disagreement,
        "This is τ-a, which divides by all pairs; with ties it stays below 1 even for equal rankings: take τ-b.",
        "C'est τ-a, divisé par toutes les paires ; avec des ex æquo il reste sous 1 même pour deux classements égaux : prenez τ-b.",
    ),
    Mistake(
        "rankings.agreement:agreement",
        questions_matched_by_place,
        "The questions are matched by their order in the files; match them by name, since each rater may skip some.",
        "Les questions sont appariées par leur ordre dans les fichiers ; appariez-les par leur nom, car chacun peut en sauter.",
    ),
    Mistake(
        "rankings.agreement:agreement",
        one_tau_of_all_questions,
        "Places of different questions are compared with one another; take τ of each question, then the mean.",
        "Des places de questions différentes sont comparées entre elles ; prenez le τ de chaque question, puis la moyenne.",
    ),
]
