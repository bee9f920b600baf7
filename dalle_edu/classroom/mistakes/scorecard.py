"""Mistakes about marks, and about rates and their intervals."""

import math
from collections.abc import Sequence
from itertools import permutations

from dalle_edu.classroom.checking.proof import Mistake
from dalle_edu.scorecard.confidence_interval import Rate, Z
from dalle_edu.scorecard.marks import SKILLS, mark
from dalle_edu.world.scenes import Description, Mention, Object, Scene, relation_between


def marked_on_all_skills(description: Description, objects: Sequence[Object]) -> dict[str, bool]:
    return dict.fromkeys(SKILLS, False) | mark(description, objects)


def compared_in_the_order_given(description: Description, objects: Sequence[Object]) -> dict[str, bool]:
    mentions, right = description.mentions, mark(description, objects)
    expected = mentions if len(mentions) > 1 else mentions * description.count
    pairs = list(zip(expected, objects, strict=False))
    bound = len(objects) == len(expected) and all(_same(mention, thing) for mention, thing in pairs)
    sized = len(objects) == len(expected) and all(mention.size in (None, thing.size) for mention, thing in pairs)
    found = {"colour_attribution": bound, "single_object": bound, "size": sized}
    found["position"] = bound and len(objects) == 2 and relation_between(objects[0], objects[1]) == description.relation
    return {skill: found.get(skill, right[skill]) for skill in right}


def position_of_whatever_stands_there(description: Description, objects: Sequence[Object]) -> dict[str, bool]:
    marks = mark(description, objects)
    if "position" in marks:
        marks["position"] = len(objects) == 2 and relation_between(objects[0], objects[1]) == description.relation
    return marks


def colours_of_right_shapes_only(description: Description, objects: Sequence[Object]) -> dict[str, bool]:
    marks = mark(description, objects)
    if "colours" in marks:
        marks["colours"] = {(m.shape, m.colour) for m in description.mentions} == {(o.shape, o.colour) for o in objects}
    return marks


def _same(mention: Mention, thing: Object) -> bool:
    return mention.shape == thing.shape and mention.colour in (None, thing.colour)


def _fits(mention: Mention, thing: Object) -> bool:
    return _same(mention, thing) and mention.size in (None, thing.size)


def _expected(description: Description) -> tuple[Mention, ...]:
    return description.mentions * description.count if len(description.mentions) == 1 else description.mentions


def true_in_the_order_drawn(description: Description, scene: Scene) -> bool:
    expected, objects = _expected(description), scene.objects
    if len(expected) != len(objects) or not all(_fits(mention, thing) for mention, thing in zip(expected, objects, strict=True)):
        return False
    return description.relation is None or relation_between(objects[0], objects[1]) == description.relation


def other_objects_allowed(description: Description, scene: Scene) -> bool:
    expected = _expected(description)
    return any(
        all(_fits(mention, thing) for mention, thing in zip(expected, order, strict=False))
        and (description.relation is None or relation_between(order[0], order[1]) == description.relation)
        for order in permutations(scene.objects)
        if len(order) >= len(expected)
    )


def relation_not_asked(description: Description, scene: Scene) -> bool:
    expected = _expected(description)
    return len(expected) == len(scene.objects) and any(
        all(_fits(mention, thing) for mention, thing in zip(expected, order, strict=True)) for order in permutations(scene.objects)
    )


def unsaid_is_wrong(description: Description, scene: Scene) -> bool:
    expected = _expected(description)
    return len(expected) == len(scene.objects) and any(
        all((m.shape, m.colour, m.size) == (o.shape, o.colour, o.size) for m, o in zip(expected, order, strict=True))
        and (description.relation is None or relation_between(order[0], order[1]) == description.relation)
        for order in permutations(scene.objects)
    )


def normal_interval(correct: int, n: int) -> tuple[float, float]:
    if n == 0:
        return 0.0, 1.0
    rate = correct / n
    half_width = Z * math.sqrt(rate * (1 - rate) / n)
    return max(rate - half_width, 0.0), min(rate + half_width, 1.0)


