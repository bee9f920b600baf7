"""The log of a run, `log.jsonl`: a line of JSON for each entry, which holds losses or the results of an exam along the way."""

import json
import math
from pathlib import Path
from typing import Any

from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.training.run import Clock


class RunLog:
    """A file to whose end entries are added. With None in place of a path, as in all processes but the first, entries are dropped."""

    def __init__(self, path: Path | None):
        self.path = path

    def write(self, entry: dict[str, Any]) -> None:
        """Add an entry: anything that JSON can hold."""
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def losses(self, stage: str, clock: Clock, reading: dict[str, int | float], values: dict[str, float]) -> None:
        """Add an entry of a stage's losses, with what its clock reads. Raises `DalleEduError` where a loss is no longer finite."""
        if not all(math.isfinite(value) for value in values.values()):
            place = f"{stage}, {clock.update}"
            raise DalleEduError(
                f"the loss is no longer finite ({place}); lower the learning rate, or take another seed and another folder",
                f"la perte n'est plus finie ({place}) ; baissez le pas d'apprentissage, ou prenez une autre graine et un autre dossier",
            )
        self.write({"stage": stage, **reading, **values})

    def trim(self, reached: dict[str, int]) -> None:
        """Drop what was logged after the checkpoint, since training will log it again.

        `reached` gives for each stage the number of updates in the checkpoint; a stage that it does not name had none.
        """
        if self.path is None or not self.path.exists():
            return
        kept = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # a line that was cut short when the process was killed
            if entry["update"] <= reached.get(entry["stage"], 0):
                kept.append(line + "\n")
        write_aside(self.path, lambda file: file.write("".join(kept).encode()))
