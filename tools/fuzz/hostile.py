"""Values, names and bytes that nobody should send."""

import random
from typing import Any

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 7, 64, 1000, 10**9, 2**63, -(2**31), 10**30, 0.5, -0.5, 1e30),
    *(float("nan"), float("inf"), float("-inf"), "", "x", "1", "\ud800", "[/x]", [], [1], [None], {}, {"a": 1}, [[[]]], [10**9] * 3),
)
WORDS = (
    "x",
    "-1",
    "0",
    "nan",
    "inf",
    "-inf",
    "1e309",
    "1e-320",
    "99999999999999999999",
    "1.5",
    "",
    " ",
    "١",
    "0x10",
    "1_000",
    "None",
    "[/x]",
    "é",
    "\x1b[31m",
)
TEXTS = (
    *("", " ", "\n", "a", "a red circle", "un cercle rouge", "a red circle " * 40, "[/x] [bold]a red circle", ":smile: a red circle"),
    *("\x00", "a\x00b", "\x1b[2J a red circle", "\u202ea red circle", "a red\u00adcircle", "🫨 circle", "𝒶 𝓇ℯ𝒹 𝒸𝒾𝓇𝒸𝓁ℯ", "ﬁve blue stars"),
    *(
        "\udcff",
        "\ud800 circle",
        "é" * 2000,
        "e\u0301" * 500,
        "-1 red circles",
        "no red circle",
        "99999999999 circles",
        "{}",
        "%s %d",
        "../..",
        "--help",
        "-",
    ),
)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Bytes with a few of them changed, cut, repeated or inserted."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        place = rng.randrange(len(found) + 1) if rng.random() < 0.5 else rng.randrange(min(len(found), 300) + 1)
        how = rng.randrange(5)
        if how == 0:
            del found[place:]
        elif how == 1:
            found[place : place + rng.choice((1, 4, 8))] = rng.randbytes(rng.choice((1, 4, 8)))
        elif how == 2:
            found[place:place] = found[: rng.choice((1, 16, 256))]
        elif how == 3 and place < len(found):
            found[place] ^= 1 << rng.randrange(8)
        else:
            found[place:place] = rng.choice((b"\x00" * 8, b"\xff" * 8, b"[" * 2000, b'{"a":', b"\x80\x04."))
    return bytes(found)


def altered(document: Any, rng: random.Random) -> tuple[Any, str]:
    """A JSON document with one value replaced, left out or added, anywhere in it, and which."""
    here = [()]
    for at in here:
        inside = _at(document, at)
        if isinstance(inside, dict | list):
            here += [(*at, key) for key in (inside if isinstance(inside, dict) else range(min(len(inside), 4)))]
    at, value = rng.choice(here[1:] or [()]), rng.choice(VALUES)
    parent = _at(document, at[:-1])
    how = rng.random()
    if how < 0.06:
        del parent[at[-1]]
        return document, f"without {at}"
    if how < 0.1 and isinstance(parent, dict):
        parent["unknown"] = value
        return document, f"unknown in {at[:-1]}"
    parent[at[-1]] = value
    return document, f"{'.'.join(map(str, at))} = {value!r}"


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document
