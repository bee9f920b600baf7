"""Checkpoints: tensors in a safetensors file, everything else as JSON in its header. Nothing is pickled and nothing is executed.

A file carries the SHA-256 of its own contents, so a truncated, foreign or altered one is refused with a sentence that says which it is.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside

_KEY = "dalle_edu"


def save_checkpoint(path: str | Path, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """Write tensors and facts (anything JSON can hold) to `path`, whole or not at all."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = json.dumps({"facts": metadata, "sha256": _digest(tensors, metadata)}, ensure_ascii=False)
    contents = to_bytes(tensors, metadata={_KEY: header})
    write_aside(path, lambda file: file.write(contents))


def load_checkpoint(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors, on the CPU, and the facts of a checkpoint.

    Raises `DalleEduError` where the file is missing, truncated, no safetensors file, not one of ours, or altered since it was written.
    """
    path = Path(path)
    if not os.path.isfile(path):  # unlike Path.is_file, this says no to a name too long to exist
        raise DalleEduError(
            f"there is no checkpoint at {path}; give the path of a .safetensors file",
            f"il n'y a pas de poids à {path} ; donnez le chemin d'un fichier .safetensors",
        )
    try:
        contents = path.read_bytes()  # in one go: the file may be replaced by a newer one at any moment
        tensors = from_bytes(contents)
        length = int.from_bytes(contents[:8], "little")
        header = json.loads(contents[8 : 8 + length]).get("__metadata__", {}).get(_KEY)
    except (SafetensorError, OSError, ValueError) as error:
        raise DalleEduError(
            f"{path} is not a whole safetensors file ({error}); fetch or train it again",
            f"{path} n'est pas un fichier safetensors entier ; téléchargez-le ou entraînez-le de nouveau",
        ) from error
    if header is None:
        raise DalleEduError(
            f"{path} is a safetensors file of another program; this library reads only those that it wrote",
            f"{path} est un fichier safetensors d'un autre programme ; cette bibliothèque ne lit que ceux qu'elle a écrits",
        )
    try:
        document = json.loads(header)
        metadata, expected = document["facts"], document["sha256"]
        if not isinstance(metadata, dict):
            raise TypeError(f"the facts are {type(metadata).__name__}")
        actual = _digest(tensors, metadata)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DalleEduError(
            f"{path} has a damaged header; fetch or train it again",
            f"{path} a un en-tête abîmé ; téléchargez-le ou entraînez-le de nouveau",
        ) from error
    if actual != expected:
        raise DalleEduError(
            f"{path} was altered after it was written (its SHA-256 differs); fetch or train it again",
            f"{path} a été modifié après son écriture (son SHA-256 diffère) ; téléchargez-le ou entraînez-le de nouveau",
        )
    return tensors, metadata


def _digest(tensors: dict[str, Tensor], metadata: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True, ensure_ascii=False).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
