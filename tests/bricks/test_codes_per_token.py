"""Several codes a token in the GPT: what the tests of one code a token (`test_gpt.py`) do not ask."""

from dataclasses import replace

import pytest
import torch
from test_gpt import NEAR, SMALL, fresh, lively

from dalle_edu.bricks.decoding import sample
from dalle_edu.bricks.gpt import TextToImageGPT, sample_codes
from dalle_edu.errors import DalleEduError


@pytest.fixture
def text() -> torch.Tensor:
    return torch.tensor([[3, 1, 7, 0], [5, 0, 0, 0], [0, 0, 0, 0], [10, 9, 8, 2], [1, 1, 1, 1]])


@pytest.mark.parametrize("together", [1, 2, 4, 8])
def test_the_codes_of_a_token_are_added_up_each_from_the_table_of_its_place(together):
    model = lively(replace(SMALL, grid=8, codes_per_token=together))
    codes = torch.randint(17, (2, 64), generator=fresh(1))
    embedded = model.embed_codes(codes)
    assert embedded.shape == (2, 64 // together, 16)
    tables = model.code_embedding.weight.split(17)
    assert len(tables) == together
    for token in range(64 // together):
        row, column = divmod(token * together, 8)
        first = row * 8 + column
        expected = model.row_position.weight[row] + model.column_position.weight[column // together]
        expected = expected + sum(table[codes[:, first + place]] for place, table in enumerate(tables))
        torch.testing.assert_close(embedded[:, token], expected)
    torch.testing.assert_close(model.embed_codes(codes[:, 16:32], first=16), embedded[:, 16 // together : 32 // together])
    assert model.embed_codes(codes[:, :0]).shape == (2, 0, 16)


@pytest.mark.parametrize("together", [0, -1, 2, 9])
def test_tokens_that_do_not_fit_a_row_are_refused(together):
    with pytest.raises(DalleEduError, match=f"tokens of {together} codes do not fit rows of 3; choose a divisor of 3"):
        replace(SMALL, codes_per_token=together)


def test_one_code_a_token_has_no_local_model_and_the_weights_of_before():
    names = set(TextToImageGPT(SMALL).state_dict())
    assert not any(name.startswith("local") for name in names)
    extra = {"code_embedding", "place_embedding", "norm", "expand", "contract"}
    assert set(TextToImageGPT(replace(SMALL, codes_per_token=3)).state_dict()) - names == {f"local.{name}.weight" for name in extra}


@torch.no_grad()
@pytest.mark.parametrize("together", [1, 2, 4, 8])
@pytest.mark.parametrize("near", [False, True])
def test_code_by_code_it_says_what_it_says_of_the_whole_stream(text, together, near):
    """With a cache and without, and with a cache for captions that come twice, as guidance has them."""
    model = lively(replace(NEAR if near else SMALL, grid=8, codes_per_token=together))
    codes = torch.randint(17, (5, 64), generator=fresh(1))
    expected = model(text, codes)[1]
    assert expected.shape == (5, 64, 17)
    cached, empty = model.with_cache(text), torch.zeros_like(text)
    twice, unsaid = model.with_cache(torch.cat([text, empty])), model(empty, codes)[1]
    for position in range(64):
        written = codes[:, :position]
        for said in (cached.next_logits(position, written), model.next_logits(text, written)):
            torch.testing.assert_close(said, expected[:, position], rtol=0, atol=1e-10)
        both = torch.cat([expected[:, position], unsaid[:, position]])
        torch.testing.assert_close(twice.next_logits(position, written), both, rtol=0, atol=1e-10)
    assert cached.cache.filled == 1 + 4 + 64 // together - 1  # the last token is written, never read


@pytest.mark.parametrize("together", [1, 2, 4, 8])
@pytest.mark.parametrize("guidance_scale", [1.0, 2.5])
def test_codes_that_are_given_are_kept_and_read(text, together, guidance_scale):
    """Some codes of a token are given and others not: cached equals uncached, and what follows depends on what was given."""
    model = lively(replace(SMALL, grid=8, codes_per_token=together))
    uniforms, codes = torch.rand(5, 64, generator=fresh(2)), torch.randint(17, (5, 64), generator=fresh(1))
    given = codes.where(torch.rand(5, 64, generator=fresh(3)) < 0.5, -1)
    kept = sample_codes(model, text, uniforms, guidance_scale, given=given)
    assert torch.equal(kept[given >= 0], given[given >= 0])
    assert torch.equal(kept, sample_codes(model, text, uniforms, guidance_scale, given=given, cached=False))
    free = given < 0
    assert not torch.equal(kept[free], sample_codes(model, text, uniforms, guidance_scale)[free])
    with torch.no_grad():
        said, unsaid = model(text, kept)[1], model(torch.zeros_like(text), kept)[1]
    drawn = sample((unsaid + guidance_scale * (said - unsaid)).flatten(0, 1), uniforms.flatten()).view(5, 64)
    assert torch.equal(kept, given.where(given >= 0, drawn))
