"""The encoder–decoder from captions to codes: what it may see, and its sampling contract. Its reference is in `classroom/references`."""

from dataclasses import replace

import pytest
import torch

from dalle_edu.bricks.bart import TextToImageBART
from dalle_edu.bricks.decoding import sample
from dalle_edu.bricks.gpt import sample_codes
from dalle_edu.classroom.references.bart import SMALL, TEXT, lively, peer_logits


def fresh(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


NEAR = replace(SMALL, directed=True, smear=True)


@pytest.fixture(scope="module", params=[SMALL, replace(SMALL, codes_per_token=3), NEAR], ids=["plain", "a row a token", "near"])
def model(request) -> TextToImageBART:
    torch.manual_seed(0)
    return lively(TextToImageBART(request.param))


@pytest.fixture(scope="module")
def codes() -> torch.Tensor:
    return torch.randint(17, (4, 9), generator=fresh(1))


@pytest.fixture(scope="module")
def uniforms() -> torch.Tensor:
    return torch.rand(4, 9, generator=fresh(2))


@torch.no_grad()
def test_a_code_depends_on_those_before_it_and_on_every_word(model, codes):
    before = model(TEXT, codes)
    for position in range(9):
        changed = codes.clone()
        changed[:, position] = (changed[:, position] + 1) % 17
        after = model(TEXT, changed)
        assert torch.equal(before[:, : position + 1], after[:, : position + 1])
        assert position == 8 or not torch.equal(before[:, position + 1], after[:, position + 1])
    for word in range(4):
        other = TEXT.clone()
        other[3, word] = 1
        assert not torch.equal(model(other, codes)[3, 0], before[3, 0])


@torch.no_grad()
def test_padding_changes_nothing(model, codes):
    cut = model(TEXT[1:3, :2], codes[1:3])
    torch.testing.assert_close(cut, model(TEXT[1:3], codes[1:3]), rtol=0, atol=1e-12)


def test_every_parameter_learns(model, codes):
    network = TextToImageBART(model.config)
    network.loss(TEXT, codes)["loss"].backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_smear_draws_no_other_weight_and_is_off_unless_asked_for():
    torch.manual_seed(0)
    plain = TextToImageBART(replace(SMALL, directed=True)).state_dict()
    torch.manual_seed(0)
    near = TextToImageBART(NEAR).state_dict()
    assert set(near) - set(plain) == {"smear.before.weight"}
    assert all(torch.equal(value, near[name]) for name, value in plain.items())
    assert TextToImageBART(SMALL).state_dict().keys() == plain.keys()


def test_it_learns_a_caption_by_heart(model):
    torch.manual_seed(0)
    network = TextToImageBART(model.config)
    answers = torch.randint(17, (4, 9), generator=fresh(5))
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(300):
        loss = network.loss(TEXT, answers)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.05
    assert torch.equal(sample_codes(network, TEXT, torch.rand(4, 9, generator=fresh(6)), temperature=0.0), answers)


# ---------------------------------------------------------------- sampling


def test_it_samples_what_pytorchs_layers_find_likeliest(model, uniforms):
    """Step by step and without cache, with guidance computed from two passes."""
    for guidance_scale in (1.0, 2.5):
        written = torch.zeros(4, 0, dtype=torch.long)
        for _ in range(9):
            said, unsaid = (peer_logits(model, text, written)[:, -1] for text in (TEXT, torch.zeros_like(TEXT)))
            written = torch.cat([written, (unsaid + guidance_scale * (said - unsaid)).argmax(dim=-1, keepdim=True)], dim=1)
        assert torch.equal(sample_codes(model, TEXT, uniforms, guidance_scale, temperature=0.0), written)


@pytest.mark.parametrize("guidance_scale", [1.0, 0.0, 2.5])
@pytest.mark.parametrize(
    "options", [{}, {"temperature": 0.0}, {"temperature": 0.6, "top_k": 5}, {"top_p": 0.7}, {"epsilon": 0.05}], ids=str
)
def test_cached_equals_uncached(model, uniforms, guidance_scale, options):
    cached = sample_codes(model, TEXT, uniforms, guidance_scale, **options)
    assert torch.equal(cached, sample_codes(model, TEXT, uniforms, guidance_scale, cached=False, **options))
    assert cached.shape == (4, 9)


def test_guidance_one_is_no_guidance_and_zero_ignores_the_caption(model, uniforms):
    unguided, empty = sample_codes(model, TEXT, uniforms), torch.zeros_like(TEXT)
    assert torch.equal(sample_codes(model, TEXT, uniforms, guidance_scale=1.0 + 1e-12), unguided)  # through the doubled batch
    assert torch.equal(sample_codes(model, TEXT, uniforms, guidance_scale=0.0), sample_codes(model, empty, uniforms))
    assert torch.equal(sample_codes(model, empty, uniforms, guidance_scale=4.0), sample_codes(model, empty, uniforms))


def test_guidance_acts_at_every_step(model):
    many = TEXT[torch.randint(4, (64,), generator=fresh(3))]
    uniforms = torch.rand(64, 9, generator=fresh(4))
    guided = sample_codes(model, many, uniforms, guidance_scale=3.0)
    with torch.no_grad():
        said, unsaid = model(many, guided), model(torch.zeros_like(many), guided)
    for position in range(9):
        expected = sample(unsaid[:, position] + 3.0 * (said[:, position] - unsaid[:, position]), uniforms[:, position])
        assert torch.equal(guided[:, position], expected)
        assert not torch.equal(guided[:, position], sample(said[:, position], uniforms[:, position]))


def test_a_batch_of_one_draws_what_it_draws_among_many(model, uniforms):
    for guidance_scale in (1.0, 2.5):
        together = sample_codes(model, TEXT, uniforms, guidance_scale, temperature=0.8)
        alone = torch.cat([sample_codes(model, TEXT[i : i + 1], uniforms[i : i + 1], guidance_scale, temperature=0.8) for i in range(4)])
        assert torch.equal(together, alone)


def test_given_codes_are_kept_and_the_others_follow_from_them(model, codes, uniforms):
    given = codes.clone()
    given[:, 4:7] = -1
    written = sample_codes(model, TEXT, uniforms, 2.0, given=given)
    assert torch.equal(written[given >= 0], codes[given >= 0])
    assert not torch.equal(written, sample_codes(model, TEXT, uniforms, 2.0))
    assert torch.equal(written, sample_codes(model, TEXT, uniforms, 2.0, given=given, cached=False))


def test_nothing_given_is_changed(model, uniforms):
    text, chances, given = TEXT.clone(), uniforms.clone(), torch.full((4, 9), -1)
    sample_codes(model, text, chances, 2.5, temperature=0.5, top_k=3, top_p=0.9, given=given)
    assert torch.equal(text, TEXT)
    assert torch.equal(chances, uniforms)
    assert (given == -1).all()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_callback_sees_every_code(model, uniforms):
    seen: list[int] = []
    sample_codes(model, TEXT, uniforms, 2.0, callback=lambda position, codes: seen.append(position))
    assert seen == list(range(9))
