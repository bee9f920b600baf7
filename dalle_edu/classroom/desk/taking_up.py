"""The next day: right answers come back into a notebook that has just been started."""

from typing import Any

from dalle_edu.classroom.builder.hollow import free_names
from dalle_edu.classroom.desk import record
from dalle_edu.classroom.desk.notebook import shell
from dalle_edu.classroom.desk.opening import UNDONE, no_lesson, opened
from dalle_edu.language import say


def take_up() -> None:
    """Run the student's right answers to the open lesson again, as cells, in the order of the exercises, and say which they are.

    They are the student's own code, kept in the file of the progress when a check found it right. Nothing else is run, and nothing is run
    unless the student calls this. An answer that stops is named, with its error; the others still come.
    """
    lesson, running = opened(), shell()
    if lesson is None or running is None:
        works = say("Answers are taken up in a notebook.", "On reprend ses réponses dans un notebook.")
        print(no_lesson() if lesson is None else works)
        return
    known = record.entries(lesson.name)
    numbers = {one.key: one.number for one in lesson.exercises}
    kept = sorted((key for key, entry in known.items() if entry.right), key=lambda key: numbers.get(key, 0))
    taken, stopped = list[str](), list[str]()
    ahead = len(running.user_ns["In"]) - running.execution_count  # 1 where IPython counts this cell only when it ends
    running.execution_count += ahead
    for key in kept:
        error, name = _run(running, known[key].right), key.split(":")[-1]
        if error is None:
            taken.append(f"`{name}`")
        else:
            stopped.append(f"`{name}` ({type(error).__name__}: {error})")
    running.execution_count -= ahead
    if not kept:
        print(say("No answer to this lesson is kept yet.", "Aucune réponse à cette leçon n'est encore gardée."))
    if taken:
        print(say(f"Taken up: {', '.join(taken)}.", f"Reprises : {', '.join(taken)}."))
    absent = sorted(set().union(*(_read(known[key].right) for key in kept)) - set(running.user_ns))
    if absent and not stopped:
        missing = ", ".join(f"`{name}`" for name in absent)
        en = f"They read {missing}, which this notebook does not have yet: run the cells that define it before you use them."
        print(
            say(
                en,
                f"Elles lisent {missing}, que ce notebook n'a pas encore : lancez les cellules qui le définissent avant de vous en servir.",
            )
        )
    if stopped:
        en = f"Not taken up, since they stop here: {', '.join(stopped)}. Run the lesson up to that exercise, then take_up() again."
        fr = f"Non reprises, car elles s'arrêtent ici : {', '.join(stopped)}. Lancez la leçon jusqu'à cet exercice, puis encore take_up()."
        print(say(en, fr))


def _read(source: str) -> set[str]:
    """The names that an answer needs from other cells."""
    try:
        return free_names(source)
    except SyntaxError:  # it has commands of IPython
        return set()


def _run(running: Any, source: str) -> BaseException | None:
    """The error that stopped an answer; None where it ran to its end. No traceback is shown."""
    running.set_custom_exc((Exception,), lambda running, kind, error, trace, tb_offset=None: None)
    try:
        done = running.run_cell(source, store_history=True)
    finally:
        running.set_custom_exc(*UNDONE)
    return done.error_before_exec or done.error_in_exec
