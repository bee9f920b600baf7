import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dalle_edu.bricks.cyclegan import (
    LEAST_SQUARES,
    CycleGAN,
    CycleGANConfig,
    Exchange,
    HistoryPool,
    InstanceBlock,
    Translator,
    cyclegan_step,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
)
from dalle_edu.errors import DalleEduError

seeds = st.integers(0, 2**31)
SMALL = CycleGANConfig(width=4, blocks=1, pool_size=3)


def fresh(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(n: int = 2, side: int = 16, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.rand(n, 3, side, side, generator=fresh(seed), dtype=dtype) * 2 - 1


def model(seed: int = 0, config: CycleGANConfig = SMALL) -> CycleGAN:
    torch.manual_seed(seed)
    return CycleGAN(config).double()


# ---------------------------------------------------------------- losses


def test_least_squares_by_hand():
    real, fake = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])
    assert float(least_squares_discriminator_loss(real, fake)) == pytest.approx((1 / 2 + 4 / 2) / 2)
    assert float(least_squares_generator_loss(fake)) == pytest.approx((1 + 1) / 2)
    assert LEAST_SQUARES.discriminator(torch.ones(3), torch.zeros(3)) == 0
    assert LEAST_SQUARES.generator(torch.ones(3)) == 0


def test_the_gradients_of_least_squares():
    logits = [torch.randn(4, generator=fresh(seed), dtype=torch.float64).requires_grad_() for seed in range(2)]
    assert torch.autograd.gradcheck(least_squares_discriminator_loss, logits)
    assert torch.autograd.gradcheck(least_squares_generator_loss, logits[:1])


# ---------------------------------------------------------------- networks


@pytest.mark.parametrize("shape", [(8, 8), (16, 24), (32, 32)], ids=str)
def test_a_translation_has_the_shape_of_the_picture(shape):
    torch.manual_seed(0)
    translated = Translator(SMALL)(torch.randn(2, 3, *shape, generator=fresh()))
    assert translated.shape == (2, 3, *shape)
    assert translated.abs().max() <= 1


@pytest.mark.parametrize("shape", [(15, 16), (16, 15), (6, 16), (16, 4)], ids=str)
def test_sides_that_cannot_be_halved_are_refused(shape):
    with pytest.raises(DalleEduError, match="a translator takes even sides of 8 pixels or more"):
        Translator(SMALL)(torch.zeros(1, 3, *shape))


@given(seeds)
def test_a_picture_is_translated_alone(seed):
    """Instance normalisation: what else is in the batch does not matter, even while training."""
    torch.manual_seed(0)
    translator = Translator(SMALL).double().train()
    batch = pictures(3, seed=seed)
    torch.testing.assert_close(translator(batch)[1:2], translator(batch[1:2]))


def test_a_translator_forgets_a_picture_s_contrast():
    """Inside, that is: the first layer's statistics are each picture's own."""
    torch.manual_seed(0)
    first, norm = Translator(SMALL).double().paint[:2]
    picture = pictures(1)
    torch.testing.assert_close(norm(first(picture)), norm(first(3 * picture)), rtol=1e-3, atol=1e-3)


def test_a_block_adds_to_its_input():
    torch.manual_seed(0)
    block = InstanceBlock(4).double()
    x = torch.randn(2, 4, 8, 8, generator=fresh(), dtype=torch.float64)
    assert not torch.equal(block(x), x)
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.zeros_(module.weight)
    assert torch.equal(block(x), x)


# ---------------------------------------------------------------- the pool


def numbered(n: int, first: int = 0) -> torch.Tensor:
    return torch.arange(float(first), float(first + n)).view(-1, 1, 1, 1)


@given(st.integers(0, 6), st.lists(st.integers(1, 5), min_size=1, max_size=6), seeds)
def test_no_fake_is_lost_and_none_is_doubled(size, batches, seed):
    pool, shown, seen = HistoryPool(size, fresh(seed)), [], 0
    for n in batches:
        shown += pool(numbered(n, seen)).flatten().tolist()
        seen += n
    stored = [float(image) for image in pool.images]
    assert len(stored) == min(size, seen)
    assert len(shown) == seen
    filled = sorted(stored)[: min(size, seen)] if size else []
    assert sorted(set(shown) | set(filled)) == list(range(seen))


