"""What lesson 03 draws, and the finding of its knob."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dalle_edu.bricks.recurrent import LSTMCell, unroll
from dalle_edu.classroom.diagrams.recurrent import draw_letters, draw_lstm, draw_tape, draw_translator, draw_unrolled
from dalle_edu.classroom.figures import Picture
from dalle_edu.classroom.widgets.gates import draw_gates, gate_explorer, gate_readings
from dalle_edu.errors import DalleEduError


def recalled(forget_bias: float, seed: int) -> float:
    """How often an LSTM tells the sign of the first of 25 numbers, after a hundred steps; as in section 5 of the lesson."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    cell, head = LSTMCell(1, 8), nn.Linear(8, 1)
    with torch.no_grad():
        cell.bias_ih[8:16] = forget_bias
        cell.bias_hh[8:16] = 0
    weights = [*cell.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(weights, lr=0.02)
    for step in range(101):
        numbers = torch.randn(32 if step < 100 else 500, 25, 1, generator=generator) / 2
        bits = torch.randint(2, (len(numbers),), generator=generator).float()
        numbers[:, 0, 0] = 4 * bits - 2
        logits = head(unroll(cell, numbers)[0][:, -1]).squeeze(1)
        if step < 100:
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(logits, bits).backward()
            nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
    return ((logits > 0) == (bits > 0)).float().mean().item()


@pytest.mark.parametrize("seed", range(3))
def test_a_forget_bias_of_zero_forgets_before_it_learns_and_one_of_two_remembers(seed):
    assert recalled(0.0, seed) < 0.65
    assert recalled(2.0, seed) > 0.95


def test_readings_are_those_of_the_cell():
    torch.manual_seed(0)
    cell, embedded = LSTMCell(3, 5), torch.randn(1, 7, 3)
    read = gate_readings(cell, embedded)
    outputs, (_, memory) = unroll(cell, embedded)
    assert torch.allclose(read["h"], outputs[0], atol=1e-6)
    assert torch.allclose(read["c"][-1], memory[0], atol=1e-6)
    candidates = (read["c"][1:] - read["f"][1:] * read["c"][:-1]) / read["i"][1:]
    assert float(candidates.abs().max()) <= 1 + 1e-5
    assert torch.allclose(read["h"], read["o"] * read["c"].tanh(), atol=1e-6)
    assert not read["h"].requires_grad


def test_a_walk_says_what_the_strongest_unit_holds(monkeypatch):
    values = {part: torch.tensor([0.25, 0.5]) for part in "fio"} | {"c": torch.tensor([1.0, -2.5]), "h": torch.zeros(2)}
    shown = draw_gates("s", values, [4, 9])
    assert "unit 9 holds −2.5 and has kept 50% of its memory" in shown.alt
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert "l'unité 9 contient −2,5 et a gardé 50\u00a0% de sa mémoire" in draw_gates("s", values, [4, 9]).alt


def test_a_memory_beyond_the_scale_has_its_number_on_its_bar(monkeypatch):
    written = []
    monkeypatch.setattr("matplotlib.axes.Axes.text", lambda self, x, y, text, **options: written.append((x, text)))
    values = {part: torch.tensor([0.25, 0.5, 0.5]) for part in "fio"} | {"c": torch.tensor([2.9, -6.42, 3.3]), "h": torch.zeros(3)}
    draw_gates("s", values, [4, 9, 7])
    zero = 2.6 * 3 + 1
    assert [(x > zero, text) for x, text in written if text[-2:-1] == "."] == [(False, "−6.4"), (True, "3.3")]


@pytest.mark.parametrize(("text", "hidden", "clue"), [("two small green stars", 20, 0), ("a" * 52, 50, 1), ("deux étoiles", 10, 5)])
def test_the_arc_over_a_tape_stays_under_its_words(text, hidden, clue, monkeypatch):
    from matplotlib.axes import Axes

    drawn, plain = [], Axes.annotate
    monkeypatch.setattr(Axes, "annotate", lambda self, *given, **options: drawn.append(self) or plain(self, *given, **options))
    draw_tape(text, hidden, clue)
    (axes,) = drawn
    arrow = next(each for each in axes.texts if getattr(each, "arrow_patch", None))
    words = next(each for each in axes.texts if each.get_text().endswith("letters"))
    axes.figure.canvas.draw()
    assert arrow.arrow_patch.get_window_extent().y1 < words.get_window_extent().y0


def test_a_walk_has_a_place_for_each_letter_and_refuses_others():
    cell = LSTMCell(2, 3)
    readings = gate_readings(cell, torch.zeros(1, 4, 2))
    explorer = gate_explorer(list("a ab"), readings, [0, 2])
    assert explorer is not None
    with pytest.raises(DalleEduError, match="the text has 3 symbols and the readings 4"):
        gate_explorer(list("abc"), readings, [0])
    many = {part: torch.zeros(41, 3) for part in readings}
    with pytest.raises(DalleEduError, match="from 1 to 40"):
        gate_explorer(list("a" * 41), many, [0])


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        (lambda: draw_tape("deux étoiles", 10, 5), "one 5 letters earlier"),
        (lambda: draw_unrolled(list("abc"), every=True), "each output is kept"),
        (lambda: draw_unrolled(list("abc"), every=False), "the last one is kept"),
        (lambda: draw_lstm(), "Four boxes"),
        (lambda: draw_lstm(dict.fromkeys(("f", "i", "g", "o", "c", "h", "before"), 0.5)), "Four boxes"),
        (lambda: draw_translator(["une", "étoile"], ["a", "star", "."], looks=False), "has nothing else"),
        (lambda: draw_translator(["une", "étoile"], ["a", "star", "."], looks=True), "looks at every state"),
        (lambda: draw_letters(["ab"], [torch.tensor([0.0, -1.0])], "two coloured letters"), "two coloured letters"),
    ],
)
def test_each_diagram_says_what_it_shows(drawn, words):
    shown = drawn()
    assert isinstance(shown, Picture)
    assert words in shown.alt
    assert shown.smallest_text is not None
    assert shown.smallest_text >= 16


def test_letters_without_any_number_are_left_white():
    assert draw_letters(["ab"], [torch.zeros(2)], "two white letters").png
