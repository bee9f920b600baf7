"""Seeds: what a user may give as one, the same in Python and on the command line."""

import operator
from typing import Any

from dalle_edu.errors import DalleEduError

SEEDS = 2**63  # seeds go from 0 to one less


def check_seed(seed: Any) -> int:
    """The seed as an int: a whole number of Python or NumPy, or a tensor that holds one.

    Raises `DalleEduError` for anything else: a float, None, a bool, a list, a negative number, one that is too large.
    """
    try:
        number = -1 if isinstance(seed, bool) else operator.index(seed)
    except TypeError:
        number = -1
    if not 0 <= number < SEEDS:
        shown = repr(seed) if not isinstance(seed, int) or isinstance(seed, bool) or abs(seed) < 10**40 else f"{'-' * (seed < 0)}10…"
        shown = shown if len(shown) <= 40 else f"{shown[:40]}…"
        raise DalleEduError(
            f"the seed is {shown}; give a whole number from 0 to {SEEDS - 1}, as in 7",
            f"la graine est {shown} ; donnez un entier de 0 à {SEEDS - 1}, comme 7",
        )
    return number


def read_seed(text: str | int) -> int:
    """The seed that an option of the command line holds. Raises `DalleEduError` as `check_seed` does."""
    try:
        return check_seed(int(text))
    except ValueError:
        return check_seed(text)  # which refuses it
