"""The words of sentences that people type: where a word begins and ends, what is one number, and the article that a word takes in English.

Reading ignores case, accents, hyphens, the form of apostrophes, and characters that nobody sees, such as a soft hyphen.
"""

import re
import unicodedata
from functools import lru_cache

INVISIBLE = "\\p{Cf}\u034f\ufe00-\ufe0f\U000e0100-\U000e01ef"  # soft hyphens, joiners, marks of direction, variation selectors…
_SELECTORS = re.compile("[\u034f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_SIGN = r"(?:[-\u2010-\u2015+~±]|[\u2212<>\u2264\u2265\u2248]\s?)"
_NUMBER = re.compile(
    rf"(?<![^\W_]){_SIGN}\d+(?:[.,/:]\d+)*[+%]?(?![^\W_])"  # -1, > 3
    r"|(?<![^\W_])\d+(?:[.,/:]\d+)+[+%]?(?![^\W_])"  # 2.5, 1/2
    r"|(?<![^\W_])\d+\s?[+%](?![^\W_])"  # 3+, 4 %
)
_WORD = re.compile(rf"{_NUMBER.pattern}|[^\W_](?:[^\W_]|[\u0300-\u036f])*")


def visible(text: str) -> str:
    """The text without the characters that nobody sees: format characters and variation selectors of Unicode."""
    if text.isascii():
        return text
    return "".join(c for c in _SELECTORS.sub("", text) if unicodedata.category(c) != "Cf")


def normalize(text: str) -> str:
    """Normalised text, as captions are compared: lower case, no accents or hyphens, plain apostrophes, single spaces.

    « À Gauche d’une ÉTOILE » becomes "a gauche d'une etoile".
    """
    text = visible(text).lower().replace("œ", "oe").replace("’", "'").replace("-", " ")
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(text.split())


def written_words(text: str) -> list[str]:
    """The words of a text as they were written. A number is one word, sign and fraction included: "-1", "2.5", "1/2"."""
    return [found[0] for found in _WORD.finditer(unicodedata.normalize("NFC", visible(text)))]


def normal_words(text: str) -> list[str]:
    """The words of a text in normalised form: « Au-dessus d’une ÉTOILE » gives au, dessus, d, une, etoile. "-1" and "½" are one word."""
    return [part for word in written_words(text) for part in _parts(word)]


@lru_cache(maxsize=1 << 12)
def _parts(word: str) -> tuple[str, ...]:
    """A written word in normalised form, in which it may be several."""
    return (word,) if _NUMBER.fullmatch(word) else tuple(re.findall(r"[^\W_]+(?:\u2044[^\W_]+)*", normalize(word)))


# ---------------------------------------------------------------- a or an

_SILENT_H = r"hour|honest|hono|heir"  # an hour, an honest face
_AS_YOU = (  # the sound of "you" or of "w": a unit, a European, a one-eyed star
    r"eu|ewe|oui|one(?:ness)?\b|once\b|unanim|uni(?!d[eo]|m[aiop]|n|s[su])|u[bcfgkrstv][aeiou]"
)
_NAMED_BY_A_VOWEL = "aefhilmnorsx"  # the letters whose names begin with a vowel: an X, an S-curve
_EIGHT = r"8|1[18](?:[.,]\d{3})*(?!\d)"  # eight…, eleven, eighteen


@lru_cache(maxsize=1 << 12)
def indefinite_article(word: str) -> str:
    """The English article of a word, "a" or "an", by its sound: "an hour", "a unicorn", "an X", "an 8".

    The rule: "an" before a written vowel, but for u and o that sound like you and w; and before a silent h, a number that begins with
    eight, eleven or eighteen, and letters that are spelled out and begin with the sound of a vowel. A rule of spelling cannot be right
    for every word: a word of the catalogue may state its own `article`.
    """
    plain, first = normalize(word), re.split(r"\W", word.strip(), maxsplit=1)[0]
    spelled = first.isalpha() and (len(first) == 1 or (first.isupper() and (len(first) < 4 or not re.search("[AEIOUY]", first))))
    if spelled:
        return "an" if plain[0] in _NAMED_BY_A_VOWEL else "a"
    if re.match(rf"{_EIGHT}|{_SILENT_H}|y[^aeiou]", plain):
        return "an"
    return "an" if plain[:1] in tuple("aeiou") and not re.match(_AS_YOU, plain) else "a"
