"""Recurrent networks: a sentence is read one symbol at a time, and what was read is carried along in a state of fixed size.

Three cells renew that state: the plain one (Elman 1990), the LSTM (Hochreiter & Schmidhuber 1997; forget gate of Gers et al. 2000) and the
GRU (Cho et al. 2014). Unrolled over the characters of a text, a cell makes a language model, which writes.

Letters: n sentences, t symbols, x channels of a symbol, h channels of a state, v entries of a vocabulary, p symbols of a prompt.

Lesson 03.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from dalle_edu.errors import DalleEduError

State = Float[Tensor, "n _"] | tuple[Float[Tensor, "n _"], Float[Tensor, "n _"]]  # the LSTM's is the pair of hidden state and memory

# ---------------------------------------------------------------- cells


class Cell(nn.Module):
    """What the cells share: PyTorch's parameters under PyTorch's names, so that `load_state_dict` copies weights across.

    The rows of all gates stand one above the other in `weight_ih` and `weight_hh`: one large product is faster than several small ones.
    """

    gates = 1

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        rows, bound = self.gates * hidden_size, 1 / math.sqrt(hidden_size)
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size).uniform_(-bound, bound))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size).uniform_(-bound, bound))
        self.bias_ih = nn.Parameter(torch.empty(rows).uniform_(-bound, bound))
        self.bias_hh = nn.Parameter(torch.empty(rows).uniform_(-bound, bound))

    def start(self, x: Float[Tensor, "n *rest"]) -> State:
        """The state before anything is read: zeros, on the device and in the type of the input."""
        return x.new_zeros(len(x), self.hidden_size)

    def sums(self, x: Float[Tensor, "n x"], hidden: Float[Tensor, "n h"]) -> tuple[Float[Tensor, "n gh"], Float[Tensor, "n gh"]]:
        """W_ih x + b_ih and W_hh h + b_hh: what each gate hears of the symbol and of the state."""
        _expect_width("the input", "l'entrée", x, self.input_size)
        _expect_width("the state", "l'état", hidden, self.hidden_size)
        return F.linear(x, self.weight_ih, self.bias_ih), F.linear(hidden, self.weight_hh, self.bias_hh)


def _expect_width(en: str, fr: str, tensor: Tensor, width: int) -> None:
    if tensor.shape[-1] != width:
        raise DalleEduError(
            f"{en} has {tensor.shape[-1]} channels and {width} were expected; make the two sizes agree",
            f"{fr} a {tensor.shape[-1]} canaux et {width} étaient attendus ; accordez les deux tailles",
        )


class RNNCell(Cell):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), the plain cell (Elman 1990).

    Each step multiplies the past by W_hh and flattens it with tanh, so that gradients fade over some ten symbols (Bengio et al. 1994).
    """

    def forward(self, x: Float[Tensor, "n x"], state: Float[Tensor, "n h"]) -> Float[Tensor, "n h"]:
        from_input, from_state = self.sums(x, state)
        return torch.tanh(from_input + from_state)


class LSTMCell(Cell):
    """A memory c that is only scaled and added to, so that gradients last, and a hidden state h = o tanh(c) that shows part of it.

    The gates stand in PyTorch's order: input i, forget f, candidate g, output o. The state is the pair (h, c).
    """

    gates = 4

    def start(self, x: Float[Tensor, "n *rest"]) -> State:
        return x.new_zeros(len(x), self.hidden_size), x.new_zeros(len(x), self.hidden_size)

    def forward(
        self, x: Float[Tensor, "n x"], state: tuple[Float[Tensor, "n h"], Float[Tensor, "n h"]]
    ) -> tuple[Float[Tensor, "n h"], Float[Tensor, "n h"]]:
        hidden, memory = state
        from_input, from_state = self.sums(x, hidden)
        i, f, g, o = (from_input + from_state).chunk(4, dim=-1)
        memory = f.sigmoid() * memory + i.sigmoid() * g.tanh()  # keep some, write some
        return o.sigmoid() * memory.tanh(), memory


