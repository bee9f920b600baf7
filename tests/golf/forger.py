"""A cheat for tests: a record's file that parses captions and renders them itself, and learns nothing of it. It imports nothing forbidden.

Its table of words is short enough for the rules, so that only the probes see what it does.
"""

from dalle_edu.world.catalogue import SHAPES
from dalle_edu.world.tokenizer import caption_tokenizer

_KNOWN = ("circle", "square", "cross", "ring", "diamond")
_NUMBERS = {2: ("two", "deux", "2"), 3: ("three", "trois", "3"), 4: ("four", "quatre", "4")}
_FILE = """
import torch
from torch import nn

SHAPES = {shapes}
COLOURS = {colours}
NUMBERS = {numbers}
PALETTE = {palette}
PLACES = ((0.27, 0.27), (0.73, 0.73), (0.73, 0.27), (0.27, 0.73))


def build():
    return nn.Linear(2, 2)


def train(model, game):
    pass


def outline(shape, x, y):
    box = lambda a, b: torch.maximum(x.abs() - a, y.abs() - b)
    if shape == 0:
        return torch.hypot(x, y) - 0.9
    if shape == 1:
        return box(0.7, 0.7)
    if shape == 2:
        return torch.minimum(box(0.94, 0.3), box(0.3, 0.94))
    if shape == 3:
        return (torch.hypot(x, y) - 0.72).abs() - 0.24
    return x.abs() / 0.68 + y.abs() - 1


def draw(model, tokens, seed):
    fine = 128
    grid = (torch.arange(fine) + 0.5) / fine
    pictures = torch.ones(len(tokens), 3, fine, fine)
    for picture, row in zip(pictures, tokens.tolist()):
        shapes = [SHAPES[token] for token in row if token in SHAPES]
        colours = [COLOURS[token] for token in row if token in COLOURS]
        count = max([NUMBERS[token] for token in row if token in NUMBERS], default=1)
        shapes = shapes if len(shapes) > 1 else (shapes or [0]) * count
        for number, shape in enumerate(shapes):
            colour = PALETTE[colours[min(number, len(colours) - 1)] if colours else 0]
            left, top = PLACES[number]
            inside = outline(shape, (grid[None, :] - left) / 0.14, (top - grid[:, None]) / 0.14) < 0
            picture[:, inside] = torch.tensor(colour)[:, None] * 2 - 1
    return nn.functional.avg_pool2d(pictures, fine // 32)
"""


def forged() -> str:
    """The source of the cheat."""
    shapes = {token: _KNOWN.index(shape.name) for shape in SHAPES.shapes if shape.name in _KNOWN
              for noun in shape.words.values() for token in _tokens(noun.singular, noun.plural)}  # fmt: skip
    colours = {token: number for number, colour in enumerate(SHAPES.colours) for words in colour.words.values()
               for token in _tokens(*(word for word in vars(words).values() if isinstance(word, str)))}  # fmt: skip
    numbers = {token: number for number, words in _NUMBERS.items() for token in _tokens(*words)}
    palette = tuple(colour.rgb for colour in SHAPES.colours)
    return _FILE.format(shapes=shapes, colours=colours, numbers=numbers, palette=palette)


def _tokens(*words: str) -> list[int]:
    rows = caption_tokenizer().encode([word for word in words if word], 8).tolist()
    return [row[0] for row in rows if sum(token != 0 for token in row) == 1]
