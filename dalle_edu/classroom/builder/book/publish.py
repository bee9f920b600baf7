"""The book and the slide decks: each lesson is executed once in each language, then converted to a page and to slides.

No page asks the network for anything. `site` says what is where.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder import build
from dalle_edu.classroom.builder.book.comparison import compared
from dalle_edu.classroom.builder.book.front import described, filled
from dalle_edu.classroom.builder.book.page import as_page, outputs, paired
from dalle_edu.classroom.builder.book.pictures import as_files
from dalle_edu.classroom.builder.book.site import BOOK, settings, tidy, write_root
from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.kernels.executed import executed
from dalle_edu.classroom.builder.links.glossary import say_where
from dalle_edu.classroom.builder.links.linking import on_page
from dalle_edu.classroom.builder.slides.reveal import copy_assets, write_deck
from dalle_edu.classroom.builder.slides.slide_count import slide_faults
from dalle_edu.classroom.builder.slides.slide_table import measured_slides, output_faults, pixel_faults, table
from dalle_edu.classroom.builder.source import Lesson, in_language, source_language
from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.language import SOURCE, languages
from dalle_edu.world.catalogue import LANGUAGES

SITE = BOOK / "site"
PICTURES = BOOK / "pages" / "pictures"  # kept from one build to the next
_SEEN_FROM_PAGE, _SEEN_FROM_FRONT = "../../assets/pictures", "../assets/pictures"


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
    wanted = _chosen(build.lessons(folder), names)
    copy_assets(site)
    paths, faults = list[Path](), list[Complaint]()
    for lesson in wanted:
        faults += slide_faults(lesson)
        for language in languages():
            notebook = executed(lesson, language)
            faults += output_faults(lesson, notebook, language)
            paths.append(write_deck(notebook, lesson, language, site))
    measured = measured_slides(site, [lesson.name for lesson in wanted])
    for lesson in wanted:
        for language in LANGUAGES if measured else ():
            faults += pixel_faults(lesson, language, measured[f"{language}/{lesson.name}"])
    return Slides(paths, [table(lesson, measured) for lesson in wanted], faults)


def build_book(site: Path = SITE, folder: Path = build.LESSONS, names: Sequence[str] = ()) -> list[Path]:
    """Build the book's pages in both languages, of all lessons or of those in `names`; returns the paths of their index pages.

    Raises `DalleEduError` for a faulty lesson, for a name that no lesson has, for any warning of Sphinx, and where MathJax is missing.
    """
    found = build.lessons(folder)
    chosen = _chosen(found, names)
    decks = [lesson.name for lesson in found if (site / "slides" / "fr" / f"{lesson.name}.html").exists()]
    copy_assets(site)
    used = set[str]()
    for language in languages():
        pages, shown = BOOK / "pages" / language, dict[str, str]()
        shutil.rmtree(pages, ignore_errors=True)
        _copy_own_pages(language, pages)
        shutil.copy(BOOK / "references.bib", pages)
        for lesson in chosen:
            page = on_page(as_page(executed(lesson, language), lesson, language, build.measured(folder)), lesson, language)
            page = as_files(page, PICTURES, _SEEN_FROM_PAGE)
            text = json.dumps(page, ensure_ascii=False, indent=1)
            used |= set(re.findall(rf"{_SEEN_FROM_PAGE}/([\w.]+)", text))
            shown[lesson.name] = _first_picture(page)
            _write(pages / "lessons" / f"{lesson.name}.ipynb", text)
        say_where(pages, language, chosen)
        for path in pages.glob("*.md"):
            _write(path, paired(path.read_text(encoding="utf-8"), (BOOK / "en" / path.name).read_text(encoding="utf-8")))
        front, comparison = pages / "index.md", pages / "comparison.md"
        _write(front, filled(front.read_text(encoding="utf-8"), language, chosen, site, shown))
        _write(comparison, compared(comparison.read_text(encoding="utf-8"), language))
        settings(BOOK / "pages" / f"{language}.json", decks, described(chosen, language))
    _sphinx(site, partial=bool(names))
    _copy_pictures(used, site)
    tidy(site)
    write_root(site)
    for language in languages():
        for lesson in chosen:  # the download button gives the student's notebook, without solutions
            target = site / language / "_sources" / "lessons" / f"{lesson.name}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / language / f"{lesson.name}.ipynb", target)
    return [site / language / "index.html" for language in languages()]


def _copy_own_pages(language: str, pages: Path) -> None:
    """Copy the book's own pages, in a language that is written or, by its phrasebook, in another."""
    shutil.copytree(BOOK / source_language(language), pages)
    for path in pages.glob("*.md") if language not in SOURCE else ():
        _write(path, in_language(path.read_text(encoding="utf-8"), language))


def _chosen(found: Sequence[Lesson], names: Sequence[str]) -> list[Lesson]:
    asked = build.chosen([lesson.name for lesson in found], names)
    return [lesson for lesson in found if lesson.name in asked]


def _first_picture(page: Any) -> str:
    """The `img` that a page opens with, as the front page shows it; nothing where it has none."""
    html = "".join(output.get("data", {}).get("text/html", "") for cell in page.cells for output in outputs(cell))
    found = re.search(rf'<img [^>]*src="{_SEEN_FROM_PAGE}[^>]*>', html)
    return re.sub(r' style="[^"]*"', "", found.group()).replace(_SEEN_FROM_PAGE, _SEEN_FROM_FRONT) if found else ""


def _copy_pictures(names: set[str], site: Path) -> None:
    target = site / "assets" / "pictures"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in names:
        shutil.copyfile(PICTURES / name, target / name)


def _write(path: Path, text: str) -> None:
    write_aside(path, lambda file: file.write(text.encode()))


def _sphinx(site: Path, partial: bool) -> None:
    """Build the pages of all languages afresh, side by side; where only a part of the lessons is built, links to the others are not
    followed.
    """
    building = dict[str, subprocess.Popen[str]]()
    for language in languages():
        source, target = BOOK / "pages" / language, site / language
        shutil.rmtree(target, ignore_errors=True)
        environment = {**os.environ, "DALLE_EDU_LANGUAGE": language, "DALLE_EDU_PARTIAL": str(int(partial))}
        order = ["-m", "sphinx", "-W", "-n", "--keep-going", "-q", "-c", str(BOOK), "-E", "-d", str(BOOK / "pages" / "doctrees" / language)]
        order += ["-D", f"language={language}", str(source), str(target)]
        building[language] = subprocess.Popen(
            [sys.executable, *order], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
    said = {language: process.communicate()[1] for language, process in building.items()}
    faulty = [language for language, process in building.items() if process.returncode]
    if faulty:
        raise DalleEduError(
            "\n".join(f"the book in {language} has faults:\n{said[language]}" for language in faulty),
            "\n".join(f"le livre en {language} a des défauts :\n{said[language]}" for language in faulty),
        )
