import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.bricks.transformer import Block, CrossBlock, Decoder, Encoder, Transformer, sinusoidal_positions


def fresh(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def lively(module: torch.nn.Module) -> torch.nn.Module:
    """The same module with weights that all matter, in double precision."""
    for name, parameter in module.named_parameters():
        torch.nn.init.normal_(parameter, mean=1.0 if "norm" in name else 0.0, std=0.3, generator=fresh(sum(map(ord, name))))
    return module.double().eval()


SOURCE = torch.tensor([[3, 1, 7, 2, 0, 0], [5, 4, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6]])
VISIBLE = SOURCE != 0


# ---------------------------------------------------------------- positions


def test_positions_by_hand():
    found = sinusoidal_positions(3, 4)
    torch.testing.assert_close(found[0], torch.tensor([0.0, 1.0, 0.0, 1.0]))
    torch.testing.assert_close(
        found[2],
        torch.tensor([2.0, 2.0, 0.02, 0.02]).sin() * torch.tensor([1, 0, 1, 0])
        + torch.tensor([2.0, 2.0, 0.02, 0.02]).cos() * torch.tensor([0, 1, 0, 1]),
    )


@given(shift=st.integers(0, 20))
def test_a_shift_turns_each_pair_of_channels_by_the_same_angle(shift):
    waves = torch.view_as_complex(sinusoidal_positions(64, 8).double().view(64, 4, 2))  # sin + i cos
    turned = waves[shift:] / waves[: 64 - shift]
    torch.testing.assert_close(turned, turned[:1].expand_as(turned), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("length", "width"), [(0, 8), (4, 0), (4, 7)])
def test_impossible_positions_are_refused(length, width):
    with pytest.raises(ValueError, match="even width"):
        sinusoidal_positions(length, width)


# ---------------------------------------------------------------- layers


def test_padding_changes_nothing_that_is_not_padding():
    encoder = lively(Encoder(16, 2, 4))
    x = torch.randn(3, 6, 16, generator=fresh(0), dtype=torch.float64)
    other = torch.where(VISIBLE[..., None], x, -5.0)
    before, after = encoder(x, VISIBLE), encoder(other, VISIBLE)
    torch.testing.assert_close(before[VISIBLE], after[VISIBLE])
    assert not torch.allclose(encoder(x)[:2], before[:2])


def test_an_encoder_reads_in_both_directions_and_a_decoder_in_one():
    encoder, decoder = lively(Encoder(16, 2, 4)), lively(Decoder(16, 2, 4))
    x = torch.randn(1, 5, 16, generator=fresh(1), dtype=torch.float64)
    memory = torch.randn(1, 3, 16, generator=fresh(2), dtype=torch.float64)
    for changed in range(5):
        other = x.clone()
        other[:, changed, :8] += 1
        assert ((encoder(other) - encoder(x)).abs().amax(dim=-1) > 1e-9).all()
        moved = ((decoder(other, memory) - decoder(x, memory)).abs().amax(dim=-1) > 1e-9)[0]
        assert moved.tolist() == [position >= changed for position in range(5)]


def test_a_directed_encoder_knows_before_from_after_and_no_padding():
    x = torch.randn(3, 6, 16, generator=fresh(0), dtype=torch.float64)
    plain, directed = (lively(Encoder(16, 2, 4, directed=way)) for way in (False, True))
    order = torch.tensor([1, 0, 2, 3, 4, 5])  # the first two tokens change places
    torch.testing.assert_close(plain(x[:, order])[:, order], plain(x))  # which is all that changes where nobody looks one way
    assert not torch.allclose(directed(x[:, order])[:, order], directed(x))
    other = torch.where(VISIBLE[..., None], x, -5.0)
    before, after = directed(x, VISIBLE), directed(other, VISIBLE)
    assert before.isfinite().all()
    torch.testing.assert_close(before[VISIBLE], after[VISIBLE])
    torch.testing.assert_close(directed(x[:1, :4]), before[:1, :4])
    assert directed(x, torch.zeros_like(VISIBLE)).isfinite().all()  # where there is nothing but padding
    for changed in range(6):  # between two layers, all of them hear of all
        moved = x.clone()
        moved[:, changed, :8] += 1
        assert ((directed(moved) - directed(x)).abs().amax(dim=-1) > 1e-9).all()


def test_positions_are_heard_beside_words():
    """An embedding is multiplied by √width (section 3.4): it must be as small as that before, or positions say nothing beside it."""
    transformer = Transformer(500, 500, width=64, depth=1, heads=2)
    tokens = torch.arange(500).view(10, 50)
    words = transformer._embed(tokens, transformer.source_embedding) - transformer.positions[:50]
    assert 0.8 < words.std().item() < 1.2


def test_every_token_written_sees_the_whole_memory():
    decoder = lively(Decoder(16, 1, 2))
    x, memory = (
        torch.randn(1, 4, 16, generator=fresh(3), dtype=torch.float64),
        torch.randn(1, 3, 16, generator=fresh(4), dtype=torch.float64),
    )
    for changed in range(3):
        other = memory.clone()
        other[:, changed] += 1
        assert ((decoder(x, other) - decoder(x, memory)).abs().amax(dim=-1) > 1e-9).all()


def test_maps_are_asked_for_and_keep_their_masks_in_every_layer():
    transformer = lively(Transformer(9, 8, width=16, depth=3, heads=2, length=8))
    written = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 1, 2]])
    read_maps: list[torch.Tensor] = []
    write_maps: list[torch.Tensor] = []
    memory = transformer.encode(SOURCE, read_maps)
    logits = transformer.decode(written, memory, SOURCE, write_maps)
    torch.testing.assert_close(logits, transformer(SOURCE, written))  # looking changes nothing
    assert [tuple(map_.shape) for map_ in read_maps] == [(3, 2, 6, 6)] * 3
    assert [tuple(map_.shape) for map_ in write_maps] == [(3, 2, 3, 6)] * 3
    for map_ in read_maps + write_maps:
        torch.testing.assert_close(map_.sum(dim=-1), torch.ones(map_.shape[:-1], dtype=torch.float64))
        assert map_.masked_select(~VISIBLE[:, None, None]).eq(0).all()
        assert not map_.requires_grad


