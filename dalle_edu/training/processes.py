"""The processes of a run, perhaps on several machines: what they must agree on, update after update, and what the first tells the others.

They speak through a group of their own, by gloo and in the CPU's memory, so no accelerator is waited for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from accelerate import Accelerator

from dalle_edu.errors import DalleEduError


class Processes:
    """The processes that share a run's work. With one there is nobody to agree with, and every method returns what it is given."""

    def __init__(self, accelerator: Accelerator):
        self.count, self.rank = accelerator.num_processes, accelerator.process_index
        self.group = dist.new_group(backend="gloo") if self.count > 1 else None

    @property
    def first(self) -> bool:
        """Whether this is the first process, which alone reads and writes the run's folder."""
        return self.rank == 0

    def agree(self, seconds: float, stop: bool, save: bool) -> tuple[float, bool, bool]:
        """The first process's seconds, on which the learning rate depends; whether any process was told to stop; and whether the first
        wants to save.
        """
        if self.group is None:
            return seconds, stop, save
        said = torch.tensor([seconds if self.first else 0.0, float(stop), float(save and self.first)], dtype=torch.float64)
        dist.all_reduce(said, dist.ReduceOp.MAX, group=self.group)
        agreed = said.tolist()
        return agreed[0], agreed[1] > 0, agreed[2] > 0

    def mean(self, values: list[float]) -> list[float]:
        """The means over the processes, each of which saw its share of a batch."""
        if self.group is None:
            return values
        said = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(said, group=self.group)
        return (said / self.count).tolist()

    def wait(self) -> None:
        """Wait for all processes."""
        if self.group is not None:
            dist.barrier(group=self.group)

    def hear(self, make: Callable[[], bytes]) -> bytes:
        """What the first process makes, in all of them. Raises what making it raises, in the first, and `DalleEduError` in the others."""
        contents = b""
        try:
            if self.first:
                contents = make()
        finally:
            if self.group is not None:
                size = torch.tensor([len(contents)])
                dist.broadcast(size, src=0, group=self.group)
        if self.group is not None and not int(size):
            raise DalleEduError(
                "the first process did not begin the run; what it says tells why",
                "le premier processus n'a pas commencé l'entraînement ; ce qu'il dit explique pourquoi",
            )
        if self.group is not None:
            sent = torch.frombuffer(bytearray(contents), dtype=torch.uint8) if self.first else torch.empty(int(size), dtype=torch.uint8)
            dist.broadcast(sent, src=0, group=self.group)
            contents = sent.numpy().tobytes()
        return contents

    @contextmanager
    def lost_connections(self) -> Iterator[None]:
        """A context that raises `DalleEduError` where the connection to another process is lost."""
        try:
            yield
        except RuntimeError as error:
            text = str(error).lower()
            if self.group is None or not ("connection" in text or "gloo" in text or "nccl" in text):
                raise
            raise DalleEduError(
                "another process of the run ended, so this one ends too; the same command goes on from the last checkpoint",
                "un autre processus de l'entraînement s'est arrêté, celui-ci s'arrête donc aussi ; la même commande reprend de la dernière"
                " sauvegarde",
            ) from error
