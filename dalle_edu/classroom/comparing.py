"""Comparison of two answers: numbers, arrays, tensors, and lists, dictionaries and dataclasses of them."""

import copy
import math
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch


def gap(one: Any, other: Any) -> float:
    """The largest absolute difference between an answer and the expected one; infinite where types, lengths or shapes differ.

    Equal infinities and NaNs in the same places differ by 0. Where nothing is expected (`None`), any answer does.
    """
    if isinstance(other, (torch.Tensor, np.ndarray, int, float, np.generic)):
        if not isinstance(one, (torch.Tensor, np.ndarray, int, float, np.generic)):
            return math.inf
        left, right = np.asarray(_bare(one), dtype=float), np.asarray(_bare(other), dtype=float)
        if left.shape != right.shape:
            return math.inf
        same = (left == right) | (np.isnan(left) & np.isnan(right))
        with np.errstate(invalid="ignore"):  # inf - inf; equal infinities were found above
            gaps = np.where(same, 0.0, np.abs(left - right))
        return float(np.nan_to_num(gaps, nan=math.inf).max(initial=0.0))
    if is_dataclass(other) and not isinstance(other, type):
        if type(one).__name__ != type(other).__name__:
            return math.inf
        return max((gap(getattr(one, item.name, None), getattr(other, item.name)) for item in fields(other)), default=0.0)
    if isinstance(other, dict):
        if not isinstance(one, dict) or set(one) != set(other):
            return math.inf
        return max((gap(one[key], other[key]) for key in other), default=0.0)
    if isinstance(other, (tuple, list)):
        if not isinstance(one, (tuple, list)) or len(one) != len(other):
            return math.inf
        return max((gap(left, right) for left, right in zip(one, other, strict=True)), default=0.0)
    return 0.0 if other is None or (isinstance(one, type(other)) and (callable(other) or one == other)) else math.inf


def _bare(value: Any) -> Any:
    return value.detach().double().numpy() if isinstance(value, torch.Tensor) else value


def copied(value: Any) -> Any:
    """A deep copy of a value, so that a function that alters its inputs alters the copy; what cannot be copied is returned as it is."""
    if isinstance(value, torch.Tensor):
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


def is_value(argument: Any) -> bool:
    """Whether an argument can be replaced by a copy; networks, optimisers and tensors within a graph depend on who else holds them."""
    if isinstance(argument, torch.Tensor):
        return argument.is_leaf
    if isinstance(argument, (torch.nn.Module, torch.optim.Optimizer)):
        return False
    if is_dataclass(argument) and not isinstance(argument, type):
        return all(is_value(getattr(argument, item.name)) for item in fields(argument))
    return callable(argument) or not hasattr(argument, "__dict__")
