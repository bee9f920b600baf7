"""Recurrent networks: a sentence is read, symbol by symbol, into a state.

The state has the same size however long the sentence is. Three cells renew it: the
plain one (Elman 1990), the LSTM (Hochreiter & Schmidhuber 1997; forget gate of Gers
et al. 2000) and the GRU (Cho et al. 2014). `unroll` applies a cell to each symbol
in turn. Lesson 03.

Letters: n sentences, t symbols, x channels of a symbol, h channels of a state, gh
channels of all its gates.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from dalle_edu.errors import DalleEduError

# the hidden state; of an LSTM, the pair of hidden state and memory
State = Float[Tensor, "n _"] | tuple[Float[Tensor, "n _"], Float[Tensor, "n _"]]

# ---------------------------------------------------------------- cells


class Cell(nn.Module):
    """What all cells share: their parameters, the state to start from, the sums.

    The parameters have PyTorch's names and shapes, so that `load_state_dict` copies
    weights from PyTorch's cells. The rows of all gates stand one above the other in
    `weight_ih` and `weight_hh`: one large product is faster than several small
    ones.
    """

    gates = 1

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        rows, bound = self.gates * hidden_size, 1 / math.sqrt(hidden_size)

        def uniform(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))

        self.weight_ih = uniform(rows, input_size)
        self.weight_hh = uniform(rows, hidden_size)
        self.bias_ih = uniform(rows)
        self.bias_hh = uniform(rows)

    def start(self, x: Float[Tensor, "n *rest"]) -> State:
        """The state before anything is read: zeros.

        It has the input's device and dtype.
        """
        return x.new_zeros(len(x), self.hidden_size)

    def sums(
        self, x: Float[Tensor, "n x"], hidden: Float[Tensor, "n h"]
    ) -> tuple[Float[Tensor, "n gh"], Float[Tensor, "n gh"]]:
        """W_ih x + b_ih and W_hh h + b_hh, for all gates.

        Raises `DalleEduError` for an input or a state of another width than the
        cell's.
        """
        _expect_width("the input", "l'entrée", x, self.input_size)
        _expect_width("the state", "l'état", hidden, self.hidden_size)
        from_input = F.linear(x, self.weight_ih, self.bias_ih)
        from_state = F.linear(hidden, self.weight_hh, self.bias_hh)
        return from_input, from_state


def _expect_width(en: str, fr: str, tensor: Tensor, width: int) -> None:
    if tensor.shape[-1] != width:
        raise DalleEduError(
            f"{en} has {tensor.shape[-1]} channels and {width} were expected; make "
            "the two sizes agree",
            f"{fr} a {tensor.shape[-1]} canaux et {width} étaient attendus ; "
            "accordez les deux tailles",
        )


class RNNCell(Cell):
    """The plain cell: h' = tanh(W_ih x + b_ih + W_hh h + b_hh) (Elman 1990).

    Each step multiplies the past by W_hh and flattens it with tanh. Gradients
    therefore vanish over some ten symbols (Bengio et al. 1994).
    """

    def forward(
        self, x: Float[Tensor, "n x"], state: Float[Tensor, "n h"]
    ) -> Float[Tensor, "n h"]:
        """The hidden state after one more symbol."""
        from_input, from_state = self.sums(x, state)
        return torch.tanh(from_input + from_state)


class LSTMCell(Cell):
    """Long short-term memory: a memory c, and a hidden state that shows part of it.

    The memory is only scaled and added to, so that gradients last. The hidden state
    is h = o tanh(c). The state is the pair (h, c). The gates stand in PyTorch's
    order: input i, forget f, candidate g, output o.
    """

    gates = 4

    def start(self, x: Float[Tensor, "n *rest"]) -> State:
        """The state before anything is read: both its parts are zeros."""
        hidden = x.new_zeros(len(x), self.hidden_size)
        return hidden, torch.zeros_like(hidden)

    def forward(
        self,
        x: Float[Tensor, "n x"],
        state: tuple[Float[Tensor, "n h"], Float[Tensor, "n h"]],
    ) -> tuple[Float[Tensor, "n h"], Float[Tensor, "n h"]]:
        """The hidden state and the memory after one more symbol."""
        hidden, memory = state
        from_input, from_state = self.sums(x, hidden)
        i, f, g, o = (from_input + from_state).chunk(4, dim=-1)
        # keep part of the memory, add part of the candidate
        memory = f.sigmoid() * memory + i.sigmoid() * g.tanh()
        return o.sigmoid() * memory.tanh(), memory


class GRUCell(Cell):
    """The gated recurrent unit: h' = z h + (1 - z) n, with two gates and no memory.

    The candidate n sees as much of the past as the reset gate r lets through. The
    rows stand in PyTorch's order: reset r, update z, candidate n. As in PyTorch,
    and unlike in Cho et al. (2014), r multiplies the product W_hh h + b_hh and not
    h itself, so that one product serves all the gates.
    """

    gates = 3

    def forward(
        self, x: Float[Tensor, "n x"], state: Float[Tensor, "n h"]
    ) -> Float[Tensor, "n h"]:
        """The hidden state after one more symbol."""
        from_input, from_state = self.sums(x, state)
        r_x, z_x, n_x = from_input.chunk(3, dim=-1)
        r_h, z_h, n_h = from_state.chunk(3, dim=-1)
        r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
        candidate = torch.tanh(n_x + r * n_h)
        return z * state + (1 - z) * candidate  # z = 1 keeps the past whole


def hidden_of(state: State) -> Float[Tensor, "n h"]:
    """The hidden state: what the rest of the network sees of a state."""
    return state[0] if isinstance(state, tuple) else state


def each_part(function: Callable[..., Tensor], *states: State) -> State:
    """Apply a function to the hidden states of some states.

    If they are LSTMs' states, it is applied to their memories too. Returns the
    state of the results.
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
    """Read sentences with a cell, which has the same weights at each symbol.

    Returns the hidden state after each symbol, and the last state. `mask` is True
    on symbols and False on padding, where the state stays as it is. With
    `backwards` the sentence is read from its last symbol to its first; output t is
    still that of symbol t.

    Raises `DalleEduError` for sentences without a symbol.
    """
    if not x.shape[1]:
        raise DalleEduError(
            "the sentences are empty; give at least one symbol",
            "les phrases sont vides ; donnez au moins un symbole",
        )
    state = cell.start(x) if state is None else state
    outputs = []
    positions = range(x.shape[1])
    for t in reversed(positions) if backwards else positions:
        renewed = cell(x[:, t], state)
        if mask is not None:
            keep_at_padding = partial(where_real, mask[:, t, None])
            renewed = each_part(keep_at_padding, renewed, state)
        state = renewed
        outputs.append(hidden_of(state))
    return torch.stack(outputs[::-1] if backwards else outputs, dim=1), state


def where_real(
    real: Bool[Tensor, "n 1"], new: Float[Tensor, "n h"], old: Float[Tensor, "n h"]
) -> Float[Tensor, "n h"]:
    """The new state where a sentence has a real symbol, the old one elsewhere."""
    return torch.where(real, new, old)
