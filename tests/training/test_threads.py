"""Threads that share a batch: what they find is what one after the other would, and nothing is left behind."""

import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from by_hand import seeded
from tiny_systems import TINY, build, tiny_clip
from tiny_training import RUN
from torch import Tensor, nn

from dalle_edu.checkpoints.checkpoint import load_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.clip import Clip
from dalle_edu.systems.dalle1 import DallE1
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.training import threads as threads_module
from dalle_edu.training.conditions import differences
from dalle_edu.training.ema import EMA
from dalle_edu.training.loop import train
from dalle_edu.training.optimizers import trained_parameters
from dalle_edu.training.threads import BatchThreads, pieces_of
from dalle_edu.world import World

STAGES = [(name, stage.name) for name in sorted(TINY) for stage in build(name).stages] + [("clip", "clip")]
DIVISIBLE = {
    ("dalle1", "decoder"),
    ("dalle1", "prior"),
    ("dalle2", "decoder"),
    ("dalle2", "prior"),
    ("dalle2", "prior_ar"),
    ("dalle2", "upsampler_64"),
    ("dalle_mini", "features"),
    ("dalle_mini", "prior"),
    ("imagen", "base"),
    ("imagen", "upsampler_64"),
}
SHORT = replace(RUN, updates=12, batch_size=4, exam=0, save_every=60.0)  # 8 updates of the codec, 1 and 3


@pytest.fixture(scope="module", autouse=True)
def small_pieces() -> Iterator[None]:
    """Pieces of two pictures, so that a batch of four is cut."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(threads_module, "SMALLEST", 2)
        yield


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """Two threads of PyTorch's, and as many as before once a test is over."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def of_new_threads() -> int:
    """How many threads PyTorch takes in a thread that is started now."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


def learner(name: str, stage_name: str) -> tuple[Trainable, Stage]:
    """A tiny system in training, of which one stage's parts learn."""
    system: Trainable = tiny_clip() if name == "clip" else build(name)
    stage = next(each for each in system.stages if each.name == stage_name)
    learning = {parameter for _, parameter in trained_parameters(system, stage)}
    for parameter in system.parameters():
        parameter.requires_grad_(parameter in learning)
    return system.train().to(memory_format=torch.channels_last), stage  # as in the loop


def batch(system: Trainable, n: int) -> tuple[Tensor, list[str]]:
    world = World(5)
    batch = world.collate([world[i] for i in range(n)])
    return batch.images(system.resolution), batch.captions


# ---------------------------------------------------------------- gradients


