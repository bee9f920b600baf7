"""WebDataset shards as img2dataset writes them: tar archives of `key.jpg`, `key.txt` and `key.json`, ten thousand or so in each.

    folder/00000.tar   000000000.jpg 000000000.txt 000000000.json 000000001.jpg ...
    folder/00000_stats.json, folder/00000.parquet   (not read)

In a tar archive each file follows a header of 512 bytes with its name and size, so a shard can be read sequentially, as from a tape. An
uncompressed archive also allows random access: this data set notes the offset of each picture when it opens, so that workers, shuffling
and `len` work as with a folder.

As in the `webdataset` package, the key of a file is its path up to the first dot of its name, and what follows, in small letters, is its
part: "b.input.png" is the part ".input.png" of the key "b". The files of a key are a sample, wherever they stand in the shard.

Nothing is extracted. That package is the usual way to stream shards over a network; it also runs names that begin with `pipe:`
as commands, so shards of unknown origin are read here with the standard library alone.
"""

import io
import json
import os
import tarfile
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

from jaxtyping import Float
from torch import Tensor

from dalle_edu.datasets.captioned_dataset import CaptionedDataset, Pair
from dalle_edu.datasets.captions import MAX_TEXT_BYTES, clean_caption, decode_text, read_json
from dalle_edu.datasets.pictures import MAX_BYTES, OTHER_SUFFIXES, SUFFIXES, decode
from dalle_edu.datasets.places import file_inside, read_inside
from dalle_edu.datasets.report import Unusable, Why
from dalle_edu.datasets.samples import sample_pictures, write_new
from dalle_edu.errors import DalleEduError

_MAX_SHARD_BYTES = 1 << 50
_COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".tar.lz4", ".tar.z", ".zip", ".7z", ".rar")
_FIRST_BYTES = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"} | {
    b"\x1f\x9d": "compress", b"PK\x03\x04": "zip", b"7z\xbc\xaf": "7z", b"Rar!": "rar"
}  # fmt: skip
_TEXTS = (".txt", ".json")  # where captions are looked for, in this order
Member = tuple[int, int]  # the offset of a file in its shard and its size, in bytes


