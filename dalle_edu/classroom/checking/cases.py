"""Cases: what a version of a function or class is asked, and what independent code answers.

A case of a function is a call, which a refusal can show whole. A case of a class is a short program that builds it, gives it weights and
asks it something; its title says what.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dalle_edu.classroom.checking.comparing import copied, unchanged
from dalle_edu.language import say

SHORT = 12  # an array of so many numbers is written out


class ChangesAnArgument(Exception):
    """Raised when a version has written into an argument; its text is the argument's name."""


@dataclass(frozen=True)
class Case:
    """A question to a version, and the answer of independent code.

    `ask(version)` is the version's answer. `peer` computes the same without the library. `given` says what was asked, in the reader's
    language. `weight` orders cases: a refusal shows the lightest. Of a call, `args` and `options` are its arguments.
    """

    ask: Callable[[Any], Any]
    peer: Callable[[], Any]
    given: str = ""
    weight: int = 1000
    args: tuple[Any, ...] | None = None
    options: tuple[tuple[str, Any], ...] = ()

    def named(self, version: Any) -> dict[str, Any]:
        """The arguments of a call, by the names that `version` gives them."""
        if self.args is None:
            return {}
        return dict(inspect.signature(version).bind(*self.args, **dict(self.options)).arguments)

    def without(self, name: str, library: Any) -> "Case | None":
        """The same call without an optional argument; None where it has none of this name."""
        given = self.named(library)
        parameters = inspect.signature(library).parameters
        if name not in given or parameters[name].default is inspect.Parameter.empty:
            return None
        left = {key: value for key, value in given.items() if key != name}
        return call(None, **left) if all(parameters[key].kind is not inspect.Parameter.POSITIONAL_ONLY for key in left) else None

    def altered(self, name: str, library: Any) -> "Case | None":
        """The same call with other numbers for one argument, of the same shape and type; None where it has no numbers."""
        bound = inspect.signature(library).bind(*(self.args or ()), **dict(self.options))
        value, given = bound.arguments[name], bound.arguments
        if isinstance(value, Tensor) and value.is_floating_point():
            given[name] = value.detach() + torch.linspace(0.3, 1.7, value.numel()).view(value.shape)
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
            given[name] = value + np.linspace(0.3, 1.7, value.size).reshape(value.shape)
        elif type(value) is float:
            given[name] = value + 0.7
        else:
            return None
        return call(None, *bound.args, **bound.kwargs)

    def turned(self) -> "Case | None":
        """The same call with the last two axes of its first argument exchanged; None where that has fewer than two."""
        first, *rest = self.args or (None,)
        if not isinstance(first, (Tensor, np.ndarray)) or first.ndim < 2:
            return None
        return call(None, first.swapaxes(-1, -2), *rest, **dict(self.options))


def call(peer: Any, *args: Any, may_change: Sequence[str] = (), **options: Any) -> Case:
    """A case of a function: a call with these arguments.

    `peer` is the answer wanted, or a function that computes it, given the same arguments. Arguments are copied for each version, and must
    be left as they were, but for those named in `may_change`. Where a tensor among them requires its gradient, the gradients of the answer
    are part of the answer.
    """

    def ask(version: Any) -> Any:
        own_args, own_options = copied(args), copied(options)
        answer = version(*own_args, **own_options)
        for name, value, before in _by_name(version, own_args, own_options, args, options):
            if name not in may_change and not unchanged(value, before):
                raise ChangesAnArgument(name)
        return with_gradients(answer, [*own_args, *own_options.values()])

    def wanted() -> Any:
        own_args, own_options = copied(args), copied(options)
        answer = peer(*own_args, **own_options) if callable(peer) else peer
        return with_gradients(answer, [*own_args, *own_options.values()])

    numbers = sum(int(np.prod(value.shape)) for value in (*args, *options.values()) if isinstance(value, (Tensor, np.ndarray)))
    return Case(ask, wanted, weight=1 + numbers, args=args, options=tuple(options.items()))


def scenario(en: str, fr: str, peer: Callable[[], Any], ask: Callable[[Any], Any], weight: int = 1000) -> Case:
    """A case of a class, or of anything that a call does not say: `ask` builds and questions a version, `peer` answers without it."""
    return Case(ask, peer, say(en, fr), weight)


def _by_name(version: Any, args: Sequence, options: dict, old_args: Sequence, old_options: dict) -> list[tuple[str, Any, Any]]:
    try:
        names = list(inspect.signature(version).parameters)
    except (TypeError, ValueError):
        names = []
    names += [f"argument {place + 1}" for place in range(len(names), len(args))]
    return [*zip(names, args, old_args, strict=False), *((key, options[key], old_options[key]) for key in options)]


def with_gradients(answer: Any, inputs: Sequence[Any]) -> Any:
    """An answer and its `slopes` with respect to those inputs that require a gradient; where none does, the answer alone."""
    learned = [value for value in inputs if isinstance(value, Tensor) and value.requires_grad]
    return {say("answer", "réponse"): _detached(answer), say("gradient", "gradient"): slopes(answer, learned)} if learned else answer


