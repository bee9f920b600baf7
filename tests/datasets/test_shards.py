import gzip
import io
import json
import pickle
import struct
import tarfile

import numpy as np
import pytest
import torch
from faulty import BAD_PICTURES, NOT_UTF8, contents, everything, left_out, nothing_touched_but, picture, same
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dalle_edu.datasets import Shards, Why, write_shards
from dalle_edu.errors import DalleEduError
from dalle_edu.world import read_caption

GOOD = [("good.jpg", picture(format="JPEG")), ("good.txt", b"a kite"), ("good.json", b"{}")]


def tar(*members: tuple[str | tarfile.TarInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in members:
            header = tarfile.TarInfo(name) if isinstance(name, str) else name
            header.size = header.size or len(data)
            archive.addfile(header, io.BytesIO(data) if header.isreg() else None)
    return file.getvalue()


def special(name: str, kind: bytes, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    header = tarfile.TarInfo(name)
    header.type, header.linkname = kind, link
    return header, b""


def negative_size(contents: bytes, header_at: int) -> bytes:
    """The second header says that its file is shorter than nothing, which once sent readers round in circles."""
    header = bytearray(contents[header_at : header_at + 512])
    header[124:136] = b"\xff" * 9 + struct.pack(">i", -1024)[1:]
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return contents[:header_at] + bytes(header) + contents[header_at + 512 :]


@pytest.fixture
def folder(tmp_path):
    """One shard with one good pair, and a secret next door."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "00000.tar").write_bytes(tar(*GOOD))
    (tmp_path / "secret.jpg").write_bytes(picture(seed=9))
    (tmp_path / "secret.tar").write_bytes(tar(*GOOD))
    return folder


# ---------------------------------------------------------------- the good path


def test_what_is_written_is_read(tmp_path):
    write_shards(tmp_path / "a", 25, seed=3, per_shard=10)
    assert sorted(contents(tmp_path / "a")) == [f"{i:05d}{end}" for i in range(3) for end in (".tar", "_stats.json")]
    dataset = Shards(tmp_path / "a", resolution=32)
    assert len(dataset) == 25
    assert dataset.report.left_out == []
    assert [dataset.pairs[i].name for i in (0, 24)] == ["00000.tar/000000000", "00002.tar/000020004"]
    for image, caption in everything(dataset):
        assert image.shape == (3, 32, 32)
        assert image.dtype == torch.float32
        assert -1 <= image.min() < image.max() <= 1
        assert read_caption(caption) is not None


def test_the_webdataset_package_reads_what_is_written(tmp_path):
    webdataset = pytest.importorskip("webdataset")
    write_shards(tmp_path, 7, per_shard=4)
    shards = [str(tmp_path / f"0000{i}.tar") for i in range(2)]
    samples = list(webdataset.WebDataset(shards, shardshuffle=False))
    dataset = Shards(tmp_path, resolution=128)
    assert [sample["txt"].decode() for sample in samples] == [caption for _, caption in dataset]
    assert [json.loads(sample["json"])["caption"] for sample in samples] == [caption for _, caption in dataset]
    for sample, (image, _) in zip(samples, dataset, strict=True):
        pixels = torch.from_numpy(np.array(Image.open(io.BytesIO(sample["jpg"])))).permute(2, 0, 1)
        torch.testing.assert_close(image, pixels / 127.5 - 1)


def test_writing_depends_on_its_arguments_alone_and_spares_other_files(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_shards(tmp_path / name, 6, seed=seed, per_shard=4)
    assert contents(write_shards(tmp_path / "a", 6, seed=3, per_shard=4)) == contents(tmp_path / "b") != contents(tmp_path / "c")
    with pytest.raises(DalleEduError, match="00000.tar is there already and holds something else; give another folder"):
        write_shards(tmp_path / "a", 6, seed=4, per_shard=4)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    for arguments, message in (((0,), "a sample of 0 pictures"), ((3, 0, 0), "0 pictures in a shard")):
        with pytest.raises(DalleEduError, match=f"{message} w.*; ask for at least one"):
            write_shards(tmp_path / "d", *arguments)
    assert not (tmp_path / "d").exists()


def test_the_caption_is_the_text_or_else_in_the_json(folder):
    (folder / "00001.tar").write_bytes(
        tar(
            ("./deep/a.PNG", picture()),
            ("./deep/a.json", '{"caption": "été"}'.encode()),
            ("b.jpg", picture(format="JPEG")),
            ("b.json", b"{malformed, and not needed"),
            ("b.txt", b"of b"),
            special("folder", tarfile.DIRTYPE),
            ("b.cls", b"7"),
            ("c.cls", b"no picture, no caption"),
        )
    )
    dataset = Shards(folder)
    assert [(pair.name, pair.captions) for pair in dataset.pairs] == [
        ("00000.tar/good", ("a kite",)),
        ("00001.tar/deep/a", ("été",)),
        ("00001.tar/b", ("of b",)),
    ]
    assert dataset.report.left_out == []


def test_what_lies_beside_the_shards_is_not_read(folder):
    (folder / "00000_stats.json").write_text("{")
    (folder / "00000.parquet").write_bytes(b"PAR1")
    (folder / ".00001.tar").write_bytes(b"half")
    assert str(Shards(folder).report) == "good: 1; left out: 0"


def test_workers_give_each_item_once_and_pickling_changes_nothing(tmp_path):
    dataset = Shards(write_shards(tmp_path, 21, per_shard=8), resolution=16)
    alone = everything(dataset)
    assert len(alone) == 21
    assert same(everything(dataset, workers=2), alone)
    assert same(everything(Shards(tmp_path, resolution=16)), alone)
    assert same(everything(pickle.loads(pickle.dumps(dataset))), alone)
    assert len(Shards(tmp_path, first=10)) == 10


# ---------------------------------------------------------------- faults

X = ("x.txt", b"x")
XJPG = ("x.jpg", picture(format="JPEG"))
CASES = {  # what the second shard holds; which item is left out and why; what the reader is told
    **{f"a picture that is {name}": (tar(("x.jpg", data), X), "/x", why, told) for name, (data, why, told) in BAD_PICTURES.items()},
    "no caption": (tar(XJPG), "/x", Why.NO_CAPTION, "caption is missing or blank; write one"),
    "an empty caption": (tar(XJPG, ("x.txt", b"")), "/x", Why.NO_CAPTION, "caption is missing or blank"),
    "a caption in Latin-1": (tar(XJPG, ("x.txt", NOT_UTF8)), "/x", Why.NOT_UTF8, "text is not UTF-8; save the text as UTF-8"),
    "an endless caption": (tar(XJPG, ("x.txt", b"x" * 1_000_001)), "/x", Why.TOO_LARGE, "absurdly large (.txt: 1000001 > 1000000)"),
    "JSON cut short": (tar(XJPG, ("x.json", b'{"caption": ')), "/x", Why.JSON, "JSON is malformed or not of the expected form (1:13)"),
    "JSON that is a list": (tar(XJPG, ("x.json", b"[]")), "/x", Why.JSON, "JSON is malformed or not of the expected form; correct"),
    "JSON without a caption": (tar(XJPG, ("x.json", b"{}")), "/x", Why.NO_CAPTION, "caption is missing or blank"),
    "a caption that is a number": (tar(XJPG, ("x.json", b'{"caption": 7}')), "/x", Why.NOT_TEXT, "caption is not a text"),
    "a caption alone": (tar(X), "/x", Why.NO_PICTURE, "a caption and no picture; add the picture"),
    "another format": (tar(("x.tiff", picture(format="TIFF")), X), "/x", Why.FORMAT, "save it as PNG"),
    "a name twice": (tar(XJPG, XJPG), "/x.jpg", Why.DUPLICATE, "its name was already taken; give each item a name of its own"),
    "two pictures": (tar(XJPG, ("x.png", picture()), X), "/x", Why.DUPLICATE, "its name was already taken (.jpg .png)"),
    "a path upwards": (
        tar(("../../secret.jpg", XJPG[1])),
        "/../../secret.jpg",
        Why.OUTSIDE,
        "leaves the folder, and nothing outside is read",
    ),
    "a path from the root": (
        tar(("/elsewhere/x.jpg", XJPG[1])),
        "//elsewhere/x.jpg",
        Why.OUTSIDE,
        "leaves the folder, and nothing outside is read",
    ),
    "a link": (tar(special("x.jpg", tarfile.SYMTYPE, "../secret.jpg")), "/x.jpg", Why.LINK, "a link or a device, and neither is followed"),
    "a hard link": (tar(special("x.jpg", tarfile.LNKTYPE, "good.jpg")), "/x.jpg", Why.LINK, "a link or a device, and neither is followed"),
    "a device": (tar(special("x.jpg", tarfile.CHRTYPE)), "/x.jpg", Why.LINK, "put the file itself there"),
    "a pipe": (tar(special("x.jpg", tarfile.FIFOTYPE)), "/x.jpg", Why.LINK, "put the file itself there"),
    "a shard cut inside a file": (tar(XJPG, X)[:1024], "", Why.DAMAGED, "truncated or damaged"),
    "a shard cut between files": (
        tar(*GOOD).rstrip(b"\0") + bytes(-len(tar(*GOOD).rstrip(b"\0")) % 512),
        "",
        Why.DAMAGED,
        "truncated or damaged",
    ),
    "a shard that is none": (b"this is no tar" * 100, "", Why.DAMAGED, "truncated or damaged; fetch or save it again"),
    "a compressed shard": (gzip.compress(tar(*GOOD)), "", Why.COMPRESSED, "it is compressed, and pictures are read where they lie in"),
    "a shard that is a zip": (b"PK\x03\x04" * 200, "", Why.COMPRESSED, "a shard (zip); decompress it to a .tar"),
    "an empty shard": (b"", "", Why.EMPTY, "is empty; fetch or save it again"),
    "a negative size": (negative_size(tar(X, XJPG), 1024), "", Why.DAMAGED, "truncated or damaged"),
    "a file with holes": (tar(special("x.jpg", tarfile.GNUTYPE_SPARSE)), "/x.jpg", Why.LINK, "put the file itself there"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_item_is_left_out_and_told_of(folder, case, monkeypatch):
    data, name, why, told = CASES[case]
    (folder / "00001.tar").write_bytes(data)
    before = contents(folder.parent)
    with nothing_touched_but(folder):
        dataset = Shards(folder)
        items = everything(dataset)
    assert (f"00001.tar{name}", why) in left_out(dataset)
    assert items[0][1] == "a kite"
    assert told in str(dataset.report)
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert f"a été laissé de côté\u00a0: {why.value[2]}" in str(dataset.report)
    assert why.value[3] in str(dataset.report)
    assert contents(folder.parent) == before


def test_what_comes_before_a_cut_is_good(folder):
    whole = tar(XJPG, X, ("y.jpg", XJPG[1]), ("y.txt", b"y"))
    (folder / "00001.tar").write_bytes(whole[: whole.index(b"y.jpg") + 1000])
    dataset = Shards(folder)
    assert [pair.name for pair in dataset.pairs] == ["00000.tar/good", "00001.tar/x"]
    assert left_out(dataset) == [("00001.tar", Why.DAMAGED)]


def test_shards_that_are_no_files(folder):
    (folder / "a.tar").mkdir()
    (folder / "b.tar").symlink_to(folder.parent / "secret.tar")
    (folder / "c.tar").symlink_to("c.tar")
    with nothing_touched_but(folder):
        dataset = Shards(folder)
    assert left_out(dataset) == [("a.tar", Why.UNREADABLE), ("b.tar", Why.OUTSIDE), ("c.tar", Why.UNREADABLE)]


def test_a_shard_that_may_not_be_read(folder, monkeypatch):
    plain = type(folder).open

    def refuse(path, *arguments, **options):
        if path.name == "00001.tar":
            raise PermissionError(13, "Permission denied")
        return plain(path, *arguments, **options)

    (folder / "00001.tar").write_bytes(tar(XJPG, X))
    monkeypatch.setattr(type(folder), "open", refuse)
    assert left_out(Shards(folder)) == [("00001.tar", Why.UNREADABLE)]


def test_a_picture_of_very_many_bytes_is_not_read(folder):
    header = tarfile.TarInfo("x.jpg")
    header.size = 257_000_000
    with (folder / "00001.tar").open("wb") as file:  # a file with a hole in it, which takes no room
        file.write(header.tobuf())
        file.seek(header.size // 512 * 512 + 1536)
        file.write(tar(X))
    dataset = Shards(folder)
    assert left_out(dataset) == [("00001.tar/x", Why.TOO_LARGE)]
    assert "absurdly large (257000000 > 256000000); make it smaller" in str(dataset.report)


def test_a_name_that_is_not_utf8_can_be_told(folder):
    header = bytearray(tar(("xx.jpg", b"")))
    header[:2] = b"\xff\x1b"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    (folder / "00001.tar").write_bytes(bytes(header))
    assert "00001.tar/\\udcff\\x1b was left out: it is empty" in str(Shards(folder).report)


@settings(max_examples=40)
@given(st.data())
def test_damaged_bytes_never_stop_the_door(tmp_path_factory, data):
    whole = bytearray(tar(("a.png", picture(8, 8)), ("a.txt", b"a"), ("b.png", picture(8, 8)), ("b.json", b'{"caption": "b"}')))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, 6 * 512))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "00000.tar").write_bytes(whole[: data.draw(st.integers(1, len(whole)))])
    (folder / "00001.tar").write_bytes(tar(*GOOD))
    dataset = Shards(folder)
    assert everything(dataset)[-1][1] == "a kite"


# ---------------------------------------------------------------- when the data set cannot open


def test_nothing_good_is_an_error_that_says_why(folder, monkeypatch):
    (folder / "00000.tar").write_bytes(b"")
    with pytest.raises(DalleEduError, match=r"expected WebDataset shards .*\n- 00000.tar was left out: it is empty"):
        Shards(folder)
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(
        DalleEduError, match="attendu\u00a0: des fragments WebDataset .*\n- 00000.tar a été laissé de côté\u00a0: il est vide"
    ):
        Shards(folder)


def test_no_shard_no_folder_no_sense(folder):
    (folder / "00000.tar").unlink()
    with pytest.raises(DalleEduError, match="holds no picture with a caption .*; expected WebDataset shards"):
        Shards(folder)
    with pytest.raises(DalleEduError, match="there is no folder at .*nowhere"):
        Shards(folder / "nowhere")
    with pytest.raises(DalleEduError, match="the resolution is 5"):
        Shards(folder, resolution=5)


def test_a_shard_that_goes_bad_later_is_named(folder):
    dataset = Shards(folder)
    (folder / "00000.tar").write_bytes(tar(*GOOD)[:600])
    with pytest.raises(DalleEduError, match="00000.tar/good was good when the data set opened, and now it is truncated or damaged"):
        dataset[0]
