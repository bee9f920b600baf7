"""Catalogues travel as data: read again they draw, say and read the same, and nothing else is accepted."""

import copy
import json
import random
from typing import Any

import pytest
import torch
from sprites import moons, sprites

from dalle_edu.errors import DalleEduError
from dalle_edu.world import LANGUAGES, SHAPES, caption, read_caption, render, sample_scene
from dalle_edu.world.catalogue_files import catalogue_from_json, catalogue_to_json, world_of
from dalle_edu.world.domain import SHAPES_DOMAIN, ClosedDomain, OpenDomain, catalogue_of, domain_from_json, domain_to_json

MADE = {"moons": moons(), "sprites": sprites()}


def again(catalogue: Any) -> Any:
    return catalogue_from_json(json.loads(json.dumps(catalogue_to_json(catalogue))))


@pytest.mark.parametrize("name", sorted(MADE))
def test_a_catalogue_read_again_draws_and_says_the_same(name):
    catalogue = MADE[name]
    read = again(catalogue)
    scenes = [sample_scene(5, index, "all", catalogue) for index in range(60)]
    for side in (32, 64):
        ours, theirs = (render(scenes, side, catalogue=each) for each in (catalogue, read))
        assert float((ours - theirs).abs().max()) < 0.12  # of 2: a table of distances, and 256 levels of a sprite
        assert float((ours - theirs).abs().mean()) < 1e-3
    assert [sample_scene(5, index, "all", read) for index in range(60)] == scenes
    for index, scene in enumerate(scenes):
        for language in LANGUAGES:
            said = caption(scene.description, language, index, catalogue)
            assert caption(scene.description, language, index, read) == said
            assert read_caption(said, read) == scene.description
    assert world_of(again(read)) == world_of(read)
    assert world_of(catalogue) == world_of(read)


def test_the_shapes_travel_by_name_and_stay_themselves():
    assert again(SHAPES) is SHAPES
    assert catalogue_to_json(SHAPES) == {"name": "shapes"}
    assert world_of(SHAPES) == 1


def test_worlds_differ_where_anything_in_them_does():
    from dataclasses import replace

    one = moons()
    others = [
        replace(one, shapes=one.shapes[:-1]),
        replace(one, held_out_objects=frozenset()),
        replace(one, sizes=one.sizes[::-1]),
        replace(one, colours=(replace(one.colours[0], rgb=(0.8, 0.1, 0.12)), *one.colours[1:])),
        sprites(),
    ]
    assert len({world_of(each) for each in (one, *others)}) == len(others) + 1
    assert world_of(moons()) == world_of(one)


def test_domains_are_written_and_read():
    assert domain_from_json(domain_to_json(SHAPES_DOMAIN)) == SHAPES_DOMAIN
    closed = domain_from_json(domain_to_json(ClosedDomain(MADE["moons"])))
    assert closed.catalogue is not None
    assert world_of(closed.catalogue) == world_of(MADE["moons"])
    open_one = OpenDomain(("chat", "tapis"))
    assert domain_from_json(domain_to_json(open_one)) == open_one


def test_an_open_domain_reports_unknown_words_and_refuses_what_is_no_sentence(no_shape_checking):
    domain = OpenDomain(("chat", "d", "tapis", "un"))
    assert domain.check_prompt("Un CHAT d’un tapis") is None
    assert "dragon" in (domain.check_prompt("un chat et un dragon") or "")
    for bad in ("", "  ", "a" * 301, "a\x00b", 3):
        with pytest.raises(DalleEduError):
            domain.check_prompt(bad)  # type: ignore[arg-type]
    with pytest.raises(DalleEduError, match="people wrote"):
        catalogue_of(type("Model", (), {"domain": domain}))


def paths(document: Any, path: tuple = ()) -> list[tuple]:
    """The places of all values in a document."""
    found = [path]
    entries = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for key, value in entries:
        found += paths(value, (*path, key))
    return found


ODD = [
    None,
    3,
    -1.5,
    float("nan"),
    "",
    "x" * 5000,
    [],
    {},
    [[]],
    {"distance": "os.system"},
    {"sprite": "AAAA"},
    {"table": "!"},
    True,
    10**40,
]


def test_what_describes_no_catalogue_is_refused_and_nothing_is_run():
    """Each value in turn replaced by something odd: the result is a catalogue, or an error of these kinds."""
    rng, whole = random.Random(3), catalogue_to_json(MADE["moons"])
    places = paths(whole)
    for _ in range(400):
        document, place, odd = copy.deepcopy(whole), rng.choice(places), rng.choice(ODD)
        if not place:
            document = odd  # type: ignore[assignment]
        else:
            inside: Any = document
            for key in place[:-1]:
                inside = inside[key]
            inside[place[-1]] = odd
        try:
            read = catalogue_from_json(document)
            render([sample_scene(1, 0, "all", read)], 32, catalogue=read)
        except (TypeError, ValueError, OSError, SyntaxError, DalleEduError):
            pass


@pytest.mark.parametrize("document", [None, {}, {"words": "red"}, {"words": [3]}, {"catalogue": {}}, {"words": [], "catalogue": {}}, []])
def test_what_describes_no_domain_is_refused(document):
    with pytest.raises((TypeError, ValueError)):
        domain_from_json(document)


def test_a_table_keeps_a_signed_distance_to_a_hundredth_of_a_radius():
    from dalle_edu.world.catalogue_files import Table
    from dalle_edu.world.shapes import star

    line = torch.linspace(-1.2, 1.2, 501)
    y, x = torch.meshgrid(line, line, indexing="ij")
    assert float((Table.of(star)(x, y) - star(x, y)).abs().max()) < 0.01
