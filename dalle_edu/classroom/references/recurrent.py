"""Recurrent networks against PyTorch's, weights copied across."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.language_model import PAD
from dalle_edu.bricks.recurrent import Cell, GRUCell, LSTMCell, RNNCell
from dalle_edu.classroom.checking.asking import lent, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario, slopes, with_gradients
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.words import within_chance
from dalle_edu.language import say


def with_weights(module: Any, weights: Mapping[str, Tensor]) -> Any:
    """A module in double precision, its parameters of these names set to these values."""
    module = module.double()
    own = dict(module.named_parameters())
    with torch.no_grad():
        for name, value in weights.items():
            own[name].copy_(value)
    return module


def drawn_weights(module: nn.Module, seed: int, scale: float = 0.5) -> dict[str, Tensor]:
    """Weights for a module like this one; those of norms are near 1."""
    return {
        name: (1.0 if "norm" in name and name.endswith("weight") else 0.0) + scale * numbers(seed + place, *parameter.shape)
        for place, (name, parameter) in enumerate(module.named_parameters())
    }


def part_of(weights: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The weights of one module, by their names in it."""
    return {key.removeprefix(f"{name}."): value for key, value in weights.items() if key.startswith(f"{name}.")}


# ---------------------------------------------------------------- cells


def _cases_of_a_cell(kind: type[Cell], peer: type[nn.Module], sizes: tuple[int, int, int], seed: int) -> list[Case]:
    """A step from some state, three steps from the start, a step whose sums are large, and the gradients."""
    width, hidden, n = sizes
    weights, parts = drawn_weights(kind(width, hidden), seed), 2 if kind is LSTMCell else 1
    names = "x hidden memory" if parts == 2 else "x state"
    x, states = (
        [2 * numbers(seed + 10 + step, n, width) for step in range(3)],
        [numbers(seed + 20 + part, n, hidden) for part in range(parts)],
    )

    def joined(own: Sequence[Tensor]) -> Any:
        return tuple(own) if parts == 2 else own[0]

    def step(made: Any, given: Tensor, own: Sequence[Tensor]) -> Any:
        return lent(lambda symbol, *state: made(symbol, joined(state)), names, given, *own)

    def once(made: Any) -> Any:
        return _bare(step(made, x[0], states))

    def from_zeros(made: Any) -> Any:
        return _bare(step(made, x[0], [torch.zeros_like(state) for state in states]))

    def large(made: Any) -> Any:
        return _bare(step(made, 1e3 * x[0], [-1e3 * state for state in states]))

    def thrice(made: Any) -> list[Any]:
        state, passed = made.start(x[0]) if hasattr(made, "start") else joined([torch.zeros(n, hidden, dtype=x[0].dtype)] * parts), []
        for symbol in x:
            state = made(symbol.clone(), state)
            passed.append(_bare(state))
        return passed

    def learned(made: Any) -> dict[str, Any]:
        given = [each.clone().requires_grad_() for each in (x[0], *states)]
        return with_gradients(made(given[0], joined(given[1:])), [*given, *(made.get_parameter(name) for name in weights)])

    def case(en: str, fr: str, ask: Callable[[Any], Any], extra: int) -> Case:
        size = f"input {width}, state {hidden}, {n} sentence{'s' * (n > 1)}", f"entrée {width}, état {hidden}, {n} phrase{'s' * (n > 1)}"
        return scenario(
            f"{size[0]}, {en}",
            f"{size[1]}, {fr}",
            lambda: ask(with_weights(peer(width, hidden), weights)),
            lambda version: ask(with_weights(version(width, hidden), weights)),
            n * (width + hidden) + extra,
        )

    return [
        case("from zeros", "depuis zéro", from_zeros, 0),
        case("one step", "un pas", once, 1),
        case("three steps from the start", "trois pas depuis le début", thrice, 2),
        case("large numbers", "de grands nombres", large, 3),
        case("the gradients", "les gradients", learned, 4),
    ]


def _bare(state: Any) -> Any:
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def _cell(kind: type[Cell], peer: type[nn.Module]) -> Callable[[int], list[Case]]:
    sizes = (1, 1, 1), (3, 2, 1), (3, 5, 4), (4, 3, 2)

    def cases(seed: int) -> list[Case]:
        return [case for place, each in enumerate(sizes) for case in _cases_of_a_cell(kind, peer, each, seed + 100 * place)]

    return cases


# ---------------------------------------------------------------- sentences

