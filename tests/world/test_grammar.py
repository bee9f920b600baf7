from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.errors import DalleEduError
from dalle_edu.world import (
    LANGUAGES,
    SHAPES,
    Description,
    Mention,
    caption,
    check_prompt,
    phrasings,
    read_caption,
    sample_scene,
    unknown_words,
)
from dalle_edu.world.grammar import MAX_CHARACTERS, guess_language, normalize
from dalle_edu.world.scenes import RELATIONS

pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # beartype does, to look into containers

shape_names = st.sampled_from([shape.name for shape in SHAPES.shapes])
colour_names = st.sampled_from([colour.name for colour in SHAPES.colours])
size_names = st.sampled_from([size.name for size in SHAPES.sizes])
mentions = st.builds(Mention, shape_names, st.none() | colour_names, st.none() | size_names)
descriptions = st.one_of(
    st.builds(lambda mention, count: Description((mention,), count), mentions, st.integers(1, 4)),
    st.builds(
        lambda first, second, relation: Description((first, second), relation=relation),
        mentions,
        mentions,
        st.sampled_from((None, *RELATIONS)),
    ),
)


def say(language: str, *mentions: Mention, count: int = 1, relation: str | None = None) -> list[str]:
    return phrasings(Description(mentions, count, relation), language)


# ---------------------------------------------------------------- reading back


@pytest.mark.parametrize("language", LANGUAGES)
@given(description=descriptions)
def test_every_phrasing_reads_back(language, description):
    ways = phrasings(description, language)
    assert len(set(ways)) == len(ways) >= 3
    for sentence in ways:
        assert read_caption(sentence) == description
        assert unknown_words(sentence) == []
        assert check_prompt(sentence) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_of_every_word_reads_back(language):
    """All 8 x 9 x 3 noun phrases, in the singular and the plural."""
    names = ([thing.name for thing in things] for things in (SHAPES.shapes, SHAPES.colours, SHAPES.sizes))
    shapes, colours, sizes = names
    for shape, colour, size, count in product(shapes, (None, *colours), (None, *sizes), (1, 3)):
        description = Description((Mention(shape, colour, size),), count)
        assert read_caption(caption(description, language)) == description


@given(description=descriptions, phrasing=st.integers(0, 10**6), language=st.sampled_from(LANGUAGES))
def test_reading_ignores_case_accents_and_the_form_of_apostrophes(description, phrasing, language):
    sentence = caption(description, language, phrasing)
    for typed in (sentence.upper(), sentence.replace("'", "’"), normalize(sentence), f"  {sentence}.", sentence.replace(" ", "  ")):
        assert read_caption(typed) == description


def test_sampled_scenes_read_back():
    for i in range(60):
        description = sample_scene(2, i, "all").description
        for language in LANGUAGES:
            assert read_caption(caption(description, language, i)) == description


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "un dragon",
        "rouge",
        "a red blue circle",  # which colour?
        "a circle square",  # which shape?
        "two circles and a square",  # a count among two objects is not of this world
        "un cercle et un carré et une étoile",
        "a circle above a square below a star",
        "un cercle rouge à gauche d'",
        "a small large star",
        "deux trois cercles",
        "круг",
        "5 red circles",
        "-1 red circles",
        "\u22121 red circles",
        "2.5 red circles",
        "½ red circle",
        "3+ red circles",
        "6 stars",
        "0 stars",
        "no red circle",
        "a circle without a star",
        "aucun cercle rouge",
        "pas de cercle rouge",
        "a red circle on a boat",  # words that are not read
        "un cercle rouge et fluorescent",
        "red circles",  # how many?
        "cercles rouges",
        "a red circle on the left",  # of what?
        "un cercle à gauche",
        "left a red circle",
        "a red circle 3 boats",
    ],
)
def test_what_cannot_be_told_reads_as_none(sentence):
    assert read_caption(sentence) is None


@given(st.text(max_size=80))
def test_reading_any_text_gives_a_description_or_none(text):
    description = read_caption(text)
    assert description is None or description.number >= 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2 cercles rouges", "deux cercles rouges"),
        ("1 red circle", "a red circle"),
        ("4 stars", "four stars"),
        ("the red circle", "a red circle"),
        ("la croix rouge", "une croix rouge"),
        ("a orange star", "an orange star"),
        ("une image d'un cercle rouge et un carré bleu", "une image d'un cercle rouge et d'un carré bleu"),  # as captions said it once
        ("a red circle on the left of a star", "a red circle to the left of a star"),
        ("a red circle \U0001fac6", "a red circle"),  # a sign of Unicode 16, which Python 3.11 does not know
    ],
)
def test_what_people_type_is_read(typed, said):
    assert read_caption(typed) == read_caption(said) is not None


