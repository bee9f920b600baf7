import gzip
import hashlib
import pickle
import struct

import pytest
import torch
from faulty import contents, everything, left_out, nothing_touched_but, same
from torchvision.datasets import MNIST as Torchvision

from dalle_edu import download
from dalle_edu.datasets import MNIST, Why, digits, mnist
from dalle_edu.errors import DalleEduError

LABELS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 0]
IMAGES = torch.randint(0, 256, (10, 28, 28), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
IMAGES_FILE = struct.pack(">HBB3I", 0, 8, 3, *IMAGES.shape) + IMAGES.numpy().tobytes()
LABELS_FILE = struct.pack(">HBBI", 0, 8, 1, 10) + bytes(LABELS)
FILES = {
    "train-images-idx3-ubyte": IMAGES_FILE,
    "train-labels-idx1-ubyte": LABELS_FILE,
    "t10k-images-idx3-ubyte": IMAGES_FILE,
    "t10k-labels-idx1-ubyte": LABELS_FILE,
}
PACKED = {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in FILES.items()}


@pytest.fixture
def folder(tmp_path):
    """Ten digits for each split, and a secret next door."""
    folder = tmp_path / "data"
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, data in FILES.items():
        (raw / name).write_bytes(data)
    (tmp_path / "secret").write_bytes(IMAGES_FILE)
    return folder


@pytest.fixture
def published(monkeypatch):
    """Let our ten digits be what is published."""
    monkeypatch.setattr(Torchvision, "resources", [(name, hashlib.md5(data).hexdigest()) for name, data in PACKED.items()])
    monkeypatch.setattr(mnist, "BYTES", {name: len(data) for name, data in PACKED.items()})


# ---------------------------------------------------------------- the good path


@pytest.mark.parametrize("split", ["train", "test"])
def test_digits_come_with_captions(folder, split, no_network):
    dataset = MNIST(folder, split, resolution=28)
    assert len(dataset) == 10
    assert str(dataset.report) == "good: 10; left out: 0"
    for i, (image, caption) in enumerate(dataset):
        assert image.shape == (3, 28, 28)
        torch.testing.assert_close(image, (IMAGES[i].float() / 127.5 - 1).expand(3, 28, 28))
        assert caption in dataset.pairs[i].captions
    assert dataset.pairs[0].captions == ("the handwritten digit three", "le chiffre trois écrit à la main")
    captions = [caption for _, caption in dataset]
    assert 0 < sum(caption.startswith("le chiffre") for caption in captions) < 10


def test_they_are_torchvisions_digits(folder):
    for train in (True, False):
        theirs = Torchvision(folder, train=train)
        ours = MNIST(folder, "train" if train else "test", resolution=28)
        for (image, label), (picture, _), pair in zip(theirs, ours, ours.pairs, strict=True):
            assert torch.equal(picture[0], torch.tensor(list(image.tobytes())).view(28, 28).float() / 127.5 - 1)
            assert pair.captions[0] == f"the handwritten digit {digits.DIGITS['en'][label]}"


def test_other_resolutions_and_the_first_few(folder):
    dataset = MNIST(folder, resolution=64, first=4)
    assert len(dataset) == 4
    assert dataset[3][0].shape == (3, 64, 64)
    assert dataset[3][0].min() >= -1


def test_workers_give_each_item_once_and_pickling_changes_nothing(folder):
    dataset = MNIST(folder)
    alone = everything(dataset)
    assert len(alone) == 10
    assert same(everything(dataset, workers=2), alone)
    assert same(everything(MNIST(folder)), alone)
    assert same(everything(pickle.loads(pickle.dumps(dataset))), alone)
    assert not same(everything(MNIST(folder, seed=1)), alone)


def test_packed_files_put_there_by_hand_are_verified_and_unpacked(folder, published, no_network):
    whole = everything(MNIST(folder))
    raw = folder / "MNIST" / "raw"
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (raw / name).unlink()
        (raw / f"{name}.gz").write_bytes(PACKED[f"{name}.gz"])
    assert same(everything(MNIST(folder)), whole)
    assert (raw / "train-images-idx3-ubyte").read_bytes() == IMAGES_FILE


# ---------------------------------------------------------------- faults of an item: the rest goes on

ITEMS = {
    "a label that is no digit": ("labels-idx1", LABELS_FILE[:-1] + b"\x0c", "train[9]", Why.LABEL, "not a digit from 0 to 9 (12); correct"),
    "a label too few": (
        "labels-idx1",
        struct.pack(">HBBI", 0, 8, 1, 9) + bytes(LABELS[:9]),
        "train[9]",
        Why.NO_CAPTION,
        "caption is missing or blank",
    ),
    "a picture too few": (
        "images-idx3",
        struct.pack(">HBB3I", 0, 8, 3, 9, 28, 28) + IMAGES[:9].numpy().tobytes(),
        "train[9]",
        Why.NO_PICTURE,
        "a caption and no picture",
    ),
}


@pytest.mark.parametrize("case", ITEMS)
def test_a_bad_item_is_left_out_and_told_of(folder, case, monkeypatch):
    kind, data, name, why, told = ITEMS[case]
    (folder / "MNIST" / "raw" / f"train-{kind}-ubyte").write_bytes(data)
    before = contents(folder.parent)
    with nothing_touched_but(folder):
        dataset = MNIST(folder)
        items = everything(dataset)
    assert len(items) == 9
    assert left_out(dataset) == [(name, why)]
    assert told in str(dataset.report)
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert f"{name} a été laissé de côté\u00a0: {why.value[2]}" in str(dataset.report)
    assert contents(folder.parent) == before


# ---------------------------------------------------------------- faults of a file: nothing is left, and the error says why

TRAIN = "MNIST/raw/train-images-idx3-ubyte"
DAMAGED = f"{TRAIN} was left out: it is truncated or damaged; fetch or save it again"
FILE_FAULTS = {
    "truncated": (IMAGES_FILE[:-1], DAMAGED),
    "too long": (IMAGES_FILE + b"\0", DAMAGED),
    "only a header": (IMAGES_FILE[:16], DAMAGED),
    "half a header": (IMAGES_FILE[:3], DAMAGED),
    "labels in the place of pictures": (LABELS_FILE, DAMAGED),
    "still compressed": (gzip.compress(IMAGES_FILE), DAMAGED),
    "of an unknown type": (b"\0\0\x0a\x03" + IMAGES_FILE[4:], DAMAGED),
    "of numbers with a point": (b"\0\0\x0d\x03" + IMAGES_FILE[4:], DAMAGED),
    "a web page": (b"<html>404 not found</html>", DAMAGED),
    "absurdly long by its header": (b"\0\0\x08\x03" + b"\x7f\xff\xff\xff" * 3 + bytes(100), DAMAGED),
    "empty": (b"", f"{TRAIN} was left out: it is empty; fetch or save it again"),
}


@pytest.mark.parametrize("case", FILE_FAULTS)
def test_a_bad_file_is_told_of(folder, case, monkeypatch):
    data, told = FILE_FAULTS[case]
    (folder / TRAIN).write_bytes(data)
    with nothing_touched_but(folder), pytest.raises(DalleEduError) as caught:
        MNIST(folder)
    assert "holds no picture with a caption that can be used; expected the four files of MNIST in MNIST/raw" in str(caught.value)
    assert f"\n- {told}" in str(caught.value)
    assert "train[0]" in str(caught.value)
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(DalleEduError, match=f"{TRAIN} a été laissé de côté\u00a0: il est (tronqué ou abîmé|vide)\u00a0; téléchargez-le"):
        MNIST(folder)
    assert len(MNIST(folder, "test")) == 10


def test_files_that_are_no_files(folder):
    (folder / TRAIN).unlink()
    (folder / TRAIN).mkdir()
    with pytest.raises(DalleEduError, match=f"{TRAIN} was left out: it cannot be read; check that it is a file"):
        MNIST(folder)
    (folder / TRAIN).rmdir()
    (folder / TRAIN).symlink_to(folder.parent / "secret")
    with nothing_touched_but(folder), pytest.raises(DalleEduError, match=f"{TRAIN} was left out: its path leaves the folder"):
        MNIST(folder)


def test_a_linked_folder_is_not_entered(folder, tmp_path):
    (folder / "MNIST").rename(tmp_path / "elsewhere")
    (folder / "MNIST").symlink_to(tmp_path / "elsewhere")
    before = contents(tmp_path)
    with nothing_touched_but(folder), pytest.raises(DalleEduError, match=r"MNIST/raw cannot be used: its path leaves the folder"):
        MNIST(folder, download=True)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("data", [b"", PACKED["train-images-idx3-ubyte.gz"][:-1], PACKED["t10k-labels-idx1-ubyte.gz"], b"<html>"])
def test_a_packed_file_that_is_not_the_published_one(folder, published, data):
    (folder / TRAIN).unlink()
    (folder / f"{TRAIN}.gz").write_bytes(data)
    reason = (
        "it is empty; fetch" if not data else "it is not the file that was published: its checksum differs; delete it and fetch it again"
    )
    with pytest.raises(DalleEduError, match=rf"{TRAIN}.gz cannot be used: {reason}"):
        MNIST(folder)
    assert not (folder / TRAIN).exists()


# ---------------------------------------------------------------- without the files


def test_without_files_it_says_what_to_fetch_and_where_to_put_it(tmp_path, monkeypatch, no_network):
    before = contents(tmp_path)
    with pytest.raises(DalleEduError) as caught:
        MNIST(tmp_path)
    url = "https://ossci-datasets.s3.amazonaws.com/mnist"
    assert str(caught.value) == (
        f"MNIST is not in {tmp_path}; add download=True (11.6 MB), or fetch {url}/train-images-idx3-ubyte.gz (9.91 MB), "
        f"{url}/train-labels-idx1-ubyte.gz (28.9 kB) by hand into {tmp_path}/MNIST/raw and try again"
    )
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(
        DalleEduError, match=r"ajoutez download=True \(11,6 Mo\), ou téléchargez .* \(1,65 Mo\), .* à la main dans .*MNIST/raw"
    ):
        MNIST(tmp_path, "test")
    assert contents(tmp_path) == before


def test_without_a_network_it_says_so_and_what_to_fetch(tmp_path, no_network):
    said = []
    with pytest.raises(DalleEduError) as caught:
        MNIST(tmp_path / "new", download=True, say=said.append)
    assert str(caught.value).startswith("ossci-datasets.s3.amazonaws.com cannot be reached (Network is unreachable); fetch https://")
    assert all(f"{name} (" in str(caught.value) for name in PACKED)
    assert str(caught.value).endswith(f"by hand into {tmp_path}/new/MNIST/raw and try again")
    assert said == [
        f"downloading 11.6 MB from ossci-datasets.s3.amazonaws.com to {tmp_path}/new/MNIST/raw: " + ", ".join(PACKED),
    ]


def test_a_network_that_never_answers_is_not_waited_for(tmp_path, monkeypatch, silence, capsys):
    assert download.PATIENCE < 2
    monkeypatch.setattr(download, "PATIENCE", 0.05)
    with pytest.raises(
        DalleEduError, match=r"amazonaws.com did not answer in 0.05 seconds; fetch https://.* by hand into .*MNIST/raw and try"
    ):
        MNIST(tmp_path, download=True)
    assert "downloading 11.6 MB" in capsys.readouterr().err


def test_downloading_through_a_server(tmp_path, monkeypatch, published, server):
    server.files.update({f"/{name}": data for name, data in PACKED.items()})
    monkeypatch.setattr(Torchvision, "mirrors", [server.url])
    said = []
    dataset = MNIST(tmp_path / "new", download=True, say=said.append)
    assert len(dataset) == 10
    assert len(said) == 1
    assert f"downloading {download.size_in_words(sum(map(len, PACKED.values())), 'en')} from 127.0.0.1" in said[0]
    assert sorted(server.asked) == sorted(f"/{name}" for name in PACKED)
    assert same(everything(MNIST(tmp_path / "new", download=True)), everything(dataset))
    assert len(server.asked) == 4
    assert sorted(contents(tmp_path / "new" / "MNIST" / "raw")) == sorted([*FILES, *PACKED])


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "validation"}, 'the split is "validation"; MNIST has "train" and "test"'),
        ({"resolution": 4}, "the resolution is 4; a data set gives pictures of 8 to 1024 pixels"),
        ({"first": -1}, "first is -1; ask for at least one picture"),
        ({"folder": "nowhere"}, "there is no folder at nowhere"),
        ({"folder": "good", "download": True}, "there is no folder at good"),
    ],
)
def test_arguments_that_make_no_sense(folder, options, message, monkeypatch, no_network):
    monkeypatch.chdir(folder)
    (folder / "good").write_bytes(b"a file")
    before = contents(folder)
    with pytest.raises(DalleEduError, match=message):
        MNIST(**({"folder": folder} | options))
    assert contents(folder) == before
