"""Seeds: what is accepted and what is refused, in one sentence, in Python and on the command line."""

import json

import numpy as np
import pytest
import torch
from tiny_systems import build

from dalle_edu.errors import DalleEduError
from dalle_edu.scorecard import questions
from dalle_edu.seeds import SEEDS, check_seed
from dalle_edu.systems.critics.reranking import draw_candidates
from dalle_edu.training.run import Run
from dalle_edu.world import World, sample_scene

SENTENCE = ["a red circle"]
NO_SEEDS = [-1, SEEDS, 1.5, np.float32(2), float("nan"), None, True, np.True_, [1], "3", 10**5000, -(10**5000)]


@pytest.mark.parametrize("seed", [0, 7, np.int64(7), np.uint8(7), np.array(7), torch.tensor(7), SEEDS - 1])
def test_whole_numbers_of_any_kind_are_seeds(seed):
    assert type(check_seed(seed)) is int
    assert check_seed(seed) == int(seed)


@pytest.mark.parametrize("seed", NO_SEEDS, ids=[str(number) for number in range(len(NO_SEEDS))])
def test_anything_else_is_refused_in_one_short_sentence(seed):
    with pytest.raises(DalleEduError, match="the seed is .*; give a whole number from 0 to 9223372036854775807") as refused:
        check_seed(seed)
    assert len(str(refused.value)) < 140
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("seed", [1.5, None, -1, True])
def test_every_door_has_the_same_gate(seed, no_shape_checking):
    dalle2, dalle1 = build("dalle2"), build("dalle1")
    images = torch.zeros(1, 3, dalle1.resolution, dalle1.resolution)
    for door in (
        lambda: dalle1.generate(SENTENCE, seed=seed),
        lambda: build("vqgan_clip").generate(SENTENCE, seed=seed),
        lambda: dalle1.complete(images, SENTENCE, seed=seed),
        lambda: dalle1.sample_codes(SENTENCE, seed=seed),
        lambda: dalle2.sample_embeddings(SENTENCE, seed),
        lambda: dalle2.vary(images, seed=seed),
        lambda: draw_candidates(dalle1, SENTENCE, 1, seed),
        lambda: World(3, seed=seed),
        lambda: sample_scene(seed),
        lambda: questions(2, seed),
        lambda: Run("dalle1", updates=10, seed=seed),
    ):
        with pytest.raises(DalleEduError, match="the seed is "):
            door()


def test_numpys_integers_draw_what_pythons_do_and_may_be_written(no_shape_checking):
    system = build("dalle1")
    assert torch.equal(system.generate(SENTENCE, seed=np.int64(3)), system.generate(SENTENCE, seed=3))
    assert World(2, seed=np.int32(3))[0] == World(2, seed=3)[0]
    assert json.dumps(vars(Run("dalle1", updates=10, seed=np.int64(3))))
    largest = SEEDS - 1
    assert len(questions(2, largest)) == 2  # whose scenes are of series further on


@pytest.mark.parametrize("seed", ["-1", "1.5", "abc", "", str(SEEDS), "9" * 5000], ids=[*"abcdef"])
def test_the_command_line_refuses_in_the_same_sentence(run, seed):
    status, _, error = run("world", f"--seed={seed}", "--out", "world.png")
    assert status == 1
    assert "the seed is '" in error
    assert "give a whole number from 0 to 9223372036854775807" in error


def test_the_command_line_takes_what_python_takes(run, tmp_path):
    for words in ((), ("--seed", 0), ("--seed", SEEDS - 1)):
        assert run("world", *words, "--out", f"{len(words)}{words[-1:]}.png")[0] == 0
