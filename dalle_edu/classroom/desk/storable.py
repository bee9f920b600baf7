"""A value in a safetensors file: its tensors and arrays as such, the rest as JSON in the file's metadata. Nothing is unpickled."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside


class NotStorable(TypeError):
    """A value that holds something else than tensors, arrays, numbers and strings; the message names it."""


def write_value(path: Path, value: Any, seconds: float) -> None:
    """Write a value, or a network's state, and the seconds that it took.

    Raises `NotStorable` for other values, `DalleEduError` where the file cannot be written.
    """
    tensors: dict[str, torch.Tensor] = {}
    if isinstance(value, nn.Module):
        plain: Any = {"network": _plain(dict(value.state_dict()), tensors), "training": value.training}
    else:
        plain = _plain(value, tensors)
    content = save(tensors, {"value": json.dumps(plain), "seconds": str(seconds)})
    write_aside(path, lambda file: file.write(content))


def read_value(path: Path, like: Callable[[], nn.Module] | None = None) -> tuple[Any, float]:
    """A value, and the seconds that it took; a network's state is read into the one that `like` builds.

    Raises `DalleEduError` for a file that does not hold such a value, or a network that it does not fit.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  it is no dictionary
        plain, seconds = json.loads(metadata["value"]), float(metadata["seconds"])
        if "network" not in plain:
            return _value(plain, tensors), seconds
        if like is None:
            raise ValueError("a network, and no `like` to build it")
        network = like()
        network.load_state_dict(_value(plain["network"], tensors))
        return network.train(plain["training"]), seconds
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise DalleEduError(f"{path} cannot be read: {error}", f"{path} est illisible : {error}") from error


# ---------------------------------------------------------------- pieces


def _plain(value: Any, tensors: dict[str, torch.Tensor]) -> dict[str, Any]:
    """A value as JSON: {its kind: its content}; tensors and arrays go to `tensors`, under a number."""

    def place(tensor: torch.Tensor) -> str:
        tensors[str(len(tensors))] = tensor.detach().cpu().contiguous().clone()
        return str(len(tensors) - 1)

    if value is None or type(value) in (bool, int, float, str):
        return {"plain": value}
    if type(value) in (torch.Tensor, nn.Parameter) and value.layout == torch.strided:
        return {"tensor": place(value)}
    if type(value) is np.ndarray or isinstance(value, np.generic):
        try:
            return {"array" if type(value) is np.ndarray else "scalar": place(torch.from_numpy(np.array(value)))}
        except TypeError as error:
            raise NotStorable(f"numpy {value.dtype}") from error
    if type(value) in (list, tuple):
        return {type(value).__name__: [_plain(part, tensors) for part in value]}
    if type(value).__name__ in ("dict", "OrderedDict") and isinstance(value, dict):
        return {"dict": [[_plain(key, tensors), _plain(part, tensors)] for key, part in value.items()]}
    raise NotStorable(f"`{type(value).__module__}.{type(value).__qualname__}`")


def _value(plain: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Any:
    ((kind, content),) = plain.items()
    if kind == "plain":
        return content
    if kind == "tensor":
        return tensors[content]
    if kind in ("array", "scalar"):
        array = tensors[content].numpy()
        return array if kind == "array" else array[()]
    if kind in ("list", "tuple"):
        parts = [_value(part, tensors) for part in content]
        return parts if kind == "list" else tuple(parts)
    return {_value(key, tensors): _value(part, tensors) for key, part in content}