class Shards(CaptionedDataset):
    """The pictures in all `.tar` files of a folder, with their captions: arguments, items and errors as in `CaptionedDataset`.

    `shards` names the files to read, in order; it leaves out the others of the folder, and a name that leads out of it is not read.
    The caption of `key.jpg` is `key.txt`, or else "caption" in `key.json`. A sample may hold several pictures, each with the caption of its
    name: `key.left.jpg` and `key.left.txt`. Where it holds one picture and one caption, they are a pair whatever their names:
    `key.input.png` and `key.outputs.txt`. Files that are neither, hidden ones and those without an ending are not read.
    """

    EXPECTED = (
        "WebDataset shards (00000.tar, 00001.tar...), uncompressed, each of key.jpg with key.txt or key.json",
        "des fragments WebDataset (00000.tar, 00001.tar...), non compressés, chacun de clé.jpg avec clé.txt ou clé.json",
    )

    def __init__(
        self,
        folder: str | Path,
        resolution: int = 64,
        *,
        shards: Sequence[str] | None = None,
        seed: int = 0,
        first: int | None = None,
        keep: int = 0,
    ):
        self._wanted = None if shards is None else list(dict.fromkeys(shards))
        super().__init__(folder, resolution, seed, every_caption=False, first=first, keep=keep)

    def find(self) -> Iterator[Pair]:
        """Yield the samples in the order of the shards, and there in that of the archive. Raises nothing: bad ones go into `report`."""
        for shard in self._shards():
            try:
                path = file_inside(self.folder, shard, limit=_MAX_SHARD_BYTES)
                samples = self._samples(path)
                with path.open("rb") as file:
                    for key, parts in samples.items():
                        yield from self._pairs(shard, key, parts, file)
            except Unusable as fault:
                self.report.leave_out(shard, fault)
            except OSError:
                self.report.leave_out(shard, Unusable(Why.UNREADABLE))

    def _shards(self) -> list[str]:
        """The names of the shards in order. Raises nothing: archives that cannot be read where they lie go into `report`."""
        if self._wanted is not None:
            shards = []
            for name in self._wanted:
                if name.lower().endswith(_COMPRESSED):
                    self.report.leave_out(name, Unusable(Why.COMPRESSED))
                else:
                    shards.append(name)
            return shards

        def unreadable(error: OSError) -> None:
            self.report.leave_out(Path(error.filename).relative_to(self.folder).as_posix(), Unusable(Why.UNREADABLE))

        shards = []
        for place, folders, files in os.walk(self.folder, onerror=unreadable):
            here = Path(place).relative_to(self.folder)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in folders:
                if not here.parts and name.lower().endswith(".tar"):  # it is said to be no file when it is opened
                    shards.append(name)
                elif (Path(place) / name).is_symlink():
                    self.report.leave_out((here / name).as_posix(), Unusable(Why.LINK))
            for name in sorted(name for name in files if not name.startswith(".")):
                if name.lower().endswith(_COMPRESSED):
                    self.report.leave_out((here / name).as_posix(), Unusable(Why.COMPRESSED))
                elif name.lower().endswith(".tar"):
                    if here.parts:
                        self.report.leave_out((here / name).as_posix(), Unusable(Why.DEEPER))
                    else:
                        shards.append(name)
        return sorted(shards)

    def picture(self, pair: Pair) -> Float[Tensor, "3 h w"]:
        """The picture of a pair, in [-1, 1], its centre cut square. Raises `Unusable` where its bytes are bad."""
        shard, offset, size = pair.place
        return decode(read_inside(self.folder, shard, offset, size, limit=_MAX_SHARD_BYTES), self.resolution)

    def size(self, pair: Pair) -> int:
        """The bytes of the file of a pair's picture, in its shard."""
        return int(pair.place[2])

    def _samples(self, path: Path) -> dict[str, dict[str, Member]]:
        """The offset and size of each part of each key of a shard: {"000000000": {".jpg": (512, 20000), ".txt": ...}, ...}.

        Raises nothing: bad members go into `report`.
        """
        samples: dict[str, dict[str, Member]] = {}
        try:
            for member in _members(path):
                try:
                    key, part = _key_and_part(member)
                    if part == "" or _hidden(member.name):
                        continue
                    if part in samples.setdefault(key, {}):
                        raise Unusable(Why.DUPLICATE)
                    samples[key][part] = member.offset_data, member.size
                except Unusable as fault:
                    self.report.leave_out(f"{path.name}/{member.name}", fault)
        except Unusable as fault:  # a truncated shard: the members before the cut are good
            self.report.leave_out(path.name, fault)
        return samples

    def _pairs(self, shard: str, key: str, parts: dict[str, Member], file: IO[bytes]) -> Iterator[Pair]:
        """Yield the pairs of a sample. Raises nothing: what is left out goes into `report`, named by its key and its part without ending.

        A caption of no picture is told of where nothing else of the sample is.
        """
        pictures = [part for part in parts if _ending(part) in SUFFIXES]
        used, before = set[str](), len(self.report.left_out)
        for part in [part for part in parts if _ending(part) in OTHER_SUFFIXES]:
            self.report.leave_out(f"{shard}/{key}{_stem(part)}", Unusable(Why.FORMAT))
        for stem in dict.fromkeys(_stem(part) for part in pictures):
            name, same = f"{shard}/{key}{stem}", [part for part in pictures if _stem(part) == stem]
            try:
                if len(same) > 1:
                    raise Unusable(Why.DUPLICATE, " ".join(same))
                offset, size = parts[same[0]]
                if size > MAX_BYTES:
                    raise Unusable(Why.TOO_LARGE, f"{size} > {MAX_BYTES}")
                if size == 0:
                    raise Unusable(Why.EMPTY)
                text = _text_of(stem, parts, pictures)
                used.add(text)
                yield Pair(name, (_caption(text, parts[text], file),), (shard, offset, size))
            except Unusable as fault:
                self.report.leave_out(name, fault)
        if len(self.report.left_out) == before:
            for text in [part for part in parts if _ending(part) == ".txt" and part not in used]:
                self.report.leave_out(f"{shard}/{key}{_stem(text)}", Unusable(Why.NO_PICTURE))


def _members(path: Path) -> Iterator[tarfile.TarInfo]:
    """The headers of a tar archive, in order. Raises `Unusable` where it is truncated, damaged, compressed or no tar archive."""
    end, position = path.stat().st_size, -1
    try:
        with tarfile.open(path, "r:") as tar:
            while (member := tar.next()) is not None:
                if member.size < 0 or tar.offset <= position:  # a forged header may give a negative size
                    raise Unusable(Why.DAMAGED)
                position = tar.offset
                if member.isreg() and member.offset_data + member.size > end:
                    raise Unusable(Why.DAMAGED, member.name)
                if not member.isdir():
                    yield member
            if tar.offset >= end:  # a complete archive ends with two empty blocks
                raise Unusable(Why.DAMAGED)
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError) as error:
        with path.open("rb") as file:
            begun = file.read(8)
        kind = next((name for first, name in _FIRST_BYTES.items() if begun.startswith(first)), "")
        raise (Unusable(Why.COMPRESSED, kind) if kind else Unusable(Why.DAMAGED)) from error


