"""Weights of experiments that no student could train within a lesson: the project trains them once, and the lesson goes on from there.

They lie beside the systems' weights, in half precision, with the steps and the minutes that they took.
"""

from collections.abc import Callable

from torch import nn

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.checkpoints.shipped import weights_path
from dalle_edu.language import say


def is_kept(name: str) -> bool:
    """Whether there are weights of an experiment."""
    return weights_path(name).is_file()


def recall(name: str, model: nn.Module) -> tuple[int, float]:
    """Give a model the kept weights, if there are any; returns the steps and the minutes that they took."""
    if not is_kept(name):
        return 0, 0.0
    tensors, metadata = load_checkpoint(weights_path(name))
    model.load_state_dict({key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in tensors.items()})
    return metadata["steps"], metadata["minutes"]


def train_and_keep(name: str, model: nn.Module, train: Callable[[int], int], minutes: float) -> None:
    """Go on from the kept weights, or from none, for so many minutes, and keep what comes of it.

    `train(steps)` is told the steps that were taken before and returns those that it took.
    """
    steps, before = recall(name, model)
    steps += train(steps)
    halves = {key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in model.state_dict().items()}
    save_checkpoint(weights_path(name), halves, {"brick": name, "steps": steps, "minutes": before + minutes})
    print(say(f"{steps} steps in all, saved to", f"{steps} pas en tout, enregistrés dans"), weights_path(name))


def briefly(name: str, steps: int) -> tuple[str, str]:
    """What an experiment adds, in English and in French, where there are no kept weights."""
    if is_kept(name):
        return "", ""
    command = f"python -m dalle_edu.classroom.demos.{name} 10"
    return (
        f" Trained for {steps} steps only: give it minutes with {command}.",
        f" Entraîné {steps} pas seulement : donnez-lui du temps, {command}.",
    )
