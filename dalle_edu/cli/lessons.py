"""`dalle-edu lessons`."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dalle_edu.cli.app import JsonOption, command, list_written, out, ready, write_json
from dalle_edu.errors import DalleEduError
from dalle_edu.language import languages, reader_language, say


class Action(StrEnum):
    """What `dalle-edu lessons` can do."""

    get = "get"
    build = "build"
    check = "check"
    run = "run"


@command(
    say(
        "Bring the lessons to a folder of yours: get. For authors: build the notebooks from their sources, check the sources, their "
        "formulas and that the notebooks are up to date, run them.",
        "Apporte les leçons dans un dossier à vous : get. Pour qui les écrit : build fait les notebooks à partir de leurs sources, check "
        "vérifie les sources, leurs formules et que les notebooks sont à jour, run les exécute.",
    ),
)
def lessons(
    action: Annotated[Action, typer.Argument(help=say("what to do", "ce qu'il faut faire"))] = Action.build,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help=say("lessons, such as 05_attention or 05; all unless named", "des leçons, comme 05_attention ou 05 ; toutes à défaut")
        ),
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
        str | None,
        typer.Option(
            help=say("such as fr or en, for get and for the nbgrader course", "comme fr ou en, pour get et pour le cours nbgrader")
        ),
    ] = None,
    folder: Annotated[Path | None, typer.Option(help=say("the lessons' folder", "le dossier des leçons"))] = None,
    json_file: JsonOption = None,
) -> None:
    """Get, build, check or run the lessons.

    Raises `DalleEduError` for an unknown language or lesson, for notebooks out of date, and where a copy could not be made.
    """
    from dalle_edu.world.catalogue import LANGUAGES

    if language not in (None, *languages()):
        known = ", ".join(languages())
        raise DalleEduError(f'the language is "{language}"; give one of {known}', f"la langue est « {language} » ; donnez l'une de {known}")
    ready(json_file)
    if action is Action.get:
        get(names or [], language or reader_language(), to, json_file)
        return
    if to:
        raise DalleEduError("--to belongs to `lessons get`", "--to va avec `lessons get`")
    if names and nbgrader:
        raise DalleEduError("names do not go with --nbgrader; leave them out", "des noms ne vont pas avec --nbgrader ; ôtez-les")
    from dalle_edu.classroom.builder import build as builder
    from dalle_edu.classroom.builder.kernels.execution import run

    where = folder or builder.LESSONS
    if nbgrader:
        list_written(builder.build_course(nbgrader, language or reader_language(), where), json_file)
    elif action is Action.build:
        list_written(builder.build(where, names or []), json_file)
    elif action is Action.check:
        _check(where, names or [])
        if json_file:
            write_json(json_file, {"checked": [lesson.name for lesson in builder.lessons(where, names or [])]})
    else:
        costs = []
        for lesson in builder.lessons(where, names or []):
            for each in LANGUAGES:
                cost = run(lesson, each)
                out.print(f"{lesson.name} {each}: {cost.cpu_seconds:.0f} s, {cost.peak_mb:.0f} MB", highlight=False)
                taken = {"cpu_seconds": round(cost.cpu_seconds, 2), "peak_mb": round(cost.peak_mb, 1)}
                costs.append({"lesson": lesson.name, "language": each, **taken})
        if json_file:
            write_json(json_file, costs)


def _check(folder: Path, names: list[str]) -> None:
    """Tell all that is wrong in lessons. Raises `DalleEduError` for a fault of a source or of a formula, and for notebooks out of date."""
    from dalle_edu.classroom.builder import build as builder
    from dalle_edu.classroom.builder.complaints import Faults
    from dalle_edu.classroom.builder.latex import faults_of_formulas
    from dalle_edu.classroom.builder.slides.slide_count import slide_faults

    read, faults = builder.with_faults(folder, names)
    faults += faults_of_formulas(read, pages=[] if names else None)
    faults += [] if faults else [fault for lesson in read if lesson.number for fault in slide_faults(lesson)]
    if faults:
        raise Faults(faults)
    late = builder.stale(folder, names)
    if late:
        which, named = ", ".join(str(path.relative_to(folder)) for path in late), " ".join(["dalle-edu lessons build", *names])
        raise DalleEduError(f"out of date: {which}; run `{named}`", f"à refaire : {which} ; lancez `{named}`")


def get(names: list[str], language: str, to: Path | None, json_file: Path | None = None) -> None:
    """Bring lessons to a folder, and say, as JSON too, what became of each. Raises `DalleEduError` where a copy could not be made."""
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
            out.print(f"→ {copy.path}: {told[copy.kind]}", highlight=False, soft_wrap=True)
    if json_file:
        write_json(json_file, [asdict(copy) | {"path": str(copy.path)} for copy in copies])
    refused = " · ".join(copy.says for copy in copies if copy.kind == "refused")
    if refused:
        raise DalleEduError(refused, refused)
