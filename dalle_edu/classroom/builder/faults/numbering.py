"""The number of a lesson: that of its file, and its own alone."""

import re
from collections.abc import Iterator, Sequence

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.source import Lesson


def faults(lesson: Lesson) -> Iterator[Complaint]:
    """A number that is not the file's. The page that students begin on has none."""
    found = re.match(r"(\d\d)_[a-z0-9_]+$", lesson.name)
    line = lesson.lines.get("number", 1)
    if found is None and lesson.number:
        yield Complaint(
            lesson.path,
            line,
            f"the file is called {lesson.name}, and its number is {lesson.number}; call it {lesson.number}_name.py",
            f"le fichier s'appelle {lesson.name}, et son numéro est {lesson.number} ; appelez-le {lesson.number}_nom.py",
        )
    elif found is not None and lesson.number != found[1] and (lesson.number or "number" in lesson.lines):
        yield Complaint(
            lesson.path,
            line,
            f'the number is "{lesson.number}", and the file is called {lesson.name}; make them the same',
            f"le numéro est \"{lesson.number}\", et le fichier s'appelle {lesson.name} ; mettez-les d'accord",
        )


def shared(lessons: Sequence[Lesson]) -> Iterator[Complaint]:
    """Lessons that bear the number of an earlier one."""
    seen: dict[str, Lesson] = {}
    for lesson in lessons:
        first = seen.setdefault(lesson.number, lesson)
        if lesson.number and first is not lesson:
            yield Complaint(
                lesson.path,
                lesson.lines.get("number", 1),
                f"number {lesson.number} is that of {first.path.name} too; give each lesson its own",
                f"le numéro {lesson.number} est aussi celui de {first.path.name} ; donnez à chaque leçon le sien",
            )
