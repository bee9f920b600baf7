"""The catalogue is open: what a reader adds is drawn, said, read back and marked, and nothing else had to be touched."""

from dataclasses import replace

import pytest
import torch
from torch.utils.data import DataLoader

from dalle_edu.scorecard import mark, parse_pictures
from dalle_edu.world import (
    LANGUAGES,
    SHAPES,
    Adjective,
    Catalogue,
    Colour,
    Description,
    Mention,
    Noun,
    Object,
    Scene,
    Shape,
    World,
    caption,
    check_prompt,
    phrasings,
    read_caption,
    render,
    sample_scene,
    train_tokenizer,
    unknown_words,
)
from dalle_edu.world.drawings import SignedDistance


def half_moon(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The left half of a disc of radius 0.95, moved to the middle."""
    x = x - 0.35
    return torch.maximum(torch.hypot(x, y) - 0.95, x)


HALF_MOON = Shape("half_moon", SignedDistance(half_moon), {"fr": Noun("lune", "lunes", feminine=True), "en": Noun("moon", "moons")})
HYPHENATED = replace(HALF_MOON, words={"fr": Noun("demi-lune", "demi-lunes", feminine=True), "en": Noun("half-moon", "half-moons")})
GREY = Colour("grey", (0.55, 0.55, 0.55), {"fr": Adjective("gris", "grise", "gris", "grises"), "en": Adjective("grey")})
OPENED = replace(SHAPES, shapes=(*SHAPES.shapes, HALF_MOON), colours=(*SHAPES.colours, GREY))


def scene_of(description: Description, *places: tuple[float, float, float]) -> Scene:
    mentions = description.mentions if len(description.mentions) > 1 else description.mentions * description.count
    objects = tuple(
        Object(m.shape, m.colour or "red", "small" if radius < 0.17 else "large", x, y, radius)
        for m, (x, y, radius) in zip(mentions, places, strict=True)
    )
    return Scene(objects, description)


def test_a_new_shape_is_drawn():
    image = render([scene_of(Description((Mention("half_moon", "blue"),)), (0.5, 0.5, 0.2))], 64, catalogue=OPENED)[0]
    ink = image[0] < 0
    area = 3.14159265 / 2 * (0.95 * 0.2 * 64) ** 2
    assert float(ink.sum()) == pytest.approx(area, rel=0.06)
    rows, columns = ink.nonzero().unbind(1)
    assert columns.max() - columns.min() < rows.max() - rows.min()  # half as wide as it is high
    straight = columns.max()
    assert ink[:, straight].sum() > 20  # and its right side is straight


@pytest.mark.parametrize("shape", [HALF_MOON, HYPHENATED], ids=["lune", "demi-lune"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_shape_is_said_and_read_back(shape, language):
    catalogue = replace(OPENED, shapes=(*SHAPES.shapes, shape))
    said = [
        Description((Mention("half_moon", "grey", "small"),)),
        Description((Mention("half_moon", "green"),), count=3),
        Description((Mention("half_moon"), Mention("star", "grey")), relation="left"),
        Description((Mention("star"), Mention("half_moon")), relation="below"),
    ]
    for description in said:
        for sentence in phrasings(description, language, catalogue):
            assert read_caption(sentence, catalogue) == description
            assert unknown_words(sentence, catalogue) == []
            assert check_prompt(sentence, catalogue) is None


def test_a_new_shape_agrees_like_the_others():
    assert caption(Description((Mention("half_moon", "grey", "small"),)), "fr", catalogue=OPENED) == "une petite lune grise"
    assert caption(Description((Mention("half_moon", "green"),), count=3), "fr", catalogue=OPENED) == "trois lunes vertes"
    assert caption(Description((Mention("half_moon", "grey"),), count=2), "en", catalogue=OPENED) == "two grey moons"


def test_the_world_of_shapes_does_not_know_the_new_words():
    caption(Description((Mention("half_moon"),)), "en", catalogue=OPENED)  # the open catalogue was used first, and leaves no trace
    assert unknown_words("a grey moon above a star") == ["grey", "moon"]
    assert read_caption("a moon") is None


def test_a_new_shape_and_colour_are_recognised_by_the_examiner():
    scenes = [sample_scene(4, i, "all", OPENED) for i in range(200)]
    scenes = [scene for scene in scenes if any(thing.shape == "half_moon" or thing.colour == "grey" for thing in scene.objects)]
    assert len(scenes) > 40
    assert {thing.shape for scene in scenes for thing in scene.objects} == {shape.name for shape in OPENED.shapes}
    read = parse_pictures(render(scenes, 64, catalogue=OPENED), OPENED)
    marks = [value for scene, objects in zip(scenes, read, strict=True) for value in mark(scene.description, objects).values()]
    assert sum(marks) >= 0.99 * len(marks)


def test_a_new_catalogue_has_its_own_tokenizer():
    tokenizer = train_tokenizer(OPENED)
    assert tokenizer.tokens("une petite lune grise") == ["Ġune", "Ġpetite", "Ġlune", "Ġgrise"]


def test_a_new_catalogue_goes_through_the_loader():
    """`World` takes a catalogue, so what it gives can be drawn with that catalogue."""
    moons = Catalogue(shapes=(HALF_MOON,), colours=SHAPES.colours, sizes=SHAPES.sizes)
    world = World(8, seed=1, catalogue=moons)
    batch = next(iter(DataLoader(world, batch_size=8, collate_fn=world.collate)))
    expected = render([world[i][0] for i in range(8)], 32, catalogue=moons)
    assert torch.equal(batch.images(32), expected)
    assert all("lune" in text or "moon" in text for text in batch.captions)
