from dataclasses import replace

import pytest
import torch
from torch.utils.data import DataLoader

from dalle_edu.errors import DalleEduError
from dalle_edu.world import SHAPES, Batch, World, is_held_out, read_caption, render, sample_scene
from dalle_edu.world.grammar import PHRASEBOOKS, phrasings


def test_an_item_is_a_scene_and_one_of_its_captions():
    world = World(30, seed=4)
    for i in range(30):
        scene, text = world[i]
        assert scene == sample_scene(4, i)
        assert text in phrasings(scene.description, "fr") + phrasings(scene.description, "en")
        assert read_caption(text) == scene.description


def test_an_item_depends_on_the_seed_and_its_number_alone():
    assert World(30, seed=4)[7] == World(1000, seed=4)[7]
    assert World(30, seed=4)[7] != World(30, seed=5)[7]


def test_it_ends():
    world = World(5)
    assert len(world) == 5
    assert len(list(world)) == 5
    for index in (5, -1):
        with pytest.raises(IndexError, match=f"item {index} of a world of 5"):
            world[index]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"length": -1}, "a world of -1 scenes was asked for; give a whole number from 0 on"),
        ({"split": "x"}, 'the split is "x"; choose among: seen, held_out, all'),
        (
            {"split": "held_out", "catalogue": replace(SHAPES, held_out_objects=frozenset(), held_out_relations=frozenset())},
            "holds no comb",
        ),
        ({"languages": ["de"]}, r"the languages of captions are \(de\); choose among: fr, en"),
        ({"languages": "fr"}, r"the languages of captions are \(f, r\)"),
        ({"languages": []}, r"the languages of captions are \(\)"),
        ({"kinds": {"triple": 1.0}}, r"the kinds of captions are \(triple\); choose among: single, pair"),
        ({"kinds": {"single": -1.0}}, "give none below 0"),
        ({"kinds": {"single": float("nan")}}, "give none below 0"),
        ({"kinds": {"single": 0.0}}, "and one above it"),
    ],
)
def test_a_world_that_cannot_be_is_refused_when_it_is_asked_for(options, told):
    with pytest.raises(DalleEduError, match=told):
        World(**{"length": 3} | options)


def test_a_world_may_be_empty():
    assert list(World(0)) == []


def test_splits_and_languages():
    assert all(is_held_out(scene.objects) for scene, _ in World(20, split="held_out"))
    assert not any(is_held_out(scene.objects) for scene, _ in World(20, split="seen"))
    for language in PHRASEBOOKS:
        for scene, text in World(20, languages=[language]):
            assert text in phrasings(scene.description, language)
    both = World(60)
    french = sum(text in phrasings(scene.description, "fr") for scene, text in both)
    assert 15 <= french <= 45


def batches(workers: int) -> list[Batch]:
    world = World(24, seed=9)
    return list(DataLoader(world, batch_size=8, collate_fn=world.collate, num_workers=workers))


def test_workers_change_nothing():
    alone, together = batches(0), batches(2)
    assert len(alone) == len(together) == 3
    for first, second in zip(alone, together, strict=True):
        assert first.captions == second.captions
        assert torch.equal(first.images(32), second.images(32))


def test_a_batch_draws_its_scenes():
    world = World(8, seed=9)
    batch = world.collate([world[i] for i in range(8)])
    assert torch.equal(batch.images(64), render([world[i][0] for i in range(8)], 64))
    assert batch.captions == [world[i][1] for i in range(8)]
