"""Small models and files, made once in a process: what the bad inputs are made from."""

import io
import json
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from PIL import Image

sys.path.append(str(Path(__file__).parents[2] / "tests"))

NAMES = ("dalle1", "dalle_mini", "dalle2", "imagen", "vqgan_clip", "clip")


@cache
def _kept() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="fuzz_small_")  # removed when the process ends


def _place() -> Path:
    return Path(_kept().name)


@cache
def checkpoint(name: str) -> Path:
    """The weights of a small untrained system."""
    from tiny_systems import TINY, tiny_clip

    torch.manual_seed(0)
    model = (TINY | {"clip": tiny_clip})[name]()
    path = _place() / f"{name}.safetensors"
    model.save(path, {"run": {"seed": 0}, "before": []})
    return path


@cache
def contents(name: str) -> bytes:
    """The bytes of a small system's weights."""
    return checkpoint(name).read_bytes()


def warm_up() -> None:
    """Import and make what all trials share, which takes longer than one of them."""
    from dalle_edu.loading import load_critic

    for name in NAMES:
        checkpoint(name)
    load_critic(f"local-dir:{folder_of_open_clip()}")


def parts(name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors and the metadata of a small system, which may be changed."""
    from dalle_edu.checkpoints.checkpoint import load_checkpoint

    return load_checkpoint(checkpoint(name))


@cache
def picture(form: str = "PNG", side: int = 32) -> bytes:
    """A picture file."""
    file = io.BytesIO()
    Image.effect_noise((side, side), 60).convert("RGB").save(file, form)
    return file.getvalue()


@cache
def folder_of_open_clip() -> Path:
    """A small CLIP as a folder of open_clip's."""
    from dalle_edu.loading import load_model
    from dalle_edu.publishing.open_clip_export import export_to_open_clip

    return export_to_open_clip(load_model(checkpoint("clip")), _place() / "there")  # type: ignore[arg-type]


def json_of(path: Path) -> Any:
    """What a JSON file holds."""
    return json.loads(path.read_text(encoding="utf-8"))
