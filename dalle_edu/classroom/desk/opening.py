"""Opening a lesson: its language, its exercises, a line in place of the traceback of an undone exercise, and a word of welcome back."""

import linecache
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from dalle_edu.classroom.checking.verdict import is_graded
from dalle_edu.classroom.desk import record
from dalle_edu.classroom.desk.exercises import Exercise, exercises
from dalle_edu.classroom.desk.notebook import names, shell
from dalle_edu.language import say, speak


@dataclass(frozen=True)
class Opened:
    """The lesson that is open: its name, its exercises, of which there are none where their file is missing, and whether it is graded."""

    name: str
    exercises: tuple[Exercise, ...]
    graded: bool = False

    def find(self, which: str | int) -> Exercise | None:
        """The exercise of a number, of a name that its cell defines, or of a key."""
        wanted = str(which).strip()
        return next((one for one in self.exercises if wanted in (str(one.number), one.key, *one.names)), None)

    def asking(self, what: str) -> Exercise | None:
        """The exercise one of whose values `expect` calls `what`."""
        return next((one for one in self.exercises if what in one.asked), None)

    def listed(self) -> str:
        """The exercises by number and name, for a sentence."""
        return ", ".join(f"{one.number} ({one.names[0]})" for one in self.exercises)


_opened: list[Opened] = []  # the lesson that is open, the last one


def open_lesson(name: str, language: str, graded: bool = False) -> None:
    """Open a lesson, such as "01_perceptron", in a language such as "en".

    Messages speak that language. `check` and `expect` note what becomes of the lesson's exercises, unless it is `graded`. In a notebook, an
    exercise that is not done says so in a line, wherever it is called, instead of a traceback; all other errors stay as they are. Raises
    `ValueError` for a language that is not in the table.
    """
    speak(language)
    _opened[:] = [Opened(name, exercises(name, language), graded)]
    running = shell()
    if running is not None:
        running.set_custom_exc(*UNDONE)
    if opened() is not None:
        _welcome_back(name)


def opened() -> Opened | None:
    """The lesson that is open; none before one is, in graded editions, and once a judge is strict."""
    return _opened[0] if _opened and not _opened[0].graded and not is_graded() else None


def no_lesson() -> str:
    """The sentence for what needs an open lesson where there is none."""
    if is_graded() or (_opened and _opened[0].graded):
        en = "A graded edition keeps no progress and gives no solution."
        return say(en, "Une édition notée ne garde rien et ne donne aucune solution.")
    en = "No lesson is open: run its first cell, then this one."
    return say(en, "Aucune leçon n'est ouverte : lancez sa première cellule, puis celle-ci.")


def not_found(lesson: Opened, which: str | int) -> str:
    """The sentence for an exercise that the open lesson does not have, or whose file is missing."""
    if not lesson.exercises:
        return say("The exercises of this lesson are not installed here.", "Les exercices de cette leçon ne sont pas installés ici.")
    en = f"There is no exercise “{which}” in this lesson; there are {lesson.listed()}."
    return say(en, f"Cette leçon n'a pas d'exercice « {which} » ; elle a {lesson.listed()}.")


# ---------------------------------------------------------------- pieces


def _welcome_back(name: str) -> None:
    known = names()
    mine = [key for key, entry in record.entries(name).items() if entry.right and key.split(":")[-1] not in known]
    if mine:
        how_many = say(
            f"{len(mine)} exercise{'s are' if len(mine) > 1 else ' is'} yours",
            f"{len(mine)} exercice{'s sont' if len(mine) > 1 else ' est'} de vous",
        )
        en = f"Welcome back: {how_many} already. To have your answers here again, run take_up() in a cell."
        print(say(en, f"Bon retour : {how_many} déjà. Pour retrouver vos réponses ici, lancez take_up() dans une cellule."))


def _your_turn(running: Any, kind: type[BaseException], error: BaseException, trace: TracebackType, tb_offset: int | None = None) -> None:
    """IPython's handler of `NotImplementedError`: a line for an exercise that is not done, the traceback for all else."""
    name = undone_exercise(trace)
    if name is None:
        running.showtraceback((kind, error, trace), tb_offset=tb_offset)
    else:
        print(say(f"… `{name}` is not written yet: your turn.", f"… `{name}` n'est pas encore écrit : à vous."))


def undone_exercise(trace: TracebackType) -> str | None:
    """The exercise whose own line `raise NotImplementedError` ended a traceback; none where another line did."""
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    line = linecache.getline(code.co_filename, trace.tb_lineno).strip()
    name = code.co_qualname.split(".")[0]
    written_here = name != "<module>" and trace.tb_frame.f_globals is names()
    known = not _opened or not _opened[0].exercises or _opened[0].find(name) is not None
    return name if line.startswith("raise NotImplementedError") and written_here and known else None


UNDONE = ((NotImplementedError,), _your_turn)  # what IPython is told of exercises that are not done
