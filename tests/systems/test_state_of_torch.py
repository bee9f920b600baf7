"""A seed has one picture, whatever the state of PyTorch around the call, the precision of what is given, and the batch."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import torch
from tiny_systems import TINY, build, drawings, small, tiny_clip

import dalle_edu
from dalle_edu.errors import DalleEduError
from dalle_edu.loading import load_critic, trained_systems
from dalle_edu.scorecard import mark, parse_pictures, questions
from dalle_edu.systems.clip import Clip
from dalle_edu.systems.critics.reranking import best_of
from dalle_edu.world import render, sample_scene
from dalle_edu.world.sheet import picture_of

PROMPTS = ["un cercle rouge", "a large blue square"]
GREY_LEVEL = 2 / 255
QUICK = {
    "vqgan_clip": {"steps": 8, "beginnings": 4},
    "imagen": {"steps": 3, "upsampler_steps": 1},
    "dalle2": {"steps": 3, "upsampler_steps": 1, "prior_steps": 3},
}


@contextmanager
def float64_by_default() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


STATES = {
    "float64 by default": float64_by_default,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "inference mode": torch.inference_mode,
}


@pytest.fixture(params=sorted(STATES))
def state(request) -> AbstractContextManager:
    return STATES[request.param]()


@pytest.mark.parametrize("name", sorted(TINY))
def test_every_drawing_is_the_same_in_every_state(name):
    system = small(name)
    expected = {verb: draw() for verb, draw in drawings(system).items()}
    for label, state in STATES.items():
        with state():
            drawn = {verb: draw() for verb, draw in drawings(system).items()}  # from pictures that were rendered in this state
        for verb, images in drawn.items():
            assert images.dtype == torch.float32, (label, verb)
            assert torch.equal(images, expected[verb]), (label, verb)


@pytest.mark.parametrize("name", trained_systems())
def test_published_weights_loaded_in_a_state_draw_the_same(name):
    settings = QUICK.get(name, {})
    expected = dalle_edu.load(name).generate(PROMPTS[:1], seed=5, **settings)
    for label, state in STATES.items():
        with state():
            drawn = dalle_edu.load(name).generate(PROMPTS[:1], seed=5, **settings)
        assert torch.equal(drawn, expected), label


def test_scenes_marks_and_choices_are_the_same_in_every_state(state):
    scenes = [sample_scene(seed) for seed in range(6)]
    system, critic = small("dalle1"), tiny_critic()

    def seen() -> tuple[torch.Tensor, list, torch.Tensor]:
        images = render(scenes, 32)
        marks = [mark(scene.description, objects) for scene, objects in zip(scenes, parse_pictures(images), strict=True)]
        return images, marks, best_of(system, PROMPTS, critic, 4, 1)[0]

    images, marks, chosen = seen()
    with state:
        images_there, marks_there, chosen_there = seen()
    assert torch.equal(images_there, images)
    assert marks_there == marks
    assert torch.equal(chosen_there, chosen)


def tiny_critic() -> Clip:
    torch.manual_seed(0)
    return tiny_clip().eval()


def test_a_model_loaded_in_inference_mode_can_learn(tmp_path):
    build("dalle1").save(tmp_path / "tiny.safetensors")
    with torch.inference_mode():
        system = dalle_edu.load(tmp_path / "tiny.safetensors")
    assert not any(parameter.is_inference() for parameter in system.parameters())


# ---------------------------------------------------------------- precision


@pytest.mark.parametrize("name", sorted(TINY))
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_weights_in_another_precision_are_refused_in_one_sentence(name, dtype):
    system = small(name).to(dtype)
    kind = str(dtype).removeprefix("torch.")
    for draw in drawings(system).values():
        with pytest.raises(DalleEduError, match=rf"the weights of {name} are in {kind}, and it works in float32; call \.float\(\)"):
            draw()
    assert system.float().generate(PROMPTS[:1]).dtype == torch.float32


def test_a_critic_in_another_precision_is_refused_too():
    for change in (torch.nn.Module.half, torch.nn.Module.bfloat16):
        critic = change(tiny_critic())
        for compare in (lambda c=critic: c.encode_images(torch.zeros(1, 3, 32, 32)), lambda c=critic: c.encode_texts(PROMPTS)):
            with pytest.raises(DalleEduError, match="the weights of clip are in"):
                compare()


@pytest.mark.parametrize("name", [name for name in sorted(TINY) if name != "vqgan_clip"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_pictures_of_any_precision_are_edited_as_floats(name, dtype):
    system = small(name)
    images = render([sample_scene(3)], system.resolution).to(dtype)
    edit = system.complete if hasattr(system, "complete") else None
    if edit is None:
        keep = torch.zeros(1, 1, system.resolution, system.resolution, dtype=torch.bool)
        keep[..., :16] = True

        def edit(pictures, prompts):
            return system.inpaint(pictures, keep, prompts)

    assert torch.equal(edit(images, PROMPTS[:1]), edit(images.float(), PROMPTS[:1]))
    critic = tiny_critic()
    assert torch.equal(critic.encode_images(images), critic.encode_images(images.float()))
    losses = [system.loss(each, PROMPTS[:1], stage=system.stages[0].name, generator=torch.Generator()) for each in (images, images.float())]
    assert torch.isfinite(losses[0]["loss"])
    assert losses[0]["loss"].dtype == torch.float32


def test_what_are_no_pictures_and_no_prompts_are_refused_in_one_sentence(no_shape_checking):
    system = small("dalle1")
    for images in (None, [[0.0]], torch.zeros(1, 3, 32, 32, dtype=torch.uint8), torch.zeros(1, 3, 32, 32).numpy()):
        with pytest.raises(DalleEduError, match="the pictures are "):
            system.complete(images, PROMPTS[:1])
    for prompts in (None, 5, [5], [["a red circle"]], [None], b"a red circle"):
        with pytest.raises(DalleEduError, match="prompt|string"):
            system.generate(prompts)


def test_prompts_may_come_one_by_one(no_shape_checking):
    system = small("dalle1")
    assert torch.equal(system.generate(prompt for prompt in PROMPTS), system.generate(PROMPTS))
    images = system.generate(PROMPTS)
    assert torch.equal(system.complete(images, iter(PROMPTS)), system.complete(images, tuple(PROMPTS)))


# ---------------------------------------------------------------- devices, and the batch


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("load", [dalle_edu.load, load_critic])
def test_a_device_that_is_not_there_is_refused_in_one_sentence(load):
    with pytest.raises(DalleEduError, match='the device "cuda" is not there'):
        load("clip" if load is load_critic else "dalle1", "cuda")
    with pytest.raises(DalleEduError, match='the device "gpu" is unknown'):
        load("clip" if load is load_critic else "dalle1", "gpu")


@pytest.mark.parametrize("name", trained_systems())
def test_a_picture_is_the_same_to_one_grey_level_whatever_its_batch(name):
    """Sums are rounded otherwise in a batch of another size: what a file holds may differ by one of 256 levels, and no more."""
    settings = QUICK.get(name, {})
    system, prompts = dalle_edu.load(name), [question.text for question in questions(4)]
    many = system.generate(prompts, seed=2, **settings)
    for n in (1, 2):
        few = system.generate(prompts[:n], seed=2, **settings)
        assert float((few - many[:n]).abs().max()) <= GREY_LEVEL
        for one, other in zip(few, many, strict=False):
            levels = torch.frombuffer(bytearray(picture_of(one).tobytes()), dtype=torch.uint8).int()
            assert int((levels - torch.frombuffer(bytearray(picture_of(other).tobytes()), dtype=torch.uint8).int()).abs().max()) <= 1
