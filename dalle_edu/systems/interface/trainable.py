"""The base class of everything that is trained: stages, losses, weights on disk."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from dalle_edu.checkpoints.checkpoint import (
    check_tensors,
    load_checkpoint,
    save_checkpoint,
    understood,
)
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.checks import check_batch, check_stage
from dalle_edu.systems.interface.configuration import (
    Configuration,
    check_sizes,
    check_vocabulary,
    rebuild,
)
from dalle_edu.systems.interface.older_checkpoints import regrouped, upgraded
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.systems.interface.sampling import check_settings, described_settings
from dalle_edu.world.domain import (
    SHAPES_DOMAIN,
    Domain,
    domain_from_json,
    domain_to_json,
)
from dalle_edu.world.tokenizer import CaptionTokenizer


class Trainable(nn.Module, ABC):
    """Networks that learn from captioned pictures, stage by stage.

    Subclasses are built by `__init__(config, tokenizer=None)`, which stores both as
    attributes, and define:

    - `name`, by which commands and checkpoints call the system;
    - `presets`, configurations by name; "laptop", "standard" and "gpu" are the
      usual names, and "laptop" is the one that `dalle-edu train` takes unless told;
    - `resolution` and `stage_loss`, and if they like `preview` and `measure`;
    - `lesson`, the number of the lesson that builds it: systems are listed in this
      order;
    - `domain`, what the captions can say that it learned from: the catalogue of the
      shapes, unless training sets another, which the weights then carry;
    - `foundations`, for parts that are not trained but copied from the weights of
      another model, part by part: {"clip": "clip.clip"} fills the submodule `clip`
      with the submodule `clip` of the system "clip". No stage trains them.
    """

    name: ClassVar[str]
    lesson: ClassVar[int] = 99
    presets: ClassVar[dict[str, Any]]
    foundations: ClassVar[dict[str, str]] = {}
    config: Configuration
    tokenizer: CaptionTokenizer
    domain: Domain = SHAPES_DOMAIN

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of training, in order."""
        return self.config.recipe.stages

    @classmethod
    def learns(cls) -> bool:
        """Whether any preset has a stage. A system without is put together from
        the weights of others, its foundations.
        """
        return any(preset.recipe.stages for preset in cls.presets.values())

    def divisible(self, stage: str) -> bool:
        """Whether a stage's loss is a mean over pictures, and computing it changes
        no parameter and no `requires_grad`.

        On a processor with several cores such batches are cut into pieces, one for
        each thread; buffers that the loss changes see the first piece alone. A
        contrastive loss looks across the batch, and so does the entropy of a
        codebook.
        """
        return False

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

        `images` are at the system's resolution, in [-1, 1], with a caption each.
        `stage` may be left out where there is only one. `progress` in [0, 1] is the
        part of the stage that is done. All random numbers come from `generator`,
        which is on the device of the images. Raises `DalleEduError` for anything
        else.
        """
        made_of = sorted(
            {source.split(".")[0] for source in self.foundations.values()}
        )
        known = [each.name for each in self.stages]
        stage = check_stage(self.name, stage, known, made_of)
        check_batch(images, captions, self.resolution, progress)
        images = images.to(torch.float32)
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
        """What `loss` returns, for a batch that has been checked.

        The result holds a scalar with gradients under "loss", which training
        minimises, and any other scalars, which it logs under their names.
        `generator` may be None, for PyTorch's global random numbers. During
        training, matrix products run in bfloat16 where the device gains by it, so a
        loss is best computed from `.float()` outputs.
        """

    def forward(
        self, images: Tensor, captions: Sequence[str], **options: Any
    ) -> dict[str, Tensor]:
        """`loss`, for wrappers that call a module, such as data parallelism."""
        return self.loss(images, captions, **options)

    def start_stage(
        self,
        stage: str,
        images: Float[Tensor, "n 3 h w"],
        generator: torch.Generator | None,
    ) -> None:
        """Initialise weights from pictures, before the first update of a stage.

        Training calls this once, for stages whose `start_images` is above 0, with
        that many pictures of its source, or all there are, in [-1, 1]. A run that
        resumes in the middle of the stage does not call it again, and one that
        begins with the weights of another does not call it at all. Nothing happens
        unless a subclass says what.
        """

    def preview(
        self, stage: str, images: Tensor, captions: Sequence[str], seed: int
    ) -> Float[Tensor, "n 3 h w"] | None:
        """What the system can already draw in a stage, while it is trained: a
        picture in [-1, 1] for each caption, or None where it draws nothing yet.

        `images` are true pictures of the captions, for stages that reconstruct or
        enlarge. The result is shown on a sheet and marked by the examiner. The
        system is in evaluation mode, with the averaged weights.
        """
        return None

    def measure(
        self, stage: str, images: Tensor, captions: Sequence[str]
    ) -> dict[str, float]:
        """Other measurements of a stage while it is trained, for the log: numbers
        by name. There are none unless a subclass gives some.
        """
        return {}

    @property
    @abstractmethod
    def resolution(self) -> int:
        """Pixels on a side of the pictures that it learns from and draws."""

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.parameters()).device

    def parameter_count(self) -> int:
        """The number of trainable and frozen parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    # ------------------------------------------------------------ files

    def save(
        self,
        path: str | Path,
        metadata: dict[str, Any] | None = None,
        dtype: torch.dtype = torch.float16,
    ) -> None:
        """Write the weights, the configuration, the tokenizer, the domain and
        further `metadata` as one safetensors file. Floating-point weights are
        written in `dtype`. Raises `DalleEduError` where the file cannot be written.
        """
        tensors = {
            name: tensor.to(dtype) if tensor.is_floating_point() else tensor
            for name, tensor in self.state_dict().items()
        }
        config = asdict(self.config)  # type: ignore[call-overload]
        known = {"system": self.name, "config": config}
        known["tokenizer"] = self.tokenizer.to_json()
        if self.domain != SHAPES_DOMAIN:
            known["domain"] = domain_to_json(self.domain)
        save_checkpoint(path, tensors, known | (metadata or {}))

    @classmethod
    def from_config(cls, values: dict[str, Any], tokenizer: str) -> "Trainable":
        """The model, untrained, that a configuration as JSON (`values`) and a
        tokenizer's JSON describe. Raises `TypeError` or `ValueError` where they
        describe none.
        """
        kind = type(next(iter(cls.presets.values())))
        config = rebuild(kind, regrouped(kind, values))
        check_sizes(config.model)
        sampling = config.sampling
        check_settings(vars(sampling), described_settings(sampling))
        build: Callable[..., Trainable] = cls
        words = CaptionTokenizer.from_json(tokenizer)
        check_vocabulary(config.model, words.vocabulary_size)
        return build(config, words)

    @classmethod
    def load(
        cls, path: str | Path, device: torch.device | str = "cpu"
    ) -> "Trainable":
        """The model stored in a file, in float32 and evaluation mode, on `device`.
        Raises `DalleEduError` where the file does not hold one of this class.
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
        """The model of a checkpoint that was read already, in float32 and
        evaluation mode, on `device`.

        It is built on the meta device without initialising weights, which are then
        those of the file. `path` is what errors call the file. Raises
        `DalleEduError` where the checkpoint is of another system, describes one
        that cannot be built, or holds weights of other shapes.
        """
        with understood(path):
            tensors, metadata = upgraded(tensors, metadata)
        found = metadata.get("system")
        if found != cls.name:
            raise DalleEduError(
                f"{path} holds {found} and {cls.name} was expected; give weights "
                f"of {cls.name}",
                f"{path} contient {found}, et {cls.name} était attendu ; donnez "
                f"des poids de {cls.name}",
            )
        # on the meta device no memory is taken before the shapes are checked
        with understood(path), torch.device("meta"), WithoutInitialisation(tensors):
            model = cls.from_config(metadata["config"], metadata["tokenizer"])
        if "domain" in metadata:
            with understood(path):
                model.domain = domain_from_json(metadata["domain"])
        check_tensors(tensors, model.state_dict(), path)
        tensors = {
            name: tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in tensors.items()
        }
        model.load_state_dict(tensors, assign=True)
        return model.to(device).eval()


class WithoutInitialisation(TorchFunctionMode):
    """A context in which weights are not filled with random numbers, in this thread
    alone: they are about to be replaced by those of a file.

    `tensors` are the file's, if they are known. Their number bounds how much may be
    built: raises `ValueError` after many more calls of torch than so many weights
    need, so that a configuration of 10⁹ layers ends at once.
    """

    def __init__(self, tensors: Mapping[str, Tensor] | None = None):
        super().__init__()
        self.calls_left = math.inf if tensors is None else 1000 + 50 * len(tensors)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        self.calls_left -= 1
        # a block without gradients must be able to end
        if self.calls_left < 0 and name != "_set_grad_enabled":
            raise ValueError(
                "its configuration has more layers than it has weights"
            )
        if name in _FILLS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


_FILLS = (
    "normal_",
    "uniform_",
    "trunc_normal_",
    "kaiming_uniform_",
    "kaiming_normal_",
)
