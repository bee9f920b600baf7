import hashlib
import math
from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest

from dalle_edu.world import SHAPES, Description, Mention, Object, Scene, is_held_out, relation_between, sample_scene, scene_sampler
from dalle_edu.world.scene_sampler import KINDS, PRACTICE
from dalle_edu.world.scenes import RELATIONS

SERIES = 400


@pytest.fixture(scope="module")
def series() -> dict[str, list[Scene]]:
    return {split: [sample_scene(seed=3, index=i, split=split) for i in range(SERIES)] for split in ("seen", "held_out", "all")}


def all_scenes(series: dict[str, list[Scene]]) -> list[Scene]:
    return [scene for split in series.values() for scene in split]


# ---------------------------------------------------------------- chance


def test_a_seed_is_a_scene():
    assert [sample_scene(5, i) for i in range(50)] == [sample_scene(5, i) for i in range(50)]


def test_another_seed_index_or_split_is_another_scene():
    scenes = [sample_scene(5, 0), sample_scene(6, 0), sample_scene(5, 1), sample_scene(5, 0, "all"), sample_scene(5, 0, "held_out")]
    assert all(first != second for first, second in combinations(scenes, 2))


def test_golden_scenes():
    """What seeds 7 and 0 have always drawn: whoever changes the stream changes every trained system's data, and is told so here."""
    assert sample_scene(7, 3) == Scene(
        (
            Object("star", "purple", "large", 0.26862294419238797, 0.730711473965282, 0.20585345861270565),
            Object("star", "purple", "large", 0.7254595945732432, 0.7458851091524972, 0.201358566323895),
            Object("star", "purple", "large", 0.752537252004703, 0.2260236468176685, 0.20065327486785117),
        ),
        Description((Mention("star", "purple"),), count=3),
    )
    assert sample_scene(0, 0) == Scene(
        (
            Object("circle", "black", "small", 0.3015792092361209, 0.2120666635938642, 0.14424163148748864),
            Object("diamond", "green", "small", 0.7205557933404387, 0.37008751610476276, 0.14297038682968657),
        ),
        Description((Mention("circle", "black"), Mention("diamond", "green")), relation="left"),
    )


def test_golden_series():
    """The digest of 800 scenes: of the three splits, and of what training practises."""
    digest = hashlib.sha256()
    for options in ({"split": "seen"}, {"split": "held_out"}, {"split": "all"}, {"kinds": PRACTICE}):
        for index in range(200):
            digest.update(repr(sample_scene(11, index, **options)).encode())
    assert digest.hexdigest() == "bfa049b31976f99909bfd04663b7370bca59b04c283664c5f98dd843ea46b4cf"


def test_the_series_does_not_depend_on_what_was_drawn_before():
    alone = sample_scene(9, 40)
    for i in range(40):
        sample_scene(9, i)
    assert sample_scene(9, 40) == alone


def test_kinds_occur_as_often_as_said(series):
    def kind(scene: Scene) -> str:
        description = scene.description
        if len(description.mentions) == 1:
            return "count" if description.count > 1 else "single"
        return "relation" if description.relation else "pair"

    counts = Counter(kind(scene) for scene in series["all"])
    for name, share in KINDS.items():
        deviation = math.sqrt(SERIES * share * (1 - share))
        assert abs(counts[name] - SERIES * share) < 4 * deviation


def test_every_shape_colour_size_count_and_relation_occurs(series):
    seen = series["seen"]
    objects = [thing for scene in seen for thing in scene.objects]
    assert {thing.shape for thing in objects} == {shape.name for shape in SHAPES.shapes}
    assert {thing.colour for thing in objects} == {colour.name for colour in SHAPES.colours}
    assert {thing.size for thing in objects} == {"small", "large"}
    assert {len(scene.objects) for scene in seen} == {1, 2, 3, 4}
    assert {scene.description.relation for scene in seen} == {None, *RELATIONS}


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match='"train"; choose among: seen, held_out, all'):
        sample_scene(0, split="train")


# ---------------------------------------------------------------- geometry


def test_objects_never_touch(series):
    for scene in all_scenes(series):
        for first, second in combinations(scene.objects, 2):
            gap = math.hypot(first.x - second.x, first.y - second.y) - first.radius - second.radius
            assert gap >= 0.02 - 1e-9  # large objects, three or four, have the least room: a margin on each side


