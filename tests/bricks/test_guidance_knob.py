"""The finding of lesson 10's knob, over three seeds: guidance buys obedience with variety."""

import pytest
import torch
import torch.nn.functional as F

from dalle_edu.bricks.noise_schedule import cosine_schedule
from dalle_edu.classroom.demos.diffusion import painted, trained, variety
from dalle_edu.datasets.digits import digits


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_more_guidance_makes_digits_as_asked_and_less_various(seed):
    from sklearn.svm import SVC

    images, labels = digits(8)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    seen, new = order[:1300], order[1300:]
    judge = SVC(C=10).fit(images[new].flatten(1), labels[new])
    schedule, classes = cosine_schedule(), F.one_hot(labels, 10).float()
    network = trained(images[seen], classes[seen], schedule, 300, seed)
    wanted = torch.arange(10).repeat(10)
    with torch.no_grad():
        found = {scale: painted(network, F.one_hot(wanted, 10).float(), scale, schedule, seed) for scale in (0.0, 1.0, 2.0, 4.0)}
    right = {scale: judge.score(digits_drawn.flatten(1), wanted) for scale, digits_drawn in found.items()}
    spread = {scale: variety(digits_drawn, wanted) for scale, digits_drawn in found.items()}
    assert right[0] < 0.3 < right[1] < right[2] <= 1
    assert right[4] > 0.9
    assert spread[1] > spread[2] > spread[4]
