"""The clock of a stage of training."""

from dataclasses import dataclass


@dataclass
class Clock:
    """The clock of a stage: its budget, in updates or in seconds, the updates made, and the wall and CPU seconds spent on them."""

    budget_updates: int | None
    budget_seconds: float | None
    update: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    looks: int = 0  # exams along the way that are done

    @property
    def progress(self) -> float:
        """The part of the stage that is done, in [0, 1]."""
        if self.budget_updates is not None:
            return self.update / self.budget_updates
        return min(1.0, self.seconds / (self.budget_seconds or 1.0))

    def reading(self) -> dict[str, int | float]:
        """The updates and seconds so far, for the log."""
        return {"update": self.update, "seconds": round(self.seconds, 2), "cpu_seconds": round(self.cpu_seconds, 2)}
