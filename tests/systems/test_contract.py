"""What every system promises, whatever it is made of: its sampling contract, its stages, its files."""

import copy
import math
from dataclasses import fields

import pytest
import torch
from tiny_systems import TINY, build

import dalle_edu
from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.device import choose_device
from dalle_edu.errors import DalleEduError
from dalle_edu.loading import load_model, trained_systems
from dalle_edu.systems.interface.noise import noise_for
from dalle_edu.systems.interface.registry import drawing_systems, model_class
from dalle_edu.systems.interface.sampling import SETTINGS, check_settings, described_settings
from dalle_edu.systems.interface.system import System
from dalle_edu.training.optimizers import trained_parameters
from dalle_edu.world import World

PROMPTS = ["un cercle rouge", "a large blue square", "trois étoiles vertes"]
_VERBS = ("complete", "alter", "inpaint", "vary", "mix", "steer", "loop")
EDITS = [(name, verb) for name in TINY for verb in _VERBS if hasattr(build(name), verb)]
STAGES = [(name, stage.name) for name in TINY for stage in build(name).stages]


def pictures(system: System, n: int = 8) -> tuple[torch.Tensor, list[str]]:
    batch = World(n).collate([World(n)[i] for i in range(n)])
    return batch.images(system.resolution), batch.captions


@pytest.fixture(scope="module", params=sorted(TINY))
def tiny(request) -> System:
    return build(request.param)


def test_every_system_is_tried_here():
    assert set(TINY) == set(drawing_systems())


# ---------------------------------------------------------------- drawing


def test_pictures_have_the_promised_shape_and_range(tiny):
    images = tiny.generate(PROMPTS, seed=1)
    assert images.shape == (3, 3, tiny.resolution, tiny.resolution)
    assert images.dtype == torch.float32
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


def test_many_pictures_are_drawn_some_at_a_time(tiny, monkeypatch):
    together = tiny.generate(PROMPTS, seed=3)
    for module in ("families.autoregressive", "families.cascade", "vqgan_clip"):
        monkeypatch.setattr(f"dalle_edu.systems.{module}.TOGETHER", 2)
    torch.testing.assert_close(tiny.generate(PROMPTS, seed=3), together, atol=1e-5, rtol=0)


def test_each_setting_of_sampling_is_taken_checked_and_described(tiny):
    """`generate` takes every field of `config.sampling`, refuses what is out of its range, and refuses what is no field."""
    for name in tiny.settings():
        value = getattr(tiny.config.sampling, name)
        if value is not None:
            assert tiny.generate(PROMPTS[:1], seed=1, **{name: value}).shape[0] == 1, name
        setting = described_settings(tiny.config.sampling)[name]
        wrong = ["much"] if setting.low is None else ["much", math.nan, math.inf, setting.kind(setting.low - 1)]
        wrong += [] if setting.high is None else [setting.kind(setting.high + 1)]
        for each in wrong:
            with pytest.raises(DalleEduError, match=f"{name.replace('_', '-')} is {each!r}; it takes "):
                tiny.generate(PROMPTS[:1], **{name: each})
    with pytest.raises(DalleEduError, match=f"{tiny.name} takes no warp; its settings are: guidance-scale"):
        tiny.generate(PROMPTS[:1], warp=1)


def test_a_setting_changes_the_picture(tiny):
    plain = tiny.generate(PROMPTS, seed=1)
    changes = {
        "temperature": 5.0,
        "steps": 2,
        "tries": 1,
        "top_k": 1,
        "top_p": 0.01,
        "daring": 9.0,
        "epsilon": 1.0,
        "cutouts": 1,
        "prior": "autoregressive",
    }
    tried = {name: value for name, value in changes.items() if name in tiny.settings()}
    assert tried
    for name, value in tried.items():
        assert not torch.equal(tiny.generate(PROMPTS, seed=1, **{name: value}), plain), name


def test_settings_are_described_once_and_each_by_some_system():
    assert set(SETTINGS) <= {name for system in TINY for name in build(system).settings()}


def test_streams_of_chance_have_nothing_in_common():
    first, second = (noise_for(2, (1000,), 0, stream) for stream in (0, 1))
    assert (first @ second.T / 1000).abs().max() < 0.2
    assert torch.equal(noise_for(2, (1000,), 0, 1), second)


