"""The experiments of the bricks: each runs, draws and says what it found in both languages; at full length, some promise a score."""

import importlib
import math
import pkgutil
import re
import tomllib
import warnings
from itertools import chain
from pathlib import Path

import pytest
from matplotlib.text import Text
from PIL import Image

from dalle_edu import bricks
from dalle_edu.classroom import demos, pretrained
from dalle_edu.classroom.demo import run
from dalle_edu.classroom.demos import vqgan as demos_vqgan

NAMES = sorted(module.name for module in pkgutil.iter_modules(demos.__path__))
BRIEF = {
    "gan": {"rounds": 60},
    "perceptron": {"epochs": 20},
    "samplers": {"n": 40},
    "decoding": {"marked": 8},
    "words": {"count": 300, "epochs": 1},
    "recurrent": {"steps": 2, "reach": 8},
}
SMALL = {
    "bart": {"gpt.SCENES": 320, "gpt.EXAM": 8},
    "contrastive": {"contrastive.PAIRS": 1000, "contrastive.TESTED": 100},
    "diffusion": {"diffusion.PER_DIGIT": 6},
    "flow": {"flow.PER_DIGIT": 8},
    "gpt": {"gpt.SCENES": 320, "gpt.EXAM": 8},
    "seq2seq": {"seq2seq.PAIRS": 600, "seq2seq.NEW": 16},
    "transformer": {"transformer.PAIRS": 600, "transformer.NEW": 8},
}


def test_every_brick_has_its_experiment():
    """One of its own, or that of the brick beside which it is best seen."""
    shown = [getattr(importlib.import_module(f"{demos.__name__}.{name}"), "SHOWS", (name,)) for name in NAMES]
    assert sorted(chain.from_iterable(shown)) == sorted(bricks.BRICKS)


def test_the_order_of_the_bricks_is_the_one_that_is_kept():
    """What `BRICKS` says, what files there are, and what the import contract holds."""
    assert sorted(module.name for module in pkgutil.iter_modules(bricks.__path__)) == sorted(bricks.BRICKS)
    contracts = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = (contract["layers"] for contract in contracts if contract["containers"] == ["dalle_edu.bricks"])
    assert layers[::-1] == list(bricks.BRICKS)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_runs_and_draws(name, monkeypatch, tmp_path):
    """In French, whose numbers a figure must write otherwise than matplotlib does."""
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    for constant, value in SMALL.get(name, {}).items():
        monkeypatch.setattr(f"dalle_edu.classroom.demos.{constant}", value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "__array_", DeprecationWarning)  # a tensor handed to matplotlib
        shown = run(name, seed=1, **BRIEF.get(name, {"steps": 2}))
        shown.save(tmp_path / "shown.png")
    assert Image.open(tmp_path / "shown.png").width > 600
    assert shown.says_en != shown.says_fr
    texts = [shown.says_fr, *(text.get_text() for text in shown.figure.findobj(Text))]
    assert not [text for text in texts if re.search(r"\d\.\d|\d%", text)], "numbers as English writes them"
    assert all(math.isfinite(number) for number in shown.numbers.values()), shown.numbers
    assert "cpu_seconds" in shown.numbers


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cyclegan", "vqgan"])
def test_without_kept_weights_an_experiment_trains_briefly_and_says_so(name, monkeypatch, tmp_path):
    monkeypatch.setattr(pretrained, "weights_path", lambda name: tmp_path / f"{name}.safetensors")
    monkeypatch.setattr(demos_vqgan, "JUDGE_STEPS", 2)
    shown = run(name, steps=2)
    assert shown.numbers["steps_trained"] == 2
    assert "Trained for 2 steps only" in shown.says_en
    assert "Entraîné 2 pas seulement" in shown.says_fr


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "promise"),
    [
        ("autoencoder", lambda numbers: numbers["error_vae_2"] < numbers["error_pca_2"]),
        ("diffusion", lambda numbers: numbers["as_asked_at_guidance_2"] >= 0.95),
        ("gan", lambda numbers: numbers["classes_present"] >= 9 > numbers["classes_collapsed"]),
        ("seq2seq", lambda numbers: numbers["exact_with_attention"] >= 0.98),
    ],
)
def test_an_experiment_reaches_what_it_promises(name, promise):
    numbers = run(name).numbers
    assert promise(numbers), numbers
