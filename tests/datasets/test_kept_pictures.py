import json
import pickle
import shutil

import pytest
import torch
from faulty import picture
from small_source import PLENTY, language, source, taken, write

from dalle_edu.datasets import Digits, Folder, Shards, write_shards
from dalle_edu.datasets.captioned_source import CaptionedSource
from dalle_edu.errors import DalleEduError

# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("kind", ["folder", "shards", "digits"])
def test_kept_pictures_are_those_decoded_on_demand(tmp_path, kind):
    def opened(keep):
        if kind == "folder":
            return Folder(write(tmp_path / "data", [str(i) for i in range(12)], (30, 20)), 16, keep=keep)
        return Digits(16, first=12, keep=keep) if kind == "digits" else Shards(write_shards(tmp_path, 12), 16, keep=keep)

    kept, read = opened(12 * 3 * 16**2), opened(12 * 3 * 16**2 - 1)
    assert kept.kept is not None
    assert read.kept is None
    assert [pair.captions for pair in kept.pairs] == [pair.captions for pair in read.pairs]
    for i in range(12):
        assert torch.equal(kept.pixels(i), read.pixels(i))
        assert kept[i][1] == read[i][1]
        torch.testing.assert_close(kept[i][0], read[i][0], rtol=0, atol=0 if kind != "digits" else 1.01 / 255)
    series = CaptionedSource(kept).series(0)
    images = series.collate([series[i] for i in range(4)]).images(16)
    item = int(series.items[series.epochs[2]])
    assert torch.equal(images[2], kept[item][0])
    assert images.dtype == torch.float32


def test_pictures_are_decoded_once(tmp_path, monkeypatch):
    write(tmp_path / "data", [str(i) for i in range(5)])
    asked = []
    decode = Folder.picture
    monkeypatch.setattr(Folder, "picture", lambda self, pair: asked.append(pair.name) or decode(self, pair))
    made = source(tmp_path / "data", keep=PLENTY)
    next(taken(made, 0, 5, 3))
    assert sorted(asked) == [f"{i:03d}.png" for i in range(5)]


def test_bad_pictures_leave_no_gap_among_those_kept(tmp_path):
    folder = write(tmp_path / "data", [str(i) for i in range(6)])
    (folder / "002.png").write_bytes(b"")
    kept, read = Folder(folder, 8, keep=PLENTY), Folder(folder, 8)
    assert [pair.name for pair in kept.pairs] == [pair.name for pair in read.pairs]
    assert len(kept.kept) == 5
    assert all(torch.equal(kept.pixels(i), read.pixels(i)) for i in range(5))
    first = Folder(folder, 8, keep=PLENTY, first=3)
    assert [pair.name for pair in first.pairs] == ["000.png", "001.png", "003.png"]
    assert torch.equal(first.kept, kept.kept[:3])


def test_kept_pictures_serve_every_caption(tmp_path):
    folder = write(tmp_path / "data", ["", ""])
    (folder / "captions.json").write_text(json.dumps({"000.png": ["one", "two"], "001.png": "alone"}))
    kept, read = (Folder(folder, 8, every_caption=True, keep=keep) for keep in (PLENTY, 0))
    assert [kept[i][1] for i in range(3)] == ["one", "two", "alone"]
    assert all(torch.equal(kept[i][0], read[i][0]) for i in range(3))
    assert CaptionedSource(kept).fingerprint == CaptionedSource(read).fingerprint


def test_memory_that_is_not_shared_stays_behind(tmp_path):
    dataset = Folder(write(tmp_path / "data", ["a", "b"]), 8, keep=PLENTY)
    assert dataset.kept.is_shared()
    dataset.kept = dataset.kept.clone()
    again = pickle.loads(pickle.dumps(dataset))
    assert again.kept is None
    assert torch.equal(again[1][0], dataset[1][0])


def test_another_resolution_is_an_error(tmp_path):
    made = source(write(tmp_path / "data", ["a"]))
    series = made.series(0)
    with pytest.raises(DalleEduError, match="pictures of 16 pixels were asked for, and the data set was opened with 8; open it with 16"):
        series.collate([series[0]]).images(16)


# ---------------------------------------------------------------- what becomes bad while training


@pytest.mark.parametrize("workers", [0, 2])
def test_a_picture_that_goes_bad_is_told_of_in_a_sentence(tmp_path, workers):
    made = source(write(tmp_path / "data", [f"caption {i}" for i in range(4)]))
    (tmp_path / "data" / "001.png").write_bytes(picture()[:50])
    with pytest.raises(DalleEduError) as told:
        next(taken(made, 0, 4, 1, workers=workers))
    assert str(told.value) == "001.png was good when the data set opened, and now it is truncated or damaged; open the data set again"


@pytest.mark.parametrize("workers", [0, 1])
def test_a_disk_that_disappears_is_told_of_in_a_sentence(tmp_path, workers):
    made = source(write(tmp_path / "data", [f"caption {i}" for i in range(20)]))
    shutil.rmtree(tmp_path / "data")
    with pytest.raises(DalleEduError, match=r"^\d+\.png was good when the data set opened, and now there is no such file; open"):
        next(taken(made, 0, 4, 1, workers=workers))
    with pytest.raises(DalleEduError, match="there is no such file"):
        made.held_out(2)
    with language("fr"), pytest.raises(DalleEduError, match=r"était bon à l'ouverture du jeu de données, et maintenant ce fichier"):
        next(taken(made, 0, 4, 1, workers=workers))


def test_pictures_in_memory_outlive_their_disk(tmp_path):
    made = source(write(tmp_path / "data", [f"caption {i}" for i in range(20)]), keep=PLENTY)
    shutil.rmtree(tmp_path / "data")
    assert len(next(taken(made, 0, 4, 10, workers=2))) == 40
    assert len(made.held_out(2).captions) == 2


def test_shards_that_disappear_are_told_of(tmp_path):
    made = CaptionedSource(Shards(write_shards(tmp_path, 6), 8))
    (tmp_path / "00000.tar").unlink()
    with pytest.raises(DalleEduError, match="now there is no such file"):
        next(taken(made, 0, 4, 1, workers=1))
