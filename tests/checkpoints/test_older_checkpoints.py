"""Checkpoints of version 0.1 load under today's names, with equal tensors and settings, and draw what they drew.

`version_0_1.json` holds, for a small model of each kind, the configuration that 0.1 wrote beside its weights, all settings side by side
and none of the shares and rates at its default; the shapes of its tensors; and what 0.1 made of the weights of `tensors_of`: some pixels of
its pictures, or CLIP's embeddings of the prompts.
"""

import json
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dalle_edu.checkpoints.checkpoint import save_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.loading import go_on_from, load_model
from dalle_edu.systems.interface.older_checkpoints import upgraded
from dalle_edu.systems.interface.registry import model_class
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.world.tokenizer import caption_tokenizer

OLDER = json.loads(Path(__file__).with_name("version_0_1.json").read_text(encoding="utf-8"))
PROMPTS = ["un cercle rouge", "a large blue square"]
every_kind = pytest.mark.parametrize("name", sorted(OLDER))

# where each setting of 0.1 is today; what training was shared out by has no place in a finished model
TODAY = {
    "guidance": "sampling.guidance_scale",
    "prior_guidance": "sampling.prior_guidance_scale",
    "reader": "model.text_encoder",
    "judge_width": "model.discriminator_width",
    "paraphrase": "recipe.paraphrase_weight",
    "forgiving": "recipe.mask_false_negatives",
    "photocopies": "recipe.grayscale_share",
    "disturbance": "recipe.augmentation",
    **dict.fromkeys(("dvae", "gpt", "vqgan", "bart", "clip", "decoder", "prior", "base", "upsamplers", "shift", "first_scale"), "model."),
    **dict.fromkeys(("caption_dropout", "embedding_dropout", "prior_dropout", "sentence_dropout", "adversarial", "negatives"), "recipe."),
    **dict.fromkeys(("temperature", "daring", "threshold", "tries", "steps", "prior_steps", "upsampler_steps"), "sampling."),
    **dict.fromkeys(("cutouts", "smallest", "learning_rate", "momentum", "beginnings", "beginning"), "sampling."),
}
SHARED_OUT = ("codec_share", "decoder_share", "features_share", "reader_share", "prior_share", "upsampler_share", "codec_batch_size",
              "batch_size", "reader_batch_size", "prior_batch_size", "upsampler_batch_size")  # fmt: skip


def tensors_of(name: str) -> dict[str, Tensor]:
    """Weights that depend on their names alone, so that both versions can make them."""
    made = {}
    for key, shape in OLDER[name]["tensors"].items():
        if key.endswith("num_batches_tracked"):
            made[key] = torch.zeros(shape, dtype=torch.long)
            continue
        weights = 0.2 * torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(key.encode())))
        made[key] = (weights.abs() if key.endswith(("counts", "deviation", "running_var")) else weights).half()
    return made


def metadata_of(name: str, **others: Any) -> dict[str, Any]:
    return {"system": name, "config": OLDER[name]["config"], "tokenizer": caption_tokenizer().to_json()} | others


@pytest.fixture(params=sorted(OLDER))
def older(request, tmp_path) -> tuple[str, Path]:
    path = tmp_path / "older.safetensors"
    save_checkpoint(path, tensors_of(request.param), metadata_of(request.param))
    return request.param, path


def test_its_tensors_are_there_under_todays_names(older):
    name, path = older
    found, given = load_model(path).state_dict(), tensors_of(name)
    assert len(found) == len(given)
    for key, value in given.items():
        today = "text_encoder" + key.removeprefix("reader") if key.startswith("reader.") else key
        assert found[today].dtype == (torch.float32 if value.is_floating_point() else torch.long)
        assert torch.equal(found[today], value.to(found[today].dtype)), key


