"""Every system's training, broken off in the middle of each of its stages, ends with the very weights of one that was not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_systems import TINY, tiny_clip

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.interface.registry import model_class
from dalle_edu.training.loop import train
from dalle_edu.training.run import Run

UPDATES = 40


@pytest.fixture(scope="module")
def clip_file(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("clip") / "clip.safetensors"
    tiny_clip().save(path)
    return path


def breaking_off(loss: Callable[..., Any], call: int) -> Callable[..., Any]:
    """The loss, which fails at its call number `call`, once."""
    calls = 0

    def broken(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            raise MemoryError("broken off")
        return loss(*args, **options)

    return broken


@pytest.mark.parametrize("name", sorted(TINY.keys() - {"vqgan_clip"}))
def test_broken_off_and_resumed_it_ends_with_the_same_weights(name, tmp_path, clip_file, monkeypatch):
    kind = model_class(name)
    torch.manual_seed(0)
    monkeypatch.setitem(kind.presets, "tiny", TINY[name]().config)
    foundations = {"clip": str(clip_file)} if kind.foundations else {}
    run = Run(name, "tiny", seed=3, updates=UPDATES, batch_size=4, exam=0, save_every=0.0, foundations=foundations)
    train(run, tmp_path / "undisturbed", device="cpu", quiet=True)
    breaks = 0
    for call in (3, 11, 9, 7):  # each counted from the last break
        with monkeypatch.context() as patched:
            patched.setattr(kind, "loss", breaking_off(kind.loss, call))
            with pytest.raises(MemoryError):
                train(run, tmp_path / "broken", device="cpu", quiet=True)
            breaks += 1
    train(run, tmp_path / "broken", device="cpu", quiet=True)
    assert breaks == 4
    ours, theirs = (load_checkpoint(tmp_path / folder / f"{name}.safetensors") for folder in ("undisturbed", "broken"))
    assert ours[1] == theirs[1]
    for tensor in ours[0]:
        assert torch.equal(ours[0][tensor], theirs[0][tensor]), tensor


def test_a_run_from_before_words_knew_their_neighbours_is_not_gone_on_with(tmp_path, monkeypatch):
    kind, config = model_class("dalle1"), TINY["dalle1"]().config
    run = Run("dalle1", "tiny", updates=8, batch_size=4, exam=0, save_every=0.0)
    older = replace(config, model=replace(config.model, gpt=replace(config.model.gpt, smear=False, canon_taps=0)))
    monkeypatch.setitem(kind.presets, "tiny", older)
    with monkeypatch.context() as patched:
        patched.setattr(kind, "loss", breaking_off(kind.loss, 8))
        with pytest.raises(MemoryError):
            train(run, tmp_path, device="cpu", quiet=True)
    monkeypatch.setitem(kind.presets, "tiny", config)
    with pytest.raises(DalleEduError, match=r"left unfinished by another version of dalle_edu, or by another recipe: gpt\.canons"):
        train(run, tmp_path, device="cpu", quiet=True)
    monkeypatch.setitem(kind.presets, "tiny", older)
    train(run, tmp_path, device="cpu", quiet=True)


def test_foundations_are_taken_and_kept(tmp_path, clip_file, monkeypatch):
    kind = model_class("dalle2")
    monkeypatch.setitem(kind.presets, "tiny", TINY["dalle2"]().config)
    run = Run("dalle2", "tiny", updates=12, batch_size=4, exam=0, foundations={"clip": str(clip_file)})
    train(run, tmp_path, device="cpu", quiet=True)
    tensors, _ = load_checkpoint(tmp_path / "dalle2.safetensors")
    given, _ = load_checkpoint(clip_file)
    assert any(name.startswith("clip.") for name in given)
    for name, value in given.items():
        assert torch.equal(tensors[name], value), name


def test_a_foundation_of_another_shape_or_name_is_refused(tmp_path, clip_file):
    from dalle_edu.errors import DalleEduError

    with pytest.raises(DalleEduError, match="other shapes"):
        train(Run("dalle2", "laptop", updates=12, foundations={"clip": str(clip_file)}), tmp_path / "a", device="cpu", quiet=True)
    with pytest.raises(DalleEduError, match="dalle_mini"):
        train(Run("vqgan_clip", "laptop", updates=12), tmp_path / "c", device="cpu", quiet=True)
    with pytest.raises(DalleEduError, match="not built on"):
        train(Run("dalle1", "laptop", updates=12, foundations={"clip": str(clip_file)}), tmp_path / "b", device="cpu", quiet=True)


def test_what_another_version_left_unfinished_is_refused_and_kept(tmp_path, monkeypatch):
    """Version 0.1 called the average otherwise: to go on without it would begin the average anew, and say nothing."""
    kind = model_class("dalle1")
    monkeypatch.setitem(kind.presets, "tiny", TINY["dalle1"]().config)
    monkeypatch.setattr(kind, "loss", breaking_off(kind.loss, 3))
    run = Run("dalle1", "tiny", updates=UPDATES, batch_size=4, exam=0, save_every=0.0)
    with pytest.raises(MemoryError):
        train(run, tmp_path, device="cpu", quiet=True)
    path = tmp_path / "checkpoint.safetensors"
    tensors, metadata = load_checkpoint(path)
    assert any(name.startswith("ema.") for name in tensors)
    (tmp_path / "checkpoint.before.safetensors").unlink()
    for renamed in (("ema.", "average."), ("system.gpt.", "system.model.")):
        save_checkpoint(path, {name.replace(*renamed): tensor for name, tensor in tensors.items()}, metadata)
        left = path.read_bytes()
        with pytest.raises(DalleEduError, match="another version"):
            train(run, tmp_path, device="cpu", quiet=True)
        assert path.read_bytes() == left
