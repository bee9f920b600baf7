"""The checks of a lesson's source.

Both languages have the same structure, each edition is in its own language, every picture has a description, and cells are short.
"""

import ast
import re
from collections.abc import Iterator
from itertools import groupby

from dalle_edu.classroom.builder.complaints import Complaint, Faults
from dalle_edu.classroom.builder.source import Cell, Lesson, edition, prose_in_code
from dalle_edu.world.catalogue import LANGUAGES
from dalle_edu.world.grammar import unknown_words

LINES = 18  # the most in a cell of code that is no exercise and no quiz
_OTHER = {"fr": "English", "en": "French"}
_AUTRE = {"fr": "anglais", "en": "français"}

# Words that are frequent in one language and absent from the other.
_ENGLISH = "the of and is are was that this with for from which it its be by as an at their they one each what when how we you your not"
_FRENCH = "le la les des du une est sont que qui dans pour avec par sur ce cette ces il elle ils on nous vous votre ne pas au aux et à"
_COMMON = {"en": set(_ENGLISH.split()), "fr": set(_FRENCH.split())}
_NOT_PROSE = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$"  # code and formulas
    r"|\*[^*\n]+\*|_[^_\n]+_|«[^»]*»|“[^”]*”|\"[^\"]*\""  # titles, terms and quotations, which may be in another language
    r"|\]\([^)]*\)|<[^>]+>|https?://\S+",  # addresses and HTML
    re.DOTALL,
)


def check_lesson(lesson: Lesson) -> None:
    """Raise `Faults` with all that is wrong in a lesson's source."""
    faults = list(problems(lesson))
    if faults:
        raise Faults(faults)


def problems(lesson: Lesson) -> Iterator[Complaint]:
    """All faults in a lesson's source."""

    def complaint(cell: Cell, en: str, fr: str) -> Complaint:
        return Complaint(lesson.path, cell.line, en, fr)

    yield from (complaint(*found) for found in _differences_of_structure(lesson))
    for cell in lesson.cells:
        yield from (complaint(cell, en, fr) for en, fr in _pictures(cell))
        if cell.kind == "code" and not cell.implements:
            for comment in prose_in_code(cell.text):
                yield complaint(
                    cell,
                    f"a comment is in one language only; write `# en: …` and `# fr: …`: # {comment}",
                    f"un commentaire n'est que dans une langue ; écrivez `# en: …` et `# fr: …` : # {comment}",
                )
            lines = len(cell.text.splitlines())
            if not cell.is_exercise and "quiz" not in cell.metadata and lines > LINES:
                yield complaint(
                    cell,
                    f"a cell has {lines} lines, more than {LINES}; split it: {_start(cell.text)}",
                    f"une cellule a {lines} lignes, plus de {LINES} ; coupez-la : {_start(cell.text)}",
                )
        if cell.kind == "markdown" and cell.language is None and _words(cell.text):
            yield complaint(
                cell,
                f"prose without a language; write it in each, with lang: {_start(cell.text)}",
                f"de la prose sans langue ; écrivez-la dans chacune, avec lang : {_start(cell.text)}",
            )
    for language in LANGUAGES:
        for cell in edition(lesson.cells, language):
            texts = [cell.text] if cell.kind == "markdown" else [] if cell.implements else _strings(cell.text)
            for paragraph in (part for text in texts for part in text.split("\n\n")):
                if reads_as_other(paragraph, language):
                    yield complaint(
                        cell,
                        f"{_OTHER[language]} prose in the edition {language}; translate it: {_start(paragraph)}",
                        f"un texte en {_AUTRE[language]} dans l'édition {language} ; traduisez : {_start(paragraph)}",
                    )


def reads_as_other(text: str, language: str) -> bool:
    """Whether a text is in the other language than `language`.

    It is if it has at least three frequent words of the other language, more of them than of its own, and a word that no caption of the
    world has.
    """
    words = _words(text)
    other = next(name for name in LANGUAGES if name != language)
    own, foreign = (sum(word in _COMMON[name] for word in words) for name in (language, other))
    return foreign >= 3 and foreign > own and bool(unknown_words(text))


def structure(text: str) -> dict[str, list[str]]:
    """The structure of a piece of prose, which both languages share: levels of headings, displayed equations, pictures, folded hints."""
    plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return {
        "headings": re.findall(r"^(#+) ", plain, flags=re.MULTILINE),
        "equations": [_spoken(equation) for equation in re.findall(r"\$\$(.*?)\$\$", plain, flags=re.DOTALL)],
        "pictures": re.findall(r"!\[[^\]]*\]\(([^)]*)\)", plain),
        "hints": re.findall(r"<details>", plain),
    }


def _differences_of_structure(lesson: Lesson) -> Iterator[tuple[Cell, str, str]]:
    for is_prose, group in groupby(lesson.cells, key=lambda cell: cell.kind == "markdown"):
        if not is_prose:
            continue
        cells = list(group)
        sides = {language: [cell for cell in cells if cell.language == language] for language in LANGUAGES}
        fr, en = sides["fr"], sides["en"]
        if len(fr) != len(en):
            near = (fr or en)[0]
            yield (
                near,
                f"{len(fr)} cells in French and {len(en)} in English; each has its translation, near: {_start(near.text)}",
                f"{len(fr)} cellules en français et {len(en)} en anglais ; chacune a sa traduction, près de : {_start(near.text)}",
            )
            continue
        for left, right in zip(fr, en, strict=True):
            found = [what for what in ("slide", "slide_only", "tags") if left.metadata.get(what) != right.metadata.get(what)]
            here, there = structure(left.text), structure(right.text)
            found += [what for what in here if here[what] != there[what]]
            for what in found:
                yield (
                    right,
                    f"{what} {'differ' if what.endswith('s') else 'differs'} between the languages; make them agree: {_start(right.text)}",
                    f"entre les langues diffèrent : {what} ; mettez-les d'accord : {_start(right.text)}",
                )


def _pictures(cell: Cell) -> Iterator[tuple[str, str]]:
    if cell.kind == "markdown":
        for path in re.findall(r"!\[\s*\]\(([^)]*)\)", cell.text):
            yield (
                f"a picture without a description; write ![what it shows]({path})",
                f"une image sans description ; écrivez ![ce qu'elle montre]({path})",
            )
    elif not cell.implements and "plt.show" in cell.text:
        yield (
            f"a figure shown without a description; end the cell with picture(figure, alt): {_start(cell.text)}",
            f"une figure sans description ; finissez la cellule par picture(figure, alt) : {_start(cell.text)}",
        )


def _strings(code: str) -> list[str]:
    """The strings of a cell that are long enough to be prose."""
    strings = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [string for string in strings if len(string.split()) >= 4]


def _spoken(equation: str) -> str:
    """An equation without words and spaces; words in it are translated."""
    return re.sub(r"\\(text|operatorname|mathrm)\{[^}]*\}|\s", "", equation)


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[^\W\d_]+", _NOT_PROSE.sub(" ", text).lower()) if len(word) > 1 or word in "àa"]


def _start(text: str) -> str:
    return " ".join(text.split())[:70]
