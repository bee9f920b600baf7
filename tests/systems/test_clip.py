"""CLIP on the captioned world: what it compares, what it learns from, what it refuses."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import dalle_edu
from dalle_edu.bricks.contrastive import CLIPConfig
from dalle_edu.errors import DalleEduError
from dalle_edu.loading import load_critic
from dalle_edu.systems.clip import PRESETS, Clip, ClipConfig, ClipModel, ClipRecipe, clip_stages
from dalle_edu.systems.hard_negatives.attributes import caption_attributes
from dalle_edu.systems.hard_negatives.contrastive_loss import QUESTIONS
from dalle_edu.systems.hard_negatives.paraphrases import without_colours
from dalle_edu.systems.interface.registry import drawing_systems, model_class
from dalle_edu.systems.parts.augment import SHIFT, ZOOM, augment, grayscale
from dalle_edu.world import World, render, sample_scene
from dalle_edu.world.scene_sampler import PRACTICE

CAPTIONS = ["un cercle rouge", "a large blue square", "trois étoiles vertes", "a red circle above a blue square"]
TOWERS = CLIPConfig(resolution=16, stem_depth=0, width=16, heads=2, image_depth=1, text_depth=1, embedding=8)
TINY = ClipConfig(ClipModel(TOWERS), ClipRecipe(clip_stages(batch_size=8)))


def recipe(**changes: Any) -> ClipConfig:
    """The tiny configuration with another recipe."""
    return replace(TINY, recipe=replace(TINY.recipe, **changes))


@torch.no_grad()
def build(config: ClipConfig = TINY) -> Clip:
    torch.manual_seed(0)
    clip = Clip(config)
    for parameter in clip.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    return clip.eval()


@pytest.fixture(scope="module")
def tiny() -> Clip:
    return build()


def pictures(n: int, resolution: int = 16, seed: int = 0) -> tuple[torch.Tensor, list[str]]:
    world = World(n, seed=seed, kinds=PRACTICE)
    batch = world.collate([world[i] for i in range(n)])
    return batch.images(resolution), batch.captions


def uniforms_for(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ---------------------------------------------------------------- comparing


def test_pictures_and_sentences_become_unit_vectors(tiny):
    images, texts = tiny.encode_images(pictures(5)[0]), tiny.encode_texts(CAPTIONS)
    assert images.shape == (5, 8)
    assert texts.shape == (4, 8)
    for vectors in (images, texts):
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(vectors)))
    torch.testing.assert_close(tiny.similarity(pictures(5)[0], CAPTIONS), images @ texts.T)


def test_a_vector_does_not_depend_on_its_batch(tiny):
    images, _ = pictures(300)
    torch.testing.assert_close(tiny.encode_images(images)[257:258], tiny.encode_images(images[257:258]), atol=1e-5, rtol=0)
    torch.testing.assert_close(tiny.encode_texts(CAPTIONS)[:1], tiny.encode_texts(CAPTIONS[:1]), atol=1e-5, rtol=0)


def test_pictures_of_another_side_are_resized_first(tiny):
    images, _ = pictures(3, resolution=48)
    smaller = F.interpolate(images, size=(16, 16), mode="bilinear", antialias=True)
    assert torch.equal(tiny.encode_images(images), tiny.encode_images(smaller))


def test_what_a_sentence_scores_can_be_climbed_by_the_pixels(tiny):
    images = pictures(2, resolution=24)[0].requires_grad_()
    tiny.similarity(images, CAPTIONS[:1]).sum().backward()
    assert (images.grad.abs().amax(dim=(1, 2, 3)) > 0).all()


def test_classes_are_ensembles_of_their_sentences(tiny):
    names, templates = ["a circle", ["a square", "un carré"]], ["{}", "a picture of {}"]
    directions = tiny.classes(names, templates)
    said = tiny.encode_texts(["a square", "a picture of a square", "un carré", "a picture of un carré"])
    torch.testing.assert_close(directions[1], F.normalize(said.mean(dim=0), dim=0))
    images, _ = pictures(6)
    probabilities = tiny.classify(images, names, templates)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(6))
    assert torch.equal(probabilities.argmax(dim=1), (tiny.encode_images(images) @ directions.T).argmax(dim=1))


def test_sentences_find_pictures_and_pictures_find_sentences(tiny):
    images, captions = pictures(7)
    scores = tiny.similarity(images, captions)
    assert torch.equal(tiny.search(images, captions, k=3), scores.topk(3, dim=1).indices)
    assert torch.equal(tiny.search(captions, images, k=2), scores.T.topk(2, dim=1).indices)
    assert torch.equal(tiny.search(images, images, k=1)[:, 0], torch.arange(7))


@pytest.mark.parametrize("captions", [[], "a red circle", [""], ["x" * 10_000], ["a red\x00circle"], ["Привет мир"], ["une voiture"]])
def test_sentences_about_nothing_here_are_refused(tiny, captions):
    with pytest.raises(DalleEduError):
        tiny.encode_texts(captions)


def test_a_word_alone_is_a_sentence_to_a_critic_if_it_is_of_this_world(tiny):
    assert tiny.encode_texts(["rouge", "square"]).shape == (2, 8)


def test_sentences_that_are_too_long_are_refused(tiny):
    with pytest.raises(DalleEduError, match="21 tokens and may have 20"):
        tiny.encode_texts(["circle " * 21])


@pytest.mark.parametrize("images", [torch.zeros(3, 16, 16), torch.zeros(1, 1, 16, 16), torch.zeros(0, 3, 16, 16)])
def test_what_is_no_picture_is_refused(tiny, images):
    with pytest.raises((DalleEduError, TypeError)):  # the shapes are checked by jaxtyping first, in tests
        tiny.encode_images(images)


@pytest.mark.parametrize("templates", [["a picture"], ["{} {}"], []])
def test_templates_without_a_place_for_the_class_are_refused(tiny, templates):
    with pytest.raises(DalleEduError):
        tiny.classes(["a circle"], templates)


# ---------------------------------------------------------------- learning


def test_the_loss_depends_on_the_captions_and_on_the_generator_alone(tiny):
    images, captions = pictures(8)

    def loss(texts, seed=0):
        return tiny.loss(images, texts, generator=uniforms_for(seed))["loss"]

    assert loss(captions) == loss(captions)
    assert loss(captions) != loss(captions, seed=1)
    assert loss(captions) != loss(captions[::-1])


def test_paraphrases_weigh_what_the_configuration_says():
    images, captions = pictures(8)
    for weight in (0.0, 0.5):
        parts = build(recipe(paraphrase_weight=weight)).loss(images, captions, generator=uniforms_for())
        assert parts["words"] > 0.1
        torch.testing.assert_close(parts["loss"], parts["pictures"] + weight * parts["words"])


def test_training_teaches_every_parameter():
    clip = build().train()
    clip.loss(*pictures(8), generator=uniforms_for())["loss"].backward()
    assert all(parameter.grad is not None for parameter in clip.parameters())


def test_it_learns_a_few_captions_and_their_pictures():
    torch.manual_seed(0)
    clip = Clip(recipe(negatives=1, grayscale_share=0.0))
    images, captions = pictures(16)
    optimizer, losses = torch.optim.Adam(clip.parameters(), 1e-2), []
    for update in range(60):
        optimizer.zero_grad()
        parts = clip.loss(images, captions, progress=0.0, generator=uniforms_for(update))
        parts["loss"].backward()
        optimizer.step()
        losses.append({name: part.item() for name, part in parts.items()})
    assert losses[-1]["words"] < losses[0]["words"] / 2
    assert losses[-1]["pictures"] < losses[0]["pictures"] - 0.3
    assert clip.measure("clip", images, captions)["number"] == 1.0


def test_disturbed_pictures_keep_their_places_and_their_range():
    scenes = [sample_scene(1, i, kinds={"single": 1.0}) for i in range(64)]
    images = render(scenes, 32)
    seen = augment(images, uniforms_for(3))
    assert torch.equal(seen, augment(images, uniforms_for(3)))
    assert not torch.equal(seen, augment(images, uniforms_for(4)))
    assert torch.equal(augment(images, uniforms_for(3), strength=0.0), images)
    assert seen.abs().max() <= 1
    for axis in (1, 2):
        before, after = (_centre(each, axis) for each in (images, seen))
        assert (before - after).abs().max() < SHIFT + ZOOM / 2 + 0.12  # noise and stains pull it to the middle
        assert torch.corrcoef(torch.stack([before, after]))[0, 1] > 0.9


def test_photocopies_keep_the_ink_and_lose_the_colours():
    images = render([sample_scene(1, i, kinds={"single": 1.0}) for i in range(64)], 32)
    copies = grayscale(images, uniforms_for(1))
    assert torch.equal(copies[:, 0], copies[:, 1])
    assert torch.equal(copies[:, 0], copies[:, 2])
    assert torch.equal((copies == 1).all(dim=1), (images == 1).all(dim=1))
    assert copies.min() >= -1
    assert (copies.amin(dim=(1, 2, 3)) < 0.7).all()  # nothing so pale that it cannot be seen
    assert without_colours("un petit anneau violet à droite d'un cercle rose") == "un petit anneau à droite d'un cercle"
    assert without_colours("three large green stars") == "three large stars"
    assert without_colours("a green dog on a mat") == "a green dog on a mat"


def test_a_share_of_the_batch_is_photocopied_pictures_and_captions_alike(monkeypatch):
    seen = {}
    clip = build(recipe(grayscale_share=0.5, augmentation=0.0, negatives=0, mask_false_negatives=False))
    monkeypatch.setattr(clip.clip.image_tower, "forward", lambda images: seen.update(images=images) or torch.randn(8, 8))
    monkeypatch.setattr(clip, "tokens", lambda texts: seen.setdefault("texts", texts) and clip.tokenizer.encode(texts, 20))
    images, captions = pictures(8)
    clip.loss(images, captions, generator=uniforms_for())
    assert torch.equal(seen["images"][4:], images[4:])
    assert torch.equal(seen["images"][:4, 0], seen["images"][:4, 1])
    assert seen["texts"] == [without_colours(text) for text in captions[:4]] + captions[4:]


def _centre(images: torch.Tensor, axis: int) -> torch.Tensor:
    """Where the ink is, along rows (1) or columns (2), as parts of a side."""
    ink = ((1 - images).amax(dim=1) - 0.5).clamp(min=0)
    along = ink.sum(dim=3 - axis)
    return (along * (torch.arange(32) + 0.5) / 32).sum(dim=1) / along.sum(dim=1)


class Knowing(Clip):
    """Sees what was claimed, and nothing else: each caption's claim has a direction of its own."""

    def encode_images(self, images):
        return self.encode_texts(self.shown)

    def encode_texts(self, captions):
        rows = [torch.randn(64, generator=uniforms_for(hash(tuple(row)) % 2**31)) for row in caption_attributes(captions).tolist()]
        return F.normalize(torch.stack(rows), dim=1)


