"""Proof that the bricks are right: each is held against code that nobody here wrote, and each classic mistake is caught by that.

A `Reference` takes any version of a brick's function or class, the library's or a student's, and says by how much it differs from its
peer. A `Mistake` is a wrong version, with the sentence that a student who made it should read. `references/` and `mistakes/` hold them,
one file for each brick; the tests run them all, and `dalle-edu doctor --bricks` prints what they find.
"""

import importlib
import math
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from dalle_edu.bricks import BRICKS
from dalle_edu.language import say


@dataclass(frozen=True)
class Reference:
    """How to hold a version of `target` ("module:name" within `dalle_edu.bricks`) against `peer`.

    `difference(version)` feeds both the same inputs and returns the largest absolute difference; `tolerance` is what rounding explains.
    `inputs`, for peers that a student may not have installed, gives the arguments alone, to compare with the library instead.
    """

    target: str
    peer: str
    difference: Callable[[Any], float]
    tolerance: float = 1e-5
    inputs: Callable[[], list[tuple[Any, ...]]] | None = None

    @property
    def brick(self) -> str:
        return self.target.split(":")[0]

    def library_version(self) -> Any:
        """The library's own version of the target."""
        module, name = self.target.split(":")
        return getattr(importlib.import_module(f"dalle_edu.bricks.{module}"), name)

    def catches(self, version: Any) -> bool:
        """Whether a version is seen to be wrong: it differs by more than rounding explains, is not finite, or raises."""
        try:
            difference = self.difference(version)
        except Exception:
            return True
        return not math.isfinite(difference) or difference > 10 * self.tolerance


@dataclass(frozen=True)
class Mistake:
    """A wrong version of `target`: what students and libraries got wrong before, and what to tell whoever does so again."""

    target: str
    version: Any
    en: str
    fr: str

    @property
    def name(self) -> str:
        return self.version.__name__

    @property
    def explanation(self) -> str:
        return say(self.en, self.fr)


def gap(ours: Any, theirs: Any) -> float:
    """The largest absolute difference between two tensors or arrays; infinite when their shapes differ."""
    ours, theirs = torch.as_tensor(ours).detach(), torch.as_tensor(theirs).detach()
    return float((ours.double() - theirs.double()).abs().max()) if ours.shape == theirs.shape else math.inf


def references() -> list[Reference]:
    """All references, brick by brick."""
    return [reference for module in _modules("references") for reference in module.REFERENCES]


def mistakes() -> list[Mistake]:
    """All mistakes, brick by brick."""
    return [mistake for module in _modules("mistakes") for mistake in module.MISTAKES]


def _modules(folder: str) -> Iterator[Any]:
    package = importlib.import_module(f"dalle_edu.classroom.{folder}")
    for module in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{module.name}")


@dataclass(frozen=True)
class BrickProof:
    """A brick's function held against its references: the largest difference found, and how many of its classic mistakes they catch."""

    target: str
    peers: str
    difference: float | None  # None where a peer is not installed
    agrees: bool
    mistakes: int
    caught: int

    @property
    def good(self) -> bool:
        return self.difference is None or (self.agrees and self.caught == self.mistakes)


def prove_bricks() -> Iterator[BrickProof]:
    """Hold every brick against its references, in the order of the lessons."""
    held: dict[str, list[Any]] = {}
    for reference in sorted(references(), key=lambda reference: BRICKS.index(reference.brick)):
        held.setdefault(reference.target, []).append(reference)
    for target, peers in held.items():
        wrong, names = [mistake for mistake in mistakes() if mistake.target == target], "; ".join(peer.peer for peer in peers)
        try:
            differences = [peer.difference(peer.library_version()) for peer in peers]
        except ImportError:
            yield BrickProof(target, names, None, True, len(wrong), 0)
            continue
        agrees = all(difference <= peer.tolerance for difference, peer in zip(differences, peers, strict=True))
        caught = sum(any(peer.catches(mistake.version) for peer in peers) for mistake in wrong)
        yield BrickProof(target, names, max(differences), agrees, len(wrong), caught)
