"""What training, files and commands know of everything that learns here: its
stages, its loss, its weights on disk.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.checks import check_batch, check_stage
from dalle_edu.systems.interface.configuration import Configuration, rebuild
from dalle_edu.systems.interface.older_checkpoints import regrouped, upgraded
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.world.tokenizer import CaptionTokenizer


class Trainable(nn.Module, ABC):
    """Networks that learn from captioned pictures, stage by stage.

    Subclasses are built from a configuration and a tokenizer, and give `name`,
    `presets` (configurations by name), `lesson` (the lesson that builds it, in
    whose order systems are listed), `resolution` and `stage_loss`. `foundations`
    names the parts that are not trained but taken from another model's weights,
    which they begin with and keep: {"clip": "clip.clip"}.
    """

    name: ClassVar[str]
    lesson: ClassVar[int] = 99
    presets: ClassVar[dict[str, Any]]
    foundations: ClassVar[dict[str, str]] = {}
    config: Configuration
    tokenizer: CaptionTokenizer

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of training, in order."""
        return self.config.recipe.stages

    @classmethod
    def learns(cls) -> bool:
        """Whether there is anything to train: what has no stage in any preset is
        put together from the weights of others.
        """
        return any(preset.recipe.stages for preset in cls.presets.values())

    # ------------------------------------------------------------ learning

    def loss(
        self,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        *,
        stage: str | None = None,
        progress: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """The loss of a batch in a stage of training, under "loss", and its named
        parts.

        `images` are at the system's resolution, in [-1, 1], with a caption each;
        `stage` may be left out where there is only one; `progress` in [0, 1] is the
        part of the stage that is behind; all random numbers come from `generator`,
        which lives where the images do. Raises `DalleEduError` for anything else.
        """
        made_of = sorted(
            {source.split(".")[0] for source in self.foundations.values()}
        )
        known = [each.name for each in self.stages]
        stage = check_stage(self.name, stage, known, made_of)
        check_batch(images, captions, self.resolution, progress)
        return self.stage_loss(stage, images, captions, progress, generator)

    @abstractmethod
    def stage_loss(
        self,
        stage: str,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        progress: float,
        generator: torch.Generator | None,
    ) -> dict[str, Tensor]:
        """What `loss` returns, of a batch that is known to be right."""

    def forward(
        self, images: Tensor, captions: Sequence[str], **options: Any
    ) -> dict[str, Tensor]:
        """`loss`, for what wraps a network and calls it."""
        return self.loss(images, captions, **options)

    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        """What it can already draw in a stage, for the eye and the examiner while
        it learns: pictures in [-1, 1], or None where it draws nothing.
        """
        return None

    def measure(
        self, stage: str, images: Tensor, captions: Sequence[str]
    ) -> dict[str, float]:
        """What else there is to see of a stage while it learns: named numbers for
        the log.
        """
        return {}

    @property
    @abstractmethod
    def resolution(self) -> int:
        """Pixels on a side of the pictures that it learns from, and draws if it
        draws.
        """

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    def parameter_count(self) -> int:
        """How many numbers its weights are."""
        return sum(parameter.numel() for parameter in self.parameters())

    # ------------------------------------------------------------ files

    def save(
        self,
        path: str | Path,
        metadata: dict[str, Any] | None = None,
        dtype: torch.dtype = torch.float16,
    ) -> None:
        """Write the weights, the configuration, the tokenizer and `metadata` of
        your own, as one safetensors file. Floating-point weights are written in
        `dtype`.
        """
        tensors = {
            name: tensor.to(dtype) if tensor.is_floating_point() else tensor
            for name, tensor in self.state_dict().items()
        }
        config = asdict(self.config)  # type: ignore[call-overload]
        known = {"system": self.name, "config": config}
        known["tokenizer"] = self.tokenizer.to_json()
        save_checkpoint(path, tensors, known | (metadata or {}))

    @classmethod
    def from_config(cls, values: dict[str, Any], tokenizer: str) -> "Trainable":
        """The model, untrained, that a configuration as JSON and a tokenizer's JSON
        describe. Raises `TypeError` or `ValueError` where they describe none.
        """
        kind = type(next(iter(cls.presets.values())))
        config = rebuild(kind, regrouped(kind, values))
        build: Callable[..., Trainable] = cls
        return build(config, CaptionTokenizer.from_json(tokenizer))

    @classmethod
    def load(
        cls, path: str | Path, device: torch.device | str = "cpu"
    ) -> "Trainable":
        """The model stored in a file, in float32, ready to use. Raises
        `DalleEduError` where the file does not hold one.
        """
        return cls.restore(*load_checkpoint(path), path, device)

    @classmethod
    def restore(
        cls,
        tensors: dict[str, Tensor],
        metadata: dict[str, Any],
        path: str | Path,
        device: torch.device | str,
    ) -> "Trainable":
        """The model of a checkpoint that was read already, in float32, in
        evaluation mode, on `device`. `path` is what errors call the file. Raises
        `DalleEduError` where the checkpoint is of another system, or describes one
        that cannot be built, or holds weights of other shapes.
        """
        tensors, metadata = upgraded(tensors, metadata)
        found = metadata.get("system")
        if found != cls.name:
            raise DalleEduError(
                f"{path} holds {found} and {cls.name} was expected; give weights "
                f"of {cls.name}",
                f"{path} contient {found}, et {cls.name} était attendu ; donnez "
                f"des poids de {cls.name}",
            )
        try:
            # no memory is taken until the shapes are known to be those of the file
            with torch.device("meta"), WithoutInitialisation():
                model = cls.from_config(metadata["config"], metadata["tokenizer"])
        except (TypeError, KeyError, ValueError, AttributeError, RuntimeError) as e:
            raise DalleEduError(
                f"{path} describes a system that this version cannot build ({e}); "
                "take the version that wrote it, or train it again",
                f"{path} décrit un système que cette version ne sait pas "
                f"construire ({e}) ; prenez la version qui l'a écrit, ou "
                "entraînez-le de nouveau",
            ) from e
        if _shapes(model.state_dict()) != _shapes(tensors):
            raise DalleEduError(
                f"{path} holds weights of other shapes than its configuration; "
                "fetch or train it again",
                f"{path} contient des poids d'autres formes que sa "
                "configuration ; téléchargez-le ou entraînez-le de nouveau",
            )
        tensors = {
            name: tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in tensors.items()
        }
        model.load_state_dict(tensors, assign=True)
        return model.to(device).eval()


class WithoutInitialisation(TorchFunctionMode):
    """Inside the block, in this thread alone, weights keep whatever they hold: none
    is filled with random numbers.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in _FILLS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


_FILLS = (
    "normal_",
    "uniform_",
    "trunc_normal_",
    "kaiming_uniform_",
    "kaiming_normal_",
)


def _shapes(tensors: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}
