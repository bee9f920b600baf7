"""The solution of an exercise, to be opened by who has tried twice."""

from dalle_edu.classroom.desk import record
from dalle_edu.classroom.desk.attempts import TRIES
from dalle_edu.classroom.desk.notebook import Sheet, listing
from dalle_edu.classroom.desk.opening import no_lesson, not_found, opened
from dalle_edu.language import say


def solution(which: str | int) -> Sheet:
    """The solution of an exercise of the open lesson, given by name or number, as the lesson would write it.

    It comes after two different wrong versions, or a right one, to compare; before, a sentence says how many tries are left. Graded
    editions have none.
    """
    lesson = opened()
    if lesson is None:
        return Sheet(no_lesson())
    exercise = lesson.find(which)
    if exercise is None:
        return Sheet(not_found(lesson, which))
    entry = record.entries(lesson.name).get(exercise.key, record.Entry())
    left = TRIES - len(entry.tries)
    if left > 0 and not entry.done:
        en = f"Try twice first: the solution opens after {left} more wrong version{'s' * (left > 1)} that you have had checked."
        fr = f"Essayez deux fois d'abord : la solution s'ouvre après {left} autre{'s' * (left > 1)} version{'s' * (left > 1)} "
        fr += f"fausse{'s' * (left > 1)}, une fois vérifiée{'s' * (left > 1)}."
        return Sheet(say(en, fr))
    return Sheet(exercise.solution, listing(exercise.solution))
