import pytest
import torch
from games import SMALL, a_game, noise
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dalle_edu.bricks.dcgan import Discriminator, GANConfig, Generator, PatchDiscriminator, initialise
from dalle_edu.bricks.gan import discriminator_step
from dalle_edu.errors import DalleEduError

# ---------------------------------------------------------------- the players


@pytest.mark.parametrize("resolution", [8, 16, 32])
@pytest.mark.parametrize(("channels", "classes"), [(1, 0), (3, 4)])
def test_the_players_fit_each_other(resolution, channels, classes):
    config = GANConfig(resolution, channels, latent_dim=5, width=4, num_classes=classes)
    labels = torch.tensor([0, 3]) if classes else None
    torch.manual_seed(0)
    drawn = Generator(config)(noise(2, 5, dtype=torch.float32), labels)
    assert drawn.shape == (2, channels, resolution, resolution)
    assert drawn.abs().max() <= 1
    assert Discriminator(config)(drawn, labels).shape == (2,)


@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_an_evaluated_picture_does_not_depend_on_its_batch(player):
    game = a_game()
    network = getattr(game, player).eval()
    given = noise(5, 4) if player == "generator" else noise(5, 1, 8, 8)
    torch.testing.assert_close(network(given)[2:3], network(given[2:3]))


def test_the_class_matters_to_the_generator_at_once_and_to_the_discriminator_once_learned():
    config = GANConfig(8, latent_dim=4, width=4, num_classes=2)
    game = a_game(config)
    zeros, ones = torch.zeros(3, dtype=torch.long), torch.ones(3, dtype=torch.long)
    generator, discriminator = game.generator.eval(), game.discriminator.eval()
    assert not torch.allclose(generator(noise(3, 4), zeros), generator(noise(3, 4), ones))
    images = noise(3, 1, 8, 8)
    assert torch.equal(discriminator(images, zeros), discriminator(images, ones))
    discriminator_step(game, images, noise(3, 4), zeros)
    assert not torch.allclose(discriminator(images, zeros), discriminator(images, ones))


def test_the_beginning_is_dcgans():
    torch.manual_seed(0)
    generator = Generator(GANConfig(16, width=64))
    kernels = torch.cat([m.weight.flatten() for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)])
    scales = torch.cat([m.weight for m in generator.modules() if isinstance(m, nn.BatchNorm2d)])
    assert float(kernels.std().detach()) == pytest.approx(0.02, rel=0.02)
    assert float(scales.mean().detach()) == pytest.approx(1, abs=0.01)
    last = [m for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)][-1]
    assert not last.bias.any()
    layer = nn.Conv2d(3, 50, 3)
    initialise(layer, std=0.5)
    assert float(layer.weight.detach().std()) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("resolution", [0, 4, 12, 20, -8])
def test_a_resolution_that_is_no_power_of_two_is_refused(resolution):
    with pytest.raises(DalleEduError, match=f"resolution is {resolution}; give a power of two from 8 on"):
        GANConfig(resolution)


def test_noise_of_another_width_is_refused():
    with pytest.raises(DalleEduError, match="noise has 7 channels; this generator takes 4"):
        Generator(SMALL)(torch.zeros(2, 7))


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 8, 8), (1, 8, 16)], ids=str)
def test_pictures_of_another_shape_are_refused(shape):
    with pytest.raises(DalleEduError, match=r"this discriminator looks at \[1, 8, 8\]"):
        Discriminator(SMALL)(torch.zeros(2, *shape))


@pytest.mark.parametrize(
    ("classes", "labels", "said"),
    [(3, None, "missing"), (0, [0, 1], r"\(0, 1\)"), (3, [0, 3], r"\(0, 3\)"), (3, [-1, 2], r"\(-1, 2\)")],
)
def test_labels_are_given_exactly_where_there_are_classes(classes, labels, said):
    config = GANConfig(8, latent_dim=4, width=4, num_classes=classes)
    given = None if labels is None else torch.tensor(labels)
    for network, batch in ((Generator(config), torch.zeros(2, 4)), (Discriminator(config), torch.zeros(2, 1, 8, 8))):
        with pytest.raises(DalleEduError, match=f"labels are {said}; this network knows {classes} classes"):
            network(batch, given)


# ---------------------------------------------------------------- patches


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_what_lies_outside_its_patch_does_not_move_a_logit(layers):
    torch.manual_seed(0)
    judge = PatchDiscriminator(3, 4, layers).double().eval()
    side = 64
    picture = noise(1, 3, side, side)
    before = judge(picture)
    field, stride, rows = judge.receptive_field, 2**layers, before.shape[1]
    other = picture.clone()
    other[:, :, -1] += 5  # the last row of pixels
    after = judge(other)
    moved = (before != after).any(dim=2)[0]
    assert moved[-1]
    seeing = [row for row in range(rows) if row * stride + field - 1 >= side - 1 + first_pixel(layers)]
    assert moved.nonzero().flatten().tolist() == seeing


def first_pixel(layers: int) -> int:
    """How many pixels of padding the first logit sees before the picture begins."""
    start, stride = 0, 1
    for step in [2] * layers + [1, 1]:
        start += stride
        stride *= step
    return start


@given(st.integers(1, 4), st.integers(24, 40), st.integers(24, 40))
def test_patches_tile_pictures_of_any_size(layers, height, width):
    if min(height, width) < 3 * 2**layers:
        return
    torch.manual_seed(0)
    judged = PatchDiscriminator(1, 1, layers, nn.Identity)(torch.zeros(2, 1, height, width))
    assert judged.shape == (2, height // 2**layers - 2, width // 2**layers - 2)


def test_a_picture_smaller_than_a_patch_discriminator_can_halve_is_refused():
    with pytest.raises(DalleEduError, match="23 pixels on a side; give 24 or more"):
        PatchDiscriminator(layers=3, width=2)(torch.zeros(1, 3, 40, 23))
    assert PatchDiscriminator(layers=3, width=2).eval()(torch.zeros(1, 3, 24, 24)).shape == (1, 1, 1)
