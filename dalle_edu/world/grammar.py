"""Captions: a grammar that writes a description in French and in English, in several phrasings each, and parses it back.

`caption` turns a `Description` into a sentence with the right agreement and elision. `read_caption` turns a sentence of any phrasing back
into a `Description`, and a sentence with words that it does not read into none: it gets no marks. `words.py` says what a word is.
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
from dalle_edu.world.words import indefinite_article, normal_words, normalize, written_words

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
    repeated: dict[str, str]  # the preposition that an opening ends with and that a link repeats: « une image d'un rond et d'un carré »
    negations: frozenset[str]  # words that no caption has, and that turn what is said round


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
        repeated={"et": "de "},
        negations=frozenset(("aucun", "aucune", "pas", "sans", "ni", "jamais", "non", "nul", "nulle", "rien", "zero")),
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
        repeated={},
        negations=frozenset(("no", "not", "without", "never", "none", "neither", "nor", "nothing", "zero", "isn", "aren")),
    ),
}


def noun_phrase(mention: Mention, language: str, count: int = 1, number: str = "", catalogue: Catalogue = SHAPES) -> str:
    """A mention as a noun phrase: « une petite étoile verte », "a small green star"; with a count of 2, « deux étoiles vertes ».

    `count` is 1 to 4. `number` is the determiner to use; left empty, it is an article or `count` as a word.
    """
    noun = catalogue.shape(mention.shape).words[language]
    size = catalogue.size(mention.size).words[language] if mention.size else None
    colour = catalogue.colour(mention.colour).words[language] if mention.colour else None
    said = [word for word in ((size, noun, colour) if language == "fr" else (size, colour, noun)) if word]
    plural, book = count > 1, PHRASEBOOKS[language]
    words = [word.form(noun.feminine, plural) for word in said]
    if number or plural:
        determiner = number or book.numbers[count - 1]
    elif language == "fr":
        determiner = book.articles[noun.feminine]
    else:
        determiner = said[0].article or indefinite_article(words[0])
    return " ".join([determiner, *words])


def phrasings(description: Description, language: str, catalogue: Catalogue = SHAPES) -> list[str]:
    """Every phrasing of a description in "fr" or "en", the plainest first. Raises `DalleEduError` for another language."""
    if language not in PHRASEBOOKS:
        raise DalleEduError(
            f'the language is "{language}"; captions are written in {" and ".join(LANGUAGES)}',
            f"la langue est « {language} » ; les légendes s'écrivent en {' et '.join(LANGUAGES)}",
        )
    book, mentions = PHRASEBOOKS[language], description.mentions
    openings = book.plural_openings if description.count > 1 else book.openings
    if len(mentions) == 1:
        word, digit = book.numbers[description.count - 1], str(description.count)
        numbers = (word, digit) if description.count > 1 else ("", digit) if language == "fr" else ("", word, digit)
        bodies = [noun_phrase(mentions[0], language, description.count, number, catalogue) for number in numbers]
        ways = [opening + body for opening, body in product(openings, bodies)]
    else:
        first, second = (noun_phrase(mention, language, catalogue=catalogue) for mention in mentions)
        links = book.relations[description.relation] if description.relation else book.links
        ways = [f"{opening}{first} {link} {_repeated(opening, link, book)}{second}" for opening in openings for link in links]
    return [_elide(way) for way in ways] if language == "fr" else ways


def _repeated(opening: str, link: str, book: Phrasebook) -> str:
    """The preposition to say again before the second object: where the opening ends with it, and the link joins equals."""
    preposition = book.repeated.get(link, "")
    return preposition if preposition and opening.endswith(preposition) else ""


def caption(description: Description, language: str, phrasing: int = 0, catalogue: Catalogue = SHAPES) -> str:
    """A description as a sentence in "fr" or "en"; `phrasing` is any integer, taken modulo the number of phrasings.

    Raises `DalleEduError` for another language.
    """
    ways = phrasings(description, language, catalogue)
    return ways[phrasing % len(ways)]


def _elide(sentence: str) -> str:
    return re.sub(r"\bde (?=[aeiouyéœ])", "d'", sentence)


@dataclass(frozen=True)
class _Lexicon:
    """The words of both languages in normalised form, each with the name in the catalogue, number or relation that it means."""

    nouns: dict[str, str]
    colours: dict[str, str]
    sizes: dict[str, str]
    plurals: frozenset[str]  # forms of nouns that only a plural has
    numbers: dict[str, int]
    relations: dict[tuple[str, ...], str]
    telling: frozenset[str]  # words of one relation alone, such as "left": where no relation is read, they say something that is not
    links: frozenset[str]
    compounds: frozenset[tuple[str, ...]]  # nouns and adjectives of several words, such as « demi-lune »
    words: dict[str, frozenset[str]]  # by language
    known: frozenset[str]  # all of them


@cache
def lexicon(catalogue: Catalogue = SHAPES) -> _Lexicon:
    """Every word that the grammar knows for a catalogue, with its meaning. Computed once for each catalogue."""
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
            table[" ".join(normal_words(form))] = name
            words[language].update(normal_words(form))
            names.add(tuple(normal_words(form)))
        fixed = [*book.openings, *book.plural_openings, *book.links, *sum(book.relations.values(), ()), *book.numbers, *book.articles]
        words[language].update(word for phrase in fixed for word in normal_words(phrase))
        words[language].update(("d", "1", "2", "3", "4") if language == "fr" else ("1", "2", "3", "4"))
    numbers = {word: i + 1 for book in PHRASEBOOKS.values() for i, word in enumerate(book.numbers)}
    numbers |= {str(i): i for i in range(1, 5)}
    relations: dict[tuple[str, ...], str] = {}
    for book in PHRASEBOOKS.values():
        for relation, phrases in book.relations.items():
            relations |= {tuple(normal_words(phrase.removesuffix(" de"))): relation for phrase in phrases}
    told = {relation: {word for phrase in relations if relations[phrase] == relation for word in phrase} for relation in RELATIONS}
    telling = frozenset(word for words in told.values() for word in words if sum(word in others for others in told.values()) == 1)
    singulars = {" ".join(normal_words(shape.words[language].singular)) for shape in catalogue.shapes for language in LANGUAGES}
    plurals = frozenset(nouns.keys() - singulars)
    links = frozenset(word for book in PHRASEBOOKS.values() for word in book.links)
    compounds = frozenset(name for name in names if len(name) > 1)
    known = {key: frozenset(value) for key, value in words.items()}
    return _Lexicon(
        nouns, colours, sizes, plurals, numbers, relations, telling, links, compounds, known, frozenset().union(*words.values())
    )


def _joined(words: list[str], book: _Lexicon) -> list[str]:
    """Words with those of a compound joined into one."""
    if not book.compounds:
        return words
    read = []
    while words:
        length = next((n for n in (3, 2) if tuple(words[:n]) in book.compounds), 1)
        read.append(" ".join(words[:length]))
        words = words[length:]
    return read


def read_caption(text: str, catalogue: Catalogue = SHAPES) -> Description | None:
    """Parse a sentence, in either language, into its description; None where it has no reading, or more than one.

    A sentence with words that are not read, such as "5", "no" or "dragon", has no reading: who marks a picture by it would mark less than
    it says. `unknown_words` names them.
    """
    book = lexicon(catalogue)
    words = normal_words(text)
    if not book.known.issuperset(words):
        return None
    words = _joined(words, book)
    parts: list[list[str]] = [[]]
    relation = None
    i = 0
    while i < len(words):
        length = next((n for n in (4, 3, 2, 1) if tuple(words[i : i + n]) in book.relations), 0)
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
    uncounted = book.plurals.intersection(words) and not counts  # "circles": how many?
    if uncounted or book.telling.intersection(words):  # "a circle on the left"
        return None
    return Mention(shapes[0], colours[0] if colours else None, sizes[0] if sizes else None), max(counts, default=1)


def guess_language(text: str, catalogue: Catalogue = SHAPES) -> str:
    """The language of a text, "fr" or "en": the one with more known words in it, accents counting for French; "en" when equal."""
    words, known = set(normal_words(text)), lexicon(catalogue).words
    accents = len(re.findall(r"[àâçéèêëîïôûùüœ«»]", text.lower()))
    french = len(words & known["fr"]) + accents
    return "fr" if french > len(words & known["en"]) else "en"


def unknown_words(text: str, catalogue: Catalogue = SHAPES) -> list[str]:
    """The words of a text that the grammar does not read, in order, each once, as they were written; 5 and -1 are such words too."""
    known = lexicon(catalogue).known
    return list(dict.fromkeys(word for word in written_words(text) if not set(normal_words(word)) <= known))


def _explained(unknown: list[str], language: str) -> str:
    """What to know of unread numbers and negations, in a sentence each."""
    negations = frozenset().union(*(book.negations for book in PHRASEBOOKS.values()))
    told = {
        "en": ("Only the numbers from 1 to 4 are read.", "A negation is not read: what is named is drawn."),
        "fr": ("Seuls les nombres de 1 à 4 se lisent.", "Une négation ne se lit pas : ce qui est nommé est dessiné."),
    }[language]
    found = any(any(c.isnumeric() for c in word) for word in unknown), any(normalize(word) in negations for word in unknown)
    return "".join(f" {sentence}" for sentence, applies in zip(told, found, strict=True) if applies)


def vocabulary(language: str, catalogue: Catalogue = SHAPES) -> str:
    """One line that lists the nouns, colours and sizes of the catalogue in a language."""
    nouns = ", ".join(shape.words[language].singular for shape in catalogue.shapes)
    colours, sizes = (", ".join(thing.words[language].masculine for thing in things) for things in (catalogue.colours, catalogue.sizes))
    if language == "fr":
        return f"formes : {nouns} ; couleurs : {colours} ; tailles : {sizes} ; nombres de 1 à 4 ; à gauche, à droite, au-dessus, en dessous"
    return f"shapes: {nouns}; colours: {colours}; sizes: {sizes}; numbers from 1 to 4; left of, right of, above, below"


def check_sentence(text: str) -> None:
    """Raise `DalleEduError` for what is no string, is empty, has more than `MAX_CHARACTERS` characters, or holds a control character or
    half of one (a lone surrogate).
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
    control = next((c for c in text if unicodedata.category(c) in ("Cc", "Cs")), None)
    if control:
        raise DalleEduError(
            f"the prompt holds the control character U+{ord(control):04X}; remove it",
            f"la phrase contient le caractère de contrôle U+{ord(control):04X} ; enlevez-le",
        )