def test_what_is_measured_is_whether_it_knows():
    images, captions = pictures(40)
    knowing = Knowing(TINY)
    knowing.shown = captions
    known = knowing.measure("clip", images, captions)
    assert set(known) == {"caption_of_picture", "picture_of_caption", *QUESTIONS}
    assert all(value == 1 for value in known.values())
    knowing.shown = captions[1:] + captions[:1]
    guessed = knowing.measure("clip", images, captions)
    assert guessed["caption_of_picture"] < 0.3
    assert guessed["shape"] < 0.8


# ---------------------------------------------------------------- files


def test_saved_and_loaded_it_compares_the_same(tiny, tmp_path):
    path = tmp_path / "clip.safetensors"
    tiny.save(path, dtype=torch.float32)
    loaded = load_critic(path)
    images, captions = pictures(4)
    assert torch.equal(loaded.similarity(images, captions), tiny.similarity(images, captions))
    assert loaded.config == tiny.config
    with pytest.raises(DalleEduError, match="does not draw"):
        dalle_edu.load(path)


def test_it_can_be_trained_by_name_and_draws_nothing():
    assert model_class("clip") is Clip
    assert "clip" not in drawing_systems()


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_presets_are_plain_vision_transformers_and_fit_in_their_file(preset):
    with torch.device("meta"):
        clip = Clip(PRESETS[preset])
    assert clip.resolution == {"laptop": 32, "standard": 64, "gpu": 128}[preset]
    assert clip.config.model.clip.stem_depth == 0
    if preset == "standard":
        assert clip.parameter_count() * 2 < 3e6


def test_comparing_changes_no_weights(tiny):
    weights = copy.deepcopy(tiny.state_dict())
    images, captions = pictures(4)
    tiny.classify(images, ["a circle", "a square"])
    tiny.measure("clip", images, captions)
    assert all(torch.equal(weights[name], value) for name, value in tiny.state_dict().items())
