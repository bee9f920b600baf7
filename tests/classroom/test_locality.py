"""What lesson 04 finds by its knob: the further pixels are moved from their neighbours, the less a convolutional network reads."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.convolution import SmallClassifier
from dalle_edu.datasets.digits import digits

SIDE = 12


def sheets() -> tuple[Tensor, Tensor]:
    """The digits, each at a random place of a sheet of 12 x 12."""
    images, labels = digits()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    images, labels = (images[order] + 1) / 2, labels[order]
    corners = torch.randint(SIDE - 7, (len(images), 2), generator=torch.Generator().manual_seed(0))
    laid = [F.pad(image, (c, SIDE - 8 - c, r, SIDE - 8 - r)) for image, (r, c) in zip(images, corners.tolist(), strict=True)]
    return torch.stack(laid), labels


def shuffled_within(images: Tensor, side: int) -> Tensor:
    """Pixels shuffled within squares of a side, in the same way in all pictures."""
    generator, places = torch.Generator().manual_seed(0), torch.arange(SIDE * SIDE).view(SIDE, SIDE)
    for top in range(0, SIDE, side):
        for left in range(0, SIDE, side):
            square = places[top : top + side, left : left + side].flatten()
            shuffled = square[torch.randperm(side * side, generator=generator)]
            places[top : top + side, left : left + side] = shuffled.view(side, side)
    return images.flatten(1)[:, places.flatten()].view_as(images)


def read_right(network: nn.Module, images: Tensor, labels: Tensor, seed: int) -> float:
    """The percentage of 397 unseen sheets that a network reads after 300 steps on the other 1,400."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.02)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=300)
    for _ in range(300):
        rows = torch.randint(1400, (64,), generator=generator)
        loss = F.cross_entropy(network(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        pace.step()
    with torch.no_grad():
        return 100 * (network(images[1400:]).argmax(dim=1) == labels[1400:]).float().mean().item()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_further_pixels_move_the_less_a_convolutional_network_reads(seed):
    images, labels = sheets()
    read = []
    for side in (1, 2, 3, 12):
        torch.manual_seed(seed)
        read.append(read_right(SmallClassifier(1, 10), shuffled_within(images, side), labels, seed))
    in_place, little, more, everywhere = read
    assert in_place > little + 5
    assert little > more + 5
    assert more > everywhere
    torch.manual_seed(seed)
    mlp = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 39), nn.ReLU(), nn.Linear(39, 10))
    assert more < read_right(mlp, shuffled_within(images, 12), labels, seed) < in_place - 5
