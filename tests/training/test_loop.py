"""Training: it learns, it leaves what it promises behind, and it goes on from a kill as if nothing had happened."""

import contextlib
import json
import multiprocessing
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_systems import build
from tiny_training import RUN, train_tiny

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.training.ema import EMA
from dalle_edu.training.loop import _networks, train
from dalle_edu.training.run import Run

spawn = multiprocessing.get_context("forkserver")  # a clean process that has imported everything, from which each run is forked
spawn.set_forkserver_preload(["tiny_training"])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    child = spawn.Process(target=train_tiny, args=(str(folder),))
    child.start()
    child.join()
    assert child.exitcode == 0
    return folder


def assert_same_run(one: Path, other: Path) -> None:
    weights, metadata = load_checkpoint(one / "dalle1.safetensors")
    others, other_facts = load_checkpoint(other / "dalle1.safetensors")
    assert metadata == other_facts
    assert weights.keys() == others.keys()
    for name, value in weights.items():
        assert torch.equal(value, others[name]), name

    def losses(folder: Path) -> list[dict]:
        entries = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        return [{k: v for k, v in entry.items() if not k.endswith("seconds")} for entry in entries]

    assert losses(one) == losses(other)


def test_a_run_leaves_what_it_promises(undisturbed):
    assert json.loads((undisturbed / "run.json").read_text())["updates"] == RUN.updates
    log = [json.loads(line) for line in (undisturbed / "log.jsonl").read_text().splitlines()]
    assert {entry["stage"] for entry in log} == {"codec", "decoder", "prior"}
    assert any("skills" in entry for entry in log)
    assert sorted(undisturbed.glob("sheets/codec-*.png"))
    assert sorted(undisturbed.glob("sheets/prior-*.png"))
    first = [entry["loss"] for entry in log if "loss" in entry and entry["stage"] == "prior"]
    assert first[-1] < first[0]


def test_twice_the_same_run_gives_the_same_weights(undisturbed, tmp_path):
    child = spawn.Process(target=train_tiny, args=(str(tmp_path),))
    child.start()
    child.join()
    assert_same_run(undisturbed, tmp_path)


@pytest.mark.slow
def test_killed_at_six_random_moments_it_ends_with_the_same_weights(undisturbed, tmp_path):
    generator, kills = random.Random(0), 0
    while kills < 6:
        child = spawn.Process(target=train_tiny, args=(str(tmp_path),))
        child.start()
        reached = time.monotonic()
        before = _update(tmp_path)
        while child.is_alive() and _update(tmp_path) < before + 2 and time.monotonic() - reached < 60:
            time.sleep(0.005)  # let it make a little way, or six kills would be six starts
        time.sleep(generator.random() * 0.04)
        if not child.is_alive():
            break
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        kills += 1
    assert kills == 6
    child = spawn.Process(target=train_tiny, args=(str(tmp_path),))
    child.start()
    child.join()
    assert child.exitcode == 0
    assert_same_run(undisturbed, tmp_path)


def _update(folder: Path) -> int:
    for name in ("checkpoint.safetensors", "checkpoint.before.safetensors"):  # while one takes the other's place, the other is there
        with contextlib.suppress(DalleEduError):
            return sum(clock["update"] for clock in load_checkpoint(folder / name)[1]["clocks"])
    return 0


def test_an_interrupt_saves_and_the_run_goes_on(undisturbed, tmp_path):
    child = spawn.Process(target=train_tiny, args=(str(tmp_path),))
    child.start()
    while child.is_alive() and _update(tmp_path) < 3:
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGINT)
    child.join()
    assert child.exitcode != 0
    assert 0 < _update(tmp_path) < RUN.updates
    assert not list(tmp_path.glob(".*"))
    child = spawn.Process(target=train_tiny, args=(str(tmp_path),))
    child.start()
    child.join()
    assert_same_run(undisturbed, tmp_path)


def test_a_folder_with_another_run_is_left_alone(undisturbed):
    before = (undisturbed / "checkpoint.safetensors").read_bytes()
    with pytest.raises(DalleEduError, match=r"other settings \(seed 3\); .* another folder"):
        train(replace(RUN, seed=4), undisturbed, device="cpu", quiet=True)
    assert (undisturbed / "checkpoint.safetensors").read_bytes() == before


def test_a_run_that_an_older_version_began_goes_on(undisturbed, tmp_path):
    tensors, metadata = load_checkpoint(undisturbed / "checkpoint.safetensors")
    older = {key: value for key, value in metadata["run"].items() if key not in ("only", "begin_with", "foundations")}
    save_checkpoint(tmp_path / "checkpoint.safetensors", tensors, {key: metadata[key] for key in ("stage", "clocks")} | {"run": older})
    train(RUN, tmp_path, device="cpu", quiet=True)
    weights, expected = load_checkpoint(tmp_path / "dalle1.safetensors")[0], load_checkpoint(undisturbed / "dalle1.safetensors")[0]
    assert all(torch.equal(value, expected[name]) for name, value in weights.items())


