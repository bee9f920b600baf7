"""What a run watches over while it trains: its numbers, its folder, and the conditions that its weights depend on."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from broken_run import SHORT, entries, goes_on

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.training import loop
from dalle_edu.training.ema import EMA
from dalle_edu.training.folder import occupied
from dalle_edu.training.loop import train

# ---------------------------------------------------------------- numbers that are no longer finite


@contextlib.contextmanager
def spoilt_at_8() -> Iterator[None]:
    """One NaN in one parameter, after update 8."""
    follow = EMA.update

    def spoilt(self: EMA, parameters: Any, count: int) -> None:
        follow(self, parameters, count)
        if count == 7:
            with torch.no_grad():
                parameters[3][1].view(-1)[0] = float("nan")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(EMA, "update", spoilt)
        yield


def test_a_nan_in_a_weight_is_found_before_it_is_saved(folder, undisturbed):
    message = r"dvae\S+ is no longer finite \(codec, update 8\); the checkpoint of codec, update 7, is whole.*--rate"
    with spoilt_at_8(), pytest.raises(DalleEduError, match=message):
        train(SHORT, folder, device="cpu", quiet=True)
    assert load_checkpoint(folder / "checkpoint.safetensors")[1]["clocks"][0]["update"] == 7
    goes_on(folder, undisturbed)


def test_a_nan_is_found_by_the_loss_and_before_the_first_checkpoint_too(tmp_path):
    rarely = replace(SHORT, save_every=1e9)
    with spoilt_at_8(), pytest.raises(DalleEduError, match=r"the loss is no longer finite \(codec, update 10\); nothing was saved before"):
        train(rarely, tmp_path, device="cpu", quiet=True)
    assert not list(tmp_path.glob("*.safetensors"))


@pytest.mark.parametrize(("value", "begins"), [(0.0, True), (float("nan"), False), (float("inf"), False)])
def test_weights_to_begin_with_are_finite_and_need_no_history(value, begins, tmp_path, undisturbed):
    tensors, metadata = load_checkpoint(undisturbed["folder"] / "dalle1.safetensors")
    name = next(name for name in tensors if name.startswith("gpt.") and tensors[name].ndim == 1)
    tensors[name][0] = value
    save_checkpoint(tmp_path / "mine.safetensors", tensors, {key: metadata[key] for key in ("system", "config", "tokenizer")})
    run = replace(SHORT, updates=4, only="prior", begin_with=str(tmp_path / "mine.safetensors"))
    if begins:
        train(run, tmp_path / "second", device="cpu", quiet=True)
        assert load_checkpoint(tmp_path / "second" / "dalle1.safetensors")[1]["before"] == []
    else:
        with pytest.raises(DalleEduError, match="holds numbers that are infinite or not a number"):
            train(run, tmp_path / "second", device="cpu", quiet=True)
        assert not (tmp_path / "second").exists()


def test_a_weight_too_large_for_its_file_is_not_published(tmp_path, monkeypatch):
    follow = EMA.update

    def huge(self: EMA, parameters: Any, count: int) -> None:
        follow(self, parameters, count)
        if any(name.startswith("gpt.") for name in self.weights):
            next(iter(self.weights.values())).view(-1)[0] = 1e6

    monkeypatch.setattr(EMA, "update", huge)
    with pytest.raises(DalleEduError, match="half precision"):
        train(SHORT, tmp_path, device="cpu", quiet=True)
    assert not (tmp_path / "dalle1.safetensors").exists()


# ---------------------------------------------------------------- one process at a time, and what killed ones left


def test_a_second_process_is_refused_and_leaves_everything(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    program = (
        f"from tiny_training import *; train(replace(RUN, updates=16, batch_size=2, exam=0), {str(folder)!r}, device='cpu', quiet=True)"
    )
    code = f"from dataclasses import replace\ntry:\n    exec({program!r})\nexcept Exception as e:\n    print(type(e).__name__, e)"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    with occupied(folder, "dalle1.safetensors"):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240, env=environment, check=True)
    assert "DalleEduError another process is training in" in done.stdout
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_lock_that_nobody_holds_any_more_blocks_nobody(folder, undisturbed):
    (folder / "run.lock").write_bytes(b"")  # as a process leaves it that was killed
    goes_on(folder, undisturbed)


def test_a_folder_that_was_made_for_nothing_is_removed(tmp_path):
    with pytest.raises(DalleEduError, match="nowhere"):
        train(replace(SHORT, begin_with="nowhere.safetensors"), tmp_path / "new", device="cpu", quiet=True)
    assert not (tmp_path / "new").exists()


def test_what_killed_writes_left_is_removed_and_nothing_else(folder, undisturbed):
    (folder / "sheets").mkdir(exist_ok=True)
    ours = [".checkpoint.new.safetensors.abc_1234", ".checkpoint.safetensors.abcdefgh", ".run.json.abcdefgh", ".log.jsonl.kept.abcdefgh"]
    ours += [".dalle1.safetensors.abcdefgh", "sheets/.codec-000006.png.abcdefgh", "checkpoint.new.safetensors", "log.jsonl.kept"]
    theirs = [".mine.abcdefgh", ".checkpoint.safetensors.backup", ".run.json.ABCDEFGH", "sheets/.note", "note.txt"]
    for name in (*ours, *theirs):
        (folder / name).write_bytes(b"left")
    goes_on(folder, undisturbed)
    assert not [name for name in ours if (folder / name).exists()]
    assert all((folder / name).read_bytes() == b"left" for name in theirs)


# ---------------------------------------------------------------- other conditions


def test_other_conditions_are_told_and_logged(folder, monkeypatch, capsys):
    real = loop.conditions
    assert load_checkpoint(folder / "checkpoint.safetensors")[1]["conditions"]["threads"] == 1
    monkeypatch.setattr(loop, "conditions", lambda *given: real(*given) | {"threads": 3, "torch": "9.9"})
    train(SHORT, folder, device="cpu", quiet=True)
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert f"(torch {torch.__version__} → 9.9, threads 1 → 3)" in said
    logged = [entry for entry in entries(folder) if "conditions" in entry]
    assert [(entry["update"], entry["conditions"]["threads"]) for entry in logged] == [(0, 1), (6, 3)]
    assert load_checkpoint(folder / "checkpoint.safetensors")[1]["conditions"]["threads"] == 3


def test_the_same_conditions_are_not_told(folder, undisturbed, capsys):
    goes_on(folder, undisturbed)
    assert capsys.readouterr().err == ""
    assert sum("conditions" in entry for entry in entries(folder)) == 1
