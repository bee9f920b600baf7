"""What the builder complains of: one form for all faults of a lesson's source, `file:line: what is wrong; what to do`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dalle_edu.errors import DalleEduError
from dalle_edu.language import say

REPOSITORY = Path(__file__).parents[3]


@dataclass(frozen=True, order=True)
class Complaint:
    """A fault in a file: its line, counted from 1, and in both languages what is wrong and what to do."""

    path: Path
    line: int
    en: str
    fr: str

    def __str__(self) -> str:
        return f"{self.place}{say(': ', ' : ')}{say(self.en, self.fr)}"

    @property
    def place(self) -> str:
        """The file and the line, as editors and terminals open them: from the repository on where the file lies in it."""
        path = self.path.resolve()
        return f"{path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else self.path}:{self.line}"


class Faults(DalleEduError):
    """All the faults that were found, in the order of files and lines, one to a line of the message."""

    def __init__(self, complaints: Iterable[Complaint]):
        self.complaints = tuple(sorted(set(complaints)))
        message = "\n".join(map(str, self.complaints))
        super().__init__(message, message)
