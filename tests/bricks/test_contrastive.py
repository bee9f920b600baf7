import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from dalle_edu.bricks.contrastive import CLIP, CLIPConfig, ImageTower, TextTower, capped_scale, clip_loss, similarity
from dalle_edu.bricks.zero_shot import ensemble, recall_at, search, zero_shot
from dalle_edu.errors import DalleEduError

seeds = st.integers(0, 2**31)
SMALL = CLIPConfig(8, 4, 1, 30, 6, width=8, heads=2, image_depth=1, text_depth=2, embedding=5)
NEAR = replace(SMALL, smear=True)
plain_and_near = pytest.mark.parametrize("config", [SMALL, NEAR], ids=["plain", "near"])


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def model(config: CLIPConfig = SMALL) -> CLIP:
    torch.manual_seed(0)
    return CLIP(config).double()


# ---------------------------------------------------------------- similarity and loss


@given(seeds, st.floats(0.01, 100))
def test_similarity_is_a_cosine_whatever_the_lengths(seed, length):
    images, texts = noise(4, 3, seed=seed), noise(5, 3, seed=seed + 1)
    found = similarity(images, texts)
    assert found.shape == (4, 5)
    assert found.abs().max() <= 1 + 1e-12
    torch.testing.assert_close(similarity(length * images, texts), found)
    torch.testing.assert_close(similarity(texts, images), found.T)
    torch.testing.assert_close(similarity(images, images).diagonal(), torch.ones(4, dtype=torch.float64))


def test_the_scale_is_capped_and_can_come_down_from_its_cap():
    for log_scale, expected in ((0.0, 1), (math.log(7), 7), (math.log(100), 100), (9.0, 100)):
        assert float(capped_scale(torch.tensor(log_scale))) == pytest.approx(expected)
    at_the_cap = torch.tensor(math.log(100), requires_grad=True)
    capped_scale(at_the_cap).backward()
    assert float(at_the_cap.grad) == pytest.approx(100)


def test_a_loss_sets_the_learned_logarithm_back_to_its_cap():
    clip = model()
    with torch.no_grad():
        clip.log_scale.fill_(8)
    parts = clip.loss(noise(3, 3, 8, 8), torch.tensor([[1, 0], [2, 0], [3, 0]]))
    assert float(clip.log_scale.detach()) == pytest.approx(math.log(100))
    assert float(parts["scale"]) == pytest.approx(100)
    parts["loss"].backward()
    assert clip.log_scale.grad != 0


@given(seeds, st.integers(1, 7), st.floats(1, 100))
def test_the_loss_is_symmetric_and_the_order_of_pairs_does_not_matter(seed, n, scale):
    images, texts = noise(n, 4, seed=seed), noise(n, 4, seed=seed + 1)
    loss = clip_loss(images, texts, scale)
    torch.testing.assert_close(clip_loss(texts, images, scale), loss)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(clip_loss(images[order], texts[order], scale), loss)


def test_the_loss_is_log_n_when_nothing_is_known_and_0_when_everything_is():
    ones = torch.ones(8, 3)
    assert float(clip_loss(ones, ones, 20.0)) == pytest.approx(math.log(8))
    assert float(clip_loss(torch.eye(8), torch.eye(8), 100.0)) == pytest.approx(0, abs=1e-6)
    assert float(clip_loss(ones[:1], ones[:1], 20.0)) == 0


def test_the_gradient_of_the_loss():
    inputs = (noise(3, 4).requires_grad_(), noise(3, 4, seed=1).requires_grad_(), torch.tensor(2.0).double().requires_grad_())
    assert torch.autograd.gradcheck(clip_loss, inputs)


def test_pairs_and_channels_must_agree():
    with pytest.raises(DalleEduError, match="3 pictures came with 2 sentences"):
        clip_loss(noise(3, 4), noise(2, 4), 1.0)
    for function in (similarity, lambda a, b: clip_loss(a, b, 1.0), zero_shot, lambda a, b: search(a, b, 1)):
        with pytest.raises(DalleEduError, match="embeddings have 4 and 5 channels"):
            function(noise(3, 4), noise(3, 5))


# ---------------------------------------------------------------- towers


