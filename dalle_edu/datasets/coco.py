"""COCO captions (Chen et al. 2015): photographs, each with five captions written by people.

    folder/val2017/000000000139.jpg ...
    folder/annotations/captions_val2017.json

Two lists of the JSON matter: `images` gives each picture an `id` and a `file_name`, `annotations` gives an `image_id` and a `caption`. The
class reads them without pycocotools or torchvision and leaves bad entries out. `Coco.torchvision` gives torchvision's data set on the same
files. `write_coco_sample` writes pictures of the synthetic world in the same format.
"""

import io
import json
import re
import shutil
import tempfile
import unicodedata
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
from dalle_edu.datasets.places import existing_folder, file_inside, inside, read_inside, verify
from dalle_edu.datasets.report import Unusable, Why
from dalle_edu.datasets.samples import sample_pictures, write_new
from dalle_edu.download import Remote, by_hand, fetch, tell
from dalle_edu.errors import DalleEduError

SITE = "http://images.cocodataset.org/"  # the site has no https; the checksums below protect the download
ARCHIVES = {  # size in bytes and SHA-256; COCO publishes neither, and independent records of them agree
    "annotations_trainval2017.zip": (252_907_541, "113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268"),
    "train2017.zip": (19_336_861_798, "69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929"),
    "val2017.zip": (815_585_330, "4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05"),
}


class Coco(CaptionedDataset):
    """The pictures of a COCO split, such as "val2017" or "sample", with their captions: arguments and items as in `CaptionedDataset`.

    With `download`, missing files of "train2017" (19.3 GB) or "val2017" (816 MB) and of the annotations (253 MB) are fetched and unpacked.
    Their size is first passed to `say`, which writes to stderr by default. An archive that was put in the folder by hand is verified and
    unpacked too. The folders of the split and of the annotations may be links to where you keep them; what leads out of them is not read.
    The captions of a picture are `pairs[i].captions`. Raises `DalleEduError` as `CaptionedDataset` does, for a split that is no plain name,
    and where files are missing, differ from those published, or cannot be fetched or unpacked.
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
        keep: int = 0,
        say: Callable[[str], object] = tell,
    ):
        """Open a split, fetching it first where `download` allows. Raises `DalleEduError` as the class says."""
        if not re.fullmatch(r"\w[\w-]*", split):
            raise DalleEduError(
                f'the split is "{split}"; give a name of letters and digits, such as "val2017" or "sample"',
                f"la partie est « {split} » ; donnez un nom en lettres et chiffres, comme « val2017 » ou « sample »",
            )
        check_range(resolution, first)
        self.split, self._annotations = split, f"annotations/captions_{split}.json"
        _fetch_what_is_missing(existing_folder(folder, make=download), split, self._annotations, download, say)
        super().__init__(folder, resolution, seed, every_caption, first, keep)

    @property
    def name(self) -> str:
        """What the data set is called on screen."""
        return f"coco {self.split}"

    def find(self) -> Iterator[Pair]:
        """Yield the pictures of the annotations in the order of their ids. Raises nothing: what is bad goes into `report`."""
        folder, name = (self.folder / self._annotations).parent.resolve(), Path(self._annotations).name
        try:
            document = read_json(decode_text(read_inside(folder, name, limit=MAX_JSON_BYTES)), dict)
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
        """The picture of a pair, in [-1, 1], its centre cut square. Raises `Unusable` where its file is bad."""
        folder, name = self._place(pair)
        return decode(read_inside(folder, name), self.resolution)

    def size(self, pair: Pair) -> int:
        """The bytes of the file of a pair's picture. Raises `Unusable` where it is bad."""
        return file_inside(*self._place(pair)).stat().st_size

    def _place(self, pair: Pair) -> tuple[Path, str]:
        """The folder of a pair's picture, and the name of its file there. Raises `Unusable` where it is bad."""
        folder = (self.folder / self.split).resolve()
        forms = (unicodedata.normalize(form, pair.place) for form in ("NFC", "NFD"))  # « é » is one character, or two, as macOS writes it
        for name in dict.fromkeys((pair.place, *forms)):
            try:
                file_inside(folder, name)
            except Unusable as fault:
                if fault.why is not Why.MISSING:
                    raise
            else:
                return folder, name
        raise Unusable(Why.MISSING)

    def _names(self, images: list[Any]) -> dict[int, str]:
        """The file name of each picture, by its id. Raises nothing: bad entries go into `report`."""
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
        """The captions of each picture, in the order of the file. Raises nothing: bad entries go into `report`."""
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
        """`torchvision.datasets.CocoCaptions` on the same files: PIL pictures of their own sizes, with all captions of each.

        It contains the items that this data set left out. Raises `DalleEduError` where pycocotools, which it needs, is missing.
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
    """The values of the named fields of a JSON object, None where one is missing. Raises `Unusable` where it is no object."""
    if not isinstance(record, dict):
        raise Unusable(Why.JSON)
    return tuple(record.get(name) for name in names)


def remote_archives(folder: Path, split: str, annotations: str) -> list[Remote]:
    """The published archives with the files of a split that a folder lacks. Raises `KeyError` for a split that COCO does not publish."""
    missing = []
    if not (folder / annotations).exists():
        missing.append(("annotations/", "annotations_trainval2017.zip"))
    if not (folder / split).exists():
        missing.append(("zips/", f"{split}.zip"))
    return [Remote(f"{SITE}{place}{name}", folder / name, ARCHIVES[name][0], "sha256", ARCHIVES[name][1]) for place, name in missing]


def _fetch_what_is_missing(folder: Path, split: str, annotations: str, download: bool, say: Any) -> None:
    """Fetch, verify and unpack a split where needed. Raises `DalleEduError` where it is missing or bad."""
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
    for place in (split, annotations):  # before anything is fetched: what comes from the network is not written through a link
        try:
            if not (folder / place).exists():
                inside(folder, place)
        except Unusable as fault:
            raise fault.of(folder / place) from fault
    fetch(absent, say)
    for remote in wanted:
        if remote not in absent:
            verify(folder, remote)
        say(language.say(f"unpacking {remote.path.name}", f"décompression de {remote.path.name}"))
        _unpack(folder, remote.path, split if remote.path.stem == split else "annotations")
    for remote in absent:  # an archive that was put there by hand is kept
        remote.path.unlink()


def _unpack(folder: Path, archive: Path, top: str) -> None:
    """Unpack the files of an archive under `top` into a temporary folder, then rename it, so that no folder is left incomplete.

    Raises `DalleEduError` where the archive is damaged, names a file outside the folder, or does not fit on the disk.
    """
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
    """Write `n` pictures of the synthetic world with five captions each in COCO's format, as the split "sample"; returns the folder.

    The files depend on `n` and `seed` alone. Raises `DalleEduError` where another file is in the way, or `n` is below one.
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
