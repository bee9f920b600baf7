"""A system that is no part of the package: one small network paints a picture from a caption and noise, in one go.

It learns by the squared error, so it paints the mean of all pictures that a caption allows: a blur, which is what the course's other
systems are for.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.systems.interface.checks import check_prompts
from dalle_edu.systems.interface.drawing import drawing
from dalle_edu.systems.interface.noise import noise_for
from dalle_edu.systems.interface.progress import Steps
from dalle_edu.systems.interface.recipe import Recipe, Stage
from dalle_edu.systems.interface.registry import register
from dalle_edu.systems.interface.system import System
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer


@dataclass(frozen=True)
class DirectModel:
    """Channels of the network; `noise` is how many random numbers a picture has."""

    width: int = 32
    noise: int = 4


@dataclass(frozen=True)
class DirectRecipe(Recipe):
    """One stage, and the part of captions that it leaves out."""

    stages: tuple[Stage, ...] = (Stage("paint", ("words", "painter"), 1.0, 8, learning_rate=3e-3, updates_share=1.0),)
    caption_dropout: float = 0.1


@dataclass(frozen=True)
class DirectSampling:
    """`guidance_scale` as everywhere; `loudness`, which only this system has, multiplies the noise."""

    guidance_scale: float = 1.0
    loudness: float = 1.0


@dataclass(frozen=True)
class DirectConfig:
    model: DirectModel = field(default_factory=DirectModel)
    recipe: DirectRecipe = field(default_factory=DirectRecipe)
    sampling: DirectSampling = field(default_factory=DirectSampling)


@register
class Direct(System):
    """Paints pictures of (3, 32, 32)."""

    name = "direct"
    presets: ClassVar = {"tiny": DirectConfig(), "laptop": DirectConfig(DirectModel(width=64))}
    resolution = 32
    evaluations = 1

    def __init__(self, config: DirectConfig, tokenizer: CaptionTokenizer | None = None):
        super().__init__()
        self.config, self.tokenizer = config, tokenizer or caption_tokenizer()
        width = config.model.width
        self.words = nn.EmbeddingBag(512, width, mode="mean", padding_idx=0)
        self.painter = nn.Sequential(
            nn.Linear(width + config.model.noise, 4 * width), nn.ReLU(), nn.Linear(4 * width, 3 * 32 * 32), nn.Tanh()
        )

    def paint(self, text: Tensor, noise: Tensor) -> Tensor:
        return self.painter(torch.cat([self.words(text), noise], dim=1)).unflatten(1, (3, 32, 32))

    def tokens(self, captions: Any) -> Tensor:
        return self.tokenizer.encode(captions, 20).to(self.device)

    def stage_loss(self, stage: str, images: Tensor, captions: Any, progress: float, generator: Any) -> dict[str, Tensor]:
        text = self.tokens(captions)
        kept = torch.rand(len(text), 1, generator=generator, device=text.device) >= self.config.recipe.caption_dropout
        noise = torch.randn(len(text), self.config.model.noise, generator=generator, device=text.device)
        return {"loss": F.mse_loss(self.paint(text * kept, noise), images)}

    @drawing
    def generate(self, prompts: Any, *, seed: int = 0, callback: Any = None, **settings: Any) -> Tensor:
        prompts = check_prompts(prompts)
        sampling = self.sampling(settings)
        text = self.tokens(prompts)
        noise = sampling.loudness * noise_for(len(prompts), (self.config.model.noise,), seed).to(self.device)
        said, unsaid = self.paint(text, noise), self.paint(torch.zeros_like(text), noise)
        pictures = unsaid + sampling.guidance_scale * (said - unsaid)
        Steps(callback, 1).tell("paint", pictures)
        return pictures.clamp(-1, 1)

    def preview(self, stage: str, images: Tensor, captions: Any, seed: int) -> Tensor:
        return self.generate(captions, seed=seed)
