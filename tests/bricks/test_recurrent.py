import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dalle_edu.bricks.language_model import (
    END,
    PAD,
    START,
    CharacterModel,
    SequenceVocabulary,
    masked_cross_entropy,
    sample_next,
    teacher_forcing,
)
from dalle_edu.bricks.recurrent import GRUCell, LSTMCell, RNNCell, each_part, hidden_of, unroll
from dalle_edu.errors import DalleEduError

CELLS = [RNNCell, LSTMCell, GRUCell]
seeds = st.integers(0, 2**31)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(cell, inputs: int = 3, hidden: int = 4):
    torch.manual_seed(0)
    return cell(inputs, hidden).double()


def parts(state) -> tuple[torch.Tensor, ...]:
    return state if isinstance(state, tuple) else (state,)


# ---------------------------------------------------------------- cells


@pytest.mark.parametrize("cell", CELLS)
def test_the_gradients_are_those_of_finite_differences(cell):
    ours = built(cell)

    def read(x, *weights):
        named = dict(zip(dict(ours.named_parameters()), weights, strict=True))
        state = ours.start(x)
        for _ in range(2):
            state = torch.func.functional_call(ours, named, (x, state))
        return parts(state)

    inputs = [noise(2, 3).requires_grad_(), *(weight.detach().clone().requires_grad_() for weight in ours.parameters())]
    assert torch.autograd.gradcheck(read, inputs)


@given(seed=seeds, scale=st.floats(0, 100))
def test_the_plain_cell_stays_between_minus_one_and_one(seed, scale):
    out = built(RNNCell)(scale * noise(2, 3, seed=seed), noise(2, 4, seed=seed + 1))
    assert (out.abs() <= 1).all()


def gates_forced(cell, bias: list[float]):
    """A cell that hears only its biases: `bias` holds one number for each gate."""
    ours = built(cell)
    for weight in ours.parameters():
        nn.init.zeros_(weight)
    with torch.no_grad():
        ours.bias_ih.copy_(torch.tensor(bias).repeat_interleave(4))
    return ours


def test_an_lstm_with_an_open_forget_gate_and_a_shut_input_gate_keeps_its_memory():
    hidden, memory = gates_forced(LSTMCell, [-50.0, 50.0, 3.0, 50.0])(noise(2, 3), (noise(2, 4, seed=1), noise(2, 4, seed=2)))
    torch.testing.assert_close(memory, noise(2, 4, seed=2))
    torch.testing.assert_close(hidden, memory.tanh())


def test_an_lstm_with_a_shut_forget_gate_remembers_the_candidate_alone():
    hidden, memory = gates_forced(LSTMCell, [50.0, -50.0, 0.5, -50.0])(noise(2, 3), (noise(2, 4, seed=1), noise(2, 4, seed=2)))
    torch.testing.assert_close(memory, torch.full((2, 4), math.tanh(0.5), dtype=torch.float64))
    assert hidden.abs().max() < 1e-10  # the output gate shows nothing


def test_a_gru_keeps_the_past_when_its_update_gate_is_open_and_takes_the_candidate_when_it_is_shut():
    state = noise(2, 4, seed=1)
    torch.testing.assert_close(gates_forced(GRUCell, [0.0, 50.0, 0.5])(noise(2, 3), state), state)
    candidate = torch.full((2, 4), math.tanh(0.5), dtype=torch.float64)
    torch.testing.assert_close(gates_forced(GRUCell, [0.0, -50.0, 0.5])(noise(2, 3), state), candidate)


@given(seed=seeds)
def test_a_gru_lies_between_its_past_and_one(seed):
    state = noise(2, 4, seed=seed)
    assert (built(GRUCell)(noise(2, 3, seed=seed + 1), state).abs() <= state.abs().clamp(min=1)).all()


def test_gradients_last_longer_in_an_lstm_that_forgets_little():
    """The first symbol still moves the state after 40 more: in an LSTM whose forget gate is open, not in a plain cell of small weights."""
    left = {}
    for cell in (RNNCell, LSTMCell):
        ours = built(cell, 3, 8)
        with torch.no_grad():
            if cell is LSTMCell:
                ours.bias_ih[8:16] = 5.0
            else:
                ours.weight_hh.mul_(0.5 / torch.linalg.matrix_norm(ours.weight_hh, ord=2))
        x = noise(1, 41, 3).requires_grad_()
        outputs, _ = unroll(ours, x)
        outputs[:, -1].sum().backward()
        left[cell] = x.grad[0, 0].norm()
    assert left[RNNCell] < 1e-10
    assert left[LSTMCell] > 1e-4


@pytest.mark.parametrize("cell", CELLS)
def test_a_wrong_width_is_refused(cell):
    ours = built(cell)
    with pytest.raises(DalleEduError, match="the input has 2 channels and 3 were expected"):
        ours(noise(1, 2), ours.start(noise(1, 3)))
    with pytest.raises(DalleEduError, match="the state has 5 channels and 4 were expected"):
        ours(noise(1, 3), each_part(lambda part: noise(1, 5), ours.start(noise(1, 3))))