_LAYERS = {RNNCell: nn.RNN, LSTMCell: nn.LSTM, GRUCell: nn.GRU}


def layer_of(kind: type[Cell], weights: Mapping[str, Tensor], backwards: Mapping[str, Tensor] | None = None) -> Any:
    """PyTorch's layer with a cell's weights, and perhaps another that reads backwards."""
    hidden, width = weights["weight_hh"].shape[1], weights["weight_ih"].shape[1]
    layer = _LAYERS[kind](width, hidden, batch_first=True, bidirectional=backwards is not None)
    values = {f"{name}_l0": value for name, value in weights.items()}
    values |= {f"{name}_l0_reverse": value for name, value in (backwards or {}).items()}
    return with_weights(layer, values)


def packed(sentences: Tensor, mask: Tensor) -> nn.utils.rnn.PackedSequence:
    """The symbols of sentences without their padding, wherever it is."""
    return nn.utils.rnn.pack_sequence([row[real] for row, real in zip(sentences, mask, strict=True)], enforce_sorted=False)


def _read(
    kind: type[Cell], weights: Mapping[str, Tensor], x: Tensor, state: Sequence[Tensor] | None, mask: Tensor | None, backwards: bool
) -> tuple[Tensor, Any]:
    """What PyTorch's layer makes of sentences read in one direction; zeros at padding."""
    real = torch.ones(x.shape[:2], dtype=torch.bool) if mask is None else mask
    direction, hidden = int(backwards), weights["weight_hh"].shape[1]
    start = None if state is None else tuple(torch.stack([part, part]) for part in state)
    given = start[0] if start is not None and kind is not LSTMCell else start
    outputs, ends = layer_of(kind, weights, weights)(packed(x, real), given)
    rows, lengths = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    part = rows[..., hidden * direction : hidden * (direction + 1)]
    spread = torch.zeros(*x.shape[:2], hidden, dtype=x.dtype).masked_scatter(
        real.unsqueeze(-1), torch.cat([row[:length] for row, length in zip(part, lengths.tolist(), strict=True)])
    )
    last = tuple(end[direction] for end in ends) if kind is LSTMCell else ends[direction]
    return spread, last


