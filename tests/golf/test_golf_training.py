"""What training may leave: parameters that gradients reached, which changed; from scenes of the split "seen"; within the time."""

import json
import os
import sys
import time
from types import SimpleNamespace

import psutil
import pytest
import torch
from torch import nn

from benchmarks.golf import judge, rules
from benchmarks.golf.game import Game, only_seen_scenes
from benchmarks.golf.timed_process import Outcome, run
from benchmarks.golf.training_process import built, checked
from dalle_edu.errors import DalleEduError
from dalle_edu.world import World, scene_sampler


def game(tmp_path, seed=1, seconds=1000.0, by="wall") -> Game:
    return Game(seed, seconds, by, time.time(), tmp_path / "log.jsonl")


def record(model: nn.Module) -> SimpleNamespace:
    return SimpleNamespace(build=lambda: model)


def learn(model: nn.Module, updates: int = 10) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(updates):
        sum(parameter.square().sum() for parameter in model.parameters() if parameter.requires_grad).backward()
        optimizer.step()
        optimizer.zero_grad()


def test_what_was_learned_is_kept():
    model, begins, counts = built(record(nn.Linear(2, 3)), 0)
    learn(model)
    tensors = checked(model, begins, counts)
    assert {name: tuple(value.shape) for name, value in tensors.items()} == {"weight": (3, 2), "bias": (3,)}
    assert torch.equal(tensors["weight"], model.weight)
    assert counts == {"weight": 10, "bias": 10}


def test_half_precision_may_be_kept_and_tied_weights_too():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    model, begins, counts = built(record(model), 0)
    learn(model)
    assert {value.dtype for value in checked(model.half(), begins, counts).values()} == {torch.float16}


def test_weights_that_were_copied_without_a_gradient_are_refused():
    """A table of rendered pictures, put into the weights."""
    model, begins, counts = built(record(nn.Linear(2, 3)), 0)
    with torch.no_grad():
        model.weight.copy_(torch.ones(3, 2))
        model.bias.copy_(torch.ones(3))
    with pytest.raises(DalleEduError, match="no gradient ever reached weight; at least 10 must"):
        checked(model, begins, counts)


def test_nine_gradients_are_too_few():
    model, begins, counts = built(record(nn.Linear(2, 3)), 0)
    learn(model, updates=9)
    with pytest.raises(DalleEduError, match="9 gradients reached weight"):
        checked(model, begins, counts)


def test_a_parameter_that_did_not_change_is_refused():
    model, begins, counts = built(record(nn.Linear(2, 3)), 0)
    learn(model)
    with torch.no_grad():
        model.bias.copy_(begins["bias"])
    with pytest.raises(DalleEduError, match="bias is as it was before training"):
        checked(model, begins, counts)


def test_a_buffer_is_refused_but_where_it_is_not_kept():
    with pytest.raises(DalleEduError, match="running_mean is a buffer"):
        built(record(nn.BatchNorm1d(2)), 0)
    model = nn.Linear(2, 2)
    model.register_buffer("positions", torch.ones(2), persistent=False)
    built(record(model), 0)


def test_whole_numbers_are_refused():
    model = nn.Module()
    model.table = nn.Parameter(torch.ones(3, dtype=torch.long), requires_grad=False)
    with pytest.raises(DalleEduError, match=r"table holds torch.int64; give floats"):
        built(record(model), 0)


def test_another_tensor_than_those_that_build_gave_is_refused():
    model, begins, counts = built(record(nn.Linear(2, 3)), 0)
    learn(model)
    model.more = nn.Parameter(torch.ones(2))
    with pytest.raises(DalleEduError, match="more was not there before training"):
        checked(model, begins, counts)


def test_too_many_bytes_are_refused(monkeypatch):
    model, begins, counts = built(record(nn.Linear(2, 3)), 0)
    learn(model)
    monkeypatch.setattr(rules, "WEIGHT_BYTES", 35)
    with pytest.raises(DalleEduError, match="the weights have 36 bytes and may have 35"):
        checked(model, begins, counts)


def test_held_out_scenes_are_refused_in_training(monkeypatch):
    for module in [module for name, module in sys.modules.items() if name.startswith("dalle_edu.")]:
        if getattr(module, "sample_scene", None) is scene_sampler.sample_scene:
            monkeypatch.setattr(module, "sample_scene", scene_sampler.sample_scene)  # and put back at the end
    seen = World(4, 7)[3]
    only_seen_scenes()
    assert World(4, 7)[3] == seen
    for split in ("held_out", "all"):
        with pytest.raises(DalleEduError, match=f'scenes of the split "{split}"; it may see "seen" alone'):
            World(4, 7, split)[3]
    with pytest.raises(DalleEduError, match="it may see"):
        scene_sampler.sample_scene(1, split="held_out")


