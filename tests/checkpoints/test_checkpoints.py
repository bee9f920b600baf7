import hashlib
import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.errors import DalleEduError

FACTS = {
    "system": "étude",
    "config": {"width": 3, "rates": [0.1, 0.003, 3.0], "nothing": None, "yes": True},
    "text": 'un cœur « rouge » \n\t"\\ 🙂',
    "large": 2**62,
}


@pytest.fixture
def tensors(generator) -> dict[str, torch.Tensor]:
    return {
        "weight": torch.randn(4, 3, generator=generator),
        "half": torch.randn(5, generator=generator).half(),
        "brain": torch.randn(2, 2, generator=generator).bfloat16(),
        "double": torch.randn(2, generator=generator, dtype=torch.float64),
        "steps": torch.tensor(7),
        "mask": torch.tensor([True, False]),
        "bytes": torch.arange(9, dtype=torch.uint8),
        "none": torch.empty(0, 3),
        "odd": torch.tensor([float("nan"), float("inf"), -0.0]),
    }


@pytest.fixture
def path(tmp_path, tensors):
    save_checkpoint(tmp_path / "a.safetensors", tensors, FACTS)
    return tmp_path / "a.safetensors"


# ---------------------------------------------------------------- round trip


def test_round_trip_is_exact(path, tensors):
    read, metadata = load_checkpoint(path)
    assert metadata == FACTS
    assert read.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert read[name].dtype == tensor.dtype
        assert read[name].shape == tensor.shape
        assert read[name].device.type == "cpu"
        torch.testing.assert_close(read[name], tensor, rtol=0, atol=0, equal_nan=True)
    assert load_checkpoint(str(path))[1] == FACTS


def test_saving_again_gives_the_same_bytes(tmp_path, path, tensors):
    read, metadata = load_checkpoint(path)
    save_checkpoint(tmp_path / "b.safetensors", read, metadata)
    assert (tmp_path / "b.safetensors").read_bytes() == path.read_bytes()
    save_checkpoint(tmp_path / "c.safetensors", dict(reversed(tensors.items())), FACTS)
    assert (tmp_path / "c.safetensors").read_bytes() == path.read_bytes()


def test_views_gradients_and_transposes_are_saved_as_plain_tensors(tmp_path):
    weight = torch.nn.Parameter(torch.arange(6.0).view(2, 3))
    save_checkpoint(tmp_path / "a.safetensors", {"transposed": weight.T, "row": torch.arange(6.0).view(2, 3)[1]}, {})
    read, metadata = load_checkpoint(tmp_path / "a.safetensors")
    assert metadata == {}
    assert torch.equal(read["transposed"], weight.T)
    assert torch.equal(read["row"], torch.tensor([3.0, 4.0, 5.0]))
    assert not any(tensor.requires_grad for tensor in read.values())


def test_what_was_read_may_be_changed_without_touching_the_file(path, tensors):
    before = path.read_bytes()
    load_checkpoint(path)[0]["weight"].add_(1)
    assert path.read_bytes() == before
    assert torch.equal(load_checkpoint(path)[0]["weight"], tensors["weight"])


def test_any_safetensors_reader_can_open_it(path, tensors):
    with safe_open(path, framework="pt") as file:
        assert set(file.keys()) == set(tensors)
        assert torch.equal(file.get_tensor("weight"), tensors["weight"])


def test_no_tensors_at_all(tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", {}, FACTS)
    assert load_checkpoint(tmp_path / "a.safetensors") == ({}, FACTS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=8,
)


@given(metadata=st.dictionaries(st.text(max_size=5), json_values, max_size=4))
@settings(max_examples=40)
def test_any_json_makes_the_round_trip(tmp_path_factory, metadata):
    path = tmp_path_factory.mktemp("facts") / "a.safetensors"
    save_checkpoint(path, {"x": torch.ones(1)}, metadata)
    assert load_checkpoint(path)[1] == metadata


# ---------------------------------------------------------------- files that are not what they should be


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "nothing.safetensors", tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(DalleEduError, match="there is no checkpoint at"):
            load_checkpoint(path)


def test_every_truncation_is_refused(path):
    whole = path.read_bytes()
    lengths = [0, 1, 7, 8, 9, 100, *range(200, len(whole), 97), len(whole) - 1]
    for length in lengths:
        path.write_bytes(whole[:length])
        with pytest.raises(DalleEduError, match="is not a whole safetensors file"):
            load_checkpoint(path)


def test_something_appended_is_refused(path):
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(DalleEduError, match="is not a whole safetensors file"):
        load_checkpoint(path)


@pytest.mark.parametrize("contents", [b"PK\x03\x04 a pickle in a zip", b"\x89PNG\r\n\x1a\n", b"{}" * 50, b"\0" * 64, b"\xff" * 64])
def test_another_kind_of_file_is_refused(tmp_path, contents):
    path = tmp_path / "a.safetensors"
    path.write_bytes(contents)
    with pytest.raises(DalleEduError, match=r"a\.safetensors"):
        load_checkpoint(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"other": "{}"}])
