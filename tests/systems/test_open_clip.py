"""open_clip: our CLIP loaded there is the same function, and its models here answer to the same names."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dalle_edu import cli, download
from dalle_edu.bricks.contrastive import CLIPConfig
from dalle_edu.errors import DalleEduError
from dalle_edu.loading import load_critic
from dalle_edu.publishing.open_clip_export import MEAN, STD, WEIGHTS, export_to_open_clip
from dalle_edu.systems.clip import Clip, ClipConfig, ClipModel
from dalle_edu.systems.critics import open_clip_pretrained
from dalle_edu.systems.critics.open_clip_pretrained import EXAMPLE, PretrainedClip
from dalle_edu.world import World

TOWERS = CLIPConfig(resolution=32, stem_depth=0, width=32, heads=2, image_depth=2, text_depth=2, embedding=16)
CAPTIONS = [
    "un cercle rouge à gauche d'une étoile verte",
    "Une  Étoile VERTE au-dessus d’un cœur",
    "a picture of a small purple star to the right of a small purple cross",
    "two [PAD] squares",
    "red",
]


@pytest.fixture(scope="module")
@torch.no_grad()
def clip() -> Clip:
    """Untrained, with weights of the size of trained ones: no bias, norm or position is still what it began with."""
    torch.manual_seed(0)
    clip = Clip(ClipConfig(ClipModel(TOWERS)))
    for name, parameter in clip.named_parameters():
        parameter.add_((0.5 if "norm" in name else 0.1) * torch.randn_like(parameter))
    return clip.eval()


@pytest.fixture(scope="module")
def folder(clip, tmp_path_factory) -> Path:
    return export_to_open_clip(clip, tmp_path_factory.mktemp("exported") / "clip")


@pytest.fixture(scope="module")
def theirs(folder):
    open_clip = pytest.importorskip("open_clip")
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    return model.eval(), preprocess, open_clip.get_tokenizer(f"local-dir:{folder}")


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    world = World(6, seed=2)
    return world.collate([world[i] for i in range(6)]).images(32)


# ---------------------------------------------------------------- ours, there


@torch.no_grad()
def test_open_clip_loads_ours_and_says_the_same(clip, theirs, images):
    model, _, tokenizer = theirs
    torch.testing.assert_close(model.encode_image(images, normalize=True), clip.encode_images(images), atol=1e-5, rtol=0)
    torch.testing.assert_close(model.encode_text(tokenizer(CAPTIONS), normalize=True), clip.encode_texts(CAPTIONS), atol=1e-5, rtol=0)
    logits, _ = model.get_logits(images, tokenizer(CAPTIONS))
    torch.testing.assert_close(logits, clip.scale * clip.similarity(images, CAPTIONS), atol=1e-4, rtol=1e-5)


def test_their_tokenizer_cuts_as_ours(clip, theirs):
    _, _, tokenizer = theirs
    ours = clip.tokens(CAPTIONS)
    assert torch.equal(tokenizer(CAPTIONS)[:, :-1], ours)
    assert (tokenizer(CAPTIONS)[:, -1] == 0).all()
    cut = tokenizer(["circle " * 30])
    assert (cut[0, :-1] != 0).all()
    assert cut[0, -1] == 0


def test_their_preprocessing_is_ours(theirs, images):
    _, preprocess, _ = theirs
    pixels = ((images[0].permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()
    seen = preprocess(Image.fromarray(pixels))
    torch.testing.assert_close(seen, images[0], atol=1 / 127, rtol=0)
    wide = preprocess(Image.fromarray(np.repeat(pixels, 2, axis=1)))  # squeezed to a square, not cropped
    torch.testing.assert_close(wide, images[0], atol=0.6, rtol=0)
    assert (wide - images[0]).abs().mean() < 0.03


@torch.no_grad()
def test_it_loads_by_name_and_path_too(clip, folder, images):
    import open_clip

    open_clip.add_model_config(folder / "dalle_edu_clip.json")
    model, _, _ = open_clip.create_model_and_transforms("dalle_edu_clip", pretrained=str(folder / WEIGHTS), image_mean=MEAN, image_std=STD)
    model.eval()
    torch.testing.assert_close(model.encode_image(images, normalize=True), clip.encode_images(images), atol=1e-5, rtol=0)
    tokens = open_clip.get_tokenizer("dalle_edu_clip")(CAPTIONS)
    torch.testing.assert_close(model.encode_text(tokens, normalize=True), clip.encode_texts(CAPTIONS), atol=1e-5, rtol=0)


def test_the_command_line_exports(clip, tmp_path, monkeypatch, capsys):
    clip.save(tmp_path / "mine.safetensors")
    monkeypatch.setattr("sys.argv", ["dalle-edu", "export", str(tmp_path / "there"), "--clip", str(tmp_path / "mine.safetensors")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code, capsys.readouterr().err
    assert (tmp_path / "there" / WEIGHTS).is_file()


def test_a_stem_of_convolutions_cannot_be_exported_and_nothing_is_written(tmp_path):
    with pytest.raises(DalleEduError, match="stem_depth=0"):
        export_to_open_clip(Clip(ClipConfig(ClipModel(CLIPConfig(resolution=32, stem_depth=1, width=16, heads=2)))), tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_words_that_know_their_neighbours_cannot_be_exported_and_nothing_is_written(tmp_path):
    with pytest.raises(DalleEduError, match="smear=False"):
        export_to_open_clip(Clip(ClipConfig(ClipModel(replace(TOWERS, smear=True)))), tmp_path / "x")
    assert not (tmp_path / "x").exists()


# ---------------------------------------------------------------- theirs, here


@torch.no_grad()
def test_a_model_of_open_clip_answers_to_our_names(clip, folder, images):
    pretrained = load_critic(f"local-dir:{folder}")
    assert isinstance(pretrained, PretrainedClip)
    torch.testing.assert_close(pretrained.similarity(images, CAPTIONS), clip.similarity(images, CAPTIONS), atol=1e-5, rtol=0)
    classes = ["a circle", "a square"], ["{}", "a picture of {}"]
    torch.testing.assert_close(pretrained.classify(images, *classes), clip.classify(images, *classes), atol=1e-5, rtol=0)
    assert torch.equal(pretrained.search(CAPTIONS, images, 2), clip.search(CAPTIONS, images, 2))
    larger = torch.nn.functional.interpolate(images, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(pretrained.encode_images(larger), clip.encode_images(larger), atol=1e-5, rtol=0)


def test_gradients_reach_the_pictures_and_not_the_weights(folder, images):
    pretrained = PretrainedClip.load(f"local-dir:{folder}")
    pictures = images.clone().requires_grad_()
    pretrained.similarity(pictures, CAPTIONS[:1]).sum().backward()
    assert pictures.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in pretrained.model.parameters())


@pytest.mark.parametrize(("mode", "kept"), [("shortest", (8, 24)), ("squash", (0, 32)), ("longest", (0, 32))])
def test_wide_pictures_are_cropped_squeezed_or_framed_as_the_model_was_trained(folder, mode, kept):
    pretrained = PretrainedClip.load(f"local-dir:{folder}")
    pretrained.preprocessing = pretrained.preprocessing | {"resize_mode": mode, "fill_color": 0}
    picture = torch.linspace(-1, 1, 32).expand(1, 3, 16, 32)
    seen = pretrained._prepared(picture)
    assert seen.shape == (1, 3, 32, 32)
    middle = seen[0, 0, 16]
    first, last = picture[0, 0, 0, kept[0]], picture[0, 0, 0, kept[1] - 1]
    torch.testing.assert_close(torch.stack([middle[0], middle[-1]]), torch.stack([first, last]), atol=0.05, rtol=0)
    assert (seen[0, 0, 0] == -1).all() == (mode == "longest")


@pytest.mark.parametrize("captions", [[], "a cat", [""], [3], ["star " * 30]])
def test_sentences_it_cannot_read_are_refused(folder, captions):
    with pytest.raises((DalleEduError, TypeError), match=r"sentence|tokens|type|list"):
        PretrainedClip.load(f"local-dir:{folder}").encode_texts(captions)


@pytest.mark.parametrize("name", ["ViT-B-32", "ViT-B-32/", "/openai", "a/b/c", "../x/y", "ViT B/openai"])
def test_names_of_no_model_are_refused(name):
    with pytest.raises(DalleEduError, match=EXAMPLE):
        PretrainedClip.load(name)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(DalleEduError, match="open_clip_config.json"):
        PretrainedClip.load(f"local-dir:{tmp_path}")
    (tmp_path / "open_clip_config.json").write_text("{}")
    with pytest.raises(DalleEduError, match="judges at random"):
        PretrainedClip.load(f"local-dir:{tmp_path}")


# ---------------------------------------------------------------- fetching


def test_the_network_is_not_waited_for_and_open_clip_not_imported_without_one(hub, monkeypatch, silence):
    monkeypatch.setattr(download, "PATIENCE", 0.05)
    monkeypatch.setattr(open_clip_pretrained, "_known", None)  # what imports open_clip, which takes seconds
    began = time.monotonic()
    with pytest.raises(DalleEduError, match="ViT-B-32/openai is not on this machine and cannot be fetched: 127.0.0.1 did not answer in"):
        PretrainedClip.load("ViT-B-32/openai")
    assert time.monotonic() - began < 5  # the silence lasts ten seconds


@pytest.mark.parametrize("words", [("score", EXAMPLE), ("study", "wording", EXAMPLE), ("generate", "a circle", "--clip", EXAMPLE)])
def test_the_command_line_says_so_before_torch_is_imported(words, tmp_path):
    script = f"""