def _key_and_part(member: tarfile.TarInfo) -> tuple[str, str]:
    """The key and the part of a member: "a/000.jpg" is the part ".jpg" of the key "a/000", and a name without a dot has the part "".

    Keys are in Unicode normalisation form C: macOS writes « é » as two characters. Raises `Unusable` for a link, a device, or a path that
    leads out.
    """
    if not member.isreg() or member.issparse():
        raise Unusable(Why.LINK)
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise Unusable(Why.OUTSIDE)
    stem, dot, suffix = path.name.partition(".")
    key, part = (path.parent / stem).as_posix(), f"{dot}{suffix}".lower()
    return unicodedata.normalize("NFC", key), unicodedata.normalize("NFC", part)


def _hidden(name: str) -> bool:
    """Whether a file or a folder on its path is hidden, as the "._000.jpg" that macOS puts beside "000.jpg"."""
    return any(part.startswith(".") and part not in (".", "..") for part in PurePosixPath(name).parts)


def _ending(part: str) -> str:
    """The ending of a part: ".png" of ".input.png"."""
    return part[part.rfind(".") :]


def _stem(part: str) -> str:
    """A part without its ending: ".input" of ".input.png", "" of ".png"."""
    return part[: part.rfind(".")]


def _text_of(stem: str, parts: dict[str, Member], pictures: list[str]) -> str:
    """The part that holds the caption of the picture with a stem: that of its name, or else the only one that there is.

    Raises `Unusable` where there is none, and where several could be it.
    """
    for ending in _TEXTS:
        if f"{stem}{ending}" in parts:
            return f"{stem}{ending}"
    texts = [part for ending in _TEXTS for part in parts if _ending(part) == ending]
    if len(pictures) == 1:
        alike = [part for part in texts if _ending(part) == _ending(texts[0])]  # .txt before .json
        if len(alike) > 1 and _ending(alike[0]) not in alike:
            raise Unusable(Why.UNCLEAR, " ".join(alike))
        if alike:
            return _ending(alike[0]) if _ending(alike[0]) in alike else alike[0]
        raise Unusable(Why.NO_CAPTION)
    named = {f"{_stem(picture)}{ending}" for picture in pictures for ending in _TEXTS}
    raise Unusable(Why.UNCLEAR, " ".join(pictures)) if set(texts) - named else Unusable(Why.NO_CAPTION)


def _caption(part: str, place: Member, file: IO[bytes]) -> str:
    """The caption in a part: its text, or "caption" in its JSON. Raises `Unusable` where there is none, or it is bad."""
    offset, size = place
    if size > MAX_TEXT_BYTES:
        raise Unusable(Why.TOO_LARGE, f"{part}: {size} > {MAX_TEXT_BYTES}")
    file.seek(offset)
    text = decode_text(file.read(size))
    return clean_caption(text if _ending(part) == ".txt" else read_json(text, dict).get("caption"))


def write_shards(folder: str | Path, n: int, seed: int = 0, per_shard: int = 100) -> Path:
    """Write `n` pictures of the synthetic world, with captions, as img2dataset would, `per_shard` in each shard; returns the folder.

    The files depend on `n`, `seed` and `per_shard` alone. Raises `DalleEduError` where a file is in the way, or a number is below one.
    """
    if per_shard < 1:
        raise DalleEduError(
            f"{per_shard} pictures in a shard were asked for; ask for at least one",
            f"{per_shard} images par fragment sont demandées ; demandez-en au moins une",
        )
    folder = Path(folder)
    pictures = list(sample_pictures(n, seed))
    for shard, start in enumerate(range(0, n, per_shard)):
        contents = io.BytesIO()
        part = pictures[start : start + per_shard]
        with tarfile.open(fileobj=contents, mode="w") as tar:
            for i, (image, captions) in enumerate(part):
                key = f"{shard:05d}{i:04d}"
                metadata = {"caption": captions[0], "key": key, "status": "success", "width": image.width, "height": image.height}
                jpeg = io.BytesIO()
                image.save(jpeg, "JPEG", quality=95)
                _add(tar, f"{key}.jpg", jpeg.getvalue())
                _add(tar, f"{key}.txt", captions[0].encode())
                _add(tar, f"{key}.json", json.dumps(metadata, ensure_ascii=False).encode())
        write_new(folder / f"{shard:05d}.tar", contents.getvalue())
        write_new(folder / f"{shard:05d}_stats.json", json.dumps({"count": len(part), "successes": len(part)}).encode())
    return folder


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    header: Any = tarfile.TarInfo(name)
    header.size = len(data)
    tar.addfile(header, io.BytesIO(data))
