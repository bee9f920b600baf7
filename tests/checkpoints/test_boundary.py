"""Behind a right checksum: configurations, tokenizers and weights that someone made up end in one sentence, at once."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_systems import TINY, tiny_clip, tiny_dalle1

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.loading import go_on_from, load_model
from dalle_edu.systems.interface.configuration import rebuild
from dalle_edu.systems.interface.registry import model_class
from dalle_edu.world.tokenizer import CaptionTokenizer, caption_tokenizer

KINDS = TINY | {"clip": tiny_clip}


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("saved")
    for name, make in KINDS.items():
        make().save(folder / f"{name}.safetensors", {"run": {"seed": 0}, "before": []})
    return {name: folder / f"{name}.safetensors" for name in KINDS}


def refused(tensors: dict[str, torch.Tensor], metadata: dict[str, Any], path: Path) -> str:
    """What is said of weights with a right checksum, which must take less than 5 seconds of a processor."""
    save_checkpoint(path, tensors, metadata)
    began = time.process_time()
    with pytest.raises(DalleEduError, match=path.name) as caught:
        load_model(path)
    assert time.process_time() - began < 5
    assert "\n" not in str(caught.value)
    return str(caught.value)


def said_of(use: Callable[[Path], object], path: Path) -> str:
    """The error that something ends in, or nothing where it does its work."""
    try:
        use(path)
    except DalleEduError as error:
        return str(error)
    return ""


def numbers(values: Any, path: tuple = ()) -> list[tuple]:
    """Where the whole numbers of a configuration are."""
    if isinstance(values, dict | list):
        return [
            place
            for key, each in (values.items() if isinstance(values, dict) else enumerate(values))
            for place in numbers(each, (*path, key))
        ]
    return [path] if type(values) is int else []


def put(document: Any, place: tuple, value: Any) -> None:
    for key in place[:-1]:
        document = document[key]
    document[place[-1]] = value


@pytest.mark.parametrize("name", sorted(KINDS))
def test_no_size_of_any_configuration_is_too_large_to_be_refused_at_once(name, saved, tmp_path):
    """Every whole number of the shapes, as 10⁹, and two in three as -1 or as the largest allowed: nothing hangs or fills the memory."""
    tensors, metadata = load_checkpoint(saved[name])
    places = numbers(metadata["config"]["model"])
    assert len(places) > 5
    for number, place in enumerate(places):
        for value in (10**9, *((), (-1,), (65_536,))[number % 3]):
            changed = json.loads(json.dumps(metadata))
            put(changed["config"]["model"], place, value)
            began = time.process_time()
            said = said_of(lambda path, changed=changed: model_class(name).restore(dict(tensors), changed, path, "cpu"), tmp_path / "w")
            assert torch.is_grad_enabled(), f"{place} = {value} leaves gradients off"
            assert said or value == 65_536, f"{place} = {value} was accepted"
            assert time.process_time() - began < 5, f"{place} = {value} takes too long"


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("sampling", "guidance_scale"), "x", "sampling.guidance_scale is 'x'; float expected"),
        (("sampling", "temperature"), None, "sampling.temperature is None"),
        (("sampling", "daring"), [1], "sampling.daring is [1]"),
        (("sampling", "epsilon"), "x", "sampling.epsilon is 'x'"),
        (("sampling", "epsilon"), 1.5, "epsilon is 1.5; it takes a number from 0 to 1"),
        (("sampling", "temperature"), -1.0, "temperature is -1.0; it takes a number from 0 to 10"),
        (("sampling", "temperature"), float("nan"), "a finite number was expected"),
        (("sampling",), 5, "sampling is 5; fields expected"),
        (("model", "gpt", "depth"), 2.0, "model.gpt.depth is 2.0; int expected"),
        (("model", "gpt", "depth"), True, "model.gpt.depth is True; int expected"),
        (("model", "gpt", "depth"), 1000, "more layers than it has weights"),
        (("model", "dvae", "sharpness"), float("inf"), "a finite number was expected"),
        (("model", "dvae", "grid"), 7, "model.dvae has a grid of 7 and 32 pixels"),
        (("model", "gpt", "text_vocabulary"), 8, "model.gpt.text_vocabulary is 8, and the tokenizer has 505"),
        (("model", "unknown"), 1, "DallE1Model has no unknown"),
        (("recipe", "stages"), {"a": 1}, "recipe.stages is {'a': 1}; a list was expected"),
        (("recipe", "stages", 0, "name"), 5, "recipe.stages[0].name is 5; str expected"),
    ],
)
def test_a_configuration_is_checked_by_its_hints_and_ranges(saved, tmp_path, place, value, said):
    tensors, metadata = load_checkpoint(saved["dalle1"])
    put(metadata["config"], place, value)
    assert said in refused(tensors, metadata, tmp_path / "w.safetensors")


@pytest.mark.parametrize("key", ["system", "config", "tokenizer", "run", "before"])
@pytest.mark.parametrize("value", [5, [], {}, None, "", [1], "\U0001f600"])
def test_metadata_may_say_anything(saved, tmp_path, key, value):
    tensors, metadata = load_checkpoint(saved["dalle1"])
    metadata[key] = value
    save_checkpoint(tmp_path / "w.safetensors", tensors, metadata)
    for use in (load_model, lambda path: go_on_from(tiny_dalle1(), path)):
        assert "\n" not in said_of(use, tmp_path / "w.safetensors")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", sorted(KINDS))
def test_weights_that_are_no_numbers_are_refused(saved, tmp_path, name, number):
    tensors, metadata = load_checkpoint(saved[name])
    floating = [key for key, tensor in tensors.items() if tensor.is_floating_point()]
    key = floating[len(floating) // 2]
    tensors[key].view(-1)[-1] = number
    assert key in refused(tensors, metadata, tmp_path / "w.safetensors")


def test_weights_to_begin_with_are_checked_too(saved, tmp_path):
    tensors, metadata = load_checkpoint(saved["dalle1"])
    tensors[next(iter(tensors))].view(-1)[0] = float("nan")
    save_checkpoint(tmp_path / "w.safetensors", tensors, metadata)
    with pytest.raises(DalleEduError, match="not a number"):
        go_on_from(tiny_dalle1(), tmp_path / "w.safetensors")


@pytest.mark.parametrize("dtype", [torch.bool, torch.int8, torch.int64, torch.complex64, torch.float8_e4m3fn])
def test_tensors_of_other_kinds_are_refused(saved, tmp_path, dtype):
    tensors, metadata = load_checkpoint(saved["dalle1"])
    key = sorted(tensors)[0]
    tensors[key] = tensors[key].to(dtype)
    assert str(dtype).removeprefix("torch.") in refused(tensors, metadata, tmp_path / "w.safetensors")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_weights_of_any_precision_load(saved, tmp_path, dtype):
    tensors, metadata = load_checkpoint(saved["dalle1"])
    save_checkpoint(tmp_path / "w.safetensors", {key: tensor.to(dtype) for key, tensor in tensors.items()}, metadata)
    assert {parameter.dtype for parameter in load_model(tmp_path / "w.safetensors").parameters()} == {torch.float32}


def test_a_double_that_no_float_can_hold_is_refused(saved, tmp_path):
    tensors, metadata = load_checkpoint(saved["dalle1"])
    key = sorted(tensors)[0]
    tensors[key] = torch.full_like(tensors[key], 1e300, dtype=torch.float64)
    assert "infinite" in refused(tensors, metadata, tmp_path / "w.safetensors")


# ---------------------------------------------------------------- tokenizers


def tokenizer_with(**parts: Any) -> str:
    return json.dumps(json.loads(caption_tokenizer().to_json()) | parts)


SLOW = {"type": "Split", "pattern": {"Regex": "(a+)+b"}, "behavior": "Isolated", "invert": False}
MODEL = json.loads(caption_tokenizer().to_json())["model"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "null",
        "[" * 100_000,
        tokenizer_with(pre_tokenizer=SLOW),
        tokenizer_with(post_processor={"type": "ByteLevel"}),
        tokenizer_with(truncation={"max_length": 1, "strategy": "LongestFirst", "stride": 0}),
        tokenizer_with(added_tokens=[]),
        tokenizer_with(model={"type": "WordLevel", "vocab": {}, "unk_token": "x"}),
        tokenizer_with(model=MODEL | {"vocab": {}, "merges": []}),
        tokenizer_with(model=MODEL | {"vocab": {word: 10**9 + number for word, number in MODEL["vocab"].items()}}),
        tokenizer_with(model=MODEL | {"vocab": {word: number for word, number in MODEL["vocab"].items() if word != "a"}}),
    ],
)
def test_a_tokenizer_of_another_kind_is_refused(text):
    """One that knows no byte would drop words, one with a regular expression of its own may never end."""
    with pytest.raises(DalleEduError, match="tokenizer is none of captions"):
        CaptionTokenizer.from_json(text)


# ---------------------------------------------------------------- the checker


def test_a_float_may_be_written_without_its_point(saved):
    kind = type(tiny_dalle1().config)
    values = json.loads(json.dumps(load_checkpoint(saved["dalle1"])[1]["config"]))
    values["sampling"]["temperature"] = 1
    assert rebuild(kind, values).sampling.temperature == 1


@pytest.mark.parametrize(
    ("kind", "value"),
    [(int, "1"), (int, True), (int, 1.0), (bool, 1), (str, 1), (float, True), (float, "1"), (float | None, "x"),
     (tuple[int, ...], [1, "2"]), (tuple[int, ...], 5), (tuple[int, int], [1]), (tuple[int, ...], [1] * 257), (dict, [])],
)  # fmt: skip
def test_values_of_other_types_are_refused(kind, value):
    with pytest.raises((TypeError, ValueError), match="here"):
        rebuild(kind, value, "here")


@pytest.mark.parametrize(
    ("kind", "value", "made"),
    [
        (float | None, None, None),
        (tuple[str, str] | None, ["a", "b"], ("a", "b")),
        (float, 3, 3),
        (tuple[tuple[int, ...], ...], [[1], []], ((1,), ())),
    ],
)
def test_values_of_the_right_types_come_back(kind, value, made):
    assert rebuild(kind, value) == made
