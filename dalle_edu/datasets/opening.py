"""Opening a source by its place, as the command line gives it.

holidays                    a folder of pictures with captions, or of WebDataset shards (.tar)
coco:FOLDER                 COCO captions, or coco:FOLDER:SPLIT
data/{00000..00012}.tar     shards of a list, or one shard
mnist, mnist:FOLDER         MNIST, in `data` unless a folder is given
digits                      the digits of scikit-learn
"""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from dalle_edu.datasets.captioned_dataset import CaptionedDataset, check_range
from dalle_edu.datasets.captioned_source import CaptionedSource
from dalle_edu.datasets.coco import Coco
from dalle_edu.datasets.digits import Digits
from dalle_edu.datasets.folder import Folder
from dalle_edu.datasets.memory import room_for_pictures
from dalle_edu.datasets.mnist import MNIST
from dalle_edu.datasets.pictures import SUFFIXES
from dalle_edu.datasets.report import shown
from dalle_edu.datasets.shards import Shards
from dalle_edu.datasets.source import Source
from dalle_edu.errors import DalleEduError

_MNIST = "data"  # the folder of MNIST where none is given
_MOST_SHARDS = 100_000
_BRACES = re.compile(r"\{([^{}]*)\}")
_NO_FOLDER = ("there is no such folder", "il n'y a pas de tel dossier")
_CHOICES = (
    "a folder of pictures with captions or of shards, coco:FOLDER, coco:FOLDER:SPLIT, one shard or a list such as data/{00000..00012}.tar, "
    "mnist, mnist:FOLDER, or digits",
    "un dossier d'images avec légendes ou de fragments, coco:DOSSIER, coco:DOSSIER:PARTIE, un fragment ou une liste comme "
    "data/{00000..00012}.tar, mnist, mnist:DOSSIER, ou digits",
)


def open_source(place: str, resolution: int, seed: int = 0, keep: int | None = None) -> Source:
    """The source at a place, such as "holidays", "coco:data:val2017" or "digits", with pictures of `resolution` pixels, 8 to 1024.

    Its pictures are kept in memory where they take at most `keep` bytes, by default a quarter of what is available. `seed` is that of the
    data set. Raises `DalleEduError` where the place is none, and as its data set does.
    """
    check_range(resolution, None)
    keep = room_for_pictures() if keep is None else keep
    return CaptionedSource(_dataset(place, resolution, seed, keep))


def _dataset(place: str, resolution: int, seed: int, keep: int) -> CaptionedDataset:
    """The data set at a place. Raises `DalleEduError` as `open_source` does."""
    kind, colon, rest = place.partition(":")
    if place == "digits":
        return Digits(resolution, seed=seed, keep=keep)
    if kind == "mnist":
        return MNIST(_folder(place, rest or _MNIST), resolution=resolution, seed=seed, keep=keep)
    if kind == "coco" and rest:
        folder, split = _coco(place, rest)
        return Coco(folder, split, resolution, seed=seed, keep=keep)
    path = Path(place).expanduser()
    if kind == "coco" and (colon or not _exists(path)):
        raise _no_place(place, "it lacks its folder", "il lui manque son dossier")
    if place.strip() and _is_folder(path):
        return (Shards if _holds_shards(path) else Folder)(path, resolution, seed=seed, keep=keep)
    if path.suffix.lower() == ".tar":
        return _shards(place, resolution, seed, keep)
    if place.strip() and _exists(path):
        raise _no_place(place, "it is a file", "c'est un fichier")
    raise _no_place(place, *_NO_FOLDER)


def _folder(place: str, folder: str) -> Path:
    """The path of a folder that a place names. Raises `DalleEduError` where there is none."""
    path = Path(folder).expanduser()
    if not _is_folder(path):
        raise _no_place(place, *_NO_FOLDER)
    return path