def test_embeddings_are_unit_vectors_and_logits_their_scaled_cosines():
    clip, images, text = model(), noise(3, 3, 8, 8), torch.tensor([[1, 2, 0], [3, 0, 0]])
    seen, read = clip.encode_image(images), clip.encode_text(text)
    assert seen.shape == (3, 5)
    assert read.shape == (2, 5)
    for embeddings in (seen, read):
        torch.testing.assert_close(embeddings.norm(dim=-1), torch.ones(len(embeddings), dtype=torch.float64))
    torch.testing.assert_close(clip(images, text), seen @ read.T / 0.07, rtol=1e-6, atol=1e-6)


@plain_and_near
@given(st.integers(0, 6), st.integers(0, 6), seeds)
def test_padding_changes_nothing(config, length, padding, seed):
    padding = min(padding, 6 - length)
    clip = model(config)
    words = torch.randint(1, 30, (1, length), generator=torch.Generator().manual_seed(seed))
    padded = F.pad(words, (0, padding))
    torch.testing.assert_close(clip.encode_text(padded), clip.encode_text(words))


def test_a_caption_is_read_to_its_last_word_and_in_order():
    clip = model()
    one, other, shuffled = clip.encode_text(torch.tensor([[1, 2, 3, 0], [1, 2, 4, 0], [2, 1, 3, 0]]))
    assert not torch.allclose(one, other)
    assert not torch.allclose(one, shuffled)


@plain_and_near
def test_hidden_states_are_causal_and_the_pooled_one_stands_at_the_end(config):
    tower = model(config).text_tower
    text = torch.tensor([[5, 6, 7, 0, 0]])
    hidden = tower.hidden(text)
    assert hidden.shape == (1, 6, 8)
    other = tower.hidden(torch.tensor([[5, 6, 9, 0, 0]]))
    torch.testing.assert_close(hidden[:, :2], other[:, :2])
    assert not torch.allclose(hidden[:, 2], other[:, 2])
    torch.testing.assert_close(tower.pool(hidden, text), tower.project(hidden[:, 3]))
    torch.testing.assert_close(tower(text), tower.pool(hidden, text))


def test_smear_draws_no_other_weight_and_is_off_unless_asked_for():
    plain, near = model().state_dict(), model(NEAR).state_dict()
    assert set(near) - set(plain) == {"text_tower.smear.before.weight"}
    assert all(torch.equal(value, near[name]) for name, value in plain.items())


def test_a_picture_is_embedded_alone_and_by_where_its_patches_lie():
    clip, images = model(), noise(4, 3, 8, 8)
    torch.testing.assert_close(clip.encode_image(images)[2:3], clip.encode_image(images[2:3]))
    assert not torch.allclose(clip.encode_image(images), clip.encode_image(images.flip(3)))


def test_a_picture_can_be_climbed_towards_a_sentence():
    """The gradient with respect to the picture is right, and following it through cutouts brings picture and sentence nearer."""
    clip = model().requires_grad_(False)
    read = clip.encode_text(torch.tensor([[1, 2, 3]]))

    def nearness(picture: torch.Tensor) -> torch.Tensor:
        return (clip.encode_image(picture) @ read.T).mean()

    small = noise(1, 3, 8, 8)
    assert torch.autograd.gradcheck(nearness, small.requires_grad_(), fast_mode=True)
    canvas = noise(1, 3, 16, 16).requires_grad_()

    def cutouts() -> torch.Tensor:
        return torch.cat([canvas[:, :, i : i + 8, j : j + 8] for i in (0, 4, 8) for j in (0, 4, 8)])

    before = nearness(cutouts())
    (slope,) = torch.autograd.grad(before, canvas)
    assert (slope != 0).float().mean() > 0.5  # no piece is left out
    canvas.data += 0.1 * slope / slope.norm()
    assert nearness(cutouts()) > before


def test_a_few_steps_learn_a_few_pairs():
    clip = model()
    images, text = noise(4, 3, 8, 8), torch.tensor([[1, 2], [3, 4], [5, 6], [7, 0]])
    optimizer = torch.optim.Adam(clip.parameters(), 3e-3)
    for _ in range(80):
        loss = clip.loss(images, text)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.3  # of log 4 = 1.39
    assert recall_at(clip(images, text).detach(), 1) == 1


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 8, 8), (3, 8, 4)], ids=str)
def test_pictures_of_another_shape_are_refused(shape):
    with pytest.raises(DalleEduError, match=r"this model looks at \[3, 8, 8\]"):
        getattr(ImageTower.forward, "__wrapped__", ImageTower.forward)(ImageTower(SMALL), torch.zeros(2, *shape))