def _wilson(correct: int, n: float, z: float) -> tuple[float, float]:
    rate = correct / n if n else 0.0
    if not n:
        return 0.0, 1.0
    middle = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half_width = z * math.sqrt(max(rate * (1 - rate) / n, 0.0) + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return max(middle - half_width, 0.0), min(middle + half_width, 1.0)


def one_sided(correct: int, n: int) -> tuple[float, float]:
    return _wilson(correct, n, 1.6448536269514722)


def divided_by_n_minus_one(correct: int, n: int) -> tuple[float, float]:
    if n < 2:
        return 0.0, 1.0
    rate, shrunk = correct / n, Z**2 / (n - 1)
    middle = (rate + shrunk / 2) / (1 + shrunk)
    half_width = Z * math.sqrt(rate * (1 - rate) / (n - 1) + shrunk / (4 * (n - 1))) / (1 + shrunk)
    return max(middle - half_width, 0.0), min(middle + half_width, 1.0)


def around_the_rate(correct: int, n: int) -> tuple[float, float]:
    if n == 0:
        return 0.0, 1.0
    low, high = _wilson(correct, n, Z)
    half_width = (high - low) / 2
    return max(correct / n - half_width, 0.0), min(correct / n + half_width, 1.0)


def all_pictures_count(marks: Sequence[dict[str, bool]]) -> dict[str, Rate]:
    return {skill: Rate(len(marks), sum(m.get(skill, False) for m in marks)) for skill in SKILLS}


def skills_never_asked_left_out(marks: Sequence[dict[str, bool]]) -> dict[str, Rate]:
    asked = [skill for skill in SKILLS if any(skill in m for m in marks)]
    return {skill: Rate(sum(skill in m for m in marks), sum(m.get(skill, False) for m in marks)) for skill in asked}


def answered_is_right(marks: Sequence[dict[str, bool]]) -> dict[str, Rate]:
    return {skill: Rate(sum(skill in m for m in marks), sum(skill in m for m in marks)) for skill in SKILLS}


MISTAKES = [
    Mistake(
        "scorecard.marks:mark",
        marked_on_all_skills,
        "Every picture is marked on every skill; a caption is asked only about what it says: no size said, no mark for size.",
        "Chaque image est notée sur toutes les compétences ; n'interrogez une légende que sur ce qu'elle dit : sans taille, pas de note.",
    ),
    Mistake(
        "scorecard.marks:mark",
        compared_in_the_order_given,
        "The objects are compared in the order in which they were found; which is the first of a pair is for the description to say.",
        "Les objets sont comparés dans l'ordre où ils ont été trouvés ; c'est à la description de dire lequel est le premier.",
    ),
    Mistake(
        "scorecard.marks:mark",
        position_of_whatever_stands_there,
        "The position is marked right whatever stands there; it counts only where both objects have their shape and colour.",
        "La position est jugée juste quels que soient les objets ; elle ne compte que si chacun a sa forme et sa couleur.",
    ),
    Mistake(
        "scorecard.marks:mark",
        colours_of_right_shapes_only,
        "For colours the shape of each object is asked too: that is colour attribution, a skill apart.",
        "Pour les couleurs, la forme de chaque objet compte aussi : c'est l'attribution des couleurs, une autre compétence.",
    ),
    Mistake(
        "scorecard.critic_exam:true_of",
        true_in_the_order_drawn,
        "Only the order in which objects were drawn is tried; the description is true if it is so in any order.",
        "Seul l'ordre où les objets ont été dessinés est essayé ; la description est vraie si elle l'est dans un ordre quelconque.",
    ),
    Mistake(
        "scorecard.critic_exam:true_of",
        other_objects_allowed,
        "Other objects may stand beside those of the description; a picture of two stars is not one of “a star”.",
        "D'autres objets peuvent s'ajouter à ceux de la description ; une image de deux étoiles n'est pas celle d'« une étoile ».",
    ),
    Mistake(
        "scorecard.critic_exam:true_of",
        relation_not_asked,
        "The relation is not looked at: a circle on the right passes for “a circle to the left of a square”.",
        "La relation n'est pas regardée : un cercle à droite passe pour « un cercle à gauche d'un carré ».",
    ),
    Mistake(
        "scorecard.critic_exam:true_of",
        unsaid_is_wrong,
        "A colour or size that is not said (None) is taken for one that nothing has; it fits every object.",
        "Une couleur ou une taille qui n'est pas dite (None) ne convient à rien ; elle doit convenir à tout objet.",
    ),
    Mistake(
        "scorecard.confidence_interval:wilson_interval",
        normal_interval,
        "This is the normal interval (Wald's): for 10 of 10 it has no width at all, as if ten pictures left no doubt.",
        "C'est l'intervalle normal (de Wald) : pour 10 sur 10 sa largeur est nulle, comme si dix images ne laissaient aucun doute.",
    ),
    Mistake(
        "scorecard.confidence_interval:wilson_interval",
        one_sided,
        "With 1.645 each side leaves out 5 %, so that the interval holds 90 %; 95 % between two sides take 1.96.",
        "Avec 1,645, chaque côté laisse 5 % dehors, et l'intervalle est à 90 % ; pour 95 % entre deux côtés, il faut 1,96.",
    ),
    Mistake(
        "scorecard.confidence_interval:wilson_interval",
        divided_by_n_minus_one,
        "It divides by n - 1, which estimates a variance from a sample; here the variance p (1 - p) / n follows from the rate.",
        "La division se fait par n - 1, qui sert à estimer une variance ; ici la variance p (1 - p) / n découle du taux.",
    ),
    Mistake(
        "scorecard.confidence_interval:wilson_interval",
        around_the_rate,
        "The width is right, but the interval is centred on the rate; Wilson's centre is drawn towards one half.",
        "La largeur est juste, mais l'intervalle est centré sur le taux ; le centre de Wilson est tiré vers un demi.",
    ),
    Mistake(
        "scorecard.marks:tally",
        all_pictures_count,
        "The rate is taken over all pictures; only those whose caption calls on the skill were marked on it.",
        "Le taux est pris sur toutes les images ; seules celles dont la légende demande la compétence y ont été notées.",
    ),
    Mistake(
        "scorecard.marks:tally",
        skills_never_asked_left_out,
        "Skills that nobody was asked are left out; give them all, with 0 of 0, so that tables have the same rows.",
        "Les compétences jamais demandées manquent ; donnez-les toutes, avec 0 sur 0, pour que les tableaux aient les mêmes lignes.",
    ),
    Mistake(
        "scorecard.marks:tally",
        answered_is_right,
        "It counts the pictures that were marked on the skill, not those that were marked right.",
        "Ce sont les images notées sur la compétence qui sont comptées, et non celles où elle est juste.",
    ),
]
