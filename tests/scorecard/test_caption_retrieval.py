"""Retrieval and CLIP score, by hand."""

import pytest
import torch

from dalle_edu.scorecard.caption_retrieval import GALLERY, Captions, match


def test_equal_captions_count_as_one_and_galleries_hold_each_once():
    captions = Captions.of(["Un été", "a cat", "un ete", "a dog", "A-cat"])
    assert captions.distinct == ("Un été", "a cat", "a dog")
    assert captions.own.tolist() == [0, 1, 0, 2, 1]
    many = Captions.of([f"number {i}" for i in range(50)])
    galleries = many.galleries(seed=0)
    assert galleries.shape == (50, GALLERY)
    assert torch.equal(galleries[:, 0], many.own)
    assert all(len(set(row)) == GALLERY for row in galleries.tolist())
    assert len({i for row in galleries[:, 1:].tolist() for i in row}) == 50
    assert not torch.equal(galleries, many.galleries(seed=1))
    assert torch.equal(galleries, many.galleries(seed=0))


def test_matches_by_hand():
    captions = Captions.of(["a", "a", "b", "c"])
    cosines = torch.tensor([[0.5, 0.1, 0.1], [0.2, 0.4, 0.1], [0.1, 0.6, -0.2], [0.7, 0.3, 0.7]])
    found = match(cosines, torch.eye(3), captions, captions.galleries())
    assert (found.found.n, found.found.correct) == (4, 2)  # the second is nearer to b, the fourth is a tie
    assert found.clip_score == pytest.approx(100 * (0.5 + 0.2 + 0.6 + 0.7) / 4)
    # of a picture's score with each picture's caption that is not its own; -0.2 counts as 0
    assert found.clip_score_of_others == pytest.approx(100 * (0.1 + 0.1 + 0.4 + 0.1 + 2 * 0.1 + 0 + 2 * 0.7 + 0.3) / (2 + 2 + 3 + 3))


def test_a_blind_critic_finds_nothing_and_one_caption_asks_nothing():
    captions = Captions.of(["a", "b", "c"])
    assert match(torch.ones(3, 1), torch.ones(3, 1), captions, captions.galleries()).found.correct == 0
    alone = Captions.of(["a", "A"])
    found = match(torch.ones(2, 1), torch.ones(1, 1), alone, alone.galleries())
    assert (found.found.n, found.clip_score_of_others) == (0, 0)