def slopes(answer: Any, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The gradient of a sum of an answer's numbers, each weighted differently, with respect to each input; 0 where none comes back."""
    outputs = [part for part in _parts(answer) if isinstance(part, Tensor) and part.requires_grad]
    gradients: Sequence[Any] = [None] * len(inputs)
    if outputs:
        weighted = [(part.double() * torch.linspace(0.5, 1.5, part.numel()).double().view(part.shape)).sum() for part in outputs]
        gradients = torch.autograd.grad(torch.stack(weighted).sum(), list(inputs), allow_unused=True)
    return [torch.zeros_like(value) if grad is None else grad for value, grad in zip(inputs, gradients, strict=True)]


def _parts(answer: Any) -> list[Any]:
    if isinstance(answer, (tuple, list)):
        return [part for each in answer for part in _parts(each)]
    return [part for each in answer.values() for part in _parts(each)] if isinstance(answer, dict) else [answer]


def _detached(answer: Any) -> Any:
    if isinstance(answer, Tensor):
        return answer.detach()
    if isinstance(answer, (tuple, list)):
        return [_detached(each) for each in answer]
    return {key: _detached(each) for key, each in answer.items()} if isinstance(answer, dict) else answer


# ---------------------------------------------------------------- how values read


def written(value: Any, code: bool = False) -> str:
    """A value in a few words: short arrays whole, longer ones by their shape. With `code` a short array is an expression that makes it."""
    if isinstance(value, (Tensor, np.ndarray)):
        return _array(value, code)
    if isinstance(value, (np.random.Generator, torch.Generator)):
        return "…" if not code else "generator"
    if isinstance(value, (tuple, list)):
        if len(value) > SHORT:
            return say(f"a list of {len(value)}", f"une liste de {len(value)}")
        inside = ", ".join(written(part, code) for part in value)
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' if len(value) == 1 else ''})"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, np.generic):
        return _number(value.item())
    if isinstance(value, (int, str, bool, type(None))):
        return repr(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{written(key, code)}: {written(part, code)}' for key, part in value.items())}}}"
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}({', '.join(_fields(value, code))})"
    return getattr(value, "__name__", None) or say(f"a {type(value).__name__}", f"un objet {type(value).__name__}")


def _fields(value: Any, code: bool) -> list[str]:
    """The fields of a dataclass as its constructor takes them: those that have no default come first, and without their names."""
    given = [(item, getattr(value, item.name)) for item in fields(value)]
    return [
        written(part, code) if item.default is MISSING else f"{item.name}={written(part, code)}"
        for item, part in given
        if item.default is MISSING or part != item.default
    ]


def _array(value: Any, code: bool) -> str:
    bare = value.detach().cpu() if isinstance(value, Tensor) else value
    if int(np.prod(bare.shape)) <= SHORT:
        inside = _nested(bare.tolist())
        maker = "torch.tensor" if isinstance(value, Tensor) else "np.array"
        return f"{maker}({inside})" if code else inside
    size = " × ".join(map(str, bare.shape))
    kind = say("a tensor", "un tenseur") if isinstance(value, Tensor) else say("an array", "un tableau")
    return say(f"{kind} of {size}", f"{kind} de {size}")


def _nested(value: Any) -> str:
    return f"[{', '.join(map(_nested, value))}]" if isinstance(value, list) else _number(value)


def _number(value: Any) -> str:
    if isinstance(value, (bool, int)) or value != value or value in (float("inf"), float("-inf")):
        return str(value)
    text = f"{value:.4g}"
    return text if any(letter in text for letter in ".e") else f"{text}.0"


def apart(one: Any, other: Any) -> tuple[str, str]:
    """Two numbers that differ, each with as many digits as it takes to see it."""
    for digits in range(5, 18):
        first, second = (f"{float(value):.{digits}g}" for value in (one, other))
        if first != second:
            return first, second
    return written(one), written(other)


def shown_call(name: str, case: Case) -> str:
    """The call of a case as a line of Python; empty where it is too long for one."""
    if case.args is None:
        return ""
    words = [written(value, code=True) for value in case.args] + [f"{key}={written(value, code=True)}" for key, value in case.options]
    line = f"{name}({', '.join(words)})"
    short = all(not isinstance(v, (Tensor, np.ndarray)) or np.prod(v.shape) <= SHORT for v in (*case.args, *dict(case.options).values()))
    return line if short and len(line) <= 120 else ""


def lighter(cases: Sequence[Case]) -> list[Case]:
    """The cases, the lightest first."""
    return [case for _, _, case in sorted((case.weight, place, case) for place, case in enumerate(cases))]


def described(case: Case, library: Any) -> str:
    """What a version was given: "z = [0.0]", or the title of a scenario."""
    if case.args is None:
        return case.given
    try:
        named = case.named(library)
    except TypeError:
        named = {str(place): value for place, value in enumerate(case.args)} | dict(case.options)
    return ", ".join(f"{name} = {written(value)}" for name, value in named.items())
