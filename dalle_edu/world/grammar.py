"""Captions: a grammar that writes a description in French and in English, in several phrasings each, and parses it back.

`caption` turns a `Description` into a sentence with the right agreement and elision. `read_caption` turns a sentence of any phrasing back
into a `Description`. Parsing ignores case, accents, hyphens and the form of apostrophes, since people type them in many ways.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

from dalle_edu.errors import DalleEduError
from dalle_edu.language import typeset
from dalle_edu.world.catalogue import LANGUAGES, SHAPES, Catalogue
from dalle_edu.world.scenes import RELATIONS, Description, Mention

MAX_CHARACTERS = 300


@dataclass(frozen=True)
class Phrasebook:
    """The fixed words of a language: what stands around the noun phrases of a caption."""

    openings: tuple[str, ...]  # before one object or two
    plural_openings: tuple[str, ...]  # before several objects alike
    links: tuple[str, ...]  # between two objects without a relation
    relations: dict[str, tuple[str, ...]]
    numbers: tuple[str, str, str, str]  # from one to four, as words
    articles: tuple[str, str]  # masculine and feminine, or before a consonant and before a vowel


PHRASEBOOKS = {
    "fr": Phrasebook(
        openings=("", "une image de ", "il y a "),
        plural_openings=("", "une image de ", "il y a "),
        links=("et", "avec"),
        relations={
            "left": ("à gauche de", "à la gauche de"),
            "right": ("à droite de", "à la droite de"),
            "above": ("au-dessus de",),
            "below": ("en dessous de", "au-dessous de", "sous"),
        },
        numbers=("un", "deux", "trois", "quatre"),
        articles=("un", "une"),
    ),
    "en": Phrasebook(
        openings=("", "a picture of ", "there is "),
        plural_openings=("", "a picture of ", "there are "),
        links=("and", "with"),
        relations={
            "left": ("to the left of", "left of", "on the left of"),
            "right": ("to the right of", "right of", "on the right of"),
            "above": ("above", "over"),
            "below": ("below", "under"),
        },
        numbers=("one", "two", "three", "four"),
        articles=("a", "an"),
    ),
}


def noun_phrase(mention: Mention, language: str, count: int = 1, number: str = "", catalogue: Catalogue = SHAPES) -> str:
    """A mention as a noun phrase: « une petite étoile verte », "a small green star"; with a count of 2, « deux étoiles vertes ».

    `count` is 1 to 4. `number` is the determiner to use; left empty, it is an article or `count` as a word.
    """
    noun = catalogue.shape(mention.shape).words[language]
    plural = count > 1
    size = mention.size and catalogue.size(mention.size).words[language].form(noun.feminine, plural)
    colour = mention.colour and catalogue.colour(mention.colour).words[language].form(noun.feminine, plural)
    name = noun.plural if plural else noun.singular
    words = [word for word in ((size, name, colour) if language == "fr" else (size, colour, name)) if word]
    book = PHRASEBOOKS[language]
    if number or plural:
        determiner = number or book.numbers[count - 1]
    elif language == "fr":
        determiner = book.articles[noun.feminine]
    else:
        determiner = book.articles[words[0][0] in "aeiou"]
    return " ".join([determiner, *words])


def phrasings(description: Description, language: str, catalogue: Catalogue = SHAPES) -> list[str]:
    """Every phrasing of a description in "fr" or "en", the plainest first. Raises `DalleEduError` for another language."""
    if language not in PHRASEBOOKS:
        raise DalleEduError(
            f'the language is "{language}"; captions are written in {" and ".join(LANGUAGES)}',
            f"la langue est « {language} » ; les légendes s'écrivent en {' et '.join(LANGUAGES)}",
        )
    book, mentions = PHRASEBOOKS[language], description.mentions
    if len(mentions) == 1:
        word, digit = book.numbers[description.count - 1], str(description.count)
        numbers = (word, digit) if description.count > 1 else ("", digit) if language == "fr" else ("", word, digit)
        bodies = [noun_phrase(mentions[0], language, description.count, number, catalogue) for number in numbers]
    else:
        first, second = (noun_phrase(mention, language, catalogue=catalogue) for mention in mentions)
        links = book.relations[description.relation] if description.relation else book.links
        bodies = [f"{first} {link} {second}" for link in links]
    openings = book.plural_openings if description.count > 1 else book.openings
    return [_elide(opening + body) if language == "fr" else opening + body for opening, body in product(openings, bodies)]


def caption(description: Description, language: str, phrasing: int = 0, catalogue: Catalogue = SHAPES) -> str:
    """A description as a sentence in "fr" or "en"; `phrasing` is any integer, taken modulo the number of phrasings.

    Raises `DalleEduError` for another language.
    """
    ways = phrasings(description, language, catalogue)
    return ways[phrasing % len(ways)]


def _elide(sentence: str) -> str:
    return re.sub(r"\bde (?=[aeiouyéœ])", "d'", sentence)


def normalize(text: str) -> str:
    """Normalised text, as captions are compared: lower case, no accents or hyphens, plain apostrophes, single spaces.

    « À Gauche d’une ÉTOILE » becomes "a gauche d'une etoile".
    """
    text = text.lower().replace("œ", "oe").replace("’", "'").replace("-", " ")
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(text.split())


@dataclass(frozen=True)
class _Lexicon:
    """The words of both languages in normalised form, each with the name in the catalogue, number or relation that it means."""

    nouns: dict[str, str]
    colours: dict[str, str]
    sizes: dict[str, str]
    numbers: dict[str, int]
    relations: dict[tuple[str, ...], str]
    links: frozenset[str]
    compounds: frozenset[tuple[str, ...]]  # nouns and adjectives of several words, such as « demi-lune »
    words: dict[str, frozenset[str]]  # by language


@cache
def _lexicon(catalogue_id: int) -> _Lexicon:
    catalogue = _CATALOGUES[catalogue_id]
    nouns: dict[str, str] = {}
    colours: dict[str, str] = {}
    sizes: dict[str, str] = {}
    names: set[tuple[str, ...]] = set()
    words: dict[str, set[str]] = {language: set() for language in LANGUAGES}
    for language, book in PHRASEBOOKS.items():
        forms = []
        for shape in catalogue.shapes:
            noun = shape.words[language]
            forms += [(nouns, form, shape.name) for form in (noun.singular, noun.plural)]
        for table, things in ((colours, catalogue.colours), (sizes, catalogue.sizes)):
            for thing in things:
                adjective = thing.words[language]
                forms += [(table, adjective.form(*f), thing.name) for f in product((False, True), repeat=2)]
        for table, form, name in forms:
            table[" ".join(_split(form))] = name
            words[language].update(_split(form))
            names.add(tuple(_split(form)))
        fixed = [*book.openings, *book.plural_openings, *book.links, *sum(book.relations.values(), ()), *book.numbers, *book.articles]
        words[language].update(word for phrase in fixed for word in _split(phrase))
        words[language].update(("d", "1", "2", "3", "4") if language == "fr" else ("1", "2", "3", "4"))
    numbers = {word: i + 1 for book in PHRASEBOOKS.values() for i, word in enumerate(book.numbers)}
    numbers |= {str(i): i for i in range(1, 5)}
    relations: dict[tuple[str, ...], str] = {}
    for book in PHRASEBOOKS.values():
        for relation, phrases in book.relations.items():
            relations |= {tuple(_split(phrase.removesuffix(" de"))): relation for phrase in phrases}
    links = frozenset(word for book in PHRASEBOOKS.values() for word in book.links)
    compounds = frozenset(name for name in names if len(name) > 1)
    known = {key: frozenset(value) for key, value in words.items()}
    return _Lexicon(nouns, colours, sizes, numbers, relations, links, compounds, known)


_CATALOGUES: dict[int, Catalogue] = {}


def lexicon(catalogue: Catalogue = SHAPES) -> _Lexicon:
    """Every word that the grammar knows for a catalogue, with its meaning. Computed once for each catalogue."""
    _CATALOGUES[id(catalogue)] = catalogue
    return _lexicon(id(catalogue))


def _split(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", normalize(text))


def _read_words(text: str, book: _Lexicon) -> list[str]:
    """The words of a text, with the words of a compound joined into one."""
    words, read = _split(text), []
    while words:
        length = next((n for n in (3, 2) if tuple(words[:n]) in book.compounds), 1)
        read.append(" ".join(words[:length]))
        words = words[length:]
    return read


def read_caption(text: str, catalogue: Catalogue = SHAPES) -> Description | None:
    """Parse a sentence, in either language, into its description; None where it has no reading, or more than one."""
    book = lexicon(catalogue)
    words = _read_words(text, book)
    parts: list[list[str]] = [[]]
    relation = None
    i = 0
    while i < len(words):
        length = next((n for n in (3, 2, 1) if tuple(words[i : i + n]) in book.relations), 0)
        if length:
            if relation or len(parts) > 1:
                return None
            relation = book.relations[tuple(words[i : i + length])]
            parts.append([])
        elif words[i] in book.links:
            parts.append([])
        else:
            parts[-1].append(words[i])
        i += length or 1
    read = [_read_part(part, book) for part in parts]
    if not 1 <= len(read) <= 2 or None in read:
        return None
    mentions, counts = zip(*[part for part in read if part], strict=True)
    if len(mentions) == 2 and max(counts) > 1:
        return None
    return Description(mentions, counts[0], relation)


def _read_part(words: list[str], book: _Lexicon) -> tuple[Mention, int] | None:
    shapes = [book.nouns[word] for word in words if word in book.nouns]
    colours = [book.colours[word] for word in words if word in book.colours]
    sizes = [book.sizes[word] for word in words if word in book.sizes]
    counts = [book.numbers[word] for word in words if word in book.numbers]
    if len(shapes) != 1 or len(colours) > 1 or len(sizes) > 1 or len(set(counts)) > 1:
        return None
    return Mention(shapes[0], colours[0] if colours else None, sizes[0] if sizes else None), max(counts, default=1)


def guess_language(text: str, catalogue: Catalogue = SHAPES) -> str:
    """The language of a text, "fr" or "en": the one with more known words in it, accents counting for French; "en" when equal."""
    words, known = set(_split(text)), lexicon(catalogue).words
    accents = len(re.findall(r"[àâçéèêëîïôûùüœ«»]", text.lower()))
    french = len(words & known["fr"]) + accents
    return "fr" if french > len(words & known["en"]) else "en"


def unknown_words(text: str, catalogue: Catalogue = SHAPES) -> list[str]:
    """The words of a text that the grammar does not know, in order, each once, as they were written."""
    known = frozenset().union(*lexicon(catalogue).words.values())
    written = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text))
    return list(dict.fromkeys(word for word in written if not set(_split(word)) <= known))


def vocabulary(language: str, catalogue: Catalogue = SHAPES) -> str:
    """One line that lists the nouns, colours and sizes of the catalogue in a language."""
    nouns = ", ".join(shape.words[language].singular for shape in catalogue.shapes)
    colours, sizes = (", ".join(thing.words[language].masculine for thing in things) for things in (catalogue.colours, catalogue.sizes))
    if language == "fr":
        return f"formes : {nouns} ; couleurs : {colours} ; tailles : {sizes} ; nombres de 1 à 4 ; à gauche, à droite, au-dessus, en dessous"
    return f"shapes: {nouns}; colours: {colours}; sizes: {sizes}; numbers from 1 to 4; left of, right of, above, below"


def check_prompt(text: str, catalogue: Catalogue = SHAPES) -> str | None:
    """Check a prompt before anything is generated.

    Returns None when every word is known. Otherwise returns a sentence, in the prompt's language, that names the unknown words and gives
    the vocabulary. Raises `DalleEduError` for a prompt that is no string, is empty, has more than `MAX_CHARACTERS` characters, holds a
    control character, or names no known object.
    """
    if not isinstance(text, str):
        raise DalleEduError(
            f"a prompt is a string, and this is {type(text).__name__}",
            f"une phrase est une chaîne de caractères, et ceci est {type(text).__name__}",
        )
    if not text.strip():
        raise DalleEduError(
            'the prompt is empty; write for instance "a red circle"', "la phrase est vide ; écrivez par exemple « un cercle rouge »"
        )
    if len(text) > MAX_CHARACTERS:
        raise DalleEduError(
            f"the prompt has {len(text)} characters and may have {MAX_CHARACTERS}; keep one sentence",
            f"la phrase a {len(text)} caractères et peut en avoir {MAX_CHARACTERS} ; gardez une seule phrase",
        )
    control = next((c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn")), None)
    if control:
        raise DalleEduError(
            f"the prompt holds the control character U+{ord(control):04X}; remove it",
            f"la phrase contient le caractère de contrôle U+{ord(control):04X} ; enlevez-le",
        )
    language, unknown = guess_language(text, catalogue), unknown_words(text, catalogue)
    words = ", ".join(f"« {word} »" if language == "fr" else f'"{word}"' for word in unknown)
    if language == "fr":
        finding = f"mots inconnus de ce monde : {words}" if unknown else f"aucun objet à dessiner dans « {text} »"
        report = typeset(f"{finding}. Vocabulaire — {vocabulary('fr', catalogue)}")
    else:
        finding = f"words unknown to this world: {words}" if unknown else f'no object to draw in "{text}"'
        report = f"{finding}. Vocabulary: {vocabulary('en', catalogue)}"
    if not set(_read_words(text, lexicon(catalogue))) & set(lexicon(catalogue).nouns):
        raise DalleEduError(report, report)
    return report if unknown else None


def every_caption(catalogue: Catalogue = SHAPES) -> Iterator[str]:
    """The training text of the tokenizer: captions that together hold every word of the grammar in every form."""
    names = [[thing.name for thing in things] for things in (catalogue.shapes, catalogue.colours, catalogue.sizes)]
    for language, (shape, colour, size) in product(LANGUAGES, product(*names)):
        mention = Mention(shape, colour, size)
        other = Mention(shape, colour)
        for count in (1, 2, 3, 4):
            yield from phrasings(Description((mention,), count), language, catalogue)
        for relation in (None, *RELATIONS):
            yield from phrasings(Description((mention, other), relation=relation), language, catalogue)
