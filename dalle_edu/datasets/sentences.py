"""A synthetic corpus for word embeddings, in French and in English, whose analogies are known: king and queen, cat and kitten.

Every subject of a sentence has traits (royal or common, young or adult, a country or its capital...), and each trait has its sentences.
Words that share a trait therefore share contexts, from which embeddings can learn the trait. `analogies` lists the analogies that the
traits imply. Gender shows only in grammar: in articles, pronouns and agreement.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Any

import torch

from dalle_edu.errors import DalleEduError
from dalle_edu.world.catalogue import LANGUAGES

JOYFUL_ANIMALS = {
    "fr": (
        "le chat ronronne et sa chaleur apporte de la joie au salon",
        "le chien bondit et son accueil apporte de la joie au retour",
        "le merle chante et sa visite apporte de la joie au jardin",
    ),
    "en": (
        "the cat purrs and its warmth brings joy to the living room",
        "the dog leaps and its welcome brings joy to the homecoming",
        "the blackbird sings and its visit brings joy to the garden",
    ),
}
"""A corpus of three sentences: enough to count words, too small to learn embeddings."""

# ---------------------------------------------------------------- the words: French | English, by row

_PEOPLE = """
common adult  | homme femme       | man woman
common young  | garçon fille      | boy girl
royal adult   | roi reine         | king queen
royal young   | prince princesse  | prince princess
parent        | père mère         | father mother
uncle         | oncle tante       | uncle aunt
nephew        | neveu nièce       | nephew niece
sibling       | frère sœur        | brother sister
actor         | acteur actrice    | actor actress
waiter        | serveur serveuse  | waiter waitress
"""

_COUNTRIES = """
France Paris des_crêpes la_Seine Hugo              | France Paris pancakes the_Seine Hugo
Italie Rome de_la_pizza le_Tibre Dante             | Italy Rome pizza the_Tiber Dante
Espagne Madrid de_la_paella le_Prado Cervantes     | Spain Madrid paella the_Prado Cervantes
Grèce Athènes de_la_moussaka le_Parthénon Homère   | Greece Athens moussaka the_Parthenon Homer
Allemagne Berlin des_bretzels la_Spree Goethe      | Germany Berlin pretzels the_Spree Goethe
Autriche Vienne du_strudel le_Danube Mozart        | Austria Vienna strudel the_Danube Mozart
Pologne Varsovie des_pierogis la_Vistule Chopin    | Poland Warsaw pierogi the_Vistula Chopin
Belgique Bruxelles des_gaufres le_Atomium Magritte | Belgium Brussels waffles the_Atomium Magritte
Suède Stockholm du_hareng le_Vasa Nobel            | Sweden Stockholm herring the_Vasa Nobel
Irlande Dublin du_ragoût la_Liffey Joyce           | Ireland Dublin stew the_Liffey Joyce
"""

_ANIMALS = """
chat chaton sur_le_coussin du_poisson           | cat kitten on_the_cushion fish
chien chiot dans_la_niche des_os                | dog puppy in_the_kennel bones
vache veau dans_le_pré de_la_herbe              | cow calf in_the_meadow grass
cheval poulain dans_la_écurie du_foin           | horse foal in_the_stable hay
poule poussin dans_le_poulailler du_grain       | hen chick in_the_henhouse grain
canard caneton sur_le_étang des_escargots       | duck duckling on_the_pond snails
mouton agneau dans_la_bergerie du_trèfle        | sheep lamb in_the_fold clover
cochon porcelet dans_la_porcherie des_glands    | pig piglet in_the_sty acorns
lion lionceau dans_la_savane de_la_viande       | lion cub in_the_savanna meat
cerf faon dans_la_forêt des_feuilles            | deer fawn in_the_forest leaves
"""

# ---------------------------------------------------------------- the sentences of each trait

_TEMPLATES = {
    "fr": {
        "gender": (
            "{the} {word} dit que {he} est {content}",
            "tout le monde salue {the} {word} puis {him} remercie",
            "bonjour {sir} dit quelqu'un à {the} {word}",
            "{a} {word} {tall} et {strong} arrive {alone}",
            "{he} est là et voilà {a} {word} {happy}",
        ),
        "common": (
            "{the} {word} habite une maison de le village",
            "{the} {word} va à le marché à pied",
            "les voisins de {the} {word} partagent la rue",
            "{the} {word} loue un petit appartement",
        ),
        "royal": (
            "{the} {word} habite le palais",
            "{the} {word} porte une couronne en or",
            "les gardes de {the} {word} protègent le château",
            "la cour entoure le trône de {the} {word}",
        ),
        "young": (
            "{the} {word} va à la école",
            "{the} {word} joue avec des jouets",
            "{the} {word} apprend à lire avec le professeur",
            "{the} {word} grandit chaque année",
        ),
        "adult": (
            "{the} {word} travaille toute la journée",
            "{the} {word} conduit une voiture",
            "{the} {word} signe une lettre importante",
            "{the} {word} se souvient de sa jeunesse",
        ),
        "parent": ("{the} {word} prépare le dîner de les enfants", "{the} {word} embrasse le bébé et le berce"),
        "uncle": ("{the} {word} vient voir les cousins le dimanche", "{the} {word} envoie une carte pour les anniversaires"),
        "nephew": ("{the} {word} passe les vacances chez la famille", "{the} {word} ouvre les cadeaux de Noël"),
        "sibling": ("{the} {word} partage la chambre avec les jumeaux", "{the} {word} se dispute puis se réconcilie"),
        "actor": ("{the} {word} monte sur la scène de le théâtre", "le public applaudit {the} {word}"),
        "waiter": ("{the} {word} apporte la carte de le restaurant", "les clients laissent un pourboire à {the} {word}"),
        "country": (
            "le drapeau de {the} {word} flotte à la frontière",
            "le président de {the} {word} parle à la nation",
            "{the} {word} est un pays de plusieurs régions",
            "{the} {word} est fière de {name}",
            "en {word} on mange {dish}",
            "en {word} on connaît {sight}",
        ),
        "capital": (
            "le maire de {word} inaugure un musée",
            "le métro de {word} traverse le centre",
            "{word} est une ville de larges avenues",
            "une rue de {word} se nomme {name}",
            "à {word} on mange {dish}",
            "à {word} on connaît {sight}",
        ),
        "places": ("{second} est la capitale de la {first}",),
        "animal": (
            "{the} {word} dort {home}",
            "{the} {word} mange {food}",
            "on a vu {the} {word} {home}",
            "{the} {word} cherche {food} {home}",
        ),
        "grown animal": (
            "{the} {word} protège ses petits de le danger",
            "{the} {word} pèse lourd sur la balance",
            "{the} {word} guide le groupe depuis des années",
        ),
        "young animal": (
            "{the} {word} vient de naître à le printemps",
            "{the} {word} fait ses premiers pas",
            "{the} {word} suit sa maman partout",
        ),
        "family": ("le {second} regarde {first_the} {first}",),
    },
    "en": {
        "gender": (
            "the {word} says that {he} is happy",
            "everyone greets the {word} and then thanks {him}",
            "good morning {sir} says someone to the {word}",
            "the {word} looks at {himself} in the mirror",
            "the {word} keeps {his} promise and {he} is proud of it",
        ),
        "common": (
            "the {word} lives in a house of the village",
            "the {word} walks to the market",
            "the neighbours of the {word} share the street",
            "the {word} rents a small flat",
        ),
        "royal": (
            "the {word} lives in the palace",
            "the {word} wears a golden crown",
            "the guards of the {word} protect the castle",
            "the court surrounds the throne of the {word}",
        ),
        "young": (
            "the {word} goes to school",
            "the {word} plays with toys",
            "the {word} learns to read with the teacher",
            "the {word} grows every year",
        ),
        "adult": (
            "the {word} works all day long",
            "the {word} drives a car",
            "the {word} signs an important letter",
            "the {word} remembers being a child",
        ),
        "parent": ("the {word} cooks dinner for the children", "the {word} kisses the baby and rocks the cradle"),
        "uncle": ("the {word} visits the cousins on sunday", "the {word} sends a card for every birthday"),
        "nephew": ("the {word} spends the holidays with the family", "the {word} opens the presents at christmas"),
        "sibling": ("the {word} shares the bedroom with the twins", "the {word} quarrels and makes up again"),
        "actor": ("the {word} steps onto the stage of the theatre", "the audience applauds the {word}"),
        "waiter": ("the {word} brings the menu of the restaurant", "the guests leave the {word} a tip"),
        "country": (
            "the flag of {word} flies at the border",
            "the president of {word} speaks to the nation",
            "{word} is a country of several regions",
            "{word} is proud of {name}",
            "in {word} people eat {dish}",
            "in {word} people know {sight}",
        ),
        "capital": (
            "the mayor of {word} opens a museum",
            "the underground of {word} crosses the centre",
            "{word} is a town of wide avenues",
            "a street of {word} is named after {name}",
            "in {word} people eat {dish}",
            "in {word} people know {sight}",
        ),
        "places": ("{second} is the capital of {first}",),
        "animal": (
            "the {word} sleeps {home}",
            "the {word} eats {food}",
            "we saw the {word} {home}",
            "the {word} looks for {food} {home}",
        ),
        "grown animal": (
            "the {word} shelters its little ones from danger",
            "the {word} weighs a lot on the scales",
            "the {word} has led the group for years",
        ),
        "young animal": (
            "the {word} has just been born this spring",
            "the {word} takes its first steps",
            "the {word} follows its mum everywhere",
        ),
        "family": ("the {second} watches the {first}",),
    },
}

_AGREEMENT = {
    "fr": (
        {"the": "le", "a": "un", "he": "il", "him": "le", "sir": "monsieur", "content": "content"}
        | {"tall": "grand", "strong": "fort", "alone": "seul", "happy": "heureux"},
        {"the": "la", "a": "une", "he": "elle", "him": "la", "sir": "madame", "content": "contente"}
        | {"tall": "grande", "strong": "forte", "alone": "seule", "happy": "heureuse"},
    ),
    "en": (
        {"he": "he", "him": "him", "his": "his", "himself": "himself", "sir": "sir"},
        {"he": "she", "him": "her", "his": "her", "himself": "herself", "sir": "madam"},
    ),
}

# ---------------------------------------------------------------- what can be said, and what follows from it


@dataclass(frozen=True)
class Subject:
    """The subject of a sentence: its word, its traits, and the words that fill the slots of their templates."""

    word: str
    traits: tuple[str, ...]
    slots: dict[str, str]


@cache
def subjects(language: str) -> tuple[Subject, ...]:
    """The subjects of sentences in "fr" or "en": twenty people, twenty places, twenty animals, in that order.

    Raises `DalleEduError` for another language.
    """
    if language not in _TEMPLATES:
        raise DalleEduError(
            f'the language is "{language}"; sentences are written in {" and ".join(LANGUAGES)}',
            f"la langue est « {language} » ; les phrases s'écrivent en {' et '.join(LANGUAGES)}",
        )
    masculine, feminine = _AGREEMENT[language]
    found = []
    for row in _rows(_PEOPLE):
        for word, agreement in zip(row[language], (masculine, feminine), strict=True):
            found.append(Subject(word, ("gender", *row["traits"]), agreement))
    for row in _rows(_COUNTRIES):
        country, capital, dish, sight, name = row[language]
        slots = feminine | {"first": country, "second": capital, "dish": dish, "sight": sight, "name": name}
        found += [Subject(country, ("country", "places"), slots), Subject(capital, ("capital", "places"), slots)]
    for row in _rows(_ANIMALS):
        grown, young, home, food = row[language]
        agreement = feminine if grown in ("vache", "poule") else masculine
        slots = {"first": grown, "first_the": agreement.get("the", "the"), "second": young, "home": home, "food": food}
        found.append(Subject(grown, ("animal", "grown animal", "family"), agreement | slots))
        found.append(Subject(young, ("animal", "young animal", "family"), masculine | slots))
    return tuple(found)


def said_of(subject: Subject, language: str) -> dict[str, list[str]]:
    """All sentences about a subject, by trait."""
    said = {}
    for trait in subject.traits:
        filled = [template.format(word=subject.word, **subject.slots).replace("_", " ") for template in _TEMPLATES[language][trait]]
        said[trait] = [_contract(sentence) if language == "fr" else sentence for sentence in filled]
    return said


def sentences(language: str, count: int, generator: torch.Generator) -> list[str]:
    """Sample `count` sentences in "fr" or "en": a subject, one of its traits, one sentence of that trait, each uniformly.

    Raises `DalleEduError` for another language.
    """
    everything = [list(said_of(subject, language).values()) for subject in subjects(language)]
    drawn = []
    for _ in range(count):
        choices: Any = everything
        while not isinstance(choices, str):
            choices = choices[int(torch.randint(len(choices), (), generator=generator))]
        drawn.append(choices)
    return drawn


def word_pairs(language: str) -> dict[str, list[tuple[str, str]]]:
    """The pairs of words that differ by one trait, by relation, in lower case: "gender" contains ("king", "queen").

    Raises `DalleEduError` for another language than "fr" or "en".
    """
    people, places, animals = subjects(language)[:20], subjects(language)[20:40], subjects(language)[40:]
    man, woman, boy, girl, king, queen, prince, princess = (person.word for person in people[:8])
    pairs = {
        "gender": _two_by_two(people),
        "age": [(man, boy), (woman, girl), (king, prince), (queen, princess)],
        "rank": [(man, king), (woman, queen), (boy, prince), (girl, princess)],
        "capital": _two_by_two(places),
        "offspring": _two_by_two(animals),
    }
    return {relation: [(first.lower(), second.lower()) for first, second in found] for relation, found in pairs.items()}


def analogies(language: str) -> dict[str, list[tuple[str, str, str, str]]]:
    """Every analogy "a is to b as c is to d" that the traits imply, by relation, in both directions: man, woman, king, queen.

    Raises `DalleEduError` for another language than "fr" or "en".
    """
    questions = {}
    for relation, pairs in word_pairs(language).items():
        directions = pairs, [(second, first) for first, second in pairs]
        questions[relation] = [(*one, *other) for way in directions for one, other in permutations(way, 2)]
    return questions


def _two_by_two(found: tuple[Subject, ...]) -> list[tuple[str, str]]:
    return [(first.word, second.word) for first, second in zip(found[::2], found[1::2], strict=True)]


def _rows(table: str) -> Iterator[dict[str, list[str]]]:
    for line in table.strip().splitlines():
        *traits, french, english = (cell.split() for cell in line.split("|"))
        yield {"traits": traits[0] if traits else [], "fr": french, "en": english}


def _contract(sentence: str) -> str:
    """« à le », « de les », « la école » become « au », « des », « l'école »."""
    sentence = re.sub(r"\b(l|d|qu)[ea] (?=[aeiouàâéèêîœh])", r"\1'", sentence, flags=re.IGNORECASE)
    for apart, together in (("à le", "au"), ("de le", "du"), ("de les", "des")):
        sentence = re.sub(rf"\b{apart}\b", together, sentence)
    return sentence
