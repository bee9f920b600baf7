"""Every opening before every kind of caption, in both languages, as somebody has read it aloud."""

import pytest

from dalle_edu.world import Description, Mention, phrasings

CIRCLE, STAR = Mention("circle", "red"), Mention("star", "orange", "small")
READ_ALOUD = {  # every opening before every kind of caption
    ("fr", 1, None): """une petite étoile orange | 1 petite étoile orange
        une image d'une petite étoile orange | une image de 1 petite étoile orange
        il y a une petite étoile orange | il y a 1 petite étoile orange""",
    ("fr", 2, None): """deux petites étoiles orange | 2 petites étoiles orange
        une image de deux petites étoiles orange | une image de 2 petites étoiles orange
        il y a deux petites étoiles orange | il y a 2 petites étoiles orange""",
    ("fr", 0, None): """un cercle rouge et une petite étoile orange | un cercle rouge avec une petite étoile orange
        une image d'un cercle rouge et d'une petite étoile orange | une image d'un cercle rouge avec une petite étoile orange
        il y a un cercle rouge et une petite étoile orange | il y a un cercle rouge avec une petite étoile orange""",
    ("fr", 0, "left"): """un cercle rouge à gauche d'une petite étoile orange | un cercle rouge à la gauche d'une petite étoile orange
        une image d'un cercle rouge à gauche d'une petite étoile orange
        une image d'un cercle rouge à la gauche d'une petite étoile orange
        il y a un cercle rouge à gauche d'une petite étoile orange | il y a un cercle rouge à la gauche d'une petite étoile orange""",
    ("fr", 0, "above"): """un cercle rouge au-dessus d'une petite étoile orange
        une image d'un cercle rouge au-dessus d'une petite étoile orange | il y a un cercle rouge au-dessus d'une petite étoile orange""",
    ("fr", 0, "below"): """un cercle rouge en dessous d'une petite étoile orange | un cercle rouge au-dessous d'une petite étoile orange
        un cercle rouge sous une petite étoile orange
        une image d'un cercle rouge en dessous d'une petite étoile orange
        une image d'un cercle rouge au-dessous d'une petite étoile orange | une image d'un cercle rouge sous une petite étoile orange
        il y a un cercle rouge en dessous d'une petite étoile orange | il y a un cercle rouge au-dessous d'une petite étoile orange
        il y a un cercle rouge sous une petite étoile orange""",
    ("en", 1, None): """a small orange star | one small orange star | 1 small orange star
        a picture of a small orange star | a picture of one small orange star | a picture of 1 small orange star
        there is a small orange star | there is one small orange star | there is 1 small orange star""",
    ("en", 2, None): """two small orange stars | 2 small orange stars
        a picture of two small orange stars | a picture of 2 small orange stars
        there are two small orange stars | there are 2 small orange stars""",
    ("en", 0, None): """a red circle and a small orange star | a red circle with a small orange star
        a picture of a red circle and a small orange star | a picture of a red circle with a small orange star
        there is a red circle and a small orange star | there is a red circle with a small orange star""",
    ("en", 0, "above"): """a red circle above a small orange star | a red circle over a small orange star
        a picture of a red circle above a small orange star | a picture of a red circle over a small orange star
        there is a red circle above a small orange star | there is a red circle over a small orange star""",
}


@pytest.mark.parametrize(("language", "count", "relation"), READ_ALOUD)
def test_every_opening_with_every_kind_of_caption_as_read_aloud(language, count, relation):
    said = Description((STAR,), count) if count else Description((CIRCLE, STAR), relation=relation)
    assert phrasings(said, language) == [way.strip() for way in READ_ALOUD[language, count, relation].replace("\n", "|").split("|")]


def test_right_and_left_are_said_alike():
    for language, (left, right) in {"fr": ("gauche", "droite"), "en": ("left", "right")}.items():
        ways = [phrasings(Description((CIRCLE, STAR), relation=relation), language) for relation in ("left", "right")]
        assert [way.replace(left, right) for way in ways[0]] == ways[1]
