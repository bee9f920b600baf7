"""Endurance: what a training run goes through and still ends with the same weights, bit for bit.

    python -m benchmarks.endurance [--kills 50] [--in-writes 10] [--updates 400] [--seed 0]

A tiny DALL·E 1 is trained once undisturbed, and once more in another folder, where it meets SIGKILL at random moments and in the middle of
saves, every signal that stops politely, a NaN in one weight, a damaged log, a damaged checkpoint and a second process. The command ends
with an error where anything is lost. Linux only.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from dalle_edu.bricks.dvae import DVAEConfig
from dalle_edu.bricks.gpt import GPTConfig
from dalle_edu.checkpoints.checkpoint import load_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.dalle1 import PRESETS, DallE1Config, DallE1Model, DallE1Recipe, dalle1_stages
from dalle_edu.training.ema import EMA
from dalle_edu.training.folder import BEFORE, CHECKPOINT, WRITTEN
from dalle_edu.training.loop import train
from dalle_edu.training.run import Run

PRESETS["endurance"] = DallE1Config(
    DallE1Model(DVAEConfig(resolution=32, num_codes=16, width=16, depth=1), GPTConfig(num_codes=16, width=32, depth=1, heads=2)),
    DallE1Recipe(dalle1_stages(codec_share=0.5, batch_size=4)),
)
POINTS = ("write", "first", "second")
_children = multiprocessing.get_context("forkserver")


def work(folder: str, run: Run) -> None:
    """Train in `folder`; on standard output, the sentence of an error."""
    torch.set_num_threads(1)
    try:
        train(run, folder, device="cpu", quiet=True)
    except DalleEduError as error:
        print(f"    says: {error}", flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def work_and_die(folder: str, run: Run, point: str, save: int) -> None:
    """Train until SIGKILL in the save number `save`: half through the "write", or before the "first" or the "second" renaming."""
    saves, write, rename = 0, os.fsync, os.replace

    def cut(descriptor: int) -> None:
        nonlocal saves
        if f".{WRITTEN}." in os.readlink(f"/proc/self/fd/{descriptor}"):
            saves += 1
            if point == "write" and saves == save:
                os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)
        write(descriptor)

    def renamed(one: Any, other: Any) -> None:
        if saves == save and {"first": BEFORE, "second": CHECKPOINT}.get(point) == os.path.basename(other):
            os.kill(os.getpid(), signal.SIGKILL)
        rename(one, other)

    os.fsync, os.replace = cut, renamed  # type: ignore[assignment]
    work(folder, run)


def work_with_a_nan(folder: str, run: Run, after: int) -> None:
    """Train with a NaN put in one number of one parameter, `after` updates from the beginning of this process."""
    follow, met = EMA.update, 0

    def spoilt(self: EMA, parameters: Any, count: int) -> None:
        nonlocal met
        follow(self, parameters, count)
        met += 1
        if met == after:
            with torch.no_grad():
                parameters[0][1][(0,) * parameters[0][1].ndim] = float("nan")

    EMA.update = spoilt  # type: ignore[method-assign]
    work(folder, run)


def measure(kills: int, in_writes: int, updates: int, seed: int, root: Path) -> bool:
    """Print what a run went through. Returns whether it ended with the weights and the log of the run that was left alone."""
    run = Run("dalle1", "endurance", seed=3, updates=updates, exam=2, save_every=0.0)
    whole, tried, draws = root / "undisturbed", root / "tried", random.Random(seed)
    began = time.monotonic()
    print(f"undisturbed, {updates} updates: exit {_end(_start(work, whole, run))}, {time.monotonic() - began:.0f} s", flush=True)

    met: Counter[str] = Counter()
    for place in draws.sample(["at random"] * (kills - in_writes) + ["in a save"] * in_writes, kills):
        if place == "in a save":
            point = POINTS[met[place] % len(POINTS)]
            status = _end(_start(work_and_die, tried, run, point, draws.randint(1, 3)))
            place_met = f"in a save ({point})"
            met[place] += 1
        else:
            child = _start(work, tried, run)
            _wait_for_saves(tried, child, 2)
            time.sleep(draws.random() * 0.1)
            os.kill(child.pid, signal.SIGKILL)
            status, place_met = _end(child), place
        met[f"SIGKILL {place_met}" if status == -signal.SIGKILL else f"exit {status} {place_met}"] += 1
    done = _updates(tried)
    print(
        "; ".join(f"{count} × {name}" for name, count in sorted(met.items()) if name != "in a save") + f"; {done} updates made", flush=True
    )

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        child = _start(work, tried, run)
        _wait_for_saves(tried, child, 2)
        os.kill(child.pid, getattr(signal, name))
        print(f"{name}: exit {_end(child)}, {_updates(tried)} updates saved", flush=True)

    print("a NaN in one weight, 3 updates on:", flush=True)
    found = [_end(_start(work_with_a_nan, tried, run, 3))]
    print(f"    exit {found[0]}, {_updates(tried)} updates saved\nthe same at update 12 of a run that has saved nothing yet:", flush=True)
    found.append(_end(_start(work_with_a_nan, root / "nan", replace(run, save_every=1e9), 12)))
    print(f"    exit {found[1]}, {len(list((root / 'nan').glob('*.safetensors')))} files of weights in its folder", flush=True)

    log = tried / "log.jsonl"
    log.write_bytes(b'{"stage": "codec"}\n5\nnull\n[]\n\xff\n' + b"[" * 100_000 + b"\n" + log.read_bytes())
    (tried / CHECKPOINT).write_bytes((tried / CHECKPOINT).read_bytes()[:-1000])
    print("a damaged log and a cut checkpoint, then two processes at once:", flush=True)
    one = _start(work, tried, run)
    _wait_for_saves(tried, one, 2)
    status = _end(_start(work, tried, run))
    print(f"    the second: exit {status}; the first: exit {_end(one)}", flush=True)

    same = _same(whole, tried)
    left = {path.name for path in tried.rglob("*")} - {path.name for path in whole.rglob("*")}
    print(f"weights bit for bit: {same['weights']}; log: {same['log']}; files more: {', '.join(sorted(left)) or 'none'}", flush=True)
    kept_aside = {"log.aside-1.jsonl", "checkpoint.damaged.safetensors"}
    return found == [1, 1] and status == 1 and all("exit" not in name for name in met) and all(same.values()) and left == kept_aside


def _start(target: Any, folder: Path, *arguments: Any) -> Any:
    child = _children.Process(target=target, args=(str(folder), *arguments))
    child.start()
    return child


def _end(child: Any) -> int:
    child.join()
    return child.exitcode


def _wait_for_saves(folder: Path, child: Any, saves: int) -> None:
    """Wait until a child has saved so many times, or ended."""
    seen: set[int] = set()
    while child.is_alive() and len(seen) <= saves:
        with contextlib.suppress(OSError):
            seen.add((folder / CHECKPOINT).stat().st_mtime_ns)
        time.sleep(0.001)


def _updates(folder: Path) -> int:
    path = folder / CHECKPOINT if (folder / CHECKPOINT).exists() else folder / BEFORE
    return sum(clock["update"] for clock in load_checkpoint(path)[1]["clocks"])


def _same(one: Path, other: Path) -> dict[str, bool]:
    """Whether two runs ended with the same weights, and logged the same but for seconds."""
    (ours, facts), (theirs, others) = (load_checkpoint(folder / "dalle1.safetensors") for folder in (one, other))
    weights = facts == others and ours.keys() == theirs.keys() and all(torch.equal(value, theirs[name]) for name, value in ours.items())
    logs = []
    for folder in (one, other):
        entries = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        logs.append([{key: value for key, value in entry.items() if not key.endswith("seconds")} for entry in entries])
    return {"weights": weights, "log": logs[0] == logs[1]}


def main() -> None:
    """`python -m benchmarks.endurance [--kills N] [--in-writes N] [--updates N] [--seed N]`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endurance", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="how many times a process is killed")
    parser.add_argument("--in-writes", type=int, default=10, help="how many of them in the middle of a save")
    parser.add_argument("--updates", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    _children.set_forkserver_preload(["dalle_edu.training.loop"])
    with tempfile.TemporaryDirectory() as root:
        good = measure(asked.kills, asked.in_writes, asked.updates, asked.seed, Path(root))
    print("nothing was lost" if good else "SOMETHING WAS LOST")
    sys.exit(not good)


if __name__ == "__main__":
    main()
