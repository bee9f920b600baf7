"""The language of each edition, sentence by sentence: none of the other language, and none that stands in both."""

import re
from collections.abc import Iterator

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.faults.passages import ITALIC, Passage, masked, passages, unsaid
from dalle_edu.classroom.builder.source import Lesson
from dalle_edu.world.catalogue import LANGUAGES
from dalle_edu.world.grammar import unknown_words

_OTHER = {"fr": "English", "en": "French"}
_AUTRE = {"fr": "anglais", "en": "français"}

# Words that are frequent in one language and absent from the other.
_ENGLISH = (
    "the of and is are was that this these those with for from which it its be been by as at their they them there one each what when "
    "how we you your not has have had can will would should does do so but or if than then into over under between every all "
    "only more most here were other both first "
    " second next last same such any no out up down now see show shows write read give gives take takes makes made let"
)
_FRENCH = (
    "le la les des du une est sont qui dans pour avec par sur ce cette ces il elle ils que nous vous votre ne pas au aux et à se son sa "
    "ses elles leur leurs mais ou où donc car quand comme plus moins chaque tout tous toute fait faire être ont aux en un y sans entre "
    "sous puis aussi ainsi dont voici écrivez lisez montre deux trois même ici cela celle celui ceux autre autres"
)
_COMMON = {"en": set(_ENGLISH.split()), "fr": set(_FRENCH.split())}
_BETWEEN = re.compile(r"(?<=[.!?…:;])\s+|\n\s*\n|\n(?=\s*(?:[-*|#>]|\d+\. ))|\|")
_FOREIGN = re.compile(rf"{ITALIC}|«[^»]*»|“[^”]*”|\"[^\"]*\"", re.DOTALL)  # titles, terms, quotations: any language


def faults(lesson: Lesson) -> Iterator[Complaint]:
    """Sentences of the other language, sentences that stand untranslated in both, and prose in strings that is in one language only."""
    seen: dict[str, dict[str, int]] = {language: {} for language in LANGUAGES}
    for passage in passages(lesson):
        for sentence, line in sentences(passage):
            if reads_as_other(sentence, passage.language):
                yield Complaint(
                    lesson.path,
                    line,
                    f"{_OTHER[passage.language]} in the {passage.language} edition; translate it: {_start(sentence)}",
                    f"de l'{_AUTRE[passage.language]} dans l'édition {passage.language} ; traduisez : {_start(sentence)}"
                    if passage.language == "fr"
                    else f"du {_AUTRE[passage.language]} dans l'édition {passage.language} ; traduisez : {_start(sentence)}",
                )
            elif len(words(sentence)) >= 5:
                seen[passage.language].setdefault(" ".join(sentence.split()).lower(), line)
    for sentence in seen["fr"].keys() & seen["en"].keys():
        if unknown_words(sentence):
            yield Complaint(
                lesson.path,
                max(seen["fr"][sentence], seen["en"][sentence]),
                f"the same sentence in both editions; translate one: {_start(sentence)}",
                f"la même phrase dans les deux éditions ; traduisez-en une : {_start(sentence)}",
            )
    for cell in lesson.cells:
        if cell.kind == "code" and not cell.implements and not cell.is_claims:
            for text, line in unsaid(cell):
                if len(text.split()) >= 4 and any(reads_as_other(text, language) for language in LANGUAGES):
                    yield Complaint(
                        lesson.path,
                        line,
                        f"a text is in one language only; write say(English, French): {_start(text)}",
                        f"un texte n'est que dans une langue ; écrivez say(anglais, français) : {_start(text)}",
                    )


def sentences(passage: Passage) -> Iterator[tuple[str, int]]:
    """The sentences of a passage without code, formulas, addresses, titles and quotations, each with its line in the file."""
    text, begin = _blank(passage.text), 0
    for end, after in [*(found.span() for found in _BETWEEN.finditer(text)), (len(text), len(text))]:
        sentence = text[begin:end]
        if sentence.strip():
            yield sentence, passage.line(begin + len(sentence) - len(sentence.lstrip()))
        begin = after


def reads_as_other(text: str, language: str) -> bool:
    """Whether a text is in the other language than `language`.

    It is if it has at least two frequent words of the other language, over twice as many of them as of its own, and a word that no caption
    of the world has.
    """
    found = words(text)
    other = next(name for name in LANGUAGES if name != language)
    own, foreign = (len([word for word in found if word in _COMMON[name]]) for name in (language, other))
    return foreign >= 2 and foreign > 2 * own and bool(unknown_words(text))


def words(text: str) -> list[str]:
    """The words of prose in a text, in small letters; of single letters, those that are words."""
    return [word for word in re.findall(r"[^\W\d_]+", _blank(text).lower()) if len(word) > 1 or word in "àay"]


def _blank(text: str) -> str:
    return _FOREIGN.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), masked(text, " "))


def _start(text: str) -> str:
    return " ".join(text.split())[:70]
