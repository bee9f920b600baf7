"""Questionnaires: several sentences for one picture, or several pictures for one sentence, to be ranked by raters.

    questions = caption_questions(Coco("coco", "val2017"), 20)     # or picture_questions(system, sentences)
    Questionnaire(questions).save("ranking")
    Questionnaire.load("ranking").add(Ranking("anna", "person", {"captions-00": (1, 3, 2)}))

A questionnaire is a folder: `questions.json`, the pictures that it names as PNG, and a file for each rater's ranking, under `rankings`.
Rankings made on several computers are put together by copying these files.

The order of the choices is random, and the text of a question does not tell which choice should be the best. Where the protocol defines the
right order, that order is the ranking of the rater "protocol".

Letters: c choices, h = w pixels on a side.
"""

import io
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.bricks.words import jaccard_similarity, split_words
from dalle_edu.datasets.captioned_dataset import CaptionedDataset
from dalle_edu.datasets.captions import decode_text, read_json
from dalle_edu.datasets.pictures import decode
from dalle_edu.datasets.places import existing_folder, read_inside
from dalle_edu.datasets.report import Unusable, Why
from dalle_edu.errors import DalleEduError
from dalle_edu.files import check_new_folder, write_aside
from dalle_edu.seeds import check_seed
from dalle_edu.systems.critics.reranking import draw_candidates
from dalle_edu.systems.interface.system import System
from dalle_edu.world.domain import SHAPES_DOMAIN, Domain, domain_from_json, domain_to_json
from dalle_edu.world.sheet import as_pixels

RATERS = ("person", "model", "protocol")  # the kinds of raters
PROTOCOL = "protocol"
_MAX_SIDE = 4096
QUESTIONS, _RANKINGS = "questions.json", "rankings"


@dataclass(frozen=True)
class RankingQuestion:
    """A question: one picture and several sentences, or one sentence and several pictures, in [-1, 1] and all of one side."""

    name: str
    sentences: tuple[str, ...]
    pictures: Float[Tensor, "c 3 h w"]
    meant: tuple[int, ...] | None = None  # the place of each choice, 1 the best, where the protocol defines it

    @property
    def choices(self) -> int:
        """The number of choices."""
        return max(len(self.sentences), len(self.pictures))


