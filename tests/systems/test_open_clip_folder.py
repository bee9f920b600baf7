"""Folders of open_clip that someone made up: nothing in them is executed, and a model without its weights never judges."""

import json
import shutil
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from tiny_systems import tiny_clip

from dalle_edu.errors import DalleEduError
from dalle_edu.loading import load_critic
from dalle_edu.publishing.open_clip_export import WEIGHTS, export_to_open_clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    pytest.importorskip("open_clip")
    return export_to_open_clip(tiny_clip(), tmp_path_factory.mktemp("exported") / "clip")


def copied(folder, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / "there"))


def assert_unread(there: Path, says: str) -> None:
    with pytest.raises(DalleEduError, match=says) as caught:
        load_critic(f"local-dir:{there}")
    assert "weights_only" not in str(caught.value)  # no advice to unpickle


@pytest.mark.parametrize("beside", [None, "open_clip_pytorch_model.bin"])
def test_a_model_without_its_weights_never_judges(folder, tmp_path, beside):
    there = copied(folder, tmp_path)
    (there / WEIGHTS).unlink()
    if beside:
        torch.save({}, there / beside)
    assert_unread(there, "judges at random")


@pytest.mark.parametrize("how", ["pickle", "cut", "empty", "nan", "other", "int8"])
def test_weights_that_are_not_the_models_are_refused(folder, tmp_path, how):
    there = copied(folder, tmp_path)
    data = (there / WEIGHTS).read_bytes()
    tensors = load_tensors(data)
    tensors["logit_scale"] = tensors["logit_scale"].to(torch.int8) if how == "int8" else tensors["logit_scale"] * float("nan")
    if how == "other":
        tensors.pop("logit_scale")
    made = {"pickle": b"\x80\x04.", "cut": data[:-9], "empty": b""}
    (there / WEIGHTS).write_bytes(made[how] if how in made else save_tensors(tensors))
    assert_unread(there, "safetensors file" if how in made else {"nan": "not a number", "other": "other shapes", "int8": "int8"}[how])


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("", "model_cfg", 5),
        ("model_cfg", "embed_dim", "x"),
        ("model_cfg", "unknown", 1),
        ("model_cfg", "vision_cfg", None),
        ("vision_cfg", "head_width", 0),
        ("vision_cfg", "layers", 10**9),
        ("vision_cfg", "layers", 10**5),
        ("vision_cfg", "image_size", 10**9),
        ("vision_cfg", "timm_model_name", "resnet50"),
        ("vision_cfg", "unknown", 1),
        ("text_cfg", "layers", 10**5),
        ("text_cfg", "context_length", 10**9),
        ("text_cfg", "heads", 3),
        ("text_cfg", "hf_model_name", "someone/else"),
        ("text_cfg", "tokenizer_kwargs", {"trust_remote_code": True}),
        ("text_cfg", "pool_type", "nothing"),
        ("preprocess_cfg", "mean", [0.5]),
        ("preprocess_cfg", "std", [0.0, 0.0, 0.0]),
    ],
)
def test_a_configuration_that_is_not_the_models_is_refused(folder, tmp_path, part, field, value):
    there = copied(folder, tmp_path)
    document = json.loads((there / "open_clip_config.json").read_text())
    parts = {"": document, "model_cfg": document["model_cfg"], "preprocess_cfg": document["preprocess_cfg"]}
    (parts | document["model_cfg"])[part][field] = value
    (there / "open_clip_config.json").write_text(json.dumps(document))
    began = time.process_time()
    assert_unread(there, "cannot read|other shapes")
    assert time.process_time() - began < 5


def test_a_tokenizer_that_is_code_is_refused(folder, tmp_path):
    there = copied(folder, tmp_path)
    (there / "tokenizer_config.json").write_text(json.dumps({"auto_map": {"AutoTokenizer": ["evil.Evil", None]}}))
    assert_unread(there, "not executed")