def test_captions_that_are_too_long_are_refused():
    with pytest.raises(DalleEduError, match="captions have 7 tokens; this model reads 6 at most"):
        TextTower(SMALL)(torch.ones(1, 7, dtype=torch.long))


def test_patches_must_tile_the_picture():
    with pytest.raises(DalleEduError, match="patches of 5 pixels do not fit a side of 32"):
        CLIPConfig(patch_size=5)
    with pytest.raises(DalleEduError, match="choose a divisor, an even one under a stem"):
        CLIPConfig(resolution=30, patch_size=5)
    assert CLIPConfig(resolution=30, patch_size=5, stem_depth=0).patch_size == 5


@pytest.mark.parametrize("stem_depth", [0, 2])
def test_both_kinds_of_patches_give_the_same_shapes(stem_depth):
    torch.manual_seed(0)
    config = CLIPConfig(16, 4, stem_depth, 30, 6, width=8, heads=2, image_depth=1, embedding=5)
    assert ImageTower(config)(torch.zeros(3, 3, 16, 16)).shape == (3, 5)


# ---------------------------------------------------------------- uses


@given(seeds, st.integers(1, 5))
def test_an_ensemble_is_a_unit_vector_that_neither_order_nor_length_changes(seed, prompts):
    embeddings = noise(3, prompts, 4, seed=seed)
    found = ensemble(embeddings)
    assert found.shape == (3, 4)
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(3, dtype=torch.float64))
    lengths = noise(3, prompts, 1, seed=seed + 1).exp()
    torch.testing.assert_close(ensemble((lengths * embeddings).flip(1)), found)
    torch.testing.assert_close(ensemble(embeddings[0]), found[0])


def test_an_ensemble_of_one_is_itself_and_repeating_it_changes_nothing():
    one = F.normalize(noise(1, 4), dim=-1)
    torch.testing.assert_close(ensemble(one), one[0])
    torch.testing.assert_close(ensemble(one.repeat(5, 1)), one[0])


@given(seeds)
def test_zero_shot_probabilities(seed):
    images, classes = noise(4, 3, seed=seed), noise(5, 3, seed=seed + 1)
    chances = zero_shot(images, classes, 10.0)
    assert (chances >= 0).all()
    torch.testing.assert_close(chances.sum(dim=-1), torch.ones(4, dtype=torch.float64))
    assert torch.equal(chances.argmax(dim=-1), search(images, classes, 1)[:, 0])
    assert torch.equal(zero_shot(images, classes).argmax(dim=-1), chances.argmax(dim=-1))


def test_search_goes_from_the_nearest_on():
    gallery = F.normalize(torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [-1.0, 0.0]]), dim=-1)
    assert search(torch.tensor([[5.0, 1.0]]), gallery, 4).tolist() == [[0, 1, 2, 3]]
    assert search(torch.tensor([[-5.0, 1.0]]), gallery, 2).tolist() == [[3, 2]]


@pytest.mark.parametrize("k", [0, 5])
def test_more_neighbours_than_there_are_cannot_be_found(k):
    with pytest.raises(DalleEduError, match=f"{k} neighbours were asked for in a gallery of 4"):
        search(noise(2, 3), noise(4, 3), k)


@given(seeds, st.integers(1, 8))
def test_recall_grows_with_k_up_to_1(seed, n):
    scores = noise(n, n, seed=seed)
    recalls = [recall_at(scores, k) for k in range(1, n + 1)]
    assert recalls == sorted(recalls)
    assert recalls[-1] == 1


def test_a_model_that_gives_everything_one_score_finds_nothing():
    assert recall_at(torch.zeros(5, 5), 4) == 0
    assert recall_at(torch.zeros(5, 5), 5) == 1


def test_recall_by_hand():
    scores = torch.tensor([[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.3, 0.2, 0.1]])
    assert recall_at(scores, 1) == pytest.approx(1 / 3)
    assert recall_at(scores, 2) == pytest.approx(2 / 3)
    assert recall_at(scores.T, 1) == pytest.approx(2 / 3)
    assert recall_at(scores[:2], 1, torch.tensor([0, 0])) == 1


def test_queries_without_an_own_entry_are_refused():
    with pytest.raises(DalleEduError, match="2 queries came with 3 entries"):
        recall_at(torch.zeros(2, 3), 1)
