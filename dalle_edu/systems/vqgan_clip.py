"""VQGAN+CLIP: nothing is trained to draw; a picture is changed until CLIP finds in
it what a sentence says (Crowson et al. 2022).

The picture lives in the VQGAN's latent space, so that whatever comes out is painted
as the VQGAN paints. At each step pieces of it are cut out, CLIP compares them with
the sentence, and the gradient of what it says goes back through the decoder into
the latent. Both networks come from other systems: the VQGAN from DALL·E mini, CLIP
from itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from dalle_edu.errors import DalleEduError
from dalle_edu.systems import clip, dalle_mini
from dalle_edu.systems.interface.checks import (
    check_guidance_scale,
    check_prompts,
    check_steps,
)
from dalle_edu.systems.interface.noise import noise_for
from dalle_edu.systems.interface.system import TOGETHER, System
from dalle_edu.systems.parts.augment import resized
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer

CHANCES = 3  # numbers that a cut-out is drawn from: its size, and where it lies


@dataclass(frozen=True)
class VqganClipConfig:
    """The two networks, and how a picture is changed."""

    vqgan: CodecConfig
    clip: CLIPConfig
    guidance_scale: float = 1.0
    steps: int = 96
    # at each step; many steps that see one each come nearer than a few that see
    # many
    cutouts: int = 1
    smallest: float = 0.8  # side of a cut-out, as a part of the picture's
    # how far the latent goes in a step at first, all its numbers together
    learning_rate: float = 10.0
    momentum: float = 0.4
    # noises of which the one that CLIP likes best is taken: a patch once coloured
    # seldom changes its colour
    beginnings: int = 32
    beginning: float = 0.8  # their deviation, in the VQGAN's latent


PRESETS = {
    preset: VqganClipConfig(
        dalle_mini.PRESETS[preset].vqgan, clip.PRESETS[preset].clip
    )
    for preset in ("laptop", "standard", "gpu")
}


class VqganClip(System):
    """Draws pictures of (3, resolution, resolution) by asking CLIP at every step.
    It has no stages: others learn for it.
    """

    name = "vqgan_clip"
    presets = PRESETS
    foundations: ClassVar = {
        "vqgan.encoder": "dalle_mini.vqgan.encoder",
        "vqgan.decoder": "dalle_mini.vqgan.decoder",
        "vqgan.quantizer": "dalle_mini.vqgan.quantizer",
        "clip": "clip.clip",
    }
    stages = ()

    def __init__(
        self, config: VqganClipConfig, tokenizer: CaptionTokenizer | None = None
    ):
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer or caption_tokenizer()
        self.vqgan, self.clip = VQVAE(config.vqgan), CLIP(config.clip)
        self.requires_grad_(False)

    @property
    def resolution(self) -> int:
        return self.config.vqgan.resolution

    @property
    def evaluations(self) -> int:
        return self.config.steps + self.config.beginnings

    def loss(
        self, images: Tensor, captions: Sequence[str], **options: Any
    ) -> dict[str, Tensor]:
        """Raises `DalleEduError`: nothing learns here."""
        raise DalleEduError(
            "vqgan_clip learns nothing of its own, so it has no loss; train "
            "dalle_mini and clip, of which it is made",
            "vqgan_clip n'apprend rien par lui-même, donc n'a pas de perte ; "
            "entraînez dalle_mini et clip, dont il est fait",
        )

    def generate(  # type: ignore[override]
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        guidance_scale: float | None = None,
        steps: int | None = None,
        callback: Callable[[int, Tensor], None] | None = None,
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1].

        `guidance_scale` 1 aims at the sentence, more beyond it, away from what a
        sentence is like when it says nothing; `steps` is how often CLIP is asked.
        Picture i draws its chance from (seed, i) alone. `callback(step, pictures)`
        watches them grow. Raises `DalleEduError` for a prompt that cannot be drawn
        or a setting out of range.
        """
        config = self.config
        guidance_scale = (
            config.guidance_scale if guidance_scale is None else guidance_scale
        )
        steps = config.steps if steps is None else steps
        check_prompts(prompts)
        check_guidance_scale(guidance_scale)
        check_steps(steps)
        amounts = [
            config.beginnings * config.vqgan.code_dim * config.vqgan.grid**2,
            steps * config.cutouts * CHANCES,
        ]
        chances, pictures = (
            noise_for(len(prompts), (sum(amounts),), seed).to(self.device),
            [],
        )
        for start in range(0, len(prompts), TOGETHER):
            rows = slice(start, start + TOGETHER)
            noise, cuts = chances[rows].split(amounts, dim=1)
            # uniform in [0, 1]
            cuts = torch.special.ndtr(
                cuts.unflatten(1, (steps, config.cutouts, CHANCES))
            )
            pictures.append(
                self._climb(
                    noise, cuts, self._aim(prompts[rows], guidance_scale), callback
                )
            )
        return torch.cat(pictures)

    def _climb(
        self,
        noise: Float[Tensor, "n latents"],
        cuts: Float[Tensor, "n steps c three"],
        aim: Float[Tensor, "n e"],
        callback: Callable[[int, Tensor], None] | None,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures led from noise towards an aim, each step along the gradient of
        what CLIP says of pieces of them.
        """
        config, n, steps = self.config, len(noise), cuts.shape[1]
        latent = self._beginning(
            noise.unflatten(
                1, (-1, config.vqgan.code_dim, config.vqgan.grid, config.vqgan.grid)
            ),
            aim,
        )
        moving = torch.zeros_like(latent)
        for step in range(steps):
            with torch.enable_grad():
                latent.requires_grad_(True)
                pictures = self._paint(latent)
                seen = self.clip.encode_image(
                    resized(
                        cut_out(pictures, cuts[:, step], config.smallest),
                        config.clip.resolution,
                    )
                )
                loss = (
                    spherical_distance(seen.unflatten(0, (n, -1)), aim.unsqueeze(1))
                    .mean(dim=1)
                    .sum()
                )
                (gradient,) = torch.autograd.grad(loss, [latent])
            length = (
                gradient.flatten(1)
                .norm(dim=1)
                .clamp(min=1e-12)[:, None, None, None]
            )
            # where CLIP asks nothing, nothing moves; Adam would move it
            moving = moving.lerp(gradient / length, 1 - config.momentum)
            latent = (
                latent.detach() - config.learning_rate * (1 - step / steps) * moving
            )
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
        blank = self.vqgan.encoder(torch.ones(1, 3, side, side, device=self.device))
        latents = blank + self.config.beginning * noise
        looked_at = (
            resized(self._paint(each), self.config.clip.resolution)
            for each in latents.unbind(dim=1)
        )
        likings = torch.stack(
            [
                (self.clip.encode_image(pictures) * aim).sum(dim=1)
                for pictures in looked_at
            ]
        )
        return latents[
            torch.arange(len(noise), device=self.device), likings.argmax(dim=0)
        ]

    @torch.no_grad()
    def _aim(
        self, prompts: Sequence[str], guidance_scale: float
    ) -> Float[Tensor, "n e"]:
        """Where pictures shall be led: the sentences' embeddings, or beyond them,
        as seen from that of an empty sentence.
        """
        text = self.tokenizer.encode(prompts, self.config.clip.text_length).to(
            self.device
        )
        said, unsaid = (
            self.clip.encode_text(text),
            self.clip.encode_text(torch.zeros_like(text[:1])),
        )
        return (
            F.normalize(unsaid + guidance_scale * (said - unsaid), dim=-1)
            if guidance_scale != 1.0
            else said
        )

    def _paint(self, latent: Float[Tensor, "n d g g"]) -> Float[Tensor, "n 3 h w"]:
        """The picture of a latent: each of its vectors moves to the nearest code,
        and gradients pass over the move.
        """
        vectors = latent.permute(0, 2, 3, 1)
        codes: Int[Tensor, "n g g"] = nearest_code(
            vectors.detach(), self.vqgan.quantizer.codebook
        )
        quantized = straight_through(vectors, self.vqgan.quantizer.codebook[codes])
        return self.vqgan.decoder(quantized.permute(0, 3, 1, 2)).clamp(-1, 1)

    @classmethod
    def from_metadata(cls, metadata: dict[str, Any]) -> "VqganClip":
        values = dict(metadata["config"])
        config = VqganClipConfig(
            **values
            | {
                "vqgan": CodecConfig(**values["vqgan"]),
                "clip": CLIPConfig(**values["clip"]),
            }
        )
        return cls(config, CaptionTokenizer.from_json(metadata["tokenizer"]))


def cut_out(
    images: Float[Tensor, "n 3 h w"],
    chances: Float[Tensor, "n c three"],
    smallest: float,
) -> Float[Tensor, "nc 3 h w"]:
    """Square pieces of each picture, scaled back to its size: `chances` in [0, 1]
    say how large each is, from `smallest` to all of the side, and where it lies.
    Gradients pass.
    """
    n, c, _ = chances.shape
    scale = smallest + (1 - smallest) * chances[..., 0]
    shift = (chances[..., 1:] * 2 - 1) * (1 - scale).unsqueeze(-1)
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
