"""What a run came to, told by its log."""

from pathlib import Path
from typing import Any

from dalle_edu.training.log import read_entries


def summary(folder: Path) -> dict[str, Any]:
    """The updates, the wall and CPU seconds, the last loss and the last marks of a run, in all and, under "stages", for each stage that
    the log of its folder speaks of. Marks are the rates of skills in [0, 1] in the exams along the way; what was not measured is None.
    """
    stages: dict[str, dict[str, Any]] = {}
    for entry in read_entries(folder / "log.jsonl"):
        nothing = {"updates": 0, "seconds": 0.0, "cpu_seconds": 0.0, "loss": None, "marks": None}
        stage = stages.setdefault(entry["stage"], nothing)
        stage["updates"] = entry["update"]
        for ours, theirs in (("seconds", "seconds"), ("cpu_seconds", "cpu_seconds"), ("loss", "loss"), ("marks", "skills")):
            stage[ours] = entry.get(theirs, stage[ours])
    totals = {name: round(sum(stage[name] for stage in stages.values()), 2) for name in ("updates", "seconds", "cpu_seconds")}
    last = {name: next((stage[name] for stage in reversed(stages.values()) if stage[name] is not None), None) for name in ("loss", "marks")}
    return {**totals, **last, "stages": stages}