def test_the_seed_alone_determines_the_pictures(tmp_path):
    one, same, other = (game(tmp_path, seed) for seed in (1, 1, 2))
    first, second = one.batch(4), one.batch(4)
    assert first.captions != second.captions
    assert torch.equal(first.pictures, same.batch(4).pictures)
    assert first.captions != other.batch(4).captions
    assert (first.pictures.shape, first.tokens.shape, first.tokens.dtype) == ((4, 3, 32, 32), (4, 20), torch.int64)
    assert one.samples == 8
    assert -1 <= float(first.pictures.min()) < float(first.pictures.max()) <= 1


def test_batches_made_ahead_are_of_a_series_of_their_own_and_count(tmp_path):
    one, same = game(tmp_path), game(tmp_path)
    ahead, again = one.ahead(3, workers=0), same.ahead(3, workers=0)
    first = next(ahead)
    assert first.captions == next(again).captions
    assert first.captions != next(ahead).captions
    assert first.captions != one.batch(3).captions
    assert one.samples == 9


def test_kinds_of_captions_may_be_chosen(tmp_path):
    captions = game(tmp_path).batch(6, {"count": 1.0}).captions
    numbers = {"two", "three", "four", "deux", "trois", "quatre", "2", "3", "4"}
    assert all(numbers & set(caption.split()) for caption in captions)


def test_the_clock_of_the_game(tmp_path, monkeypatch):
    one = game(tmp_path, seconds=100)
    monkeypatch.setattr(time, "time", lambda: one._begun + 25)
    assert one.progress() == 0.25
    monkeypatch.setattr(time, "time", lambda: one._begun + 250)
    assert one.progress() == 1.0
    assert 0 < game(tmp_path, seconds=1e6, by="cpu").progress() < 1


def test_the_log_and_a_number_that_is_no_longer_finite(tmp_path):
    one = game(tmp_path)
    one.log(3, loss=torch.tensor(0.5))
    entry = json.loads((tmp_path / "log.jsonl").read_text())
    assert entry["update"] == 3
    assert entry["loss"] == 0.5
    assert entry.keys() >= {"seconds", "cpu_seconds", "samples"}
    with pytest.raises(DalleEduError, match="loss is no longer finite at update 4"):
        one.log(4, loss=float("nan"))


def ended(pid: int) -> bool:
    """Whether a process that was killed is gone within ten seconds; nobody may have waited for it yet."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_a_process_that_takes_too_long_is_stopped_with_all_that_it_started(tmp_path):
    child = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'while True: pass']).wait()"
    late = run([sys.executable, "-c", child], {}, tmp_path, most_wall=60, most_cpu=0.5)
    assert late.status is None
    assert late.cpu_seconds >= 0.5
    late = run([sys.executable, "-c", "import time; time.sleep(60)"], {}, tmp_path, most_wall=0.3)
    assert late.status is None
    assert 0.3 <= late.wall_seconds < 30
    orphan = """import os, time
if os.fork() == 0:
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(60)
    os._exit(0)
time.sleep(1)
"""
    if hasattr(os, "fork"):
        left = run([sys.executable, "-c", orphan], {}, tmp_path, most_wall=60)
        assert left.wall_seconds < 30
        assert ended(int(left.output))
    fine = run([sys.executable, "-c", "print(input())"], {}, tmp_path, given=b"told\n", most_wall=60)
    assert (fine.status, fine.output) == (0, b"told\n")


def test_the_judge_says_that_training_took_too_long_or_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(judge.calibrate, "measure", lambda: 1.0)
    track = rules.Track("toy", 10)
    outcome = Outcome(None, b"", "", 15.3, 20.0)
    monkeypatch.setattr(judge, "run", lambda *given: outcome)
    with pytest.raises(DalleEduError, match="training took 15 s of wall time and 20 s of CPU, and may take 10 s"):
        judge.trained(tmp_path, track, 1, "wall", print)
    outcome = Outcome(1, b"", "Traceback\n  line 3\nKeyError: 7\n", 1.0, 1.0)
    with pytest.raises(DalleEduError, match=r"(?s)training ended with an error.*KeyError: 7"):
        judge.trained(tmp_path, track, 1, "wall", print)
    outcome = Outcome(3, b"", "no gradient ever reached weight\n", 1.0, 1.0)
    with pytest.raises(DalleEduError, match="^no gradient ever reached weight$"):
        judge.trained(tmp_path, track, 1, "wall", print)