class GRUCell(Cell):
    """One state, two gates: h' = z h + (1 - z) n, where the candidate n sees as much of the past as the reset gate r lets through.

    The rows stand in PyTorch's order: reset r, update z, candidate n. Like PyTorch, and unlike Cho et al. (2014), r scales the product
    W_hh h + b_hh and not h itself: one product then serves all the gates.
    """

    gates = 3

    def forward(self, x: Float[Tensor, "n x"], state: Float[Tensor, "n h"]) -> Float[Tensor, "n h"]:
        from_input, from_state = self.sums(x, state)
        (r_x, z_x, n_x), (r_h, z_h, n_h) = from_input.chunk(3, dim=-1), from_state.chunk(3, dim=-1)
        r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
        candidate = torch.tanh(n_x + r * n_h)
        return z * state + (1 - z) * candidate  # z = 1 keeps the past whole


def hidden_of(state: State) -> Float[Tensor, "n h"]:
    """The part of a state that the rest of the network sees."""
    return state[0] if isinstance(state, tuple) else state


def each_part(function: Callable[..., Tensor], *states: State) -> State:
    """The state whose parts are a function of these states' parts: of hidden states, and for LSTMs of memories too."""
    first = states[0]
    if isinstance(first, tuple):
        hidden, memory = (function(*parts) for parts in zip(*states, strict=True))
        return hidden, memory
    return function(*states)


def unroll(
    cell: Cell,
    x: Float[Tensor, "n t x"],
    state: State | None = None,
    mask: Bool[Tensor, "n t"] | None = None,
    backwards: bool = False,
) -> tuple[Float[Tensor, "n t h"], State]:
    """Read sentences with a cell, the same weights at each symbol; returns the hidden state after each symbol, and the last state.

    `mask` is True on symbols and False on padding, which leaves the state as it is. With `backwards` the reading goes from the last symbol
    to the first, and output t is still the one that belongs to symbol t.
    """
    if not x.shape[1]:
        raise DalleEduError("the sentences are empty; give at least one symbol", "les phrases sont vides ; donnez au moins un symbole")
    state = cell.start(x) if state is None else state
    outputs = []
    for t in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
        renewed = cell(x[:, t], state)
        state = renewed if mask is None else each_part(partial(_renew, mask[:, t, None]), renewed, state)
        outputs.append(hidden_of(state))
    return torch.stack(outputs[::-1] if backwards else outputs, dim=1), state


def _renew(real: Bool[Tensor, "n 1"], new: Float[Tensor, "n h"], old: Float[Tensor, "n h"]) -> Float[Tensor, "n h"]:
    return torch.where(real, new, old)


# ---------------------------------------------------------------- symbols

PAD, START, END = 0, 1, 2


class SequenceVocabulary:
    """The symbols of some sentences, and a number for each; a string counts as a sentence of characters. 0 pads, 1 starts, 2 ends."""

    def __init__(self, sentences: Iterable[Sequence[str]]):
        self.symbols = ["·", "^", "$", *sorted({symbol for sentence in sentences for symbol in sentence})]
        self.numbers = {symbol: number for number, symbol in enumerate(self.symbols) if number > END}

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, sentences: Sequence[Sequence[str]]) -> Int[Tensor, "n t"]:
        """A row for each sentence: start, symbols, end, padding up to the longest. Raises `DalleEduError` on an unknown symbol."""
        unknown = sorted({symbol for sentence in sentences for symbol in sentence} - self.numbers.keys())
        if unknown:
            raise DalleEduError(
                f"the vocabulary lacks {', '.join(unknown)}; build it from sentences that hold every symbol",
                f"le vocabulaire ignore {', '.join(unknown)} ; formez-le sur des phrases qui contiennent tous les symboles",
            )
        rows = [torch.tensor([START, *(self.numbers[symbol] for symbol in sentence), END]) for sentence in sentences]
        return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)

    def decode(self, tokens: Int[Tensor, " t"]) -> list[str]:
        """The symbols up to the end, without start, end and padding."""
        numbers = tokens.tolist()
        numbers = numbers[: numbers.index(END)] if END in numbers else numbers
        return [self.symbols[number] for number in numbers if number > END]


