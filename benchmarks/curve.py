"""Curves: the marks of a training run against its time, read from the `log.jsonl` in its folder.

    python -m benchmarks.curve RUN... [--png curve.png]

In the first stages marks are those of reconstructions: the best that the prior, trained in the last stage, can reach.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from benchmarks.measuring import table
from dalle_edu.scorecard.marks import SKILLS

# Okabe and Ito's colours, which colour-blind readers tell apart (grey in place of their yellow, too pale for a line), and markers
COLOURS = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#999999", "#0072B2", "#D55E00", "#CC79A7")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


@dataclass(frozen=True)
class Look:
    """One exam along the way: when it was, and the rate of each skill in [0, 1].

    Seconds are those of all stages so far, without the exams. CPU seconds are NaN for logs that do not hold them.
    """

    stage: str
    update: int
    seconds: float
    cpu_seconds: float
    skills: dict[str, float]


def read_looks(folder: str | Path) -> list[Look]:
    """The exams in a run's log, in order. Lines that were cut short are left out. Raises `FileNotFoundError` where there is no log."""
    looks: list[Look] = []
    before = reached = (0.0, 0.0)  # wall and CPU seconds of the stages that are over, and those read last
    stage = ""
    for line in (Path(folder) / "log.jsonl").read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry["stage"] != stage:
            stage, before = entry["stage"], reached
        reached = before[0] + entry["seconds"], before[1] + entry.get("cpu_seconds", math.nan)
        if "skills" in entry:
            looks.append(Look(stage, entry["update"], *reached, entry["skills"]))
    return looks


def looks_table(looks: Sequence[Look]) -> str:
    """A table with a line for each exam: stage, update, minutes, and every skill in percent."""
    rows = [
        [look.stage, look.update, f"{look.seconds / 60:.1f}", "—" if math.isnan(look.cpu_seconds) else f"{look.cpu_seconds / 60:.1f}"]
        + [f"{look.skills[skill]:.0%}" if skill in look.skills else "—" for skill in SKILLS]
        for look in looks
    ]
    return table(["stage", "update", "minutes", "CPU minutes", *SKILLS], rows)


def reached_table(looks: Sequence[Look], stage: str, rates: Sequence[float] = (0.5, 0.8, 0.9, 0.95, 0.98)) -> str:
    """A table of the minutes, all stages counted, after which each skill first reached each rate, in [0, 1], in `stage`."""

    def first(skill: str, rate: float) -> str:
        minutes = (look.seconds / 60 for look in looks if look.stage == stage and look.skills.get(skill, 0.0) >= rate)
        return next((f"{minute:.1f}" for minute in minutes), "—")

    rows = [[skill, *(first(skill, rate) for rate in rates)] for skill in SKILLS]
    return table([f"minutes to ({stage})", *(f"{rate:.0%}" for rate in rates)], rows)


class Unit(NamedTuple):
    """The unit of time in a figure: its name, and a function that gives the minutes of a look."""

    name: str
    minutes: Callable[[Look], float]


def unit_of(runs: dict[str, Sequence[Look]]) -> Unit:
    """CPU minutes where every log has them, wall minutes otherwise."""
    if any(math.isnan(look.cpu_seconds) for looks in runs.values() for look in looks):
        return Unit("minutes", lambda look: look.seconds / 60)
    return Unit("CPU minutes", lambda look: look.cpu_seconds / 60)


def picture(runs: dict[str, Sequence[Look]], path: str | Path) -> None:
    """Write a PNG with a panel for each run, called by its key, and a line for each skill, against minutes."""
    from matplotlib.figure import Figure

    unit = unit_of(runs)
    figure = Figure(figsize=(1.5 + 6.5 * len(runs), 5), layout="constrained")
    panels = figure.subplots(1, len(runs), sharey=True, squeeze=False)[0]
    for panel, (name, looks) in zip(panels, runs.items(), strict=True):
        for skill, colour, marker in zip(SKILLS, COLOURS, MARKERS, strict=True):
            for stage in dict.fromkeys(look.stage for look in looks):
                seen = [look for look in looks if look.stage == stage and skill in look.skills]
                last = stage == looks[-1].stage
                panel.plot(
                    [unit.minutes(look) for look in seen], [100 * look.skills[skill] for look in seen],
                    color=colour, marker=marker, markersize=5, linewidth=1.8, linestyle="-" if last else ":", alpha=1 if last else 0.6,
                    label=skill.replace("_", " ") if last else None,
                )  # fmt: skip
        for before, after in pairwise(looks):
            if before.stage != after.stage:
                panel.axvline(unit.minutes(before), color="#666666", linewidth=1)
                panel.annotate(f" {after.stage}", (unit.minutes(before), 1), color="#444444")
        panel.set(title=name, xlabel=f"{unit.name} of training, all stages", ylim=(0, 101), xlim=(0, None))
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("pictures that pass, %")
    panels[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.savefig(path, dpi=150, metadata={"Description": describe(runs)})


def describe(runs: dict[str, Sequence[Look]]) -> str:
    """A description of the figure, for those who cannot see it."""
    ends = [
        f"{name} ends after {unit_of(runs).minutes(looks[-1]):.0f} {unit_of(runs).name} with "
        + ", ".join(f"{skill.replace('_', ' ')} {rate:.0%}" for skill, rate in looks[-1].skills.items())
        for name, looks in runs.items()
    ]
    return f"Score of each skill against {unit_of(runs).name} of training. " + "; ".join(ends) + "."


def main() -> None:
    """`python -m benchmarks.curve RUN... [--png FILE]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, help="folders of runs, as dalle-edu train leaves them")
    parser.add_argument("--png", type=Path, help="draw the curves here")
    options = parser.parse_args()
    runs: dict[str, Sequence[Look]] = {}
    for folder in options.runs:
        try:
            runs[folder.name] = read_looks(folder)
        except OSError as error:
            sys.exit(f"{folder} holds no log of a run: {error.strerror}")
        if not runs[folder.name]:
            sys.exit(f"{folder} has not been examined yet: its log holds no marks")
        print(f"{folder}\n\n{looks_table(runs[folder.name])}\n\n{reached_table(runs[folder.name], runs[folder.name][-1].stage)}\n")
    if options.png:
        picture(runs, options.png)
        print(f"{options.png}: {describe(runs)}")


if __name__ == "__main__":
    main()
