"""Every system, small enough for a test: untrained, but whole."""

from collections.abc import Callable

import torch

from dalle_edu.bricks.bart import BARTConfig
from dalle_edu.bricks.codebook import CodecConfig
from dalle_edu.bricks.contrastive import CLIPConfig
from dalle_edu.bricks.dvae import DVAEConfig
from dalle_edu.bricks.gpt import GPTConfig
from dalle_edu.bricks.unet import UNetConfig
from dalle_edu.systems import System
from dalle_edu.systems.clip import Clip, ClipConfig
from dalle_edu.systems.dalle1 import DallE1, DallE1Config
from dalle_edu.systems.dalle2 import DallE2, DallE2Config
from dalle_edu.systems.dalle_mini import DallEMini, DallEMiniConfig
from dalle_edu.systems.imagen import Imagen, ImagenConfig
from dalle_edu.systems.parts.embedding_priors import PriorConfig
from dalle_edu.systems.parts.text_encoder import TextEncoderConfig
from dalle_edu.systems.vqgan_clip import VqganClip, VqganClipConfig


def tiny_dalle1() -> DallE1:
    dvae = DVAEConfig(resolution=32, num_codes=32, width=16, depth=1)
    return DallE1(DallE1Config(dvae=dvae, gpt=GPTConfig(num_codes=32, width=32, depth=2, heads=2), temperature=1.0))


def tiny_dalle_mini() -> DallEMini:
    vqgan = CodecConfig(resolution=32, num_codes=32, width=16, depth=1, code_dim=8)
    bart = BARTConfig(num_codes=32, width=32, depth=2, heads=2, encoder_depth=1)
    return DallEMini(DallEMiniConfig(vqgan=vqgan, bart=bart, discriminator_width=8, temperature=1.0))


def tiny_vqgan_clip() -> VqganClip:
    vqgan = CodecConfig(resolution=32, num_codes=32, width=16, depth=1, code_dim=8)
    return VqganClip(VqganClipConfig(vqgan, CLIP_SEEN, steps=4, cutouts=2, beginnings=3))


def tiny_unet(text_width: int, pooled_width: int = 0) -> UNetConfig:
    return UNetConfig(
        widths=(8, 16), depth=1, attention_levels=(), middle_depth=1, heads=2, groups=4, text_width=text_width, pooled_width=pooled_width
    )


def tiny_upsampler() -> UNetConfig:
    return UNetConfig(in_channels=7, patch_size=4, widths=(8,), depth=1, attention_levels=(), groups=4)


def tiny_imagen() -> Imagen:
    text_encoder = TextEncoderConfig(width=16, depth=1, heads=2)
    return Imagen(
        ImagenConfig(text_encoder=text_encoder, base=tiny_unet(16, 16), upsamplers=(tiny_upsampler(),), steps=4, upsampler_steps=2)
    )


CLIP_SEEN = CLIPConfig(resolution=32, patch_size=8, stem_depth=0, width=16, heads=2, image_depth=1, text_depth=1, embedding=16)


def tiny_clip() -> Clip:
    """What DALL·E 2 stands on."""
    return Clip(ClipConfig(CLIP_SEEN))


def tiny_dalle2() -> DallE2:
    prior = PriorConfig(text_width=16, embedding=16, width=16, depth=1, heads=2, components=4, bins=8)
    config = DallE2Config(
        clip=CLIP_SEEN, decoder=tiny_unet(16, 16), upsamplers=(tiny_upsampler(),), prior=prior, steps=4, prior_steps=2, upsampler_steps=2
    )
    return DallE2(config)


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
