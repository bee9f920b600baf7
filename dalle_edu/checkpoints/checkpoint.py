"""The checkpoint format: tensors in a safetensors file, metadata as JSON in its header. Nothing is pickled, so loading executes no code.

The header has the SHA-256 of tensors and metadata. A file that is truncated, altered or another program's is refused, and the error says
which it is. A right checksum says only who wrote a file: `check_tensors` and `understood` are the gates behind the header.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor

from dalle_edu.errors import DalleEduError, lacks_memory, no_memory
from dalle_edu.files import opened, write_aside

MAX_BYTES = 32_000_000_000  # of a file of weights
_MAX_HEADER = 100_000_000  # what safetensors allows
_KEY = "dalle_edu"
_REMEDY = "fetch or train it again", "téléchargez-le ou entraînez-le de nouveau"
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


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
    if os.path.isdir(path) or not os.path.lexists(path):  # Path.exists raises for a name that is too long
        raise DalleEduError(
            f"there is no checkpoint at {path}; give the path of a .safetensors file",
            f"il n'y a pas de poids à {path} ; donnez le chemin d'un fichier .safetensors",
        )
    tensors, texts = read_tensors(path)
    header = texts.get(_KEY)
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


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file of any program, on the CPU and in their dtypes, and its header's texts.

    Raises `DalleEduError` where the file cannot be read, is no whole safetensors file, or is larger than `MAX_BYTES` or than the memory.
    """
    try:
        with opened(path, MAX_BYTES, *_REMEDY) as file:
            contents = _whole(file)  # all at once: a training run may replace the file at any moment
        tensors = from_bytes(contents)
        length = int.from_bytes(contents[:8], "little")
        return tensors, json.loads(contents[8 : 8 + length]).get("__metadata__", {})
    except (MemoryError, RecursionError, SafetensorError, ValueError) as error:
        if isinstance(error, DalleEduError):
            raise
        if isinstance(error, MemoryError):
            raise no_memory() from error
        raise DalleEduError(
            f"{path} is not a whole safetensors file ({error}); {_REMEDY[0]}",
            f"{path} n'est pas un fichier safetensors entier ; {_REMEDY[1]}",
        ) from error


def _whole(file: BinaryIO) -> bytes:
    """The contents of a safetensors file, whose length its first bytes foretell: a file of zeros as large as a disk is not read. Raises
    `ValueError` for a length that is not the header's.
    """
    first = file.read(8)
    length, size = int.from_bytes(first, "little"), os.fstat(file.fileno()).st_size
    if len(first) < 8 or not 2 <= length <= min(size - 8, _MAX_HEADER):
        raise ValueError("no header")
    header = file.read(length)
    document = json.loads(header)
    if not isinstance(document, dict):
        raise ValueError("the header is no dictionary")
    ends = [entry["data_offsets"][1] for name, entry in document.items() if name != "__metadata__" and _has_offsets(entry)]
    if 8 + length + max(ends, default=0) != size:
        raise ValueError("the file has another length than its header says")
    return first + header + file.read(size - 8 - length)


def _has_offsets(entry: Any) -> bool:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    return isinstance(offsets, list) and len(offsets) == 2 and all(type(end) is int for end in offsets)


def check_tensors(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: str | Path) -> None:
    """Raise `DalleEduError` unless the `tensors` of a file are those of a model: of the names, shapes and kinds of those `wanted`, which
    be on the meta device, and finite as float32. Floating-point ones may be in any precision. `path` is what the error calls the file.
    """
    if {name: tensor.shape for name, tensor in tensors.items()} != {name: tensor.shape for name, tensor in wanted.items()}:
        raise DalleEduError(
            f"{path} holds weights of other shapes than its configuration; {_REMEDY[0]}",
            f"{path} contient des poids d'autres formes que sa configuration ; {_REMEDY[1]}",
        )
    for name, tensor in tensors.items():
        if tensor.dtype not in _FLOATS if wanted[name].is_floating_point() else tensor.dtype != wanted[name].dtype:
            kind, expected = (str(each.dtype).removeprefix("torch.") for each in (tensor, wanted[name]))
            raise DalleEduError(
                f"{path} holds {name} as {kind}, and {expected} was expected; {_REMEDY[0]}",
                f"{path} contient {name} en {kind}, et {expected} était attendu ; {_REMEDY[1]}",
            )
        if tensor.is_floating_point() and not torch.isfinite(tensor.float()).all():
            raise DalleEduError(
                f"{path} holds numbers that are infinite or not a number, in {name}; {_REMEDY[0]}, from an earlier checkpoint",
                f"{path} contient des nombres infinis ou qui n'en sont pas, dans {name} ; {_REMEDY[1]}, depuis une sauvegarde antérieure",
            )


@contextmanager
def understood(path: str | Path) -> Iterator[None]:
    """The boundary behind every header, a context manager: any fault that the block meets in what `path` holds becomes an error.

    A file with a right checksum may say anything, so that building what it describes may fail in any way. Raises `DalleEduError` for all of
    these.
    """
    try:
        yield
    except Exception as error:
        if lacks_memory(error):
            raise no_memory() from error
        missing = isinstance(error, KeyError)
        why = " ".join(f"{'no ' * missing}{error if str(error) else type(error).__name__}".split())[:300]
        raise DalleEduError(
            f"{path} describes a system that this version cannot build ({why}); take the version that wrote it, or train it again",
            f"{path} décrit un système que cette version ne sait pas construire ({why}) ; prenez la version qui l'a écrit, ou "
            "entraînez-le de nouveau",
        ) from error


def _digest(tensors: dict[str, Tensor], metadata: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True, ensure_ascii=False).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
