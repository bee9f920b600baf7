"""References that cannot be installed everywhere: a package without a wheel for a newer Python is left out there, and that is said."""

import sys

from dalle_edu.language import say

NO_WHEEL_FROM = {"gensim": (3, 14)}  # pyproject.toml has the same as a marker


def left_out(package: str) -> str:
    """The sentence, in the reader's language, that says why a package is not here; empty where it can be installed."""
    package = package.partition(".")[0]
    since = NO_WHEEL_FROM.get(package)
    if since is None or sys.version_info < since:
        return ""
    version = ".".join(map(str, sys.version_info[:2]))
    return say(
        f"{package} has no wheel for Python {version} yet: the comparison with it is left out here; answers are checked all the same",
        f"{package} n'a pas encore de paquet pour Python {version} : la comparaison avec lui est laissée de côté ici ; les réponses sont "
        "vérifiées quand même",
    )
