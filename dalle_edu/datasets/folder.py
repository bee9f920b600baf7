"""A folder of pictures with captions as a data set, the easiest for readers to make.

Captions come from `metadata.jsonl` (a line each: {"file_name": "a.png", "text": "a red kite"}, or "caption" in place of "text"), from
`captions.json` ({"a.png": "a red kite"}, or a list of captions), or else from a text file beside the picture (`a.txt` for `a.png`, or
`a.png.txt`). A list may name a picture whatever its ending. Folders inside the folder are read too. Hidden files are not.
"""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from jaxtyping import Float
from torch import Tensor

from dalle_edu.datasets.captioned_dataset import CaptionedDataset, Pair
from dalle_edu.datasets.captions import MAX_JSON_BYTES, MAX_TEXT_BYTES, Pairs, clean_caption, clean_captions, decode_text, read_json
from dalle_edu.datasets.pictures import OTHER_SUFFIXES, SUFFIXES, decode
from dalle_edu.datasets.places import Names, file_inside, inside, read_inside
from dalle_edu.datasets.report import Unusable, Why

_LINES, _MAPPING = "metadata.jsonl", "captions.json"


class Folder(CaptionedDataset):
    """The pictures of a folder, with their captions: arguments, items and errors as in `CaptionedDataset`."""

    EXPECTED = (
        "pictures (.png, .jpg, .webp, .gif, .bmp), each with its caption in a .txt of the same name, captions.json or metadata.jsonl",
        "des images (.png, .jpg, .webp, .gif, .bmp), leur légende dans un .txt du même nom, captions.json ou metadata.jsonl",
    )

    def __init__(
        self,
        folder: str | Path,
        resolution: int = 64,
        *,
        seed: int = 0,
        every_caption: bool = False,
        first: int | None = None,
        keep: int = 0,
    ):
        super().__init__(folder, resolution, seed, every_caption, first, keep)

    def find(self) -> Iterator[Pair]:
        """Yield the pictures in the order of their names. Raises nothing: bad files go into `report`."""
        names = sorted(self._files())
        beside = sorted((name for name in names if _suffix(name) == ".txt"), key=lambda name: not name.endswith(".txt"))
        listed = self._listed_captions([name for name in names if name not in beside])
        pictures = [name for name in names if _suffix(name) in (*SUFFIXES, *OTHER_SUFFIXES) or name in listed]
        texts, used = Names({_stem(name): name for name in reversed(beside)}), set[str]()
        for name in pictures:
            text = texts.find(_stem(name)) or texts.find(name)  # a.txt or a.png.txt
            used.add(text or "")
            try:
                if _suffix(name) in OTHER_SUFFIXES:
                    raise Unusable(Why.FORMAT)
                captions = listed[name] if name in listed else (self._caption_beside(text),)
                if captions:
                    yield Pair(name, captions, name)
            except Unusable as fault:
                self.report.leave_out(name, fault)
        stems = Names({_stem(name): name for name in pictures})
        for text in sorted(set(beside) - used):
            self.report.leave_out(text, Unusable(Why.DUPLICATE if stems.find(_stem(text)) else Why.NO_PICTURE))

    def picture(self, pair: Pair) -> Float[Tensor, "3 h w"]:
        """The picture of a pair, in [-1, 1], its centre cut square. Raises `Unusable` where its file is bad."""
        return decode(read_inside(self.folder, pair.place), self.resolution)

    def size(self, pair: Pair) -> int:
        """The bytes of the file of a pair's picture. Raises `Unusable` where it is bad."""
        return file_inside(self.folder, pair.place).stat().st_size

    def _files(self) -> Iterator[str]:
        """The paths of all files relative to the folder, with slashes. Links to folders are not followed."""

        def unreadable(error: OSError) -> None:
            self.report.leave_out(Path(error.filename).relative_to(self.folder).as_posix(), Unusable(Why.UNREADABLE))

        for place, folders, files in os.walk(self.folder, onerror=unreadable):
            here = Path(place).relative_to(self.folder)
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in folders:
                if (Path(place) / name).is_symlink():
                    self.report.leave_out((here / name).as_posix(), Unusable(Why.LINK))
            yield from ((here / name).as_posix() for name in files if not name.startswith("."))

    def _caption_beside(self, name: str | None) -> str:
        """The caption in a text file. Raises `Unusable` where there is none, or it is bad."""
        if name is None:
            raise Unusable(Why.NO_CAPTION)
        try:
            return clean_caption(decode_text(read_inside(self.folder, name, limit=MAX_TEXT_BYTES)))
        except Unusable as fault:
            raise Unusable(Why.NO_CAPTION if fault.why is Why.EMPTY else fault.why, name) from fault

    def _listed_captions(self, names: list[str]) -> dict[str, tuple[str, ...]]:
        """The captions of each file that a list names. Raises nothing: a picture with a bad entry has no captions and is reported."""
        captions: dict[str, tuple[str, ...]] = {}
        files = Names({name: name for name in names})
        for source, name, texts in self._listed():
            picture = files.find(PurePosixPath(name).as_posix())
            try:
                inside(self.folder, name)
                if picture is None:
                    raise Unusable(Why.NO_PICTURE)
                if picture in captions:
                    raise Unusable(Why.DUPLICATE)
                captions[picture] = ()
                captions[picture] = clean_captions(texts)
            except Unusable as fault:
                self.report.leave_out(name, Unusable(fault.why, source))
        return captions

    def _listed(self) -> Iterator[tuple[str, str, Any]]:
        """The entries of both lists: the place of the entry, the picture's name, its captions. Raises nothing: bad entries are reported."""
        for number, line in enumerate(self._list(_LINES).split(b"\n"), start=1):
            try:
                record = read_json(decode_text(line), dict) if line.strip() else None
                if record is not None:
                    if not isinstance(record.get("file_name"), str):
                        raise Unusable(Why.JSON, '"file_name"?')
                    yield f"{_LINES}:{number}", record["file_name"], record.get("text", record.get("caption"))
            except Unusable as fault:
                self.report.leave_out(f"{_LINES}:{number}", fault)
        try:
            mapping = read_json(decode_text(self._list(_MAPPING)) or "{}", Pairs)
        except Unusable as fault:
            self.report.leave_out(_MAPPING, fault)
        else:
            yield from ((_MAPPING, name, texts) for name, texts in mapping)

    def _list(self, name: str) -> bytes:
        try:
            return read_inside(self.folder, name, limit=MAX_JSON_BYTES)
        except Unusable as fault:
            if fault.why is not Why.MISSING:
                self.report.leave_out(name, fault)
            return b""


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _stem(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix()
