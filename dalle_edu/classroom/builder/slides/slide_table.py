"""What the slides look like once they are made: measured in Chromium where there is one, and told as a table."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.slides.deck import slides_of
from dalle_edu.classroom.builder.slides.slide_count import counts
from dalle_edu.classroom.builder.source import Lesson
from dalle_edu.errors import DalleEduError
from dalle_edu.language import say
from dalle_edu.world.catalogue import LANGUAGES

TOOLS = Path(__file__).parents[4] / "book" / "tools"
HEIGHT, WIDTH, PROSE, SMALL = 672, 1280, 24, 20  # pixels of a slide of 1280 × 720, whose lowest 48 are the bar's
_RAW = (
    (re.compile(r"\{(?:'[^']*'|\"[^\"]*\"|[\d.]+): "), "a dictionary as Python writes it", "un dictionnaire tel que Python l'écrit"),
    (re.compile(r"\d*[.,]\d{7,}"), "a number with more than six decimals", "un nombre de plus de six décimales"),
    (re.compile(r"tensor\(|array\(|<[\w.]+ object at "), "an object as Python writes it", "un objet tel que Python l'écrit"),
)


def output_faults(lesson: Lesson, executed: Any, language: str) -> Iterator[Complaint]:
    """What the outputs on a lesson's slides show as Python writes it, and no reader should see."""
    slides, number = slides_of(lesson, language), 0
    for place, cell in enumerate(executed.cells):
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "skip")
        number += kind in ("slide", "subslide") and bool(place)
        if kind in ("skip", "notes"):
            continue
        shown = "\n".join(str(output.get("text", output.get("data", {}).get("text/plain", ""))) for output in _printed(cell))
        for pattern, en, fr in _RAW:
            if match := pattern.search(shown):
                slide = slides[min(number, len(slides) - 1)]
                found = shown[match.start() : match.start() + 40].splitlines()[0]
                yield Complaint(
                    lesson.path,
                    slide.line,
                    f"slide {slide.number} ({language}): {en}, {found}; write it for a reader",
                    f"diapositive {slide.number} ({language}) : {fr}, {found} ; écrivez-le pour un lecteur",
                )


def measured_slides(site: Path, names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """What `book/tools/measure.mjs` finds of the decks of these lessons, by "LANGUAGE/NAME"; empty where there is no Chromium or Node.js.

    Raises `DalleEduError` where the browser fails.
    """
    node = shutil.which("node")
    if node is None or subprocess.run([node, str(TOOLS / "chromium.mjs")], capture_output=True, check=False).returncode:
        return {}
    done = subprocess.run([node, str(TOOLS / "measure.mjs"), str(site), *names], capture_output=True, text=True, check=False)
    if done.returncode:
        raise DalleEduError(f"the slides were not measured:\n{done.stderr}", f"les diapositives n'ont pas été mesurées :\n{done.stderr}")
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


def pixel_faults(lesson: Lesson, language: str, measured: Sequence[dict[str, Any]]) -> Iterator[Complaint]:
    """What does not fit on a slide, what is too small to be read in a room, and the formulas that MathJax refused."""
    for slide, size in zip(slides_of(lesson, language), measured, strict=True):
        found = []
        if size["height"] > HEIGHT or size["width"] > WIDTH:
            found.append(
                (
                    f"it needs {size['width']} × {size['height']} pixels and has {WIDTH} × {HEIGHT}; take something out",
                    f"il lui faut {size['width']} × {size['height']} pixels et elle en a {WIDTH} × {HEIGHT} ; ôtez quelque chose",
                )
            )
        for what, quoi, key, least in (
            ("text", "texte", "prose", PROSE),
            ("code, table or picture", "code, tableau ou image", "small", SMALL),
        ):
            is_title = slide.kind == "title" and key == "small"  # its picture is there to be looked at, not read
            if size[key] is not None and size[key] < least and not is_title:
                found.append(
                    (
                        f"the smallest letters of a {what} have {size[key]:g} pixels; {least} at least are read from the last row",
                        f"{quoi} : les plus petites lettres ont {size[key]:g} pixels ; il en faut {least} pour le dernier rang",
                    )
                )
        if size["refused"]:
            found.append(("a formula that MathJax does not read; correct it", "une formule que MathJax ne lit pas ; corrigez-la"))
        for en, fr in found:
            yield Complaint(
                lesson.path, slide.line, f"slide {slide.number} ({language}): {en}", f"diapositive {slide.number} ({language}) : {fr}"
            )


def table(lesson: Lesson, measured: dict[str, list[dict[str, Any]]]) -> str:
    """A line for each slide of a lesson in each language: words, lines of code, pixels, smallest letters, words of notes, minutes."""
    heads = say(
        "slide words lines height prose small notes minutes for id", "diapo mots lignes hauteur prose petit notes minutes pour id"
    ).split()
    lines = []
    for language in LANGUAGES:
        sizes, found = measured.get(f"{language}/{lesson.name}", []), counts(lesson, language)
        lines.append(f"{lesson.name} {language}")
        lines.append("".join(f"{head:>9}" for head in heads[:8]) + f"  {heads[8]:14} {heads[9]}")
        for place, count in enumerate(found):
            size = sizes[place] if place < len(sizes) else {}
            row = [count.slide.number, count.words, count.lines, size.get("height"), size.get("prose"), size.get("small"), count.note_words]
            shown = "".join(f"{'–' if each is None else each:>9}" for each in [*row, count.minutes])
            lines.append(f"{shown}  {count.slide.purpose:14} {count.slide.id}")
        total = [sum(values) for values in zip(*((count.words, count.lines) for count in found), strict=True)]
        minutes = sum(count.minutes or 0 for count in found)
        lines.append(f"{'=':>9}{total[0]:>9}{total[1]:>9}{'':36}{minutes:>9}")
    return "\n".join(lines)


def _printed(cell: Any) -> list[Any]:
    return [output for output in cell.get("outputs", []) if "text/html" not in output.get("data", {})]
