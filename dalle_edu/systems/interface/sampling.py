"""Settings of sampling: what may be chosen anew for each picture, with its range.

A system's `config.sampling` is a dataclass whose fields are its settings, and
`System.generate` takes each of them by name. The usual ones are described once, in
`SETTINGS`: a system that has a field of such a name has the command line's option
for it (`guidance_scale` is `--guidance-scale`) and its check. A system may have
other fields, each described where it is declared, by `own_setting`, or else checked
by the type of its default; commands reach them by `--set NAME=VALUE`.
Nothing here imports torch, so that commands answer at once.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from dalle_edu.errors import DalleEduError


@dataclass(frozen=True)
class Setting:
    """A setting: its type, what it does in English and in French, and its range,
    from `low` to `high` inclusive (None is no bound), or its choices.
    """

    kind: type
    en: str
    fr: str
    low: int | float | None = None
    high: int | float | None = None
    choices: tuple[str, ...] = ()

    def check(self, name: str, value: Any) -> None:
        """Raise `DalleEduError` unless `value` is of the right type and in range.

        `name` is what the error calls it. An int may stand for a float; a bool is
        not a number.
        """
        number = self.kind in (int, float)
        right = (
            isinstance(value, int | float) if number else type(value) is self.kind
        )
        if self.kind is int or (number and isinstance(value, bool)):
            right = type(value) is int
        if right and number:
            low = -math.inf if self.low is None else self.low
            high = math.inf if self.high is None else self.high
            right = low <= value <= high and abs(value) < math.inf  # NaN is nowhere
        if right and not (self.choices and value not in self.choices):
            return
        en, fr = self._wanted()
        raise DalleEduError(
            f"{name} is {value!r}; it takes {en} ({self.en})",
            f"{name} vaut {value!r} ; il faut {fr} ({self.fr})",
        )

    def _wanted(self) -> tuple[str, str]:
        if self.choices:
            known = ", ".join(self.choices)
            return f"one of {known}", f"l'un de {known}"
        if self.kind is bool:
            return "True or False", "True ou False"
        en, fr = "a number", "un nombre"
        if self.kind is int:
            en, fr = "a whole number", "un entier"
        if self.low is None:
            return en, fr
        if self.high is None:
            return f"{en}, at least {self.low:g}", f"{fr} d'au moins {self.low:g}"
        low, high = f"{self.low:g}", f"{self.high:g}"
        return (
            f"{en} from {low} to {high}",
            f"{fr} de {low.replace('.', ',')} à {high}",
        )


SETTINGS: Mapping[str, Setting] = {
    "guidance_scale": Setting(
        float,
        "1 as trained, more follows the sentence more closely, 0 ignores it",
        "1 comme à l'entraînement ; plus grand, l'image suit la phrase de plus "
        "près ; 0 l'ignore",
        0,
        50,
    ),
    "temperature": Setting(
        float,
        "0 always the likeliest, 1 as trained",
        "0 toujours le plus probable, 1 comme à l'entraînement",
        0,
        10,
    ),
    "top_k": Setting(
        int,
        "choose among the k likeliest codes",
        "choisit parmi les k codes les plus probables",
        1,
    ),
    "top_p": Setting(
        float,
        "choose among the likeliest codes that reach this probability",
        "choisit parmi les codes les plus probables qui atteignent cette "
        "probabilité",
        1e-6,
        1,
    ),
    "epsilon": Setting(
        float,
        "leave out the codes less likely than this to the network, before guidance "
        "and at temperature 1; 0 leaves out nothing",
        "écarte les codes que le réseau, avant guidage et à température 1, juge "
        "moins probables que cela ; 0 n'écarte rien",
        0,
        1,
    ),
    "daring": Setting(
        float,
        "the temperature of leaving the likeliest code or not; --temperature is "
        "then that of the choice among the others",
        "la température de la décision de quitter ou non le code le plus "
        "probable ; --temperature ne règle plus que le choix du remplaçant",
        0.01,
        10,
    ),
    "steps": Setting(
        int, "steps of the sampler", "nombre de pas de l'échantillonneur", 1, 1000
    ),
    "upsampler_steps": Setting(
        int, "steps of each upsampler", "nombre de pas de chaque "
            "suréchantillonneur",
        1, 1000,
    ),
    "threshold": Setting(
        bool,
        "tame what guidance drives out of range by dynamic thresholding, rather "
        "than by a clip",
        "ramène par seuillage dynamique ce que le guidage pousse hors des bornes, "
        "plutôt que par un écrêtage",
    ),
    "tries": Setting(
        int,
        "draw each picture so many times, and keep the one nearest to its "
        "embedding",
        "dessine chaque image ce nombre de fois, et garde la plus proche de son "
        "plongement",
        1,
        1024,
    ),
    "prior": Setting(
        str,
        "what turns the sentence into an embedding",
        "ce qui change la phrase en plongement",
        choices=("diffusion", "autoregressive"),
    ),
    "prior_guidance_scale": Setting(
        float, "the guidance of the prior", "le guidage du prior", 0, 50
    ),
    "prior_steps": Setting(
        int, "steps of the diffusion prior", "nombre de pas du prior de diffusion",
        1, 1000,
    ),
    "text": Setting(
        bool,
        "tell the decoder the sentence beside the embedding",
        "dit la phrase au décodeur à côté du plongement",
    ),
}  # fmt: skip


def own_setting(default: Any, *described: Any) -> Any:
    """A field for a setting that only one system has, with what `Setting` takes
    after the type: what it does in English and in French, and its range.
    """
    setting = Setting(type(default), *described)
    return field(default=default, metadata={"setting": setting})


def described_settings(sampling: Any) -> dict[str, Setting]:
    """The description of each field of a `config.sampling`: that of `SETTINGS`, its
    own, or else that it is of the same type as its default.
    """
    found = {}
    for each in fields(sampling):
        own = each.metadata.get("setting")
        setting = SETTINGS.get(each.name, own)
        if setting is None and type(each.default) in (bool, int, float, str):
            setting = Setting(type(each.default), each.name, each.name)
        if setting is not None:
            found[each.name] = setting
    return found


def check_settings(
    settings: Mapping[str, Any], described: Mapping[str, Setting] = SETTINGS
) -> None:
    """Raise `DalleEduError` for a value of another type, or out of range. Settings
    that are not described, and values of None, pass.
    """
    for name, value in settings.items():
        if name in described and value is not None:
            described[name].check(name.replace("_", "-"), value)
