"""Odd names of files: each is read as it should be, or a sentence says that it is left out. Nothing is lost in silence."""

import gzip
import os
import sys
import unicodedata
from collections import Counter

import pytest
from faulty import everything, left_out, picture
from test_shards import tar

from dalle_edu.datasets import Coco, Folder, Shards, Why
from dalle_edu.errors import DalleEduError

PNG, JPG = picture(seed=1), picture(format="JPEG")
NFC, NFD = (unicodedata.normalize(form, "carré") for form in ("NFC", "NFD"))

# the members of a shard; the names of pairs and their captions; what is left out and why. A name that ends in / is a folder's.
SAMPLES = {
    "dots in a name": (["view 2.0 left.png", "view 2.0 left.txt"], {"view 2.0 left": "view 2.0 left.txt"}, {}),
    "two views of a key": (
        ["view 2.0 left.png", "view 2.0 left.txt", "view 2.0 right.png", "view 2.0 right.txt"],
        {"view 2.0 left": "view 2.0 left.txt", "view 2.0 right": "view 2.0 right.txt"},
        {},
    ),
    "two views, one caption": (
        ["view 2.0 left.png", "view 2.0 left.txt", "view 2.0 right.png"],
        {"view 2.0 left": "view 2.0 left.txt"},
        {"view 2.0 right": Why.NO_CAPTION},
    ),
    "two views, a caption of neither": (["b.l.png", "b.r.png", "b.txt"], {}, {"b.l": Why.UNCLEAR, "b.r": Why.UNCLEAR}),
    "input and outputs": (["b.input.png", "b.outputs.txt"], {"b.input": "b.outputs.txt"}, {}),
    "input and plain text": (["b.input.png", "b.txt"], {"b.input": "b.txt"}, {}),
    "plain picture and outputs": (["b.png", "b.outputs.txt"], {"b": "b.outputs.txt"}, {}),
    "input and two texts": (["b.input.png", "b.one.txt", "b.two.txt"], {}, {"b.input": Why.UNCLEAR}),
    "input, two texts and a plain one": (["b.input.png", "b.one.txt", "b.txt"], {"b.input": "b.txt"}, {"b.one": Why.NO_PICTURE}),
    "a second text": (["b.png", "b.txt", "b.outputs.txt"], {"b": "b.txt"}, {"b.outputs": Why.NO_PICTURE}),
    "a mask": (["b.jpg", "b.mask.png", "b.txt"], {"b": "b.txt"}, {"b.mask": Why.NO_CAPTION}),
    "a picture twice": (["b.jpg", "b.png", "b.txt"], {}, {"b": Why.DUPLICATE}),
    "a picture of another kind beside": (["b.jpg", "b.tiff", "b.txt"], {"b": "b.txt"}, {"b": Why.FORMAT}),
    "text named as the picture": (["b.png", "b.png.txt"], {"b": "b.png.txt"}, {}),
    "json of a part": (["b.input.png", "b.input.json"], {"b.input": "json"}, {}),
    "json of another part": (["b.input.png", "b.meta.json"], {"b.input": "json"}, {}),
    "text before json": (["b.input.png", "b.json", "b.outputs.txt"], {"b.input": "b.outputs.txt"}, {}),
    "capitals": (["B.PNG", "B.TXT"], {"B": "B.TXT"}, {}),
    "keys that differ by case": (["B.png", "b.png", "B.txt", "b.txt"], {"B": "B.txt", "b": "b.txt"}, {}),
    "a double dot": (["b..png", "b..txt"], {"b.": "b..txt"}, {}),
    "spaces": ([" b .png", " b .txt"], {" b ": " b .txt"}, {}),
    "dots in a folder": (["v1.0/b.png", "v1.0/b.txt"], {"v1.0/b": "v1.0/b.txt"}, {}),
    "from here": (["./b.png", "b.txt"], {"b": "b.txt"}, {}),
    "far apart": (["a.png", "b.png", "b.txt", "a.txt"], {"a": "a.txt", "b": "b.txt"}, {}),
    "two forms of Unicode": ([f"{NFC}.png", f"{NFD}.txt"], {NFC: f"{NFD}.txt"}, {}),
    "two forms of Unicode in a part": (
        [f"b.{NFC}.png", f"b.{NFD}.txt", "b.x.png", "b.x.txt"],
        {f"b.{NFC}": f"b.{NFD}.txt", "b.x": "b.x.txt"},
        {},
    ),
    "emoji": (["🟥.png", "🟥.txt"], {"🟥": "🟥.txt"}, {}),
    "right to left": (["مربع.png", "مربع.txt"], {"مربع": "مربع.txt"}, {}),
    "long": (["x" * 300 + ".png", "x" * 300 + ".txt"], {"x" * 300: "x" * 300 + ".txt"}, {}),
    "a line break": (["a\nb.png", "a\nb.txt"], {"a\nb": "a\nb.txt"}, {}),
    "a backslash": (["a\\b.png", "a\\b.txt"], {"a\\b": "a\\b.txt"}, {}),
    "Windows' own names": (["CON.png", "CON.txt", "a:b.png", "a:b.txt"], {"CON": "CON.txt", "a:b": "a:b.txt"}, {}),
    "what macOS puts beside": (["b.png", "b.txt", "._b.png", "._b.txt", ".DS_Store"], {"b": "b.txt"}, {}),
    "a hidden folder": (["b.png", "b.txt", ".git/b.png"], {"b": "b.txt"}, {}),
    "no ending": (["b.png", "b.txt", "README", "x/LICENSE"], {"b": "b.txt"}, {}),
    "other endings": (["b.jfif", "b.txt", "b.cls", "b.npy"], {"b": "b.txt"}, {}),
    "a camera's": (["b.dng", "b.txt"], {}, {"b": Why.FORMAT}),
}


