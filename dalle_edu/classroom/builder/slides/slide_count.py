"""What each slide of a lesson holds, counted in its source: words, lines of code, notes, minutes; and what is too much or missing.

A slide has at most 40 words of prose or 12 lines of code, and something to look at: a picture, code, a formula or a table. Each has notes
that begin with their minutes, and these add up to the session. The slides of exercises name all exercises, those of quizzes all quizzes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.hollow import French, solution
from dalle_edu.classroom.builder.slides.deck import Slide, is_purpose, slides_of
from dalle_edu.classroom.builder.source import Cell, Lesson
from dalle_edu.world.catalogue import LANGUAGES

WORDS, LINES, FEWEST, MOST = 40, 12, 25, 50
_BLOCK = re.compile(r"```.*?```|~~~.*?~~~", re.DOTALL)
_FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.DOTALL)
_UNSEEN = re.compile(r"<details>.*?</details>|!\[[^\]]*\]\([^)]*\)|\]\([^)]*\)|<[^>]+>", re.DOTALL)  # hints, pictures, addresses, HTML
_PICTURE = re.compile(r"!\[[^\]]*\]\(|<img |<svg")
_TABLE = re.compile(r"^\s*\|?[\s:|-]*-{3}[\s:|-]*$", re.MULTILINE)
_WITHOUT_CODE = {"hide-input", "output-only-slide"}


@dataclass(frozen=True)
class Count:
    """What a slide holds: words of prose, lines of code, whether something is to be looked at, words of notes, and their minutes."""

    slide: Slide
    words: int
    lines: int
    looked_at: bool
    note_words: int
    minutes: int | None


def counts(lesson: Lesson, language: str) -> list[Count]:
    """The count of each slide of a lesson in one language, the title first."""
    return [_count(slide, language) for slide in slides_of(lesson, language)]


def words_of(text: str) -> int:
    """The words of prose in a markdown text, a formula as one; without code blocks, hints and what pictures say to who listens."""
    plain = _UNSEEN.sub(" ", _BLOCK.sub(" ", text))
    plain = _FORMULA.sub(" formula ", plain)
    return sum(any(map(str.isalnum, word)) for word in plain.split())


def slide_faults(lesson: Lesson) -> Iterator[Complaint]:
    """All faults of a lesson's slides that its source shows."""
    sides = {language: counts(lesson, language) for language in LANGUAGES}
    for language, found in sides.items():
        for count in found:
            yield from (Complaint(lesson.path, count.slide.line, *fault) for fault in _faults(count, language))
    slides = [count.slide for count in sides["en"]]
    yield from _differences(lesson, sides)
    yield from _faults_of_deck(lesson, slides)


def _count(slide: Slide, language: str) -> Count:
    prose = [cell for cell in slide.cells if cell.kind == "markdown"]
    code = [cell for cell in slide.cells if cell.kind == "code"]
    blocks = [block for cell in prose for block in _BLOCK.findall(cell.text)]
    lines = sum(len(block.strip().splitlines()) - 2 for block in blocks) + sum(_lines(cell, language) for cell in code)
    text = "\n\n".join(cell.text for cell in prose)
    looked_at = bool(code or blocks or _PICTURE.search(text) or _TABLE.search(text) or "$$" in text)
    notes = sum(words_of(cell.text) for cell in slide.notes)
    return Count(slide, words_of(text), lines, looked_at, notes, slide.minutes)


def _lines(cell: Cell, language: str) -> int:
    """The lines of code that the slide shows of a cell."""
    if _WITHOUT_CODE & set(cell.metadata.get("tags", ())) or "quiz" in cell.metadata:
        return 0
    text = solution(cell.implements, language, French.read(cell.text)) if cell.implements else cell.text
    return len(text.strip().splitlines())


