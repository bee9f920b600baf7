import pytest

from dalle_edu.world import SHAPES, Adjective, Colour, Description, Mention, Noun, Shape, phrasings, read_caption, unknown_words
from dalle_edu.world.words import indefinite_article, normal_words, normalize, visible, written_words

AN = (
    "orange apple hour honest honour heirloom umbrella upon unusual unopened unequal uninteresting unidentified udon umami uncle",
    "egg island octagon oval X X-ray S-curve s-curve SVG FBI LED 8 8-pointed 80 11 18 11,000 éclair yttrium ugly unaided onerous",
)
A = (
    "unicorn unit European one-eyed once ewe user usual ukulele universe unique uniform unilateral unanimous utopia UFO U-turn PNG house",
    "hexagon star yellow 1 7 110 1800 herb euro ouija one wrist year square LASER",
)
SOUNDS = [(word, article) for article, lines in (("an", AN), ("a", A)) for line in lines for word in line.split()]


@pytest.mark.parametrize(("word", "article"), SOUNDS)
def test_the_sound_of_a_word_decides_between_a_and_an(word, article):
    assert indefinite_article(word) == article


def opened(noun: Noun, adjective: Adjective):
    """The catalogue with a shape and a colour more, in English words."""
    star = SHAPES.shape("star")
    shape = Shape("new", star.drawing, {"fr": Noun("chose", "choses", feminine=True), "en": noun})
    colour = Colour("hue", (0.5, 0.5, 0.5), {"fr": Adjective("gris", "grise", "gris", "grises"), "en": adjective})
    return type(SHAPES)((*SHAPES.shapes, shape), (*SHAPES.colours, colour), SHAPES.sizes)


@pytest.mark.parametrize(
    ("noun", "adjective", "alone", "coloured"),
    [
        (Noun("unicorn", "unicorns"), Adjective("umber"), "a unicorn", "an umber unicorn"),
        (Noun("hourglass", "hourglasses"), Adjective("uniform"), "an hourglass", "a uniform hourglass"),
        (Noun("herb", "herbs", article="an"), Adjective("one-tone"), "an herb", "a one-tone herb"),  # as in America
        (Noun("owl", "owls"), Adjective("historic", article="an"), "an owl", "an historic owl"),
    ],
)
def test_words_of_a_catalogue_take_the_article_of_their_sound_or_the_one_that_they_state(noun, adjective, alone, coloured):
    catalogue = opened(noun, adjective)
    for mention, said in ((Mention("new"), alone), (Mention("new", "hue"), coloured)):
        description = Description((mention,))
        ways = phrasings(description, "en", catalogue)
        assert ways[0] == said
        assert f"a picture of {said}" in ways
        assert phrasings(Description((mention, Mention("star"))), "en", catalogue)[0] == f"{said} and a star"
        article, rest = said.split(" ", 1)
        for spoken in (said, f"{'a' if article == 'an' else 'an'} {rest}"):  # people mistake them, and are read all the same
            assert read_caption(spoken, catalogue) == description


# ---------------------------------------------------------------- what one word is


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Au-dessus d’une ÉTOILE", ["au", "dessus", "d", "une", "etoile"]),
        ("-1 star", ["-1", "star"]),
        ("\u22122 stars", ["\u22122", "stars"]),
        ("> 3 stars", ["> 3", "stars"]),
        ("3+ stars", ["3+", "stars"]),
        ("2.5 stars, 2 stars", ["2.5", "stars", "2", "stars"]),
        ("1/2 star", ["1/2", "star"]),
        ("½ star", ["1\u20442", "star"]),
        ("1,000 stars", ["1,000", "stars"]),
        ("2-3 stars", ["2", "3", "stars"]),
        ("- 2 stars", ["2", "stars"]),  # a dash that opens a list
        ("2\ufe0f\u20e3 stars", ["2", "stars"]),  # a key with a number on it, an emoji
        ("cer\u00adcle rou\u200dge", ["cercle", "rouge"]),
        ("\u200ba\u2060 \ufeffstar\u200e", ["a", "star"]),
        ("e\u0301toile", ["etoile"]),
        ("x\u0302y", ["xy"]),  # an accent that no letter of Unicode has
    ],
)
def test_words(text, words):
    assert normal_words(text) == words


def test_words_stay_as_they_were_written():
    assert written_words("Un Cer\u00adcle et -1 E\u0301toile") == ["Un", "Cercle", "et", "-1", "Étoile"]


@pytest.mark.parametrize("hidden", ["\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u200e", "\u034f", "\ufe0f", "\U000e0101"])
def test_what_nobody_sees_changes_no_word(hidden):
    sentence = f"un cer{hidden}cle rou{hidden}ge{hidden}"
    assert visible(sentence) == "un cercle rouge"
    assert normalize(sentence) == "un cercle rouge"
    assert unknown_words(sentence) == []
    assert read_caption(sentence) == read_caption("un cercle rouge") is not None
    assert unknown_words(f"un dra{hidden}gon") == ["dragon"]
