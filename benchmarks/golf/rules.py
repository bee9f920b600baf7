"""The rules as data: the tracks and their time, the sizes of what a record is and keeps, and how many questions it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

RESOLUTION, TEXT_LENGTH = 32, 20  # pixels on a side; tokens of a caption
CORES = 2
FILE_BYTES = 40_000  # of a record's file
WEIGHT_BYTES = 10_000_000  # of what training leaves
LITERAL_NUMBERS = 64  # in one list, tuple, set or dictionary written in the file
ALL_LITERAL_NUMBERS = 1_000  # in all of them
TEXT_CHARACTERS = 400  # of one string that is no docstring
ALL_TEXT_CHARACTERS = 4_000  # of all of them
LARGEST_INTEGER = 2**64
LEAST_GRADIENTS = 10  # that must have reached each parameter
DRAWING_SECONDS = 0.25  # calibrated seconds of CPU for a picture, on average
STARTING_SECONDS = 20.0  # before a drawing process has the first prompt
DRAWN_TOGETHER = 64  # prompts in a call of `draw`
BEYOND_CHANCE = 0.10  # what a probe's mean over the skills may have above guessing
SEEDS = (1, 2, 3)  # of a record
REFUSED = 3  # the exit status of a process whose record broke a rule
BY = ("wall", "cpu")  # what a run's time is counted in


@dataclass(frozen=True)
class Track:
    """A track: its name, its time in seconds of the wall's clock on two cores, the questions of an exam and those of a probe."""

    name: str
    wall_seconds: float
    prompts: int = 1024
    probe_prompts: int = 256

    def seconds(self, by: str) -> float:
        """The time of a run, counted `by` the wall's clock or by CPU seconds: those of two cores."""
        return self.wall_seconds * (CORES if by == "cpu" else 1)

    def most_seconds(self, by: str) -> float:
        """The time past which a run is stopped and does not count: 2 % and five seconds later."""
        return self.seconds(by) * 1.02 + 5

    def shortened(self, wall_seconds: float | None, prompts: int | None) -> "Track":
        """The track with less time or fewer questions, to try a file: what comes of it is no record."""
        probe = self.probe_prompts if prompts is None else min(self.probe_prompts, prompts)
        return replace(
            self,
            wall_seconds=self.wall_seconds if wall_seconds is None else wall_seconds,
            prompts=self.prompts if prompts is None else prompts,
            probe_prompts=probe,
        )


def drawing_seconds(pictures: int, calibration: Sequence[float]) -> float:
    """The CPU seconds that drawing so many pictures may take, on a machine whose known work took so long before and after training.

    A slow machine has more of them in proportion; a fast one has no fewer.
    """
    return (DRAWING_SECONDS * pictures + STARTING_SECONDS) * max(1.0, sum(calibration) / len(calibration))


TRACKS = {"dalle1": Track("dalle1", 300), "diffusion": Track("diffusion", 1200)}
