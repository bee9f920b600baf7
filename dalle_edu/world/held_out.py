"""Held-out combinations: pairs of a shape and a colour, and relations of two shapes, that training never shows.

Compositional generalisation is measured on them: a system that has learned "star" and "pink" from other pictures should draw a pink star.
The catalogue lists them.
"""

from dalle_edu.world.catalogue import SHAPES, Catalogue
from dalle_edu.world.scenes import OPPOSITE, Description, Object, relation_between


def is_held_out(objects: tuple[Object, ...], catalogue: Catalogue = SHAPES) -> bool:
    """Whether the objects of a picture show a held-out combination."""
    if any((thing.shape, thing.colour) in catalogue.held_out_objects for thing in objects):
        return True
    for first in objects:
        for second in objects:
            if first is not second and (first.shape, relation_between(first, second), second.shape) in catalogue.held_out_relations:
                return True
    return False


def names_held_out(said: Description, catalogue: Catalogue = SHAPES) -> bool:
    """Whether a caption names a held-out combination.

    A caption may leave the colour open, so that a picture shows a held-out combination which its caption does not name.
    """
    if any((mention.shape, mention.colour) in catalogue.held_out_objects for mention in said.mentions):
        return True
    if said.relation is None:
        return False
    first, second = (mention.shape for mention in said.mentions)
    both = ((first, said.relation, second), (second, OPPOSITE[said.relation], first))
    return any(combination in catalogue.held_out_relations for combination in both)
