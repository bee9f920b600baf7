"""Several codes a token in the GPT and the BART: what the tests of one code a token (`test_gpt.py`, `test_bart.py`) do not ask."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from test_gpt import NEAR, SMALL, fresh
from torch import Tensor

from dalle_edu.bricks.bart import TextToImageBART
from dalle_edu.bricks.decoding import sample
from dalle_edu.bricks.gpt import TextToImageGPT, sample_codes
from dalle_edu.classroom.references import bart
from dalle_edu.classroom.references.gpt import lively
from dalle_edu.errors import DalleEduError

SHAPES = {"gpt": SMALL, "near": NEAR, "bart": bart.SMALL}


def network(kind: str, **shape: Any) -> Any:
    return (TextToImageBART if kind == "bart" else TextToImageGPT)(replace(SHAPES[kind], **shape))


def code_logits(model: Any, text: Tensor, codes: Tensor) -> Tensor:
    """The logits of all codes, without those of words, which the GPT gives too."""
    logits = model(text, codes)
    return logits[1] if isinstance(logits, tuple) else logits


@pytest.fixture
def text() -> torch.Tensor:
    return torch.tensor([[3, 1, 7, 0], [5, 0, 0, 0], [0, 0, 0, 0], [10, 9, 8, 2], [1, 1, 1, 1]])


@pytest.mark.parametrize("together", [1, 2, 4, 8])
def test_the_codes_of_a_token_are_added_up_each_from_the_table_of_its_place(together):
    model = lively(network("gpt", grid=8, codes_per_token=together))
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


@pytest.mark.parametrize("together", [1, 2, 4, 8])
def test_in_the_bart_each_has_the_position_of_the_token_that_comes_next(together):
    """It starts with the position of the first; after the last there is none, and the last keeps its own."""
    model = lively(network("bart", grid=8, codes_per_token=together))
    codes = torch.randint(17, (2, 64), generator=fresh(1))
    embedded = model.embed_codes(codes)
    assert embedded.shape == (2, 1 + 64 // together, 16)
    firsts = torch.arange(0, 64, together)
    positions = model.row_position.weight[firsts // 8] + model.column_position.weight[firsts % 8 // together]
    tables = model.code_embedding.weight.split(17)
    summed = sum(table[codes[:, place::together]] for place, table in enumerate(tables))
    torch.testing.assert_close(embedded[:, 0], (model.start + positions[0]).expand(2, -1))
    torch.testing.assert_close(embedded[:, 1:-1], summed[:, :-1] + positions[1:])
    torch.testing.assert_close(embedded[:, -1], summed[:, -1] + positions[-1])


@pytest.mark.parametrize("kind", ["gpt", "bart"])
@pytest.mark.parametrize("together", [0, -1, 2, 9])
def test_tokens_that_do_not_fit_a_row_are_refused(kind, together):
    with pytest.raises(DalleEduError, match=f"tokens of {together} codes do not fit rows of 3; choose a divisor of 3"):
        replace(SHAPES[kind], codes_per_token=together)


@pytest.mark.parametrize("kind", ["gpt", "bart"])
def test_one_code_a_token_has_no_local_model_and_the_weights_of_before(kind):
    names = set(network(kind).state_dict())
    assert not any(name.startswith("local") for name in names)
    extra = {"code_embedding", "place_embedding", "norm", "expand", "contract"}
    assert set(network(kind, codes_per_token=3).state_dict()) - names == {f"local.{name}.weight" for name in extra}


@torch.no_grad()
@pytest.mark.parametrize("together", [1, 2, 4, 8])
@pytest.mark.parametrize("kind", ["gpt", "near", "bart"])
def test_code_by_code_it_says_what_it_says_of_the_whole_stream(text, together, kind):
    """With a cache and without, and with a cache for captions that come twice, as guidance has them."""
    model = lively(network(kind, grid=8, codes_per_token=together))
    codes = torch.randint(17, (5, 64), generator=fresh(1))
    expected = code_logits(model, text, codes)
    assert expected.shape == (5, 64, 17)
    cached, empty = model.with_cache(text), torch.zeros_like(text)
    twice, unsaid = model.with_cache(torch.cat([text, empty])), code_logits(model, empty, codes)
    for position in range(64):
        written = codes[:, :position]
        for said in (cached.next_logits(position, written), model.next_logits(text, written)):
            torch.testing.assert_close(said, expected[:, position], rtol=0, atol=1e-10)
        both = torch.cat([expected[:, position], unsaid[:, position]])
        torch.testing.assert_close(twice.next_logits(position, written), both, rtol=0, atol=1e-10)
    # the last token is written, never read; the GPT has read a start and the words too, the BART a start
    assert cached.cache.filled == 64 // together + (0 if kind == "bart" else 4)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["gpt", "near", "bart"])
@pytest.mark.parametrize("together", [1, 2, 4, 8])
def test_a_code_depends_on_all_before_it_and_on_none_from_its_own_on(text, together, kind):
    model = lively(network(kind, grid=8, codes_per_token=together))
    codes = torch.randint(17, (5, 64), generator=fresh(1))
    before = code_logits(model, text, codes)
    for position in range(64):
        changed = codes.clone()
        changed[:, position] = (changed[:, position] + 1) % 17
        after = code_logits(model, text, changed)
        assert torch.equal(before[:, : position + 1], after[:, : position + 1])
        assert not (before == after)[:, position + 1 :].all(dim=-1).any()


@pytest.mark.parametrize("kind", ["gpt", "bart"])
@pytest.mark.parametrize("together", [1, 2, 4, 8])
@pytest.mark.parametrize("guidance_scale", [1.0, 2.5])
def test_codes_that_are_given_are_kept_and_read(text, together, guidance_scale, kind):
    """Some codes of a token are given and others not: cached equals uncached, and what follows depends on what was given."""
    model = lively(network(kind, grid=8, codes_per_token=together))
    uniforms, codes = torch.rand(5, 64, generator=fresh(2)), torch.randint(17, (5, 64), generator=fresh(1))
    given = codes.where(torch.rand(5, 64, generator=fresh(3)) < 0.5, -1)
    kept = sample_codes(model, text, uniforms, guidance_scale, given=given)
    assert torch.equal(kept[given >= 0], given[given >= 0])
    assert torch.equal(kept, sample_codes(model, text, uniforms, guidance_scale, given=given, cached=False))
    free = given < 0
    assert not torch.equal(kept[free], sample_codes(model, text, uniforms, guidance_scale)[free])
    with torch.no_grad():
        said, unsaid = code_logits(model, text, kept), code_logits(model, torch.zeros_like(text), kept)
    drawn = sample((unsaid + guidance_scale * (said - unsaid)).flatten(0, 1), uniforms.flatten()).view(5, 64)
    assert torch.equal(kept, given.where(given >= 0, drawn))
