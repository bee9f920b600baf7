"""The reader's language, French or English, and numbers as it writes them."""

import os
import re


def reader_language() -> str:
    """The reader's language, "fr" or "en".

    The first variable that is set decides: DALLE_EDU_LANGUAGE, then those of the locale (LC_ALL, LC_MESSAGES, LANG). Without any it is
    English.
    """
    for variable in ("DALLE_EDU_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(variable):
            return "fr" if os.environ[variable].lower().startswith("fr") else "en"
    return "en"


def say(en: str, fr: str) -> str:
    """The wording in the reader's language; the French one is typeset."""
    return typeset(fr) if reader_language() == "fr" else en


def typeset(french: str) -> str:
    """French text with no-break spaces before ; : ! ? » %, after «, and between the thousands of a number."""
    return re.sub(r"(?<=\S) (?=[;:!?»])|(?<=«) |(?<=[\d}]) (?=%)|(?<=\d) (?=\d{3}(?!\d))", "\u00a0", french)


def speak(language: str) -> None:
    """Set the reader's language, "fr" or "en", for this process. Raises `ValueError` for another language."""
    if language not in ("fr", "en"):
        raise ValueError(f'the language is "{language}"; it is "fr" or "en"')
    os.environ["DALLE_EDU_LANGUAGE"] = language


def decimal(value: float, digits: int = 1) -> str:
    """A number with `digits` decimals in the reader's language: 97.5, or 97,5 in French."""
    return say(f"{value:.{digits}f}", comma(value, digits))


def scientific(value: float) -> str:
    """A number in scientific notation, to two digits, in the reader's language: 1.1e-16, or 1,1e-16 in French."""
    english = f"{value:.1e}"
    return say(english, english.replace(".", ","))


def comma(value: float, digits: int = 1) -> str:
    """A number with `digits` decimals and a decimal comma."""
    return f"{value:.{digits}f}".replace(".", ",")
