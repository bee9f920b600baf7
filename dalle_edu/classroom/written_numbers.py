"""Numbers as people write them: `3,610`, `3 610`, `3,61e3`, `2^10`, `1/4`, `25 %`, `3.61 × 10³`, `≈ −0,5`, `2.3 nats`.

English and French separate thousands and decimals differently, so that one writing may have two readings: `readings` gives them all.
Nothing is evaluated as code: an answer is a product or a quotient of numbers, each perhaps with an exponent.
"""

import math
import re
from dataclasses import dataclass

from dalle_edu.language import reader_language

LONGEST = 60  # characters that are read as a number
HABITS = ((",", "."), (" ", ","), (" ", "."), (".", ","), ("'", "."), ("'", ","), ("_", "."))  # marks of thousands and of decimals
MULTIPLES = {"k": 3, "thousand": 3, "mille": 3, "M": 6, "million": 6, "millions": 6, "milliard": 9, "milliards": 9, "billion": 9}

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_ALIKE = {"−–": "-", "×·⋅": "*", "÷∕⁄": "/", "’": "'", "\u00a0\u2009\u202f\u2007": " "}
_PLAIN_SIGNS = str.maketrans({sign: plain for signs, plain in _ALIKE.items() for sign in signs})
_SPLIT = re.compile(r"(?<!\*)([*/]|(?<=[0-9 ])x(?=[0-9 ]))(?!\*)")
_FACTOR = re.compile(r"([-+]?) ?([0-9.,'_ ]*[0-9][.,]?)(?:[eE]([-+]?[0-9]{1,4}))?(?: ?(?:\^|\*\*) ?([-+]?[0-9]{1,4}|\([-+]?[0-9]{1,4}\)))?")
_WORDS = re.compile(r"(?<=[0-9.,)]) ?((?:[^\W\d_]|[ '-])+)$")


@dataclass(frozen=True)
class Reading:
    """A number that a writing may mean, and its count of significant digits: None for a quotient, a power or another product."""

    value: float
    digits: int | None


def readings(text: str, percent: bool = False) -> list[Reading]:
    """All numbers that a writing may mean in either national habit; none where it is not one finite number.

    `25 %` is 0.25, and 25 as well where the question asks for `percent`. Words after the number are its unit and are left out.
    """
    if len(text) > LONGEST:
        return []
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda power: "^" + power[0].translate(_SUPERSCRIPTS), text).translate(_PLAIN_SIGNS)
    text = re.sub(" +(?:per ?cent|pour ?cent)$", "%", text.strip().lstrip("≈≃≅~∼= "))
    text, powers = _without_unit(text)
    found = _product(text.removesuffix("%").strip())
    if text.endswith("%"):
        found = [Reading(reading.value / 100, reading.digits) for reading in found] + (found if percent else [])
    found = [Reading(reading.value * 10**power, reading.digits) for reading in found for power in powers]
    return [reading for reading in found if math.isfinite(reading.value)]


def _without_unit(text: str) -> tuple[str, list[int]]:
    """The number without the words after it, and the power of ten of the first word, such as 3 for "thousand"; none for a lone letter."""
    words = _WORDS.search(text)
    if not words or not words[1].strip():
        return text, [0]
    first = words[1].split()[0]
    if first in MULTIPLES:
        return text[: words.start()], [MULTIPLES[first]]
    return text[: words.start()], [0] if len(first) > 1 else []


def _product(text: str) -> list[Reading]:
    """The readings of factors between signs of multiplication and division, from left to right."""
    factors = _SPLIT.split(text)
    found = _factor(factors[0].strip())
    for sign, written in zip(factors[1::2], factors[2::2], strict=True):
        following = [reading for reading in _factor(written.strip()) if sign == "*" or sign == "x" or reading.value]
        found = [_combined(left, sign, right) for left in found for right in following]
    return found


def _combined(left: Reading, sign: str, right: Reading) -> Reading:
    if sign == "/":
        return Reading(left.value / right.value, None)
    is_shift = right.value > 0 and math.isclose(math.log10(right.value), round(math.log10(right.value)), abs_tol=1e-12)
    return Reading(left.value * right.value, left.digits if is_shift else None)


def _factor(text: str) -> list[Reading]:
    """The readings of a number with its sign, its power of ten and its exponent."""
    match = _FACTOR.fullmatch(text)
    if not match:
        return []
    sign, written, power, exponent = match.groups()
    found = []
    for plain in _plain(written):
        try:
            value = float(f"{plain}e{power or 0}") ** int((exponent or "1").strip("()"))
        except (OverflowError, ZeroDivisionError):
            continue
        if math.isfinite(value):
            found.append(Reading(-value if sign == "-" else value, None if exponent else _significant(plain)))
    return found


def _plain(written: str) -> list[str]:
    """The readings of digits and separators, as Python writes them; `3,610` has two, 3610. and 3.610.

    A lone dot separates thousands for French readers only.
    """
    found = set()
    for thousands, decimal in HABITS:
        whole, mark, part = written.partition(decimal)
        groups = re.fullmatch(rf"[0-9]*|[1-9][0-9]{{0,2}}(?:{re.escape(thousands)}[0-9]{{3}})+", whole)
        is_foreign = thousands == "." and whole.count(".") == 1 and not mark and reader_language() == "en"
        if groups and not part.strip("0123456789") and not is_foreign:
            found.add(f"{whole.replace(thousands, '')}.{part}")
    return sorted(found)


def _significant(plain: str) -> int:
    """How many significant digits a number has; the zeros at the end of a whole number do not count."""
    digits = plain.removesuffix(".").replace(".", "").lstrip("0")
    return len(digits.rstrip("0") if plain.endswith(".") else digits)
