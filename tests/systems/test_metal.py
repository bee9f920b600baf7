"""Every system on an Apple GPU, emulated: it draws, edits, learns and is examined, where Metal refuses float64 and CPU tensors mixed in."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from emulated.metal import emulated_metal
from tiny_systems import TINY, build, drawings, small, tiny_clip

from dalle_edu.bricks.decoding import beam_search, sample
from dalle_edu.bricks.noise_schedule import NoiseSchedule
from dalle_edu.bricks.word2vec import Word2VecConfig, keep_probability, noise_distribution, train_word2vec
from dalle_edu.bricks.words import Vocabulary
from dalle_edu.device import choose_device
from dalle_edu.loading import trained_systems
from dalle_edu.scorecard import score
from dalle_edu.scorecard.critic_exam import examine_critic
from dalle_edu.systems.interface.registry import model_class
from dalle_edu.training.loop import train
from dalle_edu.training.run import Run
from dalle_edu.world import World


@pytest.fixture
def metal() -> Iterator[torch.device]:
    with emulated_metal() as device:
        yield device


# ---------------------------------------------------------------- the emulation


def test_the_emulated_gpu_refuses_what_metals_does(metal):
    x = torch.ones(2, 3, device=metal)
    assert x.device.type == "mps"
    assert choose_device().torch_device.type == "mps"
    for float64 in (
        lambda: x.double(),
        lambda: x.to(torch.float64),
        lambda: torch.zeros(2, dtype=torch.float64, device=metal),
        lambda: torch.tensor(np.ones(2), device=metal),
        lambda: torch.from_numpy(np.ones(2)).to(metal),
        lambda: x.to("cpu", torch.float64),
        lambda: x.numpy(),
    ):
        with pytest.raises(TypeError):
            float64()
    for mixed in (lambda: x + torch.ones(3), lambda: x @ torch.ones(3, 2), lambda: torch.where(torch.ones(3) > 0, x, x)):
        with pytest.raises(RuntimeError, match="at least two devices"):
            mixed()
    for drawn in (
        lambda: torch.rand(2, device=metal, generator=torch.Generator("cpu")),
        lambda: x.normal_(generator=torch.Generator("cpu")),
        lambda: torch.rand(2, generator=torch.Generator(metal)),
    ):
        with pytest.raises(RuntimeError, match="device type for generator"):
            drawn()
    for missing in (lambda: x.mode(dim=1), lambda: torch.linalg.eigh(x @ x.T)):
        with pytest.raises(NotImplementedError, match="for the MPS device"):
            missing()


def test_the_emulated_gpu_computes_what_the_cpu_does_and_gradients_too(metal):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.SiLU(), torch.nn.Flatten(), torch.nn.Linear(144, 2))
    x = torch.randn(2, 3, 8, 8)
    network(x).square().mean().backward()
    expected = [parameter.grad.clone() for parameter in network.parameters()]
    network.zero_grad()
    network.to(metal)
    network(x.to(metal)).square().mean().backward()
    for parameter, gradient in zip(network.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad.cpu(), gradient)
    across = torch.ones(3, requires_grad=True)
    (across.to(metal) * 2).cpu().sum().backward()
    assert across.grad.tolist() == [2, 2, 2]


# ---------------------------------------------------------------- the bricks


def test_codes_and_beams_are_chosen_as_on_the_cpu(metal, generator):
    logits, uniform = torch.randn(64, 300, generator=generator), torch.rand(64, generator=generator)
    assert torch.equal(sample(logits.to(metal), uniform.to(metal)).cpu(), sample(logits, uniform))
    table = torch.randn(5, 5, generator=generator).log_softmax(dim=-1)
    expected, expected_score = beam_search(lambda tokens: table[tokens[:, -1]], torch.tensor([0]), 3, 4)
    on_metal = table.to(metal)
    found, score = beam_search(lambda tokens: on_metal[tokens[:, -1]], torch.tensor([0], device=metal), 3, 4)
    assert found.device.type == "mps"
    assert found.tolist() == expected.tolist()
    assert score == pytest.approx(expected_score)


def test_words_and_schedules_work_there(metal):
    counts = torch.tensor([3, 50, 20, 2])
    for function in (keep_probability, noise_distribution):
        torch.testing.assert_close(function(counts.to(metal)).cpu(), function(counts).float())
    betas = torch.linspace(0.01, 0.5, 8)
    schedule, x = NoiseSchedule(betas.to(metal)), torch.zeros(3, 2, device=metal)
    torch.testing.assert_close(schedule.alphas_bar, NoiseSchedule(betas).alphas_bar)
    assert schedule.rates(torch.tensor([0, 3, 7], device=metal), x)[0].device.type == "mps"
    sentences = [["un", "chat", "noir"], ["un", "chien", "noir"]] * 4
    config = Word2VecConfig(dim=4, epochs=1, batch_size=8)
    model, losses = train_word2vec(sentences, Vocabulary(sentences), config, torch.Generator(metal).manual_seed(0))
    assert next(model.parameters()).device.type == "mps"
    assert np.isfinite(losses).all()


# ---------------------------------------------------------------- the systems


@pytest.mark.parametrize("name", sorted(TINY))
def test_every_drawing_is_that_of_the_cpu(name):
    system = small(name)
    expected = {verb: draw() for verb, draw in drawings(system).items()}
    with emulated_metal() as metal:
        on_metal = drawings(small(name).to(metal))
        assert on_metal.keys() == expected.keys()
        for verb, draw in on_metal.items():
            drawn = draw()
            assert drawn.device.type == "mps", verb
            torch.testing.assert_close(drawn.cpu(), expected[verb], atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", [*sorted(TINY.keys() - {"vqgan_clip"}), "clip"])
def test_ten_updates_train_every_stage(name, metal, tmp_path, monkeypatch):
    """Both optimisers, the moving average, exams along the way, and the checkpoint."""
    torch.manual_seed(0)
    tiny_clip().save(tmp_path / "clip.safetensors")
    config = (tiny_clip() if name == "clip" else small(name)).config
    monkeypatch.setitem(model_class(name).presets, "tiny", config)
    foundations = {"clip": str(tmp_path / "clip.safetensors")} if name == "dalle2" else {}
    run = Run(name, "tiny", updates=10, batch_size=2, exam=2, foundations=foundations)
    system = train(run, tmp_path / "run", quiet=True)
    assert system.device.type == "mps"
    assert (tmp_path / "run" / f"{name}.safetensors").exists()
    assert len((tmp_path / "run" / "log.jsonl").read_text().splitlines()) >= len(system.stages)
    if name != "clip":
        score(system, name, 2)


def test_the_components_of_embeddings_are_those_of_the_cpu(metal, generator):
    z = F.normalize(torch.randn(200, 16, generator=generator), dim=1)
    cpu, there = build("dalle2").prior_ar, build("dalle2").prior_ar.to(metal)
    for prior, embeddings in ((cpu, z), (there, z.to(metal))):
        for part in embeddings.split(20):
            prior.follow(part)
        prior.settle()
    torch.testing.assert_close(there.basis.cpu(), cpu.basis, atol=1e-3, rtol=0)
    torch.testing.assert_close(there.deviation.cpu(), cpu.deviation)


def test_a_critic_is_given_pictures_of_another_device(metal):
    torch.manual_seed(0)
    critic = tiny_clip().eval()
    world = World(4)
    batch = world.collate([world[i] for i in range(4)])
    images = batch.images(64)
    expected = critic.similarity(images, batch.captions)
    critic.to(metal)
    torch.testing.assert_close(critic.similarity(images, batch.captions).cpu(), expected, atol=1e-4, rtol=0)
    assert critic.classify(images, ["circle", "square"]).device.type == "mps"
    assert critic.search(["a red circle"], images).shape == (1, 1)
    shown = images.to(metal).requires_grad_()
    critic.similarity(shown, batch.captions).sum().backward()  # resized, and gradients pass
    assert shown.grad.device.type == "mps"
    assert float(shown.grad.abs().sum()) > 0
    examine_critic(critic, prompts=8, gallery=4, resolution=32)


def marks(file: Path) -> list[dict[str, bool]]:
    return [picture["marks"] for picture in json.loads(file.read_text(encoding="utf-8"))["pictures"]]


@pytest.mark.slow
def test_the_demo_draws_with_every_system(run, tmp_path):
    """What `make demo` runs, the README's first command, with the weights that come with the package."""
    demo = ("un grand cercle rouge à gauche d'un petit carré bleu", "-n", 1, "--seed", 0, "--set", "beginnings=8", "--set", "steps=24")
    for name in trained_systems():
        settings = demo if name == "vqgan_clip" else demo[:-4]
        words = ("generate", *settings, "--system", name, "--out", f"{name}.png", "--json", f"{name}.json")
        status, _, error = run(*words)
        assert status == 0, error
        expected = marks(tmp_path / f"{name}.json")
        with emulated_metal():
            status, _, error = run(*words)
        assert status == 0, error
        assert marks(tmp_path / f"{name}.json") == expected