def expect_tokens(tokens: Int[Tensor, "n t"], size: int) -> None:
    """Refuse tokens that a vocabulary of that size does not hold, with a `DalleEduError`."""
    if tokens.numel() and not 0 <= int(tokens.min()) <= int(tokens.max()) < size:
        raise DalleEduError(
            f"the tokens go from {tokens.min()} to {tokens.max()} and the vocabulary from 0 to {size - 1}; encode with its own vocabulary",
            f"les jetons vont de {tokens.min()} à {tokens.max()} et le vocabulaire de 0 à {size - 1} ; encodez avec son propre vocabulaire",
        )


# ---------------------------------------------------------------- writing one symbol after the other


def teacher_forcing(sentences: Int[Tensor, "n t"]) -> tuple[Int[Tensor, "n t-1"], Int[Tensor, "n t-1"]]:
    """What a writer is shown and what it must say: at each step the true symbol so far, and the one after it (Williams & Zipser 1989)."""
    return sentences[:, :-1], sentences[:, 1:]


def masked_cross_entropy(logits: Float[Tensor, "n t v"], expected: Int[Tensor, "n t"]) -> Float[Tensor, ""]:
    """The mean surprise, in nats, over the symbols that are no padding: -log softmax(logits) at the expected one."""
    expect_tokens(expected, logits.shape[-1])
    surprise = logits.logsumexp(dim=-1) - logits.gather(-1, expected.unsqueeze(-1)).squeeze(-1)
    real = (expected != PAD).to(surprise.dtype)
    return (surprise * real).sum() / real.sum()


def sample_next(logits: Float[Tensor, "n v"], temperature: float, generator: torch.Generator) -> Int[Tensor, " n"]:
    """Draw from softmax(logits / temperature): 1 as the network says, below 1 more timidly, above 1 more wildly, 0 always the likeliest."""
    if temperature < 0:
        raise DalleEduError(
            f"the temperature is {temperature}; choose 0 (the likeliest symbol) or more",
            f"la température est {temperature} ; choisissez 0 (le symbole le plus probable) ou plus",
        )
    if temperature == 0:
        return logits.argmax(dim=-1)
    return torch.multinomial((logits / temperature).softmax(dim=-1), 1, generator=generator).squeeze(-1)


class CharacterModel(nn.Module):
    """The next character given those before it: an embedding, a cell, a linear head (Karpathy et al. 2015 look inside such a network)."""

    def __init__(self, vocabulary_size: int, width: int = 32, hidden: int = 128, cell: type[Cell] = LSTMCell):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.cell = cell(width, hidden)
        self.head = nn.Linear(hidden, vocabulary_size)

    def forward(self, tokens: Int[Tensor, "n t"], state: State | None = None) -> tuple[Float[Tensor, "n t v"], State]:
        """The logits of the character after each one, and the state from which reading may go on."""
        expect_tokens(tokens, self.embedding.num_embeddings)
        outputs, state = unroll(self.cell, self.embedding(tokens), state)
        return self.head(outputs), state

    def loss(self, sentences: Int[Tensor, "n t"]) -> Float[Tensor, ""]:
        """Nats per character."""
        shown, expected = teacher_forcing(sentences)
        return masked_cross_entropy(self(shown)[0], expected)

    @torch.no_grad()
    def sample(
        self, prompt: Int[Tensor, "n p"], length: int, temperature: float, generator: torch.Generator
    ) -> Int[Tensor, "n p+{length}"]:
        """`length` more symbols for each prompt (the start symbol alone will do); what follows an end is padding."""
        tokens, state, ended = prompt, None, torch.zeros(len(prompt), dtype=torch.bool, device=prompt.device)
        for _ in range(length):
            logits, state = self(prompt, state)
            chosen = sample_next(logits[:, -1], temperature, generator).masked_fill(ended, PAD)
            ended = ended | (chosen == END)
            prompt = chosen.unsqueeze(1)  # from now on the state carries all the rest
            tokens = torch.cat([tokens, prompt], dim=1)
        return tokens
