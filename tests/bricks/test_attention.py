import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dalle_edu.bricks.attention import DirectedAttention, KeyValueCache, MultiHeadAttention, causal_mask, directed_mask, scaled_dot_product

PRECISION = [(torch.float32, 1e-5), (torch.float64, 1e-10)]
seeds = st.integers(0, 2**31)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


# ---------------------------------------------------------------- scaled dot product


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISION)
@pytest.mark.parametrize("shape", [(5, 7), (3, 5, 7), (2, 3, 5, 7)], ids=str)
@pytest.mark.parametrize("masking", ["none", "causal", "random", "shared"])
def test_scaled_dot_product_is_pytorchs(dtype, tolerance, shape, masking):
    *batch, queries, keys = shape
    query, key, value = (
        noise(*batch, count, channels, seed=seed, dtype=dtype)
        for seed, (count, channels) in enumerate([(queries, 8), (keys, 8), (keys, 6)])
    )
    mask = None
    if masking == "causal":
        mask = causal_mask(queries, keys)
    elif masking == "random":
        mask = noise(*batch, queries, keys, seed=3) > 0
        mask[..., 0] = True  # every query may look somewhere
    elif masking == "shared":
        mask = (noise(*(1 for _ in batch), queries, keys, seed=3) > 0).index_fill(-1, torch.tensor(0), True)
    mixed, weights = scaled_dot_product(query, key, value, mask)
    expected = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    torch.testing.assert_close(mixed, expected, rtol=0, atol=tolerance)
    assert weights.shape == (*batch, queries, keys)
    torch.testing.assert_close(weights @ value, mixed, rtol=0, atol=tolerance)
    if mask is not None:
        assert (weights.masked_select(~mask.expand_as(weights)) == 0).all()


def test_the_gradient_is_pytorchs():
    ours, theirs = ([noise(2, 5, 8, seed=seed).requires_grad_() for seed in range(3)] for _ in range(2))
    scaled_dot_product(*ours, causal_mask(5, 5))[0].sin().sum().backward()
    F.scaled_dot_product_attention(*theirs, is_causal=True).sin().sum().backward()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=0, atol=1e-10)


