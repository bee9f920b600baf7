import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.bricks.language_model import END, PAD, START, SequenceVocabulary
from dalle_edu.bricks.recurrent import GRUCell, LSTMCell, RNNCell
from dalle_edu.bricks.seq2seq import AdditiveAttention, Attention, DotAttention, GeneralAttention, NoAttention, Seq2Seq
from dalle_edu.datasets.translations import join_words, split_words
from dalle_edu.errors import DalleEduError

KINDS = [DotAttention, GeneralAttention, AdditiveAttention]
CELLS = [RNNCell, LSTMCell, GRUCell]
seeds = st.integers(0, 2**31)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def built(kind, size: int = 4):
    torch.manual_seed(0)
    return kind(size, size).double()


# ---------------------------------------------------------------- attention


@pytest.mark.parametrize("kind", KINDS)
@given(seed=seeds, length=st.integers(1, 5), scale=st.floats(0, 20))
def test_weights_sum_to_one_and_padding_weighs_nothing(kind, seed, length, scale):
    mask = torch.arange(5).unsqueeze(0) < length
    memory = noise(1, 5, 4, seed=seed + 1)
    mixed, weights = built(kind)(scale * noise(1, 3, 4, seed=seed), memory, mask)
    assert (weights >= 0).all()
    assert not weights[..., length:].any()
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(1, 3, dtype=torch.float64))
    torch.testing.assert_close(mixed, weights @ memory)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=seeds)
def test_the_order_of_the_words_read_does_not_matter(kind, seed):
    attention, query, memory = built(kind), noise(1, 3, 4, seed=seed), noise(1, 6, 4, seed=seed + 1)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    mask = torch.tensor([[True] * 4 + [False] * 2])
    mixed, weights = attention(query, memory, mask)
    other, other_weights = attention(query, memory[:, order], mask[:, order])
    torch.testing.assert_close(other, mixed)
    torch.testing.assert_close(other_weights, weights[..., order])


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradients_are_those_of_finite_differences(kind):
    attention, mask = built(kind), torch.tensor([[True, True, False]])
    inputs = noise(1, 2, 4).requires_grad_(), noise(1, 3, 4, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda query, memory: attention(query, memory, mask), inputs)


def test_general_attention_with_the_identity_is_dot_attention():
    general = built(GeneralAttention)
    torch.nn.init.eye_(general.key.weight)
    inputs = noise(2, 3, 4), noise(2, 5, 4, seed=1), torch.ones(2, 5, dtype=torch.bool)
    for mine, other in zip(general(*inputs), built(DotAttention)(*inputs), strict=True):
        torch.testing.assert_close(mine, other)


def test_sizes_without_a_dot_product_are_refused():
    with pytest.raises(DalleEduError, match="queries of 4 channels have no dot product with memories of 6; use GeneralAttention"):
        DotAttention(4, 6)


def test_attention_without_scores_is_no_attention():
    with pytest.raises(TypeError, match="abstract method"):
        Attention(3, 3)


# ---------------------------------------------------------------- translation

SOURCE = torch.tensor([[START, 3, 4, 5, 6, END], [START, 7, 3, END, PAD, PAD]])
TARGET = torch.tensor([[START, 6, 5, END, PAD], [START, 3, 4, 5, END]])


def translator(attention=AdditiveAttention, cell=GRUCell) -> Seq2Seq:
    torch.manual_seed(0)
    return Seq2Seq(8, 7, width=5, hidden=6, attention=attention, cell=cell).double()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_sentence_is_read_alike_alone_and_in_a_batch(kind, cell):
    model = translator(kind, cell)
    logits, weights = model(SOURCE, TARGET)
    alone, alone_weights = model(SOURCE[1:, :4], TARGET[1:])
    torch.testing.assert_close(logits[1:], alone)
    torch.testing.assert_close(weights[1:, :, :4], alone_weights)
    assert not weights[1, :, 4:].any()


