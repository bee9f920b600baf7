"""The numbers of both editions: those of a cell and of its translation are the same, however each language writes them.

1,5 and 1.5, 1 000 and 1,000 read alike. A number in digits may stand in words in the other edition. Cells that tell what was measured in
each edition, such as a model's loss on sentences of its language, say `own_numbers=true`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.faults.passages import Passage, says, written
from dalle_edu.classroom.builder.faults.structure import pairs
from dalle_edu.classroom.builder.source import Lesson

_ADDRESS = re.compile(r"(?<=\])\([^)]*\)|<[A-Za-z/!][^>]*>|https?://\S+")
_UNITS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen",
    "fr": "zéro - deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf",
}
_TENS = {
    "en": {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100},
    "fr": {"vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "cent": 100, "mille": 1000},
}
_ALSO = {
    "en": {"first": 1, "second": 2, "third": 3, "fourth": 4, "once": 1, "twice": 2, "double": 2, "half": 2, "thousand": 1000,
           "million": 1_000_000, "single": 1, "both": 2, "pair": 2, "no": 0, "zeroe": 0,
           "quarter": 4, "fifth": 5, "tenth": 10, "dozen": 12},
    "fr": {"premier": 1, "première": 1, "second": 2, "seconde": 2, "deuxième": 2, "troisième": 3, "quatrième": 4, "double": 2,
           "moitié": 2, "demi": 2, "million": 1_000_000, "aucun": 0, "aucune": 0, "quart": 4, "tiers": 3, "cinquième": 5, "dixième": 10,
           "dizaine": 10, "douzaine": 12, "vingtaine": 20, "trentaine": 30, "cinquantaine": 50, "soixantaine": 60, "centaine": 100,
           "millier": 1000},
}  # fmt: skip


def faults(lesson: Lesson) -> Iterator[Complaint]:
    """Numbers that one edition has and the other has not, in cells of prose, in strings and in the title."""
    for left, right in pairs(lesson):
        if not left.metadata.get("own_numbers"):
            yield from _compared(lesson, _whole(left.text, left.first, "fr"), _whole(right.text, right.first, "en"))
    for cell in lesson.cells:
        for call in says(cell) if cell.kind == "code" and not cell.is_claims else ():
            if len(call.args) == 2:
                first = cell.first + call.lineno - 1
                source = tuple(cell.text.split("\n")[call.lineno - 1 : call.end_lineno])
                en, fr = (
                    Passage(language, written(argument), (first,), "string", source)
                    for language, argument in zip(("en", "fr"), call.args, strict=True)
                )
                if en.text and fr.text:
                    yield from _compared(lesson, fr, en)
    line = (lesson.lines.get("title", 1),)
    yield from _compared(lesson, Passage("fr", lesson.title["fr"], line, "title"), Passage("en", lesson.title["en"], line, "title"))


def numbers(text: str, language: str) -> list[tuple[str, int]]:
    """The numbers of a text as English writes them, each with its place in the text."""
    plain = _ADDRESS.sub(lambda found: " " * len(found.group()), text)
    if language == "fr":
        plain = re.sub(r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?!\d))", "\u2060", plain)
        plain = re.sub(r"(?<=\d)\\,(?=\d{3}(?!\d))", "\u2060\u2060", plain)
        plain = re.sub(r"(?<=\d)\{,\}(?=\d)", "\u2060.\u2060", plain)
        plain = re.sub(r"(?<=\d),(?=\d)", ".", plain)
    else:
        plain = re.sub(r"(?<=\d)(?:\{,\}|\\,)(?=\d{3}(?!\d))", lambda found: "\u2060" * len(found.group()), plain)
        plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "\u2060", plain)
    found = re.finditer(r"(?<![\w.])\d[\d\u2060]*(?:\u2060?\.\u2060?\d+)?", plain)
    return [(_plain(each.group()), each.start()) for each in found]


def spelled(text: str, language: str) -> set[str]:
    """The numbers that a text has in words, or may have: "two hundred" is 2, 100 and 200."""
    units = {word: value for value, word in enumerate(_UNITS[language].split())}
    known = units | _TENS[language] | _ALSO[language]
    words = re.findall(r"[^\W\d_]+", text.lower())
    found = [known[word if word in known else word.rstrip("s")] for word in words if word in known or word.rstrip("s") in known]
    sums: set[int] = set(found)
    for size in (2, 3, 4):
        for group in zip(*(found[place:] for place in range(size)), strict=False):
            sums |= {sum(group), _read(group)}
    return {str(value) for value in sums}


def _read(group: Sequence[int]) -> int:
    """Number words in a row as one number: 4, 20, 10 and 8 are 98 in French, 2, 100, 30 are 230."""
    total = 0
    for value in group:
        total = total * value if value in (20, 100, 1000) and 0 < total < value else total + value
    return total


def _whole(text: str, first: int, language: str) -> Passage:
    return Passage(language, text, tuple(range(first, first + text.count("\n") + 1)))


def _plain(number: str) -> str:
    number = number.replace("\u2060", "")
    return f"{float(number):g}" if "." in number else number.lstrip("0") or "0"


def _compared(lesson: Lesson, fr: Passage, en: Passage) -> Iterator[Complaint]:
    ours, theirs = numbers(fr.text, "fr"), numbers(en.text, "en")
    here, there = Counter(number for number, _ in ours), Counter(number for number, _ in theirs)
    only_en = [number for number in (there - here) if number not in spelled(fr.text, "fr")]
    only_fr = [number for number in (here - there) if number not in spelled(en.text, "en")]
    if only_en or only_fr:
        side, found = (en, next(place for number, place in reversed(theirs) if number in only_en)) if only_en else (
            fr, next(place for number, place in reversed(ours) if number in only_fr)
        )  # fmt: skip
        lacking = ("none more", "aucun de plus")
        fr_en, fr_fr = (", ".join(only_fr) or none for none in lacking)
        en_en, en_fr = (", ".join(only_en) or none for none in lacking)
        yield Complaint(
            lesson.path,
            side.line(found),
            f"numbers differ: {fr_en} in French, {en_en} in English; make them the same",
            f"des nombres diffèrent : {fr_fr} en français, {en_fr} en anglais ; mettez-les d'accord",
        )
