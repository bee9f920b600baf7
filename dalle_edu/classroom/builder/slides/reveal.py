"""Slide decks: the cells of a lesson that are slides, as a page of reveal.js that opens from the book or as a file.

site/slides/LANGUAGE/NAME.html     the deck; its notes are seen with the key S
site/assets/                       reveal.js and MathJax, which decks and pages share
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder.links.linking import on_deck
from dalle_edu.classroom.builder.slides.deck import BEGINS, COURSE, Slide, slides_of
from dalle_edu.classroom.builder.slides.quiz_notes import quiz_notes
from dalle_edu.classroom.builder.source import Lesson
from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.language import chosen, language_named, languages

TEMPLATE = Path(__file__).with_name("template")
NODE_MODULES = Path(__file__).parents[4] / "book" / "node_modules"
_WITHOUT_CODE = {"hide-input", "output-only-slide"}
_SHARED = {"reveal.js": ["dist"], "mathjax": ["es5/tex-chtml.js", "es5/output/chtml/fonts"]}


def write_deck(executed: Any, lesson: Lesson, language: str, site: Path) -> Path:
    """Write the deck of an executed notebook to `site/slides/LANGUAGE/`; returns its path. It uses the files of `copy_assets`."""
    from jinja2 import Environment, FileSystemLoader

    groups, slides = _groups(on_deck(executed, lesson, language).cells), slides_of(lesson, language)
    quizzes = quiz_notes(executed, lesson)
    shown = []
    for number, cells in enumerate(groups[1:], 2):
        slide = slides[number - 1] if number <= len(slides) else Slide(number, f"slide-{number}", 1, "", (), ())
        notes = [_part(cell).html for cell in cells if cell.metadata["slideshow"]["slide_type"] == "notes"]
        parts = [_part(cell) for cell in cells if cell.metadata["slideshow"]["slide_type"] != "notes"]
        told = [*notes, *([quizzes[slide.quiz]] if slide.quiz in quizzes else [])]
        shown.append({"id": slide.id, "kind": slide.kind, "parts": _laid_out(parts), "notes": "\n".join(told)})
    page = (
        Environment(loader=FileSystemLoader(TEMPLATE), autoescape=False, trim_blocks=True, lstrip_blocks=True)
        .get_template("deck.html.j2")
        .render(
            lesson=lesson,
            title=chosen(lesson.title, language),
            language=language,
            phrase=language_named(language).phrase,
            course=chosen(COURSE, language),
            names={code: each.name for code, each in languages().items()},
            others=[code for code in languages() if code != language],
            picture=_first_picture(executed),
            title_notes="\n".join(_part(cell).html for cell in groups[0]),
            slides=shown,
            style=(TEMPLATE / "deck.css").read_text(encoding="utf-8"),
            script=(TEMPLATE / "deck.js").read_text(encoding="utf-8"),
        )
    )
    path = site / "slides" / language / f"{lesson.name}.html"
    write_aside(path, lambda file: file.write(page.encode()))
    return path


def copy_assets(site: Path) -> None:
    """Copy reveal.js and MathJax to `site/assets/`. Raises `DalleEduError` where npm has not installed them in `book/`."""
    for name, parts in _SHARED.items():
        if not (NODE_MODULES / name).is_dir():
            raise DalleEduError(
                f"{NODE_MODULES / name} is missing; run `npm ci` in book/", f"{NODE_MODULES / name} manque ; lancez `npm ci` dans book/"
            )
        for part in parts:
            source, target = NODE_MODULES / name / part, site / "assets" / name / part.removeprefix("es5/")
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


# ---------------------------------------------------------------- from cells to HTML


class _Part:
    """What a cell shows on its slide: its HTML, whether that is a picture, and whether it waits for a click."""

    def __init__(self, html: str, fragment: bool):
        self.html, self.fragment = html, fragment
        self.is_picture = bool(re.search(r"<img|<svg|class=\"explorer\"", html))


def _groups(cells: Sequence[Any]) -> list[list[Any]]:
    """The cells of each slide; the first group is the title's, whose own cell, the notebook's first, is left out."""
    groups: list[list[Any]] = [[]]
    for number, cell in enumerate(cells):
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "skip")
        if kind in BEGINS and (number or not cell.source.startswith("# ")):
            groups.append([cell])
        elif kind not in ("skip", *BEGINS):
            groups[-1].append(cell)
    return groups


def _part(cell: Any) -> _Part:
    fragment = cell.metadata["slideshow"]["slide_type"] == "fragment"
    if cell.cell_type == "markdown":
        return _Part(_prose(cell.source), fragment)
    code = "" if _WITHOUT_CODE & set(cell.metadata.get("tags", [])) else _code(cell.source)
    return _Part(code + "\n".join(map(_output, cell.get("outputs", []))), fragment)


def _laid_out(parts: Sequence[_Part]) -> list[tuple[str, list[_Part]]]:
    """The parts in their order, in three groups at most: before the pictures, the pictures with what stands between, after them."""
    places = [number for number, part in enumerate(parts) if part.is_picture]
    if not places:
        return [("words", list(parts))]
    first, last = places[0], places[-1] + 1
    groups = [("words", list(parts[:first])), ("shown", list(parts[first:last])), ("words after", list(parts[last:]))]
    return [(name, group) for name, group in groups if group]


def _prose(text: str) -> str:
    from nbconvert.filters import markdown2html

    html = markdown2html(re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL))
    html = re.sub(r'<a class="anchor-link".*?</a>', "", html)
    return re.sub(r'<(h\d) id="[^"]*"', r"<\1", html)  # the slide has the id


def _code(text: str) -> str:
    from nbconvert.filters import Highlight2HTML

    return str(Highlight2HTML(pygments_lexer="ipython3")(text))


def _output(output: Any) -> str:
    from html import escape

    if output.output_type == "stream":
        return f'<pre class="output">{escape(output.text.rstrip())}</pre>'
    data = output.get("data", {})
    if "text/html" in data:
        return str(data["text/html"])
    if "image/svg+xml" in data:
        return str(data["image/svg+xml"])
    if "image/png" in data:
        return f'<img src="data:image/png;base64,{data["image/png"].strip()}" alt="">'
    return f'<pre class="output">{escape(data.get("text/plain", ""))}</pre>'


def _first_picture(executed: Any) -> str:
    """The first figure of the lesson, without the controls of an explorer; "" where there is none."""
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            found = re.search(r"<img [^>]*>", output.get("data", {}).get("text/html", ""))
            if found:
                return re.sub(r' aria-live="polite"', "", found[0])
    return ""