def test_the_other_language_says_the_same():
    assert read_caption("une petite étoile verte au-dessus d'un carré bleu") == read_caption("a small green star above a blue square")
    assert read_caption("2 losanges orange") == read_caption("two orange diamonds")


# ---------------------------------------------------------------- agreement, elision, articles


@pytest.mark.parametrize(
    ("mention", "count", "french", "english"),
    [
        (Mention("star", "green"), 2, "deux étoiles vertes", "two green stars"),
        (Mention("cross", "pink"), 3, "trois croix roses", "three pink crosses"),
        (Mention("star", "green", "small"), 1, "une petite étoile verte", "a small green star"),
        (Mention("circle", "orange"), 1, "un cercle orange", "an orange circle"),
        (Mention("diamond", "orange"), 2, "deux losanges orange", "two orange diamonds"),
        (Mention("cross", "purple", "large"), 4, "quatre grandes croix violettes", "four large purple crosses"),
        (Mention("square", "purple"), 2, "deux carrés violets", "two purple squares"),
        (Mention("heart", "black"), 3, "trois cœurs noirs", "three black hearts"),
        (Mention("ring", "blue", "large"), 2, "deux grands anneaux bleus", "two large blue rings"),
        (Mention("ring", "orange", "small"), 1, "un petit anneau orange", "a small orange ring"),
        (Mention("star", "red"), 4, "quatre étoiles rouges", "four red stars"),
        (Mention("triangle", "yellow"), 1, "un triangle jaune", "a yellow triangle"),
        (Mention("star"), 1, "une étoile", "a star"),
        (Mention("cross", None, "small"), 2, "deux petites croix", "two small crosses"),
    ],
)
def test_agreement(mention, count, french, english):
    assert caption(Description((mention,), count), "fr") == french
    assert caption(Description((mention,), count), "en") == english


def test_figures_stand_for_words():
    assert "2 losanges orange" in say("fr", Mention("diamond", "orange"), count=2)
    assert "4 black hearts" in say("en", Mention("heart", "black"), count=4)


def test_relations_in_french_with_elision():
    circle, star = Mention("circle", "red"), Mention("star", "blue")
    assert "un cercle rouge à gauche d'une étoile bleue" in say("fr", circle, star, relation="left")
    assert "une étoile bleue à droite d'un cercle rouge" in say("fr", star, circle, relation="right")
    assert "un cercle rouge au-dessus d'une étoile bleue" in say("fr", circle, star, relation="above")
    assert "une étoile bleue en dessous d'un cercle rouge" in say("fr", star, circle, relation="below")
    assert "une étoile bleue sous un cercle rouge" in say("fr", star, circle, relation="below")
    assert "une image d'un cercle rouge" in say("fr", circle)
    assert "une image d'une étoile bleue" in say("fr", star)
    assert "une image de deux étoiles bleues" in say("fr", star, count=2)
    assert "il y a trois étoiles bleues" in say("fr", star, count=3)


def test_relations_in_english():
    circle, star = Mention("circle", "red"), Mention("star", "orange")
    assert "a red circle to the left of an orange star" in say("en", circle, star, relation="left")
    assert "an orange star below a red circle" in say("en", star, circle, relation="below")
    assert "there is a red circle with an orange star" in say("en", circle, star)
    assert "there are three orange stars" in say("en", star, count=3)
    assert "a picture of an orange star" in say("en", star)


@given(description=descriptions)
def test_no_sentence_has_a_clash_of_vowels_or_a_wrong_article(description):
    for sentence in phrasings(description, "fr"):
        assert not any(clash in sentence for clash in (" de un", " de é", " de a", "d'deux", "d'2"))
    for sentence in phrasings(description, "en"):
        words = sentence.split()
        for article, word in pairwise(words):
            if article in ("a", "an"):
                assert (article == "an") == (word[0] in "aeiou")
        assert "there is" not in sentence or description.count == 1
        assert "there are" not in sentence or description.count > 1


def test_the_plainest_phrasing_comes_first_and_any_number_picks_one():
    description = Description((Mention("star", "green"),))
    ways = phrasings(description, "en")
    assert ways[0] == "a green star"
    assert [caption(description, "en", i) for i in range(2 * len(ways))] == ways * 2