@pytest.mark.parametrize("case", SAMPLES)
def test_samples_of_a_shard(tmp_path, case):
    names, expected, lost = SAMPLES[case]
    contents = {".txt": lambda name: name.encode(), ".json": lambda name: b'{"caption": "json"}'}
    members = [(name, contents.get(os.path.splitext(name.lower())[1], lambda name: PNG)(name)) for name in names]
    (tmp_path / "a.tar").write_bytes(tar(("good.png", PNG), ("good.txt", b"good"), *members))
    dataset = Shards(tmp_path)
    found = {pair.name.removeprefix("a.tar/"): pair.captions for pair in dataset.pairs}
    assert found == {"good": ("good",)} | {name: (" ".join(caption.split()),) for name, caption in expected.items()}
    assert sorted(left_out(dataset)) == sorted((f"a.tar/{name}", why) for name, why in lost.items())
    assert len(everything(dataset)) == 1 + len(expected)


def test_compressed_archives_and_deeper_ones_are_told_of(tmp_path):
    shard = tar(("good.png", PNG), ("good.txt", b"good"))
    (tmp_path / "deep").mkdir()
    (tmp_path / "linked").symlink_to("deep")
    for name in ("a.tar", "B.TAR", "deep/c.tar", ".hidden.tar"):
        (tmp_path / name).write_bytes(shard)
    for name in ("a.tar.gz", "d.tgz", "deep/e.TAR.XZ", "f.zip", "g.tar"):
        (tmp_path / name).write_bytes(gzip.compress(shard))
    dataset = Shards(tmp_path)
    assert [pair.name for pair in dataset.pairs] == ["B.TAR/good", "a.tar/good"]
    compressed = {(name, Why.COMPRESSED) for name in ("a.tar.gz", "d.tgz", "deep/e.TAR.XZ", "f.zip", "g.tar")}
    assert set(left_out(dataset)) == compressed | {("deep/c.tar", Why.DEEPER), ("linked", Why.LINK)}
    assert "it is compressed, and pictures are read where they lie in a shard (gzip); decompress it to a .tar" in str(
        dataset.report.left_out[-1]
    )


FILES = {  # the files of a folder; the pairs and their captions; what is left out and why
    "dots in a name": (["view 2.0 left.png", "view 2.0 left.txt"], {"view 2.0 left.png": "view 2.0 left.txt"}, {}),
    "input and outputs": (["b.input.png", "b.outputs.txt"], {}, {"b.input.png": Why.NO_CAPTION, "b.outputs.txt": Why.NO_PICTURE}),
    "text named as the picture": (["b.png", "b.png.txt"], {"b.png": "b.png.txt"}, {}),
    "two texts": (["b.png", "b.txt", "b.png.txt"], {"b.png": "b.txt"}, {"b.png.txt": Why.NO_PICTURE}),
    "two forms of Unicode": ([f"{NFC}.png", f"{NFD}.txt"], {f"{NFC}.png": f"{NFD}.txt"}, {}),
    "two forms of Unicode, the other way": ([f"{NFD}.png", f"{NFC}.txt"], {f"{NFD}.png": f"{NFC}.txt"}, {}),
    "both forms of both": (
        [f"{form}.{ending}" for form in (NFC, NFD) for ending in ("png", "txt")],
        {f"{form}.png": f"{form}.txt" for form in (NFC, NFD)},
        {},
    ),
    "both forms of a text": (
        [f"{NFC}.png", f"{NFC}.txt", f"{NFD}.txt"],
        {f"{NFC}.png": f"{NFC}.txt"},
        {f"{NFD}.txt": Why.DUPLICATE},
    ),
    "a text twice": (["b.png", "b.txt", "b.TXT"], {"b.png": "b.txt"}, {"b.TXT": Why.DUPLICATE}),
    "capitals": (["b.PNG", "b.TXT"], {"b.PNG": "b.TXT"}, {}),
    "two pictures of a text": (["b.png", "b.jpg", "b.txt"], {"b.png": "b.txt", "b.jpg": "b.txt"}, {}),
    "a picture of another kind": (["b.dng", "b.txt"], {}, {"b.dng": Why.FORMAT}),
    "odd endings": (["b.jfif", "b.txt", "c.jpe", "c.txt"], {"b.jfif": "b.txt", "c.jpe": "c.txt"}, {}),
    "no ending": (["b", "b.txt"], {}, {"b.txt": Why.NO_PICTURE}),
    "a line break": (["a\nb.png", "a\nb.txt"], {"a\nb.png": "a\nb.txt"}, {}),
}


