"""What training, files and the command line know of everything that learns here:
its stages, its loss, its weights on disk.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.older_checkpoints import upgraded
from dalle_edu.world.tokenizer import CaptionTokenizer


@dataclass(frozen=True)
class Stage:
    """One stage of training and its recipe.

    `parts` names the submodules that learn; `share` is the stage's part of the time
    of a run, `updates_share` its part of the updates; the matrices and kernels of
    the submodules named in `muon` are trained by Muon at `matrix_learning_rate`,
    everything else by AdamW at `learning_rate`; both are the peaks of a schedule.
    """

    name: str
    parts: tuple[str, ...]
    share: float
    batch_size: int
    learning_rate: float
    updates_share: float
    matrix_learning_rate: float = 0.0
    muon: tuple[str, ...] = ()
    weight_decay: float = 0.01


class Trainable(nn.Module, ABC):
    """Networks that learn from captioned pictures, stage by stage. Subclasses give
    `name`, `presets`, `stages`, `loss` and `from_metadata`.

    `foundations` names the parts that are not trained but taken from another
    model's weights, which they begin with and keep.
    """

    name: ClassVar[str]
    presets: ClassVar[dict[str, Any]]
    foundations: ClassVar[dict[str, str]] = {}
    config: Any
    tokenizer: CaptionTokenizer
    stages: tuple[Stage, ...]

    @abstractmethod
    def loss(
        self,
        images: Float[Tensor, "n 3 h w"],
        captions: Sequence[str],
        *,
        stage: str,
        progress: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """The loss of a batch in a stage of training, under "loss", and its named
        parts.

        `progress` in [0, 1] is the part of the stage that is behind; all chance
        comes from `generator`.
        """

    def forward(
        self, images: Tensor, captions: Sequence[str], **options: Any
    ) -> dict[str, Tensor]:
        return self.loss(images, captions, **options)

    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        """What it can already draw in a stage, for the eye and the examiner while
        it learns; None where it draws nothing.
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
        """Pixels on a side of the pictures it learns from, and draws if it
        draws.
        """

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())

    # ------------------------------------------------------------ files

    def save(
        self,
        path: str | Path,
        metadata: dict[str, Any] | None = None,
        dtype: torch.dtype = torch.float16,
    ) -> None:
        """Write the weights (as float16 unless told otherwise), the configuration
        and `metadata` of your own.
        """
        tensors = {
            name: tensor.to(dtype) if tensor.is_floating_point() else tensor
            for name, tensor in self.state_dict().items()
        }
        save_checkpoint(
            path,
            tensors,
            {
                "system": self.name,
                "config": asdict(self.config),
                "tokenizer": self.tokenizer.to_json(),
                **(metadata or {}),
            },
        )

    @classmethod
    @abstractmethod
    def from_metadata(cls, metadata: dict[str, Any]) -> "Trainable":
        """The model, untrained, that a checkpoint's facts describe."""

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
        tensors, metadata = upgraded(tensors, metadata)
        if metadata.get("system") != cls.name:
            found = metadata.get("system")
            raise DalleEduError(
                f"{path} holds {found} and {cls.name} was expected; give weights "
                f"of {cls.name}",
                f"{path} contient {found}, et {cls.name} était attendu ; donnez "
                f"des poids de {cls.name}",
            )
        try:
            # no memory is taken until the shapes are known to be those of the file;
            # drawing numbers there would import a compiler
            with (
                torch.device("meta"),
                patch.object(nn.init, "normal_", lambda tensor, *_, **__: tensor),
            ):
                model = cls.from_metadata(metadata)
        except (
            TypeError,
            KeyError,
            ValueError,
            AttributeError,
            RuntimeError,
        ) as error:
            raise DalleEduError(
                f"{path} describes a system that this version cannot build "
                f"({error}); take the version that wrote it, or train it again",
                f"{path} décrit un système que cette version ne sait pas "
                f"construire ({error}) ; prenez la version qui l'a écrit, ou"
                " entraînez-le de nouveau",
            ) from error
        expected = {
            name: tuple(tensor.shape) for name, tensor in model.state_dict().items()
        }
        if expected != {
            name: tuple(tensor.shape) for name, tensor in tensors.items()
        }:
            raise DalleEduError(
                f"{path} holds weights of other shapes than its configuration; "
                "fetch or train it again",
                f"{path} contient des poids d'autres formes que sa configuration ; "
                "téléchargez-le ou entraînez-le de nouveau",
            )
        tensors = {
            name: tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in tensors.items()
        }
        model.load_state_dict(tensors, assign=True)
        return model.to(device).eval()
