import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.bricks.codebook import (
    VQVAE,
    CodecConfig,
    VectorQuantizer,
    codes_alive,
    nearest_code,
    patch_decoder,
    patch_encoder,
    straight_through,
    vq_losses,
)
from dalle_edu.errors import DalleEduError

SMALL = CodecConfig(resolution=16, grid=4, num_codes=12, width=8, depth=1, code_dim=4)
seeds = st.integers(0, 2**31)


def fresh(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def vectors(seed: int = 0, n: int = 3) -> torch.Tensor:
    return torch.randn(n, 4, 5, 5, generator=fresh(seed))


# ---------------------------------------------------------------- choosing


@given(seed=seeds, k=st.integers(1, 9))
def test_the_nearest_code_is_the_one_at_the_least_distance(seed, k):
    points, codebook = torch.randn(20, 3, generator=fresh(seed)), torch.randn(k, 3, generator=fresh(seed + 1))
    distances = torch.cdist(points, codebook)
    chosen = distances.gather(1, nearest_code(points, codebook)[:, None])
    torch.testing.assert_close(chosen, distances.amin(dim=1, keepdim=True))


def test_a_code_is_nearest_to_itself():
    codebook = torch.randn(30, 6, generator=fresh(0))
    assert torch.equal(nearest_code(codebook, codebook), torch.arange(30))


def test_straight_through_says_the_codes_and_teaches_the_vectors():
    v, c = vectors(0).requires_grad_(), vectors(1).requires_grad_()
    out = straight_through(v, c)
    torch.testing.assert_close(out, c)
    out.square().sum().backward()
    torch.testing.assert_close(v.grad, 2 * c.detach())
    assert c.grad is None


@given(seed=seeds, beta=st.floats(0.0, 2.0))
def test_each_loss_moves_its_own_side(seed, beta):
    v, c = vectors(seed).requires_grad_(), vectors(seed + 1).requires_grad_()
    codebook, commitment = vq_losses(v, c, beta)
    assert torch.autograd.grad(codebook, v, allow_unused=True, retain_graph=True) == (None,)
    assert torch.autograd.grad(commitment, c, allow_unused=True, retain_graph=True) == (None,)
    torch.testing.assert_close(commitment, beta * codebook)


def test_codes_alive():
    codes = torch.tensor([[[0, 0], [3, 3]], [[0, 3], [0, 3]]])
    alive, perplexity = codes_alive(codes, 8)
    assert float(alive) == 2
    assert float(perplexity) == pytest.approx(2)
    alive, perplexity = codes_alive(torch.arange(8).view(2, 2, 2), 8)
    assert (float(alive), float(perplexity)) == (8, pytest.approx(8))
    alive, perplexity = codes_alive(torch.full((2, 2, 2), 5), 8)
    assert (float(alive), float(perplexity)) == (1, pytest.approx(1))


# ---------------------------------------------------------------- the quantiser


def test_codes_follow_the_vectors_that_choose_them():
    """Two clouds, two codes: each ends in the middle of its cloud."""
    quantizer = VectorQuantizer(2, 2, decay=0.5)
    quantizer.codebook.data.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
    quantizer.sums.copy_(quantizer.codebook)
    for step in range(40):
        cloud = 0.1 * torch.randn(64, 2, 1, 1, generator=fresh(step))
        cloud[:32] += torch.tensor([3.0, 1.0]).view(1, 2, 1, 1)
        cloud[32:] -= torch.tensor([3.0, 1.0]).view(1, 2, 1, 1)
        quantizer(cloud)
    torch.testing.assert_close(quantizer.codebook.data, torch.tensor([[3.0, 1.0], [-3.0, -1.0]]), atol=0.1, rtol=0)


def test_only_training_moves_the_codes():
    quantizer = VectorQuantizer(6, 4).eval()
    before = quantizer.codebook.clone()
    quantizer(vectors())
    assert torch.equal(quantizer.codebook, before)
    quantizer.train()(vectors())
    assert not torch.equal(quantizer.codebook, before)


def test_without_decay_the_codes_move_by_gradient():
    quantizer = VectorQuantizer(6, 4, decay=None)
    found = quantizer(vectors())
    found.loss.backward()
    used = found.codes.unique()
    assert (quantizer.codebook.grad[used].abs().sum(dim=1) > 0).all()
    assert quantizer.codebook.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in VectorQuantizer(6, 4).parameters())