def test_by_hand():
    """One query, two keys: scores ln 2 and 0 after the division by √4, so weights 2/3 and 1/3."""
    query = torch.tensor([[2.0, 0.0, 0.0, 0.0]])
    key = torch.tensor([[math.log(2), 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    mixed, weights = scaled_dot_product(query, key, torch.tensor([[3.0], [0.0]]))
    torch.testing.assert_close(weights, torch.tensor([[2 / 3, 1 / 3]]))
    torch.testing.assert_close(mixed, torch.tensor([[2.0]]))


@given(seed=seeds, queries=st.integers(1, 6), keys=st.integers(1, 6), scale=st.floats(0, 50))
def test_weights_sum_to_one(seed, queries, keys, scale):
    _, weights = scaled_dot_product(scale * noise(queries, 4, seed=seed), noise(keys, 4, seed=seed + 1), noise(keys, 2, seed=seed + 2))
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(queries, dtype=torch.float64))


@given(seed=seeds, tokens=st.integers(1, 7))
def test_the_order_of_keys_does_not_matter_and_that_of_queries_is_kept(seed, tokens):
    query, key, value = (noise(tokens, 4, seed=seed + i) for i in range(3))
    order = torch.randperm(tokens, generator=torch.Generator().manual_seed(seed))
    mixed, weights = scaled_dot_product(query, key, value)
    torch.testing.assert_close(scaled_dot_product(query, key[order], value[order])[0], mixed)
    permuted, permuted_weights = scaled_dot_product(query[order], key[order], value[order])
    torch.testing.assert_close(permuted, mixed[order])
    torch.testing.assert_close(permuted_weights, weights[order][:, order])


def test_a_query_that_may_look_nowhere_gets_nan():
    mask = torch.tensor([[True, False], [False, False]])
    mixed, _ = scaled_dot_product(noise(2, 4), noise(2, 4, seed=1), noise(2, 4, seed=2), mask)
    assert mixed[0].isfinite().all()
    assert mixed[1].isnan().all()


def test_causal_mask():
    assert causal_mask(3, 3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(2, 4).tolist() == [[True, True, True, False], [True, True, True, True]]
    assert causal_mask(1, 3).tolist() == [[True, True, True]]


# ---------------------------------------------------------------- several heads


def copied(width: int, heads: int, dtype: torch.dtype) -> tuple[MultiHeadAttention, nn.MultiheadAttention]:
    """Ours and PyTorch's, with the same weights."""
    torch.manual_seed(0)
    ours = MultiHeadAttention(width, heads).to(dtype)
    theirs = nn.MultiheadAttention(width, heads, bias=False, batch_first=True, dtype=dtype)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.qkv.weight)
        theirs.out_proj.weight.copy_(ours.out.weight)
    return ours, theirs


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISION)
@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("causal", [True, False])
def test_multi_head_attention_is_pytorchs(dtype, tolerance, heads, causal):
    ours, theirs = copied(16, heads, dtype)
    x = noise(3, 6, 16, dtype=dtype)
    mask = ~causal_mask(6, 6) if causal else None  # PyTorch's says where one may not look
    expected, _ = theirs(x, x, x, attn_mask=mask, need_weights=False)
    torch.testing.assert_close(ours(x, causal=causal), expected, rtol=0, atol=tolerance)


def test_one_head_spells_out_as_scaled_dot_product():
    torch.manual_seed(0)
    attention = MultiHeadAttention(8, 1).double()
    x = noise(2, 5, 8)
    query, key, value = attention.qkv(x).chunk(3, dim=-1)
    expected = attention.out(scaled_dot_product(query, key, value, causal_mask(5, 5))[0])
    torch.testing.assert_close(attention(x), expected, rtol=0, atol=1e-10)


@given(seed=seeds, changed=st.integers(0, 6))
def test_the_causal_mask_leaks_nothing(seed, changed):
    """Whatever token is changed, what stands before it does not move by one bit of gradient."""
    torch.manual_seed(1)
    attention = MultiHeadAttention(8, 2).double()
    x = noise(1, 7, 8, seed=seed)
    other = x.clone()
    other[:, changed] = noise(8, seed=seed + 1)
    before, after = attention(x), attention(other)
    assert torch.equal(before[:, :changed], after[:, :changed])
    assert not torch.allclose(before[:, changed:], after[:, changed:])


@given(seed=seeds)
def test_without_a_mask_attention_is_equivariant_to_permutations(seed):
    torch.manual_seed(1)
    attention = MultiHeadAttention(8, 2).double()
    x = noise(2, 6, 8, seed=seed)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(attention(x[:, order], causal=False), attention(x, causal=False)[:, order])


def test_a_width_that_heads_cannot_share_is_refused():
    with pytest.raises(ValueError, match="width 10 cannot be shared out among 4 heads"):
        MultiHeadAttention(10, 4)


# ---------------------------------------------------------------- the cache


@pytest.mark.parametrize("pieces", [[1] * 7, [3, 1, 1, 1, 1], [2, 3, 2], [7], [1, 6]], ids=str)
def test_cached_equals_uncached(pieces):
    torch.manual_seed(0)
    layers = [MultiHeadAttention(16, 4).double() for _ in range(2)]
    x = noise(3, 7, 16)
    cache = KeyValueCache(2, 3, 4, 7, 4, torch.device("cpu"), torch.float64)
    written = []
    for piece in x.split(pieces, dim=1):
        for number, layer in enumerate(layers):
            piece = layer(piece, cache=cache, layer=number)
        cache.filled += piece.shape[1]
        written.append(piece)
    torch.testing.assert_close(torch.cat(written, dim=1), layers[1](layers[0](x)), rtol=0, atol=1e-10)
    assert cache.filled == 7


def test_the_cache_is_allocated_once():
    cache = KeyValueCache(1, 1, 2, 5, 4, torch.device("cpu"), torch.float32)
    places = cache.keys.data_ptr(), cache.values.data_ptr()
    attention = MultiHeadAttention(8, 2)
    with torch.no_grad():
        for _ in range(5):
            attention(torch.ones(1, 1, 8), cache=cache)
            cache.filled += 1
    assert (cache.keys.data_ptr(), cache.values.data_ptr()) == places


def test_a_full_cache_refuses_another_token_and_keeps_what_it_holds():
    cache = KeyValueCache(1, 1, 2, 3, 4, torch.device("cpu"), torch.float32)
    attention = MultiHeadAttention(8, 2).requires_grad_(False)
    attention(torch.ones(1, 3, 8), cache=cache)
    cache.filled += 3
    held = cache.keys.clone(), cache.values.clone()
    with pytest.raises(ValueError, match="room for 3 tokens and was given token 4"):
        attention(torch.ones(1, 1, 8), cache=cache)
    assert cache.filled == 3
    assert torch.equal(cache.keys, held[0])
    assert torch.equal(cache.values, held[1])
    empty = KeyValueCache(1, 1, 2, 3, 4, torch.device("cpu"), torch.float32)
    with pytest.raises(ValueError, match="room for 3 tokens and was given token 4"):
        attention(torch.ones(1, 4, 8), cache=empty)


# ---------------------------------------------------------------- heads that look one way


def test_half_of_the_heads_look_back_and_the_others_ahead():
    assert directed_mask(2, 3).int().tolist() == [[[1, 0, 0], [1, 1, 0], [1, 1, 1]], [[1, 1, 1], [0, 1, 1], [0, 0, 1]]]
    assert directed_mask(5, 4).sum(dim=(1, 2)).tolist() == [10] * 5
    assert directed_mask(5, 4)[:, 0, 3].tolist() == [False, False, False, True, True]


def test_directed_attention_is_pytorchs_with_a_mask_for_each_head():
    torch.manual_seed(0)
    ours, theirs = DirectedAttention(12, 4).double(), nn.MultiheadAttention(12, 4, bias=False, batch_first=True).double()
    ours.qkv.weight.data, ours.out.weight.data = theirs.in_proj_weight.data, theirs.out_proj.weight.data
    x, mask = noise(2, 5, 12), directed_mask(4, 5).expand(2, -1, -1, -1).clone()
    visible = torch.tensor([[True] * 5, [False] + [True] * 4])
    mask[1, :, 1:, 0] = False  # the first token of the second sequence is padding
    mask[1, :, 0, 1:] = directed_mask(4, 5)[:, 0, 1:]
    expected, _ = theirs(x, x, x, attn_mask=~mask.flatten(0, 1), need_weights=False)
    torch.testing.assert_close(ours(x, visible=visible), expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(ours(x[:1]), expected[:1], rtol=0, atol=1e-10)
    for options in ({"causal": True}, {"cache": KeyValueCache(1, 2, 4, 5, 3, x.device, x.dtype)}):
        with pytest.raises(ValueError, match="neither causal nor cached"):
            ours(x, **options)
