"""A sealed checkpoint is believed no further than it can be checked: the run goes on from the one before it, or says why it cannot."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from broken_run import WORDS, entries, goes_on, refused
from tiny_systems import build
from torch import Tensor

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint


def sealed_again(folder: Path, spoil: Callable[[dict, dict], Any]) -> Path:
    """The checkpoint of a run, sealed again with tensors or metadata that `spoil` has changed, and with none before it."""
    path = folder / "checkpoint.safetensors"
    tensors, metadata = load_checkpoint(path)
    spoil(tensors, metadata)
    save_checkpoint(path, tensors, metadata)
    (folder / "checkpoint.before.safetensors").unlink()
    return path


def clocks(**changes: Any) -> Callable[[dict], None]:
    return lambda metadata: metadata["clocks"][0].update(changes)


FACTS: dict[str, Callable[[dict], Any]] = {
    "stage 99": lambda m: m.update(stage=99),
    "stage -1": lambda m: m.update(stage=-1),
    "stage 3, all done": lambda m: m.update(stage=3),
    "stage 1, before its time": lambda m: m.update(stage=1),
    "stage true": lambda m: m.update(stage=True),
    "stage as text": lambda m: m.update(stage="0"),
    "no stage": lambda m: m.pop("stage"),
    "no clocks": lambda m: m.pop("clocks"),
    "clocks as a number": lambda m: m.update(clocks=7),
    "two clocks": lambda m: m["clocks"].pop(),
    "a clock as a list": lambda m: m.update(clocks=[[], [], []]),
    "a clock without update": lambda m: m["clocks"][0].pop("update"),
    "a clock with more": clocks(colour=1),
    "update as text": clocks(update="6"),
    "update NaN": clocks(update=float("nan")),
    "update 2.5": clocks(update=2.5),
    "update -1": clocks(update=-1),
    "update past the end": clocks(update=10**9),
    "seconds as text": clocks(seconds="1"),
    "seconds NaN": clocks(seconds=float("nan")),
    "seconds infinite": clocks(cpu_seconds=float("inf")),
    "looks -1": clocks(looks=-1),
    "another budget": clocks(budget_updates=10),
    "a budget of seconds": clocks(budget_seconds=1.0),
    "a run as a list": lambda m: m.update(run=[1]),
    "no run": lambda m: m.pop("run"),
    "before 5": lambda m: m.update(before=5),
    "before of numbers": lambda m: m.update(before=[5]),
    "conditions as a list": lambda m: m.update(conditions=[1]),
}


@pytest.mark.parametrize("spoil", FACTS.values(), ids=FACTS.keys())
def test_a_sealed_checkpoint_whose_facts_cannot_be_is_refused_in_a_sentence(spoil, folder, run):
    path = sealed_again(folder, lambda _, metadata: spoil(metadata))
    left = path.read_bytes()
    refused(run(*WORDS, "--run", folder), folder, "checkpoint.safetensors", "folder")
    assert path.read_bytes() == left


@pytest.mark.parametrize("stage", [99, 4, 3, 1, -1])
def test_a_stage_that_was_not_reached_publishes_nothing(stage, folder, run):
    """Between two stages a checkpoint holds weights alone: nothing but the clocks says how far the run has come."""
    path = folder / "checkpoint.safetensors"
    tensors, metadata = load_checkpoint(path)
    (folder / "checkpoint.before.safetensors").unlink()
    weights = {name: value for name, value in tensors.items() if name.startswith("system.")}
    save_checkpoint(path, weights, metadata | {"stage": stage})
    refused(run(*WORDS, "--run", folder), folder, "checkpoint.safetensors", f"its stage cannot be ({stage})")


def test_settings_of_another_kind_are_other_settings(folder, run):
    for changes in ({"seed": [1] * 100_000}, {"rate": float("nan")}, {"colour": "red"}):
        for name in ("checkpoint.safetensors", "checkpoint.before.safetensors"):
            tensors, metadata = load_checkpoint(folder / name)
            metadata["run"] |= changes
            save_checkpoint(folder / name, tensors, metadata)
        answer = run(*WORDS, "--run", folder)
        refused(answer, folder, "other settings", next(iter(changes)))
        assert len(answer[2]) < 1000


def _first(tensors: dict[str, Tensor], prefix: str) -> str:
    return next(name for name in sorted(tensors) if name.startswith(prefix) and tensors[name].numel() > 1)


def replaced(prefix: str, change: Callable[[Tensor], Tensor]) -> Callable[[dict], Any]:
    def spoil(tensors: dict[str, Tensor]) -> None:
        name = _first(tensors, prefix)
        tensors[name] = change(tensors[name])

    return spoil


def nan(tensor: Tensor) -> Tensor:
    spoilt = tensor.clone()
    spoilt.view(-1)[-1] = float("nan")
    return spoilt


TENSORS: dict[str, Callable[[dict], Any]] = {
    "a weight of another shape": replaced("system.", lambda t: t.flatten()[:-1].clone()),
    "a weight of whole numbers": replaced("system.", lambda t: t.to(torch.int8)),
    "a weight in double": replaced("system.", lambda t: t.double()),
    "a NaN in a weight": replaced("system.", nan),
    "a NaN in the average": replaced("ema.", nan),
    "a NaN in a moment": replaced("optimizer.", nan),
    "a moment of another shape": replaced("optimizer.", lambda t: t.flatten()[:-1].clone()),
    "an average of another shape": replaced("ema.", lambda t: t[:1].clone() if len(t) > 1 else t.flatten()[:0]),
    "no weights": lambda t: [t.pop(name) for name in list(t) if name.startswith("system.")],
    "no average": lambda t: [t.pop(name) for name in list(t) if name.startswith("ema.")],
    "a moment without its step": lambda t: t.pop(next(name for name in t if name.endswith(".step"))),
    "an optimiser too many": lambda t: t.update({"optimizer.9.0.exp_avg": torch.zeros(2)}),
    "a moment without a number": lambda t: t.update({"optimizer.exp_avg": torch.zeros(2)}),
    "a tensor of another name": lambda t: t.update({"colours": torch.zeros(2)}),
    "nothing": lambda t: t.clear(),
}


@pytest.mark.parametrize("spoil", TENSORS.values(), ids=TENSORS.keys())
def test_tensors_of_another_recipe_and_numbers_that_are_not_finite_are_refused(spoil, folder, run):
    sealed_again(folder, lambda tensors, _: spoil(tensors))
    refused(run(*WORDS, "--run", folder), folder, "checkpoint.safetensors", "folder")


def _final_weights(path: Path) -> None:
    build("dalle1").save(path, metadata={"run": {}})


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _no_file(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [_final_weights, _cut, _empty, _no_file])
def test_a_run_goes_on_from_the_checkpoint_before_a_damaged_one(spoil, folder, undisturbed, run, capsys):
    whole = (folder / "checkpoint.before.safetensors").read_bytes()
    spoil(folder / "checkpoint.safetensors")
    spoil_both = folder.with_name("both")
    shutil.copytree(folder, spoil_both)
    goes_on(folder, undisturbed)
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert "checkpoint.damaged.safetensors" in said
    assert os.path.lexists(folder / "checkpoint.damaged.safetensors")
    assert entries(folder) == undisturbed["log"]
    spoil(spoil_both / "checkpoint.before.safetensors")
    refused(run(*WORDS, "--run", spoil_both), spoil_both, "checkpoint.safetensors")
    assert whole


def test_two_checkpoints_are_kept(folder):
    newest, before = (load_checkpoint(folder / name)[1] for name in ("checkpoint.safetensors", "checkpoint.before.safetensors"))
    assert newest["clocks"][0]["update"] == 6
    assert before["clocks"][0]["update"] == 5
