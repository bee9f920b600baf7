"""The log of a run, `log.jsonl`: a line of JSON for each entry, of losses or of what an exam along the way saw."""

import json
import math
from pathlib import Path
from typing import Any

from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.training.run import Clock


class RunLog:
    """Entries are added at the end of a file; with no file, as in all processes but the first, they are dropped."""

    def __init__(self, path: Path | None):
        self.path = path

    def write(self, entry: dict[str, Any]) -> None:
        """Add an entry."""
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def losses(self, stage: str, clock: Clock, reading: dict[str, int | float], values: dict[str, float]) -> None:
        """Add an entry of losses. Raises `DalleEduError` where one is no longer finite."""
        if not all(math.isfinite(value) for value in values.values()):
            place = f"{stage}, {clock.update}"
            raise DalleEduError(
                f"the loss is no longer finite ({place}); lower the learning rate, or take another seed and another folder",
                f"la perte n'est plus finie ({place}) ; baissez le pas d'apprentissage, ou prenez une autre graine et un autre dossier",
            )
        self.write({"stage": stage, **reading, **values})

    def trim(self, reached: dict[str, int]) -> None:
        """Drop what was logged of each stage after the update that its checkpoint has `reached`: it will be logged again."""
        if self.path is None or not self.path.exists():
            return
        kept = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # the line that a kill cut short
            if entry["update"] <= reached.get(entry["stage"], 0):
                kept.append(line + "\n")
        write_aside(self.path, lambda file: file.write("".join(kept).encode()))