@pytest.mark.parametrize("case", FILES)
def test_files_of_a_folder(tmp_path, case):
    names, expected, lost = FILES[case]
    for name in ["good.png", "good.txt", *names]:
        (tmp_path / name).write_bytes(name.encode() if name.lower().endswith(".txt") else PNG)
    if len(list(tmp_path.iterdir())) < len(names) + 2:
        pytest.skip("this disk takes some of these names for one")
    dataset = Folder(tmp_path)
    found = {pair.name: pair.captions for pair in dataset.pairs}
    assert found == {"good.png": ("good.txt",)} | {name: (" ".join(caption.split()),) for name, caption in expected.items()}
    assert sorted(left_out(dataset)) == sorted(lost.items())
    assert len(everything(dataset)) == 1 + len(expected)


def test_a_list_names_files_in_either_form_and_with_any_ending(tmp_path):
    for name in (f"{NFC}.png", f"{NFD}.png", "IMG_0001", "photo.jpg?width=300", "notes.md"):
        (tmp_path / name).write_bytes(b"# notes" if name == "notes.md" else PNG)
    lines = [f'{{"file_name": "{name}", "text": "{text}"}}' for name, text in ((NFC + ".png", "one"), (NFD + ".png", "two"))]
    lines += [f'{{"file_name": "{name}", "text": "x"}}' for name in ("IMG_0001", "photo.jpg?width=300", "notes.md")]
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines), encoding="utf-8")
    dataset = Folder(tmp_path)
    assert {pair.name: pair.captions[0] for pair in dataset.pairs} == {f"{NFC}.png": "one", f"{NFD}.png": "two"} | dict.fromkeys(
        ("IMG_0001", "photo.jpg?width=300"), "x"
    )
    assert left_out(dataset) == [("notes.md", Why.FORMAT)]


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="their disks hold no name that is not Unicode")
def test_names_that_are_not_utf8_are_read(tmp_path):
    folder, shards = tmp_path / "folder", tmp_path / "shards"
    folder.mkdir()
    shards.mkdir()
    for ending, data in ((b".png", PNG), (b".txt", b"x")):
        (folder / os.fsdecode(b"caf\xe9" + ending)).write_bytes(data)
    (shards / os.fsdecode(b"caf\xe9.tar")).write_bytes(tar(("caf\udce9.png", PNG), ("caf\udce9.txt", b"x")))
    for dataset in (Folder(folder), Shards(shards)):
        assert [caption for _, caption in everything(dataset)] == ["x"]
        assert "caf\udce9" in dataset.pairs[0].name


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="their disks hold no name that is not Unicode")
@pytest.mark.parametrize("door", [Folder, Shards, Coco])
def test_a_folder_whose_name_is_not_utf8_is_told_of_in_a_sentence_that_can_be_written(tmp_path, door):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    for _ in range(2):
        with pytest.raises(DalleEduError, match=r"caf\\udce9") as caught:
            door(folder)
        str(caught.value).encode()
        folder.mkdir(exist_ok=True)


def test_the_choice_of_a_caption_is_that_of_always(tmp_path):
    """Names that are Unicode choose as they did before others were read."""
    for i in range(12):
        (tmp_path / f"é{i}.png").write_bytes(PNG)
    captions = {f"é{i}.png": ["a", "b", "c"] for i in range(12)}
    (tmp_path / "captions.json").write_text(str(captions).replace("'", '"'), encoding="utf-8")
    chosen = "".join(caption for _, caption in everything(Folder(tmp_path)))
    assert Counter(chosen).keys() == {"a", "b", "c"}
    assert chosen == "acabbcbacbab"
