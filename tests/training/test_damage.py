"""Whatever happens to a run's files, it goes on from a whole checkpoint to the same weights, or says in one sentence why it cannot."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_systems import build
from tiny_training import RUN
from torch import Tensor

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.dalle1 import DallE1
from dalle_edu.training import loop
from dalle_edu.training.ema import EMA
from dalle_edu.training.folder import occupied
from dalle_edu.training.log import RunLog
from dalle_edu.training.loop import train

SHORT = replace(RUN, updates=16, batch_size=2, exam=0)
WORDS = ["train", "dalle1", "--preset", "tiny", "--seed", 3, "--updates", 16, "--batch-size", 2, "--exam", 0, "--save-every", 0]
WORDS += ["--device", "cpu"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("undisturbed")
    train(SHORT, folder, device="cpu", quiet=True)
    return {"weights": load_checkpoint(folder / "dalle1.safetensors")[0], "log": entries(folder), "folder": folder}


@pytest.fixture(scope="module")
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


# ---------------------------------------------------------------- the log


LINES = {
    "no update": b'{"stage": "codec"}\n',
    "a number": b"5\n",
    "null": b"null\n",
    "a list": b"[]\n",
    "a byte FF": b"\xff\n",
    "deep": b"[" * 100_000 + b"\n",
    "a long line": b'{"stage": "codec", "update": 1, "x": "' + b"x" * (3 << 20) + b'"}\n',
    "a long number": b'{"stage": "codec", "update": ' + b"9" * 5000 + b"}\n",
    "an update of another kind": b'{"stage": "codec", "update": [1]}\n{"stage": ["codec"], "update": 1}\n',
    "zeros": bytes(5000) + b"\n",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_the_lines_that_can_be_read_are_kept(line, folder):
    log, told = folder / "log.jsonl", list[str]()
    good = log.read_bytes()
    log.write_bytes(line + good + line)
    RunLog(log, told.append).trim({"codec": 6})
    assert log.read_bytes() == good
    assert (folder / "log.aside-1.jsonl").read_bytes() == line + good + line
    assert len(told) == 1
    assert "log.aside-1.jsonl" in told[0]


def test_a_damaged_log_is_put_aside_and_stops_nothing(folder, undisturbed, capsys):
    log = folder / "log.jsonl"
    log.write_bytes(b"".join(LINES.values()) + log.read_bytes())
    goes_on(folder, undisturbed)
    assert entries(folder) == undisturbed["log"]
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert "has 11 lines that cannot be read; it is now called log.aside-1.jsonl" in said


def test_a_line_that_was_cut_short_is_dropped_without_a_word(folder, undisturbed, capsys):
    with (folder / "log.jsonl").open("ab") as file:
        file.write(b'{"stage": "cod')
    goes_on(folder, undisturbed)
    assert entries(folder) == undisturbed["log"]
    assert capsys.readouterr().err == ""
    assert not list(folder.glob("log.aside*"))


def _pipe(log: Path) -> None:
    os.mkfifo(log)


def _loop(log: Path) -> None:
    log.symlink_to(log)


def _folder(log: Path) -> None:
    log.mkdir()
    (log / "mine.txt").write_text("mine")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
@pytest.mark.parametrize("make", [_pipe, _folder, _loop])
def test_what_stands_in_the_place_of_a_log_is_put_aside(make, folder, undisturbed, capsys):
    (folder / "log.jsonl").unlink()
    make(folder / "log.jsonl")
    goes_on(folder, undisturbed)
    assert os.path.lexists(folder / "log.aside-1.jsonl")
    assert (folder / "log.jsonl").is_file()
    assert "log.aside-1.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("when", ["at the start", "later"])
def test_where_nothing_can_be_logged_the_run_goes_on(when, folder, undisturbed, capsys, monkeypatch):
    """A pipe that nobody reads stands in the log's place, from the start (and cannot be renamed) or from the first entry on."""

    def cannot(*_: Any) -> None:
        raise PermissionError(13, "no")

    if when == "at the start":
        (folder / "log.jsonl").unlink()
        (folder / "log.jsonl").mkdir()
        monkeypatch.setattr(os, "rename", cannot)
    else:
        monkeypatch.setattr(loop.RunLog, "trim", lambda self, reached: (self.path.unlink(), os.mkfifo(self.path)))
    goes_on(folder, undisturbed)
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert "logs nothing more" in said


def test_a_log_that_may_only_be_read_is_written_all_the_same(folder, undisturbed):
    (folder / "log.jsonl").chmod(0o444)
    goes_on(folder, undisturbed)
    assert entries(folder) == undisturbed["log"]


# ---------------------------------------------------------------- the checkpoint


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
    path = folder / "checkpoint.safetensors"
    tensors, metadata = load_checkpoint(path)
    spoil(metadata)
    save_checkpoint(path, tensors, metadata)
    (folder / "checkpoint.before.safetensors").unlink()
    left = path.read_bytes()
    refused(run(*WORDS, "--run", folder), folder, "checkpoint.safetensors", "folder")
    assert path.read_bytes() == left


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
    path = folder / "checkpoint.safetensors"
    tensors, metadata = load_checkpoint(path)
    spoil(tensors)
    save_checkpoint(path, tensors, metadata)
    (folder / "checkpoint.before.safetensors").unlink()
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
