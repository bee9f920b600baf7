"""The report of an exam on pictures that no examiner can judge: what was measured, beside the most and the least that can be expected."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from dalle_edu.files import write_aside
from dalle_edu.language import Language, language_named
from dalle_edu.scorecard.caption_retrieval import Match
from dalle_edu.scorecard.confidence_interval import Rate
from dalle_edu.scorecard.fidelity import FEWEST, FRECHET_NEEDS, Distance

OPEN_EXAM = 1  # the number of this exam: its questions and how they are judged


@dataclass(frozen=True)
class OpenReport:
    """What was measured of a system on held-out pictures.

    `losses` are those of each stage. `critic` judged `true` pictures and `drawn` ones, `gallery` captions at a time; it is None where there
    was none. `kernel` and `frechet` are distances between drawn and true pictures, in features of `channels`; None where there are too few
    pictures, or none was drawn. `sheet` shows true pictures beside drawn ones.
    """

    system: str
    seed: int
    pictures: int
    captions: int
    losses: dict[str, float] = field(default_factory=dict)
    critic: str | None = None
    gallery: int = 0
    channels: int = 0
    true: Match | None = None
    drawn: Match | None = None
    kernel: Distance | None = None
    frechet: Distance | None = None
    sheet: Image.Image | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON, without its sheet. What was not measured is null."""
        return {
            "system": self.system,
            "open_exam": OPEN_EXAM,
            "seed": self.seed,
            "pictures": self.pictures,
            "captions": self.captions,
            "losses": self.losses,
            "critic": self.critic,
            "gallery": self.gallery,
            "true": _match_json(self.true),
            "drawn": _match_json(self.drawn),
            "kernel_distance": _distance_json(self.kernel),
            "frechet_distance": _distance_json(self.frechet),
        }

    def save(self, path: str | Path) -> None:
        """Write the report as a JSON file, atomically."""
        text = json.dumps(self.to_json(), indent=2) + "\n"
        write_aside(path, lambda file: file.write(text.encode()))

    def lines(self, language: str) -> list[str]:
        """The report in sentences of a language, given by its code. Raises `ValueError` for a language that is not known."""
        speech = language_named(language)
        said = [*self._who(speech), *self._losses(speech)]
        if self.critic is None:
            return [*said, speech.worded(*_NO_CRITIC)]
        return [*said, *self._matches(speech), *self._kernel(speech), *self._frechet(speech)]

    def _who(self, speech: Language) -> list[str]:
        n, m = self.pictures, self.captions
        return [
            speech.worded(
                f"{self.system}, {n} held-out pictures, {m} different captions, seed {self.seed}",
                f"{self.system}, {n} images réservées, {m} légendes différentes, graine {self.seed}",
            )
        ]

    def _losses(self, speech: Language) -> list[str]:
        if not self.losses:
            return []
        listed = ", ".join(f"{stage} {speech.number(f'{loss:.4f}')}" for stage, loss in self.losses.items())
        return [
            speech.worded(
                f"held-out loss, lower is better: {listed} (compares only with the same pictures and the same preset)",
                f"perte sur les images réservées, mieux si plus basse : {listed} (ne se compare qu'avec les mêmes images et le même préréglage)",
            )
        ]

    def _matches(self, speech: Language) -> list[str]:
        true, drawn, said = self.true, self.drawn, []
        if true and true.found.n:
            chance = speech.number(f"{100 / self.gallery:.1f}")
            found = f"{self.critic} finds the caption of a picture among {self.gallery}: true pictures {_rate(true.found, speech)}"
            trouve = f"{self.critic} trouve la légende d'une image parmi {self.gallery} : vraies images {_rate(true.found, speech)}"
            if drawn:
                found += f"; drawn ones {_rate(drawn.found, speech)}"
                trouve += f" ; dessinées {_rate(drawn.found, speech)}"
            said.append(speech.worded(f"{found}; by chance {chance} %", f"{trouve} ; au hasard {chance} %"))
        if true:
            one, two = speech.number(f"{true.clip_score:.1f}"), speech.number(f"{true.clip_score_of_others:.1f}")
            score = f"CLIP score (100 x cosine): true pictures {one}, with captions of others {two}"
            note = f"score CLIP (100 x cosinus) : vraies images {one}, avec les légendes d'autres {two}"
            if drawn:
                one, two = speech.number(f"{drawn.clip_score:.1f}"), speech.number(f"{drawn.clip_score_of_others:.1f}")
                score += f"; drawn ones {one}, with captions of others {two}"
                note += f" ; dessinées {one}, avec les légendes d'autres {two}"
            said.append(speech.worded(score, note))
        return said

    def _kernel(self, speech: Language) -> list[str]:
        if self.drawn is None:
            return []
        if self.kernel is None:
            return [
                speech.worded(
                    f"kernel distance (KID): not measured on {self.pictures} pictures; it takes {FEWEST}",
                    f"distance à noyau (KID) : pas mesurée sur {self.pictures} images ; il en faut {FEWEST}",
                )
            ]
        return [
            speech.worded(
                f"kernel distance (KID x 1000), lower is closer: {_distance(self.kernel, 1000, speech, 'from drawn to true pictures')}",
                f"distance à noyau (KID x 1000), plus proche si plus basse : {_distance(self.kernel, 1000, speech, 'des dessinées aux vraies')}",
            ),
            speech.worded(
                f"the features are those of {self.critic}: a distance compares with its floor, and with others by the same critic on the "
                f"same pictures; on {self.kernel.n} against {self.kernel.n} it is noisy (±), and a critic trained on few pictures is lenient",
                f"les traits sont ceux de {self.critic} : une distance se compare à son plancher, et à d'autres du même critique sur les "
                f"mêmes images ; sur {self.kernel.n} contre {self.kernel.n} elle est bruitée (±), et un critique entraîné sur peu d'images "
                "est indulgent",
            ),
        ]

    def _frechet(self, speech: Language) -> list[str]:
        if self.drawn is None:
            return []
        if self.frechet is None:
            needed = FRECHET_NEEDS * self.channels
            return [
                speech.worded(
                    f"Fréchet distance (FID): not measured on {self.pictures} pictures; {self.channels} channels take {needed}",
                    f"distance de Fréchet (FID) : pas mesurée sur {self.pictures} images ; {self.channels} canaux en demandent {needed}",
                )
            ]
        return [
            speech.worded(
                f"Fréchet distance (FID), too large on so few: {_distance(self.frechet, 1, speech, 'from drawn to true pictures')}",
                f"distance de Fréchet (FID), trop grande sur si peu : {_distance(self.frechet, 1, speech, 'des dessinées aux vraies')}",
            )
        ]


