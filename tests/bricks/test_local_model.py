"""The local model: what PyTorch's layers do not say (see `classroom/references/local_model.py`)."""

import pytest
import torch

from dalle_edu.bricks.local_model import LocalModel, by_place


def fresh(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def model() -> LocalModel:
    torch.manual_seed(0)
    return LocalModel(width=6, num_codes=5, codes_per_token=4).double()


@pytest.fixture
def hidden() -> torch.Tensor:
    return torch.randn(2, 3, 6, generator=fresh(1), dtype=torch.float64)


@pytest.fixture
def codes() -> torch.Tensor:
    return torch.randint(5, (2, 3, 4), generator=fresh(2))


def test_the_rows_of_a_table_for_each_place_by_hand():
    assert by_place(torch.tensor([[3, 0, 3], [0, 9, 1]]), 10).tolist() == [[3, 10, 23], [0, 19, 21]]
    assert by_place(torch.tensor([[4], [0]]), 10).tolist() == [[4], [0]]


def test_every_code_of_every_place_has_a_row_of_its_own():
    rows = by_place(torch.arange(5).unsqueeze(1).expand(5, 4), 5)
    assert sorted(rows.flatten().tolist()) == list(range(20))


@torch.no_grad()
@pytest.mark.parametrize("changed", range(4))
def test_a_code_is_read_by_those_after_it_in_its_token_only(model, hidden, codes, changed):
    other = codes.clone()
    other[:, 1, changed] = (codes[:, 1, changed] + 1) % 5
    before, after = model(hidden, codes), model(hidden, other)
    assert before.shape == (2, 3, 4, 6)
    assert torch.equal(before[:, [0, 2]], after[:, [0, 2]])
    assert torch.equal(before[:, 1, : changed + 1], after[:, 1, : changed + 1])
    assert ((before - after)[:, 1, changed + 1 :].abs().amax(dim=-1) > 1e-6).all()


@pytest.mark.parametrize("place", range(4))
def test_gradients_reach_the_codes_before_and_no_other(model, hidden, place):
    codes = torch.tensor([0, 1, 2, 3]).expand(2, 3, 4)
    model(hidden, codes)[:, :, place].pow(2).sum().backward()
    reached = model.code_embedding.weight.grad.abs().sum(dim=1).view(3, 5) > 0
    assert reached.nonzero().tolist() == [[before, before] for before in range(place)]
    assert (model.place_embedding.weight.grad.abs().sum(dim=1) > 0).tolist() == [other == place for other in range(4)]


@torch.no_grad()
def test_the_stream_of_each_token_goes_to_all_its_codes_and_to_no_others(model, hidden, codes):
    other = hidden.clone()
    other[:, 1] += torch.randn(6, generator=fresh(3), dtype=torch.float64)
    moved = (model(other, codes) - model(hidden, codes)).abs().amax(dim=(0, 3)) > 1e-6
    assert moved.tolist() == [[token == 1] * 4 for token in range(3)]


@torch.no_grad()
def test_step_by_step_it_says_what_it_says_at_once(model, hidden, codes):
    at_once = model(hidden, codes)
    for place in range(4):
        stepped = model.step(hidden[:, 2], codes[:, 2, :place])
        torch.testing.assert_close(stepped, at_once[:, 2, place], rtol=0, atol=1e-12)


@torch.no_grad()
def test_the_order_of_the_codes_counts(model, hidden):
    one, other = (torch.tensor(codes).expand(2, 3, 4) for codes in ([1, 2, 0, 0], [2, 1, 0, 0]))
    assert ((model(hidden, one) - model(hidden, other))[:, :, 2:].abs().amax(dim=-1) > 1e-6).all()
