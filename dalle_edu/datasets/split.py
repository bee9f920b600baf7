"""Which pictures are held out of training: about a tenth, by a hash of their names.

A picture stays on its side whatever else the data set holds, but where a limit is reached: at most `MOST` and a fifth of all are held out,
those of the lowest hash, and at least one of `ENOUGH` pictures or more.
"""

import hashlib
from collections.abc import Iterable

SHARE = 0.1
MOST, ENOUGH = 1024, 10


def held_out_names(names: Iterable[str]) -> list[str]:
    """The names of the pictures that are held out, in the order of their hashes; none of fewer than `ENOUGH`."""
    ranked = sorted((_hash(name), name) for name in set(names))
    if len(ranked) < ENOUGH:
        return []
    below = sum(share < SHARE for share, _ in ranked)
    return [name for _, name in ranked[: min(max(below, 1), MOST, len(ranked) // 5)]]


def _hash(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    digest = hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48
