"""COCO captions (Chen et al. 2015): photographs, each with five captions written by people.

    folder/val2017/000000000139.jpg ...
    folder/annotations/captions_val2017.json

Of the JSON two lists matter: `images` gives each picture an `id` and a `file_name`, `annotations` gives an `image_id` and a `caption`. So
the data set reads it by itself, leaves bad entries out, and needs neither pycocotools nor torchvision; `Coco.torchvision` gives
torchvision's own data set on the same files. `write_coco_sample` writes a small data set of our own world in the same form.
"""

import io
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from dalle_edu import language
from dalle_edu.datasets.captioned_dataset import CaptionedDataset, Pair, check_range
from dalle_edu.datasets.captions import MAX_JSON_BYTES, clean_caption, decode_text, read_json
from dalle_edu.datasets.pictures import decode
from dalle_edu.datasets.places import existing_folder, inside, read_inside, verify
from dalle_edu.datasets.report import Unusable, Why
from dalle_edu.datasets.samples import sample_pictures, write_new
from dalle_edu.download import Remote, by_hand, fetch, tell
from dalle_edu.errors import DalleEduError

SITE = "http://images.cocodataset.org/"  # it has no https of its own; the checksums make up for it
ARCHIVES = {  # size in bytes and SHA-256; COCO publishes neither, and independent records of them agree
    "annotations_trainval2017.zip": (252_907_541, "113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268"),
    "train2017.zip": (19_336_861_798, "69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929"),
    "val2017.zip": (815_585_330, "4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05"),
}


class Coco(CaptionedDataset):
    """The captioned pictures of a split, such as "val2017" or "sample": see `CaptionedDataset` for what it takes and gives.

    With `download`, what is missing of "train2017" (19.3 GB) or "val2017" (816 MB) and of the annotations (253 MB) is fetched and unpacked;
    how much is told to `say` first, on stderr unless another is given. An archive fetched by hand into the folder is verified and unpacked
    too. The captions of a picture are `pairs[i].captions`.
    """

    EXPECTED = (
        "pictures in a folder named like the split, and their captions in annotations/captions_<split>.json",
        "des images dans un dossier du nom de la partie, et leurs légendes dans annotations/captions_<partie>.json",
    )

    def __init__(
        self,
        folder: str | Path,
        split: str = "val2017",
        resolution: int = 64,
        *,
        download: bool = False,
        seed: int = 0,
        every_caption: bool = False,
        first: int | None = None,
        say: Callable[[str], object] = tell,
    ):
        if not re.fullmatch(r"\w[\w-]*", split):
            raise DalleEduError(
                f'the split is "{split}"; give a name of letters and digits, such as "val2017" or "sample"',
                f"la partie est « {split} » ; donnez un nom en lettres et chiffres, comme « val2017 » ou « sample »",
            )
        check_range(resolution, first)
        self.split, self._annotations = split, f"annotations/captions_{split}.json"
        _fetch_what_is_missing(existing_folder(folder, make=download), split, self._annotations, download, say)
        super().__init__(folder, resolution, seed, every_caption, first)

    def find(self) -> Iterator[Pair]:
        try:
            document = read_json(decode_text(read_inside(self.folder, self._annotations, limit=MAX_JSON_BYTES)), dict)
            if not isinstance(document.get("images"), list) or not isinstance(document.get("annotations"), list):
                raise Unusable(Why.JSON, '"images", "annotations"?')
        except Unusable as fault:
            self.report.leave_out(self._annotations, fault)
            return
        names = self._names(document["images"])
        captions = self._captions(document["annotations"], names)
        for number, name in sorted(names.items()):
            if captions[number]:
                yield Pair(name, tuple(captions[number]), name)
            else:
                self.report.leave_out(name, Unusable(Why.NO_CAPTION))

    def picture(self, pair: Pair) -> Float[Tensor, "3 h w"]:
        return decode(read_inside(self.folder / self.split, pair.place), self.resolution)

    def _names(self, images: list[Any]) -> dict[int, str]:
        """The file name of each picture, by its id."""
        names: dict[int, str] = {}
        taken = set()
        for position, image in enumerate(images):
            try:
                number, name = _fields(image, "id", "file_name")
                if type(number) is not int or not isinstance(name, str):
                    raise Unusable(Why.JSON, '"id", "file_name"?')
                if number in names or name in taken:
                    raise Unusable(Why.DUPLICATE, name)
                names[number] = name
                taken.add(name)
            except Unusable as fault:
                self.report.leave_out(f"images[{position}]", fault)
        return names

    def _captions(self, annotations: list[Any], names: dict[int, str]) -> dict[int, list[str]]:
        """The captions of each picture, in the order in which they were written."""
        captions: dict[int, list[str]] = {number: [] for number in names}
        for position, annotation in enumerate(annotations):
            try:
                number, caption = _fields(annotation, "image_id", "caption")
                if type(number) is not int or number not in captions:
                    raise Unusable(Why.NO_PICTURE, f"image_id {number}")
                captions[number].append(clean_caption(caption))
            except Unusable as fault:
                self.report.leave_out(f"annotations[{position}]", fault)
        return captions

    def torchvision(self) -> Any:
        """`torchvision.datasets.CocoCaptions` on the same files: PIL pictures of any size, and all captions of each.

        It knows nothing of what was left out here. Raises `DalleEduError` where pycocotools is missing, which it needs.
        """
        from torchvision.datasets import CocoCaptions

        try:
            return CocoCaptions(self.folder / self.split, str(self.folder / self._annotations))
        except ModuleNotFoundError as error:
            raise DalleEduError(
                "pycocotools is missing, and torchvision reads COCO with it; install it (pip install pycocotools) or use the data set "
                "itself",
                "pycocotools manque, et torchvision lit COCO avec lui ; installez-le (pip install pycocotools) ou servez-vous du jeu de "
                "données lui-même",
            ) from error