@dataclass(frozen=True)
class Ranking:
    """The answers of a rater: for each question, the place of each choice, 1 for the best; ties share a place.

    `kind` is one of `RATERS`. Raises `DalleEduError` for a name that no file can have, another kind, or where only one of name and kind is
    "protocol".
    """

    rater: str
    kind: str
    places: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise `DalleEduError` for a name or a kind that no rater can have."""
        if not re.fullmatch(r"\w[\w .-]{0,60}", self.rater):
            raise DalleEduError(
                f'the rater is called "{self.rater}"; give a name of letters and digits, 61 at most',
                f"qui a classé s'appelle « {self.rater} » ; donnez un nom en lettres et chiffres, 61 au plus",
            )
        if self.kind not in RATERS:
            known = ", ".join(RATERS)
            raise DalleEduError(
                f'the kind of rater is "{self.kind}"; choose among: {known}',
                f"le genre « {self.kind} » de qui a classé est inconnu ; choisissez parmi : {known}",
            )
        if (self.rater == PROTOCOL) != (self.kind == PROTOCOL):
            raise DalleEduError(
                f'"{self.rater}" ranks as a {self.kind}; the name and the kind "{PROTOCOL}" belong together, so give the rater another',
                f"« {self.rater} » classe en tant que {self.kind} ; le nom et le genre « {PROTOCOL} » vont ensemble, donnez-en un autre",
            )


def caption_questions(dataset: CaptionedDataset, n: int = 20, seed: int = 0) -> list[RankingQuestion]:
    """`n` questions of a picture and three sentences: one of its own captions, the nearest caption of others, and the farthest.

    Nearness is the Jaccard similarity of the sentences' sets of words. A sentence is not used where it has all words of the right one, or
    the reverse, since such sentences are often true of both pictures. Raises `DalleEduError` where there are fewer than `n` pictures or
    than three, or too few sentences that differ.
    """
    if not 1 <= n <= len(dataset.pairs) or len(dataset.pairs) < 3:
        raise DalleEduError(
            f"{n} questions were asked for, and {len(dataset.pairs)} pictures are there; ask for no more than pictures, of 3 at least",
            f"{n} questions sont demandées, et {len(dataset.pairs)} images sont là ; demandez-en au plus autant, sur au moins 3 images",
        )
    rng = random.Random(f"{check_seed(seed)}:questions")
    questions = []
    for number, place in enumerate(rng.sample(range(len(dataset.pairs)), n)):
        pair = dataset.pairs[place]
        own = rng.choice(pair.captions)
        others = [caption for other in dataset.pairs if other is not pair for caption in other.captions]
        rng.shuffle(others)  # the sort below is stable: ties are broken at random
        words = set(split_words(own))
        apart = [other for other in others if not (words <= (said := set(split_words(other))) or said <= words)]
        if len(apart) < 2:
            raise DalleEduError(
                f'no other sentence of {dataset.folder} differs enough from "{own}"; give more pictures',
                f"aucune autre phrase de {dataset.folder} ne diffère assez de « {own} » ; donnez plus d'images",
            )
        apart.sort(key=lambda other: jaccard_similarity(words, set(split_words(other))))
        choices = list(enumerate((own, apart[-1], apart[0]), 1))
        rng.shuffle(choices)
        meant, sentences = zip(*choices, strict=True)
        questions.append(RankingQuestion(f"captions-{number:02d}", sentences, dataset.picture(pair).unsqueeze(0), meant))
    return questions


def picture_questions(system: System, sentences: Sequence[str], choices: int = 4, seed: int = 0, **options: Any) -> list[RankingQuestion]:
    """Questions of a sentence and `choices` pictures that a system generates for it. `options` go to `system.generate`."""
    drawn = draw_candidates(system, sentences, choices, seed, **options).cpu()
    return [RankingQuestion(f"pictures-{number:02d}", (sentence,), drawn[number].clamp(-1, 1)) for number, sentence in enumerate(sentences)]


class Questionnaire:
    """Questions and their rankings, in memory or, with `folder`, in a folder too.

    The order that the protocol defines is the first ranking, where there is one. `domain` is that of the sentences. Raises `DalleEduError`
    for a ranking that does not fit the questions.
    """

    def __init__(
        self,
        questions: Sequence[RankingQuestion],
        rankings: Sequence[Ranking] = (),
        folder: Path | None = None,
        domain: Domain = SHAPES_DOMAIN,
    ):
        self.domain = domain
        self.questions = {question.name: question for question in questions}
        self.folder = folder
        self.rankings: list[Ranking] = []
        meant = {question.name: question.meant for question in questions if question.meant is not None}
        for ranking in [*([Ranking(PROTOCOL, PROTOCOL, meant)] if meant else []), *rankings]:
            self._check(ranking)
            self.rankings.append(ranking)

    def save(self, folder: str | Path) -> Path:
        """Write the questions and their pictures into a new or empty folder; returns the folder.

        Each file is written atomically, and `questions.json` last. Raises `DalleEduError` where the folder is not empty.
        """
        folder = Path(folder)
        check_new_folder(folder)
        entries = []
        for question in self.questions.values():
            names = [f"{question.name}-{number}.png" for number in range(len(question.pictures))]
            for name, picture in zip(names, question.pictures, strict=True):
                _write_png(folder / name, picture)
            entries.append({"name": question.name, "sentences": question.sentences, "pictures": names, "meant": question.meant})
        domain = {} if self.domain == SHAPES_DOMAIN else {"domain": domain_to_json(self.domain)}
        _write_json(folder / QUESTIONS, {"questions": entries, **domain})
        self.folder = folder
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> "Questionnaire":
        """Read the questionnaire of a folder, with all its rankings. Raises `DalleEduError`, which names the file, where one is bad."""
        place = existing_folder(folder)
        reading = QUESTIONS
        try:
            document = read_json(decode_text(read_inside(place, QUESTIONS)), dict)
            entries = document.get("questions")
            if not isinstance(entries, list) or not entries:
                raise Unusable(Why.JSON)
            domain = _domain(document["domain"]) if "domain" in document else SHAPES_DOMAIN
            questions, rankings = [], []
            for name, sentences, names, meant in map(_fields, entries):
                pictures = []
                for reading in names:
                    pictures.append(_picture(read_inside(place, reading)))
                reading = QUESTIONS
                questions.append(RankingQuestion(name, sentences, _batch(pictures), meant))
            for path in sorted((place / _RANKINGS).glob("*.json")):
                reading = f"{_RANKINGS}/{path.name}"
                record = read_json(decode_text(read_inside(place, reading)), dict)
                rankings.append(_ranking(record))
            return cls(questions, rankings, place, domain)
        except Unusable as fault:
            raise fault.of(place / reading) from None

    def add(self, ranking: Ranking) -> None:
        """Add a ranking, in place of another by the same rater, and write it where the questionnaire has a folder.

        Raises `DalleEduError` where it does not fit the questions.
        """
        self._check(ranking)
        if self.folder is not None and ranking.kind != PROTOCOL:
            _write_json(self.folder / _RANKINGS / f"{ranking.rater}.json", asdict(ranking))
        self.rankings = [other for other in self.rankings if other.rater != ranking.rater] + [ranking]

    def ranking(self, rater: str) -> Ranking:
        """The ranking of a rater. Raises `DalleEduError` where there is none."""
        found = next((each for each in self.rankings if each.rater == rater), None)
        if found is None:
            known = ", ".join(each.rater for each in self.rankings) or "–"
            raise DalleEduError(f'"{rater}" has ranked nothing here; {known} have', f"« {rater} » n'a rien classé ici ; {known} l'ont fait")
        return found

    def _check(self, ranking: Ranking) -> None:
        """Raise `DalleEduError` unless a ranking answers questions of this questionnaire, each with a place for each of its choices."""
        for name, places in ranking.places.items():
            question = self.questions.get(name)
            if question is None:
                raise DalleEduError(
                    f'{ranking.rater} answers "{name}", which is no question here',
                    f"{ranking.rater} répond à « {name} », qui n'est pas une question d'ici",
                )
            if len(places) != question.choices or any(type(place) is not int or not 1 <= place <= question.choices for place in places):
                raise DalleEduError(
                    f"{ranking.rater} answers {list(places)} to {name}; give {question.choices} places, from 1 to {question.choices}",
                    f"{ranking.rater} répond {list(places)} à {name} ; donnez {question.choices} places, de 1 à {question.choices}",
                )


def _fields(entry: Any) -> tuple[str, tuple[str, ...], tuple[str, ...], tuple[int, ...] | None]:
    """The name, sentences, names of pictures and right places of a question in JSON. Raises `Unusable` for another form."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise Unusable(Why.JSON)
    sentences, pictures = _texts(entry.get("sentences")), _texts(entry.get("pictures"))
    meant = entry.get("meant")
    if 1 not in (len(sentences), len(pictures)) or not isinstance(meant, list | None):
        raise Unusable(Why.JSON)
    return entry["name"], sentences, pictures, None if meant is None else tuple(meant)


