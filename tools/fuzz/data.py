"""Pictures, and data sets of pictures: folders, shards and COCO."""

import io
import json
import os
import random
import tarfile
from pathlib import Path
from typing import Any

from dalle_edu.datasets import Coco, Folder, Shards
from tools.fuzz import small
from tools.fuzz.hostile import TEXTS, altered, mutated
from tools.fuzz.paths import NAMES, STRANGE
from tools.fuzz.trial import Maker, Trial

FORMS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")


def of_pictures(rng: random.Random) -> Trial:
    """A picture whose bytes were changed, to be edited."""
    data = mutated(small.picture(rng.choice(FORMS)), rng)
    words = ("edit", "complete", "p.png", "a red circle", "-n", "1", "--system", str(small.checkpoint("dalle1")), "--out", "o.png")
    return Trial("changed picture", lambda folder: (folder / "p.png").write_bytes(data), words, refused=None, outputs=("o.png",))


def of_folders(rng: random.Random) -> Trial:
    """A folder of captioned pictures, some of them bad."""
    names = [rng.choice(NAMES)[:40].replace("/", "") for _ in range(rng.choice((1, 3)))]
    pictures = [mutated(small.picture(rng.choice(FORMS)), rng) if rng.random() < 0.5 else small.picture() for _ in names]
    captions = [_text(rng) for _ in names]
    strange = rng.choice(sorted(STRANGE.items()))[1] if rng.random() < 0.3 else None

    def make(folder: Path) -> None:
        (folder / "data").mkdir()
        for name, picture, caption in zip(names, pictures, captions, strict=True):
            (folder / "data" / f"{name}.png").write_bytes(picture)
            (folder / "data" / f"{name}.txt").write_bytes(caption)
        if strange:
            strange(folder / "data" / rng.choice(("s.png", "s.txt")))

    return Trial(f"folder: {names!r}", make, call=lambda folder: _read(Folder(folder / "data", 16)), refused=None)


def of_shards(rng: random.Random) -> Trial:
    """A shard whose bytes, members or captions were changed."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for number in range(3):
            name = rng.choice(NAMES)[:40] if rng.random() < 0.4 else f"{number:03d}"
            for suffix, data in (("png", small.picture()), ("txt", _text(rng)), ("json", b'{"caption": "a"}')):
                member = tarfile.TarInfo(rng.choice(("", "/", "../", "a/")) * (rng.random() < 0.2) + f"{name}.{suffix}")
                member.size, member.type = (
                    len(data),
                    rng.choice((*[tarfile.REGTYPE] * 12, tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)),
                )
                tar.addfile(member, io.BytesIO(data))
    data = mutated(file.getvalue(), rng) if rng.random() < 0.7 else file.getvalue()

    def make(folder: Path) -> None:
        (folder / "data").mkdir()
        (folder / "data" / "0.tar").write_bytes(data)

    return Trial("shards", make, call=lambda folder: _read(Shards(folder / "data", 16)), refused=None)


def of_coco(rng: random.Random) -> Trial:
    """COCO's JSON with a value changed."""
    document = {"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"id": 1, "image_id": 1, "caption": "a red circle"}]}
    document, says = altered(document, rng)
    text = os.fsencode(json.dumps(document)) if rng.random() < 0.8 else mutated(json.dumps(document).encode(), rng)

    def make(folder: Path) -> None:
        (folder / "data" / "val").mkdir(parents=True)
        (folder / "data" / "annotations").mkdir()
        (folder / "data" / "val" / "a.png").write_bytes(small.picture())
        (folder / "data" / "annotations" / "captions_val.json").write_bytes(text)

    return Trial(f"coco: {says}", make, call=lambda folder: _read(Coco(folder / "data", "val", 16)), refused=None)


def _text(rng: random.Random) -> bytes:
    text = rng.choice(TEXTS).encode("utf-8", "surrogatepass")
    return mutated(text, rng) if rng.random() < 0.3 else text


def _read(dataset: Any) -> None:
    for index in range(len(dataset)):
        dataset[index]
    str(dataset.report)


KINDS: dict[str, Maker] = {"pictures": of_pictures, "folders": of_folders, "shards": of_shards, "coco": of_coco}
