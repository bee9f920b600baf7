"""Digests of what every system draws in its exam: equal before and after a change that moves, renames or formats code.

    python -m benchmarks.digests before.json                         on the commit before
    python -m benchmarks.digests after.json --against before.json    after the change: pictures and marks that differ, by system

Digests can be compared on one machine, with one thread and the same number of prompts: processors, and batches of another size, round
differently.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import dalle_edu
from dalle_edu.loading import trained_systems
from dalle_edu.scorecard import score


class Recorder:
    """A system that keeps the SHA-256 of every picture that it draws, under `digests`."""

    def __init__(self, system: Any):
        self.system, self.digests = system, []

    def generate(self, prompts: Sequence[str], *, seed: int) -> Tensor:
        """The system's pictures."""
        images = self.system.generate(prompts, seed=seed)
        self.digests += [hashlib.sha256(image.contiguous().numpy().tobytes()).hexdigest() for image in images]
        return images


def examined(name: str, prompts: int) -> dict[str, Any]:
    """The digests of a system's pictures for so many prompts, and its marks."""
    recorder = Recorder(dalle_edu.load(name))
    report = score(recorder, name, prompts)
    marks = {split: {skill: [rate.correct, rate.n] for skill, rate in report.rates(split=split).items()} for split in ("seen", "held_out")}
    return {"digests": recorder.digests, "marks": marks}


def main() -> None:
    """Write the digests, compare them with earlier ones, and exit with status 1 if any differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.digests", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--prompts", type=int, default=512)
    parser.add_argument("--systems", default=",".join(trained_systems()))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    found = {name: examined(name, asked.prompts) for name in asked.systems.split(",")}
    asked.out.write_text(json.dumps(found) + "\n")
    before = json.loads(asked.against.read_text()) if asked.against else {}
    differs = False
    for name, now in found.items():
        line = f"{name}: {len(now['digests'])} pictures, {hashlib.sha256(''.join(now['digests']).encode()).hexdigest()[:16]}"
        if name in before:
            pairs = list(zip(before[name]["digests"], now["digests"], strict=True))
            others, same_marks = sum(one != other for one, other in pairs), before[name]["marks"] == now["marks"]
            differs |= bool(others) or not same_marks
            line += f"; {others} differ, marks {'equal' if same_marks else 'differ'}"
        print(line)
    sys.exit(1 if differs else 0)


if __name__ == "__main__":
    main()
