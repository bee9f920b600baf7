"""Quotation marks and spaces. French has « » and spaces before ; : ! ? %, which the builder makes no-break; English has neither.

Only what the builder cannot mend is a fault.
"""

import re
from collections.abc import Iterator

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.faults.passages import HOLE, ITALIC, Passage, masked, passages
from dalle_edu.classroom.builder.source import Lesson

_SPACE = " \u00a0\u202f"
_BEFORE = rf"[\w)\]%'’+=»{HOLE}]"
_FRENCH = (
    (r"[\"“”]", "quotation marks of English in French; write « … »", "des guillemets anglais en français ; écrivez « … »"),
    (rf"«(?![{_SPACE}])", "« without a space after it; write « … »", "« sans espace après ; écrivez « … »"),
    (rf"(?<![{_SPACE}])»", "» without a space before it; write « … »", "» sans espace avant ; écrivez « … »"),
    (
        rf"(?:(?<={_BEFORE})|(?<={_BEFORE}\*)|(?<={_BEFORE}\*\*))[;!?:](?=[\s)\]*_»]|$)",
        "no space before ; : ! ? in French; write one, which the builder makes no-break",
        "pas d'espace devant ; : ! ? ; écrivez-en une, que le constructeur rend insécable",
    ),
    (
        r"(?m)^[;!?»]",
        "a line that begins with ; ! ? »; put it on the line before",
        "une ligne commence par ; ! ? » ; mettez-le sur la précédente",
    ),
    (r"(?m)«$", "a line that ends with «; put it on the next line", "une ligne finit par « ; mettez-le sur la suivante"),
    (r"(?<=\d)%", "no space before % in French; write one", "pas d'espace devant % ; écrivez-en une"),
)
_ENGLISH = (
    (r"[«»]", 'quotation marks of French in English; write "…"', 'des guillemets français en anglais ; écrivez "…"'),
    (
        rf"(?<=[\w)\]{HOLE}])[{_SPACE}]+[;!?:](?=\s|$)",
        "a space before ; : ! ? in English; take it out",
        "une espace devant ; : ! ? en anglais ; ôtez-la",
    ),
)


def faults(lesson: Lesson) -> Iterator[Complaint]:
    """The faults of the quotation marks and spaces of all passages."""
    for passage in passages(lesson):
        text = re.sub(
            ITALIC, lambda found: re.sub(r"[^\n]", HOLE, found.group()), masked(_without_directives(passage.text))
        )  # titles, terms
        for pattern, en, fr in _FRENCH if passage.language == "fr" else _ENGLISH:
            for found in re.finditer(pattern, text):
                yield Complaint(lesson.path, passage.line(found.start()), f"{en}: {_near(text, found)}", f"{fr} : {_near(text, found)}")
        if passage.language == "fr":
            yield from _unbalanced(lesson, passage, text)


def _unbalanced(lesson: Lesson, passage: Passage, text: str) -> Iterator[Complaint]:
    """A « that is not closed in its paragraph, and a » that was not opened."""
    begin = 0
    for paragraph in re.split(r"(\n\s*\n)", text):
        opened: list[int] = []
        lone = []
        for found in re.finditer("[«»]", paragraph):
            if found.group() == "«":
                opened.append(found.start())
            elif opened:
                opened.pop()
            else:
                lone.append(found.start())
        for place in [*opened, *lone]:
            yield Complaint(
                lesson.path,
                passage.line(begin + place),
                "a quotation is not closed; write « … »",
                "une citation n'est pas close ; écrivez « … »",
            )
        begin += len(paragraph)


def _without_directives(text: str) -> str:
    """A text whose lines that begin with a colon, which are MyST's, are blank."""
    return re.sub(r"(?m)^:.*$", lambda found: " " * len(found.group()), text)


def _near(text: str, found: re.Match[str]) -> str:
    """A few words around a fault, on one line."""
    return " ".join(text[max(0, found.start() - 20) : found.end() + 12].replace(HOLE, "·").split())
