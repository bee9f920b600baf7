"""Files of weights: bytes changed, and configurations and tensors changed under a right checksum."""

import json
import random
from pathlib import Path
from typing import Any

import torch

from dalle_edu.checkpoints.checkpoint import save_checkpoint
from dalle_edu.loading import load_critic, load_model
from dalle_edu.systems.interface.system import System
from tools.fuzz import small
from tools.fuzz.hostile import VALUES, altered, mutated
from tools.fuzz.trial import Maker, Trial

WORDS = ("generate", "a red circle", "-n", "1", "--system", "w.safetensors", "--out", "o.png")


def used(folder: Path) -> None:
    """Load w.safetensors and use what it holds. Raises `AssertionError` where that gives anything but numbers."""
    model: Any = load_model(folder / "w.safetensors")
    if isinstance(model, System):
        given = {"steps": 2, "prior_steps": 2, "upsampler_steps": 1, "tries": 1, "cutouts": 1, "beginnings": 1}
        found = model.generate(["a red circle"], **{name: value for name, value in given.items() if name in model.settings()})
    else:
        found = load_critic(folder / "w.safetensors").similarity(torch.zeros(1, 3, model.resolution, model.resolution), ["a red circle"])
    assert torch.isfinite(found).all(), "pictures that are no numbers"


def of_bytes(rng: random.Random) -> Trial:
    """A file whose bytes were changed."""
    data = mutated(small.contents(rng.choice(small.NAMES[:5])), rng)
    return Trial("changed bytes", lambda folder: (folder / "w.safetensors").write_bytes(data), WORDS)


def of_header(rng: random.Random) -> Trial:
    """A file whose header's JSON was changed, of the right length."""
    data = small.contents("dalle1")
    length = int.from_bytes(data[:8], "little")
    document, says = altered(json.loads(data[8 : 8 + length]), rng)
    header = json.dumps(document).encode()
    changed = len(header).to_bytes(8, "little") + header + data[8 + length :]
    return Trial(f"header: {says}", lambda folder: (folder / "w.safetensors").write_bytes(changed), WORDS, refused=None, outputs=("o.png",))


def of_configuration(rng: random.Random) -> Trial:
    """Metadata with one value changed, under a right checksum."""
    name = rng.choice(small.NAMES)
    tensors, metadata = small.parts(name)
    part = metadata if rng.random() < 0.15 else metadata["config"]["model" if rng.random() < 0.75 else "sampling"]
    _, says = altered(part, rng) if part else altered(metadata, rng)
    return Trial(f"{name}: {says}", lambda folder: _save(folder, tensors, metadata), call=used, refused=None)


def of_tokenizer(rng: random.Random) -> Trial:
    """A tokenizer with one value changed, under a right checksum."""
    tensors, metadata = small.parts("dalle1")
    document, says = altered(json.loads(metadata["tokenizer"]), rng)
    metadata["tokenizer"] = json.dumps(document) if rng.random() < 0.9 else rng.choice(("", "{}", "[]", "null", "[" * 5000))
    return Trial(f"tokenizer: {says}", lambda folder: _save(folder, tensors, metadata), call=used, refused=None)


def of_tensors(rng: random.Random) -> Trial:
    """A tensor with another shape, kind or name, or with numbers that are none, under a right checksum."""
    name = rng.choice(small.NAMES)
    tensors, metadata = small.parts(name)
    key = rng.choice(sorted(key for key, tensor in tensors.items() if tensor.is_floating_point() and tensor.numel() > 1))
    how = rng.choice(("nan", "inf", "large", "bool", "int8", "int64", "complex64", "float8", "flat", "left out", "added", "renamed"))
    tensor = tensors.pop(key)
    if how in ("nan", "inf"):
        tensor.view(-1)[rng.randrange(tensor.numel())] = float(how)
    kinds = {"bool": torch.bool, "int8": torch.int8, "int64": torch.int64, "complex64": torch.complex64, "float8": torch.float8_e4m3fn}
    made = tensor.to(kinds[how]) if how in kinds else tensor.double() * 1e300 + 1e300 if how == "large" else tensor
    if how != "left out":
        tensors[key + "_" * (how == "renamed")] = (
            made.reshape(1, -1) if how == "flat" and made.ndim != 2 else made.flatten() if how == "flat" else made
        )
    if how == "added":
        tensors["another"] = torch.zeros(3)
    return Trial(f"{name}: {key} {how}", lambda folder: _save(folder, tensors, metadata), call=used)


def of_begin_with(rng: random.Random) -> Trial:
    """Weights to begin with whose history was changed."""
    tensors, metadata = small.parts("dalle1")
    metadata[rng.choice(("before", "run", "system", "config"))] = value = rng.choice(VALUES)

    def call(folder: Path) -> None:
        from tiny_systems import tiny_dalle1

        from dalle_edu.loading import go_on_from

        go_on_from(tiny_dalle1(), folder / "w.safetensors")

    return Trial(f"begin with {value!r}", lambda folder: _save(folder, tensors, metadata), call=call, refused=None)


def _save(folder: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, Any]) -> None:
    text = json.dumps(metadata, ensure_ascii=False)
    if "\ud800" in text:  # half a character, which no file can hold
        metadata = json.loads(text.replace("\ud800", "?"))
    save_checkpoint(folder / "w.safetensors", tensors, metadata)


KINDS: dict[str, Maker] = {
    "bytes": of_bytes,
    "header": of_header,
    "configuration": of_configuration,
    "configuration_again": of_configuration,
    "configuration_once_more": of_configuration,
    "tokenizer": of_tokenizer,
    "tensors": of_tensors,
    "begin_with": of_begin_with,
}
