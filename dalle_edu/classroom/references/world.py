"""Words, sentences and questions of the world against sentences written by hand and plain Python."""

import re
import unicodedata
from functools import cache
from typing import Any

import numpy as np

from dalle_edu.classroom.checking.cases import Case, call
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.scorecard import COLOURS, SIZES, drawn_description, thing
from dalle_edu.language import say
from dalle_edu.scorecard.exam import Question
from dalle_edu.world.grammar import caption, every_caption
from dalle_edu.world.scene_sampler import sample_scene
from dalle_edu.world.scenes import Mention, Object


def _plain(text: str) -> str:
    """Lower case, without accents; « œ » is two letters."""
    letters = unicodedata.normalize("NFD", text.lower().replace("œ", "oe"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


@cache
def _known() -> frozenset[str]:
    """The words of every caption that the grammar can write, in small letters without accents."""
    return frozenset(word for text in every_caption() for word in re.findall(r"\w+", _plain(text)))


def _unknown(text: str) -> list[str]:
    found: list[str] = []
    for word in re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text)):
        if word not in found and any(part not in _known() for part in re.findall(r"\w+", _plain(word))):
            found.append(word)
    return found


def _unknown_words(seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    by_hand = [
        ("a red circle", []),
        ("a red zebra", ["zebra"]),
        ("un zèbre rouge", ["zèbre"]),
        ("", []),
        ("A Zebra and a zebra", ["Zebra", "zebra"]),
        ("a zebra, a circle, a zebra!", ["zebra"]),
        ("Un CŒUR à gauche d’une étoile", []),
        ("un coeur au dessus d'un carre", []),
        ("5 stars and 3 circles_moons", ["5", "moons"]),
        ("le chat dort ; 2 étoiles", ["le", "chat", "dort"]),
        ("-1 stars", ["-1"]),
        ("2.5 red stars, 2 red stars", ["2.5"]),
        ("cer\u00adcle", []),  # with a soft hyphen
    ]
    words, drawn = ["cat", "Étoile", "Chien", "x9", "cat", "ÉTÉ"], list[str]()
    for _ in range(6):
        said = caption(drawn_description(rng), str(rng.choice(["fr", "en"])), int(rng.integers(9)))
        at = int(rng.integers(0, len(said.split()) + 1))
        drawn.append(" ".join([*said.split()[:at], *rng.choice(words, 3).tolist(), *said.split()[at:]]))
    return [*(call(wanted, text) for text, wanted in by_hand), *(call(_unknown, text) for text in drawn)]


# ---------------------------------------------------------------- noun phrases

NOUNS = {  # singular, plural, gender
    "circle": (("cercle", "cercles", "un"), ("circle", "circles")),
    "star": (("étoile", "étoiles", "une"), ("star", "stars")),
    "cross": (("croix", "croix", "une"), ("cross", "crosses")),
    "heart": (("cœur", "cœurs", "un"), ("heart", "hearts")),
}
ADJECTIVES = {  # masculine and feminine, then their plurals
    "red": ("rouge", "rouge", "rouges", "rouges"),
    "green": ("vert", "verte", "verts", "vertes"),
    "purple": ("violet", "violette", "violets", "violettes"),
    "orange": ("orange", "orange", "orange", "orange"),
    "small": ("petit", "petite", "petits", "petites"),
    "large": ("grand", "grande", "grands", "grandes"),
}


def _phrase(mention: Mention, language: str, count: int = 1, number: str = "") -> str:
    french, english = NOUNS[mention.shape]
    if language == "en":
        words = [each for each in (mention.size, mention.colour, english[count > 1]) if each]
        article = ("an" if words[0][0] in "aeiou" else "a", "two", "three", "four")[count - 1]
        return " ".join([number or article, *words])
    form = (french[2] == "une") + 2 * (count > 1)
    said = [
        number or (french[2], "deux", "trois", "quatre")[count - 1],
        ADJECTIVES[mention.size][form] if mention.size else "",
        french[count > 1],
        ADJECTIVES[mention.colour][form] if mention.colour else "",
    ]
    return " ".join(word for word in said if word)


def _noun_phrase(seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    by_hand: list[tuple[str, tuple[Any, ...]]] = [
        ("un cercle", (Mention("circle"), "fr")),
        ("a circle", (Mention("circle"), "en")),
        ("une étoile verte", (Mention("star", "green"), "fr")),
        ("an orange star", (Mention("star", "orange"), "en")),
        ("a small orange star", (Mention("star", "orange", "small"), "en")),
        ("deux petites croix violettes", (Mention("cross", "purple", "small"), "fr", 2)),
        ("trois cœurs orange", (Mention("heart", "orange"), "fr", 3)),
        ("four large red crosses", (Mention("cross", "red", "large"), "en", 4)),
        ("1 étoile", (Mention("star"), "fr", 1, "1")),
        ("2 green circles", (Mention("circle", "green"), "en", 2, "2")),
    ]
    drawn = []
    for _ in range(25):
        colour, size = (str(rng.choice(names)) if rng.random() < 0.7 else None for names in (["red", "green", "purple", "orange"], SIZES))
        count = int(rng.integers(1, 5))
        given = Mention(str(rng.choice(list(NOUNS))), colour, size), str(rng.choice(["fr", "en"])), count
        drawn.append(call(_phrase, *given, *([str(count)] if rng.random() < 0.3 else [])))
    return [*(call(wanted, *given) for wanted, given in by_hand), *drawn]


# ---------------------------------------------------------------- places, and questions


def _relation_between(seed: int) -> list[Case]:
    """With places on a grid of quarters, so that distances are often equal."""

    def peer(first: Object, second: Object) -> str:
        away = {"left": second.x - first.x, "right": first.x - second.x, "above": second.y - first.y, "below": first.y - second.y}
        farthest = max(away.values())
        across = [name for name in ("right", "left") if away[name] == farthest]
        return across[0] if across else max(away, key=lambda name: away[name])

    rng = np.random.default_rng(seed)
    places = [((0.2, 0.5), (0.8, 0.5)), ((0.8, 0.5), (0.2, 0.5)), ((0.5, 0.2), (0.5, 0.8)), ((0.5, 0.8), (0.5, 0.2))]
    places += [((0.25, 0.25), (0.75, 0.75)), ((0.75, 0.25), (0.25, 0.75)), ((0.5, 0.5), (0.5, 0.5)), ((0.2, 0.3), (0.3, 0.9))]
    places += [tuple((float(x), float(y)) for x, y in rng.integers(0, 5, (2, 2)) / 4) for _ in range(20)]  # type: ignore[misc]
    return [
        call(peer, thing("star", str(rng.choice(COLOURS)), *one), thing("circle", "red", *other, size="large")) for one, other in places
    ]


def _questions(seed: int) -> list[Case]:
    def peer(n: int, seed: int = 0) -> list[Question]:
        asked: list[Question] = []
        while len(asked) < n:
            number = len(asked) // 2
            split = "seen" if (number + 1) % 4 else "held_out"
            scene = sample_scene(1_000_003 + seed, number, split)
            asked += [Question(scene, caption(scene.description, language, number), language, split) for language in ("fr", "en")]
        return asked[:n]

    return [call(peer, 1), call(peer, 2), call(peer, 3, seed % 1000), call(peer, 9), call(peer, 17, seed=seed % 1000 + 1)]


REFERENCES = [
    Reference("world.grammar:unknown_words", say("the words of every caption", "les mots de toutes les légendes"), _unknown_words, 0.0),
    Reference("world.grammar:noun_phrase", say("forms written by hand", "des formes écrites à la main"), _noun_phrase, 0.0),
    Reference("world.scenes:relation_between", say("the longest of four ways", "le plus long de quatre chemins"), _relation_between, 0.0),
    Reference("scorecard.exam:questions", say("a loop of its own", "une boucle à part"), _questions, 0.0),
]