def _fields(record: Any, *names: str) -> tuple[Any, ...]:
    if not isinstance(record, dict):
        raise Unusable(Why.JSON)
    return tuple(record.get(name) for name in names)


def remote_archives(folder: Path, split: str, annotations: str) -> list[Remote]:
    """The published archives that hold what is missing of a split in a folder."""
    missing = []
    if not (folder / annotations).exists():
        missing.append(("annotations/", "annotations_trainval2017.zip"))
    if not (folder / split).exists():
        missing.append(("zips/", f"{split}.zip"))
    return [Remote(f"{SITE}{place}{name}", folder / name, ARCHIVES[name][0], "sha256", ARCHIVES[name][1]) for place, name in missing]


def _fetch_what_is_missing(folder: Path, split: str, annotations: str, download: bool, say: Any) -> None:
    """Have a split in place, or raise `DalleEduError` with what to do."""
    if (folder / annotations).exists() and (folder / split).exists():
        return
    if f"{split}.zip" not in ARCHIVES:
        raise DalleEduError(
            f"{folder} lacks {split}/ or {annotations}; give the folder that holds both, or write a sample with write_coco_sample",
            f"il manque {split}/ ou {annotations} à {folder} ; donnez le dossier qui a les deux, ou écrivez un échantillon avec "
            "write_coco_sample",
        )
    wanted = remote_archives(folder, split, annotations)
    absent = [remote for remote in wanted if not remote.path.exists()]
    if absent and not download:
        en, fr = by_hand(absent)
        raise DalleEduError(
            f"COCO's {split} is not in {folder}; add download=True (--download for a command), or {en}",
            f"{split} de COCO n'est pas dans {folder} ; ajoutez download=True (--download pour une commande), ou {fr}",
        )
    fetch(absent, say)
    for remote in wanted:
        if remote not in absent:
            verify(folder, remote)
        say(language.say(f"unpacking {remote.path.name}", f"décompression de {remote.path.name}"))
        _unpack(folder, remote.path, split if remote.path.stem == split else "annotations")
    for remote in absent:  # what came by hand stays
        remote.path.unlink()


def _unpack(folder: Path, archive: Path, top: str) -> None:
    """Move what an archive holds under `top` into place, aside first, so that a folder of pictures is there whole or not at all."""
    try:
        with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=folder) as aside, zipfile.ZipFile(archive) as archived:
            for name in archived.namelist():
                if name.startswith(f"{top}/") and not name.endswith("/"):
                    target = inside(Path(aside).resolve(), name)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with archived.open(name) as source, target.open("wb") as file:
                        shutil.copyfileobj(source, file)
            unpacked = Path(aside) / top
            for path in sorted(unpacked.iterdir()) if top == "annotations" else [unpacked]:
                place = inside(folder, path.relative_to(aside).as_posix())
                place.parent.mkdir(parents=True, exist_ok=True)
                path.replace(place)
    except Unusable as fault:
        raise fault.of(archive) from fault
    except (OSError, zipfile.BadZipFile) as error:
        raise DalleEduError(
            f"{archive} could not be unpacked ({error}); make room in {folder} or unpack it there by hand",
            f"{archive} n'a pas pu être décompressé ({error}) ; faites de la place dans {folder} ou faites-le à la main",
        ) from error


def write_coco_sample(folder: str | Path, n: int, seed: int = 0) -> Path:
    """Write `n` pictures of our own world with five captions each in COCO's form, as the split "sample"; returns the folder.

    Depends on `n` and `seed` alone. Raises `DalleEduError` where another file is in the way, or `n` is below one.
    """
    folder = Path(folder)
    images, annotations = [], []
    for i, (image, captions) in enumerate(sample_pictures(n, seed)):
        name = f"{i + 1:012d}.png"
        png = io.BytesIO()
        image.save(png, "PNG")
        write_new(folder / "sample" / name, png.getvalue())
        images.append({"id": i + 1, "file_name": name, "width": image.width, "height": image.height})
        annotations += [{"id": 10 * i + k, "image_id": i + 1, "caption": caption} for k, caption in enumerate(captions)]
    document = {"info": {"description": f"dalle_edu, seed {seed}"}, "licenses": [], "images": images, "annotations": annotations}
    write_new(folder / "annotations" / "captions_sample.json", json.dumps(document, ensure_ascii=False).encode())
    return folder
