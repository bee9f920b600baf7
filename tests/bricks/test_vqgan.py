import pytest
import torch
from torch import nn

from dalle_edu.bricks.codebook import CodecConfig
from dalle_edu.bricks.convolution import SmallClassifier
from dalle_edu.bricks.vqgan import VQGAN, PerceptualDistance, adaptive_weight
from dalle_edu.world import render, sample_scene

SMALL = CodecConfig(resolution=32, grid=8, num_codes=12, width=8, depth=1, code_dim=4)


@pytest.fixture
def model() -> VQGAN:
    torch.manual_seed(0)
    return VQGAN(SMALL, SmallClassifier(3, 8).features, discriminator_width=8, discriminator_layers=1)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_a_picture_is_at_no_distance_from_itself_and_blur_is_seen(images):
    torch.manual_seed(0)
    distance = PerceptualDistance(SmallClassifier(3, 8).features)
    assert float(distance(images, images)) == 0
    blurred = [nn.functional.avg_pool2d(images, size, 1, size // 2) for size in (3, 5)]
    near, far = (float(distance(images, picture)) for picture in blurred)
    assert 0 < near < far
    assert float(distance(images, blurred[0])) == pytest.approx(float(distance(blurred[0], images)), rel=1e-5)


def test_the_judge_never_learns(model, images):
    assert not model.perceptual.train().features.training
    model.loss(images, adversarial=1.0)["loss"].backward()
    assert all(parameter.grad is None for parameter in model.perceptual.parameters())


def test_the_codec_learns_from_its_loss_and_the_adversary_from_its_own(model, images):
    model.discriminator_loss(images).backward()
    assert all(parameter.grad is None for parameter in model.codec_parameters())
    assert all(parameter.grad is not None for parameter in model.discriminator.parameters())
    model.zero_grad(set_to_none=True)
    model.loss(images, adversarial=0.5)["loss"].backward()
    assert all(parameter.grad is not None for parameter in model.codec_parameters())


def test_without_adversary_there_is_no_verdict(model, images):
    assert "verdict" not in model.loss(images)
    assert {"verdict", "weight"} <= set(model.loss(images, adversarial=1.0))


def test_the_weight_makes_both_pulls_equal(model, images):
    painted = model.decoder(model.quantizer(model.encoder(images)).vectors)
    reconstruction, verdict = (painted - images).abs().mean(), -model.discriminator(painted).mean()
    weight = adaptive_weight(reconstruction, verdict, model.last_layer)
    pulls = [torch.autograd.grad(loss, model.last_layer, retain_graph=True)[0].norm() for loss in (reconstruction, weight * verdict)]
    assert float(pulls[1] / pulls[0]) == pytest.approx(1, rel=0.05)
    assert not weight.requires_grad


def test_the_last_layer_paints_the_pixels(model, images):
    before = model.decode(model.encode(images))
    with torch.no_grad():
        model.last_layer.zero_()
    after = model.decode(model.encode(images))
    assert after.std() < before.std()


def test_the_two_play(model):
    """A few rounds: the adversary learns to tell, and the codec's pictures get nearer."""
    images = render([sample_scene(0, i) for i in range(8)], 32)
    codec = torch.optim.AdamW(model.codec_parameters(), lr=3e-3)
    adversary = torch.optim.AdamW(model.discriminator.parameters(), lr=1e-3)
    history = []
    for step in range(40):
        parts = model.loss(images, adversarial=0.1 if step >= 20 else 0.0)
        codec.zero_grad()
        parts["loss"].backward()
        codec.step()
        loss = model.discriminator_loss(images)
        adversary.zero_grad()
        loss.backward()
        adversary.step()
        history.append((float(parts["reconstruction"]), float(loss.detach())))
    assert history[-1][0] < 0.9 * history[0][0]
    assert history[-1][1] < history[0][1]
