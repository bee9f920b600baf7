"""`dalle-edu book` and `dalle-edu slides`."""

from pathlib import Path
from typing import Annotated

import typer

from dalle_edu.cli.app import JsonOption, command, list_written, out, ready
from dalle_edu.language import say

_SITE = say("the site's folder", "le dossier du site")
_NAMES = say("lessons, as 05 or 05_attention; all if none is named", "des leçons, comme 05 ou 05_attention ; toutes si aucune n'est nommée")


@command(say("Publish the lessons as a website, in both languages.", "Publie les leçons sous forme de site, dans les deux langues."))
def book(
    names: Annotated[list[str] | None, typer.Argument(help=_NAMES)] = None,
    site: Annotated[Path | None, typer.Option(help=_SITE)] = None,
    json_file: JsonOption = None,
) -> None:
    """Publish the lessons as a website."""
    from dalle_edu.classroom.builder.book.publish import SITE, build_book

    ready((site or SITE) / "index.html", json_file)
    list_written(build_book(site or SITE, names=names or ()), json_file)


@command(say("Make a deck of slides of each lesson, in both languages.", "Fait les diapositives de chaque leçon, dans les deux langues."))
def slides(
    names: Annotated[
        list[str] | None, typer.Argument(help=say("the lessons, all unless named", "les leçons, toutes à défaut"), show_default=False)
    ] = None,
    table: Annotated[
        bool,
        typer.Option(
            "--table",
            help=say(
                "show what each slide holds: words, lines of code, pixels, notes, minutes",
                "montre ce que contient chaque diapositive : mots, lignes de code, pixels, notes, minutes",
            ),
        ),
    ] = False,
    site: Annotated[Path | None, typer.Option(help=_SITE)] = None,
    json_file: JsonOption = None,
) -> None:
    """Make a deck of slides of each lesson.

    Raises `Faults` with all that is wrong with the slides, once they are written.
    """
    from dalle_edu.classroom.builder.book.publish import SITE, build_slides
    from dalle_edu.classroom.builder.complaints import Faults

    ready((site or SITE) / "index.html", json_file)
    done = build_slides(site or SITE, names=names or ())
    list_written(done.paths, json_file)
    for text in done.tables if table else ():
        out.print(text, highlight=False, soft_wrap=True)
    if done.faults:
        raise Faults(done.faults)
