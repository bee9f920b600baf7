"""Folders with a model of open_clip: configurations, weights and tokenizers that were changed, or left out."""

import json
import random
import shutil
from pathlib import Path

import torch

from dalle_edu.loading import load_critic
from dalle_edu.publishing.open_clip_export import CONFIGURATION, TOKENIZER, TOKENIZER_SETTINGS, WEIGHTS
from tools.fuzz import small
from tools.fuzz.hostile import altered, mutated
from tools.fuzz.trial import Maker, Trial

PICKLE = b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94."


def of_configuration(rng: random.Random) -> Trial:
    """A configuration with one value changed."""
    document, says = altered(small.json_of(small.folder_of_open_clip() / CONFIGURATION), rng)
    return _trial(says, lambda folder: (folder / CONFIGURATION).write_text(json.dumps(document)), None)


def of_files(rng: random.Random) -> Trial:
    """A file left out, cut, changed, or a pickle in its place."""
    name = rng.choice((CONFIGURATION, WEIGHTS, WEIGHTS, TOKENIZER, TOKENIZER_SETTINGS))
    how = rng.choice(("left out", "cut", "changed", "pickle", "empty", "pickle beside"))
    data = (small.folder_of_open_clip() / name).read_bytes()
    made = {"cut": data[: rng.randrange(len(data))], "changed": mutated(data, rng), "pickle": PICKLE, "empty": b""}

    def change(folder: Path) -> None:
        (folder / name).unlink()
        if how == "pickle beside":
            (folder / "open_clip_pytorch_model.bin").write_bytes(PICKLE)
        if how in made:
            (folder / name).write_bytes(made[how])

    sure = name == WEIGHTS and how != "changed"
    return _trial(f"{name} {how}", change, True if sure else None)


def _trial(says: str, change, refused: bool | None) -> Trial:
    def prepare(folder: Path) -> None:
        shutil.copytree(small.folder_of_open_clip(), folder / "there")
        change(folder / "there")

    def call(folder: Path) -> None:
        found = load_critic("local-dir:there").similarity(torch.zeros(1, 3, 32, 32), ["a red circle"])
        assert torch.isfinite(found).all(), "scores that are no numbers"

    return Trial(f"open_clip: {says}", prepare, call=call, refused=refused)


KINDS: dict[str, Maker] = {"open_clip": of_configuration, "open_clip_files": of_files}