def test_dead_codes_come_back_to_life():
    """All vectors in one corner, all codes but one elsewhere: revived, they are all in use."""
    quantizer = VectorQuantizer(8, 4, decay=0.5)
    quantizer.codebook.data.add_(50.0)
    quantizer.codebook.data[0] = 0.0
    quantizer.sums.copy_(quantizer.codebook)
    cloud = vectors(3, n=8)
    for _ in range(10):
        quantizer(cloud)
    assert codes_alive(quantizer(cloud).codes, 8)[0] == 1
    assert int(quantizer.revive(cloud, generator=fresh(0))) == 7
    assert codes_alive(quantizer.eval()(cloud).codes, 8)[0] == 8
    assert int(quantizer.revive(cloud, generator=fresh(1))) == 0


def test_codes_come_back_as_vectors_with_the_gradient_of_the_input():
    quantizer, v = VectorQuantizer(6, 4).eval(), vectors().requires_grad_()
    found = quantizer(v)
    assert found.codes.shape == (3, 5, 5)
    torch.testing.assert_close(found.vectors.permute(0, 2, 3, 1), quantizer.codebook[found.codes])
    found.vectors.sum().backward()
    torch.testing.assert_close(v.grad, torch.ones_like(v))


@pytest.mark.parametrize("options", [{"num_codes": 0}, {"code_dim": 0}, {"beta": -0.1}, {"decay": 1.0}, {"decay": -0.5}], ids=str)
def test_impossible_codebooks_are_refused(options):
    with pytest.raises(DalleEduError, match="a codebook has codes"):
        VectorQuantizer(**({"num_codes": 4, "code_dim": 3} | options))


def test_vectors_of_another_width_are_refused():
    with pytest.raises(DalleEduError, match="4 channels and the codes 3"):
        VectorQuantizer(5, 3)(vectors())


# ---------------------------------------------------------------- the VQ-VAE


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(5, 3, 16, 16, generator=fresh(2)) * 2 - 1


def test_the_encoder_sees_one_patch_and_the_decoder_more(images):
    torch.manual_seed(0)
    encoder, decoder = patch_encoder(SMALL), patch_decoder(SMALL)
    other = images.clone()
    other[:, :, 4:8, 8:12] *= -1
    changed = (encoder(other) - encoder(images)).abs().amax(dim=(0, 1)) > 1e-6
    assert changed.nonzero().tolist() == [[1, 2]]
    v = encoder(images)
    w = v.clone()
    w[:, :, 1, 2] += 1
    painted = (decoder(w) - decoder(v)).abs().amax(dim=(0, 1)) > 1e-6
    assert painted[4:8, 8:12].all()
    assert painted.sum() > 16


@pytest.mark.parametrize("decay", [None, 0.9])
def test_a_vqvae_learns(images, decay):
    torch.manual_seed(0)
    model = VQVAE(SMALL, decay=decay)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-3)
    losses = []
    for _ in range(60):
        parts = model.loss(images)
        optimizer.zero_grad()
        parts["loss"].backward()
        optimizer.step()
        losses.append(float(parts["reconstruction"]))
    assert losses[-1] < 0.8 * losses[0]
    assert set(parts) == {"loss", "reconstruction", "codebook", "codes_alive", "perplexity"}


def test_codes_and_pictures(images):
    torch.manual_seed(0)
    model = VQVAE(SMALL).eval()
    codes = model.encode(images)
    assert codes.shape == (5, 4, 4)
    assert codes.min() >= 0
    assert codes.max() < 12
    assert torch.equal(codes, model.quantizer(model.encoder(images)).codes)
    painted = model.decode(codes)
    assert painted.shape == images.shape
    torch.testing.assert_close(painted, model.decoder(model.quantizer(model.encoder(images)).vectors))


def test_a_codebook_follows_in_full_precision_under_autocast():
    vectors = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    books = []
    for half in (False, True):
        torch.manual_seed(1)
        quantizer = VectorQuantizer(8, 4, decay=0.5).train()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            quantizer(vectors)
        books.append(quantizer.codebook.detach())
    torch.testing.assert_close(books[0], books[1], rtol=0, atol=1e-6)
