"""The finding of the knob of lesson 09, over three seeds: the hastier the generator of a GAN, the fewer digits it draws."""

import pytest
import torch

from dalle_edu.bricks.dcgan import Discriminator, GANConfig, Generator
from dalle_edu.bricks.gan import Game, algorithm_1, discriminator_step, generator_step, mode_coverage
from dalle_edu.classroom.demos.gan import digit_reader
from dalle_edu.datasets.digits import digits

CONFIG, RATE, ROUNDS = GANConfig(resolution=16, latent_dim=32, width=16), 5e-4, 400


def game(haste: int = 1, before: Game | None = None) -> Game:
    """Both players with new optimisers, and the weights of those of `before`, if given."""
    generator, discriminator = Generator(CONFIG), Discriminator(CONFIG)
    if before is not None:
        generator.load_state_dict(before.generator.state_dict())
        discriminator.load_state_dict(before.discriminator.state_dict())
    first = torch.optim.Adam(generator.parameters(), haste * RATE, betas=(0.5, 0.999))
    return Game(generator, discriminator, first, torch.optim.Adam(discriminator.parameters(), RATE, betas=(0.5, 0.999)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_hasty_generator_draws_fewer_digits(seed):
    """Lesson 09, section 6: nine digits or more are left at haste 1, five at most at haste 8."""
    images, _ = digits(16)
    read, _ = digit_reader(0)
    generator = torch.Generator().manual_seed(seed)

    def draw_real() -> tuple[torch.Tensor, None]:
        return images[torch.randint(len(images), (64,), generator=generator)], None

    def draw_noise() -> torch.Tensor:
        return torch.randn(64, 32, generator=generator)

    torch.manual_seed(seed)
    trained = game()
    algorithm_1(trained, draw_real, draw_noise, ROUNDS)
    found = {}
    for haste in (1, 8):
        hasty = game(haste, trained)
        for _ in range(8):
            discriminator_step(hasty, draw_real()[0], draw_noise())
            for _ in range(20):
                generator_step(hasty, draw_noise())
        hasty.generator.eval()
        with torch.no_grad():
            found[haste] = mode_coverage(read(hasty.generator(torch.randn(500, 32, generator=generator))), 10)
    assert found[1][0] >= 9
    assert found[8][0] <= 5
    assert found[8][1] < found[1][1] / 2
