"""References in prose to a lesson, a section, an exercise, a term, a work or a file, which each reader gets as links that work there.

An author writes them as Markdown links:

    [](lesson:07)                              "lesson 07", in the language of the edition
    lessons [07](lesson:07) and [08](lesson:08)
    [](#softening-the-decision)                a section of this lesson, "section 4", by the id of its heading (`anchors.py`)
    [](lesson:07#the-loss)                     a section of another lesson, "section 3"
    [](exercise:05/3), [](exercise:05/softmax) an exercise, "exercise 3", by its number or by the name that it defines
    [attention layers](term:attention-layer)   an entry of the glossary
    [entries](term:)                           words that are no term here, though the glossary has them
    [](work:vaswani2017)                       a work of the bibliography, "Vaswani et al. 2017"
    [](source:bricks/attention.py)             a file of the library, in its repository

An empty text is filled, in the language of the edition, with a capital where a sentence begins. A lesson that is not written yet is shown
as text, and so is a file while the repository has no address, and in notebooks a term or a work while the book has none
(`dalle_edu/address.py`). `references.py` checks them all.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dalle_edu.address import book_page, file_page
from dalle_edu.classroom.builder.links.course import Course
from dalle_edu.classroom.builder.links.glossary import FirstUses, glossary
from dalle_edu.classroom.builder.links.works import works
from dalle_edu.classroom.builder.source import Lesson

if TYPE_CHECKING:
    from dalle_edu.classroom.builder.notebooks import Piece

KINDS = ("lesson", "exercise", "term", "work", "source")
_WORDS = {"fr": ("leçon", "section", "exercice"), "en": ("lesson", "section", "exercise")}
_SENTENCE = re.compile(r"(?:\A|\n\s*\n|\n- |(?<!al)[.!?…]\s+\(?)\Z")  # what a sentence begins after
_PATTERN = re.compile(
    r"(?P<code>```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$]*\$)"
    rf"|(?<!!)\[(?P<text>(?:`[^`]*`|\$[^$]*\$|[^\[\]`$])*)\]\((?:(?P<kind>{'|'.join(KINDS)}):(?P<target>[^)\s]*)|\#(?P<anchor>[^)\s]*))\)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Reference:
    """A reference as its author wrote it: its text, its kind, what it leads to, and its place in the text.

    The kind is one of `KINDS`. A section has the kind "lesson", the number of its lesson, and an anchor.
    """

    text: str
    kind: str
    target: str
    anchor: str
    start: int
    end: int

    @property
    def written(self) -> str:
        """What it leads to, as the author wrote it."""
        return f"{self.kind}:{self.target}" + (f"#{self.anchor}" if self.anchor else "")


def references(text: str, number: str) -> Iterator[Reference]:
    """The references in a piece of prose of the lesson with this number; those in code and formulas are none."""
    for found in _PATTERN.finditer(text):
        if found["code"] is None:
            target, _, anchor = (
                (found["target"] or number).partition("#") if found["kind"] in (None, "lesson") else (found["target"], "", "")
            )
            yield Reference(found["text"], found["kind"] or "lesson", target, found["anchor"] or anchor, found.start(), found.end())


def in_notebook(pieces: Sequence["Piece"], lesson: Lesson, language: str) -> list["Piece"]:
    """The pieces of a notebook with their references resolved: lessons are notebooks in the same folder, sections their headings.

    Terms and works are plain text, unless the site has an address.
    """
    course = Course.around(lesson)

    def link(reference: Reference, words: str) -> str:
        address = _in_notebooks(reference, course, lesson, language)
        return f"[{words}]({address})" if address else words

    return [
        replace(piece, text=_resolved(piece.text, course, lesson, language, link)) if piece.kind == "markdown" else piece
        for piece in pieces
    ]


def on_page(notebook: Any, lesson: Lesson, language: str) -> Any:
    """The lesson's page with its references resolved, and the first uses of the glossary's terms linked."""
    course, uses = Course.around(lesson), FirstUses(glossary(language))

    def link(reference: Reference, words: str) -> str:
        if reference.written == "term:":
            return f'<span class="no-term">{words}</span>'
        address = _on_site(reference, course, language)
        own = f"lessons/{lesson.name}.html#"
        here = address.removeprefix(own[:-1]) if address and address.startswith(own) else f"../{address}"
        return _anchor(address and _absolute(address, here), words, "term" if reference.kind == "term" else "reference")

    return _with_prose(notebook, lambda text: uses.linked(_resolved(text, course, lesson, language, link)))


def on_deck(notebook: Any, lesson: Lesson, language: str) -> Any:
    """The notebook of a deck with its references resolved: they lead to the book's pages."""
    course = Course.around(lesson)

    def link(reference: Reference, words: str) -> str:
        address = _on_site(reference, course, language)
        return _anchor(address and _absolute(address, f"../../{language}/{address}"), words, "reference")

    return _with_prose(notebook, lambda text: _resolved(text, course, lesson, language, link))


