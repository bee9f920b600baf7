"""What can be wrong in a lesson's source, one file for each kind of fault. Each yields `Complaint`s, at the finest line it can tell.

Every fault of a lesson is found in one run: a cell that is no Python, or a marker that cannot be read, hides nothing of the others.
"""

from collections.abc import Iterator, Sequence

from dalle_edu.classroom.builder.complaints import Complaint, Faults
from dalle_edu.classroom.builder.faults import (
    code,
    exercises,
    languages,
    links,
    markers,
    markup,
    numbering,
    numbers,
    pictures,
    structure,
    typography,
)
from dalle_edu.classroom.builder.source import Lesson

KINDS = (markers, numbering, structure, languages, typography, numbers, pictures, links, markup, code, exercises)


def problems(lesson: Lesson, lessons: Sequence[str] = ()) -> Iterator[Complaint]:
    """All faults in a lesson's source; `lessons` are the names of those that it may link to, besides itself."""
    for kind in KINDS:
        yield from links.faults(lesson, lessons) if kind is links else kind.faults(lesson)


def check_lesson(lesson: Lesson) -> None:
    """Raise `Faults` with all that is wrong in a lesson's source."""
    faults = list(problems(lesson))
    if faults:
        raise Faults(faults)
