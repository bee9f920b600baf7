"""A small game of generator and discriminator, for the tests of both."""

import torch

from dalle_edu.bricks import gan
from dalle_edu.bricks.dcgan import Discriminator, GANConfig, Generator
from dalle_edu.bricks.gan import NON_SATURATING, Game

SMALL = GANConfig(resolution=8, latent_dim=4, width=4)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def a_game(config: GANConfig = SMALL, losses: gan.Losses = NON_SATURATING, seed: int = 0) -> Game:
    torch.manual_seed(seed)
    generator, discriminator = Generator(config).double(), Discriminator(config).double()
    first, second = (torch.optim.Adam(player.parameters(), 1e-3) for player in (generator, discriminator))
    return Game(generator, discriminator, first, second, losses)
