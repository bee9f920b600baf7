"""WebDataset shards as img2dataset writes them: tar archives of `key.jpg`, `key.txt` and `key.json`, ten thousand or so in each.

    folder/00000.tar   000000000.jpg 000000000.txt 000000000.json 000000001.jpg ...
    folder/00000_stats.json, folder/00000.parquet   (not read)

In a tar archive each file follows a header of 512 bytes with its name and size, so a shard can be read sequentially, as from a tape. An
uncompressed archive also allows random access: this data set notes the offset of each picture when it opens, so that workers, shuffling
and `len` work as with a folder.

Nothing is extracted. The `webdataset` package is the usual way to stream shards over a network; it also runs names that begin with `pipe:`
as commands, so shards of unknown origin are read here with the standard library alone.
"""

import io
import json
import tarfile
from collections.abc import Iterator
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
Member = tuple[int, int]  # the offset of a file in its shard and its size, in bytes


class Shards(CaptionedDataset):
    """The pictures in all `.tar` files of a folder, with their captions: arguments, items and errors as in `CaptionedDataset`.

    The caption is `key.txt`, or else "caption" in `key.json`.
    """

    EXPECTED = (
        "WebDataset shards (00000.tar, 00001.tar...), uncompressed, each of key.jpg with key.txt or key.json",
        "des fragments WebDataset (00000.tar, 00001.tar...), non compressés, chacun de clé.jpg avec clé.txt ou clé.json",
    )

    def __init__(self, folder: str | Path, resolution: int = 64, *, seed: int = 0, first: int | None = None):
        super().__init__(folder, resolution, seed, every_caption=False, first=first)

    def find(self) -> Iterator[Pair]:
        """Yield the samples in the order of the shards, and there in that of the archive. Raises nothing: bad ones go into `report`."""
        for shard in sorted(path.name for path in self.folder.iterdir() if path.suffix == ".tar" and not path.name.startswith(".")):
            try:
                path = file_inside(self.folder, shard, limit=_MAX_SHARD_BYTES)
                samples = self._samples(path)
                with path.open("rb") as file:
                    for key, parts in samples.items():
                        yield from self._pair(shard, key, parts, file)
            except Unusable as fault:
                self.report.leave_out(shard, fault)
            except OSError:
                self.report.leave_out(shard, Unusable(Why.UNREADABLE))

    def picture(self, pair: Pair) -> Float[Tensor, "3 h w"]:
        """The picture of a pair, in [-1, 1], its centre cut square. Raises `Unusable` where its bytes are bad."""
        shard, offset, size = pair.place
        return decode(read_inside(self.folder, shard, offset, size, limit=_MAX_SHARD_BYTES), self.resolution)

    def _samples(self, path: Path) -> dict[str, dict[str, Member]]:
        """The offset and size of each part of each key of a shard: {"000000000": {".jpg": (512, 20000), ".txt": ...}, ...}.

        Raises nothing: bad members go into `report`.
        """
        samples: dict[str, dict[str, Member]] = {}
        try:
            for member in _members(path):
                try:
                    key, part = _key_and_part(member)
                    if part in samples.setdefault(key, {}):
                        raise Unusable(Why.DUPLICATE)
                    samples[key][part] = member.offset_data, member.size
                except Unusable as fault:
                    self.report.leave_out(f"{path.name}/{member.name}", fault)
        except Unusable as fault:  # a truncated shard: the members before the cut are good
            self.report.leave_out(path.name, fault)
        return samples

    def _pair(self, shard: str, key: str, parts: dict[str, Member], file: IO[bytes]) -> Iterator[Pair]:
        """Yield the pair of a key, or nothing. Raises nothing: a bad sample goes into `report`."""
        name = f"{shard}/{key}"
        try:
            pictures = [part for part in parts if part in SUFFIXES]
            if not pictures:
                if any(part in OTHER_SUFFIXES for part in parts):
                    raise Unusable(Why.FORMAT)
                if ".txt" in parts:
                    raise Unusable(Why.NO_PICTURE)
                return
            if len(pictures) > 1:
                raise Unusable(Why.DUPLICATE, " ".join(pictures))
            offset, size = parts[pictures[0]]
            if size > MAX_BYTES:
                raise Unusable(Why.TOO_LARGE, f"{size} > {MAX_BYTES}")
            if size == 0:
                raise Unusable(Why.EMPTY)
            yield Pair(name, (_caption(parts, file),), (shard, offset, size))
        except Unusable as fault:
            self.report.leave_out(name, fault)


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
        raise Unusable(Why.DAMAGED) from error


def _key_and_part(member: tarfile.TarInfo) -> tuple[str, str]:
    """The key and the part of a member: "a/000.jpg" is the part ".jpg" of the key "a/000".

    WebDataset cuts a name at the first dot after the last slash. Raises `Unusable` for a link, a device, or a path that leads out.
    """
    if not member.isreg() or member.issparse():
        raise Unusable(Why.LINK)
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise Unusable(Why.OUTSIDE)
    stem, dot, suffix = path.name.partition(".")
    return (path.parent / stem).as_posix(), f"{dot}{suffix}".lower()


def _caption(parts: dict[str, Member], file: IO[bytes]) -> str:
    """The caption of a sample: its `.txt`, or else "caption" of its `.json`. Raises `Unusable` where there is none, or it is bad."""
    part = next((part for part in (".txt", ".json") if part in parts), None)
    if part is None:
        raise Unusable(Why.NO_CAPTION)
    offset, size = parts[part]
    if size > MAX_TEXT_BYTES:
        raise Unusable(Why.TOO_LARGE, f"{part}: {size} > {MAX_TEXT_BYTES}")
    file.seek(offset)
    text = decode_text(file.read(size))
    return clean_caption(text if part == ".txt" else read_json(text, dict).get("caption"))


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
