import io
import tarfile

import pytest
from faulty import nothing_touched_but, picture

from dalle_edu.datasets import MNIST, Coco, Digits, Folder, Shards, open_source, write_coco_sample, write_shards
from dalle_edu.datasets.opening import expanded
from dalle_edu.errors import DalleEduError


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "holidays"
    folder.mkdir()
    for i in range(3):
        (folder / f"{i}.png").write_bytes(picture(seed=i))
        (folder / f"{i}.txt").write_text(f"kite {i}")
    return folder


@pytest.fixture
def shards(tmp_path):
    return write_shards(tmp_path / "shards", 12, per_shard=4)


def opened(place, resolution=16, **settings):
    source = open_source(str(place), resolution, **settings)
    assert source.dataset.resolution == resolution
    return source


def pictures(source):
    return len(source.dataset.pairs)


# ---------------------------------------------------------------- places


def test_a_folder_of_pictures(folder):
    source = opened(folder)
    assert type(source.dataset) is Folder
    assert source.name == "folder holidays"
    assert pictures(source) == 3
    assert source.dataset.kept is not None
    assert opened(folder, keep=0).dataset.kept is None
    assert opened(f"{folder}/", seed=5).dataset.seed == 5


def test_a_folder_with_a_colon_or_braces_in_its_name(folder):
    for name in ("a:b", "{1..3}", "coco"):
        assert pictures(opened(folder.rename(folder.parent / name))) == 3
        folder = folder.parent / name


