"""A workaround that lets torchvision be imported beside a CPU build of torch.

On Linux, PyPI's torchvision is linked against CUDA. Beside a CPU torch its C++ operators cannot be loaded, and importing torchvision,
open_clip or timm fails with "operator torchvision::nms does not exist" (pytorch/vision #9085). Once the two operators that the import looks
for are declared, everything else works: transforms, data sets, grids. A call of `ops.nms` then fails with the message that it has no
implementation.
"""

import importlib.abc
import importlib.machinery
import sys
from pathlib import Path
from typing import Any

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_declared: list[Any] = []  # keeps the library alive: its declarations are removed with it


class _Watcher(importlib.abc.MetaPathFinder):
    """An import hook that declares the missing operators when torchvision is first imported, and leaves the import to other finders."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == "torchvision":
            sys.meta_path.remove(self)
            spec = importlib.machinery.PathFinder.find_spec(name)
            if spec and spec.origin:
                declare_missing_operators(Path(spec.origin).parent)


def watch() -> None:
    """Install the import hook, unless torchvision is imported already or the hook is there. Nothing is loaded before torchvision is."""
    if "torchvision" not in sys.modules and not any(isinstance(finder, _Watcher) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watcher())


def declare_missing_operators(package: Path) -> bool:
    """Declare `torchvision::nms` and `torchvision::qnms` where the package's own binary cannot be loaded; returns whether it was needed."""
    import torch

    if _declared:
        return True
    for binary in (*package.glob("_C*.so"), *package.glob("_C*.pyd")):
        try:
            torch.ops.load_library(binary)
            return False
        except OSError:
            continue
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}{_SCHEMA}")
    _declared.append(library)
    return True
