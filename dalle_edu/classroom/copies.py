"""Students' own copies of the lessons: brought to a folder of theirs, renewed when a lesson changes, never overwritten.

A copy whose lesson has not changed stays as it is, byte for byte. One whose lesson has changed is kept in `before/`, and what the student
wrote goes into the new edition (`dalle_edu/classroom/merging.py`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dalle_edu.classroom.identity import facts, made_of
from dalle_edu.classroom.merging import merge
from dalle_edu.classroom.running import open_in_jupyter
from dalle_edu.errors import DalleEduError, reasons
from dalle_edu.files import check_writable, write_aside

_PACKAGE = Path(__file__).parents[1]
_CLONE = _PACKAGE.parent
BEFORE = "before"  # the folder, beside the copies, of what they were


@dataclass(frozen=True)
class Copy:
    """What became of one lesson's copy: "new", "kept", "merged", or "refused" with the reason; and the version that it was made with."""

    path: Path
    kind: str
    version: str = ""
    says: str = ""


def shipped_lessons(language: str) -> Path:
    """The folder of a language's lessons: inside an installed package, or in `lessons` of a clone. Raises `DalleEduError` for neither."""
    places = [_PACKAGE / "_shipped" / "lessons" / language, _CLONE / "lessons" / language]
    for place in places:
        if any(place.glob("*.ipynb")):
            return place
    raise DalleEduError(f"the lessons are not here: {places[0]}", f"les leçons ne sont pas ici : {places[0]}")


def own_folder(language: str) -> Path:
    """Where copies go unless told otherwise: `work/LANGUAGE` of a clone, or `dalle-lessons/LANGUAGE` in the working folder."""
    return (_CLONE / "work" if (_CLONE / "lessons" / "sources").is_dir() else Path.cwd() / "dalle-lessons") / language


def get_lessons(names: Sequence[str], language: str, to: Path) -> list[Copy]:
    """Bring lessons, all of them unless named, to the folder `to`; returns what became of each.

    A name is a file's ("05_attention"), or its number. Raises `DalleEduError` for a name that is no lesson's, and where `to` is the folder
    that lessons come from.
    """
    folder = shipped_lessons(language)
    if to.resolve() == folder.resolve():
        raise DalleEduError(
            f"{to} is where the lessons come from; give another folder", f"les leçons viennent de {to} ; donnez un autre dossier"
        )
    return [_get(path, to / path.name, language) for path in _chosen(names, folder)]


def _chosen(names: Sequence[str], folder: Path) -> list[Path]:
    known = {path.stem: path for path in sorted(folder.glob("*.ipynb"), key=lambda path: (path.stem[0].isdigit(), path.stem))}
    for name in names:
        if not any(_is(name, stem) for stem in known):
            there = ", ".join(known)
            raise DalleEduError(f'there is no lesson "{name}"; there are: {there}', f"il n'y a pas de leçon « {name} » ; il y a : {there}")
    return [path for stem, path in known.items() if not names or any(_is(name, stem) for name in names)]


def _is(name: str, stem: str) -> bool:
    bare = name.removesuffix(".ipynb")
    return bare == stem or (bare.isdigit() and stem[:1].isdigit() and int(bare) == int(stem.split("_")[0]))


def _get(shipped: Path, path: Path, language: str) -> Copy:
    try:
        new = _read(shipped)
        if path.is_symlink() and not path.exists():
            raise DalleEduError(
                f"{path} is a link to a file that is not there; remove the link, and give the command again",
                f"{path} est un lien vers un fichier qui n'existe pas ; enlevez le lien, et redonnez la commande",
            )
        if not path.exists():
            check_writable(path)
            write_aside(path, lambda file: file.write(shipped.read_bytes()))
            return Copy(path, "new", facts(new).get("version", ""))
        theirs = _read(path)
        version = facts(theirs).get("version", "0.1")
        if made_of(theirs) == made_of(new):
            return Copy(path, "kept", version)
        return Copy(path, "merged", version, _renew(path, theirs, new, language))
    except DalleEduError as error:
        return Copy(path, "refused", "", str(error))


def _renew(path: Path, theirs: dict[str, Any], new: dict[str, Any], language: str) -> str:
    """Keep a copy in `before/`, and merge it with the new edition; returns the name of what is kept, as seen from the copy."""
    if path.is_symlink():
        raise DalleEduError(
            f"the lesson has changed, and {path} is a link, which would be lost; put the file itself there, or use --to",
            f"la leçon a changé, et {path} est un lien, qui serait perdu ; mettez-y le fichier lui-même, ou donnez --to",
        )
    if open_in_jupyter(path):
        raise DalleEduError(
            f"the lesson has changed, and {path} is open in Jupyter; save it, shut its kernel down, and give the command again",
            f"la leçon a changé, et {path} est ouvert dans Jupyter ; enregistrez-le, arrêtez son noyau, et redonnez la commande",
        )
    check_writable(path)
    kept = _free(path.parent / BEFORE, f"{path.stem} ({date.today():%Y-%m-%d}, {facts(theirs).get('version', '0.1')})")
    text = json.dumps(merge(theirs, new, f"{BEFORE}/{kept.name}", language), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    content = path.read_bytes()
    write_aside(kept, lambda file: file.write(content))
    write_aside(path, lambda file: file.write(text.encode()))
    return f"{BEFORE}/{kept.name}"


def _free(folder: Path, stem: str) -> Path:
    """A path that no file has yet."""
    names = [stem, *(f"{stem} {again}" for again in range(2, 1000))]
    return next(path for path in (folder / f"{name}.ipynb" for name in names) if not path.exists())


def _read(path: Path) -> dict[str, Any]:
    """A notebook's file. Raises `DalleEduError` where it cannot be read, and where it is no notebook."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if notebook["nbformat"] != 4 or not all(isinstance(cell["cell_type"], str) for cell in notebook["cells"]):
            raise ValueError(notebook["nbformat"])
    except OSError as error:
        en, fr = reasons(error)
        raise DalleEduError(f"{path} cannot be read: {en}", f"{path} ne peut pas être lu : {fr}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DalleEduError(
            f"{path} is damaged and no notebook any more; it is left as it is: rename it, and give the command again for a new one",
            f"{path} est abîmé et n'est plus un notebook ; il reste tel quel : renommez-le, et redonnez la commande pour en avoir un neuf",
        ) from error
    return notebook
