"""Wrong answers to an exercise, made by machine from the library's own version: whatever it asks, its check must refuse them all."""

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dalle_edu.classroom.checking.cases import Case, lighter
from dalle_edu.classroom.checking.comparing import copied, differences
from dalle_edu.classroom.checking.proof import library_version, references

Wrong = tuple[str, Any]  # what is wrong with it, and the version
ARRAYS = (Tensor, np.ndarray)


def wrong_answers(target: str, methods: tuple[str, ...] = ()) -> list[Wrong]:
    """Wrong versions of a function, or of a class some of whose `methods` are the exercise."""
    library = library_version(target)
    held = [reference for reference in references() if reference.target == target]
    cases = [case for reference in held for case in lighter(reference.cases(0))]
    if not isinstance(library, type):
        return [*_of_function(library, library, cases, lambda version: version), *_hard_coded(library, cases)]
    wrong = []
    for method in methods:

        def within(version: Any, method: str = method) -> type:
            return type(library.__name__, (library,), {method: version})

        found = _of_function(getattr(library, method), inspect.unwrap(getattr(library, method)), cases, within)
        wrong += [(f"{method}: {name}", within(version)) for name, version in found]
    return wrong


def _of_function(
    library: Callable[..., Any], signed: Callable[..., Any], cases: list[Case], within: Callable[[Any], Any]
) -> Iterator[Wrong]:
    """Wrappers of a function: what comes out is changed, or what goes in. Only what the cases give is ignored or modified."""
    given, answers = _given(library, signed, cases, within)
    learned = any(isinstance(value, Tensor) and value.requires_grad for values in given.values() for value in values)
    for name, change in _RESULTS.items():
        if (name == "no gradient" and learned) or any(_differs(change, each) for each in answers):
            yield name, _changed(library, change)
    for name, parameter in inspect.signature(signed).parameters.items():
        default, values = parameter.default, given.get(name, [])
        optional = default is not inspect.Parameter.empty
        if any(value is not default for value in values) if optional else any(_other(value) is not value for value in values):
            yield f"{name} is ignored", _ignoring(library, signed, name)
        if any(isinstance(value, ARRAYS) for value in values):
            yield f"{name} is modified", _modifying(library, signed, name)


def _differs(change: Callable[[Any], Any], answer: Any) -> bool:
    """Whether a change makes another answer of one, or none at all where types forbid it."""
    try:
        return any(differences(change(copied(answer)), answer, 0.0, True))
    except Exception:
        return True


def _given(
    library: Callable[..., Any], signed: Callable[..., Any], cases: list[Case], within: Callable[[Any], Any]
) -> tuple[dict[str, list[Any]], list[Any]]:
    """What the cases give for each argument, and the answers."""
    given, answers = dict[str, list[Any]](), list[Any]()

    @functools.wraps(library)
    def spy(*args: Any, **options: Any) -> Any:
        for name, value in inspect.signature(signed).bind(*args, **options).arguments.items():
            given.setdefault(name, []).append(value)
        answer = library(*args, **options)
        if isinstance(answer, Tensor) and answer.is_meta:
            return answer
        answers.append(copied(answer) if not _has_graph(answer) else answer.detach().clone())
        return answer

    for case in cases:
        case.ask(within(spy))
    given.pop("self", None)
    return given, answers


def _hard_coded(library: Callable[..., Any], cases: list[Case]) -> Iterator[Wrong]:
    known = [(case.named(library), case) for case in cases if case.args is not None]
    if not known:
        return

    def looked_up(*args: Any, **options: Any) -> Any:
        given = inspect.signature(library).bind(*args, **options).arguments
        found = next(
            (case for named, case in known if given.keys() == named.keys() and all(_equal(given[k], named[k]) for k in given)), known[0][1]
        )
        return library(*copied(found.args), **copied(dict(found.options)))

    yield "the inputs of one check are hard-coded", looked_up
    first = known[0][1]
    yield "always the answer to the first input", lambda *args, **options: library(*copied(first.args), **copied(dict(first.options)))