def check_prompt(text: str, catalogue: Catalogue = SHAPES) -> str | None:
    """Check a prompt before anything is generated.

    Returns None when every word is known. Otherwise returns a sentence, in the prompt's language, that names the unknown words and gives
    the vocabulary. Raises `DalleEduError` for a prompt that is no string, is empty, has more than `MAX_CHARACTERS` characters, holds a
    control character or half of one (a lone surrogate), or names no known object.
    """
    check_sentence(text)
    language, unknown = guess_language(text, catalogue), unknown_words(text, catalogue)
    words = ", ".join(f"« {word} »" if language == "fr" else f'"{word}"' for word in unknown)
    if language == "fr":
        finding = f"mots inconnus de ce monde : {words}" if unknown else f"aucun objet à dessiner dans « {text} »"
        report = typeset(f"{finding}.{_explained(unknown, 'fr')} Vocabulaire — {vocabulary('fr', catalogue)}")
    else:
        finding = f"words unknown to this world: {words}" if unknown else f'no object to draw in "{text}"'
        report = f"{finding}.{_explained(unknown, 'en')} Vocabulary: {vocabulary('en', catalogue)}"
    if not set(_joined(normal_words(text), lexicon(catalogue))) & set(lexicon(catalogue).nouns):
        raise DalleEduError(report, report)
    return report if unknown else None


def every_caption(catalogue: Catalogue = SHAPES) -> Iterator[str]:
    """The training text of the tokenizer: captions that together hold every word of the grammar in every form.

    « et d'un » is said « et un » here, as until exam 2: tokens are numbered by how often words come, and weights know words by number.
    """
    names = [[thing.name for thing in things] for things in (catalogue.shapes, catalogue.colours, catalogue.sizes)]
    for language, (shape, colour, size) in product(LANGUAGES, product(*names)):
        mention = Mention(shape, colour, size)
        other = Mention(shape, colour)
        for count in (1, 2, 3, 4):
            yield from phrasings(Description((mention,), count), language, catalogue)
        for relation in (None, *RELATIONS):
            ways = phrasings(Description((mention, other), relation=relation), language, catalogue)
            yield from (way.replace(" et d'un", " et un") for way in ways)
