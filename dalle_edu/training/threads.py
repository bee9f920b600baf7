"""Threads that share a batch: each computes the loss and the gradients of a piece of it, as processes of a run do.

PyTorch's own threads share each operation, and wait for one another after each; those of a small model are too short to gain by that.
Threads with a piece each wait once an update: PyTorch lets go of Python's lock while it computes.
"""

import copy
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import torch
from torch import Tensor, nn

SMALLEST = 8  # pictures of a piece, as measured; with fewer, small operations would take nearly as long

Losses = dict[str, Tensor]
LossOf = Callable[[nn.Module, Tensor, Sequence[str], torch.Generator], Losses]


def pieces_of(size: int) -> int:
    """How many pieces a batch of `size` pictures is cut into: one for each of PyTorch's threads, as long as none has fewer than `SMALLEST`
    pictures. A PyTorch whose threads cannot be shared out keeps batches whole.
    """
    if not torch.backends.openmp.is_available():
        return 1
    return max(1, min(torch.get_num_threads(), size // SMALLEST))


class BatchThreads:
    """A context with a thread for each piece of a batch, among which PyTorch's own threads are shared out. `pool` runs other work in them
    too. It is None where there is one piece, and then nothing is any different.

    The main thread keeps all of PyTorch's threads, for what is not cut, and so do threads that are started afterwards. All pieces learn
    the same weights. Buffers are those of the first piece, as between processes they are those of the first; the others have copies.
    """

    def __init__(self, pieces: int, system: nn.Module, device: torch.device):
        self.threads = torch.get_num_threads()
        each = max(1, self.threads // pieces)
        self.pool = ThreadPoolExecutor(pieces, "piece", torch.set_num_threads, (each,)) if pieces > 1 else None
        self.systems = [system, *(_with_the_same_weights(system) for _ in range(1, pieces))]
        self.generators = [torch.Generator(device) for _ in range(pieces)]

    def __enter__(self) -> "BatchThreads":
        return self

    def __exit__(self, *_: object) -> None:
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)
            torch.set_num_threads(self.threads)  # the number for threads to come, which was set in the pool

    def seed(self, seed: int) -> None:
        """Begin the random numbers of an update. Each piece has its own: those that a process of its rank would have."""
        for rank, generator in enumerate(self.generators):
            generator.manual_seed(seed + rank)

    def learn(
        self, loss_of: LossOf, images: Tensor, captions: Sequence[str], parameters: Sequence[nn.Parameter], weight: float = 1.0
    ) -> Losses:
        """Add to the `grad` of parameters the gradient of a batch's loss times `weight`. Returns the loss and its named parts.

        All are means over the pieces, each of which counts for its number of pictures. They are added up in the order of the pieces,
        whichever thread ends first. Raises what `loss_of` raises, for the first piece where it does, once all threads have ended.
        """
        assert self.pool is not None

        def of_piece(rank: int) -> tuple[float, Losses, tuple[Tensor | None, ...]]:
            first, last = (round(each * len(images) / len(self.systems)) for each in (rank, rank + 1))
            losses = loss_of(self.systems[rank], images[first:last], captions[first:last], self.generators[rank])
            gradients = torch.autograd.grad(losses["loss"], parameters, allow_unused=True)
            return (last - first) / len(images), {name: value.detach() for name, value in losses.items()}, gradients

        working = [self.pool.submit(of_piece, rank) for rank in range(len(self.systems))]
        wait(working)
        means: Losses = {}
        for share, losses, gradients in (each.result() for each in working):
            for parameter, gradient in zip(parameters, gradients, strict=True):
                if gradient is not None:
                    if parameter.grad is None:
                        parameter.grad = torch.zeros_like(parameter)  # in the memory layout that fused optimisers go by
                    parameter.grad.add_(gradient, alpha=share * weight)
            for name, value in losses.items():
                means[name] = means.get(name, 0.0) + share * value
        return means


def _with_the_same_weights(system: nn.Module) -> nn.Module:
    """A copy of a system whose parameters are not copies but those of the system."""
    return copy.deepcopy(system, {id(shared): shared for shared in system.parameters()})
