import contextlib
import io
import json
import pickle
import sys
import unicodedata

import pytest
import torch
from faulty import BAD_PICTURES, contents, everything, left_out, nothing_touched_but, picture, same
from small_coco import document, write

from dalle_edu.datasets import Coco, Why, write_coco_sample
from dalle_edu.errors import DalleEduError
from dalle_edu.world import read_caption


@pytest.fixture
def folder(coco_folder):
    return coco_folder


# ---------------------------------------------------------------- the good path


def test_pictures_come_by_their_id_with_one_of_their_captions(folder, no_network):
    dataset = Coco(folder, "mine", resolution=24)
    assert [(pair.name, pair.captions) for pair in dataset.pairs] == [
        ("1.png", ("one way of 1", "another way of 1")),
        ("2.png", ("one way of 2", "another way of 2")),
    ]
    for i, (image, caption) in enumerate(dataset):
        assert image.shape == (3, 24, 24)
        assert image.dtype == torch.float32
        assert -1 <= image.min() < image.max() <= 1
        assert caption in dataset.pairs[i].captions
    assert str(dataset.report) == "good: 2; left out: 0"
    chosen = {caption for seed in range(10) for _, caption in Coco(folder, "mine", seed=seed)}
    assert len(chosen) == 4
    every = Coco(folder, "mine", every_caption=True)
    assert [caption for _, caption in every] == ["one way of 1", "another way of 1", "one way of 2", "another way of 2"]
    assert len(Coco(folder, "mine", first=1)) == 1


def test_the_sample_is_the_same_protocol(tmp_path, no_network):
    dataset = Coco(write_coco_sample(tmp_path / "a", 12, seed=5), "sample", resolution=32)
    assert len(dataset) == 12
    assert dataset.report.left_out == []
    for pair in dataset.pairs:
        assert len(set(pair.captions)) == 5
        assert len({read_caption(caption) for caption in pair.captions}) == 1
        assert read_caption(pair.captions[0]) is not None
    assert contents(write_coco_sample(tmp_path / "a", 12, seed=5)) == contents(write_coco_sample(tmp_path / "b", 12, seed=5))
    assert contents(tmp_path / "a") != contents(write_coco_sample(tmp_path / "c", 12, seed=6))
    with pytest.raises(DalleEduError, match="000000000001.png is there already and holds something else; give another folder"):
        write_coco_sample(tmp_path / "a", 12, seed=6)
    with pytest.raises(DalleEduError, match="a sample of 0 pictures was asked for; ask for at least one"):
        write_coco_sample(tmp_path / "d", 0)


def test_torchvision_reads_the_same(tmp_path):
    pytest.importorskip("pycocotools")
    dataset = Coco(write_coco_sample(tmp_path, 5), "sample", resolution=128)
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = dataset.torchvision()
    assert len(theirs) == len(dataset)
    for (image, captions), (ours, _), pair in zip(theirs, dataset, dataset.pairs, strict=True):
        assert tuple(captions) == pair.captions
        pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(128, 128, 3).permute(2, 0, 1)
        torch.testing.assert_close(ours, pixels / 127.5 - 1)


