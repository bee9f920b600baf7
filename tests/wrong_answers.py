"""Wrong answers to an exercise, made by machine from the library's own version: whatever it asks, its check must refuse them all."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dalle_edu.classroom.checking.cases import Case, lighter
from dalle_edu.classroom.checking.comparing import copied, differences
from dalle_edu.classroom.checking.diagnosis import exact_types
from dalle_edu.classroom.checking.proof import library_version, references
from dalle_edu.errors import DalleEduError

Wrong = tuple[str, Any]  # what is wrong with it, and the version
Asked = tuple[dict[str, Any], Any, bool]  # what a case gives, by the names of arguments, the answer, and whether it has a gradient
Version = Callable[..., Any]
ARRAYS = (Tensor, np.ndarray)


def wrong_answers(target: str, methods: Sequence[str] = ()) -> list[Wrong]:
    """Wrong versions of a function, or of a class some of whose `methods` are the exercise."""
    library, held = library_version(target), references(target)
    cases = [case for reference in held for case in lighter(reference.cases(0))]
    if not isinstance(library, type):
        return list(_of_function(library, library, cases, lambda version: version))
    wrong = []
    for method in methods:

        def within(version: Any, method: str = method) -> type:
            return type(library.__name__, (library,), {method: version})

        found = _of_function(getattr(library, method), inspect.unwrap(getattr(library, method)), cases, within)
        wrong += [(f"{method}: {name}", within(version)) for name, version in found]
    return wrong


def survivors(target: str, wrong: Sequence[Wrong], seed: int = 1) -> list[str]:
    """Those of the wrong versions of `target` that answer all cases of a check rightly; each is asked until its first error."""
    library, held = library_version(target), references(target)
    asked = [(case, case.ask(library), 10 * reference.tolerance + 1e-9) for reference in held for case in lighter(reference.cases(seed))]

    def right(version: Any) -> bool:
        try:
            return not any(any(differences(case.ask(version), wanted, limit, exact_types(library))) for case, wanted, limit in asked)
        except Exception:
            return False

    return [name for name, version in wrong if right(version)]


def _of_function(library: Version, signed: Version, cases: list[Case], within: Callable[[Any], Any]) -> Iterator[Wrong]:
    """Wrappers of a function: what comes out is changed, or what goes in. Only what the cases give is ignored or modified."""
    asked = _asked(library, signed, cases, within)
    given: dict[str, list[Any]] = {}
    for named, _, _ in asked:
        for name, value in named.items():
            given.setdefault(name, []).append(value)
    inputs = (value for values in given.values() for value in values)
    learned = any(isinstance(each, Tensor) and each.requires_grad for each in inputs) and any(each[2] for each in asked)
    for name, change in _RESULTS.items():
        if (name == "no gradient" and learned) or any(_differs(change, answer) for _, answer, _ in asked):
            yield name, _changed(library, change)
    for name, parameter in inspect.signature(signed).parameters.items():
        default, values = parameter.default, given.get(name, [])
        optional = default is not inspect.Parameter.empty
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            if any(values):
                yield f"{name} is ignored", _without_options(library, signed, name)
            continue
        if any(value is not default for value in values) if optional else any(_other(value) is not value for value in values):
            yield f"{name} is ignored", _ignoring(library, signed, name)
        if any(_spoilable(value) for value in values):
            yield f"{name} is modified", _modifying(library, signed, name)
    if asked and any(answer is not None for _, answer, _ in asked):
        yield from _hard_coded(library, signed, asked)


def _differs(change: Callable[[Any], Any], answer: Any) -> bool:
    """Whether a change makes another answer of one, or none at all where types forbid it."""
    with contextlib.suppress(Exception):
        return any(differences(change(copied(answer)), answer, 0.0, True))
    return True


def _asked(library: Callable[..., Any], signed: Callable[..., Any], cases: list[Case], within: Callable[[Any], Any]) -> list[Asked]:
    """What the cases give for each argument, and the answers."""
    asked: list[Asked] = []

    @functools.wraps(library)
    def spy(*args: Any, **options: Any) -> Any:
        named = {name: value for name, value in inspect.signature(signed).bind(*args, **options).arguments.items() if name != "self"}
        named = {name: value if _has_graph(value) else copied(value) for name, value in named.items()}
        answer = library(*args, **options)
        if isinstance(answer, Tensor) and answer.is_meta:
            return answer
        asked.append((named, copied(answer) if not _has_graph(answer) else answer.detach().clone(), _holds_graph(answer)))
        return answer

    for case in cases:
        case.ask(within(spy))
    return asked


def _hard_coded(library: Callable[..., Any], signed: Callable[..., Any], asked: list[Asked]) -> Iterator[Wrong]:
    """Versions that know the answers of one check by heart, or a single one."""

    @functools.wraps(library)
    def looked_up(*args: Any, **options: Any) -> Any:
        given = inspect.signature(signed).bind(*args, **options).arguments
        for named, answer, _ in asked:
            if named.keys() == given.keys() - {"self"} and all(_equal(given[name], named[name]) for name in named):
                return copied(answer)
        return copied(asked[0][1])

    @functools.wraps(library)
    def constant(*args: Any, **options: Any) -> Any:
        return copied(asked[0][1])

    yield "the answers of one check are hard-coded", looked_up
    yield "always the first answer", constant


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


def _without_options(library: Callable[..., Any], signed: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A version that does not hand on the options that it has no names for."""

    @functools.wraps(library)
    def version(*args: Any, **options: Any) -> Any:
        bound = inspect.signature(signed).bind(*args, **options)
        bound.arguments.pop(name, None)
        return library(*bound.args, **bound.kwargs)

    return version


