"""The checkpoint format: tensors in a safetensors file, metadata as JSON in its header. Nothing is pickled, so loading executes no code.

The header has the SHA-256 of tensors and metadata. A file that is truncated, altered or another program's is refused, and the error says
which it is.
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
    """Write tensors, of any dtype and on any device, and metadata (what JSON can hold) to `path`, whole or not at all.

    Raises `DalleEduError` where `path` cannot be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = json.dumps({"facts": metadata, "sha256": _digest(tensors, metadata)}, ensure_ascii=False)
    contents = to_bytes(tensors, metadata={_KEY: header})
    write_aside(path, lambda file: file.write(contents))


def load_checkpoint(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a checkpoint, on the CPU and in the dtypes they were saved in, and its metadata.

    Raises `DalleEduError` where the file is missing, truncated, no safetensors file, not written by this library, or altered since.
    """
    path = Path(path)
    if not os.path.isfile(path):  # Path.is_file raises for a name that is too long
        raise DalleEduError(
            f"there is no checkpoint at {path}; give the path of a .safetensors file",
            f"il n'y a pas de poids à {path} ; donnez le chemin d'un fichier .safetensors",
        )
    try:
        contents = path.read_bytes()  # all at once: a training run may replace the file at any moment
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
            raise TypeError(f"the metadata are {type(metadata).__name__}")
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
