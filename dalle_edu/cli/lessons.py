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

    build = "build"
    check = "check"
    run = "run"
    measure = "measure"


@command(
    say(
        "Make the course's notebooks from their sources: build, check that they are up to date, run them, measure what they cost.",
        "Fait les notebooks du cours à partir de leurs sources : build les écrit, check vérifie qu'ils sont à jour, run les exécute, "
        "measure mesure ce qu'ils coûtent.",
    ),
)
def lessons(
    action: Annotated[Action, typer.Argument(help=say("what to do", "ce qu'il faut faire"))] = Action.build,
    nbgrader: Annotated[
        Path | None,
        typer.Option(help=say("build an nbgrader course in this folder instead", "construit plutôt un cours nbgrader dans ce dossier")),
    ] = None,
    language: Annotated[str | None, typer.Option(help=say("fr or en, for the nbgrader course", "fr ou en, pour le cours nbgrader"))] = None,
    folder: Annotated[Path | None, typer.Option(help=say("the lessons' folder", "le dossier des leçons"))] = None,
) -> None:
    """Build, check, run or measure the lessons. Raises `DalleEduError` for an unknown language, and for notebooks out of date."""
    from dalle_edu.classroom.builder import build as builder
    from dalle_edu.world.catalogue import LANGUAGES

    if language not in (None, *LANGUAGES):
        raise DalleEduError(f'the language is "{language}"; give fr or en', f"la langue est « {language} » ; donnez fr ou en")
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
            names = ", ".join(str(path.relative_to(where)) for path in late)
            raise DalleEduError(f"out of date: {names}; run `make lessons`", f"à refaire : {names} ; lancez `make lessons`")
    elif action is Action.run:
        for lesson in builder.lessons(where):
            for each in LANGUAGES:
                cost = builder.run(lesson, each)
                out.print(f"{lesson.name} {each}: {cost.cpu_seconds:.0f} s, {cost.peak_mb:.0f} MB", highlight=False)
    else:
        for number, cost in builder.measure(where).items():
            out.print(f"{number}: {cost['cpu_seconds']:.0f} s, {cost['peak_mb']:.0f} MB", highlight=False)