def test_objects_never_leave_the_canvas(series):
    for scene in all_scenes(series):
        for thing in scene.objects:
            for place in (thing.x, thing.y):
                assert thing.radius + 0.01 - 1e-9 <= place <= 1 - thing.radius - 0.01 + 1e-9


def test_radii_are_those_of_the_size(series):
    for scene in all_scenes(series):
        for thing in scene.objects:
            low, high = SHAPES.size(thing.size).radius
            assert low <= thing.radius <= high


# ---------------------------------------------------------------- what captions say


def test_what_is_said_is_what_is_there(series):
    for scene in all_scenes(series):
        description = scene.description
        assert len(scene.objects) == description.number
        mentions = description.mentions if len(description.mentions) > 1 else description.mentions * description.count
        for mention, thing in zip(mentions, scene.objects, strict=True):
            assert mention.shape == thing.shape
            assert mention.colour in (None, thing.colour)
            assert mention.size in (None, thing.size)


def test_the_relation_holds_clearly(series):
    checked = 0
    for scene in all_scenes(series):
        if scene.description.relation:
            first, second = scene.objects
            dx, dy = first.x - second.x, first.y - second.y
            along, across = {"left": (-dx, dy), "right": (dx, dy), "above": (-dy, dx), "below": (dy, dx)}[scene.description.relation]
            assert along >= 2 * abs(across)
            assert along > 0
            assert relation_between(first, second) == scene.description.relation
            checked += 1
    assert checked > 200


def test_two_objects_never_look_alike_to_the_reader_of_the_caption(series):
    for scene in all_scenes(series):
        if len(scene.description.mentions) == 2:
            first, second = scene.objects
            assert (first.shape, first.colour) != (second.shape, second.colour)


@pytest.mark.parametrize(("place", "relation"), [((0.2, 0.5), "left"), ((0.8, 0.5), "right"), ((0.5, 0.2), "above"), ((0.5, 0.8), "below")])
def test_relation_between(place, relation):
    middle = Object("circle", "red", "small", 0.5, 0.5, 0.14)
    assert relation_between(replace(middle, x=place[0], y=place[1]), middle) == relation


# ---------------------------------------------------------------- held out


def combinations_shown(scene: Scene) -> tuple[set, set]:
    objects = {(thing.shape, thing.colour) for thing in scene.objects}
    pairs = set()
    for first in scene.objects:
        for second in scene.objects:
            dx, dy = second.x - first.x, second.y - first.y
            if dx > 0 and dx >= abs(dy):
                pairs.add((first.shape, "left", second.shape))
            if dy > 0 and dy > abs(dx):
                pairs.add((first.shape, "above", second.shape))
    return objects & SHAPES.held_out_objects, pairs & SHAPES.held_out_relations


def test_training_never_shows_a_held_out_combination(series):
    for scene in series["seen"]:
        assert combinations_shown(scene) == (set(), set())
        assert not is_held_out(scene.objects)


def test_the_held_out_split_always_shows_one(series):
    shown = [combinations_shown(scene) for scene in series["held_out"]]
    assert all(objects or pairs for objects, pairs in shown)
    assert set().union(*(objects for objects, _ in shown)) == SHAPES.held_out_objects  # and between them, all of them
    assert set().union(*(pairs for _, pairs in shown)) == SHAPES.held_out_relations


def test_every_shape_and_colour_is_held_out_once_and_seen_otherwise():
    assert Counter(shape for shape, _ in SHAPES.held_out_objects) == Counter(shape.name for shape in SHAPES.shapes)
    assert Counter(colour for _, colour in SHAPES.held_out_objects) == Counter(colour.name for colour in SHAPES.colours)
    assert len(SHAPES.held_out_relations) == 16
    assert all(first != second for first, _, second in SHAPES.held_out_relations)


def test_nothing_held_out_is_an_error_not_an_endless_search(monkeypatch):
    """A catalogue that holds nothing out has no held-out scene: whoever asks is told, rather than left waiting."""
    draw, drawn = scene_sampler._draw, []

    def counted(*arguments):
        drawn.append(1)
        if len(drawn) > 200:
            pytest.fail("200 scenes were drawn in search of a held-out one that cannot exist")
        return draw(*arguments)

    monkeypatch.setattr(scene_sampler, "_draw", counted)
    catalogue = replace(SHAPES, held_out_objects=frozenset(), held_out_relations=frozenset())
    with pytest.raises(ValueError, match="held_out|holds"):
        sample_scene(0, split="held_out", catalogue=catalogue)
