"""The augmentation of CLIP's pictures moves them as far as it says, and no farther."""

import pytest
import torch
import torch.nn.functional as F

from dalle_edu.systems.parts.augment import augment


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_pictures_move_by_at_most_their_part_of_a_side_and_zoom_both_ways(monkeypatch, strength):
    seen, grid = [], F.affine_grid
    monkeypatch.setattr(F, "affine_grid", lambda maps, size, **kwargs: seen.append(maps.clone()) or grid(maps, size, **kwargs))
    augment(torch.ones(4096, 3, 8, 8), torch.Generator().manual_seed(0), strength)
    (maps,) = seen
    sides = maps[:, :, 2] / 2  # a side is 2 long
    zoom = maps[:, 0, 0]
    for measured, most in ((sides, 0.06 * strength), (zoom - 1, 0.15 * strength)):
        assert -most <= measured.min() < -0.9 * most
        assert 0.9 * most < measured.max() <= most
    assert torch.equal(zoom, maps[:, 1, 1])
    assert maps[:, 0, 1].abs().max() == maps[:, 1, 0].abs().max() == 0  # neither turned nor mirrored