@pytest.mark.parametrize(("n", "pieces"), [(8, 2), (7, 3)])
def test_gradients_are_those_of_the_whole_batch(n, pieces):
    """In double precision, by one backward pass over all pictures; pieces of other sizes count for their pictures."""
    toy = nn.Module()
    toy.used, toy.unused = nn.Parameter(torch.randn(3, 2, generator=seeded(), dtype=torch.float64)), nn.Parameter(torch.ones(2))
    images = torch.randn(n, 3, generator=seeded(1), dtype=torch.float64)
    met: list[list[str]] = []

    def loss_of(model: Any, images: Tensor, captions: Any, generator: Any) -> dict[str, Tensor]:
        met.append(captions)
        loss = (images @ model.used).sin().square().sum(dim=1).mean()
        return {"loss": loss, "twice": 2 * loss.detach()}

    captions = [str(i) for i in range(n)]
    whole = loss_of(toy, images, captions, None)["loss"]
    (expected,) = torch.autograd.grad(whole, toy.used)
    met.clear()
    with BatchThreads(pieces, toy, torch.device("cpu")) as threads:
        losses, again = (threads.learn(loss_of, images, captions, [toy.used, toy.unused], weight=0.5) for _ in range(2))
    assert sorted(caption for each in met[:pieces] for caption in each) == captions
    assert {len(each) for each in met} == {n // pieces, -(-n // pieces)}
    torch.testing.assert_close(toy.used.grad, expected, rtol=1e-12, atol=1e-12)  # two halves of it
    assert toy.unused.grad is None
    for found in (losses, again):
        torch.testing.assert_close(found["loss"], whole.detach(), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(found["twice"], 2 * whole.detach(), rtol=1e-12, atol=1e-12)
        assert not found["loss"].requires_grad


@pytest.mark.parametrize(("name", "stage_name"), sorted(DIVISIBLE))
def test_threads_learn_what_parts_one_after_the_other_would(name, stage_name):
    """Against a loop over the pieces, each with random numbers of its own, in this thread alone."""
    system, stage = learner(name, stage_name)
    images, captions = batch(system, 4)
    learning = [parameter for _, parameter in trained_parameters(system, stage)]

    def loss_of(system: Any, images: Tensor, captions: Any, generator: Any) -> dict[str, Tensor]:
        return system(images, captions, stage=stage_name, progress=0.5, generator=generator)

    torch.set_num_threads(1)
    losses = []
    for rows, seed in ((slice(0, 2), 1), (slice(2, 4), 2)):
        parts = loss_of(system, images[rows], captions[rows], seeded(seed))
        (parts["loss"] / 2).backward()
        losses.append(parts["loss"].detach())
    expected = [parameter.grad for parameter in learning]
    for parameter in learning:
        parameter.grad = None
    torch.set_num_threads(2)
    with BatchThreads(2, system, torch.device("cpu")) as threads:
        threads.seed(1)
        found = threads.learn(loss_of, images, captions, learning)
    torch.testing.assert_close(found["loss"], sum(losses) / 2)
    assert any(gradient is not None and gradient.any() for gradient in expected)
    for parameter, gradient in zip(learning, expected, strict=True):
        assert (parameter.grad is None) == (gradient is None)
        if gradient is not None:
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-6)
            assert parameter.grad.stride() == parameter.stride()


# ---------------------------------------------------------------- which batches are cut


def test_pieces_are_as_many_as_threads_and_none_is_small():
    assert [pieces_of(size) for size in (1, 2, 3, 4, 64)] == [1, 1, 1, 2, 2]
    torch.set_num_threads(1)
    assert pieces_of(64) == 1


def test_clip_keeps_its_batches_whole(tmp_path, monkeypatch):
    met: list[tuple[int, str]] = []
    real = Clip.stage_loss

    def loss(self: Clip, stage: Any, images: Tensor, *rest: Any) -> Any:
        met.append((len(images), threading.current_thread().name))
        return real(self, stage, images, *rest)

    monkeypatch.setattr(Clip, "stage_loss", loss)
    monkeypatch.setitem(Clip.presets, "tiny", tiny_clip().config)
    train(replace(SHORT, system="clip", updates=2), tmp_path, device="cpu", quiet=True)
    assert met == [(4, threading.main_thread().name)] * 2
    assert "pieces" not in load_checkpoint(tmp_path / "checkpoint.safetensors")[1]["conditions"]


# ---------------------------------------------------------------- whole runs


def weights(folder: Path) -> dict[str, Tensor]:
    return load_checkpoint(folder / "checkpoint.safetensors")[0]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    folder, before = tmp_path_factory.mktemp("undisturbed"), torch.get_num_threads()
    torch.set_num_threads(2)
    train(SHORT, folder, device="cpu", quiet=True)
    torch.set_num_threads(before)
    return folder


def test_a_run_in_two_threads_is_repeated_bit_for_bit(undisturbed, tmp_path):
    train(SHORT, tmp_path, device="cpu", quiet=True)
    expected, found = weights(undisturbed), weights(tmp_path)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert (torch.get_num_threads(), of_new_threads()) == (2, 2)


def test_an_interrupted_run_goes_on_as_if_it_had_never_stopped(undisturbed, tmp_path, monkeypatch):
    update = EMA.update
    counted = [0]

    def interrupted(self: EMA, *rest: Any) -> None:
        update(self, *rest)
        counted[0] += 1
        if counted[0] == 11:  # in the middle of the prior
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(EMA, "update", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(SHORT, tmp_path, device="cpu", quiet=True)
    assert (torch.get_num_threads(), of_new_threads()) == (2, 2)
    _, metadata = load_checkpoint(tmp_path / "checkpoint.safetensors")
    assert (metadata["stage"], metadata["clocks"][2]["update"], metadata["conditions"]["pieces"]) == (2, 2, 2)
    train(SHORT, tmp_path, device="cpu", quiet=True)
    expected, found = weights(undisturbed), weights(tmp_path)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_pieces_are_seen_by_threads_of_their_own_with_random_numbers_of_their_own(tmp_path, monkeypatch):
    met: list[tuple[str, str, int, int, bytes, bool]] = []
    real = DallE1.stage_loss

    def loss(self: DallE1, stage: str, images: Tensor, captions: Any, progress: Any, generator: Any) -> Any:
        thread, state = threading.current_thread(), bytes(generator.get_state().tolist())
        met.append((stage, thread.name, len(images), torch.get_num_threads(), state, torch.is_autocast_enabled("cpu")))
        return real(self, stage, images, captions, progress, generator)

    monkeypatch.setattr(DallE1, "stage_loss", loss)
    monkeypatch.setenv("DALLE_EDU_BF16", "1")
    train(replace(SHORT, updates=4), tmp_path, device="cpu", quiet=True)
    assert len({state for *_, state, _ in met}) == len(met)  # each update and each piece
    codec, others = [each for each in met if each[0] == "codec"], [each for each in met if each[0] != "codec"]
    assert {each[1:4] for each in codec} == {(threading.main_thread().name, 4, 2)}
    assert others
    assert {each[2:4] for each in others} == {(2, 1)}
    assert all(name.startswith("piece") for _, name, *_ in others)
    assert all(autocast for *_, autocast in met)


def test_with_one_thread_nothing_is_cut(tmp_path, monkeypatch):
    sizes: list[tuple[int, str]] = []
    real = DallE1.stage_loss

    def loss(self: DallE1, stage: str, images: Tensor, *rest: Any) -> Any:
        sizes.append((len(images), threading.current_thread().name))
        return real(self, stage, images, *rest)

    monkeypatch.setattr(DallE1, "stage_loss", loss)
    torch.set_num_threads(1)
    train(replace(SHORT, updates=4), tmp_path, device="cpu", quiet=True)
    assert set(sizes) == {(4, threading.main_thread().name)}
    assert "pieces" not in load_checkpoint(tmp_path / "checkpoint.safetensors")[1]["conditions"]


def test_an_error_of_one_piece_comes_out_and_what_was_learned_is_saved(tmp_path, monkeypatch):
    real = DallE1.stage_loss
    counted: list[int] = []

    def loss(self: DallE1, stage: str, *rest: Any) -> Any:
        counted.append(1)
        if stage == "prior" and len(counted) > 14:  # 8 batches of the codec, two pieces of the decoder, four of the prior
            raise DalleEduError("a bad picture", "une image abîmée")
        return real(self, stage, *rest)

    monkeypatch.setattr(DallE1, "stage_loss", loss)
    with pytest.raises(DalleEduError, match="a bad picture"):
        train(SHORT, tmp_path, device="cpu", quiet=True)
    assert load_checkpoint(tmp_path / "checkpoint.safetensors")[1]["clocks"][2]["update"] == 2
    assert (torch.get_num_threads(), of_new_threads()) == (2, 2)
    assert not [each for each in threading.enumerate() if each.name.startswith("piece")]


def test_an_error_waits_for_the_other_pieces():
    """A thread that went on computing would still read the weights while they are saved."""
    ended, toy = threading.Event(), nn.Module()
    toy.weight = nn.Parameter(torch.ones(()))

    def loss_of(model: Any, images: Tensor, captions: Any, generator: Any) -> dict[str, Tensor]:
        if captions[0] == "0":
            raise DalleEduError("the first", "la première")
        ended.wait(0.2)
        ended.set()
        return {"loss": model.weight * images.mean()}

    with BatchThreads(2, toy, torch.device("cpu")) as threads:
        with pytest.raises(DalleEduError, match="the first"):
            threads.learn(loss_of, torch.ones(2, 1), ["0", "1"], [toy.weight])
        assert ended.is_set()
        assert toy.weight.grad is None


def test_a_run_that_an_older_version_began_is_told_that_batches_are_cut():
    older = {"torch": "2", "threads": 2}
    assert differences(older, older | {"pieces": 2}) is not None
    assert "pieces of a batch 1 → 2" in str(differences(older, older | {"pieces": 2}))
    assert "pieces of a batch 2 → 1" in str(differences(older | {"pieces": 2}, older))
    assert differences(older, dict(older)) is None
    assert differences({}, older | {"pieces": 2}) is None  # a version that noted no conditions


def test_buffers_see_the_first_piece_and_copies_share_every_weight():
    """DALL·E 2 follows the embeddings of its pictures while its decoder learns."""
    system, stage = learner("dalle2", "decoder")
    images, captions = batch(system, 4)
    learning = [parameter for _, parameter in trained_parameters(system, stage)]
    alone, _ = learner("dalle2", "decoder")
    alone.loss(images[:2], captions[:2], stage="decoder", generator=seeded())

    def loss_of(model: Any, images: Tensor, captions: Any, generator: Any) -> dict[str, Tensor]:
        return model(images, captions, stage="decoder", generator=generator)

    with BatchThreads(2, system, torch.device("cpu")) as threads:
        threads.seed(0)
        threads.learn(loss_of, images, captions, learning)
        first, second = threads.systems
        assert first is system
        assert all(one is other for one, other in zip(first.parameters(), second.parameters(), strict=True))
        torch.testing.assert_close(system.prior_ar.mean, alone.prior_ar.mean, rtol=0, atol=1e-6)
        assert not torch.allclose(second.prior_ar.mean, alone.prior_ar.mean, rtol=0, atol=1e-4)
