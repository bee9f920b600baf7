"""The interface of systems: how each is described, trained, saved, loaded and asked
to draw. What follows is all that one needs to write a system outside the package.

A system is a class with networks, a configuration and a tokenizer. Here is a whole
one, `mine.py`. It looks up a vector for each word of a caption, sums them, and
turns the sum into pixels; its pictures are the mean of all those that a caption may
go with, so they are blurred.

    from collections.abc import Sequence
    from dataclasses import dataclass, field
    from typing import Any

    import torch
    import torch.nn.functional as F
    from torch import Tensor, nn

    from dalle_edu.systems.interface.checks import check_prompts
    from dalle_edu.systems.interface.drawing import drawing
    from dalle_edu.systems.interface.noise import noise_for
    from dalle_edu.systems.interface.progress import ProgressCallback, Steps
    from dalle_edu.systems.interface.recipe import Recipe, Stage
    from dalle_edu.systems.interface.registry import register
    from dalle_edu.systems.interface.system import System
    from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer

    @dataclass(frozen=True)
    class MineModel:
        resolution: int = 32
        text_length: int = 20

    @dataclass(frozen=True)
    class MineSampling:
        grain: float = 0.1  # standard deviation of the noise on a picture

    PIXELS = Stage(
        "pixels", ("words", "pixels"), share=1.0, batch_size=64,
        learning_rate=3e-3, updates_share=1.0,
    )

    @dataclass(frozen=True)
    class MineConfig:
        model: MineModel = field(default_factory=MineModel)
        recipe: Recipe = field(default_factory=lambda: Recipe((PIXELS,)))
        sampling: MineSampling = field(default_factory=MineSampling)

    @register
    class Mine(System):
        name = "mine"
        presets = {"laptop": MineConfig()}

        def __init__(
            self, config: MineConfig, tokenizer: CaptionTokenizer | None = None
        ):
            super().__init__()
            self.config = config
            self.tokenizer = tokenizer or caption_tokenizer()
            size = 3 * config.model.resolution**2
            self.words = nn.EmbeddingBag(
                self.tokenizer.vocabulary_size, 64, mode="sum", padding_idx=0
            )
            self.pixels = nn.Linear(64, size)

        @property
        def resolution(self) -> int:
            return self.config.model.resolution

        @property
        def evaluations(self) -> int:
            return 1

        def stage_loss(
            self,
            stage: str,
            images: Tensor,
            captions: Sequence[str],
            progress: float,
            generator: torch.Generator | None,
        ) -> dict[str, Tensor]:
            return {"loss": F.mse_loss(self.draw(captions).float(), images)}

        @drawing
        def generate(
            self,
            prompts: Sequence[str],
            *,
            seed: int = 0,
            callback: ProgressCallback | None = None,
            **settings: Any,
        ) -> Tensor:
            prompts = check_prompts(prompts, self.domain)
            sampling, steps = self.sampling(settings), Steps(callback, 1)
            side = self.resolution
            noise = noise_for(len(prompts), (3, side, side), seed).to(self.device)
            pictures = self.draw(prompts) + sampling.grain * noise
            steps.tell("pixels", pictures)
            return pictures.clamp(-1, 1)

        def preview(
            self, stage: str, images: Tensor, captions: Sequence[str], seed: int
        ) -> Tensor:
            return self.generate(captions, seed=seed)

        def draw(self, captions: Sequence[str]) -> Tensor:
            text = self.tokenizer.encode(captions, self.config.model.text_length)
            pixels = self.pixels(self.words(text.to(self.device)))
            return pixels.unflatten(1, (3, self.resolution, self.resolution))

Every command that takes a system takes this one, by its file and its class, and
once it is trained by its weights too:

    dalle-edu train mine.py:Mine --updates 500 --run runs/mine
    dalle-edu generate "a red circle" --set grain=0.05 \\
        --system mine.py:Mine@runs/mine/mine.safetensors
    dalle-edu score mine.py:Mine@runs/mine/mine.safetensors
    dalle-edu systems mine.py:Mine

What the library asks of a system:

- A configuration of three parts, `model`, `recipe` and `sampling`, that survives
  being written as JSON: `configuration.py`. `presets` holds some by name.
- A recipe of stages. A stage names the submodules that it trains; all others are
  frozen. Their shares of a run add up to 1: `recipe.py`.
- `stage_loss`, which returns a scalar under "loss", and whatever else is to be
  logged. Random numbers come from its `generator`: `trainable.py`.
- `generate`, which has the decorator `drawing`, without gradients, autocast and bad
  seeds (`drawing.py`), checks its prompts in its `domain` before any work
  (`checks.py`), takes the fields of `config.sampling` as settings (`sampling.py`)
  and makes its random numbers with `noise_for` or `uniforms_for`, so that a picture
  depends on the seed and on its place in the list, and not on what else is drawn
  (`noise.py`), but for the rounding of sums. It tells its callback of every step by
  `Steps` (`progress.py`), which is what moves its bar.
- `start_stage`, where a stage initialises weights from pictures.
- `preview` and `measure`, where exams along the way shall see something.
- An `__init__` that also works on PyTorch's meta device, where `restore` calls it
  without initialising weights. What it computes is a parameter or a persistent
  buffer, and so read from the file, or is made with `device="cpu"`.

Only `name`, `presets`, `resolution`, `evaluations`, `stage_loss` and `generate` are
required. What does not draw extends `Trainable` instead of `System` and leaves
`evaluations` and `generate` out.

Edits come with a base class, and the command `dalle-edu edit` finds them by their
methods: `Rewriting` (complete, alter), `Inpainting` (inpaint) and `ImageVariations`
(vary, mix, steer, loop), all in `dalle_edu/systems/image_edits`. Two base classes
in `dalle_edu/systems/families` bring sampling as well: `AutoregressiveSystem` for a
codec and a prior over its codes, `Cascade` for a diffusion model of small pictures
and upsamplers. Inside the package, a system is a file of `dalle_edu/systems` that
is called by its name, and `dalle1.py` is the one to read first.
"""