# ---------------------------------------------------------------- unrolling


@pytest.mark.parametrize("cell", CELLS)
def test_the_last_output_is_the_hidden_state(cell):
    outputs, state = unroll(built(cell), noise(2, 5, 3))
    assert outputs.shape == (2, 5, 4)
    assert torch.equal(outputs[:, -1], hidden_of(state))
    outputs, state = unroll(built(cell), noise(2, 5, 3), backwards=True)
    assert torch.equal(outputs[:, 0], hidden_of(state))


@pytest.mark.parametrize("cell", CELLS)
@given(cut=st.integers(1, 5), seed=seeds)
def test_reading_in_two_goes_is_reading_in_one(cell, cut, seed):
    ours, x = built(cell), noise(2, 6, 3, seed=seed)
    whole, end = unroll(ours, x)
    first, state = unroll(ours, x[:, :cut])
    second, other_end = unroll(ours, x[:, cut:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    for mine, other in zip(parts(end), parts(other_end), strict=True):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("backwards", [False, True])
@given(length=st.integers(0, 5), seed=seeds)
def test_padding_changes_nothing_whatever_it_holds(cell, backwards, length, seed):
    ours, x = built(cell), noise(1, 6, 3, seed=seed)
    mask = torch.arange(6).unsqueeze(0) < length
    outputs, state = unroll(ours, x, mask=mask, backwards=backwards)
    if not length:
        assert not hidden_of(state).any()
        return
    alone, other = unroll(ours, x[:, :length], backwards=backwards)
    torch.testing.assert_close(outputs[:, :length], alone)
    for mine, theirs in zip(parts(state), parts(other), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_backwards_is_forwards_on_the_sentence_turned_round():
    ours, x = built(GRUCell), noise(2, 5, 3)
    outputs, _ = unroll(ours, x, backwards=True)
    torch.testing.assert_close(outputs, unroll(ours, x.flip(1))[0].flip(1))


def test_empty_sentences_are_refused():
    with pytest.raises(DalleEduError, match="give at least one symbol"):
        unroll(built(RNNCell), noise(2, 0, 3))


# ---------------------------------------------------------------- symbols


@given(st.lists(st.text(alphabet="abcé '", max_size=8), min_size=1, max_size=5))
def test_encoding_and_decoding_give_the_sentence_back(sentences):
    vocabulary = SequenceVocabulary(sentences)
    tokens = vocabulary.encode(sentences)
    assert tokens.shape == (len(sentences), max(map(len, sentences)) + 2)
    assert (tokens[:, 0] == START).all()
    assert ((tokens == END).sum(dim=1) == 1).all()
    assert ["".join(vocabulary.decode(row)) for row in tokens] == sentences
    assert int(tokens.max()) < len(vocabulary)


def test_the_vocabulary_does_not_depend_on_the_order_of_sentences():
    assert SequenceVocabulary(["ba", "c"]).symbols == SequenceVocabulary(["c", "ab"]).symbols == ["·", "^", "$", "a", "b", "c"]
    assert SequenceVocabulary([["un", "carré"]]).symbols[3:] == ["carré", "un"]


def test_symbols_that_look_like_the_special_ones_are_symbols_like_any_other():
    vocabulary = SequenceVocabulary(["$^·"])
    assert vocabulary.encode(["^·$"])[0].min() > PAD
    assert "".join(vocabulary.decode(vocabulary.encode(["^·$"])[0])) == "^·$"


def test_an_unknown_symbol_is_refused():
    with pytest.raises(DalleEduError, match="the vocabulary lacks y, z; build it from"):
        SequenceVocabulary(["abc"]).encode(["ab", "zy"])


# ---------------------------------------------------------------- writing


@given(seed=seeds)
def test_what_is_shown_comes_one_step_before_what_is_expected(seed):
    sentences = torch.randint(0, 9, (2, 6), generator=generator(seed))
    shown, expected = teacher_forcing(sentences)
    assert torch.equal(shown[:, 1:], expected[:, :-1])
    assert torch.equal(shown[:, 0], sentences[:, 0])
    assert torch.equal(expected[:, -1], sentences[:, -1])


@given(seed=seeds, padding=st.integers(0, 4))
def test_the_loss_does_not_depend_on_padding(seed, padding):
    logits, expected = noise(2, 3, 5, seed=seed), torch.randint(1, 5, (2, 3), generator=generator(seed))
    padded = torch.cat([expected, torch.full((2, padding), PAD)], dim=1)
    more = torch.cat([logits, 10 * noise(2, padding, 5, seed=seed + 1)], dim=1)
    torch.testing.assert_close(masked_cross_entropy(more, padded), masked_cross_entropy(logits, expected))


def test_the_loss_of_knowing_nothing_is_the_logarithm_of_the_vocabulary():
    found = masked_cross_entropy(torch.zeros(1, 2, 7), torch.tensor([[3, 6]]))
    torch.testing.assert_close(found, torch.tensor(math.log(7)))


def test_padding_has_no_gradient():
    logits = noise(1, 3, 4).requires_grad_()
    masked_cross_entropy(logits, torch.tensor([[2, 3, PAD]])).backward()
    assert not logits.grad[0, 2].any()
    assert logits.grad[0, :2].any(dim=-1).all()


def test_symbols_beyond_the_vocabulary_are_refused():
    with pytest.raises(DalleEduError, match="go from 1 to 4 and the vocabulary from 0 to 3"):
        masked_cross_entropy(torch.zeros(1, 2, 4), torch.tensor([[1, 4]]))
    with pytest.raises(DalleEduError, match="go from -1 to 2"):
        masked_cross_entropy(torch.zeros(1, 2, 4), torch.tensor([[-1, 2]]))


def test_temperature_zero_takes_the_likeliest_and_a_low_one_nearly_always():
    logits = noise(50, 6)
    assert torch.equal(sample_next(logits, 0.0, generator()), logits.argmax(dim=-1))
    assert torch.equal(sample_next(logits, 1e-4, generator()), logits.argmax(dim=-1))


def test_chance_is_the_generators_alone():
    logits = noise(50, 6)
    torch.manual_seed(1)
    first = sample_next(logits, 1.0, generator(3))
    torch.manual_seed(2)
    assert torch.equal(first, sample_next(logits, 1.0, generator(3)))
    assert not torch.equal(first, sample_next(logits, 1.0, generator(4)))


def test_a_negative_temperature_is_refused():
    with pytest.raises(DalleEduError, match=r"the temperature is -0.5; choose 0"):
        sample_next(torch.zeros(1, 3), -0.5, generator())


# ---------------------------------------------------------------- the character model


def character_model(cell=LSTMCell, vocabulary_size: int = 7) -> CharacterModel:
    torch.manual_seed(0)
    return CharacterModel(vocabulary_size, width=5, hidden=8, cell=cell).double()


@pytest.mark.parametrize("cell", CELLS)
def test_the_character_model_sees_no_later_character(cell):
    model = character_model(cell)
    tokens = torch.tensor([[1, 3, 4, 5]])
    other = torch.tensor([[1, 3, 6, 6]])
    before, after = model(tokens)[0], model(other)[0]
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.allclose(before[:, 2:], after[:, 2:])


@pytest.mark.parametrize("cell", CELLS)
def test_the_state_carries_all_that_was_read(cell):
    model = character_model(cell)
    tokens = torch.tensor([[1, 3, 4, 5, 6]])
    _, state = model(tokens[:, :3])
    torch.testing.assert_close(model(tokens[:, 3:], state)[0], model(tokens)[0][:, 3:])


def test_greedy_samples_are_what_the_model_says_of_them():
    model = character_model()
    tokens = model.sample(torch.tensor([[START], [START]]), 9, 0.0, generator())
    said = model(tokens[:, :-1])[0].argmax(dim=-1)
    for row, likeliest in zip(tokens, said, strict=True):
        written = row[1:].tolist()
        end = written.index(END) + 1 if END in written else len(written)
        assert written[:end] == likeliest[:end].tolist()
        assert written[end:] == [PAD] * (len(written) - end)


def test_samples_keep_the_prompt_and_end_in_padding():
    model = character_model()
    prompt = torch.tensor([[START, 3, 4]]).expand(40, 3)
    tokens = model.sample(prompt, 12, 2.0, generator())
    assert tokens.shape == (40, 15)
    assert torch.equal(tokens[:, :3], prompt)
    for row in tokens[:, 3:].tolist():
        if END in row:
            assert set(row[row.index(END) + 1 :]) <= {PAD}
    assert sum(END in row for row in tokens.tolist()) > 10
    assert torch.equal(tokens, model.sample(prompt, 12, 2.0, generator()))


@pytest.mark.parametrize("cell", CELLS)
def test_the_character_model_learns_a_sentence_by_heart(cell):
    vocabulary = SequenceVocabulary(["un cercle"])
    tokens = vocabulary.encode(["un cercle"])
    torch.manual_seed(0)
    model = CharacterModel(len(vocabulary), width=8, hidden=24, cell=cell)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(60):
        loss = model.loss(tokens)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.1
    assert "".join(vocabulary.decode(model.sample(tokens[:, :1], 12, 0.0, generator())[0])) == "un cercle"


def test_a_token_unknown_to_the_model_is_refused():
    with pytest.raises(DalleEduError, match="encode with its own vocabulary"):
        character_model()(torch.tensor([[1, 7]]))
