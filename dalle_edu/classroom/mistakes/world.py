"""Mistakes about words, sentences and questions of the world."""

import re
from dataclasses import replace

from dalle_edu.classroom.checking.proof import Mistake
from dalle_edu.scorecard.exam import Question, questions
from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Catalogue
from dalle_edu.world.grammar import PHRASEBOOKS, caption, lexicon, normalize, noun_phrase, unknown_words
from dalle_edu.world.scene_sampler import sample_scene
from dalle_edu.world.scenes import Mention, Object


def compared_letter_for_letter(text: str, catalogue: Catalogue = SHAPES) -> list[str]:
    known = frozenset().union(*lexicon(catalogue).words.values())
    return list(dict.fromkeys(word for word in re.findall(r"[^\W_]+", text) if word not in known))


def in_small_letters(text: str, catalogue: Catalogue = SHAPES) -> list[str]:
    return list(dict.fromkeys(normalize(word) for word in unknown_words(text, catalogue)))


def each_time_it_comes(text: str, catalogue: Catalogue = SHAPES) -> list[str]:
    unknown = set(unknown_words(text, catalogue))
    return [word for word in re.findall(r"[^\W_]+", text) if word in unknown]


def in_alphabetical_order(text: str, catalogue: Catalogue = SHAPES) -> list[str]:
    return sorted(unknown_words(text, catalogue))


def _said(mention: Mention, language: str, count: int, number: str, feminine: bool, plural: bool, article: str = "") -> str:
    noun, book = SHAPES.shape(mention.shape).words[language], PHRASEBOOKS[language]
    size = mention.size and SHAPES.size(mention.size).words[language].form(feminine, plural)
    colour = mention.colour and SHAPES.colour(mention.colour).words[language].form(feminine, plural)
    name = noun.plural if count > 1 else noun.singular
    words = [word for word in ((size, name, colour) if language == "fr" else (size, colour, name)) if word]
    default = book.numbers[count - 1] if count > 1 else article or noun_phrase(mention, language).split()[0]
    return " ".join([number or default, *words])


def adjectives_without_gender(mention: Mention, language: str, count: int = 1, number: str = "", catalogue: Catalogue = SHAPES) -> str:
    return _said(mention, language, count, number, False, count > 1)


def adjectives_without_number(mention: Mention, language: str, count: int = 1, number: str = "", catalogue: Catalogue = SHAPES) -> str:
    return _said(mention, language, count, number, SHAPES.shape(mention.shape).words[language].feminine, False)


def article_of_the_noun(mention: Mention, language: str, count: int = 1, number: str = "", catalogue: Catalogue = SHAPES) -> str:
    if language == "fr" or count > 1 or number:
        return noun_phrase(mention, language, count, number, catalogue)
    rest = noun_phrase(mention, language).split()[1:]
    return " ".join(["an" if rest[-1][0] in "aeiou" else "a", *rest])


def english_order(mention: Mention, language: str, count: int = 1, number: str = "", catalogue: Catalogue = SHAPES) -> str:
    words = noun_phrase(mention, language, count, number, catalogue).split()
    return " ".join([*words[:-2], words[-1], words[-2]]) if language == "fr" and mention.colour else " ".join(words)


def upwards(first: Object, second: Object) -> str:
    dx, dy = first.x - second.x, first.y - second.y
    if abs(dx) >= abs(dy):
        return "left" if dx < 0 else "right"
    return "above" if dy > 0 else "below"


def the_second_from_the_first(first: Object, second: Object) -> str:
    dx, dy = second.x - first.x, second.y - first.y
    if abs(dx) >= abs(dy):
        return "left" if dx < 0 else "right"
    return "above" if dy < 0 else "below"


def left_and_right_first(first: Object, second: Object) -> str:
    if first.x != second.x:
        return "left" if first.x < second.x else "right"
    return "above" if first.y < second.y else "below"


def _asked(n: int, seed: int, scene_of: int, held_out_from: int = 3) -> list[Question]:
    """Questions of which `scene_of` each are about one scene, of which every fourth, from a number on, is held out."""
    asked = []
    for i in range(n):
        index, language = i // scene_of, LANGUAGES[i % 2]
        split = "held_out" if index % 4 == held_out_from else "seen"
        scene = sample_scene(1_000_003 + seed, index, split)
        asked.append(Question(scene, caption(scene.description, language, index), language, split))
    return asked


def another_scene_for_each_language(n: int, seed: int = 0) -> list[Question]:
    return _asked(n, seed, 1)


