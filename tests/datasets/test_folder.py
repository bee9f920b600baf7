import json
import os
import pickle

import pytest
import torch
from faulty import BAD_PICTURES, NOT_UTF8, contents, everything, left_out, nothing_touched_but, picture, same

from dalle_edu.datasets import Folder, Why
from dalle_edu.errors import DalleEduError


@pytest.fixture
def folder(tmp_path):
    """One good pair, and a secret next door."""
    folder = tmp_path / "data"
    folder.mkdir()
    add(folder, "good.png")
    (tmp_path / "secret.png").write_bytes(picture(seed=9))
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "elsewhere").mkdir()
    add(tmp_path / "elsewhere", "secret.png")
    return folder


def add(folder, name, caption="a kite", seed=0, format="PNG"):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(picture(seed=seed, format=format))
    if caption is not None:
        (folder / name).with_suffix(".txt").write_text(caption, encoding="utf-8")


def lines(folder, *records):
    text = "\n".join(record if isinstance(record, str) else json.dumps(record) for record in records)
    (folder / "metadata.jsonl").write_text(text, encoding="utf-8")


def mapping(folder, text):
    (folder / "captions.json").write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")


# ---------------------------------------------------------------- the good path


def test_pictures_and_captions_beside_each_other(folder):
    add(folder, "b.JPG", "un château\n d'eau\n", seed=1, format="JPEG")
    add(folder, "deep/c.webp", "third", seed=2, format="WEBP")
    (folder / "notes.md").write_text("not mine")
    (folder / ".hidden.png").write_bytes(b"")
    dataset = Folder(folder, resolution=32)
    assert [pair.name for pair in dataset.pairs] == ["b.JPG", "deep/c.webp", "good.png"]
    assert [caption for _, caption in everything(dataset)] == ["un château d'eau", "third", "a kite"]
    for image, _ in everything(dataset):
        assert image.shape == (3, 32, 32)
        assert image.dtype == torch.float32
        assert -1 <= image.min() < image.max() <= 1
    assert str(dataset.report) == "good: 3; left out: 0"


def test_captions_from_lists(folder):
    for name in ("a.png", "b.png", "c.png", "d.png"):
        add(folder, name, None)
    lines(folder, {"file_name": "a.png", "text": "from lines"}, "", {"file_name": "./b.png", "caption": "from lines too"})
    mapping(folder, {"c.png": "from a mapping", "d.png": ["one way", "another way"], "good.png": "listed before beside"})
    dataset = Folder(folder)
    captions = {pair.name: pair.captions for pair in dataset.pairs}
    assert captions == {
        "a.png": ("from lines",),
        "b.png": ("from lines too",),
        "c.png": ("from a mapping",),
        "d.png": ("one way", "another way"),
        "good.png": ("listed before beside",),
    }
    assert dataset.report.left_out == []
    assert len(dataset) == 5
    every = Folder(folder, every_caption=True)
    assert [caption for _, caption in everything(every)].count("another way") == 1
    assert len(every) == 6


