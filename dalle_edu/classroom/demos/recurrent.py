"""Three recurrent cells learn the world's captions, character by character: what they generate, and how far back their gradients reach."""

import time
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dalle_edu.bricks.language_model import START, CharacterModel, SequenceVocabulary
from dalle_edu.bricks.recurrent import Cell, GRUCell, LSTMCell, RNNCell, hidden_of, unroll
from dalle_edu.classroom.demo import Demo
from dalle_edu.language import say
from dalle_edu.world import LANGUAGES, World, phrasings, read_caption

SHOWS = ("recurrent", "language_model")

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = {"RNN": "#E69F00", "GRU": "#009E73", "LSTM": "#0072B2"}  # Okabe & Ito
CELLS: dict[str, type[Cell]] = {"RNN": RNNCell, "GRU": GRUCell, "LSTM": LSTMCell}
CAPTIONS, BATCH, LENGTH, SAMPLES, SHOWN = 4000, 64, 90, 200, 3
MOMENTS = (0.04, 0.12, 0.3, 1.0)  # parts of the training after which the LSTM writes


def written(model: CharacterModel, vocabulary: SequenceVocabulary, count: int, seed: int) -> list[str]:
    """Sentences from the start symbol alone, at temperature 1."""
    prompt = torch.full((count, 1), START)
    tokens = model.sample(prompt, LENGTH, 1.0, torch.Generator().manual_seed(seed))
    return ["".join(vocabulary.decode(row)) for row in tokens]


def trained(
    cell: type[Cell], captions: Tensor, vocabulary: SequenceVocabulary, steps: int, seed: int
) -> tuple[CharacterModel, list[float], dict[int, list[str]]]:
    """A character model, the loss of each step, and what it wrote on the way."""
    torch.manual_seed(seed)
    model = CharacterModel(len(vocabulary), width=32, hidden=128, cell=cell)
    optimizer = torch.optim.Adam(model.parameters(), lr=8e-3)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, total_steps=steps, pct_start=0.1)
    generator = torch.Generator().manual_seed(seed)
    moments = {max(1, round(part * steps)) for part in MOMENTS} if cell is LSTMCell else set()
    losses, samples = [], {}
    for step in range(1, steps + 1):
        batch = captions[torch.randint(len(captions), (BATCH,), generator=generator)]
        loss = model.loss(batch[:, : int((batch > 0).sum(dim=1).max())])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # a recurrent network's gradient explodes now and then
        optimizer.step()
        pace.step()
        losses.append(float(loss.detach()))
        if step in moments:
            samples[step] = written(model, vocabulary, SAMPLES if step == steps else SHOWN, seed)
    return model, losses, samples


def memory(model: CharacterModel, captions: Tensor, reach: int) -> Tensor:
    """How strongly the state after `reach` characters feels each of them: the gradient's norm, against that of the last character."""
    real = captions[(captions[:, :reach] > 0).all(dim=1)][:100, :reach]
    embedded = model.embedding(real).detach().requires_grad_()
    _, state = unroll(model.cell, embedded)
    direction = torch.randn(hidden_of(state).shape, generator=torch.Generator().manual_seed(0))
    (slope,) = torch.autograd.grad((hidden_of(state) * direction).sum(), embedded)
    felt = slope.norm(dim=-1).mean(dim=0).flip(0)
    return felt / felt[0]


def is_of_the_world(sentence: str) -> bool:
    """Whether the world's grammar says exactly this, in one of its languages."""
    description = read_caption(sentence)
    return description is not None and any(sentence in phrasings(description, language) for language in LANGUAGES)


def demo(seed: int = 0, steps: int = 220, reach: int = 40) -> Demo:
    """Train the same model with each cell on captions in both languages; count the sentences of the world among those the LSTM writes."""
    started = time.process_time()
    world = World(CAPTIONS, seed)
    sentences = [world[index][1] for index in range(CAPTIONS)]
    vocabulary = SequenceVocabulary(sentences)
    captions = vocabulary.encode(sentences)
    losses: dict[str, list[float]] = {}
    felt: dict[str, Any] = {}
    samples: dict[Any, Any] = {}
    numbers = {"steps": float(steps)}
    for name, cell in CELLS.items():
        model, losses[name], path = trained(cell, captions, vocabulary, steps, seed)
        samples |= path
        felt[name] = memory(model, captions, reach)
        numbers[f"nats_per_character_{name}"] = sum(losses[name][-20:]) / len(losses[name][-20:])
    last = samples[steps]
    valid = [sentence for sentence in last if is_of_the_world(sentence)]
    numbers["sentences_of_the_world"] = len(valid) / len(last)
    numbers["of_these_new"] = len(set(valid) - set(sentences)) / max(1, len(set(valid)))
    numbers["cpu_seconds"] = time.process_time() - started
    share, new = numbers["sentences_of_the_world"], numbers["of_these_new"]
    return Demo(
        _figure(losses, felt, samples),
        numbers,
        f"After {steps} steps, {share:.0%} of what the LSTM writes, letter by letter, are sentences of the world, "
        f"and {new:.0%} of these were not in its {CAPTIONS:,} captions.",
        f"Après {steps} pas, {100 * share:.0f} % de ce que le LSTM écrit, lettre par lettre, sont des phrases du monde, "
        f"et {100 * new:.0f} % d'entre elles n'étaient pas dans ses {CAPTIONS // 1000} 000 légendes.",
    )


def _figure(losses: dict[str, list[float]], felt: dict[str, Tensor], samples: dict[int, list[str]]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7.6), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=[1, 1.2])
    learning, remembering, table = (figure.add_subplot(place) for place in (grid[0, 0], grid[0, 1], grid[1, :]))
    for name, colour in COLOURS.items():
        smooth = torch.tensor(losses[name]).unfold(0, min(10, len(losses[name])), 1).mean(dim=1)
        learning.plot(range(len(smooth)), smooth, color=colour, linewidth=2, label=name)
        remembering.plot(range(len(felt[name])), felt[name].clamp(min=1e-9), color=colour, linewidth=2, label=name)
    learning.set(xlabel=say("step", "pas"), ylabel=say("nats per character", "nats par caractère"))
    learning.set_title(say("Learning to spell", "Apprendre à épeler"))
    remembering.set(xlabel=say("characters ago", "caractères plus tôt"), ylabel=say("pull on the state", "effet sur l'état"), yscale="log")
    remembering.set_title(say("How far back the state remembers", "Jusqu'où l'état se souvient"))
    for axes in (learning, remembering):
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    table.set_axis_off()
    table.set_title(say("What the LSTM writes, one character after the other", "Ce que le LSTM écrit, un caractère après l'autre"))
    lines = [(step, sentence) for step, sentences in sorted(samples.items()) for sentence in sentences[:SHOWN]]
    for row, (step, sentence) in enumerate(lines):
        height = 1 - (row + 0.7 + 0.4 * (row // SHOWN)) / (len(lines) + 0.4 * len(samples))
        if row % SHOWN == 0:
            table.text(0.0, height, say(f"step {step}", f"pas {step}"), fontsize=11, fontweight="bold", transform=table.transAxes)
        table.text(0.09, height, sentence, fontsize=10.5, family="monospace", transform=table.transAxes)
    return figure
