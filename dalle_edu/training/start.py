"""The start of a stage: what a system initialises from pictures, before the first update."""

import torch

from dalle_edu.datasets.source import Source
from dalle_edu.device import Device
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.training.batches import first_batch
from dalle_edu.training.processes import Processes
from dalle_edu.training.resume import RunProgress
from dalle_edu.training.run import Run


def start_stage(
    system: Trainable, run: Run, source: Source, index: int, progress: RunProgress, place: Device, processes: Processes, seed: int
) -> None:
    """Give a system the first pictures of the stage of an index, where the stage asks for some and the weights are still random: a run
    that goes on from a checkpoint in the middle of the stage, or from the weights of another run, leaves them as they are.

    The first process does so, with random numbers of `seed`, and the others take its weights, equal to the last bit. Raises
    `DalleEduError` for a picture that can no longer be read.
    """
    stage = system.stages[index]
    if not stage.start_images or progress.clocks[index].update or run.begin_with is not None:
        return

    def told() -> bytes:
        images = first_batch(source, run, index, stage.start_images).images(system.resolution, place.torch_device)
        with place.autocast():
            system.start_stage(stage.name, images, torch.Generator(place.torch_device).manual_seed(seed))
        return progress.to_bytes(system) if processes.count > 1 else b""

    contents = processes.hear(told)
    if not processes.first:
        RunProgress.from_bytes(contents, system)
