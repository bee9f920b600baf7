"""The checks of a lesson's references: each leads somewhere, both editions have the same, and no lesson or work is named without one."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.links.course import Course
from dalle_edu.classroom.builder.links.glossary import glossary
from dalle_edu.classroom.builder.links.linking import KINDS, Reference, exercise_target, references
from dalle_edu.classroom.builder.links.works import Work, works
from dalle_edu.classroom.builder.source import Cell, Lesson
from dalle_edu.world.catalogue import LANGUAGES

_PACKAGE = Path(__file__).parents[3]
_LINK = "\N{WHITE SQUARE}"  # stands for a reference where plain mentions are looked for
_CODE = re.compile(r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$]*\$", re.DOTALL)
_MENTION = re.compile(
    rf"\b(?:(?P<lesson>lessons?|leçons?)|(?P<section>sections?)|(?P<exercise>exercises?|exercices?))"
    rf"\s+(?:{_LINK}(?:\s*,|\s+(?:and|or|to|et|ou|à))?\s+)*(?P<number>\d+)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?<!!)\[(?:`[^`]*`|[^\[\]`])*\]\((?P<kind>[A-Za-z]+):(?!//)[^)\s]*\)")

Fault = tuple[int, str, str]  # a place in a text, and what is wrong there, in English and in French


def faults_of_references(lesson: Lesson, lessons: Sequence[Lesson]) -> Iterator[Complaint]:
    """All faults in the references of a lesson, one of `lessons`, which are those that are written."""
    course = Course.of([*(each for each in lessons if each.number != lesson.number), lesson], lesson.path.parents[1])
    for cell in lesson.cells:
        if cell.kind == "markdown":
            plain = () if cell.metadata.get("slide_only") else _plain_mentions(cell, lesson, course)
            found = [*_faults_of_cell(cell, lesson, course), *plain]
            yield from (Complaint(lesson.path, cell.line + 1 + cell.text[:place].count("\n"), en, fr) for place, en, fr in found)
    yield from _differences(lesson)


def _faults_of_cell(cell: Cell, lesson: Lesson, course: Course) -> Iterator[Fault]:
    headings = [range(*found.span()) for found in re.finditer(r"^#+ .*$", _blank(cell.text), flags=re.MULTILINE)]
    for reference in references(cell.text, lesson.number):
        for en, fr in _faults_of(reference, course, cell.language or "en"):
            yield reference.start, en, fr
        if any(reference.start in heading for heading in headings):
            yield (
                reference.start,
                f"a reference in a heading: {reference.written}; put it into the text",
                f"une référence dans un titre : {reference.written} ; mettez-la dans le texte",
            )
    for found in _ADDRESS.finditer(_blank(cell.text)):
        if found["kind"] not in (*KINDS, "http", "https", "mailto"):
            kinds = ", ".join(KINDS)
            yield (
                found.start(),
                f'an unknown kind of reference, "{found["kind"]}"; known are {kinds}',
                f"une sorte de référence inconnue, « {found['kind']} » ; il y a {kinds}",
            )


def _faults_of(reference: Reference, course: Course, language: str) -> Iterator[tuple[str, str]]:
    kind, target = reference.kind, reference.target
    if kind == "term":
        known = glossary(language)
        if target and target not in known:
            yield _unknown("term of the glossary", "terme du glossaire", target, known)
        if not reference.text.strip():
            yield (
                f"a reference to a term without a text; write [its words](term:{target})",
                f"une référence à un terme sans texte ; écrivez [ses mots](term:{target})",
            )
    elif kind == "work":
        if target not in works():
            yield _unknown("work of references.bib", "œuvre de references.bib", target, works())
    elif kind == "source":
        if not target or ".." in target or not (_PACKAGE / target).exists():
            files = [str(path.relative_to(_PACKAGE)) for path in _PACKAGE.rglob("*.py")]
            yield _unknown("file of dalle_edu", "fichier de dalle_edu", target, files)
    else:
        yield from _faults_of_place(reference, course, language)


def _faults_of_place(reference: Reference, course: Course, language: str) -> Iterator[tuple[str, str]]:
    """The faults of a reference to a lesson, to a section or to an exercise."""
    number, name = exercise_target(reference)
    right = number
    if number not in course.titles:
        yield _unknown("lesson", "leçon", number, course.titles)
        return
    if reference.anchor or reference.kind == "exercise":
        if number not in course.lessons:
            if not reference.text:
                yield (
                    f"lesson {number} is not written yet; give a text: [text]({reference.written})",
                    f"la leçon {number} n'est pas encore écrite ; donnez un texte : [texte]({reference.written})",
                )
            return
        if reference.kind == "exercise":
            right = str(course.exercise(number, name))
            if right == "0":
                names = [each for names in course.exercises(number) for each in names]
                yield _unknown(f"exercise of lesson {number}", f"exercice de la leçon {number}", name, names)
                return
        else:
            sections = {each.id: each.number for each in course.sections(number, language)}
            if reference.anchor not in sections:
                yield _unknown(f"section of lesson {number}", f"section de la leçon {number}", reference.anchor, sections)
                return
            right = sections[reference.anchor]
    said = re.fullmatch(r"(?:\w+\s+)?(\d+)", reference.text)
    if said and right and int(said[1]) != int(right):
        yield (
            f"the text says {said[1]}, but {reference.written} has the number {right}; leave the text out, or mend it",
            f"le texte dit {said[1]}, mais {reference.written} a le numéro {right} ; ôtez le texte, ou corrigez-le",
        )


def _unknown(en: str, fr: str, target: str, known: object) -> tuple[str, str]:
    near = get_close_matches(target, [str(each) for each in known], 3, 0.5)  # type: ignore[attr-defined]
    meant = ", ".join(near)
    return (
        f'no {en} is called "{target}"' + (f"; near it are: {meant}" if near else "; mend the reference"),
        f"aucun élément « {target} » ({fr})" + (f" ; il y a, tout près : {meant}" if near else " ; corrigez la référence"),
    )


# ---------------------------------------------------------------- plain mentions


def _plain_mentions(cell: Cell, lesson: Lesson, course: Course) -> Iterator[Fault]:
    """What the prose names by number or by author and year, without a reference."""
    text = _blank(cell.text)
    for reference in references(cell.text, lesson.number):
        width = reference.end - reference.start
        newlines = "".join(letter if letter == "\n" else " " for letter in cell.text[reference.start + 1 : reference.end])
        text = text[: reference.start] + _LINK + newlines + text[reference.end :]
        assert len(_LINK + newlines) == width
    for found in _MENTION.finditer(text):
        said = " ".join(found[0].replace(_LINK, "[…]").split())
        if found["section"]:
            sections = course.sections(lesson.number, cell.language or "en")
            target = "#" + next((each.id for each in sections if each.number == found["number"]), "id-of-the-heading")
        else:
            target = f"lesson:{found['number'].zfill(2)}" if found["lesson"] else f"exercise:{lesson.number}/{found['number']}"
        form = f"[{found['number']}]({target})" if _LINK in found[0] or found[0].split()[0].endswith("s") else f"[]({target})"
        yield found.start(), f'"{said}" is no reference; write {form}', f"« {said} » n'est pas une référence ; écrivez {form}"
    for found, key in _named_works(text):
        said = " ".join(found[0].split())
        yield (
            found.start(),
            f'"{said}" is no reference; write [](work:{key})',
            f"« {said} » n'est pas une référence ; écrivez [](work:{key})",
        )


def _named_works(text: str) -> Iterator[tuple[re.Match[str], str]]:
    for key, work in works().items():
        if work.year in text:
            for found in _pattern_of(work).finditer(text):
                yield found, key


def _pattern_of(work: Work) -> re.Pattern[str]:
    """The surname of the first author, other names, and the year; or a title in italics, and the year."""
    names = r"(?:[\s,]+(?:et|and|al\.|others|colleagues|ses|collègues|[A-ZÀ-Ý][\w.'’-]*))*"
    title = re.escape(work.title.split(":")[0])
    return re.compile(rf"(?:\b{re.escape(work.names[0])}{names}|\*{title}[^*]*\*)[\s,(]+{work.year}\b")


def _blank(text: str) -> str:
    """A text of the same length without its code and formulas."""
    return _CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


# ---------------------------------------------------------------- the two editions


def _differences(lesson: Lesson) -> Iterator[Complaint]:
    """A target that one edition refers to more often than the other."""
    counts, cells = {language: Counter[str]() for language in LANGUAGES}, dict[str, Cell]()
    for cell in lesson.cells:
        if cell.kind == "markdown" and cell.language in counts:
            for reference in references(cell.text, lesson.number):
                counts[cell.language][reference.written] += 1
                cells.setdefault(reference.written, cell)
    for target, cell in cells.items():
        said = {language: counts[language][target] for language in LANGUAGES}
        if len(set(said.values())) > 1:
            each = ", ".join(f"{language} {number}" for language, number in said.items())
            yield Complaint(
                lesson.path,
                cell.line,
                f"the editions refer to {target} unequally often: {each}; make them the same",
                f"les éditions ne renvoient pas aussi souvent à {target} : {each} ; mettez-les d'accord",
            )
