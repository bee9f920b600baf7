"""A training run that was killed, for tests of what may have happened to its files."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import RUN

from dalle_edu.checkpoints.checkpoint import load_checkpoint
from dalle_edu.systems.dalle1 import DallE1
from dalle_edu.training.loop import train

SHORT = replace(RUN, updates=16, batch_size=2, exam=0)
WORDS = ["train", "dalle1", "--preset", "tiny", "--seed", 3, "--updates", 16, "--batch-size", 2, "--exam", 0, "--save-every", 0]
WORDS += ["--device", "cpu"]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("undisturbed")
    train(SHORT, folder, device="cpu", quiet=True)
    return {"weights": load_checkpoint(folder / "dalle1.safetensors")[0], "log": entries(folder), "folder": folder}


@pytest.fixture(scope="session")
def broken(tmp_path_factory) -> Path:
    """A run that was killed in the middle of its first stage, at update 6, after two checkpoints or more."""
    folder, loss, calls = tmp_path_factory.mktemp("broken"), DallE1.loss, iter(range(100))

    def break_off(*args: Any, **options: Any) -> Any:
        if next(calls) == 6:
            raise MemoryError
        return loss(*args, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DallE1, "loss", break_off)
        with pytest.raises(MemoryError):
            train(SHORT, folder, device="cpu", quiet=True)
    return folder


@pytest.fixture
def folder(broken, tmp_path) -> Path:
    return Path(shutil.copytree(broken, tmp_path / "run"))


def entries(folder: Path) -> list[dict]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if not key.endswith("seconds")} for line in lines]


def goes_on(folder: Path, undisturbed: dict[str, Any]) -> None:
    """Train to the end, and compare with the run that was left alone."""
    train(SHORT, folder, device="cpu", quiet=True)
    weights = load_checkpoint(folder / "dalle1.safetensors")[0]
    assert weights.keys() == undisturbed["weights"].keys()
    assert all(torch.equal(value, undisturbed["weights"][name]) for name, value in weights.items())


def refused(answer: tuple[int, str, str], folder: Path, *words: str) -> None:
    status, _, err = answer
    assert status == 1
    assert len(err.strip().splitlines()) == 1, err
    for word in words:
        assert word in err
    assert not (folder / "dalle1.safetensors").exists()
