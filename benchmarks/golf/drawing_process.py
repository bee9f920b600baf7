"""The process that has a record draw, in a room where there is nothing to draw with but its weights.

Standard input brings a safetensors file: "tokens" (n, t), the weights as "weights/NAME", and in its metadata the seeds. Standard output
takes another, with "pictures" (n, 3, h, w). The folder that it runs in is the room; `record.py` is there.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import einops  # noqa: F401  (loaded before the guard stands)
import numpy as np  # noqa: F401
import torch
from safetensors.torch import load, save
from torch import Tensor

from benchmarks.golf.guard import stand_guard
from benchmarks.golf.rules import CORES, DRAWN_TOGETHER, REFUSED, RESOLUTION
from dalle_edu.errors import DalleEduError


def main() -> None:
    """Read tokens and weights, draw under guard, and write the pictures."""
    given = sys.stdin.buffer.read()
    answer = os.dup(1)
    os.dup2(2, 1)  # what the record prints is no picture
    tensors = load(given)
    seeds = json.loads(given[8 : 8 + int.from_bytes(given[:8], "little")])["__metadata__"]
    weights = {name.removeprefix("weights/"): value for name, value in tensors.items() if name.startswith("weights/")}
    torch.set_num_threads(min(CORES, torch.get_num_threads()))
    try:
        pictures = draw(tensors["tokens"], weights, int(seeds["build"]), int(seeds["draw"]))
    except DalleEduError as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)
    with os.fdopen(answer, "wb") as file:
        file.write(save({"pictures": pictures}))
    os._exit(0)


def draw(tokens: Tensor, weights: dict[str, Tensor], build_seed: int, draw_seed: int) -> Tensor:
    """The pictures of a record for tokens, from its weights, or from those of `build` where there are none."""
    stand_guard(Path.cwd())
    record = record_in(Path.cwd())
    torch.manual_seed(build_seed)
    model = record.build()
    if weights:
        model.load_state_dict(weights)
    model.eval()
    parts = []
    with torch.no_grad():
        for start in range(0, len(tokens), DRAWN_TOGETHER):
            part = tokens[start : start + DRAWN_TOGETHER]
            parts.append(checked(record.draw(model, part.clone(), draw_seed + start), len(part)))
    return torch.cat(parts)


def record_in(folder: Path) -> ModuleType:
    """The record of a folder as a module."""
    spec = importlib.util.spec_from_file_location("record", folder / "record.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["record"] = module
    spec.loader.exec_module(module)
    return module


def checked(pictures: object, n: int) -> Tensor:
    """Pictures as `draw` must give them, clipped to [-1, 1]. Raises `DalleEduError` for anything else."""
    wanted = (n, 3, RESOLUTION, RESOLUTION)
    if not isinstance(pictures, Tensor) or tuple(pictures.shape) != wanted or not bool(pictures.float().isfinite().all()):
        came = tuple(pictures.shape) if isinstance(pictures, Tensor) else type(pictures).__name__
        raise DalleEduError(f"draw gave {came}; it gives {wanted}, finite", f"draw a donné {came} ; il faut {wanted}, de nombres finis")
    return pictures.detach().float().clamp(-1, 1).contiguous()


if __name__ == "__main__":
    main()
