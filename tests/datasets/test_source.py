import dataclasses
import pickle
from collections.abc import Iterator
from itertools import product

import pytest
import torch
from sprites import moons, sprites
from torch.utils.data import DataLoader

from dalle_edu.datasets import Digits, Source, WorldSource
from dalle_edu.datasets.captioned_source import CaptionedSource
from dalle_edu.datasets.source import ENDLESS, Batch, Series
from dalle_edu.world import LANGUAGES, SHAPES, Catalogue, Description, Mention, World, phrasings
from dalle_edu.world.domain import ClosedDomain
from dalle_edu.world.grammar import every_caption, read_caption
from dalle_edu.world.held_out import is_held_out
from dalle_edu.world.scene_sampler import PRACTICE
from dalle_edu.world.scenes import RELATIONS
from dalle_edu.world.tokenizer import caption_tokenizer

OTHER = dataclasses.replace(SHAPES, shapes=SHAPES.shapes[:3], held_out_objects=frozenset(), held_out_relations=frozenset())


def test_sources_keep_the_protocol():
    for source in (WorldSource(), CaptionedSource(Digits(16, first=40))):
        assert isinstance(source, Source)
        series = source.series(1)
        assert isinstance(series, Series)
        assert isinstance(series.collate([series[0], series[1]]), Batch)
        assert isinstance(source.held_out(2), Batch)
        assert len(series) == ENDLESS


def test_the_world_is_what_training_has_always_taken():
    series, world = WorldSource().series(5), World(2**62, seed=5, kinds=PRACTICE)
    assert [series[i] for i in (0, 1, 1000, 2**61)] == [world[i] for i in (0, 1, 1000, 2**61)]
    source = WorldSource()
    assert source.tokenizer is caption_tokenizer()
    assert (source.text_length, source.size, source.fingerprint, source.name) == (None, None, "world 1", "world")
    assert source.domain == ClosedDomain()
    assert source.remarks() == []


def test_the_world_holds_out_its_combinations():
    source = WorldSource()
    batch, again = source.held_out(20), source.held_out(20)
    assert batch.captions == again.captions
    assert torch.equal(batch.images(16), again.images(16))
    world = World(20, 2**63 - 1, "held_out", kinds=PRACTICE)
    assert all(is_held_out(world[i][0].objects) for i in range(20))
    assert batch.captions == [world[i][1] for i in range(20)]


@pytest.mark.parametrize("catalogue", [moons(), sprites()], ids=["moons", "sprites"])
def test_no_caption_of_a_catalogue_is_too_long(catalogue):
    """The longest are rare: both objects with their sizes, in the longest words, one in some hundred captions of training and of exams."""
    source = WorldSource(catalogue)
    said = [Description((Mention(s, c, z), Mention(s, d, y)), relation=r) for s, c, d, z, y, r in _pairs(catalogue)]
    captions = [way for description in said for language in LANGUAGES for way in phrasings(description, language, catalogue)]
    longest = max(source.tokenizer.lengths(captions))
    assert longest == source.text_length
    assert longest > max(source.tokenizer.lengths(list(every_caption(catalogue)))) - 1


def _pairs(catalogue: Catalogue) -> Iterator[tuple]:
    colours, sizes = ([thing.name for thing in things] for things in (catalogue.colours, catalogue.sizes))
    shapes = [shape.name for shape in catalogue.shapes]
    return product(shapes, colours, colours, sizes, sizes, (None, *RELATIONS))


def test_another_catalogue_brings_its_words():
    source = WorldSource(OTHER)
    captions = [source.series(0)[i][1] for i in range(200)]
    assert source.tokenizer.vocabulary_size < 512
    assert max(source.tokenizer.lengths(captions)) <= source.text_length
    assert source.domain.catalogue is OTHER
    assert len(source.held_out(5).captions) == 5
    assert all(read_caption(caption, OTHER) is not None for caption in captions)


def test_another_catalogue_has_another_fingerprint():
    pytest.importorskip("dalle_edu.world.catalogue_files")
    fewer = dataclasses.replace(OTHER, colours=OTHER.colours[:2])
    prints = [WorldSource(catalogue).fingerprint for catalogue in (SHAPES, OTHER, OTHER, fewer)]
    assert prints[1] == prints[2]
    assert len(set(prints)) == 3


def test_the_world_goes_to_spawned_workers():
    series = WorldSource().series(2)
    again = pickle.loads(pickle.dumps(series))
    assert again[7] == series[7]
    loader = DataLoader(series, batch_sampler=[[3, 4]], collate_fn=series.collate, num_workers=1)
    assert next(iter(loader)).captions == [series[3][1], series[4][1]]
