"""VQGAN+CLIP: nothing is trained to draw; a picture is optimised until its CLIP
embedding is near that of a sentence (Crowson et al. 2022).

What is optimised is a latent of the VQGAN, so that every result is a picture of its
decoder. At each step the latent is decoded, pieces of the picture are cut out, CLIP
embeds them, and the gradient of their distance to the sentence goes back through
the decoder into the latent. Both networks are trained by other systems: the VQGAN
by DALL·E mini, CLIP by the system "clip". Lesson 12.

Letters: n pictures, c cut-outs, b beginnings, d channels of the latent, g x g its
positions, e channels of an embedding, h = w pixels on a side.
"""

from collections.abc import Sequence
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
from dalle_edu.device import off_metal
from dalle_edu.systems import clip, dalle_mini
from dalle_edu.systems.interface.checks import check_prompts
from dalle_edu.systems.interface.drawing import drawing
from dalle_edu.systems.interface.noise import noise_for
from dalle_edu.systems.interface.progress import ProgressCallback, Steps
from dalle_edu.systems.interface.recipe import Recipe
from dalle_edu.systems.interface.registry import register
from dalle_edu.systems.interface.sampling import own_setting
from dalle_edu.systems.interface.system import TOGETHER, System
from dalle_edu.systems.parts.augment import resized
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer

LATENT = "latent"  # the stage of a `Progress`: no training made what is optimised
DRAWS = 3  # random numbers of a cut-out: its size, and its place in x and y


@dataclass(frozen=True)
class VqganClipModel:
    """The shapes of the two networks, which other systems train."""

    vqgan: CodecConfig
    clip: CLIPConfig


@dataclass(frozen=True)
class VqganClipSampling:
    """How a picture is optimised.

    In each of `steps`, CLIP is given `cutouts` pieces, whose sides go from
    `smallest` times the picture's to all of it. For the same cost, many steps with
    one piece come nearer to a sentence than a few with many pieces. A step changes
    the whole latent by a vector of length `learning_rate`, which falls to zero, and
    `momentum` smooths its direction.

    The start is the best, as CLIP sees it, of `beginnings` latents: that of a white
    picture plus noise of standard deviation `beginning`. White, because a patch
    that is coloured once seldom changes its colour.
    """

    guidance_scale: float = 1.0
    steps: int = 96
    cutouts: int = own_setting(
        1, "pieces of the picture for a step", "morceaux d'image pour un pas", 1, 64
    )
    smallest: float = own_setting(
        0.8,
        "the side of the smallest piece, in sides of the picture",
        "le côté du plus petit morceau, en côtés de l'image",
        0.1,
        1,
    )
    learning_rate: float = own_setting(
        10.0, "the length of the first step", "la longueur du premier pas", 0, 1000
    )
    momentum: float = own_setting(
        0.4,
        "0 follows each gradient, near 1 their average",
        "0 suit chaque gradient ; près de 1, leur moyenne",
        0,
        0.999,
    )
    beginnings: int = own_setting(
        32, "latents to begin with the best of", "départs essayés", 1, 1024
    )
    beginning: float = own_setting(
        0.8, "how far they are from white", "leur écart au blanc", 0, 10
    )