# ---------------------------------------------------------------- words


def words_of(reference: Reference, course: Course, language: str) -> str:
    """The text of a reference, filled in where its author left it empty; what is referred to where nothing is known of it."""
    if reference.text:
        return reference.text
    lesson_word, section_word, exercise_word = _WORDS.get(language, _WORDS["en"])
    if reference.kind == "lesson" and reference.anchor:
        section = course.section(reference.target, reference.anchor, language)
        return reference.written if section is None else f"{section_word} {section.number}" if section.number else section.title
    if reference.kind == "lesson":
        return f"{lesson_word} {reference.target}"
    if reference.kind == "exercise":
        number = course.exercise(*exercise_target(reference))
        return f"{exercise_word} {number}" if number else reference.written
    if reference.kind == "work" and reference.target in works():
        return works()[reference.target].named(language)
    return f"`{reference.target}`"


def exercise_target(reference: Reference) -> tuple[str, str]:
    """The number of the lesson, and the number or name of the exercise in it."""
    number, _, name = reference.target.partition("/")
    return number, name


# ---------------------------------------------------------------- addresses


def _on_site(reference: Reference, course: Course, language: str) -> str | None:
    """The address of what is referred to: a path within the book in one language, or all of an address outside."""
    if reference.kind == "term":
        return f"glossary.html#term-{reference.target}" if reference.target in glossary(language) else None
    if reference.kind == "work":
        return f"bibliography.html#work-{reference.target}"
    if reference.kind == "source":
        return file_page(f"dalle_edu/{reference.target}") or None
    number, exercise = exercise_target(reference)
    lesson = course.lessons.get(number)
    if lesson is None:
        return None
    anchor = f"exercise-{course.exercise(number, exercise)}" if reference.kind == "exercise" else reference.anchor
    return f"lessons/{lesson.name}.html" + (f"#{anchor}" if anchor else "")


def _absolute(address: str, otherwise: str) -> str:
    return address if address.startswith("http") else otherwise


def _in_notebooks(reference: Reference, course: Course, lesson: Lesson, language: str) -> str | None:
    if reference.kind not in ("lesson", "exercise"):
        place = _on_site(reference, course, language)
        return place and _absolute(place, book_page(f"{language}/{place}"))
    number, name = exercise_target(reference)
    there = course.lessons.get(number)
    if there is None:
        return None
    file = f"{there.name}.ipynb" if number != lesson.number else ""
    if reference.kind == "exercise":
        words = words_of(replace(reference, text=""), course, language)
        dots = "●" * course.levels(number)[course.exercise(number, name) - 1]
        return f"{file}#{heading_in_jupyter(f'{words.capitalize()} {dots}')}"
    section = course.section(number, reference.anchor, language) if reference.anchor else None
    return file + (f"#{heading_in_jupyter(section.heading)}" if section else "")


def heading_in_jupyter(heading: str) -> str:
    """The fragment by which JupyterLab finds a heading: its words, with hyphens for spaces."""
    return quote(re.sub(r"[*`]", "", heading).replace(" ", "-"), safe="-._~!,;:@&=+")


# ---------------------------------------------------------------- texts


def _resolved(text: str, course: Course, lesson: Lesson, language: str, link: Callable[[Reference, str], str]) -> str:
    """A text in which `link(reference, words)` stands in place of each reference."""
    parts, place = [], 0
    for reference in references(text, lesson.number):
        words = words_of(reference, course, language)
        if not reference.text and _SENTENCE.search(text[: reference.start]):
            words = words[0].upper() + words[1:]
        parts += [text[place : reference.start], link(reference, words)]
        place = reference.end
    return "".join([*parts, text[place:]])


def _anchor(address: str | None, words: str, kind: str) -> str:
    return f'<a class="{kind}" href="{address}">{words}</a>' if address else words


def _with_prose(notebook: Any, change: Callable[[str], str]) -> Any:
    """A copy of a notebook in which `change` was applied to its cells of prose, in order."""
    changed = deepcopy(notebook)
    for cell in changed.cells:
        if cell.cell_type == "markdown":
            cell.source = change(cell.source)
    return changed