def test_its_settings_are_there_under_todays_names(older):
    name, path = older
    config, checked = json.loads(json.dumps(asdict(load_model(path).config))), 0
    for key, value in OLDER[name]["config"].items():
        if key in SHARED_OUT:
            continue
        part, _, field = TODAY[key].partition(".")
        found = config[part][field or key]
        assert (found | value if isinstance(value, dict) else value) == found, key  # fields that were added since have their defaults
        checked += 1
    assert checked > 4


@every_kind
def test_no_setting_of_the_fixture_is_todays_default(name):
    """Or its loss would go unseen. Shapes are those of tiny models, anyway."""
    default = asdict(next(iter(model_class(name).presets.values())))
    for key, value in OLDER[name]["config"].items():
        if key not in SHARED_OUT:
            part, _, field = TODAY[key].partition(".")
            assert json.loads(json.dumps(default[part][field or key])) != value, key


@torch.no_grad()
def test_it_draws_what_it_drew(older):
    name, path = older
    model: Any = load_model(path)
    shown = model.encode_texts(PROMPTS) if name == "clip" else model.generate(PROMPTS, seed=3)[..., 4::7, 5::13]
    expected = torch.tensor(OLDER[name]["shows"])
    assert expected.std() > 0.1
    torch.testing.assert_close(shown.flatten(), expected, rtol=0, atol=5e-3)


def test_saved_anew_it_is_todays(older, tmp_path):
    name, path = older
    model = load_model(path)
    model.save(tmp_path / "today.safetensors")
    again = load_model(tmp_path / "today.safetensors")
    assert again.config == model.config
    assert isinstance(again, Trainable)
    assert again.name == name
    for key, value in again.state_dict().items():
        assert torch.equal(value, model.state_dict()[key])


def test_stages_of_its_runs_have_todays_names():
    runs = {"run": {"system": "imagen", "only": "reader,base"}, "before": [{"only": "reader"}, {"only": None}, {}]}
    _, metadata = upgraded({}, metadata_of("imagen", **runs, machine="a laptop"))
    assert metadata["run"] == {"system": "imagen", "only": "text_encoder,base"}
    assert [run["only"] for run in metadata["before"]] == ["text_encoder", None, None]
    assert metadata["machine"] == "a laptop"
    _, metadata = upgraded({}, metadata_of("dalle2", run={"only": "decoder,prior"}))
    assert metadata["run"] == {"only": "decoder,prior"}
    assert "before" not in metadata


@every_kind
def test_what_is_of_today_stays_as_it_is(name):
    today = json.loads(json.dumps(asdict(model_class(name).presets["laptop"])))
    tensors = {"base.unet.weight": torch.ones(2), "text_encoder.whole.weight": torch.ones(3)}
    given = {"system": name, "config": today, "run": {"only": None}, "before": []}
    found, metadata = upgraded(tensors, given)
    assert found == tensors
    assert metadata == given


def test_a_part_called_reader_elsewhere_keeps_its_name():
    tensors, _ = upgraded({"reader.weight": torch.ones(1), "base.reader.weight": torch.ones(1)}, {"system": "dalle1", "config": {}})
    assert set(tensors) == {"reader.weight", "base.reader.weight"}


def test_a_run_goes_on_from_its_weights(older):
    name, path = older
    model = load_model(path)
    expected = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    save_checkpoint(path, tensors_of(name), metadata_of(name, run={"only": None, "seed": 5}, machine="a laptop"))
    assert go_on_from(model, path) == [{"only": None, "seed": 5, "machine": "a laptop"}]
    assert all(torch.equal(value, expected[key]) for key, value in model.state_dict().items())


@every_kind
def test_a_setting_that_no_version_knew_is_refused_where_it_stands_in_a_part(name, tmp_path):
    config = json.loads(json.dumps(asdict(model_class(name).presets["laptop"])))
    config["sampling"]["no_such_setting"] = 1
    save_checkpoint(tmp_path / "odd.safetensors", tensors_of(name), metadata_of(name) | {"config": config})
    with pytest.raises(DalleEduError, match="no_such_setting"):
        load_model(tmp_path / "odd.safetensors")
