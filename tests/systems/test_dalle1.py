"""DALL·E 1: its interface, its sampling contract, and its weights on disk."""

import copy

import pytest
import torch

import dalle_edu
from dalle_edu.bricks.dvae import DVAEConfig
from dalle_edu.bricks.gpt import GPTConfig
from dalle_edu.checkpoints import load_checkpoint, save_checkpoint
from dalle_edu.errors import DalleEduError
from dalle_edu.optim import trained_parameters
from dalle_edu.systems.dalle1 import PRESETS, DallE1, DallE1Config
from dalle_edu.world import World

PROMPTS = ["un cercle rouge", "a large blue square", "trois étoiles vertes"]


@pytest.fixture(scope="module")
def tiny() -> DallE1:
    torch.manual_seed(0)
    config = DallE1Config(
        dvae=DVAEConfig(resolution=32, num_codes=32, width=16, depth=1),
        gpt=GPTConfig(num_codes=32, width=32, depth=2, heads=2),
        temperature=1.0,
    )
    return DallE1(config).eval()


def test_pictures_have_the_promised_shape_and_range(tiny):
    images = tiny.generate(PROMPTS, seed=1)
    assert images.shape == (3, 3, 32, 32)
    assert images.min() >= -1
    assert images.max() <= 1


def test_the_same_seed_gives_the_same_pictures_and_another_seed_others(tiny):
    first = tiny.generate(PROMPTS, seed=1)
    assert torch.equal(first, tiny.generate(PROMPTS, seed=1))
    assert not torch.equal(first, tiny.generate(PROMPTS, seed=2))


def test_pictures_of_one_prompt_differ(tiny):
    images = tiny.generate(["a red circle"] * 4, seed=0)
    assert not torch.equal(images[0], images[1])


def test_a_picture_does_not_depend_on_its_batch(tiny):
    many = tiny.generate(PROMPTS, seed=3)
    torch.testing.assert_close(tiny.generate(PROMPTS[:1], seed=3), many[:1], atol=1e-5, rtol=0)


def test_guidance_one_draws_as_if_there_were_none(tiny):
    from dalle_edu.bricks.gpt import sample_codes
    from dalle_edu.systems.system import chance

    codes = sample_codes(tiny.gpt, tiny.tokens(PROMPTS), chance(3, 64, 5))
    plain = tiny.dvae.decode(codes.unflatten(1, (8, 8))).clamp(-1, 1).detach()
    assert torch.equal(tiny.generate(PROMPTS, seed=5, guidance=1.0), plain)
    assert not torch.equal(tiny.generate(PROMPTS, seed=5, guidance=6.0), plain)


def test_generating_changes_neither_prompts_nor_weights(tiny):
    prompts, weights = list(PROMPTS), copy.deepcopy(tiny.state_dict())
    tiny.generate(prompts, seed=0, guidance=3.0)
    assert prompts == PROMPTS
    assert all(torch.equal(weights[name], value) for name, value in tiny.state_dict().items())


def test_the_callback_sees_every_code(tiny):
    seen = []
    tiny.generate(PROMPTS, seed=0, callback=lambda position, codes: seen.append((position, int((codes != 0).sum()))))
    assert [position for position, _ in seen] == list(range(64))


@pytest.mark.parametrize("stage", ["codec", "decoder", "prior"])
def test_a_stage_trains_its_own_parts_and_only_them(tiny, stage):
    batch = World(8).collate([World(8)[i] for i in range(8)])
    system = copy.deepcopy(tiny).train()
    losses = system.loss(batch.images(32), batch.captions, stage=stage, progress=0.5, generator=torch.Generator().manual_seed(0))
    losses["loss"].backward()
    touched = {name for name, parameter in system.named_parameters() if parameter.grad is not None}
    recipe = next(recipe for recipe in system.stages if recipe.name == stage)
    assert touched == {name for name, _ in trained_parameters(system, recipe)}


def test_the_loss_depends_on_the_caption_and_on_the_generator_alone(tiny):
    batch = World(8).collate([World(8)[i] for i in range(8)])
    images = batch.images(32)

    def loss(captions, seed=0):
        return tiny.loss(images, captions, stage="prior", generator=torch.Generator().manual_seed(seed))["loss"]

    assert loss(batch.captions) == loss(batch.captions)
    assert loss(batch.captions) != loss(list(reversed(batch.captions)))


@pytest.mark.parametrize(
    "options",
    [{"guidance": -1.0}, {"guidance": 1e9}, {"temperature": -0.1}, {"temperature": 11.0}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}],
)
def test_settings_out_of_range_are_refused(tiny, options):
    with pytest.raises(DalleEduError, match="it"):
        tiny.generate(["a red circle"], **options)


@pytest.mark.parametrize(
    "prompts", [[], ["a red circle"] * 1025, "a red circle", [""], ["x" * 10_000], ["a red\x00circle"], ["Привет мир"]]
)
def test_prompts_that_cannot_be_drawn_are_refused(tiny, prompts):
    with pytest.raises(DalleEduError):
        tiny.generate(prompts)


def test_saved_and_loaded_it_draws_the_same(tiny, tmp_path):
    tiny.save(tmp_path / "weights.safetensors", dtype=torch.float32)
    loaded = dalle_edu.load(tmp_path / "weights.safetensors")
    assert torch.equal(loaded.generate(PROMPTS, seed=4), tiny.generate(PROMPTS, seed=4))
    assert loaded.config == tiny.config


def test_weights_of_other_shapes_than_their_configuration_are_refused(tiny, tmp_path):
    path = tmp_path / "weights.safetensors"
    tiny.save(path)
    tensors, facts = load_checkpoint(path)
    facts["config"]["gpt"]["width"] = 2**20  # would take terabytes if it were built before it is checked
    save_checkpoint(path, tensors, facts)
    with pytest.raises(DalleEduError, match="other shapes"):
        dalle_edu.load(path)
    facts["config"]["gpt"]["no_such_field"] = 1
    save_checkpoint(path, tensors, facts)
    with pytest.raises(DalleEduError, match="cannot build"):
        dalle_edu.load(path)


def test_a_training_state_is_not_taken_for_a_system(tmp_path):
    save_checkpoint(tmp_path / "state.safetensors", {"x": torch.zeros(1)}, {"run": {}})
    with pytest.raises(DalleEduError, match="no system that draws"):
        dalle_edu.load(tmp_path / "state.safetensors")


def test_an_unknown_name_is_refused():
    with pytest.raises(DalleEduError, match="dalle1"):
        dalle_edu.load("dalle9")


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_presets_fit_together_and_fit_in_their_file(preset):
    with torch.device("meta"):
        system = DallE1(PRESETS[preset])
    assert system.resolution == {"laptop": 32, "standard": 64, "gpu": 128}[preset]
    if preset == "standard":
        assert system.parameter_count() * 2 < 10 * 2**20


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


@pytest.mark.parametrize("images", [torch.zeros(1, 3, 16, 16), torch.zeros(3, 32, 32), torch.full((1, 3, 32, 32), 2.0)])
def test_pictures_of_another_size_or_range_are_refused(tiny, images):
    with pytest.raises(DalleEduError, match="pictures"):
        tiny.complete(images, PROMPTS[:1])


def test_a_part_of_the_height_out_of_range_is_refused(tiny):
    with pytest.raises(DalleEduError, match="height"):
        tiny.complete(torch.zeros(1, 3, 32, 32), PROMPTS[:1], rows=1.5)
