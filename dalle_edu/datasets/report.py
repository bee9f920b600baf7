"""The report of a data set: which items it left out and why, with a remedy for each, in the reader's language.

A data set (captioned_dataset.py) leaves bad items out and goes on. Its report lists every one, so that none is lost in silence.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from dalle_edu.errors import DalleEduError
from dalle_edu.language import say, sentence_language, typeset


class Why(Enum):
    """Why an item is left out: each value is the reason and the remedy in English, then both in French."""

    EMPTY = ("it is empty", "fetch or save it again", "il est vide", "téléchargez-le ou enregistrez-le de nouveau")
    DAMAGED = (
        "it is truncated or damaged",
        "fetch or save it again",
        "il est tronqué ou abîmé",
        "téléchargez-le ou enregistrez-le de nouveau",
    )
    CHECKSUM = (
        "it is not the file that was published: its checksum differs",
        "delete it and fetch it again",
        "ce n'est pas le fichier publié, car sa somme de contrôle diffère",
        "effacez-le et téléchargez-le de nouveau",
    )
    FORMAT = (
        "it is not a picture that can be read here",
        "save it as PNG, JPEG, WebP, GIF or BMP",
        "ce n'est pas une image qui se lit ici",
        "enregistrez-la en PNG, JPEG, WebP, GIF ou BMP",
    )
    TOO_LARGE = (
        "it is absurdly large",
        "make it smaller",
        "il est démesuré",
        "réduisez-le",
    )
    NO_CAPTION = ("its caption is missing or blank", "write one", "sa légende manque ou est vide", "écrivez-en une")
    NO_PICTURE = (
        "it has a caption and no picture",
        "add the picture or take the caption away",
        "il a une légende et pas d'image",
        "ajoutez l'image ou enlevez la légende",
    )
    MISSING = ("there is no such file", "check its name and place", "ce fichier n'existe pas", "vérifiez son nom et sa place")
    NOT_TEXT = (
        "its caption is not a text",
        "write the caption between quotation marks",
        "sa légende n'est pas un texte",
        "écrivez la légende entre guillemets droits",
    )
    NOT_UTF8 = ("its text is not UTF-8", "save the text as UTF-8", "son texte n'est pas en UTF-8", "enregistrez le texte en UTF-8")
    JSON = (
        "its JSON is malformed or not of the expected form",
        "correct the JSON",
        "son JSON est mal formé ou n'a pas la forme attendue",
        "corrigez le JSON",
    )
    LABEL = (
        "its label is not a digit from 0 to 9",
        "correct the label",
        "son étiquette n'est pas un chiffre de 0 à 9",
        "corrigez l'étiquette",
    )
    DUPLICATE = (
        "its name was already taken",
        "give each item a name of its own",
        "son nom était déjà pris",
        "donnez à chaque élément son propre nom",
    )
    UNCLEAR = (
        "it has several pictures or captions, and their names do not say which belong together",
        "give a picture and its caption the same name, but for the ending",
        "il a plusieurs images ou légendes, et leurs noms ne disent pas lesquelles vont ensemble",
        "donnez à l'image et à sa légende le même nom, à la fin près",
    )
    COMPRESSED = (
        "it is compressed, and pictures are read where they lie in a shard",
        "decompress it to a .tar",
        "il est compressé, et les images d'un fragment sont lues là où elles sont",
        "décompressez-le en .tar",
    )
    DEEPER = (
        "it lies in a folder inside the folder",
        "open that folder, or move it up",
        "il est dans un dossier du dossier",
        "ouvrez ce dossier-là, ou remontez le fichier",
    )
    OUTSIDE = (
        "its path leaves the folder, and nothing outside is read",
        "copy the file into the folder",
        "son chemin sort du dossier, et rien n'est lu au-dehors",
        "copiez le fichier dans le dossier",
    )
    LINK = (
        "it is a link or a device, and neither is followed",
        "put the file itself there",
        "c'est un lien ou un périphérique, et ni l'un ni l'autre n'est suivi",
        "mettez-y le fichier lui-même",
    )
    UNREADABLE = (
        "it cannot be read",
        "check that it is a file and that you may read it",
        "il ne peut pas être lu",
        "vérifiez que c'est un fichier et que vous pouvez le lire",
    )


class Unusable(Exception):
    """An item is bad: raised where it is found, and caught by the data set, which notes it in its report and goes on.

    `detail` holds numbers or names to add to the reason, in no language.
    """

    def __init__(self, why: Why, detail: str = ""):
        super().__init__(why, detail)
        self.why, self.detail = why, detail

    def of(self, path: Path) -> DalleEduError:
        """The error to raise where this one file makes a whole data set unusable."""
        reason_en, remedy_en, reason_fr, remedy_fr = self.why.value
        detail = self.detail and f" ({self.detail})"
        return DalleEduError(
            f"{path} cannot be used: {reason_en}{detail}; {remedy_en}", f"{path} ne peut pas servir : {reason_fr}{detail} ; {remedy_fr}"
        )


@dataclass(frozen=True)
class LeftOut:
    """An item that a data set left out. `detail` holds numbers or names to add to the reason, in no language."""

    name: str
    why: Why
    detail: str = ""

    def sentence(self, language: str, alike: tuple[str, ...] = ()) -> str:
        """A sentence in "fr" or "en": which item, why, and what to do; `alike` names others left out for the same reason."""
        reason_en, remedy_en, reason_fr, remedy_fr = self.why.value
        name, detail = shown(self.name), f" ({self.detail})" if self.detail else ""
        others = ", ".join(shown(other) for other in alike[:3])
        rest = len(alike) - 3
        if language == "fr":
            others += f" et {rest} autre{'s' * (rest > 1)}" if rest > 0 else ""
            also = f" (de même : {others})" if alike else ""
            return typeset(f"{name} a été laissé de côté : {reason_fr}{detail} ; {remedy_fr}{also}")
        others += f" and {rest} more" if rest > 0 else ""
        also = f" (likewise: {others})" if alike else ""
        return f"{name} was left out: {reason_en}{detail}; {remedy_en}{also}"

    def __str__(self) -> str:
        return self.sentence(sentence_language())


@dataclass
class Report:
    """The number of good items of a data set, and the items left out; `print(dataset.report)` shows both."""

    good: int = 0
    left_out: list[LeftOut] = field(default_factory=list)

    def leave_out(self, name: str, fault: Unusable) -> None:
        """Add an item to those left out."""
        self.left_out.append(LeftOut(name, fault.why, fault.detail))

    def counts(self) -> dict[Why, int]:
        """The number of items left out for each reason, the most frequent first."""
        return dict(Counter(item.why for item in self.left_out).most_common())

    def sentences(self, language: str | None = None) -> list[str]:
        """One sentence for each reason that occurred, in `language` or else the reader's, with a few of its items; `left_out` has all."""
        told = []
        for why in self.counts():
            first, *others = (item for item in self.left_out if item.why is why)
            told.append(first.sentence(language or sentence_language(), tuple(item.name for item in others)))
        return told

    def __str__(self) -> str:
        good, bad = self.good, len(self.left_out)
        head = say(f"good: {good}; left out: {bad}", f"bons : {good} ; laissés de côté : {bad}")
        return "\n".join([head, *self.sentences()])

    def nothing_left(self, place: object, expected_en: str, expected_fr: str) -> DalleEduError:
        """The error to raise where no item is good."""
        en, fr = ("".join(f"\n- {sentence}" for sentence in self.sentences(language)) for language in ("en", "fr"))
        return DalleEduError(
            f"{place} holds no picture with a caption that can be used; expected {expected_en}{en}",
            f"{place} ne contient aucune image avec une légende qui puisse servir ; attendu : {expected_fr}{fr}",
        )


def shown(name: str) -> str:
    """A name made safe to print: control characters escaped, so that none reaches the terminal, and 80 characters at most."""
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in name)
    return clean if len(clean) <= 80 else f"{clean[:40]}…{clean[-39:]}"
