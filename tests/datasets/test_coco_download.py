import hashlib
import io
import zipfile

import pytest
from faulty import contents, everything, nothing_touched_but, picture, same

from dalle_edu import download
from dalle_edu.datasets import Coco, coco
from dalle_edu.errors import DalleEduError


@pytest.fixture
def folder(coco_folder):
    return coco_folder


@pytest.fixture
def published(folder, monkeypatch):
    """Let our two pictures be what is published as val2017; gives the archives."""

    def packed(*files):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zipped:
            for name, data in files:
                zipped.writestr(name, data)
        return archive.getvalue()

    captions = (folder / "annotations" / "captions_mine.json").read_bytes()
    pictures = [(f"val2017/{i}.png", picture(seed=i)) for i in (1, 2)]
    archives = {
        "annotations_trainval2017.zip": packed(
            ("annotations/captions_val2017.json", captions), ("annotations/instances_val2017.json", "{}")
        ),
        "val2017.zip": packed(("val2017/", b""), *pictures, ("../../secret.png", b"evil"), ("README", b"")),
    }
    monkeypatch.setattr(coco, "ARCHIVES", {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in archives.items()})
    return archives


def test_downloading_through_a_server(folder, tmp_path, monkeypatch, published, server):
    server.files = {
        "/annotations/annotations_trainval2017.zip": published["annotations_trainval2017.zip"],
        "/zips/val2017.zip": published["val2017.zip"],
    }
    monkeypatch.setattr(coco, "SITE", server.url)
    said = []
    with nothing_touched_but(tmp_path / "new"):
        dataset = Coco(tmp_path / "new", download=True, say=said.append)
    assert same(everything(dataset), everything(Coco(folder, "mine")))
    assert said[0].startswith(f"downloading {download.size_in_words(sum(map(len, published.values())), 'en')} from 127.0.0.1 to")
    assert said[1:] == ["unpacking annotations_trainval2017.zip", "unpacking val2017.zip"]
    assert [name for name, data in contents(tmp_path / "new").items() if data is not None] == [
        "annotations/captions_val2017.json",
        "annotations/instances_val2017.json",
        "val2017/1.png",
        "val2017/2.png",
    ]
    assert len(Coco(tmp_path / "new", download=True)) == 2
    assert len(server.asked) == 2
    assert (tmp_path / "secret.png").read_bytes() == picture(seed=9)


def test_archives_put_there_by_hand_are_verified_unpacked_and_kept(tmp_path, published, no_network):
    for name, data in published.items():
        (tmp_path / "data" / name).write_bytes(data)
    assert len(Coco(tmp_path / "data", say=lambda _: None)) == 2
    assert (tmp_path / "data" / "val2017.zip").read_bytes() == published["val2017.zip"]


def test_an_archive_that_is_not_the_published_one(folder, published, no_network):
    for name, data in published.items():
        (folder / name).write_bytes(data[:-1])
    with pytest.raises(
        DalleEduError, match="annotations_trainval2017.zip cannot be used: it is not the file that was published: its checksum"
    ):
        Coco(folder, say=lambda _: None)
    assert not (folder / "val2017").exists()


def test_an_archive_that_leads_outside(folder, monkeypatch, no_network):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("val2017/../../../secret.png", b"evil")
    data = archive.getvalue()
    monkeypatch.setitem(coco.ARCHIVES, "val2017.zip", (len(data), hashlib.sha256(data).hexdigest()))
    (folder / "val2017.zip").write_bytes(data)
    (folder / "annotations" / "captions_val2017.json").write_text("{}")
    before = contents(folder.parent)
    with nothing_touched_but(folder), pytest.raises(DalleEduError, match="val2017.zip cannot be used: its path leaves the folder"):
        Coco(folder, say=lambda _: None)
    assert contents(folder.parent) == before


def test_an_archive_that_cannot_be_unpacked(folder, monkeypatch, no_network):
    data = b"published, but no archive"
    monkeypatch.setitem(coco.ARCHIVES, "val2017.zip", (len(data), hashlib.sha256(data).hexdigest()))
    (folder / "val2017.zip").write_bytes(data)
    (folder / "annotations" / "captions_val2017.json").write_text("{}")
    with pytest.raises(DalleEduError, match=r"val2017.zip could not be unpacked \(File is not a zip file\); make room in"):
        Coco(folder, say=lambda _: None)


def test_without_files_it_says_what_to_fetch_and_where_to_put_it(tmp_path, monkeypatch, no_network):
    with pytest.raises(DalleEduError) as caught:
        Coco(tmp_path)
    assert str(caught.value) == (
        f"COCO's val2017 is not in {tmp_path}; add download=True (--download for a command), or fetch "
        "http://images.cocodataset.org/annotations/annotations_trainval2017.zip (253 MB), "
        f"http://images.cocodataset.org/zips/val2017.zip (816 MB) by hand into {tmp_path} and try again"
    )
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(DalleEduError, match=r"train2017.zip \(19,3 Go\) à la main dans .* et recommencez"):
        Coco(tmp_path, "train2017")


def test_without_a_network_it_says_so_within_two_seconds(tmp_path, monkeypatch, silence):
    monkeypatch.setattr(download, "PATIENCE", 0.05)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 10**11}))
    said = []
    with pytest.raises(
        DalleEduError, match=r"images.cocodataset.org did not answer in 0.05 seconds; fetch http://.*val2017.zip \(816 MB\) by hand"
    ):
        Coco(tmp_path, download=True, say=said.append)
    assert said[0].startswith("downloading 1.07 GB from images.cocodataset.org to ")
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 10**9}))
    with pytest.raises(DalleEduError, match=r"train2017.zip and their contents need about 39.2 GB and .* has 1 GB free; make room"):
        Coco(tmp_path, "train2017", download=True, say=said.append)
    assert len(said) == 1