def _faults(count: Count, language: str) -> Iterator[tuple[str, str]]:
    slide = count.slide
    where_en, where_fr = f"slide {slide.number} ({language})", f"diapositive {slide.number} ({language})"
    if slide.purpose and slide.kind != "title" and not is_purpose(slide.purpose):
        yield (
            f'{where_en}: slide_for="{slide.purpose}"; it is "goals", "exercises 1-3", "quiz NAME" or "closing"',
            f'{where_fr} : slide_for="{slide.purpose}" ; il faut "goals", "exercises 1-3", "quiz NOM" ou "closing"',
        )
    if count.words > WORDS:
        yield (
            f"{where_en}: {count.words} words, more than {WORDS}; say the rest in the notes, or make two slides",
            f"{where_fr} : {count.words} mots, plus de {WORDS} ; dites le reste dans les notes, ou faites deux diapositives",
        )
    if count.lines > LINES:
        yield (
            f"{where_en}: {count.lines} lines of code, more than {LINES}; show a part of them, or the output alone (hide-input)",
            f"{where_fr} : {count.lines} lignes de code, plus de {LINES} ; montrez-en une partie, ou le seul résultat (hide-input)",
        )
    if slide.kind == "title":
        return
    if not slide.kind and not count.looked_at:
        yield (
            f"{where_en}: words alone; build it around a picture, code, a formula or a table, or join it with its picture's slide",
            f"{where_fr} : rien que des mots ; il faut une image, du code, une formule ou un tableau, ou la joindre à son image",
        )
    if not slide.notes:
        yield (
            f"{where_en}: no notes; add a cell with slide=\"notes\": what to say, what to ask, and first the minutes, '5 min.'",
            f'{where_fr} : pas de notes ; ajoutez une cellule slide="notes" : que dire, que demander, et d\'abord les minutes, « 5 min. »',
        )
    elif count.minutes is None:
        yield (
            f"{where_en}: the notes do not begin with their minutes; write '5 min.' first",
            f"{where_fr} : les notes ne commencent pas par leurs minutes ; écrivez d'abord « 5 min. »",
        )
    if slide.kind == "exercises" and not any(re.search(r"\d\s*min\b", cell.text) for cell in slide.cells):
        yield (
            f"{where_en}: it does not tell the class how long it has; write the minutes, '10 min'",
            f"{where_fr} : elle ne dit pas à la classe combien de temps elle a ; écrivez les minutes, « 10 min »",
        )


def _differences(lesson: Lesson, sides: dict[str, list[Count]]) -> Iterator[Complaint]:
    for fr, en in zip_longest(sides["fr"], sides["en"]):
        if fr is None or en is None:
            continue  # the structure of the lesson is checked elsewhere
        for what, quoi, here, there in (
            ("minutes", "minutes", fr.minutes, en.minutes),
            ("slide_for", "slide_for", fr.slide.purpose, en.slide.purpose),
        ):
            if here != there:
                yield Complaint(
                    lesson.path,
                    en.slide.line,
                    f"slide {en.slide.number}: {what} is {here} in French and {there} in English; make them the same",
                    f"diapositive {en.slide.number} : {quoi} vaut {here} en français et {there} en anglais ; mettez-les d'accord",
                )


def _faults_of_deck(lesson: Lesson, slides: list[Slide]) -> Iterator[Complaint]:
    def complaint(line: int, en: str, fr: str) -> Complaint:
        return Complaint(lesson.path, line, en, fr)

    if not FEWEST <= len(slides) <= MOST:
        yield complaint(
            1,
            f"{len(slides)} slides; a deck has {FEWEST} to {MOST}",
            f"{len(slides)} diapositives ; il en faut de {FEWEST} à {MOST}",
        )
    total = sum(slide.minutes or 0 for slide in slides)
    if lesson.session is None:
        yield complaint(
            1,
            f"the header does not say how long the class is; add session: {total}, the minutes of all notes",
            f"l'en-tête ne dit pas la durée de la séance ; ajoutez session: {total}, les minutes de toutes les notes",
        )
    elif total != lesson.session:
        yield complaint(
            1,
            f"the notes have {total} minutes and the session {lesson.session}; make them the same",
            f"les notes font {total} minutes et la séance (session) {lesson.session} ; mettez-les d'accord",
        )
    announced = {number for slide in slides for number in slide.exercises}
    exercises = [cell for cell in lesson.cells if cell.is_exercise]
    for number, cell in enumerate(exercises, 1):
        if number not in announced:
            yield complaint(
                cell.line,
                f'no slide announces exercise {number}; name it on one, slide_for="exercises {number}"',
                f"aucune diapositive n'annonce l'exercice {number} ; nommez-le sur une, slide_for=\"exercises {number}\"",
            )
    quizzes = {cell.metadata["quiz"]: cell.line for cell in lesson.cells if "quiz" in cell.metadata}
    for name, line in quizzes.items():
        if name not in {slide.quiz for slide in slides}:
            yield complaint(
                line,
                f'no slide announces the quiz {name}; make one with slide_for="quiz {name}"',
                f'aucune diapositive n\'annonce le quiz {name} ; faites-en une avec slide_for="quiz {name}"',
            )
    for slide in slides:
        beyond = [number for number in slide.exercises if not 1 <= number <= len(exercises)]
        if beyond or (slide.quiz and slide.quiz not in quizzes):
            yield complaint(
                slide.line,
                f'slide {slide.number}: slide_for="{slide.purpose}", and the lesson has {len(exercises)} exercises and the quizzes '
                f"{', '.join(quizzes)}",
                f'diapositive {slide.number} : slide_for="{slide.purpose}", et la leçon a {len(exercises)} exercices et les quiz '
                f"{', '.join(quizzes)}",
            )
