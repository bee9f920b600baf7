"""A system small enough to train in a second, for tests that run training in processes of their own."""

import os

import torch

from dalle_edu.bricks.dvae import DVAEConfig
from dalle_edu.bricks.gpt import GPTConfig
from dalle_edu.systems.dalle1 import PRESETS, DallE1Config, DallE1Model, DallE1Recipe, dalle1_stages
from dalle_edu.training.loop import train
from dalle_edu.training.run import Run

PRESETS["tiny"] = DallE1Config(
    DallE1Model(DVAEConfig(resolution=32, num_codes=16, width=16, depth=1), GPTConfig(num_codes=16, width=32, depth=1, heads=2)),
    DallE1Recipe(dalle1_stages(codec_share=0.5, batch_size=4, start_images=6)),
)
RUN = Run("dalle1", "tiny", seed=3, updates=200, exam=4, save_every=0.0)  # a checkpoint after every update


def train_tiny(folder: str, run: Run = RUN) -> None:
    torch.set_num_threads(1)
    train(run, folder, device="cpu", quiet=True)


def train_share(rank: int, port: int, folder: str, run: Run, weights: str) -> None:
    """What torchrun would have one of two processes do. The weights that it ends with are written to `weights`."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    train(run, folder, device="cpu", quiet=True).save(weights)


if __name__ == "__main__":  # for torchrun
    import sys

    train_tiny(sys.argv[1])
