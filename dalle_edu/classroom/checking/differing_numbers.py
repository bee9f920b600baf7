"""How the numbers of a wrong answer differ from the right ones: rearranged, rescaled, or wrong in some places only."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from dalle_edu.classroom.checking.cases import Case
from dalle_edu.classroom.checking.comparing import Difference, differences

Sentence = tuple[str, str]


@dataclass(frozen=True)
class Seen:
    """What a check saw: the case, its first difference, the whole answers, what was printed, and the library's version to ask more.

    `ask` puts another case to the student's version, and raises what it raises.
    """

    case: Case
    difference: Difference
    found: Any
    wanted: Any
    printed: str
    library: Callable[..., Any]
    tolerance: float
    ask: Callable[[Case], Any]

    def same(self, one: Any, other: Any) -> bool:
        """Whether two answers agree."""
        return not any(differences(one, other, self.tolerance))


def numbers(seen: Seen) -> Iterator[Sentence]:
    """What the difference of two arrays of one shape says."""
    if seen.difference.kind != "value" or not isinstance(seen.difference.wanted, (Tensor, np.ndarray, int, float, np.generic)):
        return
    found, wanted = bare_array(seen.difference.found), bare_array(seen.difference.wanted)
    if wanted.dtype.kind == "b":
        if found.size > 1 and np.array_equal(found, ~wanted):
            yield "True and False are the wrong way round.", "True et False sont à l'envers."
        found, wanted = found.astype(float), wanted.astype(float)
    found, wanted = found.astype(float), wanted.astype(float)
    if np.isnan(found).any() and not np.isnan(wanted).any():
        yield ("There are NaNs in it: 0 / 0, infinity minus infinity, or the logarithm of a negative number.",
               "Il s'y trouve des NaN : 0 / 0, l'infini moins l'infini, ou le logarithme d'un nombre négatif.")  # fmt: skip
    if np.isinf(found).any() and np.isfinite(wanted).all():
        yield (
            "It has become infinite: something overflows, or is divided by 0.",
            "Le résultat est devenu infini : quelque chose déborde, ou est divisé par 0.",
        )
    if not (np.isfinite(found).all() and np.isfinite(wanted).all()):
        return
    yield from _rearranged(seen, found, wanted)
    yield from _rescaled(seen, found, wanted)
    yield from _partly(seen, found, wanted)


def _rearranged(seen: Seen, found: np.ndarray, wanted: np.ndarray) -> Iterator[Sentence]:
    for name, value in seen.case.named(seen.library).items() if seen.case.args is not None else ():
        if isinstance(value, (Tensor, np.ndarray)) and value.shape == found.shape and seen.same(found, bare_array(value).astype(float)):
            yield f"It gives `{name}` back as it was.", f"Elle rend `{name}` tel quel."
    if wanted.ndim >= 2 and wanted.shape[-1] == wanted.shape[-2] and seen.same(found, wanted.swapaxes(-1, -2)):
        yield "The result is right, but transposed.", "Le résultat est juste, mais transposé."
    for axis in range(wanted.ndim):
        if wanted.shape[axis] < 2:
            continue
        if seen.same(found, np.flip(wanted, axis)):
            yield (
                f"The result is right, but in reverse order along axis {axis}.",
                f"Le résultat est juste, mais à l'envers selon l'axe {axis}.",
            )
        for by in (1, -1):
            if seen.same(found, np.roll(wanted, by, axis)):
                yield (
                    f"The result is right, but shifted by one along axis {axis}.",
                    f"Le résultat est juste, mais décalé d'un cran selon l'axe {axis}.",
                )


def _rescaled(seen: Seen, found: np.ndarray, wanted: np.ndarray) -> Iterator[Sentence]:
    if seen.same(found, -wanted) and np.any(wanted):
        yield "The sign is the wrong one.", "Le signe est le mauvais."
    if seen.same(found, 1 - wanted):
        yield "It gives 1 minus what is wanted: two cases are swapped.", "Elle donne 1 moins ce qu'il faut : deux cas sont échangés."
    with np.errstate(all="ignore"):
        for image, english, french in (
            (
                np.exp(wanted),
                "an exponential of what is wanted: a logarithm is missing",
                "l'exponentielle de ce qu'il faut : il manque un logarithme",
            ),
            (
                np.log(np.abs(wanted)),
                "a logarithm of what is wanted: one too many",
                "le logarithme de ce qu'il faut : il y en a un de trop",
            ),
            (
                wanted / math.log(2),
                "what is wanted in bits: the logarithm is the natural one",
                "ce qu'il faut en bits : le logarithme est népérien",
            ),
            (wanted**2, "the square of what is wanted", "le carré de ce qu'il faut"),
            (np.sqrt(np.abs(wanted)), "the square root of what is wanted", "la racine carrée de ce qu'il faut"),
        ):
            if wanted.size and np.isfinite(image).all() and seen.same(found, image):
                yield f"It gives {english}.", f"Elle donne {french}."
    big = np.abs(wanted) > max(1e-6 * float(np.abs(wanted).max(initial=0.0)), 1e-9)
    if big.any():
        ratios = found[big] / wanted[big]
        ratio = float(np.median(ratios))
        if ratio and not np.isclose(ratio, 1.0) and np.allclose(ratios, ratio, rtol=1e-5) and np.allclose(found[~big], 0.0, atol=1e-6):
            yield from _factor(seen, ratio, wanted.size > 1)
    shift = found - wanted
    if wanted.size > 1 and np.allclose(shift, shift.flat[0], atol=1e-9) and abs(float(shift.flat[0])) > 1e-9:
        amount = f"{float(shift.flat[0]):.4g}"
        yield f"Every number is off by the same {amount}.", f"Tous les nombres sont décalés de {amount.replace('.', ',')}."


def _factor(seen: Seen, ratio: float, several: bool) -> Iterator[Sentence]:
    """A constant factor; where it is a length of an argument, a sum stands for a mean, or the other way round."""
    lengths = {
        int(n)
        for value in (seen.case.args or ())
        if isinstance(value, (Tensor, np.ndarray))
        for n in (*value.shape, math.prod(value.shape))
    }
    for many in sorted(lengths - {0, 1}):
        if math.isclose(ratio, many, rel_tol=1e-5):
            yield (f"It is {many} times too large: a sum where a mean over {many} is wanted.",
                    f"C'est {many} fois trop grand : une somme là où il faut une moyenne sur {many}.")  # fmt: skip
        if math.isclose(ratio, 1 / many, rel_tol=1e-5):
            yield (f"It is {many} times too small: a division by {many} too many.",
                    f"C'est {many} fois trop petit : une division par {many} de trop.")  # fmt: skip
    amount = f"{ratio:.4g}"
    if several:
        yield (
            f"Every number is {amount} times what it should be.",
            f"Tous les nombres valent {amount.replace('.', ',')} fois ce qu'il faut.",
        )


def _partly(seen: Seen, found: np.ndarray, wanted: np.ndarray) -> Iterator[Sentence]:
    wrong = ~np.isclose(found, wanted, rtol=1e-5, atol=max(seen.tolerance, 1e-9))
    if not wrong.any():
        return
    for name, value in seen.case.named(seen.library).items() if seen.case.args is not None else ():
        if isinstance(value, (Tensor, np.ndarray)) and value.shape == wrong.shape and np.array_equal(wrong, bare_array(value) == 0):
            yield f"It is wrong only where `{name}` is exactly 0.", f"C'est faux seulement là où `{name}` vaut exactement 0."
    if wrong.size > 1 and not wrong.all():
        rows = wrong.reshape(len(wrong), -1).any(axis=1) if wrong.ndim else np.array([True])
        if len(rows) > 2 and rows[-1] and not rows[:-1].any():
            yield "Only the last one is wrong.", "Seul le dernier est faux."
        if len(rows) > 2 and rows[0] and not rows[1:].any():
            yield "Only the first one is wrong.", "Seul le premier est faux."
        if len(rows) > 2 and not rows[0] and rows[1:].all():
            yield (
                "Only the first one is right: does a `return` come too early, or is a loop left?",
                ("Seul le premier est juste : un `return` vient-il trop tôt, ou quitte-t-on une boucle ?"),
            )
    if np.allclose(found, found.flat[0]) and wanted.size > 1 and not np.allclose(wanted, wanted.flat[0]):
        yield "It gives the same number everywhere.", "Elle donne partout le même nombre."
    if float(np.abs(found - wanted).max()) < 1e-5 * max(1.0, float(np.abs(wanted).max())):
        yield ("It is nearly right: it is computed with fewer decimals than its inputs have (float32?).",
               "C'est presque juste : le calcul a moins de décimales que les entrées (float32 ?).")  # fmt: skip


def bare_array(value: Any) -> np.ndarray:
    """A number, array or tensor as an array of NumPy."""
    return np.asarray(value.detach().cpu().numpy() if isinstance(value, Tensor) else value)
