"""The small experiments of lessons 09 and 10 measure what they say they do, on networks whose answers are known."""

import pytest
import torch
from torch import nn

from dalle_edu.bricks.cyclegan import CycleGAN
from dalle_edu.bricks.noise_schedule import cosine_schedule
from dalle_edu.bricks.samplers import Step
from dalle_edu.classroom.demos.cyclegan import hidden_in_the_lines
from dalle_edu.classroom.demos.diffusion import completed, loss_by_timestep, nearest, one_hand
from dalle_edu.datasets.digits import digits

SCHEDULE = cosine_schedule()


class Knows(nn.Module):
    """A network that predicts v for one picture of each class, which it knows: the digit of that class."""

    def __init__(self, pictures: torch.Tensor):
        super().__init__()
        self.pictures = pictures

    def forward(self, x_t: torch.Tensor, t: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
        x0 = (pooled @ self.pictures.flatten(1)).view_as(x_t)
        signal, noise = SCHEDULE.rates(t, x_t)
        return signal * (x_t - signal * x0) / noise - noise * x0


@pytest.fixture(scope="module")
def pictures():
    images, labels = digits(8)
    return torch.stack([images[labels == digit][0] for digit in range(10)])


def test_who_knows_the_pictures_has_no_loss_at_any_timestep_and_who_does_not_has_one(pictures):
    moments, classes = (10, 400, 990), torch.eye(10)
    assert max(loss_by_timestep(Knows(pictures), pictures, classes, SCHEDULE, moments)) < 1e-6
    wrong = loss_by_timestep(Knows(pictures), pictures.flip(0), classes, SCHEDULE, moments)
    assert len(wrong) == 3
    assert min(wrong) > 0.1


def test_a_digit_that_is_repeated_is_found_out(pictures):
    order, distances = nearest(pictures[[3, 7]] + 0.01, pictures)
    assert order.tolist() == [3, 7]
    assert distances.tolist() == pytest.approx([0.01, 0.01], abs=1e-3)


def test_one_noise_gives_ten_digits(pictures):
    found = one_hand(Knows(pictures), 1.0, SCHEDULE, seed=0)
    assert nearest(found, pictures)[0].tolist() == list(range(10))


def test_what_is_known_stays_and_the_rest_is_completed(pictures):
    path: list[Step] = []
    mask = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    mask[:, :, :4] = True
    found = completed(Knows(pictures), pictures.flip(0), mask, torch.eye(10), 1.0, SCHEDULE, 0, path.append)
    assert torch.allclose(found[:, :, :4], pictures.flip(0)[:, :, :4], atol=1e-5)
    assert torch.allclose(found[:, :, 4:], pictures[:, :, 4:], atol=1e-3)
    assert len(path) == 40


class Hides(CycleGAN):
    """Translators that write a picture into the last digits of a blank one, and read it there."""

    def __init__(self):
        nn.Module.__init__(self)

    def to_b(self, x: torch.Tensor) -> torch.Tensor:
        return 0.001 * x

    def to_a(self, x: torch.Tensor) -> torch.Tensor:
        return 1000 * x


def test_a_message_hidden_in_the_outlines_is_spoilt_by_a_little_noise(pictures):
    plain, noisy = hidden_in_the_lines(Hides(), pictures, 0.01)
    assert plain < 1e-4
    assert noisy > 5
    assert hidden_in_the_lines(Hides(), pictures, 0.0) == pytest.approx((plain, plain))
