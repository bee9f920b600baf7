"""The book and the slide decks: each lesson is executed once in each language, then converted to a page and to slides.

No page asks the network for anything.

site/fr/…  site/en/…        the book, page for page the same in both languages
site/slides/fr/…            the decks
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder import build
from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.executed import executed
from dalle_edu.classroom.builder.glossary import say_where
from dalle_edu.classroom.builder.linking import on_page
from dalle_edu.classroom.builder.slide_count import slide_faults
from dalle_edu.classroom.builder.slide_table import measured_slides, output_faults, pixel_faults, table
from dalle_edu.classroom.builder.slides import NODE_MODULES, copy_assets, write_deck
from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.world.catalogue import LANGUAGES

BOOK = Path(__file__).parents[3] / "book"
SITE = BOOK / "site"


@dataclass(frozen=True)
class Slides:
    """The decks that were written: their paths, what each slide holds as a table for each lesson, and all that is wrong with them."""

    paths: list[Path]
    tables: list[str]
    faults: list[Complaint]


def build_slides(site: Path = SITE, folder: Path = build.LESSONS, names: Sequence[str] = ()) -> Slides:
    """Write the slide deck of each lesson, or of those named ("05_attention" or "05"), in each language.

    Raises `DalleEduError` for a faulty lesson, for a name that none has, and where reveal.js or MathJax is not installed.
    """
    found = build.lessons(folder)
    unknown = [name for name in names if name not in {known for lesson in found for known in (lesson.name, lesson.number)}]
    if unknown:
        known = ", ".join(lesson.name for lesson in found)
        raise DalleEduError(f"no lesson {', '.join(unknown)}; there are {known}", f"pas de leçon {', '.join(unknown)} ; il y a {known}")
    copy_assets(site)
    paths, faults, wanted = list[Path](), list[Complaint](), [one for one in found if not names or {one.name, one.number} & set(names)]
    for lesson in wanted:
        faults += slide_faults(lesson)
        for language in LANGUAGES:
            notebook = executed(lesson, language)
            faults += output_faults(lesson, notebook, language)
            paths.append(write_deck(notebook, lesson, language, site))
    measured = measured_slides(site, [lesson.name for lesson in wanted])
    for lesson in wanted:
        for language in LANGUAGES if measured else ():
            faults += pixel_faults(lesson, language, measured[f"{language}/{lesson.name}"])
    return Slides(paths, [table(lesson, measured) for lesson in wanted], faults)


def build_book(site: Path = SITE, folder: Path = build.LESSONS) -> list[Path]:
    """Build the book's pages in both languages; returns the paths of their index pages.

    Raises `DalleEduError` for a faulty lesson, for any warning of Sphinx, and where MathJax is not installed.
    """
    found = build.lessons(folder)
    decks = [lesson.name for lesson in found if (site / "slides" / "fr" / f"{lesson.name}.html").exists()]
    for language in LANGUAGES:
        pages = BOOK / "pages" / language
        shutil.rmtree(pages, ignore_errors=True)
        shutil.copytree(BOOK / language, pages)
        shutil.copy(BOOK / "references.bib", pages)
        for lesson in found:
            page = on_page(as_page(executed(lesson, language), language), lesson, language)
            text = json.dumps(page, ensure_ascii=False, indent=1)
            write_aside(pages / "lessons" / f"{lesson.name}.ipynb", lambda file, text=text: file.write(text.encode()))  # type: ignore[misc]
        say_where(pages, language, found)
        _sphinx(pages, site / language, language, decks)
        _mathjax(site / language)
        for lesson in found:  # the download button gives the student's notebook, without solutions
            shutil.copyfile(folder / language / f"{lesson.name}.ipynb", site / language / "_sources" / "lessons" / f"{lesson.name}.ipynb")
    write_aside(site / "index.html", lambda file: file.write(_DOOR.encode()))
    return [site / language / "index.html" for language in LANGUAGES]


def as_page(notebook: Any, language: str) -> Any:
    """The notebook as the book shows it: solutions and imports are folded, cells for slides alone are left out."""
    page = deepcopy(notebook)
    page.cells = [cell for cell in page.cells if not cell.metadata.get("slide_only") and "claims" not in cell.metadata.get("tags", [])]
    for cell in page.cells:
        tags = set(cell.metadata.get("tags", []))
        if "solution" in tags:
            tags.add("hide-input")
            cell.metadata["mystnb"] = _PROMPTS[language]
        if "quiz" in tags:
            tags = (tags - {"hide-input"}) | {"remove-input"}
        cell.metadata["tags"] = sorted(tags)
    return page


def _sphinx(source: Path, target: Path, language: str, decks: list[str]) -> None:
    environment = {**os.environ, "DALLE_EDU_LANGUAGE": language, "DALLE_EDU_DECKS": " ".join(decks)}
    order = ["-m", "sphinx", "-W", "-n", "--keep-going", "-q", "-c", str(BOOK), "-D", f"language={language}", str(source), str(target)]
    done = subprocess.run([sys.executable, *order], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DalleEduError(f"the book in {language} has faults:\n{done.stderr}", f"le livre en {language} a des défauts :\n{done.stderr}")


def _mathjax(target: Path) -> None:
    """Copy MathJax beside the pages, so that they work without a network."""
    if not (NODE_MODULES / "mathjax").is_dir():
        raise DalleEduError("mathjax is missing; run `npm ci` in book/", "mathjax manque ; lancez `npm ci` dans book/")
    static = target / "_static" / "mathjax"
    shutil.copytree(
        NODE_MODULES / "mathjax" / "es5" / "output" / "chtml" / "fonts", static / "output" / "chtml" / "fonts", dirs_exist_ok=True
    )
    shutil.copyfile(NODE_MODULES / "mathjax" / "es5" / "tex-chtml.js", static / "tex-chtml.js")


_PROMPTS = {
    "fr": {"code_prompt_show": "Voir la solution", "code_prompt_hide": "Cacher la solution"},
    "en": {"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"},
}
_DOOR = """<!doctype html>
<html lang="fr">
<meta charset="utf-8">
<title>DALL·E</title>
<script>location.replace((navigator.language || "").startsWith("fr") ? "fr/index.html" : "en/index.html")</script>
<p><a href="fr/index.html">Français</a> · <a href="en/index.html" lang="en">English</a></p>
</html>
"""
