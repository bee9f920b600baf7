"""Every system, small enough for a test: untrained, but whole."""

from collections.abc import Callable

import torch

from dalle_edu.bricks.bart import BARTConfig
from dalle_edu.bricks.codebook import CodecConfig
from dalle_edu.bricks.dvae import DVAEConfig
from dalle_edu.bricks.gpt import GPTConfig
from dalle_edu.systems import System
from dalle_edu.systems.dalle1 import DallE1, DallE1Config
from dalle_edu.systems.dalle_mini import DallEMini, DallEMiniConfig


def tiny_dalle1() -> DallE1:
    dvae = DVAEConfig(resolution=32, num_codes=32, width=16, depth=1)
    return DallE1(DallE1Config(dvae=dvae, gpt=GPTConfig(num_codes=32, width=32, depth=2, heads=2), temperature=1.0))


def tiny_dalle_mini() -> DallEMini:
    vqgan = CodecConfig(resolution=32, num_codes=32, width=16, depth=1, code_dim=8)
    bart = BARTConfig(num_codes=32, width=32, depth=2, heads=2, encoder_depth=1)
    return DallEMini(DallEMiniConfig(vqgan=vqgan, bart=bart, judge_width=8, temperature=1.0))


TINY: dict[str, Callable[[], System]] = {"dalle1": tiny_dalle1, "dalle_mini": tiny_dalle_mini}


@torch.no_grad()
def build(name: str) -> System:
    """A tiny system, the same each time, with weights that all matter: at its start a network says the same whatever it is told."""
    torch.manual_seed(0)
    system = TINY[name]()
    for parameter in system.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    return system.eval()
