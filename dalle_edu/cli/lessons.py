"""`dalle-edu lessons`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dalle_edu.cli.app import command, out
from dalle_edu.errors import DalleEduError
from dalle_edu.language import reader_language, say


class Action(StrEnum):
    """What `dalle-edu lessons` can do."""

    get = "get"
    build = "build"
    check = "check"
    run = "run"


@command(
    say(
        "Bring the lessons to a folder of yours: get. For authors: build the notebooks from their sources, check that they are up to date, "
        "run them.",
        "Apporte les leçons dans un dossier à vous : get. Pour qui les écrit : build fait les notebooks à partir de leurs sources, check "
        "vérifie qu'ils sont à jour, run les exécute.",
    ),
)
def lessons(
    action: Annotated[Action, typer.Argument(help=say("what to do", "ce qu'il faut faire"))] = Action.build,
    names: Annotated[
        list[str] | None, typer.Argument(help=say("the lessons to get, all unless named", "les leçons à apporter, toutes à défaut"))
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            help=say("the folder to get them to; nothing of yours is overwritten", "le dossier où les apporter ; rien n'y est écrasé")
        ),
    ] = None,
    nbgrader: Annotated[
        Path | None,
        typer.Option(help=say("build an nbgrader course in this folder instead", "construit plutôt un cours nbgrader dans ce dossier")),
    ] = None,
    language: Annotated[
        str | None, typer.Option(help=say("fr or en, for get and for the nbgrader course", "fr ou en, pour get et pour le cours nbgrader"))
    ] = None,
    folder: Annotated[Path | None, typer.Option(help=say("the lessons' folder", "le dossier des leçons"))] = None,
) -> None:
    """Get, build, check or run the lessons.

    Raises `DalleEduError` for an unknown language or lesson, for notebooks out of date, and where a copy could not be made.
    """
    from dalle_edu.world.catalogue import LANGUAGES

    if language not in (None, *LANGUAGES):
        raise DalleEduError(f'the language is "{language}"; give fr or en', f"la langue est « {language} » ; donnez fr ou en")
    if action is Action.get:
        _get(names or [], language or reader_language(), to)
        return
    if names or to:
        raise DalleEduError("names and --to belong to `lessons get`", "des noms et --to vont avec `lessons get`")
    from dalle_edu.classroom.builder import build as builder

    where = folder or builder.LESSONS
    if nbgrader:
        for path in builder.build_course(nbgrader, language or reader_language(), where):
            out.print(f"→ {path}", highlight=False)
    elif action is Action.build:
        for path in builder.build(where):
            out.print(f"→ {path}", highlight=False)
    elif action is Action.check:
        late = builder.stale(where)
        if late:
            which = ", ".join(str(path.relative_to(where)) for path in late)
            raise DalleEduError(f"out of date: {which}; run `make lessons`", f"à refaire : {which} ; lancez `make lessons`")
    else:
        from dalle_edu.classroom.builder.execution import run

        for lesson in builder.lessons(where):
            for each in LANGUAGES:
                cost = run(lesson, each)
                out.print(f"{lesson.name} {each}: {cost.cpu_seconds:.0f} s, {cost.peak_mb:.0f} MB", highlight=False)


def _get(names: list[str], language: str, to: Path | None) -> None:
    """Bring lessons to a folder, and say what became of each. Raises `DalleEduError` where a copy could not be made."""
    from dalle_edu.classroom.copies import get_lessons, own_folder

    copies = get_lessons(names, language, to or own_folder(language))
    for copy in copies:
        told = {
            "new": say(f"new, version {copy.version}", f"nouveau, version {copy.version}"),
            "kept": say(f"yours, as it was (version {copy.version})", f"le vôtre, tel quel (version {copy.version})"),
            "merged": say(
                f"the lesson has changed; your answers are in it, and {copy.says} is how it was",
                f"la leçon a changé ; vos réponses y sont, et {copy.says} est ce qu'elle était",
            ),
        }
        if copy.kind in told:
            out.print(f"→ {copy.path}: {told[copy.kind]}", highlight=False, markup=False, soft_wrap=True)
    refused = " · ".join(copy.says for copy in copies if copy.kind == "refused")
    if refused:
        raise DalleEduError(refused, refused)
