"""The report of an exam on pictures that no examiner can judge: what was measured, beside the most and the least that can be expected."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from dalle_edu.files import write_aside
from dalle_edu.language import Language, language_named, with_minus
from dalle_edu.scorecard.caption_retrieval import Match
from dalle_edu.scorecard.confidence_interval import Rate
from dalle_edu.scorecard.fidelity import FEWEST, FRECHET_NEEDS, Distance
from dalle_edu.scorecard.memorization import Memorization

OPEN_EXAM = 1  # the number of this exam: its questions and how they are judged


@dataclass(frozen=True)
class OpenReport:
    """What was measured of a system on held-out pictures.

    `losses` are those of each stage. `critic` judged `true` pictures and `drawn` ones, `gallery` captions at a time; it is None where there
    was none. `kernel` and `frechet` are distances between drawn and true pictures, in features of `channels`; None where there are too few
    pictures, or none was drawn. `memorization` compares drawn pictures with those of training. `sheet` shows true pictures beside drawn
    ones.
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
    memorization: Memorization | None = None
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
            "kernel_distance": _numbers(self.kernel),
            "frechet_distance": _numbers(self.frechet),
            "memorization": _numbers(self.memorization),
        }

    def save(self, path: str | Path) -> None:
        """Write the report as a JSON file, atomically."""
        text = json.dumps(self.to_json(), indent=2) + "\n"
        write_aside(path, lambda file: file.write(text.encode()))

    def lines(self, language: str) -> list[str]:
        """The report in sentences of a language, given by its code. Raises `ValueError` for a language that is not known."""
        speech = language_named(language)
        said = [*self._who(speech), *self._losses(speech), *self._copies(speech)]
        if self.critic is None:
            return [*said, speech.worded(*_NO_CRITIC)]
        return [*said, *self._matches(speech), *self._kernel(speech), *self._frechet(speech)]

    def _who(self, speech: Language) -> list[str]:
        n, m = self.pictures, self.captions
        return [
            speech.worded(
                f"{self.system}, {n} pictures, {m} different captions, seed {self.seed}",
                f"{self.system}, {n} images, {m} légendes différentes, graine {self.seed}",
            )
        ]

    def _losses(self, speech: Language) -> list[str]:
        if not self.losses:
            return []
        listed = ", ".join(f"{stage} {speech.number(f'{loss:.4f}')}" for stage, loss in self.losses.items())
        return [
            speech.worded(
                f"loss on these pictures, lower is better: {listed}; it compares with the same preset on the same pictures only",
                f"perte sur ces images, mieux si plus basse : {listed} ; ne se compare qu'au même préréglage sur les mêmes images",
            )
        ]

    def _copies(self, speech: Language) -> list[str]:
        found = self.memorization
        if found is None:
            return []
        drawn, true = (speech.number(f"{value:.3f}") for value in (found.drawn, found.true))
        part = round(100 * found.nearer)
        return [
            speech.worded(
                f"copies: the nearest of {found.trained} training pictures is {drawn} away from drawn pictures, {true} from held-out ones; "
                f"the drawn one is nearer {part} % of the time (50 %: nothing is copied, 100 %: everything is)",
                f"copies : la plus proche des {found.trained} images d'entraînement est à {drawn} des dessinées, à {true} des réservées ; "
                f"la dessinée est plus proche {part} % du temps (50 % : rien n'est copié, 100 % : tout l'est)",
            )
        ]

    def _matches(self, speech: Language) -> list[str]:
        if self.true is None:
            return []
        true, drawn, said = self.true, self.drawn, []
        if true.found.n:
            found, chance = _percent(true.found, speech), speech.number(f"{100 / self.gallery:.1f}")
            of_drawn = _percent(drawn.found, speech) if drawn else ""
            said.append(
                speech.worded(
                    f"{self.critic} finds a picture's caption among {self.gallery}: true pictures {found}"
                    + (f"; drawn ones {of_drawn}" if drawn else "")
                    + f"; by chance {chance} %",
                    f"{self.critic} trouve la légende d'une image parmi {self.gallery} : vraies images {found}"
                    + (f" ; dessinées {of_drawn}" if drawn else "")
                    + f" ; au hasard {chance} %",
                )
            )
        scores, scores_of_drawn = _scores(true, speech), _scores(drawn, speech) if drawn else ("", "")
        said.append(
            speech.worded(
                f"CLIP score (100 × cosine): true pictures {scores[0]}" + (f"; drawn ones {scores_of_drawn[0]}" if drawn else ""),
                f"score CLIP (100 × cosinus) : vraies images {scores[1]}" + (f" ; dessinées {scores_of_drawn[1]}" if drawn else ""),
            )
        )
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
        drawn, floor, gap = _distances(self.kernel, 1000, speech)
        n = self.kernel.n
        return [
            speech.worded(
                f"kernel distance (KID × 1000), lower is closer: drawn to true {drawn}, "
                f"between halves of the true ones {floor}, difference {gap}",
                f"distance à noyau (KID × 1000), mieux si plus basse : des dessinées aux vraies {drawn}, "
                f"entre moitiés des vraies {floor}, écart {gap}",
            ),
            speech.worded(
                f"its features are those of {self.critic}: compare it with its floor, and with distances by the same critic on the same "
                f"pictures; on {n} against {n} it is noisy, and a critic trained on few pictures overlooks much",
                f"ses caractéristiques sont celles de {self.critic} : comparez-la à son plancher et aux distances du même critique sur les "
                f"mêmes images ; sur {n} contre {n} elle est bruitée, et un critique entraîné sur peu d'images laisse passer beaucoup",
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
        drawn, floor, gap = _distances(self.frechet, 1, speech)
        return [
            speech.worded(
                f"Fréchet distance (FID), biased on so few: drawn to true {drawn}, "
                f"between halves of the true ones {floor}, difference {gap}",
                f"distance de Fréchet (FID), biaisée sur si peu : des dessinées aux vraies {drawn}, "
                f"entre moitiés des vraies {floor}, écart {gap}",
            )
        ]


_NO_CRITIC = (
    "no critic: whether pictures show what their captions say was not measured; train clip on the same pictures and name it",
    "pas de critique : rien ne dit si les images montrent ce que disent leurs légendes ; entraînez clip sur ces images et nommez-le",
)


def _percent(rate: Rate, speech: Language) -> str:
    facts = rate.to_json()
    share, low, high = (speech.number(f"{100 * facts[part]:.1f}") for part in ("rate", "low", "high"))
    return f"{share} % ({low}–{high})"


def _scores(match: Match, speech: Language) -> tuple[str, str]:
    """The CLIP scores of a match, in words: in English and in French."""
    own, others = speech.number(f"{match.clip_score:.1f}"), speech.number(f"{match.clip_score_of_others:.1f}")
    return f"{own}, with captions of others {others}", f"{own}, avec les légendes d'autres {others}"


def _distances(distance: Distance, times: int, speech: Language) -> tuple[str, str, str]:
    """A distance, its floor, and the difference of both with its deviation, as multiples of 1 / `times`."""
    difference = distance.drawn - distance.floor
    drawn, floor, gap, deviation = (
        speech.number(with_minus(f"{times * value:.1f}")) for value in (distance.drawn, distance.floor, difference, distance.deviation)
    )
    return drawn, floor, f"{gap} ± {deviation}"


def _match_json(match: Match | None) -> dict[str, Any] | None:
    return asdict(match) | {"found": match.found.to_json()} if match else None


def _numbers(measured: Distance | Memorization | None) -> dict[str, Any] | None:
    return asdict(measured) if measured else None