@pytest.mark.parametrize(
    "run",
    [
        Run("dalle1", "huge", updates=10),
        Run("dalle1"),
        Run("dalle1", updates=10, minutes=1.0),
        Run("dalle1", updates=0),
        Run("dalle1", minutes=-1.0),
        Run("dalle1", updates=10, batch_size=0),
        Run("dalle1", updates=10, rate=0.0),
        Run("dalle7", updates=10),
    ],
)
def test_bad_settings_are_refused_before_anything_is_written(run, tmp_path):
    with pytest.raises(DalleEduError):
        train(run, tmp_path / "run", device="cpu", quiet=True)
    assert not (tmp_path / "run").exists()


def test_swapping_the_average_twice_changes_nothing():
    weights = [("w", torch.nn.Parameter(torch.randn(5)))]
    ema = EMA(weights)
    with torch.no_grad():
        weights[0][1].add_(1.0)
    ema.update(weights, count=0)
    before, averaged = weights[0][1].clone(), ema.weights["w"].clone()
    ema.swap(weights)
    assert torch.equal(weights[0][1], averaged)
    ema.swap(weights)
    assert torch.equal(weights[0][1], before)
    assert torch.equal(ema.weights["w"], averaged)


def test_a_run_goes_on_from_the_weights_of_another(undisturbed, tmp_path):
    weights = undisturbed / "dalle1.safetensors"
    again = replace(RUN, seed=5, updates=8, only="prior", begin_with=str(weights))
    train(again, tmp_path, device="cpu", quiet=True)
    old, old_facts = load_checkpoint(weights)
    new, metadata = load_checkpoint(tmp_path / "dalle1.safetensors")
    assert metadata["before"] == [old_facts["run"] | {"machine": old_facts["machine"]}]
    assert metadata["run"]["only"] == "prior"
    for name, value in new.items():
        assert torch.equal(value, old[name]) == (not name.startswith("gpt.")), name
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {entry["stage"] for entry in log} == {"prior"}
    assert log[-1]["update"] == 8  # all of them for the one stage


@pytest.mark.parametrize("begun", [False, True])
def test_a_run_goes_through_all_stages_from_the_first_whatever_it_begins_with(begun, tmp_path):
    first = replace(RUN, updates=6, batch_size=2, exam=0, save_every=60.0)
    train(first, tmp_path / "first", device="cpu", quiet=True)
    run = replace(first, seed=9, begin_with=str(tmp_path / "first" / "dalle1.safetensors") if begun else None)
    system = train(run, tmp_path / "second", device="cpu", quiet=True)
    log = [json.loads(line) for line in (tmp_path / "second" / "log.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(entry["stage"] for entry in log)) == [stage.name for stage in system.stages]
    before, after = (load_checkpoint(tmp_path / name / "dalle1.safetensors")[0] for name in ("first", "second"))
    for part in ("dvae.encoder", "dvae.decoder", "gpt.blocks"):
        assert any(not torch.equal(before[name], after[name]) for name in before if name.startswith(part)), part


def test_a_smaller_rate_moves_weights_less(undisturbed, tmp_path):
    weights = undisturbed / "dalle1.safetensors"
    before, moved = load_checkpoint(weights)[0], {}
    for rate in (1.0, 0.01):
        run = replace(RUN, updates=8, only="prior", begin_with=str(weights), rate=rate)
        train(run, tmp_path / str(rate), device="cpu", quiet=True)
        after = load_checkpoint(tmp_path / str(rate) / "dalle1.safetensors")[0]
        moved[rate] = sum(float((after[name].float() - before[name].float()).norm()) for name in after if name.startswith("gpt."))
    assert 0 < moved[0.01] < moved[1.0] / 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"only": "painting"}, "no stage"),
        ({"only": "prior"}, "begin"),
        ({"begin_with": "nowhere.safetensors"}, "nowhere"),
    ],
)
def test_stages_and_beginnings_that_are_not_there_are_refused(tmp_path, changes, message):
    with pytest.raises(DalleEduError, match=message):
        train(replace(RUN, **changes), tmp_path, device="cpu", quiet=True)
    assert not (tmp_path / "run.json").exists()


def test_weights_of_another_preset_are_no_beginning(undisturbed, tmp_path):
    wrong = replace(RUN, preset="laptop", begin_with=str(undisturbed / "dalle1.safetensors"))
    with pytest.raises(DalleEduError, match="preset"):
        train(wrong, tmp_path, device="cpu", quiet=True)


def test_compiling_reaches_what_is_called():
    base_model = build("imagen").base  # whose loss is no forward
    assert list(_networks(base_model)) == [base_model.unet]
    assert list(_networks(base_model.unet)) == [base_model.unet]