def test_another_language_is_refused():
    with pytest.raises(DalleEduError, match='"de".*fr and en'):
        caption(Description((Mention("star"),)), "de")


# ---------------------------------------------------------------- prompts that people type


def test_unknown_words_are_named_in_order_once_as_written():
    assert unknown_words("un Dragon rouge et un dragon, avec un château et un Dragon") == ["Dragon", "dragon", "château"]
    assert unknown_words("UN CERCLE Bleuté") == ["Bleuté"]
    assert unknown_words("five red circles") == ["five"]
    assert unknown_words("a red circle, please!") == ["please"]
    assert unknown_words("-1 red circle and 2.5 stars, 4 stars") == ["-1", "2.5"]


def test_unknown_words_are_reported_in_the_language_of_the_prompt():
    french = check_prompt("un cercle rouge avec un dragon")
    assert french is not None
    assert french.startswith("mots inconnus")
    assert "«\u00a0dragon\u00a0»" in french
    english = check_prompt("a red circle with a dragon")
    assert english is not None
    assert english.startswith("words unknown")
    assert '"dragon"' in english


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("5 red circles", 'world: "5". Only the numbers from 1 to 4 are read. Vocabulary'),
        ("-1 red circles", 'world: "-1". Only the numbers from 1 to 4 are read. Vocabulary'),
        ("no red circle", 'world: "no". A negation is not read: what is named is drawn. Vocabulary'),
        (
            "6 cercles, pas un carré",
            "Seuls les nombres de 1 à 4 se lisent. Une négation ne se lit pas\u00a0: ce qui est nommé est dessiné. Voc",
        ),
        ("a red circle on a boat", 'world: "boat". Vocabulary'),
    ],
)
def test_numbers_and_negations_that_are_not_read_are_explained(prompt, told):
    assert told in check_prompt(prompt)


@pytest.mark.parametrize("sign", ["\U0001fac6", "\U0001fae9", "\U0001f6d8", "\uf8ff", "\u0378"])  # new emoji, private, and no character yet
def test_signs_that_python_does_not_know_are_signs_and_no_control_characters(sign):
    assert check_prompt(f"a red circle {sign}") is None
    with pytest.raises(DalleEduError, match="no object to draw"):
        check_prompt(sign)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_gives_the_whole_vocabulary(language):
    report = check_prompt({"fr": "un carré turquoise", "en": "a turquoise square"}[language])
    assert report is not None
    for shape in SHAPES.shapes:
        assert shape.words[language].singular in report
    for thing in (*SHAPES.colours, *SHAPES.sizes):
        assert thing.words[language].masculine in report


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("", "empty"),
        (" \t ", "empty"),
        ("un cercle rouge " * 625, "10000 characters"),
        ("a" * 10_000, f"10000 characters and may have {MAX_CHARACTERS}"),
        ("un cercle\x00rouge", "control character U\\+0000"),
        ("a red\x1b[31m circle", "control character U\\+001B"),
        ("a red\ncircle", "control character U\\+000A"),
        ("a red \ud800 circle", "control character U\\+D800"),
        ("красный круг", '"красный", "круг"'),
        ("红色的圆圈", "红色的圆圈"),
        ("دائرة حمراء", "دائرة"),
        ("un dragon", "mots inconnus de ce monde\u00a0: «\u00a0dragon\u00a0»"),
        ("a dragon above the house", 'unknown to this world: "dragon", "house"'),
        ("rouge et bleu", "aucun objet à dessiner dans «\u00a0rouge et bleu\u00a0»"),
        ("red and blue", 'no object to draw in "red and blue"'),
        ("!!!", "no object to draw"),
        ("🙂", "no object to draw"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(prompt, told):
    with pytest.raises(DalleEduError, match=told) as caught:
        check_prompt(prompt)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1500


@given(st.text(max_size=120))
def test_any_text_is_accepted_reported_or_refused(text):
    try:
        report = check_prompt(text)
    except DalleEduError:
        return
    assert bool(report) == bool(unknown_words(text))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("un cercle rouge", "fr"),
        ("a red circle", "en"),
        ("deux triangles", "fr"),
        ("two triangles", "en"),
        ("une étoile", "fr"),
        ("le château", "fr"),
        ("the castle", "en"),
        ("croix", "fr"),
        ("", "en"),
    ],
)
def test_the_language_is_guessed(text, language):
    assert guess_language(text) == language


def test_normalize():
    assert normalize("À  Gauche d’une ÉTOILE") == "a gauche d'une etoile"
    assert normalize("Cœur au-dessus") == "coeur au dessus"
