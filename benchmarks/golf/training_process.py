"""The process that trains a record: `python -m benchmarks.golf.training_process FOLDER SEED BY SECONDS BEGUN`.

In FOLDER it finds `record.py` and leaves `log.jsonl`, `weights.safetensors` and `summary.json`. A record that breaks a rule ends it with
the status 3, after a line with the reason.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import torch
from safetensors.torch import save
from torch import Tensor, nn

from benchmarks.golf import rules
from benchmarks.golf.drawing_process import record_in
from benchmarks.golf.game import Game, only_seen_scenes
from benchmarks.golf.guard import WORLD, Finder
from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside


def main() -> None:
    """Train the record of a folder."""
    folder, seed, by, seconds, begun = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4]), float(sys.argv[5])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: rules.CORES])
    torch.set_num_threads(min(rules.CORES, torch.get_num_threads()))
    only_seen_scenes()
    sys.meta_path.insert(0, Finder(WORLD, painters=True))
    try:
        record = record_in(folder)
        game = Game(seed, seconds, by, begun, folder / "log.jsonl")
        model, begins, counts = built(record, seed)
        record.train(model, game)
        tensors = checked(model, begins, counts)
    except DalleEduError as error:
        print(error, file=sys.stderr)
        sys.exit(rules.REFUSED)
    contents = save(tensors)
    write_aside(folder / "weights.safetensors", lambda file: file.write(contents))
    summary = {
        "samples": game.samples,
        "updates": game.updates,
        "threads": torch.get_num_threads(),
        "parameters": sum(value.numel() for value in tensors.values()),
        "bytes": len(contents),
        "weights_sha256": hashlib.sha256(contents).hexdigest(),
    }
    write_aside(folder / "summary.json", lambda file: file.write(json.dumps(summary).encode()))
    sys.stderr.flush()
    os._exit(0)  # workers that make batches ahead need not be waited for


def built(record: ModuleType, seed: int) -> tuple[nn.Module, dict[str, Tensor], dict[str, int]]:
    """A model with the random weights of a seed, a copy of these by name, and the count of the gradients that reach each.

    Raises `DalleEduError` for a tensor that is no parameter, or no floating-point numbers.
    """
    torch.manual_seed(seed)
    model = record.build()
    if not isinstance(model, nn.Module):
        came = type(model).__name__
        raise DalleEduError(f"build returned {came}, no nn.Module", f"build a rendu {came}, pas un nn.Module")
    parameters = dict(model.named_parameters(remove_duplicate=False))
    for name, tensor in model.state_dict().items():
        if name not in parameters:
            raise DalleEduError(
                f"{name} is a buffer, and all that is kept must be learned; make it a parameter, or persistent=False",
                f"{name} est un tampon (buffer), et tout ce qu'on garde doit être appris ; faites-en un paramètre, ou persistent=False",
            )
        if not tensor.is_floating_point():
            raise DalleEduError(f"{name} holds {tensor.dtype}; give floats", f"{name} contient du {tensor.dtype} ; donnez des flottants")
    counts = dict.fromkeys(parameters, 0)
    for name, parameter in parameters.items():

        def count(_: Tensor, name: str = name) -> None:
            counts[name] += 1

        parameter.register_post_accumulate_grad_hook(count)
    return model, {name: value.detach().clone() for name, value in parameters.items()}, counts


def checked(model: nn.Module, begins: dict[str, Tensor], counts: dict[str, int]) -> dict[str, Tensor]:
    """What is kept of a trained model: its tensors by name.

    Raises `DalleEduError` for other tensors than those that it began with, one that did not change, one that gradients did not reach,
    one that is not finite, and more bytes than the rules allow.
    """
    tensors = {name: value.detach().clone().contiguous() for name, value in model.state_dict().items()}
    if tensors.keys() != begins.keys():
        odd = min(tensors.keys() ^ begins.keys())
        raise DalleEduError(
            f"{odd} was not there before training, or is there no longer; train what build gives",
            f"{odd} n'était pas là avant l'entraînement, ou n'y est plus ; entraînez ce que donne build",
        )
    for name, value in tensors.items():
        if counts[name] < rules.LEAST_GRADIENTS:
            reached = f"{counts[name]} gradients reached", f"{counts[name]} gradients ont atteint"
            if counts[name] == 0:
                reached = "no gradient ever reached", "aucun gradient n'a jamais atteint"
            raise DalleEduError(
                f"{reached[0]} {name}; at least {rules.LEAST_GRADIENTS} must, for what is kept to be learned",
                f"{reached[1]} {name} ; il en faut au moins {rules.LEAST_GRADIENTS}, pour que ce qu'on garde soit appris",
            )
        if not value.is_floating_point() or value.shape != begins[name].shape or not bool(value.isfinite().all()):
            raise DalleEduError(
                f"{name} is no longer finite numbers of its first shape", f"{name} n'est plus fait de nombres finis de la même forme"
            )
        if torch.equal(value.float(), begins[name].to(value.dtype).float()):
            raise DalleEduError(
                f"{name} is as it was before training; train it or leave it out", f"{name} n'a pas changé ; entraînez-le ou ôtez-le"
            )
    size = sum(value.numel() * value.element_size() for value in tensors.values())
    if size > rules.WEIGHT_BYTES:
        raise DalleEduError(
            f"the weights have {size:,} bytes and may have {rules.WEIGHT_BYTES:,}; take fewer, or end train with model.half()",
            f"les poids font {size} octets et peuvent en faire {rules.WEIGHT_BYTES} ; prenez-en moins, ou finissez train par model.half()",
        )
    return tensors


if __name__ == "__main__":
    main()
