import math
from dataclasses import replace

import pytest
import torch
from scipy import stats

from dalle_edu.bricks.decoding import sample
from dalle_edu.bricks.gpt import GPTConfig, TextToImageGPT, sample_codes
from dalle_edu.bricks.transformer import Block

SMALL = GPTConfig(text_vocabulary=11, text_length=4, num_codes=17, grid=3, width=16, depth=3, heads=2)
NEAR = replace(SMALL, smear=True, canon_taps=3, image_canon_taps=2)
TOGETHER = replace(NEAR, codes_per_token=3)
KINDS = {"as DALL·E": SMALL, "with neighbours": NEAR, "three codes a token": TOGETHER}


def fresh(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def lively(config: GPTConfig = SMALL, dtype: torch.dtype = torch.float64) -> TextToImageGPT:
    """A network whose every weight matters: at its start a GPT says nearly the same whatever it reads."""
    torch.manual_seed(0)
    model = TextToImageGPT(config)
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, mean=1.0 if "norm" in name else 0.0, std=0.3, generator=fresh(sum(map(ord, name))))
    return model.to(dtype).eval()


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def model(request) -> TextToImageGPT:
    return lively(request.param)


@pytest.fixture
def text() -> torch.Tensor:
    return torch.tensor([[3, 1, 7, 0], [5, 0, 0, 0], [0, 0, 0, 0], [10, 9, 8, 2], [1, 1, 1, 1]])


@pytest.fixture
def codes() -> torch.Tensor:
    return torch.randint(17, (5, 9), generator=fresh(1))


@pytest.fixture
def uniforms() -> torch.Tensor:
    return torch.rand(5, 9, generator=fresh(2))


# ---------------------------------------------------------------- the network, against Hugging Face's GPT-2