def test_a_foreign_safetensors_file_is_refused(tmp_path, metadata):
    save_file({"weight": torch.ones(2)}, tmp_path / "a.safetensors", metadata=metadata)
    with pytest.raises(DalleEduError, match="of another program"):
        load_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize("bit", [0x01, 0x20, 0x80])
def test_one_flipped_bit_anywhere_is_refused(tmp_path, bit):
    """In the length, the header, the facts, their digest or the tensors: no byte may change unnoticed."""
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, {"weight": torch.arange(12.0).view(4, 3), "step": torch.tensor(7)}, FACTS)
    whole = path.read_bytes()
    for position in range(len(whole)):
        altered = bytearray(whole)
        altered[position] ^= bit
        path.write_bytes(altered)
        with pytest.raises(DalleEduError, match=r"a\.safetensors"):
            load_checkpoint(path)


@pytest.mark.parametrize("change", ["tensor", "fact", "name"])
def test_a_careful_alteration_is_refused_as_such(path, change):
    """Well-formed files whose contents are not those that were written."""
    whole = path.read_bytes()
    if change == "tensor":
        altered = whole[:-1] + bytes([whole[-1] ^ 1])
    elif change == "fact":
        altered = whole.replace(b'\\"width\\": 3', b'\\"width\\": 4')
    else:
        altered = whole.replace(b'"weight"', b'"height"')
    assert altered != whole
    path.write_bytes(altered)
    with pytest.raises(DalleEduError, match="was altered after it was written"):
        load_checkpoint(path)


def test_shapes_are_sealed_too(tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", {"x": torch.arange(6.0).view(2, 3)}, {})
    whole = (tmp_path / "a.safetensors").read_bytes()
    (tmp_path / "a.safetensors").write_bytes(whole.replace(b"[2,3]", b"[3,2]"))
    with pytest.raises(DalleEduError, match="was altered"):
        load_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "not json",
        "[]",
        "7",
        "{}",
        '{"facts": {}}',
        '{"sha256": "0"}',
        '{"facts": {"a": "\\ud800"}, "sha256": "0"}',  # half a character, which no file can hold
        '{"facts": ' + "[" * 100_000 + "]" * 100_000 + ', "sha256": "0"}',  # nested deeper than Python reads
        '{"facts": [], "sha256": "0"}',
        '{"facts": {}, "sha256": 0}',
    ],
    ids=["empty", "no json", "list", "number", "no keys", "no digest", "no facts", "surrogate", "deep", "list of facts", "digest a number"],
)
def test_a_header_that_someone_made_up_is_refused(tmp_path, header):
    save_file({"weight": torch.ones(2)}, tmp_path / "a.safetensors", metadata={"dalle_edu": header})
    with pytest.raises(DalleEduError, match=r"a\.safetensors"):
        load_checkpoint(tmp_path / "a.safetensors")


def test_facts_that_are_no_dictionary_are_refused_even_with_the_right_digest(tmp_path):
    """The digest is no secret: whoever makes a file up can compute it."""
    digest = hashlib.sha256(b"[]").hexdigest()
    save_file({}, tmp_path / "a.safetensors", metadata={"dalle_edu": json.dumps({"facts": [], "sha256": digest})})
    with pytest.raises(DalleEduError, match="damaged header"):
        load_checkpoint(tmp_path / "a.safetensors")


# ---------------------------------------------------------------- failures while saving


def test_what_json_cannot_hold_fails_before_the_file_is_touched(path, tensors):
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_checkpoint(path, tensors, {"a function": print})
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_unwritable_place_is_told(tmp_path, tensors):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DalleEduError, match="could not be written"):
        save_checkpoint(tmp_path / "file" / "a.safetensors", tensors, FACTS)
