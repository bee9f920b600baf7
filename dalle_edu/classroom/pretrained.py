"""Pretrained weights of experiments whose training would take longer than a lesson.

They are beside the systems' weights, in float16, with the number of steps and the minutes that they were trained for.
"""

from collections.abc import Callable

from torch import nn

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.checkpoints.shipped import weights_path
from dalle_edu.language import say


def is_kept(name: str) -> bool:
    """Whether there are pretrained weights of an experiment."""
    return weights_path(name).is_file()


def recall(name: str, model: nn.Module) -> tuple[int, float]:
    """Load the pretrained weights, if there are any, into a model; returns the steps and the minutes that they were trained for.

    Raises `DalleEduError` where the file is no whole checkpoint.
    """
    if not is_kept(name):
        return 0, 0.0
    tensors, metadata = load_checkpoint(weights_path(name))
    model.load_state_dict({key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in tensors.items()})
    return metadata["steps"], metadata["minutes"]


def train_and_keep(name: str, model: nn.Module, train: Callable[[int], int], minutes: float) -> None:
    """Train a model from its pretrained weights, or from scratch if there are none, and save the result as pretrained weights.

    `train(steps)` is given the number of steps taken before, trains for `minutes`, and returns the number of steps that it took.
    """
    steps, before = recall(name, model)
    steps += train(steps)
    halves = {key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in model.state_dict().items()}
    save_checkpoint(weights_path(name), halves, {"brick": name, "steps": steps, "minutes": before + minutes})
    print(say(f"{steps} steps in all, saved to", f"{steps} pas en tout, enregistrés dans"), weights_path(name))


def briefly(name: str, steps: int) -> tuple[str, str]:
    """A note, in English and in French, that an experiment without pretrained weights trained for few steps only.

    It is empty where there are weights.
    """
    if is_kept(name):
        return "", ""
    command = f"python -m dalle_edu.classroom.demos.{name} 10"
    return (
        f" Trained for {steps} steps only: give it minutes with {command}.",
        f" Entraîné {steps} pas seulement : donnez-lui du temps, {command}.",
    )
