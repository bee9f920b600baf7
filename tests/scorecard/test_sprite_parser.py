"""The examiner of catalogues with sprites is examined itself: on true pictures, on others, under noise and blur."""

import pytest
import torch
import torch.nn.functional as F
from sprites import sprites

from dalle_edu.scorecard import mark, parse_pictures
from dalle_edu.world import render, sample_scene

CATALOGUE = sprites()
N = 150


@pytest.fixture(scope="module", params=[32, 64])
def seen(request) -> tuple[list, torch.Tensor]:
    scenes = [sample_scene(11, index, "all", CATALOGUE) for index in range(N)]
    return scenes, render(scenes, request.param, catalogue=CATALOGUE)


def right(scenes: list, images: torch.Tensor) -> float:
    found = parse_pictures(images, CATALOGUE)
    return sum(all(mark(scene.description, things).values()) for scene, things in zip(scenes, found, strict=True)) / len(scenes)


def test_true_pictures_earn_their_marks(seen):
    assert right(*seen) >= 0.985


def test_pictures_of_other_captions_do_not(seen):
    scenes, images = seen
    assert right(scenes[1:] + scenes[:1], images) < 0.02


def test_places_sizes_and_fits_are_those_drawn(seen):
    scenes, images = seen
    alone = [i for i, scene in enumerate(scenes) if len(scene.objects) == 1]
    for i, (found,) in zip(alone, parse_pictures(images[alone], CATALOGUE), strict=True):
        true = scenes[i].objects[0]
        assert abs(found.x - true.x) + abs(found.y - true.y) < 0.02
        assert abs(found.radius - true.radius) < 0.02
        assert found.fit > 0.75


def test_specks_are_no_objects_and_light_noise_does_no_harm(seen):
    scenes, images = seen
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    assert right(scenes, images + 0.1 * noise) >= 0.97
    assert all(not things for things in parse_pictures(torch.ones_like(images[:4]) - 0.1 * noise[:4].abs(), CATALOGUE))


def test_a_blur_of_three_pixels_costs_little_at_64():
    scenes = [sample_scene(11, index, "all", CATALOGUE) for index in range(N)]
    images = render(scenes, 64, catalogue=CATALOGUE)
    assert right(scenes, F.avg_pool2d(F.pad(images, (1, 1, 1, 1), value=1.0), 3, 1)) >= 0.85
