"""An exercise from the beginning: its cell as it was, and nothing known of what was tried."""

import contextlib

from dalle_edu.classroom.desk import record
from dalle_edu.classroom.desk.notebook import names, shell
from dalle_edu.classroom.desk.opening import no_lesson, not_found, opened
from dalle_edu.language import say


def reset(which: str | int) -> None:
    """Begin an exercise of the open lesson again, given by name or number.

    A new cell below holds the exercise as it was, and the cells above stay. Its tries and its right answer are forgotten, and its names are
    removed from the notebook, so that it is not done. Outside of notebooks the exercise is printed.
    """
    lesson = opened()
    exercise = None if lesson is None else lesson.find(which)
    if lesson is None or exercise is None:
        print(no_lesson() if lesson is None else not_found(lesson, which))
        return
    record.forget(lesson.name, exercise.key)
    running, known = shell(), names()
    if running is None:
        print(exercise.stub)
        return
    for name in exercise.names:
        known.pop(name, None)
    if exercise.is_own:  # its values become `...`, so that the cells which read them say whose turn it is
        with contextlib.suppress(Exception):
            exec(exercise.stub, known)
    running.set_next_input(exercise.stub)
    en = f"Exercise {exercise.number} begins again, in the cell below: fill it in, run it, then run its check."
    fr = f"L'exercice {exercise.number} recommence, dans la cellule ci-dessous : complétez-la, lancez-la, puis relancez sa vérification."
    print(say(en, fr))