def _domain(document: Any) -> Domain:
    """The domain of a questionnaire's sentences. Raises `Unusable` where it is none."""
    try:
        return domain_from_json(document)
    except (TypeError, ValueError, KeyError, OSError, DalleEduError) as error:  # a sprite's PNG may be damaged
        raise Unusable(Why.JSON) from error


def _texts(value: Any) -> tuple[str, ...]:
    """A list of one or more strings. Raises `Unusable` for anything else."""
    if not isinstance(value, list) or not value or not all(isinstance(text, str) for text in value):
        raise Unusable(Why.JSON)
    return tuple(value)


def _picture(png: bytes) -> Float[Tensor, "3 h w"]:
    """Decode a PNG at its own size, read from bytes 16 to 20. Raises `Unusable` where it is no PNG, is bad, or is too large."""
    if not png.startswith(b"\x89PNG"):
        raise Unusable(Why.FORMAT)
    side = int.from_bytes(png[16:20], "big")
    if side > _MAX_SIDE:
        raise Unusable(Why.TOO_LARGE, f"{side} > {_MAX_SIDE} pixels")
    return decode(png, side)


def _batch(pictures: list[Tensor]) -> Float[Tensor, "c 3 h w"]:
    """Pictures as one tensor. Raises `Unusable` where their sizes differ."""
    if len({picture.shape for picture in pictures}) > 1:
        raise Unusable(Why.DAMAGED)
    return torch.stack(pictures)


def _ranking(record: dict[str, Any]) -> Ranking:
    """A ranking from its JSON. Raises `Unusable` for another form, and `DalleEduError` as `Ranking` does."""
    places = record.get("places")
    if not isinstance(places, dict) or not all(isinstance(each, list) for each in places.values()):
        raise Unusable(Why.JSON, '"rater", "kind", "places"?')
    return Ranking(str(record.get("rater")), str(record.get("kind")), {name: tuple(each) for name, each in places.items()})


def _write_png(path: Path, picture: Float[Tensor, "3 h w"]) -> None:
    from PIL import Image

    png = io.BytesIO()
    Image.fromarray(as_pixels(picture.unsqueeze(0))[0]).save(png, "PNG")
    write_aside(path, lambda file: file.write(png.getvalue()))


def _write_json(path: Path, document: Any) -> None:
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    write_aside(path, lambda file: file.write(text.encode()))