def _readings(kind: type[Cell], sizes: tuple[int, int, int, int], seed: int) -> list[Case]:
    """Sentences of different lengths, read forwards and backwards, from zeros or from a state."""
    width, hidden, n, tokens = sizes
    weights, x = drawn_weights(kind(width, hidden), seed), numbers(seed + 10, n, tokens, width)
    lengths = torch.tensor([max(1, tokens - (3 * row + 2) // 2) for row in range(n)])
    ending, starting = torch.arange(tokens) < lengths[:, None], torch.arange(tokens) >= tokens - lengths[:, None]
    states = [numbers(seed + 20 + part, n, hidden) for part in range(2 if kind is LSTMCell else 1)]
    title = f"{kind.__name__}, x {n} × {tokens} × {width}"

    def case(en: str, fr: str, extra: int, state: Sequence[Tensor] | None = None, mask: Tensor | None = None, **options: Any) -> Case:
        real = torch.ones(n, tokens, 1, dtype=torch.bool) if mask is None else mask.unsqueeze(-1)

        def ask(version: Callable[..., Any]) -> dict[str, Any]:
            def read(given: Tensor, *own: Any) -> Any:
                start = None if state is None else own[0] if len(states) == 1 else own[: len(states)]
                seen = own[len(state or ()) :]
                return version(with_weights(kind(width, hidden), weights), given, start, *seen, **options)

            names = " ".join(["x", *(["state"] * len(state or ())), *(["mask"] if mask is not None else [])])
            return told(lent(read, names, x, *(state or ()), *([mask] if mask is not None else [])))

        def told(answer: tuple[Tensor, Any]) -> dict[str, Any]:
            return {say("outputs", "sorties"): answer[0].detach().where(real, 0.0), say("state", "état"): _bare(answer[1])}

        def peer() -> dict[str, Any]:
            return told(_read(kind, weights, x, state, mask, options.get("backwards", False)))

        return scenario(f"{title}, {en}", f"{title}, {fr}", peer, ask, x.numel() + extra)

    def learned(version: Callable[..., Any]) -> list[Tensor]:
        given, cell = x.clone().requires_grad_(), with_weights(kind(width, hidden), weights)
        outputs, state = version(cell, given, mask=ending.clone())
        ends = state if isinstance(state, tuple) else (state,)
        return slopes((outputs.where(ending.unsqueeze(-1), 0.0), *ends), [given, *cell.parameters()])

    def their_slopes() -> list[Tensor]:
        given, own = x.clone().requires_grad_(), {name: value.clone().requires_grad_() for name, value in weights.items()}
        state, passed = tuple(torch.zeros(n, hidden, dtype=x.dtype) for _ in states), []
        step: Any = {RNNCell: torch.rnn_tanh_cell, LSTMCell: torch.lstm_cell, GRUCell: torch.gru_cell}[kind]
        for place in range(tokens):
            renewed = step(given[:, place], state if kind is LSTMCell else state[0], *own.values())
            parts, real = renewed if isinstance(renewed, tuple) else (renewed,), ending[:, place, None]
            state = tuple(new * real + old * ~real for new, old in zip(parts, state, strict=True))
            passed.append(state[0] * real)
        return slopes((torch.stack(passed, dim=1), *state), [given, *own.values()])

    plain = [
        case("forwards", "à l'endroit", 0),
        case("from a state", "depuis un état", 1, states),
        case("backwards", "à rebours", 2, backwards=True),
    ]
    if tokens == 1:
        return plain
    return [
        *plain,
        case("padding at the end", "du remplissage à la fin", 3, mask=ending),
        case("padding at the end, backwards", "du remplissage à la fin, à rebours", 4, mask=ending, backwards=True),
        case("padding at the beginning, from a state", "du remplissage au début, depuis un état", 5, states, starting),
        case("padding, from a state, backwards", "du remplissage, depuis un état, à rebours", 6, states, ending, backwards=True),
        scenario(f"{title}, the gradients", f"{title}, les gradients", their_slopes, learned, x.numel() + 7),
    ]


def _unroll(seed: int) -> list[Case]:
    sizes = (1, 1, 1, 1), (2, 3, 1, 3), (2, 4, 3, 6)
    return [
        case
        for number, kind in enumerate((RNNCell, LSTMCell, GRUCell))
        for place, each in enumerate(sizes)
        for case in _readings(kind, each, seed + 100 * place + 1000 * number)
    ]


# ---------------------------------------------------------------- language models


def _teacher_forcing(seed: int) -> list[Case]:
    def peer(sentences: Tensor) -> tuple[Tensor, ...]:
        return sentences.unfold(1, 2, 1).unbind(-1)

    drawn = [torch.randint(9, shape, generator=torch.Generator().manual_seed(seed)) for shape in ((3, 7), (5, 2), (1, 9))]
    small = [torch.tensor(rows) for rows in ([[1, 2]], [[1, 5, 2]], [[1, 3, 4, 2], [1, 6, 2, PAD]])]
    return [call(peer, sentences) for sentences in [*small, *drawn, drawn[0].int()]]


def _masked_cross_entropy(seed: int) -> list[Case]:
    def peer(logits: Tensor, expected: Tensor) -> Tensor:
        return F.cross_entropy(logits.flatten(0, 1), expected.flatten(), ignore_index=PAD)

    def rows(*each: list[float]) -> Tensor:
        return torch.tensor([each], dtype=torch.float64)

    expected = torch.tensor([[1, 5, 2, 3], [4, 2, PAD, PAD], [2, PAD, PAD, PAD]])
    drawn = torch.randint(1, 7, (4, 5), generator=torch.Generator().manual_seed(seed)) * (
        torch.arange(5) < torch.tensor([[1], [5], [3], [0]])
    )
    small = [
        (rows([0.0, 0.0]), torch.tensor([[1]])),
        (rows([0.0, 1.0, 3.0]), torch.tensor([[2]])),
        (rows([0.0, 1.0], [4.0, 1.0]), torch.tensor([[1, PAD]])),
        (rows([0.0, 1000.0, 0.0]), torch.tensor([[2]])),
        (rows([0.0, -1000.0], [0.0, -1000.0]), torch.tensor([[1, PAD]])),
    ]
    return [
        *(call(peer, *each) for each in small),
        call(peer, 3 * numbers(seed, 3, 4, 6), expected),
        call(peer, numbers(seed + 1, 3, 4, 6, gradient=True), expected),
        call(peer, numbers(seed + 2, 4, 5, 7, gradient=True), drawn),
        call(peer, 500 * numbers(seed + 3, 4, 5, 7), drawn),
        call(peer, numbers(seed + 4, 4, 5, 7).float(), drawn),
    ]


_DRAWS = 30_000


def _frequencies(logits: Tensor, temperature: float, seed: int) -> Case:
    """How often each symbol is drawn, beside PyTorch's probabilities; the same generator draws the same."""
    size = logits.shape[-1]

    def wanted() -> list[list[float]]:
        return [[float(p) for p in row] for row in torch.distributions.Categorical(logits=logits / temperature).probs]

    def ask(version: Callable[..., Any]) -> dict[str, Any]:
        many = logits.repeat(_DRAWS // len(logits), 1)
        first, again = (lent(lambda x: version(x, temperature, torch.Generator().manual_seed(seed)), "logits", many) for _ in range(2))
        counts = [torch.bincount(first[row :: len(logits)], minlength=size).tolist() for row in range(len(logits))]
        frequencies = [within_chance(*each) for each in zip(counts, wanted(), strict=True)]
        return {
            say("frequencies", "fréquences"): frequencies,
            say("same seed", "même graine"): bool(torch.equal(first, again)),
            say("the next draw", "le tirage suivant"): _differ(version, many, temperature, seed),
        }

    def peer() -> dict[str, Any]:
        keys = say("frequencies", "fréquences"), say("same seed", "même graine"), say("the next draw", "le tirage suivant")
        return dict(zip(keys, (wanted(), True, True), strict=True))

    shown = [[round(value, 2) for value in row] for row in logits.tolist()]
    en, fr = (
        f"{_DRAWS} draws, logits = {shown}, temperature = {temperature}",
        f"{_DRAWS} tirages, logits = {shown}, temperature = {temperature}",
    )
    return scenario(en, fr, peer, ask, 1000 + logits.numel())


def _differ(version: Callable[..., Any], logits: Tensor, temperature: float, seed: int) -> bool:
    """Whether the same generator goes on to other draws."""
    generator = torch.Generator().manual_seed(seed)
    first, second = (version(logits, temperature, generator) for _ in range(2))
    return not torch.equal(first, second)


def _sample_next(seed: int) -> list[Case]:
    def likeliest(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
        return torch.distributions.Categorical(logits=logits).mode

    def certain(logits: Tensor, *sure: float) -> Case:
        return call(likeliest, logits, *sure, torch.Generator().manual_seed(seed), may_change=("generator",))

    few, drawn = torch.tensor([[1.0, 0.0, -1.0, 2.0]], dtype=torch.float64), 2 * numbers(seed, 2, 5)
    one, wide = torch.tensor([[-torch.inf, 0.0, -torch.inf]], dtype=torch.float64), numbers(seed + 1, 7, 12)
    return [
        certain(torch.tensor([[1.0, 3.0, 2.0]]), 0.0),
        certain(torch.tensor([[1.0, 3.0], [5.0, 2.0]]), 0.0),
        certain(one, 1.0),
        certain(torch.tensor([[1000.0, 0.0, -1000.0]]), 1.0),
        certain(wide, 0.0),
        certain(wide.float(), 0.0),
        certain(1e5 * wide, 0.5),
        *(_frequencies(few, temperature, seed) for temperature in (0.5, 1.0, 2.0)),
        _frequencies(drawn, 1.5, seed),
        _frequencies(torch.tensor([[0.0, -torch.inf, 0.0]], dtype=torch.float64), 1.0, seed),
    ]


REFERENCES = [
    Reference("recurrent:RNNCell", "torch.nn.RNNCell", cases=_cell(RNNCell, nn.RNNCell), tolerance=1e-10),
    Reference("recurrent:LSTMCell", "torch.nn.LSTMCell", cases=_cell(LSTMCell, nn.LSTMCell), tolerance=1e-10),
    Reference("recurrent:GRUCell", "torch.nn.GRUCell", cases=_cell(GRUCell, nn.GRUCell), tolerance=1e-10),
    Reference(
        "recurrent:unroll",
        say(
            "torch.nn.RNN, LSTM and GRU, bidirectional, on packed sentences",
            "torch.nn.RNN, LSTM et GRU, bidirectionnels, sur des phrases compactées",
        ),
        cases=_unroll,
        tolerance=1e-10,
    ),
    Reference("language_model:teacher_forcing", "torch.Tensor.unfold", cases=_teacher_forcing, tolerance=0.0),
    Reference(
        "language_model:masked_cross_entropy",
        "torch.nn.functional.cross_entropy(ignore_index)",
        cases=_masked_cross_entropy,
        tolerance=1e-10,
    ),
    Reference("language_model:sample_next", "torch.distributions.Categorical", cases=_sample_next, tolerance=1e-10),
]