def _coco(place: str, rest: str) -> tuple[Path, str]:
    """The folder and the split of "FOLDER" or "FOLDER:SPLIT". Raises `DalleEduError` where the split must be given."""
    folder, colon, split = rest.rpartition(":")
    if colon and folder and re.fullmatch(r"\w[\w-]*", split) and not _is_folder(Path(rest).expanduser()):
        return _folder(place, folder), split
    found = _folder(place, rest)
    splits = sorted(path.name[len("captions_") : -len(".json")] for path in (found / "annotations").glob("captions_*.json"))
    if "train2017" in splits or len(splits) == 1:
        return found, "train2017" if "train2017" in splits else splits[0]
    listed = ", ".join(shown(split) for split in splits)
    raise DalleEduError(
        f"{rest} holds {f'several splits ({listed})' if splits else 'no annotations/captions_SPLIT.json'}; "
        f"give one, as in coco:{rest}:{splits[0] if splits else 'val2017'}",
        f"{rest} contient {f'plusieurs parties ({listed})' if splits else 'aucun annotations/captions_PARTIE.json'} ; "
        f"donnez-en une, comme dans coco:{rest}:{splits[0] if splits else 'val2017'}",
    )


def _shards(place: str, resolution: int, seed: int, keep: int) -> Shards:
    """The shards of a list with braces, or one. Raises `DalleEduError` where they do not lie in one folder."""
    path = Path(place).expanduser()
    if _BRACES.search(str(path.parent)) and not _is_folder(path.parent):
        raise _no_place(place, "the braces stand in the name of a folder", "les accolades sont dans le nom d'un dossier")
    names = [path.name] if _exists(path) else list(expanded(path.name))
    return Shards(_folder(place, str(path.parent)), resolution, shards=names, seed=seed, keep=keep)


def expanded(pattern: str) -> Iterator[str]:
    """Yield the names of a pattern with braces, as a shell does: "{08..10}.tar" gives 08.tar, 09.tar, 10.tar, "{a,b}.tar" a.tar, b.tar.

    Raises `DalleEduError` where there are more than 100,000.
    """
    parts = _BRACES.split(pattern)  # what is between braces stands at odd places
    choices = [list(_choices(part)) if place % 2 else [part] for place, part in enumerate(parts)]
    names = 1
    for choice in choices:
        names *= len(choice)
    if names > _MOST_SHARDS:
        raise _too_many(pattern)
    yield from ("".join(parts) for parts in product(*choices))


def _choices(inner: str) -> Iterator[str]:
    found = re.fullmatch(r"(\d{1,12})\.\.(\d{1,12})", inner)
    if not found:
        yield from inner.split(",") if "," in inner else [f"{{{inner}}}"]
        return
    first, last = int(found[1]), int(found[2])
    width = max(len(found[1]), len(found[2])) if found[1].startswith("0") or found[2].startswith("0") else 0
    if abs(last - first) >= _MOST_SHARDS:
        raise _too_many(inner)
    yield from (f"{number:0{width}d}" for number in (range(first, last + 1) if first <= last else range(first, last - 1, -1)))


def _too_many(pattern: str) -> DalleEduError:
    return DalleEduError(
        f"{pattern} stands for more than {_MOST_SHARDS} shards; give fewer, or their folder",
        f"{pattern} désigne plus de {_MOST_SHARDS} fragments ; donnez-en moins, ou leur dossier",
    )


def _no_place(place: str, en: str, fr: str) -> DalleEduError:
    return DalleEduError(
        f'nothing to train on at "{shown(place)}": {en}; give {_CHOICES[0]}',
        f"rien pour l'entraînement à « {shown(place)} » : {fr} ; donnez {_CHOICES[1]}",
    )


def _holds_shards(folder: Path) -> bool:
    """Whether a folder holds shards, and no pictures beside them."""
    names = [path.name.lower() for path in folder.iterdir() if not path.name.startswith(".")]
    return any(name.endswith(".tar") for name in names) and not any(name.endswith(SUFFIXES) for name in names)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a null character
        return False


def _is_folder(path: Path) -> bool:
    return _exists(path) and path.is_dir()
