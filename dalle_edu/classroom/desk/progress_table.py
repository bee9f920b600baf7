"""Where the student stands in the open lesson: a small table, and the classic mistakes that were met, in words."""

from html import escape
from pathlib import Path
from typing import Any

from dalle_edu.classroom.desk import record
from dalle_edu.classroom.desk.notebook import Sheet, paragraphs
from dalle_edu.classroom.desk.opening import Opened, no_lesson, opened
from dalle_edu.language import say


def progress(forget: bool = False) -> Sheet:
    """The exercises of the open lesson: which are done, how often each was tried, and the classic mistakes that were met.

    `forget` deletes what is kept, for all lessons. Raises `DalleEduError` where the file cannot be deleted.
    """
    if forget:
        return forget_progress()
    lesson = opened()
    if lesson is None:
        return Sheet(no_lesson())
    rows, met = _rows(lesson), _met(lesson)
    heads = [say("exercise", "exercice"), say("level", "niveau"), say("state", "état"), say("wrong versions", "versions fausses")]
    done = sum(row[2] for row in rows)
    title = say(f"Your progress: {done} of {len(rows)} exercises", f"Votre progression : {done} exercices sur {len(rows)}")
    words = [(name, level, say("done", "fait") if right else say("not yet", "pas encore"), tries) for name, level, right, tries in rows]
    lines = [f"{name:<40} {'●' * level:<4} {state:<12} {tries or ''}".rstrip() for name, level, state, tries in words]
    body = "".join(
        f'<tr><th scope="row" style="text-align: left">{escape(name)}</th><td>{_dots(level)}</td><td>{state}</td><td>{tries}</td></tr>'
        for name, level, state, tries in words
    )
    head = "".join(f'<th scope="col">{word}</th>' for word in heads)
    table = f"<table><caption>{title}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    mistakes = say("Classic mistakes that you have met:", "Erreurs classiques que vous avez rencontrées :") if met else ""
    told = "".join(f"<li><code>{escape(name)}</code>{say(': ', ' : ')}{escape(text)}</li>" for name, text in met)
    where = _where()
    text = "\n".join([title, *lines, *([mistakes] if met else []), *(f"- {name}{say(': ', ' : ')}{text}" for name, text in met), where])
    return Sheet(text, table + (f"<p>{mistakes}</p><ul>{told}</ul>" if met else "") + paragraphs(where))


def forget_progress() -> Sheet:
    """Delete what is kept of the student's progress, for all lessons. Raises `DalleEduError` where the file cannot be deleted."""
    record.forget()
    return Sheet(say("Forgotten: the file of your progress is deleted.", "Oublié : le fichier de votre progression est effacé."))


# ---------------------------------------------------------------- pieces


def _rows(lesson: Opened) -> list[tuple[str, int, bool, int]]:
    """Of each exercise: its number and names, its level, whether it is done, and how many versions were wrong."""
    known = record.entries(lesson.name)
    if not lesson.exercises:
        return [(key.split(":")[-1], 0, entry.done, len(entry.tries)) for key, entry in known.items()]
    rows = []
    for one in lesson.exercises:
        entry = known.get(one.key, record.Entry())
        rows.append((f"{one.number} · {', '.join(one.names)}", one.level, entry.done, len(entry.tries)))
    return rows


def _met(lesson: Opened) -> list[tuple[str, str]]:
    """The names of exercises and the explanations of the mistakes that were met in them."""
    met = {(key, name) for key, entry in record.entries(lesson.name).items() for name in entry.mistakes}
    if not met:
        return []
    from dalle_edu.classroom.checking.proof import mistakes  # reads all of them, which takes a moment

    known: list[Any] = [mistake for mistake in mistakes() if (mistake.target, mistake.name) in met]
    return [(mistake.target.split(":")[1], mistake.explanation) for mistake in known]


def _dots(level: int) -> str:
    return f'<span role="img" aria-label="{say("level", "niveau")} {level}">{"●" * level}</span>' if level else ""


def _where() -> str:
    if not record.is_kept():
        return say("It is kept nowhere: it ends with this notebook.", "Elle n'est gardée nulle part : elle finit avec ce notebook.")
    path = record.record_path()
    home = Path.home()
    shown = f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)
    en = f"It is kept on this machine alone, in {shown}: your answers and how often you tried, without your name and without dates. "
    fr = f"Elle est gardée sur cette seule machine, dans {shown} : vos réponses et le nombre d'essais, sans votre nom et sans date. "
    return say(f"{en}To delete it: progress(forget=True).", f"{fr}Pour l'effacer : progress(forget=True).")