def held_out_first(n: int, seed: int = 0) -> list[Question]:
    return _asked(n, seed, 2, 0)


def always_the_plainest_words(n: int, seed: int = 0) -> list[Question]:
    return [replace(each, text=caption(each.scene.description, each.language)) for each in questions(n, seed)]


def all_in_french_first(n: int, seed: int = 0) -> list[Question]:
    asked = questions(n, seed)
    return [each for language in LANGUAGES for each in asked if each.language == language]


_UNKNOWN, _PHRASE = "world.grammar:unknown_words", "world.grammar:noun_phrase"
_RELATION, _QUESTIONS = "world.scenes:relation_between", "scorecard.exam:questions"
MISTAKES = [
    Mistake(
        _UNKNOWN,
        compared_letter_for_letter,
        "Words are compared letter for letter: capitals and accents make known words unknown; normalise both sides.",
        "Les mots sont comparés lettre à lettre : majuscules et accents rendent inconnus des mots connus ; normalisez des deux côtés.",
    ),
    Mistake(
        _UNKNOWN,
        in_small_letters,
        "The words come back normalised; give them as they were written, so that the writer finds them again.",
        "Les mots sont rendus normalisés ; donnez-les tels qu'ils étaient écrits, pour qu'on les retrouve.",
    ),
    Mistake(
        _UNKNOWN,
        each_time_it_comes,
        "A word that comes twice is listed twice; each is to be named once.",
        "Un mot qui vient deux fois est cité deux fois ; chacun ne doit l'être qu'une.",
    ),
    Mistake(
        _UNKNOWN,
        in_alphabetical_order,
        "The words come in alphabetical order; keep that of the sentence.",
        "Les mots viennent par ordre alphabétique ; gardez celui de la phrase.",
    ),
    Mistake(
        _PHRASE,
        adjectives_without_gender,
        "Adjectives do not agree with the gender of the noun: « une étoile vert ».",
        "Les adjectifs ne s'accordent pas en genre avec le nom : « une étoile vert ».",
    ),
    Mistake(
        _PHRASE,
        adjectives_without_number,
        "Adjectives do not agree with the number of objects: « deux étoiles verte ».",
        "Les adjectifs ne s'accordent pas en nombre : « deux étoiles verte ».",
    ),
    Mistake(
        _PHRASE,
        article_of_the_noun,
        "The noun chooses between a and an; the word right after the article decides: “an orange star”.",
        "Le choix de a ou an suit le nom ; c'est le mot placé juste après l'article qui décide : “an orange star”.",
    ),
    Mistake(
        _PHRASE,
        english_order,
        "In French the colour follows the noun: « une étoile verte ».",
        "En français, la couleur suit le nom : « une étoile verte ».",
    ),
    Mistake(
        _RELATION,
        upwards,
        "Here y grows downwards, as in pictures: the smaller y is above.",
        "Ici y croît vers le bas, comme dans les images : le plus petit y est au-dessus.",
    ),
    Mistake(
        _RELATION,
        the_second_from_the_first,
        "It says where the second object is; the relation is that of the first to the second.",
        "C'est la place du second objet qui est dite ; la relation est celle du premier au second.",
    ),
    Mistake(
        _RELATION,
        left_and_right_first,
        "Left and right win however small the difference; the longer of the two distances decides.",
        "Gauche et droite l'emportent même pour un écart infime ; c'est la plus longue des deux distances qui décide.",
    ),
    Mistake(
        _QUESTIONS,
        another_scene_for_each_language,
        "Each language is asked about scenes of its own, so that a difference between languages may be one of scenes.",
        "Chaque langue a ses propres scènes : une différence entre langues peut alors venir des scènes.",
    ),
    Mistake(
        _QUESTIONS,
        held_out_first,
        "The held-out scenes are the first of every four; they are the fourth, index 3.",
        "Les scènes réservées sont les premières de chaque groupe de quatre ; ce sont les quatrièmes, d'indice 3.",
    ),
    Mistake(
        _QUESTIONS,
        always_the_plainest_words,
        "Every caption is said in the plainest words; number `index` takes phrasing `index`, so that all wordings are tried.",
        "Chaque légende est dite dans les mots les plus simples ; la scène d'indice `index` prend la tournure `index`.",
    ),
    Mistake(
        _QUESTIONS,
        all_in_french_first,
        "All the French questions come first; a scene's French and English questions stand side by side.",
        "Toutes les questions en français viennent d'abord ; celles d'une même scène, en français et en anglais, se suivent.",
    ),
]
