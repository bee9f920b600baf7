"""Comparison of two answers: numbers, arrays, tensors, and lists, dictionaries and dataclasses of them."""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

_NUMBERS = (bool, int, float, np.generic)
_ARRAYS = (Tensor, np.ndarray)


@dataclass(frozen=True)
class Difference:
    """The first place where an answer is not the one wanted.

    `kind` is "nothing" (None was returned), "type", "dtype", "shape" or "value". `where` is the part of the answer, such as
    "boundaries" or "[1]", and empty for the whole; `found` and `wanted` are that part, in both answers. Of a value `index` is the place of
    the largest difference, which is `size`, `first` the place of the first, and `count` how many numbers differ.
    """

    kind: str
    where: str
    found: Any
    wanted: Any
    index: tuple[int, ...] = ()
    size: float = math.inf
    first: tuple[int, ...] = ()
    count: int = 1


def differences(found: Any, wanted: Any, tolerance: float, exact_types: bool = False, where: str = "") -> Iterator[Difference]:
    """The places where an answer is not the one wanted, in the order of the answer.

    Numbers may differ by `tolerance`, and by a millionth of themselves where it is not 0; infinities and NaNs must be in the same places. A
    number may be a Python number, NumPy's, or an array without axes. With `exact_types`, floats and integers are not each other. Where
    nothing is wanted (`None`), any answer does.
    """
    if wanted is None:
        return
    if found is None:
        yield Difference("nothing", where, found, wanted)
    elif isinstance(wanted, (*_ARRAYS, *_NUMBERS)):
        yield from _in_numbers(found, wanted, tolerance, exact_types, where)
    elif is_dataclass(wanted) and not isinstance(wanted, type):
        if type(found).__name__ != type(wanted).__name__:
            yield Difference("type", where, found, wanted)
            return
        for item in fields(wanted):
            parts = getattr(found, item.name, None), getattr(wanted, item.name)
            yield from differences(*parts, tolerance, exact_types, f"{where}.{item.name}".lstrip("."))
    elif isinstance(wanted, dict):
        if not isinstance(found, dict):
            yield Difference("type", where, found, wanted)
        elif set(found) != set(wanted):
            yield Difference("shape", where, found, wanted)
        else:
            for key in wanted:
                yield from differences(found[key], wanted[key], tolerance, exact_types, f"{where}[{key!r}]" if where else str(key))
    elif isinstance(wanted, (tuple, list)):
        if not isinstance(found, (tuple, list)):
            yield Difference("type", where, found, wanted)
        elif len(found) != len(wanted):
            yield Difference("shape", where, found, wanted)
        else:
            for place, parts in enumerate(zip(found, wanted, strict=True)):
                yield from differences(*parts, tolerance, exact_types, f"{where}[{place}]")
    elif not (isinstance(found, type(wanted)) and (callable(wanted) or found == wanted)):
        yield Difference("value" if isinstance(found, type(wanted)) else "type", where, found, wanted)


def _in_numbers(found: Any, wanted: Any, tolerance: float, exact_types: bool, where: str) -> Iterator[Difference]:
    one_number = isinstance(wanted, _NUMBERS) or (isinstance(wanted, np.ndarray) and wanted.ndim == 0)
    alike = isinstance(found, type(wanted)) or (one_number and isinstance(found, (*_NUMBERS, np.ndarray)))
    if isinstance(wanted, Tensor) and not wanted.ndim and type(found) in (int, float, bool) and not exact_types:
        alike = True
    if not alike:
        yield Difference("type", where, found, wanted)
        return
    left, right = np.asarray(_bare(found)), np.asarray(_bare(wanted))
    kinds = {left.dtype.kind, right.dtype.kind} - {"u"} | ({"i"} if "u" in (left.dtype.kind, right.dtype.kind) else set())
    if left.shape != right.shape:
        yield Difference("shape", where, found, wanted)
    elif not kinds <= {"b", "i", "f", "c"} or (len(kinds) > 1 and ("b" in kinds or exact_types)) or _fewer_decimals(found, wanted):
        yield Difference("dtype", where, found, wanted)
    else:
        gaps = _gaps(left.astype(float), right.astype(float))
        with np.errstate(invalid="ignore"):
            allowed = tolerance + (1e-6 * np.abs(right.astype(float)) if tolerance else 0.0)
            wrong = gaps > np.nan_to_num(allowed, nan=0.0, posinf=tolerance)
        if wrong.any():
            index, first = (
                tuple(map(int, np.unravel_index(place, gaps.shape))) for place in (np.where(wrong, gaps, -1.0).argmax(), wrong.argmax())
            )
            yield Difference("value", where, found, wanted, index, float(gaps[index]), first, int(wrong.sum()))


def _fewer_decimals(found: Any, wanted: Any) -> bool:
    """Whether one array of floats has another precision than the other."""
    both = [value for value in (found, wanted) if isinstance(value, _ARRAYS)]
    return len(both) == 2 and all("float" in str(value.dtype) for value in both) and str(found.dtype) != str(wanted.dtype)


def _gaps(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Absolute differences; equal infinities, and NaNs in the same places, differ by 0, and other NaNs by infinity."""
    with np.errstate(invalid="ignore", over="ignore"):
        gaps = np.where((left == right) | (np.isnan(left) & np.isnan(right)), 0.0, np.abs(left - right))
    return np.asarray(np.nan_to_num(gaps, nan=math.inf, posinf=math.inf))


def gap(found: Any, wanted: Any) -> float:
    """The largest absolute difference between an answer and the one wanted; infinite where types, lengths or shapes differ."""
    return max((each.size for each in differences(found, wanted, 0.0)), default=0.0)


def _bare(value: Any) -> Any:
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        return value.numpy() if value.dtype != torch.bfloat16 else value.double().numpy()
    return value


def copied(value: Any) -> Any:
    """A deep copy of a value, so that a function that alters its inputs alters the copy; what cannot be copied is returned as it is."""
    if isinstance(value, Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, torch.Generator):
        return torch.Generator(value.device).set_state(value.get_state())
    if type(value) in (tuple, list):
        return type(value)(copied(part) for part in value)
    if type(value) is dict:
        return {key: copied(part) for key, part in value.items()}
    try:
        return copy.deepcopy(value)
    except (RuntimeError, TypeError):
        return value


def unchanged(value: Any, before: Any) -> bool:
    """Whether arrays, tensors, numbers and lists in a value are as they were. Generators and networks, made to change, always are."""
    if isinstance(before, Tensor):
        return isinstance(value, Tensor) and value.shape == before.shape and value.dtype == before.dtype and _same_bits(value, before)
    if isinstance(before, np.ndarray):
        return isinstance(value, np.ndarray) and value.shape == before.shape and _same_bits(value, before)
    if type(before) in (tuple, list):
        return len(value) == len(before) and all(map(unchanged, value, before))
    if type(before) is dict:
        return value.keys() == before.keys() and all(unchanged(value[key], before[key]) for key in before)
    if type(before) in (int, str):
        return bool(value == before)
    return True


def _same_bits(value: Any, before: Any) -> bool:
    return bool(np.array_equal(np.asarray(_bare(value)), np.asarray(_bare(before)), equal_nan=np.asarray(_bare(before)).dtype.kind == "f"))
