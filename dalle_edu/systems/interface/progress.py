"""What a drawing tells while it goes on, in one shape for every system.

A method that draws takes `callback`, a function that is called with a `Progress`
after each step, and `progress`, which shows a bar (`dalle_edu/progress_bar.py`). A
callback changes no picture. What it raises stops the drawing and reaches the
caller. Methods number their steps by `Steps`; where one draws by calling others,
`within` numbers theirs as parts of the whole.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from dalle_edu.bricks.samplers import Step
from dalle_edu.errors import DalleEduError
from dalle_edu.progress_bar import progress_bar


@dataclass(frozen=True, eq=False)
class Progress:
    """A step of a drawing, as a callback receives it.

    It is step `index`, from 0, of the `total` steps of the whole call, which may
    draw several batches in several stages. `stage` is the stage of training that
    made the network at work ("prior", "base", "upsampler_64"), or "latent" where
    none did.

    `state` is what is being drawn, for the pictures of the batch at hand: codes
    (n, i), 0 where none is sampled yet; noisy pictures (n, 3, h, w); noisy
    embeddings (n, e); or a latent (n, d, h, w). `estimate` is what a diffusion
    model expects its stage to end in, of the shape of `state`, or the picture of a
    latent, in [-1, 1]; it is None for codes. Both are the drawing's own tensors,
    which later steps may change: clone what is kept, and alter nothing.
    """

    index: int
    total: int
    stage: str
    state: Tensor | None = None
    estimate: Tensor | None = None


ProgressCallback = Callable[[Progress], object]


class Steps:
    """The steps of one drawing: tells them to a callback, if there is one, numbered
    one after the other through all batches and stages.
    """

    def __init__(self, callback: ProgressCallback | None, total: int):
        self.callback, self.total, self.index = callback, total, 0

    def tell(
        self, stage: str, state: Tensor | None, estimate: Tensor | None = None
    ) -> None:
        """Tell the callback that one more step is done."""
        if self.callback is not None:
            told = Progress(self.index, self.total, stage, state, estimate)
            # a clone made in inference mode could not be used outside of it
            with torch.inference_mode(False), torch.no_grad():
                self.callback(told)
        self.index += 1

    def of_codes(self, stage: str) -> Callable[[int, Tensor], None]:
        """A callback for `sample_sequence`, in `bricks/decoding.py`."""
        return lambda position, codes: self.tell(stage, codes)

    def of_sampler(self, stage: str) -> Callable[[Step], None]:
        """A callback for the samplers of `bricks/samplers.py`."""
        return lambda step: self.tell(stage, step.x, step.x0)


def within(
    callback: ProgressCallback | None, before: int = 0, after: int = 0
) -> ProgressCallback | None:
    """The callback for a part of a drawing that has so many steps `before` that
    part and `after` it; None where there is no callback.
    """
    if callback is None:
        return None
    return lambda told: callback(
        replace(told, index=before + told.index, total=before + told.total + after)
    )


def one_of(
    callback: ProgressCallback | None, place: int, count: int
) -> ProgressCallback | None:
    """The callback for part `place`, from 0, of a drawing of `count` parts that
    have equally many steps; None where there is no callback.
    """
    if callback is None:
        return None
    return lambda told: callback(
        replace(
            told,
            index=place * told.total + told.index,
            total=count * told.total,
        )
    )


@contextmanager
def shown(
    callback: Any, name: str, progress: bool | None
) -> Iterator[ProgressCallback | None]:
    """A callback that moves a bar, if one is wanted, and then calls `callback`, if
    there is one. `name` is the system's. Raises `DalleEduError` for a callback that
    cannot be called, and as `progress_bar` does.
    """
    if callback is not None and not callable(callback):
        raise DalleEduError(
            f"the callback is {callback!r}; give a function of one argument, which "
            "it is called with at each step",
            f"callback vaut {callback!r} ; donnez une fonction d'un argument, "
            "appelée à chaque pas",
        )
    with progress_bar(name, progress=progress) as bar:
        if not bar.shown:
            yield callback
            return

        def move(told: Progress) -> None:
            bar.total, bar.description = told.total, f"{name}, {told.stage}"
            bar.reach(told.index + 1)
            if callback is not None:
                callback(told)

        yield move