def gpt2(width: int, heads: int, depth: int, length: int, blocks: torch.nn.ModuleList, norm: torch.nn.LayerNorm):
    """GPT-2 with our weights: no biases, no positions of its own, the same activation."""
    transformers = pytest.importorskip("transformers", reason="the peers are in the test extra")
    config = transformers.GPT2Config(
        vocab_size=2, n_positions=length, n_embd=width, n_layer=depth, n_head=heads, activation_function="gelu",
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, layer_norm_epsilon=norm.eps, use_cache=False,
    )  # fmt: skip
    peer = transformers.GPT2Model(config).to(norm.weight.dtype).eval()
    with torch.no_grad():
        for parameter in peer.parameters():
            parameter.zero_()
        for theirs, ours in zip(peer.h, blocks, strict=True):
            theirs.ln_1.weight.copy_(ours.norm_1.weight)
            theirs.ln_2.weight.copy_(ours.norm_2.weight)
            theirs.attn.c_attn.weight.copy_(ours.attention.qkv.weight.T)  # its Conv1D keeps the transpose
            theirs.attn.c_proj.weight.copy_(ours.attention.out.weight.T)
            theirs.mlp.c_fc.weight.copy_(ours.expand.weight.T)
            theirs.mlp.c_proj.weight.copy_(ours.contract.weight.T)
        peer.ln_f.weight.copy_(norm.weight)
    return peer


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_a_block_is_gpt2s(dtype, tolerance):
    torch.manual_seed(0)
    block, norm = Block(16, 4).to(dtype), torch.nn.LayerNorm(16, bias=False, dtype=dtype)
    torch.nn.init.normal_(block.norm_1.weight), torch.nn.init.normal_(block.norm_2.weight)
    peer = gpt2(16, 4, 1, 6, torch.nn.ModuleList([block]), norm)
    x = torch.randn(3, 6, 16, dtype=dtype)
    expected = peer(inputs_embeds=x).last_hidden_state
    torch.testing.assert_close(norm(block(x)), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_the_gpt_is_gpt2(text, codes, dtype, tolerance):
    model = lively(dtype=dtype)
    for head in (model.text_head, model.code_head):
        head.weight.data.mul_(0.3)  # logits of order 1, so that the tolerance is that of float32
    length = SMALL.text_length + SMALL.image_length
    peer = gpt2(SMALL.width, SMALL.heads, SMALL.depth, length, model.blocks, model.norm)
    stream = torch.cat([model.embed_text(text), model.embed_codes(codes[:, :-1])], dim=1)
    hidden = peer(inputs_embeds=stream).last_hidden_state
    text_logits, code_logits = model(text, codes)
    torch.testing.assert_close(text_logits, model.text_head(hidden[:, : SMALL.text_length]), rtol=0, atol=tolerance)
    torch.testing.assert_close(code_logits, model.code_head(hidden[:, SMALL.text_length :]), rtol=0, atol=tolerance)
    assert code_logits.std() > 0.1


def test_shapes(model, text, codes):
    text_logits, code_logits = model(text, codes)
    assert text_logits.shape == (5, 4, 11)
    assert code_logits.shape == (5, 9, 17)


@pytest.mark.parametrize("changed", range(9))
def test_a_code_is_seen_by_those_after_it_only(model, text, codes, changed):
    other = codes.clone()
    other[:, changed] = (codes[:, changed] + 1) % 17
    (words, before), (words_after, after) = model(text, codes), model(text, other)
    assert torch.equal(words, words_after)
    assert torch.equal(before[:, : changed + 1], after[:, : changed + 1])  # a code is predicted without being seen
    if changed < 8:
        assert ((before[:, changed + 1 :] - after[:, changed + 1 :]).abs().amax(dim=-1) > 1e-6).all()


@pytest.mark.parametrize("changed", range(4))
def test_a_word_is_seen_by_later_words_and_by_every_code(model, text, codes, changed):
    other = text.clone()
    other[:, changed] = (text[:, changed] + 1) % 11
    (words, before), (words_after, after) = model(text, codes), model(other, codes)
    assert torch.equal(words[:, : changed + 1], words_after[:, : changed + 1])
    assert ((before - after).abs().amax(dim=-1) > 1e-6).all()


def test_padding_has_an_embedding_of_its_own_at_each_position(model):
    embedded = model.embed_text(torch.zeros(1, 4, dtype=torch.long))[0]
    torch.testing.assert_close(embedded[0], model.start)
    torch.testing.assert_close(embedded[1:], model.text_padding.weight)
    words = model.embed_text(torch.tensor([[5, 5, 0, 0]]))[0]
    torch.testing.assert_close(words[1:3], model.text_embedding.weight[5] + model.text_position.weight[:2])
    torch.testing.assert_close(words[3:], model.text_padding.weight[2:])


def test_codes_stand_in_rows_and_columns():
    model = lively()
    embedded = model.embed_codes(torch.full((1, 9), 6))[0].view(3, 3, 16) - model.code_embedding.weight[6]
    for row in range(3):
        for column in range(3):
            torch.testing.assert_close(embedded[row, column], model.row_position.weight[row] + model.column_position.weight[column])
    codes = torch.arange(9).view(1, 9)
    torch.testing.assert_close(model.embed_codes(codes[:, 4:7], first=4), model.embed_codes(codes)[:, 4:7])


@torch.no_grad()
def test_the_loss_is_cross_entropy_weighted_as_said(model, text, codes):
    text_logits, code_logits = model(text, codes)
    words = -text_logits.log_softmax(dim=-1).gather(-1, text[..., None]).mean()
    image = -code_logits.log_softmax(dim=-1).gather(-1, codes[..., None]).mean()
    parts = model.loss(text, codes)
    assert float(parts["text"]) == pytest.approx(float(words), rel=1e-5)
    assert float(parts["image"]) == pytest.approx(float(image), rel=1e-5)
    assert float(parts["loss"]) == pytest.approx(float(words / 8 + image * 7 / 8), rel=1e-5)


@pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)
def test_a_new_network_is_sure_of_nothing_and_every_weight_learns(config, text, codes):
    torch.manual_seed(0)
    model = TextToImageGPT(config)
    parts = model.loss(text, codes)
    assert float(parts["image"]) == pytest.approx(math.log(17), abs=0.1)
    assert float(parts["text"]) == pytest.approx(math.log(11), abs=0.1)
    parts["loss"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


# ---------------------------------------------------------------- sampling


@pytest.mark.parametrize("guidance_scale", [1.0, 0.0, 2.5])
@pytest.mark.parametrize(
    "options", [{}, {"temperature": 0.0}, {"temperature": 0.6, "top_k": 5}, {"top_p": 0.7}, {"epsilon": 0.05}], ids=str
)
def test_cached_equals_uncached(model, text, uniforms, guidance_scale, options):
    cached = sample_codes(model, text, uniforms, guidance_scale, **options)
    assert torch.equal(cached, sample_codes(model, text, uniforms, guidance_scale, cached=False, **options))
    assert cached.shape == (5, 9)
    assert cached.dtype == torch.int64


@torch.no_grad()
def greedy(model: TextToImageGPT, text: torch.Tensor, guidance_scale: float) -> torch.Tensor:
    """The likeliest code at each position, through `forward` alone: what the sampler must do at temperature 0."""
    codes = torch.zeros(len(text), SMALL.image_length, dtype=torch.long)
    for position in range(SMALL.image_length):
        said, unsaid = model(text, codes)[1][:, position], model(torch.zeros_like(text), codes)[1][:, position]
        codes[:, position] = (unsaid + guidance_scale * (said - unsaid)).argmax(dim=-1)
    return codes


@pytest.mark.parametrize("guidance_scale", [1.0, 0.0, 2.5])
def test_temperature_zero_is_greedy(model, text, uniforms, guidance_scale):
    drawn = sample_codes(model, text, uniforms, guidance_scale, temperature=0.0)
    assert torch.equal(drawn, greedy(model, text, guidance_scale))
    assert torch.equal(drawn, sample_codes(model, text, 1 - uniforms, guidance_scale, temperature=0.0))  # chance has no say


def test_codes_follow_the_distribution_of_the_network(model, text):
    """The first code, over 4,000 draws, by chi-square."""
    with torch.no_grad():
        expected = model(text[:1], torch.zeros(1, 9, dtype=torch.long))[1][0, 0].softmax(dim=-1)
    uniforms = torch.rand(4000, 9, generator=fresh(7))
    counts = sample_codes(model, text[:1].expand(4000, -1), uniforms)[:, 0].bincount(minlength=17)
    likely = expected * 4000 >= 5
    observed = [*counts[likely].tolist(), int(counts[~likely].sum())]
    wanted = [*(4000 * expected[likely]).tolist(), float(4000 * expected[~likely].sum())]
    if wanted[-1] == 0:
        observed, wanted = observed[:-1], wanted[:-1]
    assert stats.chisquare(observed, wanted).pvalue > 0.01


def test_guidance_one_is_no_guidance(model, text, uniforms):
    unguided = sample_codes(model, text, uniforms)
    assert torch.equal(sample_codes(model, text, uniforms, guidance_scale=1.0), unguided)
    assert torch.equal(sample_codes(model, text, uniforms, guidance_scale=1.0 + 1e-12), unguided)  # through the doubled batch


def test_guidance_zero_ignores_the_caption(model, text, uniforms):
    empty = torch.zeros_like(text)
    assert torch.equal(sample_codes(model, text, uniforms, guidance_scale=0.0), sample_codes(model, empty, uniforms))
    filtered = sample_codes(model, empty, uniforms, epsilon=0.06)
    assert torch.equal(sample_codes(model, text, uniforms, guidance_scale=0.0, epsilon=0.06), filtered)
    assert not torch.equal(filtered, sample_codes(model, empty, uniforms))
    assert torch.equal(sample_codes(model, empty, uniforms, guidance_scale=4.0), sample_codes(model, empty, uniforms))


def test_guidance_acts_at_every_step(model, text):
    """At each position, after the very codes that the guided sampler wrote, some picture would have gone another way without guidance."""
    many = text[torch.randint(5, (64,), generator=fresh(3))]
    uniforms = torch.rand(64, 9, generator=fresh(4))
    guided = sample_codes(model, many, uniforms, guidance_scale=3.0)
    with torch.no_grad():
        said, unsaid = model(many, guided)[1], model(torch.zeros_like(many), guided)[1]
    for position in range(9):
        expected = sample(unsaid[:, position] + 3.0 * (said[:, position] - unsaid[:, position]), uniforms[:, position])
        assert torch.equal(guided[:, position], expected)
        assert not torch.equal(guided[:, position], sample(said[:, position], uniforms[:, position]))


def test_a_batch_of_one_draws_what_it_draws_among_many(model, text, uniforms):
    for guidance_scale in (1.0, 2.5):
        together = sample_codes(model, text, uniforms, guidance_scale, temperature=0.8)
        alone = torch.cat([sample_codes(model, text[i : i + 1], uniforms[i : i + 1], guidance_scale, temperature=0.8) for i in range(5)])
        assert torch.equal(together, alone)


@pytest.mark.parametrize("cached", [True, False])
def test_the_callback_sees_the_picture_grow(model, text, uniforms, cached):
    seen: list[tuple[int, torch.Tensor]] = []
    codes = sample_codes(model, text, uniforms, 2.0, cached=cached, callback=lambda position, codes: seen.append((position, codes.clone())))
    assert [position for position, _ in seen] == list(range(9))
    for position, so_far in seen:
        assert torch.equal(so_far[:, : position + 1], codes[:, : position + 1])


@pytest.mark.parametrize("guidance_scale", [1.0, 2.5])
def test_nothing_given_is_changed(model, text, uniforms, guidance_scale):
    weights = {name: parameter.clone() for name, parameter in model.state_dict().items()}
    text_before, uniforms_before = text.clone(), uniforms.clone()
    sample_codes(model, text, uniforms, guidance_scale, temperature=0.5, top_k=3, top_p=0.9)
    assert torch.equal(text, text_before)
    assert torch.equal(uniforms, uniforms_before)
    for name, parameter in model.state_dict().items():
        assert torch.equal(parameter, weights[name]), name
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_same_chance_draws_the_same_codes_and_other_chance_others(model, text, uniforms):
    first = sample_codes(model, text, uniforms)
    assert torch.equal(sample_codes(model, text, uniforms), first)
    assert not torch.equal(sample_codes(model, text, 1 - uniforms), first)


def test_each_choice_has_its_own_chance(model, text, uniforms):
    """Changing the chance of one position leaves the codes before it as they were."""
    first = sample_codes(model, text, uniforms)
    other = uniforms.clone()
    other[:, 5] = 1 - other[:, 5]
    second = sample_codes(model, text, other)
    assert torch.equal(first[:, :5], second[:, :5])
    assert not torch.equal(first[:, 5], second[:, 5])


def test_sampling_works_in_half_precision(model, text, uniforms):
    exact = sample_codes(model, text, uniforms, guidance_scale=2.0, temperature=0.0)
    codes = sample_codes(lively(model.config, torch.bfloat16), text, uniforms, guidance_scale=2.0, temperature=0.0)
    assert (codes[:, 0] == exact[:, 0]).sum() >= 3


def test_sampling_works_under_autocast(model, text, uniforms):
    """Training previews its samples while it computes in half precision."""
    exact = sample_codes(model, text, uniforms, guidance_scale=2.0, temperature=0.0)
    with torch.autocast("cpu", torch.bfloat16):
        codes = sample_codes(lively(model.config, torch.float32), text, uniforms, guidance_scale=2.0, temperature=0.0)
    assert (codes[:, 0] == exact[:, 0]).sum() >= 3


@pytest.mark.gpu
@pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)
def test_a_gpu_says_the_same(config, text, codes):
    model = lively(config, torch.float32)
    expected = model(text, codes)[1]
    torch.testing.assert_close(model.cuda()(text.cuda(), codes.cuda())[1].cpu(), expected, rtol=1e-3, atol=1e-3)
