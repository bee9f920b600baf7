"""VQGAN+CLIP: nothing is trained to draw; a picture is changed until CLIP finds in
it what a sentence says (Crowson et al. 2022).

The picture lives in the VQGAN's latent space, so that whatever comes out is painted
as the VQGAN paints. At each step pieces of it are cut out, CLIP compares them with
the sentence, and the gradient of what it says goes back through the decoder into
the latent. Both networks come from other systems: the VQGAN from DALL·E mini, CLIP
from itself. Lesson 12.

Letters: n pictures, c cut-outs, b beginnings, d channels of the latent, g x g its
positions, e channels of an embedding, h = w pixels on a side.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.codebook import (
    VQVAE,
    CodecConfig,
    nearest_code,
    straight_through,
)
from dalle_edu.bricks.contrastive import CLIP, CLIPConfig
from dalle_edu.systems import clip, dalle_mini
from dalle_edu.systems.interface.checks import check_prompts
from dalle_edu.systems.interface.noise import noise_for
from dalle_edu.systems.interface.recipe import Recipe
from dalle_edu.systems.interface.registry import register
from dalle_edu.systems.interface.system import TOGETHER, System
from dalle_edu.systems.parts.augment import resized
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer

DRAWS = 3  # random numbers of a cut-out: its size, and where it lies


@dataclass(frozen=True)
class VqganClipModel:
    """The two networks, which other systems train."""

    vqgan: CodecConfig
    clip: CLIPConfig


@dataclass(frozen=True)
class VqganClipSampling:
    """How a picture is changed: in so many `steps`, at each of which CLIP sees
    `cutouts` pieces, the smallest of a side of `smallest` times the picture's.

    Many steps that see one piece each come nearer than a few that see many. The
    latent goes `learning_rate` far in a step at first, all its numbers together. It
    starts from the best, as CLIP sees it, of so many `beginnings`: white paper
    under noise of standard deviation `beginning`, since a patch once coloured
    seldom changes its colour.
    """

    guidance_scale: float = 1.0
    steps: int = 96
    cutouts: int = 1
    smallest: float = 0.8
    learning_rate: float = 10.0
    momentum: float = 0.4
    beginnings: int = 32
    beginning: float = 0.8


@dataclass(frozen=True)
class VqganClipConfig:
    """The two networks, no recipe, and how a picture is changed."""

    model: VqganClipModel
    recipe: Recipe = field(default_factory=Recipe)
    sampling: VqganClipSampling = field(default_factory=VqganClipSampling)


PRESETS = {
    preset: VqganClipConfig(
        VqganClipModel(
            dalle_mini.PRESETS[preset].model.vqgan, clip.PRESETS[preset].model.clip
        )
    )
    for preset in ("laptop", "standard", "gpu")
}


@register
class VqganClip(System):
    """Draws pictures of (3, resolution, resolution) by asking CLIP at every step.
    It has no stages: others learn for it.
    """

    name = "vqgan_clip"
    lesson = 12
    presets = PRESETS
    foundations: ClassVar = {
        "vqgan.encoder": "dalle_mini.vqgan.encoder",
        "vqgan.decoder": "dalle_mini.vqgan.decoder",
        "vqgan.quantizer": "dalle_mini.vqgan.quantizer",
        "clip": "clip.clip",
    }
    config: VqganClipConfig

    def __init__(
        self, config: VqganClipConfig, tokenizer: CaptionTokenizer | None = None
    ):
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer or caption_tokenizer()
        self.vqgan, self.clip = VQVAE(config.model.vqgan), CLIP(config.model.clip)
        self.requires_grad_(False)

    @property
    def resolution(self) -> int:
        return self.vqgan.config.resolution

    @property
    def evaluations(self) -> int:
        return self.config.sampling.steps + self.config.sampling.beginnings

    def stage_loss(self, *_: Any) -> dict[str, Tensor]:
        """Never called: there is no stage."""
        return {}

    def generate(
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        callback: Callable[[int, Tensor], None] | None = None,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1].

        `guidance_scale` 1 aims at the sentence, more beyond it, away from what a
        sentence is like when it says nothing. Picture i draws its random numbers
        from (seed, i) alone. `callback(step, pictures)` is called at each step.
        `settings` are the fields of `VqganClipSampling`. Raises `DalleEduError` for
        a prompt that cannot be drawn or a setting out of range.
        """
        check_prompts(prompts)
        sampling: VqganClipSampling = self.sampling(settings)
        shape = self.vqgan.config
        starts = sampling.beginnings * shape.code_dim * shape.grid**2
        sizes = [starts, sampling.steps * sampling.cutouts * DRAWS]
        numbers = noise_for(len(prompts), (sum(sizes),), seed).to(self.device)
        pictures = []
        for start in range(0, len(prompts), TOGETHER):
            rows = slice(start, start + TOGETHER)
            noise, cuts = numbers[rows].split(sizes, dim=1)
            cuts = cuts.unflatten(1, (sampling.steps, sampling.cutouts, DRAWS))
            uniforms = torch.special.ndtr(cuts)  # in [0, 1]
            aim = self._aim(prompts[rows], sampling.guidance_scale)
            pictures.append(self._climb(noise, uniforms, aim, sampling, callback))
        return torch.cat(pictures)

    def _climb(
        self,
        noise: Float[Tensor, "n latents"],
        uniforms: Float[Tensor, "n steps c three"],
        aim: Float[Tensor, "n e"],
        sampling: VqganClipSampling,
        callback: Callable[[int, Tensor], None] | None,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures led from noise towards an aim, each step along the gradient of
        what CLIP says of pieces of them.
        """
        n, steps, shape = len(noise), sampling.steps, self.vqgan.config
        starts = noise.unflatten(1, (-1, shape.code_dim, shape.grid, shape.grid))
        latent = self._beginning(sampling.beginning * starts, aim)
        moving = torch.zeros_like(latent)
        for step in range(steps):
            with torch.enable_grad():
                latent.requires_grad_(True)
                pictures = self._paint(latent)
                pieces = cut_out(pictures, uniforms[:, step], sampling.smallest)
                seen = self._encode(pieces).unflatten(0, (n, -1))
                far = spherical_distance(seen, aim.unsqueeze(1))
                (gradient,) = torch.autograd.grad(far.mean(dim=1).sum(), [latent])
            length = gradient.flatten(1).norm(dim=1).clamp(min=1e-12)
            direction = gradient / length[:, None, None, None]
            # where CLIP asks nothing, nothing moves; Adam would move it
            moving = moving.lerp(direction, 1 - sampling.momentum)
            rate = sampling.learning_rate * (1 - step / steps)
            latent = latent.detach() - rate * moving
            if callback is not None:
                callback(step, pictures.detach())
        with torch.no_grad():
            return self._paint(latent)

    @torch.no_grad()
    def _beginning(
        self, noise: Float[Tensor, "n b d g g"], aim: Float[Tensor, "n e"]
    ) -> Float[Tensor, "n d g g"]:
        """White paper under noise: of several, for each picture the one that CLIP
        finds nearest to what is asked.
        """
        side = self.resolution
        paper = self.vqgan.encoder(torch.ones(1, 3, side, side, device=self.device))
        latents = paper + noise
        nearness = torch.stack(
            [
                (self._encode(self._paint(each)) * aim).sum(dim=1)
                for each in latents.unbind(dim=1)
            ]
        )
        each = torch.arange(len(noise), device=self.device)
        return latents[each, nearness.argmax(dim=0)]

    @torch.no_grad()
    def _aim(
        self, prompts: Sequence[str], guidance_scale: float
    ) -> Float[Tensor, "n e"]:
        """Where pictures shall be led: the sentences' embeddings, or beyond them,
        as seen from that of an empty sentence.
        """
        length = self.clip.config.text_length
        text = self.tokenizer.encode(prompts, length).to(self.device)
        conditional = self.clip.encode_text(text)
        if guidance_scale == 1.0:
            return conditional
        unconditional = self.clip.encode_text(torch.zeros_like(text[:1]))
        beyond = unconditional + guidance_scale * (conditional - unconditional)
        return F.normalize(beyond, dim=-1)

    def _encode(self, pictures: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n e"]:
        """The CLIP embeddings of pictures. Differentiable."""
        return self.clip.encode_image(
            resized(pictures, self.clip.config.resolution)
        )

    def _paint(self, latent: Float[Tensor, "n d g g"]) -> Float[Tensor, "n 3 h w"]:
        """The picture of a latent: each of its vectors moves to the nearest code,
        and gradients pass over the move.
        """
        vectors, codebook = (
            latent.permute(0, 2, 3, 1),
            self.vqgan.quantizer.codebook,
        )
        codes: Int[Tensor, "n g g"] = nearest_code(vectors.detach(), codebook)
        quantized = straight_through(vectors, codebook[codes])
        return self.vqgan.decoder(quantized.permute(0, 3, 1, 2)).clamp(-1, 1)


def cut_out(
    images: Float[Tensor, "n 3 h w"],
    uniforms: Float[Tensor, "n c three"],
    smallest: float,
) -> Float[Tensor, "nc 3 h w"]:
    """Square pieces of each picture, scaled back to its size: `uniforms` in [0, 1]
    say how large each is, from `smallest` to all of the side, and where it lies.
    Gradients pass.
    """
    n, c, _ = uniforms.shape
    scale = smallest + (1 - smallest) * uniforms[..., 0]
    shift = (uniforms[..., 1:] * 2 - 1) * (1 - scale).unsqueeze(-1)
    turned = torch.zeros(n, c, 2, 3, device=images.device)
    turned[..., 0, 0], turned[..., 1, 1], turned[..., 2] = scale, scale, shift
    grid = F.affine_grid(
        turned.flatten(0, 1), [n * c, 3, *images.shape[2:]], align_corners=False
    )
    return F.grid_sample(
        images.repeat_interleave(c, dim=0),
        grid,
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )


def spherical_distance(
    first: Float[Tensor, "*n e"], second: Float[Tensor, "*#n e"]
) -> Float[Tensor, "*n"]:
    """Twice the squared half-angle between unit vectors: 0 where they agree, π²/2
    where they are opposed.
    """
    return (
        2 * ((first - second).norm(dim=-1) / 2).clamp(max=1 - 1e-6).asin().square()
    )
