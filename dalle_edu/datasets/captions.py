"""Reading captions and JSON from untrusted files: UTF-8 only, captions on one line and without control characters."""

import json
import unicodedata
from typing import Any

from dalle_edu.datasets.report import Unusable, Why

MAX_TEXT_BYTES = 1_000_000
MAX_JSON_BYTES = 2_000_000_000  # captions_train2017.json has 92 MB


def clean_caption(text: Any) -> str:
    """A caption on one line with single spaces. Raises `Unusable` where it is no string, is blank, or holds a lone surrogate."""
    if not isinstance(text, str):
        raise Unusable(Why.NO_CAPTION if text is None else Why.NOT_TEXT)
    if any(unicodedata.category(c) == "Cs" for c in text):  # a lone surrogate, which UTF-8 cannot encode
        raise Unusable(Why.NOT_UTF8)
    text = " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in text).split())
    if not text:
        raise Unusable(Why.NO_CAPTION)
    return text


def clean_captions(texts: Any) -> tuple[str, ...]:
    """The cleaned captions of a string or a list of strings. Raises `Unusable` as `clean_caption` does, and for an empty list."""
    if not isinstance(texts, list):
        return (clean_caption(texts),)
    if not texts:
        raise Unusable(Why.NO_CAPTION)
    return tuple(clean_caption(text) for text in texts)


def decode_text(data: bytes) -> str:
    """The text of bytes in UTF-8, with or without a byte order mark. Raises `Unusable` where they are not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable(Why.NOT_UTF8) from error


class Pairs(list):
    """A JSON object as a list of (name, value), which keeps names that come twice."""


def read_json(text: str, kind: type) -> Any:
    """The value of a JSON text, which must be a `kind`: dict, list or `Pairs`.

    Raises `Unusable` for another value, and for malformed JSON with its line and column.
    """
    try:
        document = json.loads(text, object_pairs_hook=Pairs if kind is Pairs else None)
    except json.JSONDecodeError as error:
        raise Unusable(Why.JSON, f"{error.lineno}:{error.colno}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets thousands deep
        raise Unusable(Why.JSON) from error
    if not isinstance(document, kind):
        raise Unusable(Why.JSON)
    return document