def test_without_pycocotools_the_door_works_and_torchvision_says_what_is_missing(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    dataset = Coco(folder, "mine")
    assert len(everything(dataset)) == 2
    with pytest.raises(DalleEduError, match="pycocotools is missing, .*; install it .pip install pycocotools. or use the data set itself"):
        dataset.torchvision()


def test_workers_give_each_item_once_and_pickling_changes_nothing(tmp_path):
    dataset = Coco(write_coco_sample(tmp_path, 13), "sample", resolution=16)
    alone = everything(dataset)
    assert len(alone) == 13
    assert same(everything(dataset, workers=2), alone)
    assert same(everything(Coco(tmp_path, "sample", resolution=16)), alone)
    assert same(everything(pickle.loads(pickle.dumps(dataset))), alone)


# ---------------------------------------------------------------- faults of an item: the rest goes on


def with_image(**image):
    """The document, and an image more; with a caption where it has an id."""
    more = document()
    more["images"].append(image)
    more["annotations"] += [{"image_id": image["id"], "caption": "x"}] if type(image.get("id")) is int else []
    return more


def with_annotation(annotation):
    more = document()
    more["annotations"].append(annotation)
    return more


X = with_image(id=3, file_name="x.png")
CASES = {  # the document, the bytes of x.png; which item is left out and why; what the reader is told
    **{f"a picture that is {name}": (X, data, "x.png", why, told) for name, (data, why, told) in BAD_PICTURES.items()},
    "a picture that is not there": (X, None, "x.png", Why.MISSING, "there is no such file; check its name and place"),
    "no caption": (
        {**document(), "images": [*document()["images"], {"id": 3, "file_name": "x.png"}]},
        picture(),
        "x.png",
        Why.NO_CAPTION,
        "its caption is missing or blank; write one",
    ),
    "a caption of blanks": (with_annotation({"image_id": 1, "caption": "\n"}), None, "annotations[4]", Why.NO_CAPTION, "missing or blank"),
    "a caption that is a number": (with_annotation({"image_id": 1, "caption": 7}), None, "annotations[4]", Why.NOT_TEXT, "is not a text"),
    "no caption in a record": (with_annotation({"image_id": 1}), None, "annotations[4]", Why.NO_CAPTION, "missing or blank"),
    "half a character": (with_annotation({"image_id": 1, "caption": "\ud800"}), None, "annotations[4]", Why.NOT_UTF8, "is not UTF-8"),
    "a caption alone": (
        with_annotation({"image_id": 77, "caption": "x"}),
        None,
        "annotations[4]",
        Why.NO_PICTURE,
        "a caption and no picture (image_id 77)",
    ),
    "a caption of a list": (with_annotation({"image_id": [1], "caption": "x"}), None, "annotations[4]", Why.NO_PICTURE, "(image_id [1])"),
    "a record that is text": (with_annotation("x"), None, "annotations[4]", Why.JSON, "malformed or not of the expected form"),
    "an image that is a list": (
        {**document(), "images": [*document()["images"], []]},
        None,
        "images[2]",
        Why.JSON,
        "malformed or not of the expected form",
    ),
    "an image without id": (with_image(file_name="x.png"), picture(), "images[2]", Why.JSON, '("id", "file_name"?); correct the JSON'),
    "an id that is true": (with_image(id=True, file_name="x.png"), picture(), "images[2]", Why.JSON, '("id", "file_name"?)'),
    "an id twice": (with_image(id=1, file_name="x.png"), picture(), "images[2]", Why.DUPLICATE, "name was already taken (x.png)"),
    "a file twice": (
        {**document(), "images": [*document()["images"], {"id": 3, "file_name": "1.png"}]},
        None,
        "images[2]",
        Why.DUPLICATE,
        "name was already taken (1.png)",
    ),
    "a path upwards": (with_image(id=3, file_name="../../secret.png"), None, "../../secret.png", Why.OUTSIDE, "path leaves the folder"),
    "a path to the captions": (
        with_image(id=3, file_name="../annotations/captions_mine.json"),
        None,
        "../annotations/captions_mine.json",
        Why.OUTSIDE,
        "path leaves the folder, and nothing outside is read; copy the file into the folder",
    ),
    "a name that is a folder": (with_image(id=3, file_name="."), None, ".", Why.UNREADABLE, "check that it is a file"),
    "a name with a null": (with_image(id=3, file_name="\0"), None, "\0", Why.UNREADABLE, "\\x00 was left out: it cannot be read"),
    "a name without end": (with_image(id=3, file_name="x" * 999), None, "x" * 999, Why.UNREADABLE, "xxx…xxx"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_item_is_left_out_and_told_of(folder, case, monkeypatch):
    what, data, name, why, told = CASES[case]
    write(folder, what)
    if data is not None:
        (folder / "mine" / "x.png").write_bytes(data)
    before = contents(folder.parent)
    with nothing_touched_but(folder):
        dataset = Coco(folder, "mine")
        items = everything(dataset)
    assert left_out(dataset)[0] == (name, why)
    assert [pair.name for pair in dataset.pairs] == ["1.png", "2.png"]
    assert len(items) == 2
    assert told in str(dataset.report)
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert f"a été laissé de côté\u00a0: {why.value[2]}" in str(dataset.report)
    assert contents(folder.parent) == before


def test_a_link_out_is_not_followed(folder):
    write(folder, X)
    (folder / "mine" / "x.png").symlink_to(folder.parent / "secret.png")
    with nothing_touched_but(folder):
        dataset = Coco(folder, "mine")
    assert left_out(dataset) == [("x.png", Why.OUTSIDE)]


# ---------------------------------------------------------------- faults of the whole

FILE_FAULTS = {
    "cut short": (json.dumps(document()).encode()[:-2], r"JSON is malformed or not of the expected form \(1:\d+\); correct the JSON"),
    "empty": (b"", "it is empty; fetch or save it again"),
    "a list": (b"[]", "JSON is malformed or not of the expected form; correct the JSON"),
    "a list of nothing known": (b"{}", r'not of the expected form \("images", "annotations"\?\); correct the JSON'),
    "without images": (b'{"annotations": []}', r'not of the expected form \("images", "annotations"\?\); correct the JSON'),
    "with images that are none": (b'{"annotations": [], "images": {}}', r'not of the expected form \("images", "annotations"\?\)'),
    "in Latin-1": (b'{"images": [], "annotations": ["\xe9"]}', "text is not UTF-8; save the text as UTF-8"),
    "brackets without end": (b"[" * 100_000, "JSON is malformed or not of the expected form; correct"),
    "compressed": (b"\x1f\x8b\x08", "text is not UTF-8"),
    "a web page": (b"<html>404", r"JSON is malformed or not of the expected form \(1:1\)"),
}


@pytest.mark.parametrize("case", FILE_FAULTS)
def test_bad_annotations_are_told_of(folder, case, monkeypatch):
    data, told = FILE_FAULTS[case]
    write(folder, data)
    with pytest.raises(DalleEduError, match=rf"expected pictures in a folder .*\n- annotations/captions_mine.json was left out: .*{told}"):
        Coco(folder, "mine")
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(DalleEduError, match="attendu\u00a0: des images .*\n- annotations/captions_mine.json a été laissé de côté\u00a0: "):
        Coco(folder, "mine")


def test_boxes_are_no_captions(folder):
    boxes = document()
    boxes["annotations"] = [{"image_id": i, "bbox": [1, 2, 3, 4], "category_id": 7} for i in (1, 2)]
    write(folder, boxes)
    with pytest.raises(DalleEduError, match=r"annotations\[0\] was left out: its caption is missing or blank; write one .likewise: ann"):
        Coco(folder, "mine")


def test_linked_folders_are_entered_and_not_left(folder, tmp_path):
    """People keep pictures on another disk, and link the split or the annotations to it."""
    (tmp_path / "disk").mkdir()
    for name in ("mine", "annotations"):
        (folder / name).rename(tmp_path / "disk" / name)
        (folder / name).symlink_to(tmp_path / "disk" / name)
    (tmp_path / "disk/mine/2.png").unlink()
    (tmp_path / "disk/mine/2.png").symlink_to(tmp_path / "secret.png")
    dataset = Coco(folder, "mine")
    assert [pair.name for pair in dataset.pairs] == ["1.png"]
    assert left_out(dataset) == [("2.png", Why.OUTSIDE)]
    assert same(everything(dataset), everything(dataset))


def test_nothing_is_fetched_into_a_linked_folder(folder, tmp_path, no_network):
    (folder / "annotations").rename(tmp_path / "elsewhere")
    (folder / "annotations").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DalleEduError, match=r"annotations/captions_val2017.json cannot be used: its path leaves the folder"):
        Coco(folder, "val2017", download=True)


def test_links_in_a_circle_are_no_split(folder):
    (folder / "loop").symlink_to("loop")
    with pytest.raises(DalleEduError, match="lacks loop/ or annotations/captions_loop.json"):
        Coco(folder, "loop")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_is_found_in_either_form_of_unicode(folder, form):
    described = document()
    described["images"][1]["file_name"] = unicodedata.normalize(form, "carré.png")
    write(folder, described)
    (folder / "mine/1.png").rename(folder / "mine" / unicodedata.normalize({"NFC": "NFD", "NFD": "NFC"}[form], "carré.png"))
    dataset = Coco(folder, "mine")
    assert len(dataset) == 2
    assert dataset.report.left_out == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "../mine"}, 'the split is "../mine"; give a name of letters and digits, such as "val2017" or "sample"'),
        ({"split": ""}, 'the split is ""; give a name'),
        ({"split": "yours"}, "lacks yours/ or annotations/captions_yours.json; give the folder that holds both, or write a sample"),
        ({"split": "yours", "download": True}, "lacks yours/ or annotations/captions_yours.json"),
        ({"resolution": 2}, "the resolution is 2; a data set"),
        ({"first": 0}, "first is 0; ask for at least one"),
        ({"folder": "nowhere"}, "there is no folder at nowhere"),
    ],
)
def test_arguments_that_make_no_sense(folder, options, message, monkeypatch, no_network):
    monkeypatch.chdir(folder)
    with pytest.raises(DalleEduError, match=message):
        Coco(**({"folder": folder, "split": "mine"} | options))