_NO_CRITIC = (
    "no critic: whether pictures show what their captions say was not measured; train clip on the same pictures and name it",
    "pas de critique : on ne sait pas si les images montrent ce que disent leurs légendes ; entraînez clip sur les mêmes images, et nommez-le",
)


def _rate(rate: Rate, speech: Language) -> str:
    facts = rate.to_json()
    share, low, high = (speech.number(f"{100 * facts[part]:.1f}") for part in ("rate", "low", "high"))
    return f"{share} % ({low}–{high})"


def _distance(distance: Distance, times: int, speech: Language, english_or_french: str) -> str:
    drawn, floor = (
        f"{speech.number(f'{times * mean:.1f}')} ± {speech.number(f'{times * deviation:.1f}')}"
        for mean, deviation in ((distance.drawn, distance.drawn_deviation), (distance.floor, distance.floor_deviation))
    )
    between = "between two halves of the true ones" if english_or_french.startswith("from") else "entre deux moitiés des vraies"
    return f"{english_or_french} {drawn}, {between} {floor}"


def _match_json(match: Match | None) -> dict[str, Any] | None:
    return asdict(match) | {"found": match.found.to_json()} if match else None


def _distance_json(distance: Distance | None) -> dict[str, Any] | None:
    return asdict(distance) if distance else None
