"""Proof of what lessons teach: each function is compared with independent code, its peer, and each classic mistake must fail that.

A `Reference` takes any version of a function or class, the library's or a student's, and measures by how much it differs from its
peer. A `Mistake` is a wrong version, with an explanation for the student who made it. They are in `references/` and `mistakes/`, one file
for each brick or group of bricks, or for what a lesson teaches of systems, scorecard and rankings. The tests run them all, and
`dalle-edu doctor --bricks` prints the results.
"""

import importlib
import math
import pkgutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dalle_edu.bricks import BRICKS
from dalle_edu.classroom.checking.cases import Case
from dalle_edu.classroom.checking.comparing import differences, gap
from dalle_edu.language import say


@dataclass(frozen=True)
class Reference:
    """A comparison of `target` with `peer`, the name of independent code that does the same.

    `target` is "module:name" within `dalle_edu.bricks`, or within `dalle_edu` where the module has a dot, as in "systems.dalle1:mix".
    `cases(seed)` are what both are asked: the same for one seed, others for another. `tolerance` is the largest difference that rounding
    explains.
    """

    target: str
    peer: str
    cases: Callable[[int], Sequence[Case]]
    tolerance: float = 1e-5

    @property
    def module(self) -> str:
        """The module of the target: a brick's name, or a path within `dalle_edu`."""
        return self.target.split(":")[0]

    def library_version(self) -> Any:
        """The library's own version of the target."""
        return library_version(self.target)

    def difference(self, version: Any, seed: int = 0) -> float:
        """The largest absolute difference between a version and the peer; infinite where they cannot be compared."""
        return max((self._gap(case.ask(version), case.peer()) for case in self.cases(seed)), default=0.0)

    def _gap(self, found: Any, wanted: Any) -> float:
        """The difference of two answers; at most the tolerance where rounding explains it, as it does in large numbers."""
        exact = gap(found, wanted)
        return exact if any(differences(found, wanted, self.tolerance)) else min(exact, self.tolerance)

    def catches(self, version: Any) -> bool:
        """Whether a version is found wrong: it raises, or its difference is not finite or more than ten times the tolerance."""
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # PyTorch's, of shapes that a wrong version confuses
                difference = self.difference(version)
        except Exception:
            return True
        return not math.isfinite(difference) or difference > 10 * self.tolerance


def library_version(target: str) -> Any:
    """The library's own version of a target. Raises `LookupError` where there is none."""
    module, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(f"dalle_edu.{module}" if "." in module else f"dalle_edu.bricks.{module}"), name)
    except (ImportError, AttributeError) as error:
        raise LookupError(f"the library has no {target}") from error


@dataclass(frozen=True)
class Mistake:
    """A wrong version of `target`, which students or libraries have written before, and its explanation in English and in French."""

    target: str
    version: Any
    en: str
    fr: str

    @property
    def name(self) -> str:
        """The name of the wrong function or class, which says what is wrong."""
        return self.version.__name__

    @property
    def explanation(self) -> str:
        """What the version does wrong, in the reader's language."""
        return say(self.en, self.fr)


def references(target: str = "") -> list[Reference]:
    """The references of a target, whose files alone are imported; without a target all: of the bricks, and of what else lessons teach."""
    found = [reference for module in _modules("references", target) for reference in module.REFERENCES]
    return [reference for reference in found if not target or reference.target == target]


def mistakes(target: str = "") -> list[Mistake]:
    """The classic mistakes about a target, whose files alone are imported; without a target all."""
    found = [mistake for module in _modules("mistakes", target) for mistake in module.MISTAKES]
    return [mistake for mistake in found if not target or mistake.target == target]


def files_about(target: str, folder: str) -> set[str]:
    """The names of the files of `folder`, "references" or "mistakes", that speak of a target.

    They are called after a part of its module's path, or `ELSEWHERE`, in the folder's `__init__.py`, names them.
    """
    module = target.split(":")[0]
    return {*module.split("."), *importlib.import_module(f"dalle_edu.classroom.{folder}").ELSEWHERE.get(module, ())}


def _modules(folder: str, target: str = "") -> Iterator[Any]:
    package = importlib.import_module(f"dalle_edu.classroom.{folder}")
    there = [module.name for module in pkgutil.iter_modules(package.__path__)]
    wanted = files_about(target, folder) if target else there
    for name in there:
        if name in wanted:
            yield importlib.import_module(f"{package.__name__}.{name}")


@dataclass(frozen=True)
class BrickProof:
    """The result for one function or class: the largest difference from its peers, and how many classic mistakes they catch.

    `agrees` says whether every difference is within its reference's tolerance.
    """

    target: str
    peers: str
    difference: float | None  # None where a peer is not installed
    agrees: bool
    mistakes: int
    caught: int
    missing: str = ""  # the package that is not installed

    @property
    def good(self) -> bool:
        """Whether it agrees and every mistake is caught; true also where a peer is not installed, as nothing was compared."""
        return self.difference is None or (self.agrees and self.caught == self.mistakes)


def prove_bricks() -> Iterator[BrickProof]:
    """Compare all that has references with them, one function or class after the other: bricks in the order of lessons, then the rest."""
    held: dict[str, list[Any]] = {}
    order = {brick: place for place, brick in enumerate(BRICKS)}
    for reference in sorted(references(), key=lambda reference: (order.get(reference.module, len(BRICKS)), reference.module)):
        held.setdefault(reference.target, []).append(reference)
    for target, peers in held.items():
        wrong, names = mistakes(target), "; ".join(peer.peer for peer in peers)
        try:
            differences = [peer.difference(peer.library_version()) for peer in peers]
        except ImportError as error:
            yield BrickProof(target, names, None, True, len(wrong), 0, (error.name or "").partition(".")[0])
            continue
        agrees = all(difference <= peer.tolerance for difference, peer in zip(differences, peers, strict=True))
        caught = sum(any(peer.catches(mistake.version) for peer in peers) for mistake in wrong)
        yield BrickProof(target, names, max(differences), agrees, len(wrong), caught)
