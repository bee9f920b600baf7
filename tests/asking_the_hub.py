"""Asking Hugging Face's hub of the tests (`networks.hub`) for the weights that it publishes, and what is said where they do not come."""

from pathlib import Path

import pytest

from dalle_edu.checkpoints.hub import weights_of
from dalle_edu.errors import DalleEduError

NAME, REPOSITORY = "ViT-B-32/small", "someone/small/"  # open_clip ends its names of repositories so


def fetched(say=lambda message: None) -> Path:
    return weights_of(NAME, REPOSITORY, say=say)


def refusal(say=lambda message: None) -> str:
    with pytest.raises(DalleEduError) as caught:
        fetched(say)
    said = str(caught.value)
    assert said.startswith(f"{NAME} is not on this machine and cannot be fetched: "), said
    assert "\n" not in said
    return said.partition("fetched: ")[2]


def left(folder: Path) -> list[str]:
    """The files of weights in the hub's cache, whole or not."""
    return [path.name for path in folder.rglob("*") if path.parent.name == "blobs" or path.suffix in (".safetensors", ".incomplete")]
