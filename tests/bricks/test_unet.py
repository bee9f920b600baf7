import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dalle_edu.bricks.attention import CrossAttention
from dalle_edu.bricks.unet import UNet, UNetConfig
from dalle_edu.bricks.unet_blocks import AttentionBlock, GroupNormBlock, sinusoidal_embedding
from dalle_edu.errors import DalleEduError

seeds = st.integers(0, 2**31)
ALL = UNetConfig(in_channels=2, out_channels=3, widths=(8, 12), depth=1, groups=4, heads=2, text_width=6, pooled_width=5, middle_depth=2)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def shaken(module: nn.Module) -> nn.Module:
    """Nothing starts at zero any more, so that nothing is hidden."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.3, generator=generator)
    return module.double()


def inputs(n: int = 2, side: int = 8, words: int = 3, seed: int = 0) -> dict[str, torch.Tensor]:
    return {
        "images": noise(n, 2, side, side, seed=seed),
        "time": 1000 * torch.rand(n, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64),
        "text": noise(n, words, 6, seed=seed + 2),
        "text_mask": torch.ones(n, words, dtype=torch.bool),
        "pooled": noise(n, 5, seed=seed + 3),
    }


def close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


def far(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    return float((ours - theirs).detach().abs().max()) > 1e-4


# ---------------------------------------------------------------- time


@given(time=st.floats(0, 1000), width=st.sampled_from([4, 6, 32]))
def test_the_embedding_of_a_time_is_points_on_circles(time, width):
    sines, cosines = sinusoidal_embedding(torch.tensor([time], dtype=torch.float64), width).chunk(2, dim=1)
    close(sines**2 + cosines**2, torch.ones(1, width // 2, dtype=torch.float64))
    close(sines[0, 0], torch.tensor(time, dtype=torch.float64).sin())  # the first circle turns at speed 1
    close(sines[0, -1], torch.tensor(time / 10_000, dtype=torch.float64).sin())  # the last at 1 / 10,000


def test_whole_timesteps_and_fractions_are_one_scale():
    assert torch.equal(sinusoidal_embedding(torch.tensor([0, 3]), 8), sinusoidal_embedding(torch.tensor([0.0, 3.0]), 8))
    assert sinusoidal_embedding(torch.tensor([0.0]), 4).tolist() == [[0.0, 0.0, 1.0, 1.0]]
    a, b, c = sinusoidal_embedding(torch.tensor([500.0, 500.5, 900.0]), 64)
    assert (a - b).norm() < (a - c).norm()


@pytest.mark.parametrize("width", [2, 7])
def test_a_time_embedding_needs_an_even_width(width):
    with pytest.raises(DalleEduError, match=f"width of the time embedding is {width}; .* even number from 4"):
        sinusoidal_embedding(torch.zeros(1), width)


# ---------------------------------------------------------------- blocks


@pytest.mark.parametrize("condition_width", [0, 5])
def test_a_block_begins_as_the_identity(condition_width):
    x, condition = noise(2, 8, 4, 4), noise(2, 5, seed=1) if condition_width else None
    assert torch.equal(GroupNormBlock(8, 8, 4, condition_width).double()(x, condition), x)
    wider = GroupNormBlock(8, 12, 4, condition_width).double()
    assert torch.equal(wider(x, condition), wider.shortcut(x))


def test_the_gradients_of_the_blocks_are_those_of_finite_differences():
    block = shaken(GroupNormBlock(2, 4, 2, 3))
    x, condition = noise(2, 2, 3, 2).requires_grad_(), noise(2, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(block, (x, condition))
    attention = shaken(CrossAttention(4, 2, 3))
    x, context = noise(2, 3, 4).requires_grad_(), noise(2, 2, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, context: attention(x, context, torch.tensor([[True, True], [True, False]])), (x, context))
    assert torch.autograd.gradcheck(lambda time: sinusoidal_embedding(time, 6), (torch.tensor([0.3, 7.0]).double().requires_grad_(),))


def test_a_block_with_a_condition_wants_it_and_one_without_does_not():
    x = noise(2, 8, 4, 4)
    with pytest.raises(DalleEduError, match="built with a condition and is called without"):
        GroupNormBlock(8, 8, 4, 5).double()(x)
    with pytest.raises(DalleEduError, match="built with a condition and is called without"):
        GroupNormBlock(8, 8, 4).double()(x, noise(2, 5))


def test_channels_that_groups_or_heads_cannot_share_are_refused():
    with pytest.raises(DalleEduError, match="8 and 10 channels do not both split into 4 groups"):
        GroupNormBlock(8, 10, 4)
    for heads in (3, 0):
        with pytest.raises(DalleEduError, match=f"width 8 cannot be shared out among {heads} heads"):
            CrossAttention(8, heads, 6)
    with pytest.raises(DalleEduError, match="width 12 cannot be shared out among 8 heads"):
        UNet(UNetConfig(widths=(8, 12), groups=4, heads=8))


@given(seed=seeds, hidden=st.integers(0, 2))
def test_padding_answers_nothing(seed, hidden):
    """A word that the mask hides may say anything."""
    attention = shaken(CrossAttention(8, 2, 6))
    x, text = noise(1, 4, 8, seed=seed), noise(1, 3, 6, seed=seed + 1)
    mask = torch.ones(1, 3, dtype=torch.bool).index_fill(1, torch.tensor(hidden), False)
    other = text.clone()
    other[:, hidden] = noise(6, seed=seed + 2)
    close(attention(x, text, mask), attention(x, other, mask))
    assert far(attention(x, text), attention(x, other))
    kept = [word for word in range(3) if word != hidden]
    close(attention(x, text, mask), attention(x, text[:, kept]))


def test_attention_between_positions_is_pytorchs():
    block = shaken(AttentionBlock(8, 2))
    theirs = nn.MultiheadAttention(8, 2, bias=False, batch_first=True).double()
    theirs.in_proj_weight.data, theirs.out_proj.weight.data = block.positions.qkv.weight.data, block.positions.out.weight.data
    x = noise(2, 8, 3, 5)
    tokens = x.flatten(2).transpose(1, 2)
    normed = F.layer_norm(tokens, (8,), block.norm_1.weight)
    expected = tokens + theirs(normed, normed, normed, need_weights=False)[0]
    close(block(x), expected.transpose(1, 2).view(2, 8, 3, 5))


def test_an_attention_block_begins_as_the_identity():
    block = AttentionBlock(8, 2, 6).double()
    assert torch.equal(block(noise(2, 8, 3, 5), noise(2, 4, 6, seed=1)), noise(2, 8, 3, 5))


# ---------------------------------------------------------------- the network


@settings(max_examples=25)
@given(
    patch_size=st.sampled_from([1, 2, 4]),
    levels=st.integers(1, 3),
    height=st.integers(1, 3),
    width=st.integers(1, 3),
    attending=st.booleans(),
)
def test_the_picture_keeps_its_size(patch_size, levels, height, width, attending):
    config = UNetConfig(2, 3, patch_size, (8,) * levels, 1, (levels - 1,) if attending else (), 2, 4, time=False)
    assert config.stride == patch_size * 2 ** (levels - 1)
    images = noise(1, 2, height * config.stride, width * config.stride)
    assert UNet(config).double()(images).shape == (1, 3, *images.shape[2:])


def test_a_network_begins_by_saying_nothing():
    assert (UNet(ALL).double()(**inputs()) == 0).all()


def test_every_weight_takes_part():
    network = shaken(UNet(ALL))
    network(**inputs()).square().sum().backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()] == []


@pytest.mark.parametrize("level", [0, 1])
def test_each_skip_carries_something(level):
    class WithoutOneSkip(UNet):
        def join(self, x, skip):
            return super().join(x, 0 * skip if skip.shape[1] == self.config.widths[level] else skip)

    config = UNetConfig(2, 3, 1, (8, 12, 16), 1, (), groups=4, time=False)
    whole, cut = shaken(UNet(config)), shaken(WithoutOneSkip(config))
    assert far(whole(noise(1, 2, 8, 8)), cut(noise(1, 2, 8, 8)))


def test_skips_carry_the_pixels_and_the_bottom_carries_the_rest():
    """With a deaf bottom a pixel is heard only nearby; with it, all over the picture."""

    class DeafBottom(UNet):
        def join(self, x, skip):
            return super().join(0 * x, skip)

    config = UNetConfig(1, 1, 1, (8, 8), 1, (1,), 2, groups=8, time=False)
    images = noise(1, 1, 32, 32).requires_grad_()
    reach = {}
    for kind in (UNet, DeafBottom):
        network = shaken(kind(config))
        for module in network.modules():  # the statistics of a group see the whole picture, and are not in question here
            if isinstance(module, nn.GroupNorm):
                module.forward = lambda x: x / 10  # type: ignore[method-assign]
        (gradient,) = torch.autograd.grad(network(images)[0, 0, 0, 0], images)
        reach[kind] = int(gradient[0, 0].nonzero().max())
    assert reach[DeafBottom] < 8
    assert reach[UNet] == 31


@settings(max_examples=10)
@given(seed=seeds, changed=st.sampled_from(["images", "time", "text", "pooled"]))
def test_pictures_of_a_batch_do_not_hear_each_other_and_each_hears_its_own_conditions(seed, changed):
    network, given_ = shaken(UNet(ALL)), inputs(seed=seed)
    other = dict(given_)
    other[changed] = given_[changed].clone()
    other[changed][0] = inputs(seed=seed + 10)[changed][0]
    before, after = network(**given_), network(**other)
    close(before[1], after[1])
    assert float((before[0] - after[0]).detach().abs().max()) > 1e-9


def test_a_blank_caption_is_no_caption():
    network, given_ = shaken(UNet(ALL)), inputs()
    blank = network(**given_ | {"text_mask": torch.zeros(2, 3, dtype=torch.bool)})
    without = network(given_["images"], given_["time"], pooled=given_["pooled"])
    close(blank, without)
    assert blank.isfinite().all()
    assert far(blank, network(**given_))
    close(network(**given_), network(**given_ | {"text_mask": None}))


def test_the_order_of_words_is_the_business_of_whoever_writes_their_vectors():
    network, given_ = shaken(UNet(ALL)), inputs()
    close(network(**given_), network(**given_ | {"text": given_["text"].flip(1)}))


def test_a_blank_class_adds_nothing_to_the_time():
    network, given_ = shaken(UNet(ALL)), inputs()
    blank = network(**given_ | {"pooled": torch.zeros(2, 5, dtype=torch.float64)})
    nn.init.zeros_(network.pooled.weight)
    close(network(**given_), blank)


def test_a_class_may_come_without_time():
    config = UNetConfig(2, 3, 2, (8,), 1, (0,), 2, 4, time=False, pooled_width=5)
    network = shaken(UNet(config))
    classes = torch.eye(5, dtype=torch.float64)[:2]
    images = noise(1, 2, 8, 8).expand(2, -1, -1, -1)
    one, other = network(images, pooled=classes)
    assert far(one, other)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_memory_formats_and_precisions_agree(dtype):
    network, given_ = shaken(UNet(ALL)), inputs(side=16)
    expected = network(**given_)
    network = network.to(dtype=dtype, memory_format=torch.channels_last)
    cast = {name: value if value.dtype == torch.bool else value.to(dtype) for name, value in given_.items()}
    cast["images"] = cast["images"].to(memory_format=torch.channels_last)
    found = network(**cast)
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-10 if dtype == torch.float64 else 2e-3)


def test_it_runs_in_bfloat16_autocast():
    network = shaken(UNet(ALL)).float()
    given_ = {name: value if value.dtype == torch.bool else value.float() for name, value in inputs().items()}
    with torch.autocast("cpu", torch.bfloat16):
        found = network(**given_)
    expected = network(**given_)
    assert float(((found.float() - expected).norm() / expected.norm()).detach()) < 0.05


def test_it_segments():
    """Which pixels lie in a bright square, under noise that hides them one by one."""
    torch.manual_seed(0)
    network = UNet(UNetConfig(1, 2, 1, (16, 16), 1, (), groups=4, time=False))
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(0)

    def scene() -> tuple[torch.Tensor, torch.Tensor]:
        truth = torch.zeros(32, 16, 16, dtype=torch.long)
        for one, (y, x) in zip(truth, torch.randint(0, 9, (32, 2), generator=generator).tolist(), strict=True):
            one[y : y + 7, x : x + 7] = 1
        return truth[:, None] + 0.7 * torch.randn(32, 1, 16, 16, generator=generator), truth

    for _ in range(60):
        images, truth = scene()
        optimizer.zero_grad()
        F.cross_entropy(network(images), truth).backward()
        optimizer.step()
    images, truth = scene()
    by_pixel = ((images[:, 0] > 0.5) == truth).float().mean()
    by_network = (network(images).argmax(dim=1) == truth).float().mean()
    assert by_pixel < 0.80
    assert by_network > 0.95


# ---------------------------------------------------------------- the door


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": torch.zeros(2, 3, 8, 8)}, r"images is float32 \(2, 3, 8, 8\); this network expects float \(2, 2, \*, \*\)"),
        ({"images": torch.zeros(2, 8, 8)}, r"images is float32 \(2, 8, 8\); this network expects float \(2, 2, \*, \*\)"),
        ({"images": torch.tensor(0.0)}, r"images is float32 \(\); this network expects"),
        ({"images": torch.zeros(2, 2, 8, 8, dtype=torch.uint8)}, r"images is uint8 \(2, 2, 8, 8\); this network expects float"),
        ({"images": torch.zeros(2, 2, 8, 6)}, r"the pictures are 8 x 6; this network wants multiples of 4: resize or crop"),
        ({"images": torch.zeros(2, 2, 10, 8)}, r"the pictures are 10 x 8; this network wants multiples of 4"),
        ({"time": None}, r"time is None; this network expects \(2\), where"),
        ({"time": torch.zeros(1)}, r"time is float32 \(1,\); this network expects \(2\)"),
        ({"pooled": None}, r"pooled is None; this network expects float \(2, 5\)"),
        ({"pooled": torch.zeros(2, 4)}, r"pooled is float32 \(2, 4\); this network expects float \(2, 5\)"),
        ({"pooled": torch.zeros(2, 5, dtype=torch.long)}, r"pooled is int64 \(2, 5\); this network expects float \(2, 5\)"),
        ({"text": torch.zeros(2, 3, 7)}, r"text is float32 \(2, 3, 7\); this network expects float \(2, \*, 6\)"),
        ({"text": torch.zeros(2, 3, dtype=torch.long)}, r"text is int64 \(2, 3\); this network expects float \(2, \*, 6\)"),
        ({"text": None}, r"text is None; this network expects float \(2, \*, 6\)"),
        ({"text_mask": torch.ones(2, 4, dtype=torch.bool)}, r"text_mask is bool \(2, 4\); this network expects bool \(2, 3\)"),
        ({"text_mask": torch.ones(2, 3)}, r"text_mask is float32 \(2, 3\); this network expects bool \(2, 3\)"),
    ],
)
def test_wrong_inputs_are_refused(no_shape_checking, change, message):
    with pytest.raises(DalleEduError, match=message):
        UNet(ALL).double()(**inputs() | change)


@pytest.mark.parametrize("name", ["time", "text", "pooled"])
def test_inputs_that_the_configuration_does_not_announce_are_refused(name):
    network = UNet(UNetConfig(2, 3, widths=(8,), groups=4, heads=2, attention_levels=(0,), time=False)).double()
    with pytest.raises(DalleEduError, match=f"{name} is float64 .* announces none; leave it out"):
        network(inputs()["images"], **{name: inputs()[name]})


def test_the_reader_is_told_in_french(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(
        DalleEduError, match=r"text vaut float64 \(2, 3, 6\); ce réseau|text vaut float64 \(2, 3, 6\), mais la configuration"
    ):
        UNet(UNetConfig(2, 3)).double()(inputs()["images"], inputs()["time"], inputs()["text"])


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"widths": ()}, "give at least one width"),
        ({"depth": 0}, "give at least one width, one block"),
        ({"patch_size": 0}, "patch_size 0"),
        ({"attention_levels": (2,)}, r"attention_levels is \(2,\); the levels are 0 \(the finest\) to 1"),
        ({"attention_levels": (), "text_width": 8}, "text_width is 8 but no level attends"),
    ],
)
def test_impossible_configurations_are_refused(settings_, message):
    with pytest.raises(DalleEduError, match=message):
        UNetConfig(**settings_)
