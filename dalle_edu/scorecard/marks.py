"""Marks: which skills a picture shows, from the objects parsed in it and the description in its caption.

The skills have the names of GenEval (Ghosh et al. 2023), to which shape and size are added. Each asks one question, and only of captions
that call for it, so that each skill is measured apart:

    single_object       one object said: is there exactly one, of the shape and colour said?
    two_objects         two objects said: are there exactly two, of the shapes said?
    counting            "three stars": are there three objects?
    colours             are the colours in the picture those said?
    shape               are the shapes in the picture those said?
    size                is each object as large as said?
    position            do both objects stand, shape and colour right, in the relation said?
    colour_attribution  two objects of two shapes and two colours: has each its own colour?
"""

from collections.abc import Sequence
from itertools import permutations

from dalle_edu.scorecard.confidence_interval import Rate
from dalle_edu.world.catalogue import SHAPES, Catalogue
from dalle_edu.world.grammar import unknown_words
from dalle_edu.world.scenes import Description, Mention, Object, relation_between

SKILLS = ("single_object", "two_objects", "counting", "colours", "shape", "size", "position", "colour_attribution")
SKILL_NAMES = {
    "fr": {
        "single_object": "un objet", "two_objects": "deux objets", "counting": "nombre", "colours": "couleurs", "shape": "forme",
        "size": "taille", "position": "position", "colour_attribution": "attribution des couleurs",
    },
    "en": {
        "single_object": "one object", "two_objects": "two objects", "counting": "number", "colours": "colours", "shape": "shape",
        "size": "size", "position": "position", "colour_attribution": "colour attribution",
    },
}  # fmt: skip


def mark(description: Description, objects: Sequence[Object]) -> dict[str, bool]:
    """Mark the objects of a picture, from `parse_pictures`, on each skill that the description calls on."""
    mentions = description.mentions
    number_right = len(objects) == description.number
    expected = mentions if len(mentions) > 1 else mentions * description.count
    pairs = list(zip(expected, _best_order(description, objects), strict=True)) if number_right else []
    bound = number_right and all(_same(mention, thing) for mention, thing in pairs)
    marks = {"shape": {m.shape for m in mentions} == {thing.shape for thing in objects}}
    if all(m.colour for m in mentions):
        marks["colours"] = {m.colour for m in mentions} == {thing.colour for thing in objects}
    if any(m.size for m in mentions):
        marks["size"] = number_right and all(mention.size in (None, thing.size) for mention, thing in pairs)
    if description.count > 1:
        marks["counting"] = number_right
    elif len(mentions) == 1:
        marks["single_object"] = bound
    else:
        marks["two_objects"] = number_right and sorted(m.shape for m in mentions) == sorted(thing.shape for thing in objects)
        colours = {m.colour for m in mentions}
        if None not in colours and len(colours) == 2 and mentions[0].shape != mentions[1].shape:
            marks["colour_attribution"] = bound
        if description.relation:
            marks["position"] = bound and relation_between(pairs[0][1], pairs[1][1]) == description.relation
    return {skill: marks[skill] for skill in SKILLS if skill in marks}


def why_no_marks(sentence: str, catalogue: Catalogue = SHAPES) -> tuple[str, str]:
    """Why a sentence that `read_caption` does not read gets no marks, in English and in French; words that are not read are named.

    A mark for the rest of the sentence would pass for a mark of the whole: one circle is no right answer to "5 red circles".
    """
    unread = unknown_words(sentence, catalogue)
    if not unread:
        return "the examiner cannot read this sentence: no marks", "l'examinateur ne sait pas lire cette phrase : pas de note"
    en, fr = ", ".join(f'"{word}"' for word in unread), ", ".join(f"« {word} »" for word in unread)
    return f"the examiner does not read {en}: no marks", f"l'examinateur ne lit pas {fr} : pas de note"


def _same(mention: Mention, thing: Object) -> bool:
    return mention.shape == thing.shape and mention.colour in (None, thing.colour)


def _best_order(description: Description, objects: Sequence[Object]) -> Sequence[Object]:
    """The objects in the order that agrees best with the mentions: by shape, then colour, then size, then the relation."""
    if len(description.mentions) == 1:
        return objects
    return max(permutations(objects), key=lambda order: _agreement(description, order))


def _agreement(description: Description, order: Sequence[Object]) -> tuple[int, int, int, bool]:
    pairs = list(zip(description.mentions, order, strict=True))
    return (
        sum(mention.shape == thing.shape for mention, thing in pairs),
        sum(mention.colour in (None, thing.colour) for mention, thing in pairs),
        sum(mention.size in (None, thing.size) for mention, thing in pairs),
        description.relation is not None and relation_between(order[0], order[1]) == description.relation,
    )


def tally(marks: Sequence[dict[str, bool]]) -> dict[str, Rate]:
    """The rate of each skill over the pictures that were marked on it."""
    return {skill: Rate(sum(skill in m for m in marks), sum(m.get(skill, False) for m in marks)) for skill in SKILLS}
