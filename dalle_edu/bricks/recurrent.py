"""Recurrent networks: a sentence is read one symbol at a time, and what was read is
carried along in a state of fixed size.

Three cells renew that state: the plain one (Elman 1990), the LSTM (Hochreiter &
Schmidhuber 1997; forget gate of Gers et al. 2000) and the GRU (Cho et al. 2014).
Unrolled over the characters of a text, a cell makes a language model, which writes.

Letters: n sentences, t symbols, x channels of a symbol, h channels of a state, v
entries of a vocabulary, p symbols of a prompt.

Lesson 03.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from dalle_edu.errors import DalleEduError

# the LSTM's is the pair of hidden state and memory
State = Float[Tensor, "n _"] | tuple[Float[Tensor, "n _"], Float[Tensor, "n _"]]

# ---------------------------------------------------------------- cells


class Cell(nn.Module):
    """What the cells share: PyTorch's parameters under PyTorch's names, so that
    `load_state_dict` copies weights across.

    The rows of all gates stand one above the other in `weight_ih` and `weight_hh`:
    one large product is faster than several small ones.
    """

    gates = 1

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        rows, bound = self.gates * hidden_size, 1 / math.sqrt(hidden_size)
        self.weight_ih = nn.Parameter(
            torch.empty(rows, input_size).uniform_(-bound, bound)
        )
        self.weight_hh = nn.Parameter(
            torch.empty(rows, hidden_size).uniform_(-bound, bound)
        )
        self.bias_ih = nn.Parameter(torch.empty(rows).uniform_(-bound, bound))
        self.bias_hh = nn.Parameter(torch.empty(rows).uniform_(-bound, bound))

    def start(self, x: Float[Tensor, "n *rest"]) -> State:
        """The state before anything is read: zeros, on the device and in the type
        of the input.
        """
        return x.new_zeros(len(x), self.hidden_size)

    def sums(
        self, x: Float[Tensor, "n x"], hidden: Float[Tensor, "n h"]
    ) -> tuple[Float[Tensor, "n gh"], Float[Tensor, "n gh"]]:
        """W_ih x + b_ih and W_hh h + b_hh: what each gate hears of the symbol and
        of the state.
        """
        _expect_width("the input", "l'entrée", x, self.input_size)
        _expect_width("the state", "l'état", hidden, self.hidden_size)
        return F.linear(x, self.weight_ih, self.bias_ih), F.linear(
            hidden, self.weight_hh, self.bias_hh
        )


def _expect_width(en: str, fr: str, tensor: Tensor, width: int) -> None:
    if tensor.shape[-1] != width:
        raise DalleEduError(
            f"{en} has {tensor.shape[-1]} channels and {width} were expected; make "
            "the two sizes agree",
            f"{fr} a {tensor.shape[-1]} canaux et {width} étaient attendus ; "
            "accordez les deux tailles",
        )


class RNNCell(Cell):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), the plain cell (Elman 1990).

    Each step multiplies the past by W_hh and flattens it with tanh, so that
    gradients fade over some ten symbols (Bengio et al. 1994).
    """

    def forward(
        self, x: Float[Tensor, "n x"], state: Float[Tensor, "n h"]
    ) -> Float[Tensor, "n h"]:
        from_input, from_state = self.sums(x, state)
        return torch.tanh(from_input + from_state)


class LSTMCell(Cell):
    """A memory c that is only scaled and added to, so that gradients last, and a
    hidden state h = o tanh(c) that shows part of it.

    The gates stand in PyTorch's order: input i, forget f, candidate g, output o.
    The state is the pair (h, c).
    """

    gates = 4

    def start(self, x: Float[Tensor, "n *rest"]) -> State:
        return x.new_zeros(len(x), self.hidden_size), x.new_zeros(
            len(x), self.hidden_size
        )

    def forward(
        self,
        x: Float[Tensor, "n x"],
        state: tuple[Float[Tensor, "n h"], Float[Tensor, "n h"]],
    ) -> tuple[Float[Tensor, "n h"], Float[Tensor, "n h"]]:
        hidden, memory = state
        from_input, from_state = self.sums(x, hidden)
        i, f, g, o = (from_input + from_state).chunk(4, dim=-1)
        # keep some, write some
        memory = f.sigmoid() * memory + i.sigmoid() * g.tanh()
        return o.sigmoid() * memory.tanh(), memory


class GRUCell(Cell):
    """One state, two gates: h' = z h + (1 - z) n, where the candidate n sees as
    much of the past as the reset gate r lets through.

    The rows stand in PyTorch's order: reset r, update z, candidate n. Like PyTorch,
    and unlike Cho et al. (2014), r scales the product W_hh h + b_hh and not h
    itself: one product then serves all the gates.
    """

    gates = 3

    def forward(
        self, x: Float[Tensor, "n x"], state: Float[Tensor, "n h"]
    ) -> Float[Tensor, "n h"]:
        from_input, from_state = self.sums(x, state)
        (r_x, z_x, n_x), (r_h, z_h, n_h) = (
            from_input.chunk(3, dim=-1),
            from_state.chunk(3, dim=-1),
        )
        r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
        candidate = torch.tanh(n_x + r * n_h)
        return z * state + (1 - z) * candidate  # z = 1 keeps the past whole


def hidden_of(state: State) -> Float[Tensor, "n h"]:
    """The part of a state that the rest of the network sees."""
    return state[0] if isinstance(state, tuple) else state


def each_part(function: Callable[..., Tensor], *states: State) -> State:
    """The state whose parts are a function of these states' parts: of hidden
    states, and for LSTMs of memories too.
    """
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
    """Read sentences with a cell, the same weights at each symbol; returns the
    hidden state after each symbol, and the last state.

    `mask` is True on symbols and False on padding, which leaves the state as it is.
    With `backwards` the reading goes from the last symbol to the first, and output
    t is still the one that belongs to symbol t.
    """
    if not x.shape[1]:
        raise DalleEduError(
            "the sentences are empty; give at least one symbol",
            "les phrases sont vides ; donnez au moins un symbole",
        )
    state = cell.start(x) if state is None else state
    outputs = []
    for t in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
        renewed = cell(x[:, t], state)
        state = (
            renewed
            if mask is None
            else each_part(partial(_renew, mask[:, t, None]), renewed, state)
        )
        outputs.append(hidden_of(state))
    return torch.stack(outputs[::-1] if backwards else outputs, dim=1), state


def _renew(
    real: Bool[Tensor, "n 1"], new: Float[Tensor, "n h"], old: Float[Tensor, "n h"]
) -> Float[Tensor, "n h"]:
    return torch.where(real, new, old)