@pytest.mark.parametrize(("name", "edit"), EDITS)
def test_edits_of_what_does_not_match_are_refused(name, edit, no_shape_checking):
    tiny = build(name)
    images = pictures(tiny, 2)[0]
    keep = torch.ones(2, 1, tiny.resolution, tiny.resolution, dtype=torch.bool)
    wrong = {
        "complete": [lambda: tiny.complete(images, PROMPTS), lambda: tiny.complete(images[:1], PROMPTS[:2])],
        "alter": [lambda: tiny.alter(images, PROMPTS[:2], PROMPTS[:1]), lambda: tiny.alter(images, PROMPTS[:2], "un cercle")],
        "inpaint": [lambda: tiny.inpaint(images, keep, PROMPTS)],
        "vary": [lambda: tiny.vary(images * float("nan")), lambda: tiny.vary(images[0])],
        "mix": [lambda: tiny.mix(images, images[:1]), lambda: tiny.mix(images, images, 1.5)],
        "steer": [lambda: tiny.steer(images, PROMPTS[:2], PROMPTS), lambda: tiny.steer(images, PROMPTS[:2], PROMPTS[1:], -0.2)],
        "loop": [lambda: tiny.loop(images[..., :16, :16], 3)],
    }
    for attempt in wrong[edit]:
        with pytest.raises(DalleEduError):
            attempt()


