"""Every system, small enough for a test: untrained, but whole."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from dalle_edu.bricks.bart import BARTConfig
from dalle_edu.bricks.codebook import CodecConfig
from dalle_edu.bricks.contrastive import CLIPConfig
from dalle_edu.bricks.dvae import DVAEConfig
from dalle_edu.bricks.gpt import GPTConfig
from dalle_edu.bricks.unet import UNetConfig
from dalle_edu.systems.clip import Clip, ClipConfig, ClipModel
from dalle_edu.systems.dalle1 import DallE1, DallE1Config, DallE1Model, DallE1Recipe, dalle1_stages
from dalle_edu.systems.dalle2 import DallE2, DallE2Config, DallE2Model
from dalle_edu.systems.dalle_mini import DallEMini, DallEMiniConfig, DallEMiniModel, DallEMiniRecipe, dalle_mini_stages
from dalle_edu.systems.families.autoregressive import AutoregressiveSampling
from dalle_edu.systems.families.cascade import CascadeSampling
from dalle_edu.systems.families.unclip import UnCLIPSampling
from dalle_edu.systems.imagen import Imagen, ImagenConfig, ImagenModel, ImagenRecipe, imagen_stages
from dalle_edu.systems.interface.system import System
from dalle_edu.systems.parts.embedding_priors import PriorConfig
from dalle_edu.systems.parts.text_encoder import TextEncoderConfig
from dalle_edu.systems.vqgan_clip import VqganClip, VqganClipConfig, VqganClipModel, VqganClipSampling
from dalle_edu.world import World


def tiny_dalle1() -> DallE1:
    dvae = DVAEConfig(resolution=32, num_codes=32, width=16, depth=1)
    near = {"smear": True, "canon_taps": 3, "image_canon_taps": 2, "mask_padding": True}
    gpt = GPTConfig(num_codes=32, width=32, depth=2, heads=2, codes_per_token=2, **near)
    model = DallE1Model(dvae, gpt)
    recipe = DallE1Recipe(dalle1_stages(codebook_rate=4.0, embeddings_rate=4.0, start_images=8, codes_per_token=2))
    return DallE1(DallE1Config(model, recipe, AutoregressiveSampling(temperature=1.0)))


def tiny_dalle_mini() -> DallEMini:
    vqgan = CodecConfig(resolution=32, num_codes=32, width=16, depth=1, code_dim=8)
    bart = BARTConfig(num_codes=32, width=32, depth=2, heads=2, codes_per_token=2, encoder_depth=1, smear=True)
    recipe = DallEMiniRecipe(dalle_mini_stages(start_images=8, codes_per_token=2))
    sampling = AutoregressiveSampling(temperature=1.0, daring=0.7)
    return DallEMini(DallEMiniConfig(DallEMiniModel(vqgan, bart, discriminator_width=8), recipe, sampling))


def tiny_vqgan_clip() -> VqganClip:
    vqgan = CodecConfig(resolution=32, num_codes=32, width=16, depth=1, code_dim=8)
    sampling = VqganClipSampling(steps=4, cutouts=2, beginnings=3)
    return VqganClip(VqganClipConfig(VqganClipModel(vqgan, CLIP_SEEN), sampling=sampling))


def tiny_unet(text_width: int, pooled_width: int = 0) -> UNetConfig:
    return UNetConfig(
        widths=(8, 16), depth=1, attention_levels=(), middle_depth=1, heads=2, groups=4, text_width=text_width, pooled_width=pooled_width
    )


def tiny_upsampler() -> UNetConfig:
    return UNetConfig(in_channels=7, patch_size=4, widths=(8,), depth=1, attention_levels=(), groups=4)


def tiny_imagen() -> Imagen:
    model = ImagenModel(TextEncoderConfig(width=16, depth=1, heads=2, smear=True), tiny_unet(16, 16), (tiny_upsampler(),))
    sampling = CascadeSampling(guidance_scale=2.0, threshold=False, steps=4, upsampler_steps=2)
    return Imagen(ImagenConfig(model, ImagenRecipe(imagen_stages(1)), sampling))


CLIP_SEEN = CLIPConfig(resolution=32, patch_size=8, stem_depth=0, width=16, heads=2, image_depth=1, text_depth=1, embedding=16)


def tiny_clip() -> Clip:
    """What DALL·E 2 stands on."""
    return Clip(ClipConfig(ClipModel(CLIP_SEEN)))


def tiny_dalle2() -> DallE2:
    prior = PriorConfig(text_width=16, embedding=16, width=16, depth=1, heads=2, components=4, bins=8)
    model = DallE2Model(clip=CLIP_SEEN, decoder=tiny_unet(16, 16), upsamplers=(tiny_upsampler(),), prior=prior)
    return DallE2(DallE2Config(model, sampling=UnCLIPSampling(steps=4, prior_steps=2, upsampler_steps=2)))


TINY: dict[str, Callable[[], System]] = {
    "dalle1": tiny_dalle1,
    "dalle_mini": tiny_dalle_mini,
    "dalle2": tiny_dalle2,
    "imagen": tiny_imagen,
    "vqgan_clip": tiny_vqgan_clip,
}


@torch.no_grad()
def build(name: str) -> System:
    """A tiny system, the same each time, with weights that all matter: at its start a network says the same whatever it is told."""
    torch.manual_seed(0)
    system = TINY[name]()
    for parameter in system.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    return system.eval()


BEFORE, AFTER = ["un cercle rouge", "a blue square"], ["un cercle bleu", "a large blue square above a red circle"]


def small(name: str) -> System:
    """A tiny system, as `build` gives it; one that writes codes writes a quarter of the usual number."""
    system = build(name)
    model = system.config.model
    parts = {part: replace(getattr(model, part), grid=4) for part in ("dvae", "gpt", "vqgan", "bart") if hasattr(model, part)}
    if name not in ("dalle1", "dalle_mini"):
        return system
    torch.manual_seed(0)
    smaller = type(system)(replace(system.config, model=replace(model, **parts)))
    with torch.no_grad():
        for parameter in smaller.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return smaller.eval()


def drawings(system: System, **options: Any) -> dict[str, Callable[[], torch.Tensor]]:
    """All that a system can draw, by name: from sentences, in each of its ways, and from the pictures of two scenes, on the CPU.

    `options` go to `generate` and to edits.
    """
    world = World(2)
    images = world.collate([world[0], world[1]]).images(system.resolution)
    keep = torch.ones(2, 1, system.resolution, system.resolution, dtype=torch.bool)
    keep[:, :, :10] = False
    found: dict[str, Callable[[], torch.Tensor]] = {"generate": lambda: system.generate(AFTER, seed=1, **options)}
    if "prior" in system.settings():
        found["autoregressive"] = lambda: system.generate(AFTER, prior="autoregressive", threshold=True)
    if "daring" in system.settings():
        found["filters"] = lambda: system.generate(AFTER, top_k=9, top_p=0.9, temperature=0.7, daring=0.8)
        found["epsilon"] = lambda: system.generate(AFTER, epsilon=0.03, temperature=0.85)
    edits = {
        "complete": lambda: system.complete(images, BEFORE, **options),
        "alter": lambda: system.alter(images, BEFORE, AFTER, tries=2, **options),
        "inpaint": lambda: system.inpaint(images, keep, BEFORE, **options),
        "vary": lambda: system.vary(images, **options),
        "mix": lambda: system.mix(images, images.flip(0), **options),
        "steer": lambda: system.steer(images, BEFORE, AFTER, **options),
        "loop": lambda: system.loop(images, 2, **options),
    }
    return found | {verb: edit for verb, edit in edits.items() if hasattr(system, verb)}
