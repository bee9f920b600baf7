"""The reader's language, and numbers as it writes them.

Languages are a table. French and English are written side by side in the code and in the lessons; any other comes from a phrasebook, a file
`CODE.json` in `lessons/phrasebooks` or in the folder of DALLE_EDU_PHRASEBOOKS, which translates from English:

    {"name": "Esperanto", "decimal": ",", "phrases": {"Right.": "Ĝuste.", "for {} yours gives {}": "por {} via donas {}"}}

`{}` stands for whatever a sentence holds there. What a phrasebook leaves out is said in English. The sentences that machines read and
examiners mark are French and English, whatever the reader's language.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Language:
    """A language: its code, its own name, the sign of its decimals, its typography, and its phrasebook, if it has one."""

    code: str
    name: str
    decimal: str = "."
    typeset: Callable[[str], str] = str
    phrases: Mapping[str, str] | None = field(default=None, repr=False)

    def phrase(self, english: str) -> str:
        """An English sentence in this language, as its phrasebook has it; in English where it has not."""
        if not self.phrases or english in self.phrases:
            return (self.phrases or {}).get(english, english)
        for known, translated in self.phrases.items():
            if "{}" in known and (found := re.fullmatch(re.escape(known).replace(r"\{\}", "(.+?)"), english, flags=re.DOTALL)):
                for held in found.groups():
                    translated = translated.replace("{}", held, 1)
                return translated
        return english

    def worded(self, en: str, fr: str) -> str:
        """One of two wordings, or the translation of the English one."""
        return self.typeset(fr) if self.code == "fr" else self.phrase(en)

    def number(self, english: str) -> str:
        """A number as English writes it, with this language's decimal sign."""
        return english.replace(".", self.decimal)


def typeset(french: str) -> str:
    """French text with no-break spaces before ; : ! ? » %, after «, and between the thousands of a number."""
    return re.sub(r"(?<=\S) (?=[;:!?»])|(?<=«) |(?<=[\d}]) (?=%)|(?<=\d) (?=\d{3}(?!\d))", "\u00a0", french)


SOURCE = {"fr": Language("fr", "Français", ",", typeset), "en": Language("en", "English")}  # those that lessons are written in
_read: dict[tuple[Path, int], Language] = {}  # phrasebooks by path and time of change


def languages() -> dict[str, Language]:
    """All languages by code: French, English, and those that have a phrasebook.

    Raises `ValueError` for a phrasebook that is no such file.
    """
    books = {path.stem: path for folder in _folders() for path in sorted(folder.glob("*.json"))}
    return SOURCE | {code: _phrasebook(code, path) for code, path in books.items() if code not in SOURCE}


def language_named(code: str) -> Language:
    """The language of a code. Raises `ValueError` where there is none."""
    found = SOURCE.get(code) or languages().get(code)
    if found is None:
        raise ValueError(f'the language is "{code}"; it is one of {", ".join(languages())}')
    return found


def chosen(table: Mapping[str, str], code: str) -> str:
    """The entry of a language in a table of French and English wordings, or the translation of the English one."""
    return table[code] if code in table else language_named(code).phrase(table["en"])


def reader_language() -> str:
    """The code of the reader's language.

    The first variable that is set decides: DALLE_EDU_LANGUAGE, then those of the locale (LC_ALL, LC_MESSAGES, LANG). Without any, and for a
    language that is not in the table, it is English.
    """
    for variable in ("DALLE_EDU_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(variable):
            code = re.split(r"[_.@]", os.environ[variable].lower())[0]
            return code if code in SOURCE or code in languages() else "en"
    return "en"


def sentence_language() -> str:
    """The language of the sentences that machines are given for this reader: French for French, English for all others."""
    code = reader_language()
    return code if code in SOURCE else "en"


def say(en: str, fr: str) -> str:
    """The wording in the reader's language; the French one is typeset."""
    return language_named(reader_language()).worded(en, fr)


def speak(language: str) -> None:
    """Set the reader's language for this process. Raises `ValueError` for one that is not in the table."""
    os.environ["DALLE_EDU_LANGUAGE"] = language_named(language).code


def decimal(value: float, digits: int = 1) -> str:
    """A number with `digits` decimals in the reader's language: 97.5, or 97,5 in French."""
    return language_named(reader_language()).number(f"{value:.{digits}f}")


def with_minus(number: str) -> str:
    """A written number with a minus sign, U+2212, in place of its hyphen."""
    return number.replace("-", "−")


def scientific(value: float) -> str:
    """A number in scientific notation, to two digits, in the reader's language: 1.1e-16, or 1,1e-16 in French."""
    return language_named(reader_language()).number(f"{value:.1e}")


def comma(value: float, digits: int = 1) -> str:
    """A number with `digits` decimals and a decimal comma."""
    return f"{value:.{digits}f}".replace(".", ",")


def _folders() -> list[Path]:
    given = os.environ.get("DALLE_EDU_PHRASEBOOKS")
    return [place / "lessons" / "phrasebooks" for place in (_PACKAGE / "_shipped", _PACKAGE.parent)] + ([Path(given)] if given else [])


def _phrasebook(code: str, path: Path) -> Language:
    key = (path, path.stat().st_mtime_ns)
    if key not in _read:
        try:
            book = json.loads(path.read_text(encoding="utf-8"))
            _read[key] = Language(code, str(book["name"]), str(book.get("decimal", ".")), str, {**book["phrases"]})
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f'{path} is no phrasebook: it holds {{"name": …, "decimal": …, "phrases": {{…}}}} ({error!r})') from error
    return _read[key]
