"""The reader's language: French or English, chosen once, by the environment."""

import os
import re


def reader_language() -> str:
    """ "fr" or "en": what DALLE_EDU_LANGUAGE says, or else the locale (LC_ALL, LC_MESSAGES, LANG), or else English."""
    for variable in ("DALLE_EDU_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(variable):
            return "fr" if os.environ[variable].lower().startswith("fr") else "en"
    return "en"


def say(en: str, fr: str) -> str:
    """The one of two wordings that is in the reader's language."""
    return typeset(fr) if reader_language() == "fr" else en


def typeset(french: str) -> str:
    """French with no-break spaces: before ; : ! ? » %, after «, and between the thousands of a number."""
    return re.sub(r"(?<=\S) (?=[;:!?»])|(?<=«) |(?<=[\d}]) (?=%)|(?<=\d) (?=\d{3}(?!\d))", "\u00a0", french)


def speak(language: str) -> None:
    """Choose the reader's language for this process, as a notebook of one edition does: "fr" or "en"."""
    if language not in ("fr", "en"):
        raise ValueError(f'the language is "{language}"; it is "fr" or "en"')
    os.environ["DALLE_EDU_LANGUAGE"] = language


def decimal(value: float, digits: int = 1) -> str:
    """A number as the reader writes it: 97.5, or 97,5 in French."""
    return say(f"{value:.{digits}f}", comma(value, digits))


def scientific(value: float) -> str:
    """A very small or very large number as the reader writes it: 1.1e-16, or 1,1e-16 in French."""
    english = f"{value:.1e}"
    return say(english, english.replace(".", ","))


def comma(value: float, digits: int = 1) -> str:
    """A number as French writes it."""
    return f"{value:.{digits}f}".replace(".", ",")
