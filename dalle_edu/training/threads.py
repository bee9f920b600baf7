"""Threads that share a batch: each computes the loss and the gradients of a piece of it, as processes of a run do.

PyTorch's own threads share each operation, and wait for one another after each; those of a small model are too short to gain by that.
Threads with a piece each wait once an update: PyTorch lets go of Python's lock while it computes.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import torch
from torch import Tensor, nn

from dalle_edu.systems.interface.recipe import Stage

SMALLEST = 16  # pictures of a piece: operations on fewer take nearly as long

Losses = dict[str, Tensor]
LossOf = Callable[[Tensor, Sequence[str], torch.Generator], Losses]


def pieces_of(stage: Stage, size: int) -> int:
    """How many pieces a batch of `size` pictures is cut into: one for each of PyTorch's threads, as long as none has fewer than `SMALLEST`
    pictures. A stage whose loss cannot be cut keeps its batches whole, as does PyTorch where its threads cannot be shared out.
    """
    if not stage.divisible or not torch.backends.openmp.is_available():
        return 1
    return max(1, min(torch.get_num_threads(), size // SMALLEST))


class BatchThreads:
    """A context with a thread for each piece of a batch, among which PyTorch's own threads are shared out. `pool` runs other work in them
    too. It is None where there is one piece, and then nothing is any different.

    The main thread keeps all of PyTorch's threads, for what is not cut, and so do threads that are started afterwards.
    """

    def __init__(self, pieces: int):
        self.pieces, self.threads = pieces, torch.get_num_threads()
        each = max(1, self.threads // pieces)
        self.pool = ThreadPoolExecutor(pieces, "piece", torch.set_num_threads, (each,)) if pieces > 1 else None

    def __enter__(self) -> "BatchThreads":
        return self

    def __exit__(self, *_: object) -> None:
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)
            torch.set_num_threads(self.threads)  # the number for threads to come, which was set in the pool

    def learn(
        self,
        loss_of: LossOf,
        images: Tensor,
        captions: Sequence[str],
        generators: Sequence[torch.Generator],
        parameters: Sequence[nn.Parameter],
        weight: float = 1.0,
    ) -> Losses:
        """Add to the `grad` of parameters the gradient of a batch's loss times `weight`. Returns the loss and its named parts.

        All are means over the pieces, each of which counts for its number of pictures and has a generator of its own. They are added up in
        the order of the pieces, whichever thread ends first. Raises what `loss_of` raises, for the first piece where it does, once all
        threads have ended.
        """
        assert self.pool is not None
        cuts = [round(rank * len(images) / self.pieces) for rank in range(self.pieces + 1)]
        spans = [slice(*span) for span in zip(cuts, cuts[1:], strict=False)]

        def of_piece(span: slice, generator: torch.Generator) -> tuple[Losses, tuple[Tensor | None, ...]]:
            losses = loss_of(images[span], captions[span], generator)
            gradients = torch.autograd.grad(losses["loss"], parameters, allow_unused=True)
            return {name: value.detach() for name, value in losses.items()}, gradients

        working = [self.pool.submit(of_piece, span, generator) for span, generator in zip(spans, generators, strict=True)]
        wait(working)
        done = [each.result() for each in working]
        shares = [(span.stop - span.start) / len(images) for span in spans]
        for parameter, *gradients in zip(parameters, *(given for _, given in done), strict=True):
            for share, gradient in zip(shares, gradients, strict=True):
                if gradient is not None:
                    if parameter.grad is None:
                        parameter.grad = torch.zeros_like(parameter)  # in the memory layout that fused optimisers go by
                    parameter.grad.add_(gradient, alpha=share * weight)
        return {name: sum(share * losses[name] for share, (losses, _) in zip(shares, done, strict=True)) for name in done[0][0]}