def test_a_seed_chooses_among_captions(folder):
    for i in range(30):
        add(folder, f"{i}.png", None)
    mapping(folder, {f"{i}.png": ["one way", "another way"] for i in range(30)})
    chosen = [[caption for _, caption in everything(Folder(folder, seed=seed))] for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert 5 < chosen[0].count("one way") < 25


def test_a_composed_name_finds_a_decomposed_file(folder):
    add(folder, "e\u0301te\u0301.png", None)
    mapping(folder, {"été.png": "summer"})
    assert [pair.captions for pair in Folder(folder).pairs] == [("summer",), ("a kite",)]


def test_a_byte_order_mark_is_no_part_of_a_caption(folder):
    (folder / "good.txt").write_bytes("\ufeffa kite".encode())
    assert Folder(folder)[0][1] == "a kite"


def test_a_link_that_stays_inside_is_a_file_like_any_other(folder):
    (folder / "link.png").symlink_to(folder / "good.png")
    (folder / "link.txt").write_text("the same kite")
    assert [pair.name for pair in Folder(folder).pairs] == ["good.png", "link.png"]


def test_first_stops_after_so_many_good_pictures(folder):
    for i in range(5):
        add(folder, f"{i}.png", str(i))
    (folder / "1.png").write_bytes(b"")
    assert [pair.name for pair in Folder(folder, first=3).pairs] == ["0.png", "2.png", "3.png"]


def test_workers_give_each_item_once_and_pickling_changes_nothing(folder):
    for i in range(10):
        add(folder, f"{i}.png", str(i), seed=i)
    (folder / "3.png").write_bytes(b"")
    dataset = Folder(folder, resolution=16)
    alone = everything(dataset)
    assert [caption for _, caption in alone] == ["0", "1", "2", "4", "5", "6", "7", "8", "9", "a kite"]
    assert same(everything(dataset, workers=2), alone)
    assert same(everything(Folder(folder, resolution=16)), alone)
    assert same(everything(pickle.loads(pickle.dumps(dataset))), alone)


def test_it_ends(folder):
    dataset = Folder(folder)
    assert len(list(dataset)) == 1
    for index in (1, -1):
        with pytest.raises(IndexError, match=f"item {index} of a data set with 1 items"):
            dataset[index]


# ---------------------------------------------------------------- faults

CASES = {
    **{
        f"a picture that is {name}": (
            lambda f, data=data: ((f / "x.png").write_bytes(data), (f / "x.txt").write_text("x")),
            "x.png",
            why,
            told,
        )
        for name, (data, why, told) in BAD_PICTURES.items()
    },
    "no caption": (lambda f: add(f, "x.png", None), "x.png", Why.NO_CAPTION, "caption is missing or blank; write one"),
    "an empty caption": (lambda f: add(f, "x.png", ""), "x.png", Why.NO_CAPTION, "missing or blank (x.txt); write one"),
    "a caption of blanks": (lambda f: add(f, "x.png", " \n\t\0 "), "x.png", Why.NO_CAPTION, "caption is missing or blank (x.txt)"),
    "a caption in Latin-1": (
        lambda f: (add(f, "x.png", None), (f / "x.txt").write_bytes(NOT_UTF8)),
        "x.png",
        Why.NOT_UTF8,
        "text is not UTF-8 (x.txt); save the text as UTF-8",
    ),
    "an endless caption": (lambda f: add(f, "x.png", "x" * 1_000_001), "x.png", Why.TOO_LARGE, "absurdly large (x.txt)"),
    "a caption alone": (lambda f: (f / "x.txt").write_text("x"), "x.txt", Why.NO_PICTURE, "a caption and no picture; add the picture"),
    "another format": (lambda f: add(f, "x.heic", "x"), "x.heic", Why.FORMAT, "not a picture that can be read here; save it as PNG"),
    "a listed picture that is not there": (
        lambda f: lines(f, {"file_name": "x.png", "text": "x"}),
        "x.png",
        Why.NO_PICTURE,
        "a caption and no picture (metadata.jsonl:1)",
    ),
    "a line cut short": (lambda f: lines(f, '{"file_name": "go'), "metadata.jsonl:1", Why.JSON, "JSON is malformed"),
    "a line without a name": (lambda f: lines(f, {}, {"text": "x"}), "metadata.jsonl:1", Why.JSON, '("file_name"?); correct the JSON'),
    "a line that is a list": (lambda f: lines(f, "[1]"), "metadata.jsonl:1", Why.JSON, "not of the expected form"),
    "a line in Latin-1": (lambda f: (f / "metadata.jsonl").write_bytes(NOT_UTF8), "metadata.jsonl:1", Why.NOT_UTF8, "not UTF-8"),
    "brackets without end": (lambda f: mapping(f, "[" * 100_000), "captions.json", Why.JSON, "JSON is malformed"),
    "a number without end": (lambda f: mapping(f, '{"a": ' + "9" * 5000 + "}"), "captions.json", Why.JSON, "JSON is malformed"),
    "a mapping cut short": (lambda f: mapping(f, '{"x.png":\n "x'), "captions.json", Why.JSON, "(2:2); correct the JSON"),
    "a mapping that is a list": (lambda f: mapping(f, "[]"), "captions.json", Why.JSON, "not of the expected form"),
    "an empty mapping": (lambda f: mapping(f, ""), "captions.json", Why.EMPTY, "is empty"),
    "a caption that is a number": (lambda f: (add(f, "x.png"), mapping(f, {"x.png": 7})), "x.png", Why.NOT_TEXT, "caption is not a text"),
    "no captions in a list": (lambda f: (add(f, "x.png"), mapping(f, {"x.png": []})), "x.png", Why.NO_CAPTION, "missing or blank"),
    "a caption that is nothing": (lambda f: (add(f, "x.png"), mapping(f, {"x.png": None})), "x.png", Why.NO_CAPTION, "missing or blank"),
    "half a character": (lambda f: (add(f, "x.png"), mapping(f, '{"x.png": "\\ud800"}')), "x.png", Why.NOT_UTF8, "not UTF-8"),
    "a name twice": (lambda f: mapping(f, '{"good.png": "a", "good.png": "b"}'), "good.png", Why.DUPLICATE, "name was already taken"),
    "a path upwards": (
        lambda f: mapping(f, {"../secret.png": "x"}),
        "../secret.png",
        Why.OUTSIDE,
        "leaves the folder, and nothing outside is read (captions.json)",
    ),
    "a path from the root": (
        lambda f: lines(f, {"file_name": str(f.parent / "secret.png"), "text": "x"}),
        None,
        Why.OUTSIDE,
        "leaves the folder, and nothing outside is read (metadata.jsonl:1); copy the file",
    ),
    "a name with a null": (lambda f: mapping(f, {"a\0.png": "x"}), "a\0.png", Why.UNREADABLE, "a\\x00.png was left out: it cannot be read"),
    "a name that commands the terminal": (lambda f: mapping(f, {"\x1b[2J": "x"}), "\x1b[2J", Why.NO_PICTURE, "\\x1b[2J was left out"),
    "a link out": (
        lambda f: ((f / "x.png").symlink_to(f.parent / "secret.png"), (f / "x.txt").write_text("x")),
        "x.png",
        Why.OUTSIDE,
        "path leaves the folder",
    ),
    "a caption that is a link out": (
        lambda f: (add(f, "x.png", None), (f / "x.txt").symlink_to(f.parent / "secret.txt")),
        "x.png",
        Why.OUTSIDE,
        "path leaves the folder, and nothing outside is read (x.txt)",
    ),
    "a list that is a link out": (
        lambda f: (f / "captions.json").symlink_to(f.parent / "secret.txt"),
        "captions.json",
        Why.OUTSIDE,
        "path leaves the folder",
    ),
    "a linked folder": (
        lambda f: (f / "x").symlink_to(f.parent / "elsewhere"),
        "x",
        Why.LINK,
        "a link or a device, and neither is followed",
    ),
    "links in a circle": (
        lambda f: ((f / "x.png").symlink_to("x.png"), (f / "x.txt").write_text("x")),
        "x.png",
        Why.UNREADABLE,
        "cannot be read",
    ),
    "a pipe": (lambda f: (os.mkfifo(f / "x.png"), (f / "x.txt").write_text("x")), "x.png", Why.UNREADABLE, "check that it is a file"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_item_is_left_out_and_told_of(folder, case, monkeypatch):
    spoil, name, why, told = CASES[case]
    spoil(folder)
    name = name or str(folder.parent / "secret.png")
    before = contents(folder.parent)
    with nothing_touched_but(folder):
        dataset = Folder(folder)
        items = everything(dataset)
    assert left_out(dataset)[0] == (name, why)
    assert set(left_out(dataset)) <= {(name, why), ("metadata.jsonl:2", why)}
    assert "good.png" in [pair.name for pair in dataset.pairs]
    assert all(caption == "a kite" or caption in "ax" for _, caption in items)
    assert told in str(dataset.report)
    assert told in str(dataset.report.left_out[0])
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert f"a été laissé de côté\u00a0: {why.value[2]}" in str(dataset.report)
    assert why.value[3] in str(dataset.report.left_out[0])
    assert contents(folder.parent) == before


def test_a_folder_that_cannot_be_entered(folder, monkeypatch):
    def walk(top, onerror):
        onerror(PermissionError(13, "Permission denied", str(folder / "locked")))
        return iter([(str(folder), [], ["good.png", "good.txt"])])

    monkeypatch.setattr(os, "walk", walk)
    assert left_out(Folder(folder)) == [("locked", Why.UNREADABLE)]


def test_a_file_that_may_not_be_read(folder, monkeypatch):
    add(folder, "x.png")
    plain = type(folder).open

    def refuse(path, *arguments, **options):
        if path.name == "x.png":
            raise PermissionError(13, "Permission denied")
        return plain(path, *arguments, **options)

    monkeypatch.setattr(type(folder), "open", refuse)
    assert left_out(Folder(folder)) == [("x.png", Why.UNREADABLE)]


def test_many_faults_make_few_sentences(folder):
    for i in range(6):
        (folder / f"{i}.png").write_bytes(b"")
        (folder / f"{i}.txt").write_text("x")
    (folder / "alone.txt").write_text("x")
    report = Folder(folder).report
    assert str(report).splitlines() == [
        "good: 1; left out: 7",
        "0.png was left out: it is empty; fetch or save it again (likewise: 1.png, 2.png, 3.png and 2 more)",
        "alone.txt was left out: it has a caption and no picture; add the picture or take the caption away",
    ]
    assert report.counts() == {Why.EMPTY: 6, Why.NO_PICTURE: 1}
    assert report.sentences("fr")[0] == (
        "0.png a été laissé de côté\u00a0: il est vide\u00a0; téléchargez-le ou enregistrez-le de nouveau"
        " (de même\u00a0: 1.png, 2.png, 3.png et 2 autres)"
    )


# ---------------------------------------------------------------- when the data set cannot open


def test_nothing_good_is_an_error_that_says_why(folder, monkeypatch):
    (folder / "good.png").write_bytes(b"")
    with pytest.raises(
        DalleEduError,
        match=r"holds no picture with a caption that can be used; expected pictures (?s:.*)\n- good.png was left out: it is empty",
    ):
        Folder(folder)
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(
        DalleEduError, match="ne contient aucune image (?s:.*)\n- good.png a été laissé de côté\u00a0: il est vide\u00a0; téléchargez-le"
    ):
        Folder(folder)


def test_an_empty_folder_says_what_was_expected(tmp_path):
    with pytest.raises(DalleEduError, match="expected pictures .* with its caption in a .txt of the same name"):
        Folder(tmp_path)


@pytest.mark.parametrize("name", ["nowhere", "good.png", "x" * 300, "a\0b"])
def test_no_folder(folder, name):
    with pytest.raises(DalleEduError, match="there is no folder at .*; give the path of the folder that holds the data"):
        Folder(folder / name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 7}, "the resolution is 7; a data set gives pictures of 8 to 1024 pixels"),
        ({"resolution": 1025}, "the resolution is 1025; a data set"),
        ({"first": 0}, "first is 0; ask for at least one picture"),
    ],
)
def test_numbers_out_of_range(folder, options, message):
    with pytest.raises(DalleEduError, match=message):
        Folder(folder, **options)


def test_a_file_that_goes_bad_later_is_named(folder):
    dataset = Folder(folder)
    (folder / "good.png").write_bytes(picture()[:-400])
    with pytest.raises(
        DalleEduError, match="good.png was good when the data set opened, and now it is truncated or damaged; open the data set again"
    ):
        dataset[0]
    (folder / "good.png").unlink()
    with pytest.raises(DalleEduError, match="good.png was good when the data set opened, and now there is no such file"):
        dataset[0]
