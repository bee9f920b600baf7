"""DALL·E 1: what it does beyond the contract of all systems."""

from typing import cast

import pytest
import torch
from tiny_systems import build

import dalle_edu
from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.systems.dalle1 import DallE1
from dalle_edu.world import World

PROMPTS = ["un cercle rouge", "a large blue square", "trois étoiles vertes"]


@pytest.fixture(scope="module")
def tiny() -> DallE1:
    return cast("DallE1", build("dalle1"))


def test_guidance_one_draws_as_if_there_were_none(tiny):
    from dalle_edu.bricks.gpt import sample_codes
    from dalle_edu.systems.interface.noise import uniforms_for

    codes = sample_codes(tiny.gpt, tiny.tokens(PROMPTS), uniforms_for(3, 64, 5))
    plain = tiny.dvae.decode(codes.unflatten(1, (8, 8))).clamp(-1, 1).detach()
    assert torch.equal(tiny.generate(PROMPTS, seed=5, guidance_scale=1.0), plain)
    assert not torch.equal(tiny.generate(PROMPTS, seed=5, guidance_scale=6.0), plain)


def test_the_callback_sees_every_code(tiny):
    seen = []
    drawn = tiny.generate(PROMPTS, seed=0, callback=lambda told: seen.append(told.state.clone()))
    assert [int((codes != 0).any(dim=0).nonzero().max()) < position + 1 for position, codes in enumerate(seen)] == [True] * 64
    assert torch.equal(tiny.decode(seen[-1]), drawn)


def test_the_loss_depends_on_the_caption_and_on_the_generator_alone(tiny):
    batch = World(8).collate([World(8)[i] for i in range(8)])
    images = batch.images(32)

    def loss(captions, seed=0):
        return tiny.loss(images, captions, stage="prior", generator=torch.Generator().manual_seed(seed))["loss"]

    assert loss(batch.captions) == loss(batch.captions)
    assert loss(batch.captions) != loss(list(reversed(batch.captions)))


@pytest.mark.parametrize(
    "options",
    [
        {"guidance_scale": -1.0},
        {"guidance_scale": 1e9},
        {"temperature": -0.1},
        {"temperature": 11.0},
        {"top_k": 0},
        {"top_p": 0.0},
        {"top_p": 1.5},
        {"epsilon": -0.01},
        {"epsilon": 1.5},
    ],
)
def test_settings_out_of_range_are_refused(tiny, options):
    with pytest.raises(DalleEduError, match="it"):
        tiny.generate(["a red circle"], **options)


def test_weights_of_other_shapes_than_their_configuration_are_refused(tiny, tmp_path):
    path = tmp_path / "weights.safetensors"
    tiny.save(path)
    tensors, facts = load_checkpoint(path)
    facts["config"]["model"]["gpt"]["width"] = 2**16  # would take gigabytes if it were built before it is checked
    save_checkpoint(path, tensors, facts)
    with pytest.raises(DalleEduError, match="other shapes"):
        dalle_edu.load(path)
    facts["config"]["model"]["gpt"]["no_such_field"] = 1
    save_checkpoint(path, tensors, facts)
    with pytest.raises(DalleEduError, match="cannot build"):
        dalle_edu.load(path)


def test_a_training_state_is_not_taken_for_a_system(tmp_path):
    save_checkpoint(tmp_path / "state.safetensors", {"x": torch.zeros(1)}, {"run": {}})
    with pytest.raises(DalleEduError, match="no finished system"):
        dalle_edu.load(tmp_path / "state.safetensors")


def test_an_unknown_name_is_refused():
    with pytest.raises(DalleEduError, match="dalle1"):
        dalle_edu.load("dalle9")


# ---------------------------------------------------------------- with a picture at hand


def test_completion_keeps_the_given_rows_and_looks_at_nothing_below(tiny):
    images = World(3).collate([World(3)[i] for i in range(3)]).images(32)
    finished = tiny.complete(images, PROMPTS, rows=0.5, seed=1)
    assert torch.equal(finished[:, :, :16], images[:, :, :16])
    hidden = images.clone()
    hidden[:, :, 16:] = 0.3
    assert torch.equal(tiny.complete(hidden, PROMPTS, rows=0.5, seed=1), finished)
    assert not torch.equal(tiny.complete(images, PROMPTS, rows=0.5, seed=2), finished)
    assert torch.equal(tiny.complete(images, PROMPTS, rows=0.0, seed=1), tiny.generate(PROMPTS, seed=1))
    assert torch.equal(tiny.complete(images, PROMPTS, rows=1.0), images)


def test_an_unchanged_caption_changes_no_code(tiny):
    images = World(3).collate([World(3)[i] for i in range(3)]).images(32)
    assert torch.equal(tiny.alter(images, PROMPTS, PROMPTS), tiny.reconstruct(images))


@pytest.mark.parametrize("images", [torch.zeros(1, 3, 16, 16), torch.full((1, 3, 32, 32), 2.0)])
def test_pictures_of_another_size_or_range_are_refused(tiny, images):
    with pytest.raises(DalleEduError, match="pictures"):
        tiny.complete(images, PROMPTS[:1])


def test_a_part_of_the_height_out_of_range_is_refused(tiny):
    with pytest.raises(DalleEduError, match="height"):
        tiny.complete(torch.zeros(1, 3, 32, 32), PROMPTS[:1], rows=1.5)