@pytest.mark.parametrize("cell", CELLS)
def test_the_writer_sees_no_later_word(cell):
    model = translator(cell=cell)
    other = TARGET.clone()
    other[:, 3:] = 6
    before, after = model(SOURCE, TARGET)[0], model(SOURCE, other)[0]
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3:], after[:, 3:])


def test_every_weight_learns():
    model = translator()
    model.loss(SOURCE, TARGET).backward()
    assert {name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()} == set()


@pytest.mark.parametrize("cell", CELLS)
def test_a_greedy_translation_is_what_the_writer_says_of_it(cell):
    model = translator(cell=cell)
    tokens, weights = model.translate(SOURCE, length=7)
    shown = torch.cat([torch.full((2, 1), START), tokens[:, :-1]], dim=1)
    logits, looked = model(SOURCE, shown)
    for row, likeliest in zip(tokens.tolist(), logits.argmax(dim=-1).tolist(), strict=True):
        end = row.index(END) + 1 if END in row else len(row)
        assert row[:end] == likeliest[:end]
        assert row[end:] == [PAD] * (len(row) - end)
    torch.testing.assert_close(weights, looked)


def test_translation_stops_when_all_sentences_have_ended():
    model = translator()
    torch.nn.init.zeros_(model.head.weight)
    with torch.no_grad():
        model.head.bias.copy_(torch.tensor([0.0, 0, 1, 0, 0, 0, 0]))
    tokens, weights = model.translate(SOURCE, length=7)
    assert tokens.tolist() == [[END], [END]]
    assert weights.shape == (2, 1, 6)
    with torch.no_grad():
        model.head.bias.copy_(torch.tensor([0.0, 0, 1, 0, 2, 0, 0]))
    assert model.translate(SOURCE, length=7)[0].tolist() == [[4] * 7] * 2


def test_a_translator_learns_two_sentences_by_heart():
    pairs = [("un carré vert", "a green square"), ("il y a deux étoiles", "there are two stars")]
    languages = [[split_words(sentence) for sentence in side] for side in zip(*pairs, strict=True)]
    french, english = (SequenceVocabulary(sentences) for sentences in languages)
    source, target = french.encode(languages[0]), english.encode(languages[1])
    torch.manual_seed(0)
    model = Seq2Seq(len(french), len(english), width=8, hidden=16)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(40):
        loss = model.loss(source, target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    tokens, _ = model.translate(source)
    assert [join_words(english.decode(row)) for row in tokens] == [sentence for _, sentence in pairs]


def test_an_odd_number_of_channels_is_refused():
    with pytest.raises(DalleEduError, match="hidden is 7; the two directions share it half and half"):
        Seq2Seq(8, 7, hidden=7)


def test_tokens_of_the_other_vocabulary_are_refused():
    with pytest.raises(DalleEduError, match="go from 0 to 8 and the vocabulary from 0 to 7"):
        translator()(SOURCE.clone().index_fill(1, torch.tensor(1), 8), TARGET)
    with pytest.raises(DalleEduError, match="go from 0 to 7 and the vocabulary from 0 to 6"):
        translator()(SOURCE, TARGET.clone().index_fill(1, torch.tensor(1), 7))


def test_a_translation_of_no_words_is_refused():
    with pytest.raises(DalleEduError, match="the length is 0; allow at least 1 word"):
        translator().translate(SOURCE, length=0)


def test_without_attention_nothing_but_the_last_state_reaches_the_decoder():
    torch.manual_seed(0)
    model = Seq2Seq(9, 7, width=4, hidden=6, attention=NoAttention)
    source, shown = torch.tensor([[1, 5, 3, 2]]), torch.tensor([[1, 4, 3]])
    memory, state = model.encode(source)
    logits, weights, _ = model.decode(shown, state, memory, source != 0)
    other, _, _ = model.decode(shown, state, torch.randn_like(memory), source != 0)
    assert torch.equal(logits, other)
    assert float(weights.abs().sum()) == 0
