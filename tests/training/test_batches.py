"""How batches are made and taken: by other processes, and in parts whose gradients add up to those of the whole."""

import multiprocessing
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
import torch
from tiny_training import RUN
from torch import Tensor

from dalle_edu.checkpoints.checkpoint import load_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.dalle1 import DallE1
from dalle_edu.training import batches, loop
from dalle_edu.training.loop import train

SHORT = replace(RUN, updates=8, batch_size=8, exam=0, save_every=1e9)


def watched(monkeypatch, tmp_path, parts: int) -> dict[str, Any]:
    """The gradients of the first update, the captions of each call and the losses that are logged, when a batch is taken in parts.

    The loss here has no chance in it: with it, the parts of a batch would draw other random numbers than the whole.
    """
    seen: dict[str, Any] = {"captions": [], "gradients": None, "losses": []}

    def loss(self: DallE1, stage: str, images: Tensor, captions: list[str], progress: float, generator: Any) -> dict[str, Tensor]:
        seen["captions"].append(list(captions))
        logits = self.dvae.encoder(images)
        return {"loss": logits.log_softmax(dim=1)[:, 0].square().mean() + logits.square().mean()}

    def clip(parameters: list[Tensor], largest: float) -> None:
        if seen["gradients"] is None:
            seen["gradients"] = [None if p.grad is None else p.grad.clone() for p in parameters]

    def log(self: Any, stage: Any, clock: Any, losses: dict[str, Tensor], bar: Any) -> None:
        seen["losses"].append(float(losses["loss"]))

    with monkeypatch.context() as patched:
        patched.setenv("DALLE_EDU_BF16", "0")  # parts and whole are rounded otherwise in bfloat16, which some processors have
        patched.setattr(DallE1, "stage_loss", loss)
        patched.setattr(loop.Accelerator, "clip_grad_norm_", lambda self, parameters, largest: clip(parameters, largest))
        patched.setattr(loop.Trainer, "_log", log)
        run = replace(SHORT, only="codec", accumulate=parts)
        train(run, tmp_path / str(parts), device="cpu", quiet=True)
    seen["weights"] = load_checkpoint(tmp_path / str(parts) / "checkpoint.safetensors")[0]
    return seen


def test_the_parts_of_a_batch_add_up_to_the_whole(monkeypatch, tmp_path):
    whole, *others = (watched(monkeypatch, tmp_path, parts) for parts in (1, 2, 4))
    assert any(gradient is not None and gradient.abs().max() > 1e-3 for gradient in whole["gradients"])
    for parts, other in zip((2, 4), others, strict=True):
        assert [len(each) for each in other["captions"]] == [8 // parts] * 8 * parts
        assert list(chain(*other["captions"])) == list(chain(*whole["captions"]))
        for ours, theirs in zip(whole["gradients"], other["gradients"], strict=True):
            assert (ours is None) == (theirs is None)
            if ours is not None:
                torch.testing.assert_close(theirs, ours, rtol=1e-4, atol=1e-6)
        assert other["losses"] == pytest.approx(whole["losses"], rel=1e-3)
        for name, value in whole["weights"].items():
            torch.testing.assert_close(other["weights"][name], value, rtol=1e-2, atol=2e-3)


def test_a_run_that_accumulates_reaches_its_end(tmp_path):
    train(replace(SHORT, accumulate=4), tmp_path, device="cpu", quiet=True)
    assert (tmp_path / "dalle1.safetensors").exists()


def test_a_batch_that_does_not_divide_into_parts_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(DalleEduError, match=r"a batch of 8 cannot be shared out among 1 processes in 3 parts; choose a multiple"):
        train(replace(SHORT, accumulate=3), tmp_path / "run", device="cpu", quiet=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_batches_made_by_other_processes_are_the_same(way, tmp_path, monkeypatch):
    """However processes are started: on Windows and on a Mac they are spawned."""
    if way not in multiprocessing.get_all_start_methods():
        pytest.skip(f"there is no {way} here")
    real = batches.DataLoader
    monkeypatch.setattr(batches, "DataLoader", lambda *a, **o: real(*a, **o, multiprocessing_context=way if o["num_workers"] else None))
    run = replace(SHORT, only="codec", updates=4)
    alone = train(run, tmp_path / "alone", device="cpu", quiet=True, workers=0).state_dict()
    helped = train(run, tmp_path / "helped", device="cpu", quiet=True, workers=2).state_dict()
    assert all(torch.equal(value, helped[name]) for name, value in alone.items())


@pytest.mark.parametrize("workers", [-1, 2.5, 257, "2", True])
def test_a_number_of_workers_is_checked(workers, tmp_path, no_shape_checking):
    with pytest.raises(DalleEduError, match="workers is"):
        train(SHORT, tmp_path / "run", device="cpu", quiet=True, workers=workers)
    assert not (tmp_path / "run").exists()