def test_the_chance_of_others_is_left_alone(tiny):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    tiny.generate(PROMPTS[:1], seed=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_guidance_moves_the_picture_and_other_captions_do_too(tiny):
    plain = tiny.generate(PROMPTS, seed=5, guidance_scale=1.0)
    assert not torch.equal(tiny.generate(PROMPTS, seed=5, guidance_scale=6.0), plain)
    assert not torch.equal(tiny.generate(PROMPTS[::-1], seed=5, guidance_scale=1.0), plain)


def test_generating_changes_neither_prompts_nor_weights(tiny):
    prompts, weights = list(PROMPTS), copy.deepcopy(tiny.state_dict())
    tiny.generate(prompts, seed=0, guidance_scale=3.0)
    assert prompts == PROMPTS
    assert all(torch.equal(weights[name], value) for name, value in tiny.state_dict().items())
    assert not any(parameter.grad is not None for parameter in tiny.parameters())


@pytest.mark.parametrize("guidance_scale", [-1.0, 1e9])
def test_guidance_out_of_range_is_refused(tiny, guidance_scale):
    with pytest.raises(DalleEduError, match="guidance"):
        tiny.generate(["a red circle"], guidance_scale=guidance_scale)


@pytest.mark.parametrize("prompts", [[], ["a red circle"] * 1025, "", [""], ["x" * 10_000], ["a red\x00circle"], ["Привет мир"]])
def test_prompts_that_cannot_be_drawn_are_refused(tiny, prompts):
    with pytest.raises(DalleEduError):
        tiny.generate(prompts)


# ---------------------------------------------------------------- learning


@pytest.mark.parametrize(("name", "stage"), STAGES)
@pytest.mark.parametrize("progress", [0.1, 0.9])
def test_a_stage_teaches_all_its_parts(name, stage, progress):
    system = build(name).train()
    recipe = next(recipe for recipe in system.stages if recipe.name == stage)
    expected = {parameter for parameter, _ in trained_parameters(system, recipe)}
    for parameter, value in system.named_parameters():
        value.requires_grad_(parameter in expected)  # as training does
    images, captions = pictures(system)
    losses = system.loss(images, captions, stage=stage, progress=progress, generator=torch.Generator().manual_seed(0))
    losses["loss"].backward()
    assert all(losses[part].ndim == 0 and torch.isfinite(losses[part]) for part in losses)
    touched = {parameter for parameter, value in system.named_parameters() if value.grad is not None}
    assert touched == expected if progress > 0.5 else touched  # some parts join in later


def test_the_stages_share_out_the_whole_time(tiny):
    if tiny.name == "vqgan_clip":
        assert tiny.stages == ()
        return
    assert sum(stage.share for stage in tiny.stages) == pytest.approx(1)
    assert sum(stage.updates_share for stage in tiny.stages) == pytest.approx(1)
    names = {parameter for parameter, _ in tiny.named_parameters()}
    for stage in tiny.stages:
        for part in stage.parts:
            assert any(name.startswith(part + ".") for name in names), part
        assert not stage.muon or any(name.startswith(stage.muon) for name in names)


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_the_loss_depends_on_the_generator_alone(name, stage):
    system = build(name).eval()
    images, captions = pictures(system)

    def loss(seed: int) -> torch.Tensor:
        return system.loss(images, captions, stage=stage, progress=0.9, generator=torch.Generator().manual_seed(seed))["loss"]

    assert torch.equal(loss(0), loss(0))


# ---------------------------------------------------------------- files


def test_saved_and_loaded_it_draws_the_same(tiny, tmp_path):
    tiny.save(tmp_path / "weights.safetensors", dtype=torch.float32)
    loaded = dalle_edu.load(tmp_path / "weights.safetensors")
    assert torch.equal(loaded.generate(PROMPTS, seed=4), tiny.generate(PROMPTS, seed=4))
    assert loaded.config == tiny.config


def test_weights_of_other_shapes_than_their_configuration_are_refused(tiny, tmp_path):
    path = tmp_path / "weights.safetensors"
    tiny.save(path)
    tensors, facts = load_checkpoint(path)
    largest = max(tensors, key=lambda name: tensors[name].numel())
    save_checkpoint(path, tensors | {largest: torch.zeros(3)}, facts)
    with pytest.raises(DalleEduError, match="other shapes"):
        dalle_edu.load(path)
    facts["config"]["no_such_field"] = 1
    save_checkpoint(path, tensors, facts)
    with pytest.raises(DalleEduError, match="cannot build"):
        dalle_edu.load(path)


@pytest.mark.parametrize("name", sorted(TINY))
def test_presets_fit_together_and_fit_in_their_file(name):
    kind = type(build(name))
    assert {"laptop", "standard", "gpu"} <= set(kind.presets)
    for preset, resolution in {"laptop": 32, "standard": 64, "gpu": 128}.items():
        with torch.device("meta"):
            system = kind(kind.presets[preset])
        larger = (name, preset) == ("imagen", "standard")  # whose pictures are enlarged twice
        assert system.resolution == (128 if larger else resolution)
        if preset == "standard":
            assert system.parameter_count() * 2 < 12e6


@pytest.mark.parametrize("name", [*trained_systems(), "clip"])
def test_the_standard_preset_is_what_the_published_weights_were_trained_as(name):
    """All of it: shapes, stages, parts left out, and the settings of sampling that their marks were taken with."""
    model = load_model(name)
    assert model.config == type(model).presets["standard"]


@pytest.mark.parametrize("name", drawing_systems())
def test_every_preset_draws_with_settings_that_would_be_accepted(name):
    for preset in model_class(name).presets.values():
        described = described_settings(preset.sampling)
        assert list(described) == [field.name for field in fields(preset.sampling)]
        check_settings({name: getattr(preset.sampling, name) for name in described}, described)


def test_the_bounds_of_a_setting_are_within_its_range():
    for name, setting in SETTINGS.items():
        for value in (setting.low, setting.high):
            if value is not None:
                setting.check(name, value)


def test_a_refusal_says_which_kind_of_number_is_wanted():
    with pytest.raises(DalleEduError, match="steps is 1.5; it takes a whole number from 1 to 1000"):
        SETTINGS["steps"].check("steps", 1.5)
    with pytest.raises(DalleEduError, match="guidance-scale is -1; it takes a number from 0 to 50"):
        SETTINGS["guidance_scale"].check("guidance-scale", -1)


def test_the_sentence_may_be_ignored_but_not_turned_round():
    """0 is the least guidance: below it a picture would go away from its sentence."""
    assert SETTINGS["guidance_scale"].low == 0


# ---------------------------------------------------------------- what people write


def test_one_sentence_several_pictures_and_pillow_images(tiny):
    three = tiny.generate("a red circle", n=3, seed=4)
    assert torch.equal(three, tiny.generate(["a red circle"] * 3, seed=4))
    assert torch.equal(tiny.generate(PROMPTS[:2], n=2, seed=4)[:2], tiny.generate([PROMPTS[0]] * 2 + [PROMPTS[1]] * 2, seed=4)[:2])
    (image,) = tiny.pictures("a red circle", seed=4)
    assert (image.size, image.mode) == ((tiny.resolution, tiny.resolution), "RGB")


def test_a_generator_stands_in_place_of_the_seed_and_moves_on(tiny):
    first, again = (torch.Generator().manual_seed(5) for _ in range(2))
    one = tiny.generate("a red circle", generator=first)
    assert torch.equal(one, tiny.generate("a red circle", generator=again))
    assert not torch.equal(one, tiny.generate("a red circle", generator=first))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 0}, "give a whole number above 0"),
        ({"n": 1.5}, "give a whole number above 0"),
        ({"n": True}, "give a whole number above 0"),
        ({"n": 10**12}, "one call draws 1 to 1024"),
        ({"generator": 3}, "give a torch.Generator"),
        ({"generator": torch.Generator(), "seed": 1}, "give one of them"),
    ],
)
def test_other_numbers_and_generators_are_refused(options, words):
    with pytest.raises(DalleEduError, match=words):
        build("dalle1").generate("a red circle", **options)


def test_the_fastest_device_is_chosen_in_python_too():
    assert dalle_edu.load("dalle1", device="auto").device == torch.device(choose_device().torch_device)
    assert choose_device("auto") == choose_device()