import sys
from dalle_edu import cli
sys.argv = ["dalle-edu", *{words!r}]
try:
    cli.main()
finally:
    print("torch" in sys.modules)
"""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "XDG_CACHE_HOME": str(tmp_path), "HF_HOME": str(tmp_path)}
    environment.pop("HF_HUB_CACHE", None)
    done = subprocess.run([sys.executable, "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "False\n")
    assert "is not on this machine" in done.stderr


def test_weights_are_fetched_once_and_their_size_said_first(hub, monkeypatch):
    monkeypatch.setattr(open_clip_pretrained, "_known", lambda architecture, tag: {"hf_hub": f"someone/{tag}/"})
    monkeypatch.setattr(open_clip_pretrained, "_open", lambda architecture, known, weights, device: _opened(weights))
    said = []
    for _ in range(2):
        assert PretrainedClip.load("ViT-B-32/small", say=said.append).model.weights == hub.weights
        hub.refused = (503, "")
    assert len(said) == 1
    assert said[0].startswith("downloading 7 kB from 127.0.0.1 to ")


def _opened(weights: Path):
    model = torch.nn.Linear(1, 1)
    model.weights = weights.read_bytes()
    return model, torch.as_tensor, {}


def test_an_unknown_tag_is_told_with_those_that_there_are():
    with pytest.raises(DalleEduError, match="laion2b_s34b_b79k"):
        open_clip_pretrained._known("ViT-B-32", "no_such_tag")
    with pytest.raises(DalleEduError, match="elsewhere"):
        open_clip_pretrained._known("ViT-B-16-SigLIP", "webli")
    assert open_clip_pretrained._known(*EXAMPLE.split("/"))["hf_hub"]
