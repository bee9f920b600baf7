"""Styles: two image domains of the same scenes, for image-to-image translation with a known answer.

A style is another catalogue: its shapes have the same names and words, but other signed distances. The renderer does not change. The
outlined style keeps a band along the inside of each shape's edge, so that filled and outlined pictures have the same silhouettes.
"""

from dataclasses import replace

from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.world.catalogue import SHAPES, Catalogue
from dalle_edu.world.drawings import SignedDistance
from dalle_edu.world.shapes import Distance


def outline(distance: Distance, stroke: float) -> Distance:
    """The signed distance of the band along the inside of a shape's edge; `stroke` is its width in radii of the object."""
    half = stroke / 2

    def band(x: Tensor, y: Tensor) -> Tensor:
        return (distance(x, y) + half).abs() - half

    return band


def outlined(catalogue: Catalogue = SHAPES, stroke: float = 0.18) -> Catalogue:
    """The catalogue whose shapes are drawn as outlines: `render(scenes, 64, catalogue=outlined())`.

    `stroke` is the width of the line in radii of the object, above 0 and at most 1. Raises `DalleEduError` for another width, and for a
    catalogue with sprites, which have no distance.
    """
    if not 0 < stroke <= 1:
        raise DalleEduError(
            f"the stroke is {stroke}; it is a part of the object's radius, above 0 and at most 1",
            f"le trait est {stroke} ; c'est une part du rayon de l'objet, au-dessus de 0 et d'au plus 1",
        )
    drawn = []
    for shape in catalogue.shapes:
        if not isinstance(shape.drawing, SignedDistance):
            raise DalleEduError(
                f"{shape.name} is no signed distance, and has no outline; leave it out of the catalogue",
                f"{shape.name} n'est pas une distance signée, et n'a pas de contour ; ôtez-le du catalogue",
            )
        drawn.append(replace(shape, drawing=SignedDistance(outline(shape.drawing.distance, stroke))))
    return replace(catalogue, shapes=tuple(drawn))