def test_a_pool_of_nothing_shows_what_it_is_given():
    pool = HistoryPool(0, fresh())
    assert torch.equal(pool(numbered(5)), numbered(5))
    assert pool.images == []


def test_the_pool_draws_its_chance_from_its_generator_and_carries_no_gradient():
    shown = []
    for _ in range(2):
        pool = HistoryPool(2, fresh(5))
        shown.append([pool(numbered(4, i).requires_grad_()) for i in range(5)])
    assert all(torch.equal(a, b) for a, b in zip(*shown, strict=True))
    assert not any(batch.requires_grad for batch in shown[0])


def test_a_pool_of_less_than_nothing_is_refused():
    with pytest.raises(DalleEduError, match="size is -1; give 0 or more"):
        HistoryPool(-1, fresh())


# ---------------------------------------------------------------- training


def test_perfect_translators_lose_nothing_but_their_fight():
    """Two translators that are the identity return every picture and leave every picture as it is."""
    cyclegan = model()
    cyclegan.to_a, cyclegan.to_b = nn.Identity(), nn.Identity()
    parts = cyclegan.translators_loss(pictures(), pictures(seed=1))
    assert parts["cycle"] == parts["identity"] == 0
    torch.testing.assert_close(parts["loss"], parts["adversarial"])
    torch.testing.assert_close(parts["fake_b"], pictures())


def test_the_parts_are_weighed_by_the_configuration():
    a, b = pictures(), pictures(3, seed=1)
    weighed = model(config=CycleGANConfig(width=4, blocks=1, cycle_weight=2.0, identity_weight=0.5)).translators_loss(a, b)
    expected = weighed["adversarial"] + 2 * weighed["cycle"] + 0.5 * weighed["identity"]
    torch.testing.assert_close(weighed["loss"].detach(), expected)


def test_swapping_the_styles_changes_nothing():
    cyclegan, (a, b) = model(), (pictures(), pictures(seed=1))
    loss = cyclegan.translators_loss(a, b)
    judged = cyclegan.discriminators_loss(a, b, loss["fake_a"], loss["fake_b"])
    cyclegan.to_a, cyclegan.to_b = cyclegan.to_b, cyclegan.to_a
    cyclegan.judge_a, cyclegan.judge_b = cyclegan.judge_b, cyclegan.judge_a
    torch.testing.assert_close(cyclegan.translators_loss(b, a)["loss"], loss["loss"])
    torch.testing.assert_close(cyclegan.discriminators_loss(b, a, loss["fake_b"], loss["fake_a"]), judged)


def test_a_step_moves_all_four_networks_and_returns_every_loss():
    cyclegan = model()
    exchange = Exchange.start(cyclegan, fresh())
    before = {name: parameter.detach().clone() for name, parameter in cyclegan.named_parameters()}
    losses = cyclegan_step(exchange, pictures(), pictures(seed=1))
    assert losses.keys() == {"loss", "adversarial", "cycle", "identity", "judges"}
    assert all(loss.isfinite() and not loss.requires_grad for loss in losses.values())
    for side in ("to_a", "to_b", "judge_a", "judge_b"):
        assert any(not torch.equal(before[n], p) for n, p in cyclegan.named_parameters() if n.startswith(side))
    assert all(parameter.requires_grad for parameter in cyclegan.parameters())
    assert len(exchange.pool_a.images) == 2


def test_the_cycle_shrinks_within_a_few_steps():
    cyclegan = model(config=CycleGANConfig(width=4, blocks=1))
    exchange = Exchange.start(cyclegan, fresh(), learning_rate=2e-3)
    a, b = pictures(), -pictures()
    losses = [float(cyclegan_step(exchange, a, b)["cycle"]) for _ in range(20)]
    assert losses[-1] < 0.8 * losses[0]