def _changed(library: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    @functools.wraps(library)
    def version(*args: Any, **options: Any) -> Any:
        return change(library(*args, **options))

    return version


def _ignoring(library: Callable[..., Any], signed: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A version that leaves an optional argument out, and gives another one in place of the others."""
    default = inspect.signature(signed).parameters[name].default

    @functools.wraps(library)
    def version(*args: Any, **options: Any) -> Any:
        bound = inspect.signature(signed).bind(*args, **options)
        if name in bound.arguments:
            bound.arguments[name] = _other(bound.arguments[name]) if default is inspect.Parameter.empty else default
        return library(*bound.args, **bound.kwargs)

    return version


def _modifying(library: Callable[..., Any], signed: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(library)
    def version(*args: Any, **options: Any) -> Any:
        value = inspect.signature(signed).bind(*args, **options).arguments.get(name)
        answer = copied(library(*args, **options)) if not _has_graph(value) else library(*args, **options)
        if isinstance(value, ARRAYS) and value.size if isinstance(value, np.ndarray) else isinstance(value, Tensor):
            with torch.no_grad():
                value[...] = ~value if str(value.dtype).endswith("bool") else value + 1
        return answer

    return version


def _has_graph(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _other(value: Any) -> Any:
    """Another value of the same kind: what a version that ignores an argument puts in its place."""
    if isinstance(value, Tensor):
        return torch.zeros_like(value) if value.dtype != torch.bool else torch.ones_like(value)
    if isinstance(value, np.ndarray):
        return np.zeros_like(value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return type(value)(1 if value != 1 else 2)
    if isinstance(value, np.random.Generator):
        return np.random.default_rng(99)
    if isinstance(value, torch.Generator):
        return torch.Generator().manual_seed(99)
    return value


def _on_arrays(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def change(answer: Any) -> Any:
        if isinstance(answer, ARRAYS):
            return function(answer)
        if isinstance(answer, (tuple, list)):
            return type(answer)(change(part) for part in answer)
        if isinstance(answer, float) and function in (_negative, _twice):
            return float(function(np.array([answer]))[0])
        if is_dataclass(answer) and not isinstance(answer, type):
            return replace(answer, **{item.name: change(getattr(answer, item.name)) for item in fields(answer)})
        return answer

    return change


def _half(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.float() if value.dtype == torch.float64 else value.half() if value.is_floating_point() else value.float()
    return value.astype(np.float32) if value.dtype == np.float64 else value.astype(float)


def _logic(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.float() if value.dtype == torch.bool else value != 0
    return value != 0


def _other_library(answer: Any) -> Any:
    if isinstance(answer, Tensor):
        return answer.detach().numpy()
    if isinstance(answer, np.ndarray):
        return torch.from_numpy(np.array(answer))
    return type(answer)(map(_other_library, answer)) if isinstance(answer, (tuple, list)) else str(answer)


def _negative(value: Any) -> Any:
    return ~value if str(value.dtype).endswith("bool") else -value - 1


def _twice(value: Any) -> Any:
    return ~value if str(value.dtype).endswith("bool") else 2 * value + 1


_RESULTS: dict[str, Callable[[Any], Any]] = {
    "nothing is returned": lambda answer: None,
    "a list is returned": lambda answer: answer.tolist() if isinstance(answer, ARRAYS) else [answer],
    "another library's type": _other_library,
    "fewer decimals": _on_arrays(_half),
    "numbers for booleans, or booleans for numbers": _on_arrays(_logic),
    "an axis too many": _on_arrays(lambda value: value[None]),
    "the sign": _on_arrays(_negative),
    "twice as much": _on_arrays(_twice),
    "no gradient": _on_arrays(lambda value: value.detach() if isinstance(value, Tensor) else value),
}


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, ARRAYS) and isinstance(other, ARRAYS):
        return tuple(one.shape) == tuple(other.shape) and bool((one == other).all())
    return type(one) is type(other) and (one == other or not isinstance(one, (int, float, str, bool)))