def test_a_folder_of_the_home(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    assert pictures(opened("~/holidays")) == 3


def test_a_folder_of_shards(shards):
    source = opened(shards)
    assert type(source.dataset) is Shards
    assert pictures(source) == 12


def test_one_shard_and_a_list_of_them(shards):
    assert pictures(opened(shards / "00001.tar")) == 4
    assert pictures(opened(f"{shards}/{{00000..00001}}.tar")) == 8
    assert [pair.name[:9] for pair in opened(f"{shards}/{{00002,00000}}.tar").dataset.pairs] == ["00002.tar"] * 4 + ["00000.tar"] * 4
    assert pictures(opened(f"{shards}/0000{{0..2}}.tar")) == 12


def test_a_shard_with_braces_in_its_name(shards):
    (shards / "00001.tar").rename(shards / "{1..2}.tar")
    assert pictures(opened(shards / "{1..2}.tar")) == 4


def test_pictures_beside_a_shard_are_a_folder(folder, shards):
    (shards / "00000.tar").rename(folder / "00000.tar")
    assert type(opened(folder).dataset) is Folder


def test_coco(tmp_path):
    write_coco_sample(tmp_path / "c", 3)
    for place in (f"coco:{tmp_path}/c", f"coco:{tmp_path}/c:sample"):
        source = opened(place)
        assert type(source.dataset) is Coco
        assert source.name == "coco sample"
        assert len(source.captions[0]) == 5
    (tmp_path / "c" / "annotations" / "captions_other.json").write_text("{}")
    with pytest.raises(DalleEduError, match=r"holds several splits \(other, sample\); give one, as in coco:.*/c:other"):
        opened(f"coco:{tmp_path}/c")
    (tmp_path / "c" / "annotations" / "captions_sample.json").rename(tmp_path / "c" / "annotations" / "captions_train2017.json")
    (tmp_path / "c" / "sample").rename(tmp_path / "c" / "train2017")
    assert opened(f"coco:{tmp_path}/c").name == "coco train2017"


def test_the_digits():
    source = opened("digits", 8)
    assert type(source.dataset) is Digits
    assert pictures(source) == 1797


def test_mnist_says_how_to_have_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for place in ("mnist", f"mnist:{tmp_path}"):
        with pytest.raises(DalleEduError, match=r"MNIST is not in .*; add download=True"):
            opened(place)
    assert MNIST.EXPECTED


# ---------------------------------------------------------------- no places


BAD = {
    "": "there is no such folder",
    "nowhere": "there is no such folder",
    "coco": "it lacks its folder",
    "coco:": "it lacks its folder",
    "coco:nowhere": "there is no such folder",
    "coco:nowhere:val2017": "there is no such folder",
    "mnist:nowhere": "there is no such folder",
    "digits:8": "there is no such folder",
    "cocoa:x": "there is no such folder",
    "nowhere/{0..3}.tar": "there is no such folder",
    "{a,b}/0.tar": "the braces stand in the name of a folder",
    "file.txt": "it is a file",
    "a\0b": "there is no such folder",
    "x" * 5000: "there is no such folder",
    "\udcff": "there is no such folder",
}


@pytest.mark.parametrize("place", BAD)
def test_a_bad_place_is_told_of_with_the_choices(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(DalleEduError) as told:
        opened(place)
    sentence = str(told.value)
    assert sentence.startswith('nothing to train on at "')
    assert f'": {BAD[place]}; give a folder of pictures' in sentence
    assert "coco:FOLDER:SPLIT" in sentence
    assert "{00000..00012}.tar" in sentence
    assert sentence.endswith("mnist, mnist:FOLDER, or digits")
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(DalleEduError, match=r"rien pour l'entraînement à «.*\s; donnez un dossier d'images avec légendes"):
        opened(place)


def test_an_empty_folder_names_what_it_should_hold(tmp_path):
    with pytest.raises(DalleEduError, match="holds no picture with a caption that can be used; expected pictures"):
        opened(tmp_path)


def test_a_coco_folder_without_annotations(tmp_path):
    with pytest.raises(DalleEduError, match=r"holds no annotations/captions_SPLIT.json; give one, as in coco:.*:val2017"):
        opened(f"coco:{tmp_path}")


def test_a_bad_resolution_comes_first():
    with pytest.raises(DalleEduError, match="the resolution is 4"):
        opened("digits", 4)


# ---------------------------------------------------------------- lists of shards


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.tar", ["a.tar"]),
        ("{08..10}.tar", ["08.tar", "09.tar", "10.tar"]),
        ("{8..10}", ["8", "9", "10"]),
        ("{2..0}", ["2", "1", "0"]),
        ("{a,b}{0..1}", ["a0", "a1", "b0", "b1"]),
        ("{a}", ["{a}"]),
        ("{}", ["{}"]),
        ("{1..a}", ["{1..a}"]),
        ("{,x}", ["", "x"]),
        ("a}{b", ["a}{b"]),
    ],
)
def test_braces_stand_for_names_as_in_a_shell(pattern, names):
    assert list(expanded(pattern)) == names


@pytest.mark.parametrize("pattern", ["{0..100000}", "{0..999999999999}", "{0..999}{0..999}"])
def test_too_many_shards_are_refused_at_once(pattern):
    with pytest.raises(DalleEduError, match="stands for more than 100000 shards"):
        list(expanded(pattern))


def test_a_missing_shard_of_a_list_is_told_of(shards):
    source = opened(f"{shards}/{{00001..00004}}.tar")
    assert pictures(source) == 8
    assert "00003.tar was left out: there is no such file; check its name and place (likewise: 00004.tar)" in source.remarks()


def test_named_shards_alone_are_read_and_none_outside(tmp_path, shards):
    secret = io.BytesIO()
    with tarfile.open(fileobj=secret, mode="w"):
        pass
    (tmp_path / "secret.tar").write_bytes(secret.getvalue())
    (shards / "link.tar").symlink_to(tmp_path / "secret.tar")
    with nothing_touched_but(shards):
        names = ["00001.tar", "../secret.tar", "link.tar", str(tmp_path / "secret.tar"), "00001.tar", "a.tar.gz", ""]
        dataset = Shards(shards, 8, shards=names)
    assert [pair.name[:9] for pair in dataset.pairs] == ["00001.tar"] * 4
    assert [item.why.name for item in dataset.report.left_out] == ["COMPRESSED", "OUTSIDE", "OUTSIDE", "OUTSIDE", "UNREADABLE"]