def _modifying(library: Callable[..., Any], signed: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(library)
    def version(*args: Any, **options: Any) -> Any:
        value = inspect.signature(signed).bind(*args, **options).arguments.get(name)
        answer = copied(library(*args, **options)) if not _has_graph(value) else library(*args, **options)
        _spoil(value)
        return answer

    return version


def _spoilable(value: Any) -> bool:
    """Whether a value can be written into: an array, a list, a dictionary, or a tuple that begins with one."""
    if isinstance(value, tuple):
        return bool(value) and _spoilable(value[0])
    return (
        isinstance(value, Tensor) or (isinstance(value, np.ndarray) and value.size > 0) or (isinstance(value, (list, dict)) and bool(value))
    )


def _spoil(value: Any) -> None:
    if not _spoilable(value):
        return
    if isinstance(value, tuple):
        _spoil(value[0])
    elif isinstance(value, list):
        value.append(value[-1])
    elif isinstance(value, dict):
        value.popitem()
    else:
        with torch.no_grad():
            value[...] = ~value if str(value.dtype).endswith("bool") else value + 1


def _has_graph(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _holds_graph(answer: Any) -> bool:
    """Whether a gradient comes back from an answer, or from a part of it."""
    parts = answer.values() if isinstance(answer, dict) else answer if isinstance(answer, (tuple, list)) else ()
    return _has_graph(answer) or any(map(_holds_graph, parts))


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
    if isinstance(value, str):
        return "a red star" if value != "a red star" else "a blue star"
    if type(value) in (list, tuple) and value:
        return type(value)(map(_other, value)) if any(_other(part) is not part for part in value) else value
    if type(value) is dict and any(_other(part) is not part for part in value.values()):
        return {key: _other(part) for key, part in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        both = {item.name: (getattr(value, item.name), _other(getattr(value, item.name))) for item in fields(value)}
        changed = {name: new for name, (old, new) in both.items() if new is not old and not isinstance(old, str)}
        try:
            return replace(value, **changed) if changed else value
        except DalleEduError:  # its arrays take no zeros
            return replace(value, **{name: torch.cat([old, old]) / 2 for name, (old, _) in both.items() if isinstance(old, Tensor)})
    return value


def _on_arrays(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def change(answer: Any) -> Any:
        if isinstance(answer, ARRAYS):
            return function(answer)
        if isinstance(answer, (tuple, list)):
            return type(answer)(change(part) for part in answer)
        if isinstance(answer, dict):
            return {key: change(part) for key, part in answer.items()}
        if isinstance(answer, (bool, int, float)) and function in (_negative, _twice):
            return type(answer)(function(np.array([answer]))[0])
        if isinstance(answer, str) and function in (_negative, _twice):
            return answer[::-1] if function is _negative else 2 * answer
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
    return type(answer)(map(_other_library, answer)) if isinstance(answer, (tuple, list)) else str(answer) + " "


def _negative(value: Any) -> Any:
    return ~value if str(value.dtype).endswith("bool") else -value - 1


def _twice(value: Any) -> Any:
    return ~value if str(value.dtype).endswith("bool") else 2 * value + 1


def _shorter(answer: Any) -> Any:
    """The answer without its last part."""
    if isinstance(answer, dict):
        return dict(list(answer.items())[:-1])
    if isinstance(answer, (str, tuple, list)) or (isinstance(answer, ARRAYS) and answer.ndim):
        return answer[:-1]
    return answer


def _empty(answer: Any) -> Any:
    """An answer of the same kind that says nothing: zeros, False, no words."""
    if isinstance(answer, Tensor):
        return torch.zeros_like(answer)
    if isinstance(answer, np.ndarray):
        return np.zeros_like(answer)
    if isinstance(answer, (tuple, list)):
        return type(answer)(map(_empty, answer))
    if isinstance(answer, dict):
        return {key: _empty(part) for key, part in answer.items()}
    return type(answer)() if isinstance(answer, (bool, int, float, str)) else answer


def _backwards(answer: Any) -> Any:
    if isinstance(answer, Tensor):
        return answer.flip(0) if answer.ndim else answer
    return answer[::-1] if isinstance(answer, (tuple, list)) or (isinstance(answer, np.ndarray) and answer.ndim) else answer


_RESULTS: dict[str, Callable[[Any], Any]] = {
    "nothing is returned": lambda answer: None,
    "a list is returned": lambda answer: answer.tolist() if isinstance(answer, ARRAYS) else [answer],
    "another library's type": _other_library,
    "fewer decimals": _on_arrays(_half),
    "numbers for booleans, or booleans for numbers": _on_arrays(_logic),
    "an axis too many": _on_arrays(lambda value: value[None]),
    "the last part is missing": _shorter,
    "the order is reversed": _backwards,
    "zeros, or nothing said": _empty,
    "the sign": _on_arrays(_negative),
    "twice as much": _on_arrays(_twice),
    "no gradient": _on_arrays(lambda value: value.detach() if isinstance(value, Tensor) else value),
}
KINDS = {  # the words by which a kind of wrong answer is known
    "ignored": ("is ignored",),
    "modified": ("is modified",),
    "type": ("nothing is returned", "a list is returned", "another library's type"),
    "dtype": ("fewer decimals", "numbers for booleans"),
    "shape": ("an axis too many", "the last part is missing"),
    "value": ("the sign", "twice as much", "the order is reversed"),
    "constant": ("zeros, or nothing said", "always the first answer"),
    "hard-coded": ("hard-coded",),
    "gradient": ("no gradient",),
}


def _equal(one: Any, other: Any) -> bool:
    """Whether two arguments are the same; objects that cannot be compared are, if they are of one class."""
    if isinstance(one, ARRAYS) and isinstance(other, ARRAYS):
        return type(one) is type(other) and tuple(one.shape) == tuple(other.shape) and bool((one == other).all())
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    return type(one).__eq__ is object.__eq__ or bool(one == other)