@dataclass(frozen=True)
class VqganClipConfig:
    """The shapes of the two networks, an empty recipe, and the settings of the
    optimisation.
    """

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
    """VQGAN+CLIP. It draws pictures of (3, resolution, resolution) by optimising
    their latents under CLIP. It has no stages: its networks are trained as parts of
    other systems. Lesson 12.
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

    @drawing
    def generate(
        self,
        prompts: Sequence[str],
        *,
        seed: int = 0,
        callback: ProgressCallback | None = None,
        **settings: Any,
    ) -> Float[Tensor, "n 3 h w"]:
        """A picture for each prompt, in [-1, 1].

        With `guidance_scale` 1 the target is the sentence's embedding; with more it
        lies beyond it, away from the embedding of an empty sentence. The random
        numbers of picture i depend on (seed, i) alone. `callback` is called with a
        `Progress` at each step. `settings` are the fields of `VqganClipSampling`.
        Raises `DalleEduError` for a prompt that cannot be drawn and a setting out
        of range.
        """
        prompts = check_prompts(prompts, self.domain)
        sampling: VqganClipSampling = self.sampling(settings)
        config = self.vqgan.config
        latents = sampling.beginnings * config.code_dim * config.grid**2
        sizes = [latents, sampling.steps * sampling.cutouts * DRAWS]
        numbers = noise_for(len(prompts), (sum(sizes),), seed).to(self.device)
        starts, pictures = range(0, len(prompts), TOGETHER), []
        steps = Steps(callback, len(starts) * sampling.steps)
        for start in starts:
            rows = slice(start, start + TOGETHER)
            noise, cuts = numbers[rows].split(sizes, dim=1)
            cuts = cuts.unflatten(1, (sampling.steps, sampling.cutouts, DRAWS))
            uniforms = torch.special.ndtr(cuts)  # the normal CDF: in [0, 1]
            aim = self._aim(prompts[rows], sampling.guidance_scale)
            pictures.append(self._optimise(noise, uniforms, aim, sampling, steps))
        return torch.cat(pictures)

    def _optimise(
        self,
        noise: Float[Tensor, "n latents"],
        uniforms: Float[Tensor, "n steps c three"],
        aim: Float[Tensor, "n e"],
        sampling: VqganClipSampling,
        told: Steps,
    ) -> Float[Tensor, "n 3 h w"]:
        """Pictures whose cut-outs come near to `aim` on CLIP's sphere: gradient
        descent with momentum in the latents, each step of which is told.
        """
        n, steps, config = len(noise), sampling.steps, self.vqgan.config
        starts = noise.unflatten(1, (-1, config.code_dim, config.grid, config.grid))
        latent = self._beginning(sampling.beginning * starts, aim)
        velocity = torch.zeros_like(latent)
        for step in range(steps):
            with torch.enable_grad():
                latent.requires_grad_(True)
                pictures = self._paint(latent)
                pieces = cut_out(pictures, uniforms[:, step], sampling.smallest)
                embeddings = self._encode(pieces).unflatten(0, (n, -1))
                distances = spherical_distance(embeddings, aim.unsqueeze(1))
                loss = distances.mean(dim=1).sum()
                (gradient,) = torch.autograd.grad(loss, [latent])
            told.tell(LATENT, latent.detach(), pictures.detach())
            # one length for a whole picture: where the gradient is small, little
            # changes (Adam would change every number by as much)
            length = gradient.flatten(1).norm(dim=1).clamp(min=1e-12)
            direction = gradient / length[:, None, None, None]
            velocity = velocity.lerp(direction, 1 - sampling.momentum)
            rate = sampling.learning_rate * (1 - step / steps)
            latent = latent.detach() - rate * velocity
        with torch.no_grad():
            return self._paint(latent)

    @torch.no_grad()
    def _beginning(
        self, noise: Float[Tensor, "n b d g g"], aim: Float[Tensor, "n e"]
    ) -> Float[Tensor, "n d g g"]:
        """Where optimisation starts: of b latents for each picture, white plus
        noise, the one whose CLIP embedding is nearest to `aim`.
        """
        side = self.resolution
        white = self.vqgan.encoder(noise.new_ones(1, 3, side, side))
        latents = white + noise
        cosines = torch.stack(
            [
                (self._encode(self._paint(latent)) * aim).sum(dim=1)
                for latent in latents.unbind(dim=1)
            ]
        )
        each = torch.arange(len(noise), device=self.device)
        return latents[each, cosines.argmax(dim=0)]

    @torch.no_grad()
    def _aim(
        self, prompts: Sequence[str], guidance_scale: float
    ) -> Float[Tensor, "n e"]:
        """The target embeddings: those of the sentences, or beyond them, as seen
        from that of an empty sentence.
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
        inputs = resized(pictures, self.clip.config.resolution)
        return self.clip.encode_image(inputs)

    def _paint(self, latent: Float[Tensor, "n d g g"]) -> Float[Tensor, "n 3 h w"]:
        """The picture of a latent: each of its vectors is replaced by the nearest
        code, through which gradients pass (straight-through), and decoded.
        """
        vectors = latent.permute(0, 2, 3, 1)
        codebook = self.vqgan.quantizer.codebook
        codes: Int[Tensor, "n g g"] = nearest_code(vectors.detach(), codebook)
        quantized = straight_through(vectors, codebook[codes])
        return self.vqgan.decoder(quantized.permute(0, 3, 1, 2)).clamp(-1, 1)


def cut_out(
    images: Float[Tensor, "n 3 h w"],
    uniforms: Float[Tensor, "n c three"],
    smallest: float,
) -> Float[Tensor, "nc 3 h w"]:
    """c square pieces of each picture, enlarged to its size. `uniforms` in [0, 1]
    say how large each is, from `smallest` times the side to all of it, and where it
    lies. Differentiable in the pictures.
    """
    n, c, _ = uniforms.shape
    scale = smallest + (1 - smallest) * uniforms[..., 0]
    shift = (uniforms[..., 1:] * 2 - 1) * (1 - scale).unsqueeze(-1)
    maps = images.new_zeros(n, c, 2, 3)
    maps[..., 0, 0], maps[..., 1, 1], maps[..., 2] = scale, scale, shift
    grid = F.affine_grid(
        maps.flatten(0, 1), [n * c, 3, *images.shape[2:]], align_corners=False
    )
    # on Apple's GPU torch does not repeat the pixels of the border
    return F.grid_sample(
        off_metal(images.repeat_interleave(c, dim=0)),
        off_metal(grid),
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    ).to(images.device)


def spherical_distance(
    first: Float[Tensor, "*n e"], second: Float[Tensor, "*#n e"]
) -> Float[Tensor, "*n"]:
    """Twice the squared half-angle between unit vectors: 0 where they agree, π²/2
    where they are opposite.
    """
    half_chord = (first - second).norm(dim=-1) / 2
    return 2 * half_chord.clamp(max=1 - 1e-6).asin().square()