def test_maps_of_a_causal_block_stay_causal():
    maps: list[torch.Tensor] = []
    x = torch.randn(2, 4, 8, generator=fresh(5))
    Block(8, 2)(x, maps=maps)
    assert maps[0].triu(1).eq(0).all()
    assert maps[0].tril().gt(0).sum() == 2 * 2 * 10


def test_gradients_are_right():
    block = lively(CrossBlock(4, 2))
    x = torch.randn(1, 3, 4, generator=fresh(6), dtype=torch.float64, requires_grad=True)
    memory = torch.randn(1, 2, 4, generator=fresh(7), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(block, (x, memory))


# ---------------------------------------------------------------- the whole


def test_every_weight_learns():
    torch.manual_seed(0)
    transformer = Transformer(9, 8, width=16, depth=2, heads=2, length=8)
    written = torch.tensor([[1, 2, 3, 4]] * 3)
    transformer(SOURCE, written).log_softmax(dim=-1)[..., 0].sum().backward()
    for name, parameter in transformer.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_too_long_a_sequence_is_refused():
    with pytest.raises(ValueError, match="6 tokens and may have 5"):
        Transformer(9, 8, width=8, depth=1, heads=1, length=5)(SOURCE, SOURCE[:, :2])


def test_it_learns_to_reverse():
    """Fifty updates halve the loss of writing a sequence backwards: the wiring carries information from source to target."""
    torch.manual_seed(0)
    transformer = Transformer(10, 10, width=32, depth=1, heads=4, length=8)
    optimizer = torch.optim.AdamW(transformer.parameters(), lr=3e-3)
    losses = []
    for step in range(60):
        source = torch.randint(2, 10, (64, 5), generator=fresh(step))
        target = source.flip(1)
        written = torch.cat([torch.ones(64, 1, dtype=torch.long), target[:, :-1]], dim=1)
        loss = torch.nn.functional.cross_entropy(transformer(source, written).flatten(0, 1), target.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.75 * losses[0]
