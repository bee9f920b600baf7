"""torchvision beside a CPU build of torch.

On Linux, PyPI's torchvision is linked against CUDA. Beside a CPU torch its C++ operators cannot be loaded, and importing it dies with
"operator torchvision::nms does not exist" (pytorch/vision #9085), and open_clip and timm with it. Declaring the two operators it asks for
is enough for everything that is not one of them: transforms, data sets, grids. Calling `ops.nms` then says clearly that it has no
implementation.
"""

import importlib.abc
import importlib.machinery
import sys
from pathlib import Path
from typing import Any

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_declared: list[Any] = []  # a library's declarations live as long as it does


class _Watcher(importlib.abc.MetaPathFinder):
    """Looks on when torchvision is first imported, declares what is missing, and leaves the import to the others."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == "torchvision":
            sys.meta_path.remove(self)
            spec = importlib.machinery.PathFinder.find_spec(name)
            if spec and spec.origin:
                declare_missing_operators(Path(spec.origin).parent)


def watch() -> None:
    """Be there when torchvision is imported. Costs nothing until then."""
    if "torchvision" not in sys.modules and not any(isinstance(finder, _Watcher) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watcher())


def declare_missing_operators(package: Path) -> bool:
    """Declare `torchvision::nms` and `torchvision::qnms` where the package's own binary cannot be loaded; True if that was needed."""
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
