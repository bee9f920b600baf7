"""Codes that start where the pictures are: the codebook of the discrete VAE, initialised from patches."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from scipy import stats

from dalle_edu.bricks.dvae import DiscreteVAE, DVAEConfig
from dalle_edu.world import World

SMALL = DVAEConfig(resolution=16, grid=4, num_codes=24, width=8, depth=1)


def fresh(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(5, 3, 16, 16, generator=fresh(2)) * 2 - 1


def untrained(**changes: int) -> DiscreteVAE:
    torch.manual_seed(0)
    return DiscreteVAE(replace(SMALL, **changes))


def directions(model: DiscreteVAE, images: torch.Tensor) -> torch.Tensor:
    """What the encoder gives for each patch, cut out by hand and shown alone, as unit vectors."""
    corners = [(y, x) for y in range(0, 16, 4) for x in range(0, 16, 4)]
    patches = [image[:, y : y + 4, x : x + 4].repeat(1, 4, 4) for image in images for y, x in corners]
    vectors = model.encoder(torch.stack(patches))[:, :, 0, 0]
    return vectors / vectors.square().sum(dim=1, keepdim=True).sqrt()


@torch.no_grad()
def test_each_code_takes_the_direction_of_another_patch_and_keeps_its_length(images):
    model = untrained(num_codes=80)  # as many as there are patches
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.initialise_codebook(images, fresh(5))
    lengths = before["codebook.weight"].norm(dim=1)
    assert lengths.std() > 0.3
    torch.testing.assert_close(model.codebook.weight.norm(dim=1), lengths)
    likeness = (model.codebook.weight / lengths[:, None]) @ directions(model, images).T
    best, patch = likeness.max(dim=1)
    torch.testing.assert_close(best, torch.ones(80))
    assert patch.unique().numel() == 80
    assert (patch != torch.arange(80)).any()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items() if name != "codebook.weight")


@torch.no_grad()
def test_a_patch_is_chosen_as_often_as_its_contrast_is_great():
    """One code and five patches that are not flat, of contrasts 1 to 5, 4,000 times, by chi-square."""
    model, images = untrained(num_codes=1), torch.zeros(1, 3, 16, 16)
    contrasts = (1, 2, 3, 4, 5)
    pattern = torch.randn(3, 4, 4, generator=fresh(7)) / 50
    for place, contrast in enumerate(contrasts):
        y, x = 4 * (place // 4), 4 * (place % 4)
        images[0, :, y : y + 4, x : x + 4] = contrast * pattern + 0.1 * place
    found, generator, wanted = [], fresh(0), directions(model, images)
    for _ in range(4_000):
        model.initialise_codebook(images, generator)
        found.append(int((F.normalize(model.codebook.weight, dim=1) @ wanted.T).argmax()))
    counts = torch.tensor(found).bincount(minlength=16)[:5]
    assert counts.sum() > 3_500  # the flat ones are chosen too, though seldom
    assert stats.chisquare(counts, counts.sum() * torch.tensor(contrasts).double() / 15).pvalue > 0.01


def test_fewer_patches_than_codes_leave_the_last_codes_as_they_are(images):
    model = untrained(num_codes=24)
    before = model.codebook.weight.detach().clone()
    model.initialise_codebook(images[:1], fresh(5))  # of 16 patches
    assert torch.equal(model.codebook.weight[16:], before[16:])
    assert (model.codebook.weight[:16] != before[:16]).any(dim=1).all()


def test_codes_start_from_the_generator_alone_and_without_a_gradient(images):
    before, found = images.clone(), []
    for seed, start in ((0, 5), (1, 5), (0, 6)):
        model = untrained()
        torch.manual_seed(seed)
        model.initialise_codebook(images, fresh(start))
        assert model.codebook.weight.requires_grad
        assert model.codebook.weight.is_leaf
        found.append(model.codebook.weight.detach())
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert torch.equal(images, before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, None])
def test_codes_start_in_half_precision_too(images, dtype):
    """None is autocast, in which the loop calls it: weights stay in float32."""
    expected, found = untrained(), untrained()
    expected.initialise_codebook(images, fresh(5))
    if dtype is None:
        with torch.autocast("cpu", torch.bfloat16):
            found.initialise_codebook(images, fresh(5))
    else:
        found.to(dtype).initialise_codebook(images.to(dtype), fresh(5))
    assert found.codebook.weight.dtype == (dtype or torch.float32)
    cosines = F.cosine_similarity(found.codebook.weight.float(), expected.codebook.weight, dim=1)
    assert (cosines > 0.99).float().mean() > 0.9  # a contrast that is rounded may choose another patch


def test_codes_that_start_where_the_pictures_are_all_serve():
    world = World(64)
    images = world.collate([world[i] for i in range(64)]).images(16)
    model = untrained(num_codes=64)
    random = model.encode(images).unique().numel()
    model.initialise_codebook(images, fresh(5))
    assert model.encode(images).unique().numel() > 60 > 30 > random
