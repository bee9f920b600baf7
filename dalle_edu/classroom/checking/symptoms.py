"""Symptoms: what an answer's relation to the right one says about the code, whatever the exercise.

A classic mistake (`mistakes/`) belongs to one function. What is here may happen in any: a forgotten `return`, an ignored argument, a sum
for a mean, a transposed matrix, a cut gradient. Each symptom has a sentence in both languages, which says what to look for.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from torch import Tensor

from dalle_edu.classroom.checking.differing_numbers import Seen, Sentence, bare_array, numbers
from dalle_edu.language import say


def symptom(seen: Sequence[Seen]) -> tuple[str, Seen, bool] | None:
    """The sentence for the first symptom that all these answers show, or most; one that shows it; whether it is of the plain ones.

    A plain symptom is in what kind of thing came back, the others in its numbers. One answer that is another the next time is enough.
    """
    for each in reversed(seen):  # a longer one is more likely to differ
        for en, fr in _unstable(each):
            return say(en, fr), each, True
    shown: dict[str, list[tuple[str, Seen, bool]]] = {}
    for each in seen:
        told = {_kind_of(en): (say(en, fr), each, look in _PLAIN) for look in (*_PLAIN, *_IN_NUMBERS) for en, fr in look(each)}
        for kind, sentence in told.items():
            shown.setdefault(kind, []).append(sentence)
    often = max(map(len, shown.values()), default=0)
    return next((answers[0] for answers in shown.values() if len(answers) == often), None) if often > 0.6 * len(seen) else None


def _kind_of(sentence: str) -> str:
    """A sentence without the numbers that it tells."""
    return re.sub(r"-?\d[\d.e+-]*", "#", sentence)


# ---------------------------------------------------------------- what came back


def _nothing(seen: Seen) -> Iterator[Sentence]:
    if seen.difference.kind != "nothing":
        return
    if seen.printed.strip():
        yield ("It prints its result and returns nothing: write `return` where it says `print`.",
               "Le résultat est affiché, mais rien n'est rendu : écrivez `return` à la place de `print`.")  # fmt: skip
    yield "It returns nothing: end with `return`.", "Rien n'est rendu : terminez par `return`."


def _type(seen: Seen) -> Iterator[Sentence]:
    difference = seen.difference
    found, wanted = difference.found, difference.wanted
    if difference.kind == "dtype":
        kinds = bare_array(found).dtype.kind, bare_array(wanted).dtype.kind
        if kinds[0] == "b":
            yield (
                "It returns True and False; numbers are wanted, 1 and 0.",
                "Le résultat contient True et False ; il faut des nombres, 1 et 0.",
            )
        if kinds[1] == "b":
            yield ("It returns numbers; True and False are wanted, as a comparison gives them.",
                   "Le résultat contient des nombres ; il faut True et False, comme les donne une comparaison.")  # fmt: skip
        if kinds == ("f", "f"):
            yield ("Its precision is not that of its inputs (float32, float64): keep their type (`dtype=x.dtype`).",
                   "Le calcul n'a pas la précision des entrées (float32, float64) : gardez leur type (`dtype=x.dtype`).")  # fmt: skip
        if kinds[0] in "iu":
            yield (
                "It returns integers; numbers with decimals are wanted.",
                "Le résultat contient des entiers ; il faut des nombres à virgule.",
            )
        yield (
            "It returns numbers with decimals; integers are wanted.",
            "Le résultat contient des nombres à virgule ; il faut des entiers.",
        )
    if difference.kind == "shape" and isinstance(wanted, (tuple, list)) and isinstance(found, (tuple, list)):
        yield (
            f"It returns {len(found)} values; {len(wanted)} are wanted.",
            f"Le résultat a {len(found)} valeurs ; il en faut {len(wanted)}.",
        )
    if difference.kind != "type":
        return
    if callable(found) and not callable(wanted):
        yield ("It returns a function, not its result: call it, with parentheses.",
               "C'est une fonction qui est rendue, et non son résultat : appelez-la, avec des parenthèses.")  # fmt: skip
    if isinstance(wanted, np.ndarray) and isinstance(found, (list, tuple)):
        yield "It returns a list; an array is wanted: np.array(…).", "Le résultat est une liste ; il faut un tableau : np.array(…)."
    if isinstance(wanted, Tensor) and isinstance(found, (list, tuple)):
        yield ("It returns a list; a tensor is wanted: torch.stack(…) or torch.cat(…).",
               "Le résultat est une liste ; il faut un tenseur : torch.stack(…) ou torch.cat(…).")  # fmt: skip
    if isinstance(wanted, np.ndarray) and isinstance(found, Tensor):
        yield (
            "It returns a tensor of PyTorch; an array of NumPy is wanted.",
            "Le résultat est un tenseur de PyTorch ; il faut un tableau de NumPy.",
        )
    if isinstance(wanted, Tensor):
        yield (
            "It returns no tensor; one is wanted: stay in PyTorch.",
            "Le résultat n'est pas un tenseur ; il en faut un : restez en PyTorch.",
        )
    if isinstance(wanted, (int, float, np.generic)):
        yield (
            "A plain number is wanted: float(…) makes one of a single value.",
            "Il faut un simple nombre : float(…) en fait un d'une seule valeur.",
        )
    if isinstance(wanted, (tuple, list)) and len(wanted) > 1:
        yield (
            f"It returns one value; {len(wanted)} are wanted: return a, b.",
            f"Le résultat a une valeur ; il en faut {len(wanted)} : return a, b.",
        )


def _shape(seen: Seen) -> Iterator[Sentence]:
    if seen.difference.kind != "shape" or not isinstance(seen.difference.wanted, (Tensor, np.ndarray)):
        return
    found, wanted = bare_array(seen.difference.found), bare_array(seen.difference.wanted)
    if found.ndim == wanted.ndim >= 2 and found.shape == wanted.swapaxes(-1, -2).shape and seen.same(found.swapaxes(-1, -2), wanted):
        yield "The result is right, but transposed.", "Le résultat est juste, mais transposé."
    if found.size == wanted.size and seen.same(found.reshape(wanted.shape), wanted):
        yield ("The numbers are right, but not the shape: look at axes of length 1 (`keepdims`, `[:, None]`, `squeeze`).",
               "Les nombres sont justes, mais non la forme : voyez les axes de longueur 1 (`keepdims`, `[:, None]`…).")  # fmt: skip
    if found.ndim == 0 and wanted.ndim > 0:
        yield ("It gives one number for everything: the sum or mean goes over too many axes.",
               "Un seul nombre est rendu pour le tout : la somme ou la moyenne porte sur trop d'axes.")  # fmt: skip
    if wanted.ndim == 0 and found.size:
        for name, value in (("mean", found.mean()), ("sum", found.sum())):
            if seen.same(float(value), float(wanted)):
                yield (
                    f"It gives a number for each part; their {name} is wanted.",
                    (f"Un nombre est rendu pour chaque partie ; il en faut la {'moyenne' if name == 'mean' else 'somme'}."),
                )
    if found.ndim == wanted.ndim and sum(a != b for a, b in zip(found.shape, wanted.shape, strict=True)) == 1:
        axis = next(i for i, (a, b) in enumerate(zip(found.shape, wanted.shape, strict=True)) if a != b)
        few, many = found.shape[axis], wanted.shape[axis]
        if abs(few - many) == 1 and few:
            yield (f"There is one {'more' if few > many else 'fewer'} than wanted along axis {axis}: look at where it begins and ends.",
                   f"Il y en a un de {'trop' if few > many else 'moins'} selon l'axe {axis} : regardez le début et la fin.")  # fmt: skip


# ---------------------------------------------------------------- what it depends on


def _unstable(seen: Seen) -> Iterator[Sentence]:
    """Another answer to the same question, though all randomness is given."""
    try:
        if not seen.same(seen.ask(seen.case), seen.found):
            yield ("Asked the same thing twice, it answers differently: take every random number from what it is given, in order.",
                   "La même question posée deux fois reçoit deux réponses : tirez tout hasard de ce qui est donné.")  # fmt: skip
    except Exception:  # the second time, it refuses
        return


def _wrong_axis(seen: Seen) -> Iterator[Sentence]:
    """What the library answers to the same numbers with two axes exchanged, and exchanged back."""
    if seen.case.args is None or not isinstance(seen.found, (Tensor, np.ndarray)) or seen.found.ndim < 2:
        return
    turned = seen.case.turned()
    try:
        if turned is not None and seen.same(bare_array(turned.ask(seen.library)).swapaxes(-1, -2), bare_array(seen.found)):
            yield ("It works along the wrong axis: rows and columns are exchanged (look at `axis` or `dim`).",
                   "Le calcul suit le mauvais axe : lignes et colonnes sont échangées (voyez `axis` ou `dim`).")  # fmt: skip
    except Exception:  # the library refuses the other shape
        return


def _one_row_for_all(seen: Seen) -> Iterator[Sentence]:
    """The answer for the first row, given to all."""
    if not isinstance(seen.wanted, (Tensor, np.ndarray)) or seen.difference.kind != "value" or not seen.wanted.ndim:
        return
    found, wanted = bare_array(seen.found), bare_array(seen.wanted)
    if len(wanted) > 1 and seen.same(found, np.broadcast_to(wanted[:1], wanted.shape)):
        yield ("All rows get the answer of the first: each has its own.",
               "Toutes les lignes reçoivent la réponse de la première : chacune a la sienne.")  # fmt: skip


def _ignored(seen: Seen) -> Iterator[Sentence]:
    """An optional argument whose absence gives the same answer."""
    if seen.case.args is None:
        return
    for name in seen.case.named(seen.library):
        less = seen.case.without(name, seen.library)
        if less is None:
            continue
        try:
            answer = less.ask(seen.library)
        except Exception:  # the library refuses the call without it
            continue
        if seen.same(seen.found, answer) and not seen.same(answer, seen.wanted):
            yield (
                f"The argument `{name}` changes nothing in yours: use it.",
                f"L'argument `{name}` ne change rien chez vous : servez-vous-en.",
            )


def _unread(seen: Seen) -> Iterator[Sentence]:
    """An argument that may be anything without changing the answer, where it changes the library's."""
    for name in seen.case.named(seen.library) if seen.case.args is not None else ():
        other = seen.case.altered(name, seen.library)
        try:
            if other and seen.same(seen.ask(other), seen.found) and not seen.same(other.ask(seen.library), seen.wanted):
                yield (
                    f"The argument `{name}` changes nothing in yours: use it.",
                    f"L'argument `{name}` ne change rien chez vous : servez-vous-en.",
                )
        except Exception:  # one of the two refuses the other value
            continue


def _gradient(seen: Seen) -> Iterator[Sentence]:
    gradient = say("gradient", "gradient")
    if not (isinstance(seen.wanted, dict) and gradient in seen.wanted and seen.difference.where.startswith(gradient)):
        return
    if not np.any(bare_array(seen.difference.found)):
        yield ("The answer is right, but no gradient comes back through it: something cuts it (`detach`, `.item()`, `argmax`, NumPy…).",
               "La réponse est juste, mais aucun gradient ne la traverse au retour : quelque chose le coupe "
               "(`detach`, `.item()`, `argmax`, NumPy…).")  # fmt: skip
    if np.any(bare_array(seen.difference.wanted) == 0) and not np.any(bare_array(seen.difference.wanted)):
        yield ("The answer is right, but a gradient comes back where none should: detach it.",
               "La réponse est juste, mais un gradient revient là où il n'en faut pas : détachez.")  # fmt: skip
    yield "The answer is right, but its gradient is not.", "La réponse est juste, mais son gradient ne l'est pas."


_PLAIN = (_nothing, _type, _ignored, _wrong_axis, _one_row_for_all, _shape)
_IN_NUMBERS = (_gradient, numbers, _unread)
