"""The examination of edits, itself examined: on editors that keep everything, and on some that do not."""

from dataclasses import replace

import pytest
import torch

from dalle_edu.scorecard.picture_parser import parse_pictures
from dalle_edu.studies.edits import alterations, completions, inpaintings, mixtures, same_things, scenes_to_edit, variations
from dalle_edu.world import Scene, read_caption, render


class Faithful:
    """Gives back what it is given."""

    resolution = 64

    def vary(self, images, *, seed):
        return images

    def inpaint(self, images, keep, prompts, *, seed):
        return images

    def complete(self, images, prompts, *, rows, seed):
        return images

    def given_height(self, rows):
        return round(rows * 8) * 8


class Careful(Faithful):
    """Finishes pictures of which it keeps whole rows of codes, and nothing below them."""

    def complete(self, images, prompts, *, rows, seed):
        height = self.given_height(rows)
        return torch.cat([images[:, :, :height], images[:, :, height:].flip(2)], dim=2)


class Idle(Faithful):
    """Changes nothing when asked to."""

    def alter(self, images, before, after, *, seed):
        return images


class Careless(Faithful):
    """Paints everything red, and moves what it should leave alone."""

    def vary(self, images, *, seed):
        return torch.cat([torch.ones_like(images[:, :1]), images[:, 1:]], dim=1)

    def inpaint(self, images, keep, prompts, *, seed):
        return images.flip(3)

    def complete(self, images, prompts, *, rows, seed):
        return images.flip(2)


class Blends(Faithful):
    """Mixes pixels, and sees the mean colour of each quarter of a picture."""

    def mix(self, first, second, ratio, *, seed):
        return (1 - ratio) * first + ratio * second

    def encode_images(self, images):
        quarters = torch.nn.functional.adaptive_avg_pool2d(1 - images, 4).flatten(1)
        return torch.nn.functional.normalize(quarters, dim=1)


def test_who_keeps_everything_has_all_marks():
    kept = variations(Faithful(), 24)
    assert kept.rate.correct == kept.rate.n == 24
    assert kept.changed == 0
    for examined, touched in (inpaintings(Faithful(), 24), completions(Faithful(), 24)):
        assert examined.rate.correct == 24
        assert touched == 0


def test_who_does_not_is_found_out():
    kept = variations(Careless(), 24)
    assert kept.rate.correct < 12
    assert kept.changed > 0.01
    for examined, touched in (inpaintings(Careless(), 24), completions(Careless(), 24)):
        assert touched > 0.1
        assert examined.changed > 0


@pytest.mark.parametrize("rows", [0.3, 0.5])
def test_rows_that_were_not_given_may_change(rows):
    examined, touched = completions(Careful(), 24, rows)
    assert touched == 0
    assert examined.changed > 0


@pytest.mark.parametrize(("ratio", "nearer"), [(0.1, True), (0.9, False)])
def test_a_mixture_is_placed_between_its_parents(ratio, nearer):
    rates = mixtures(Blends(), 24, ratio)
    assert rates["between"].correct >= 20
    assert (rates["nearer_to_the_first"].correct >= 20) == nearer


def test_the_same_things_are_the_same_anywhere_and_of_any_size():
    scenes, captions = scenes_to_edit(30)
    assert len(captions) == 30
    assert render(scenes, 32).shape[0] == 30
    for scene in scenes:
        assert same_things(scene.objects, scene.objects[::-1])
        assert not same_things(scene.objects, scene.objects[1:])


class Alters(Faithful):
    """Reads the picture, changes the object that the captions speak of, and draws it again."""

    def alter(self, images, before, after, *, seed):
        scenes = []
        for objects, old, new in zip(parse_pictures(images), map(read_caption, before), map(read_caption, after), strict=True):
            was, becomes = old.mentions[0], new.mentions[0]
            place = next(i for i, thing in enumerate(objects) if was.shape == thing.shape and was.colour in (None, thing.colour))
            changed = replace(objects[place], shape=becomes.shape, colour=becomes.colour or objects[place].colour)
            scenes.append(Scene((*objects[:place], changed, *objects[place + 1 :]), new))
        return render(scenes, 64)


@pytest.mark.parametrize("attribute", ["shape", "colour"])
def test_alterations_are_right_where_one_thing_changes_and_nothing_else(attribute):
    done, undone = alterations(Alters(), attribute, 32), alterations(Idle(), attribute, 32)
    assert done.rate.n == undone.rate.n == 32
    assert done.rate.correct >= 31
    assert undone.rate.correct == 0
    assert done.changed > undone.changed == 0
