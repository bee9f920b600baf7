"""Each stage's loss is the formula of its named parts, written out here; those of diffusion are in `test_diffusion_losses.py`."""

import math
from dataclasses import replace

import pytest
import torch
from by_hand import batch, cross_entropy, log_softmax, loss, seeded, tokens
from tiny_systems import build, tiny_clip
from torch import Tensor

from dalle_edu.systems.clip import ClipRecipe
from dalle_edu.systems.hard_negatives.contrastive_loss import compatible_captions
from dalle_edu.systems.hard_negatives.negatives import hard_negatives
from dalle_edu.systems.hard_negatives.paraphrases import paraphrase, without_colours


def same(found: Tensor, expected: Tensor | float) -> None:
    torch.testing.assert_close(found.detach(), torch.as_tensor(expected, dtype=found.dtype).detach(), rtol=1e-4, atol=1e-5)


def unit(vectors: Tensor) -> Tensor:
    return vectors / vectors.square().sum(dim=-1, keepdim=True).sqrt()


# ---------------------------------------------------------------- DALL·E 1


@pytest.mark.parametrize(("progress", "temperature"), [(0.0, 1.0), (0.375, 0.5), (0.75, 0.25), (1.0, 0.25)])
def test_the_codec_of_dalle1_minimises_reconstruction_and_kl_and_maximises_entropy(progress, temperature):
    system, (images, captions) = build("dalle1"), batch(32)
    dvae = system.dvae
    dvae.config = replace(dvae.config, kl_weight=0.1, entropy_weight=0.3)
    found = loss(system, "codec", images, captions, progress=progress)
    codebook = unit(dvae.codebook.weight)
    q = (48 * unit(dvae.encoder(images).permute(0, 2, 3, 1)) @ codebook.T).softmax(dim=-1)
    log_q = q.clamp(min=1e-30).log()
    uniform = torch.empty_like(q).uniform_(1e-7, 1, generator=seeded())
    choice = ((log_q - (-uniform.log()).log()) / temperature).softmax(dim=-1)
    painted = dvae.decoder((choice @ codebook).permute(0, 3, 1, 2))
    reconstruction = (painted - images).square().mean() + (painted - images).abs().mean()
    kl = (q * (log_q + math.log(32))).sum(dim=-1).mean()
    patches = images.reshape(8, 3, 8, 4, 8, 4).permute(0, 2, 4, 1, 3, 5).flatten(3)
    contrast = patches.std(dim=-1).unsqueeze(-1)
    mean = (contrast * q).sum(dim=(0, 1, 2)) / contrast.sum()
    entropy = -(mean * mean.clamp(min=1e-30).log()).sum()
    assert entropy > 0.1
    same(found["reconstruction"], reconstruction)
    same(found["kl"], kl)
    same(found["entropy"], entropy)
    same(found["loss"], reconstruction + 0.1 * kl - 0.3 * entropy)


def test_the_entropy_of_codes_is_rewarded():
    """Of two losses that differ in the weight of the entropy alone, the heavier weight gives the lower."""
    system, (images, captions) = build("dalle1"), batch(32)
    found = {}
    for weight in (0.0, 1.0):
        system.dvae.config = replace(system.dvae.config, entropy_weight=weight)
        found[weight] = loss(system, "codec", images, captions)
    same(found[0.0]["loss"] - found[1.0]["loss"], found[1.0]["entropy"])
    assert found[1.0]["entropy"] > 0.1


def test_the_decoder_of_dalle1_learns_from_the_likeliest_codes_alone():
    system, (images, captions) = build("dalle1"), batch(32)
    dvae = system.dvae
    found = loss(system, "decoder", images, captions)["loss"]
    codebook = unit(dvae.codebook.weight)
    codes = (unit(dvae.encoder(images).permute(0, 2, 3, 1)) @ codebook.T).argmax(dim=-1)
    painted = dvae.decoder(codebook[codes].permute(0, 3, 1, 2))
    same(found, (painted - images).square().mean() + (painted - images).abs().mean())
    found.backward()
    assert {name.split(".")[1] for name, p in system.named_parameters() if p.grad is not None} == {"decoder"}


def test_the_prior_of_dalle1_learns_an_eighth_from_text_and_seven_from_codes():
    system, (images, captions) = build("dalle1"), batch(32)
    system.config = replace(system.config, recipe=replace(system.config.recipe, caption_dropout=0.0))
    found = loss(system, "prior", images, captions)
    text, codes = tokens(system, captions), system.dvae.encode(images).flatten(1)
    of_text, of_codes = system.gpt(text, codes)
    words = text != 0  # of a network whose padding is masked: padding costs nothing
    text_loss = cross_entropy(of_text[words], text[words]) * words.float().mean()
    same(found["text"], text_loss)
    same(found["image"], cross_entropy(of_codes, codes))
    same(found["loss"], text_loss / 8 + cross_entropy(of_codes, codes) * 7 / 8)


# ---------------------------------------------------------------- DALL·E mini


def test_the_features_of_dalle_mini_guess_each_word_of_a_caption_and_no_padding():
    system, (images, captions) = build("dalle_mini"), batch(32)
    found = loss(system, "features", images, captions)["loss"]
    logits = system.guess(system.vqgan.perceptual.features(images).flatten(1))
    terms = []
    for row, caption in zip(logits, captions, strict=True):
        said = set(tokens(system, [caption])[0].tolist()) - {0}
        terms += [-torch.log(torch.sigmoid(logit if word in said else -logit)) for word, logit in enumerate(row)]
    same(found, torch.stack(terms).mean())


def codec_parts(system, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What the VQGAN paints, and its losses: of pixels, of features, of commitment."""
    vqgan = system.vqgan
    vectors, codebook = vqgan.encoder(images).permute(0, 2, 3, 1), vqgan.quantizer.codebook
    nearest = codebook[torch.cdist(vectors.flatten(0, 2), codebook).argmin(dim=1)].view_as(vectors)
    painted = vqgan.decoder((vectors + (nearest - vectors).detach()).permute(0, 3, 1, 2))
    commitment = 0.25 * (vectors - nearest.detach()).square().mean()
    layers, one, other = [], painted, images
    for layer in vqgan.perceptual.features:
        one, other = layer(one), layer(other)
        if isinstance(layer, torch.nn.ReLU):
            one_unit, other_unit = (f / f.square().sum(dim=1, keepdim=True).sqrt().clamp(min=1e-12) for f in (one, other))
            layers.append((one_unit - other_unit).square().sum(dim=1).mean())
    return painted, (painted - images).abs().mean(), sum(layers) / len(layers), commitment


@pytest.mark.parametrize("progress", [0.0, 0.39, 0.41, 0.499])
def test_before_the_adversary_joins_the_codec_of_dalle_mini_has_three_parts(progress):
    system, (images, captions) = build("dalle_mini"), batch(32)
    found = loss(system, "codec", images, captions, progress=progress)
    _, pixels, perceptual, commitment = codec_parts(system, images)
    same(found["reconstruction"], pixels)
    same(found["perceptual"], perceptual)
    same(found["codebook"], commitment)
    same(found["loss"], pixels + perceptual + commitment)
    assert not {"verdict", "weight", "discriminator", "revived"} & set(found)


@pytest.mark.parametrize("progress", [0.5, 1.0])
def test_once_it_has_joined_both_players_losses_are_added(progress):
    system, (images, captions) = build("dalle_mini"), batch(32)
    system.config = replace(system.config, recipe=replace(system.config.recipe, adversarial=0.3))
    found = loss(system, "codec", images, captions, progress=progress)
    painted, pixels, perceptual, commitment = codec_parts(system, images)
    discriminator, last = system.vqgan.discriminator, list(system.vqgan.decoder.modules())[-1].weight
    verdict = -discriminator(painted).mean()
    wanted, given = (torch.autograd.grad(each, last, retain_graph=True)[0].norm() for each in (pixels + perceptual, verdict))
    weight = (wanted / (given + 1e-4)).detach()
    hinge = (1 - discriminator(images)).clamp(min=0).mean() + (1 + discriminator(painted.detach())).clamp(min=0).mean()
    same(found["verdict"], verdict)
    same(found["weight"], weight)
    same(found["discriminator"], hinge)
    same(found["loss"], pixels + perceptual + commitment + 0.3 * weight * verdict + hinge)


def test_each_player_of_dalle_mini_has_the_gradient_of_its_own_loss():
    system, (images, captions) = build("dalle_mini"), batch(32)
    loss(system, "codec", images, captions)["loss"].backward()
    discriminator = system.vqgan.discriminator
    found = [p.grad.clone() for p in discriminator.parameters()]
    painted = codec_parts(system, images)[0].detach()
    hinge = (1 - discriminator(images)).clamp(min=0).mean() + (1 + discriminator(painted)).clamp(min=0).mean()
    for one, other in zip(found, torch.autograd.grad(hinge, list(discriminator.parameters())), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("progress", "training", "revives"), [(0.0, True, True), (0.39, True, True), (0.4, True, False), (0.0, False, False)]
)
def test_unused_codes_are_put_to_use_early_in_training_alone(progress, training, revives):
    system, (images, captions) = build("dalle_mini").train(training), batch(32)
    quantizer = system.vqgan.quantizer
    quantizer.counts.fill_(5.0)
    quantizer.counts[:4] = 0.0  # four codes that nobody has chosen for long
    quantizer.codebook.data[:4] = 100.0
    quantizer.sums[:4] = 0.0
    found = loss(system, "codec", images, captions, progress=progress)
    assert ("revived" in found) == revives
    if revives:
        assert found["revived"] == 4
        vectors = system.vqgan.encoder(images).permute(0, 2, 3, 1).flatten(0, 2)
        assert torch.cdist(quantizer.codebook[:4], vectors).min(dim=1).values.max() < 1e-2  # each is a vector of the batch


@pytest.mark.parametrize(("count", "revives"), [(0.49, True), (0.51, False)])
def test_a_code_is_unused_when_less_than_half_a_vector_of_a_batch_chooses_it(count, revives):
    system, (images, captions) = build("dalle_mini").train(), batch(32)
    quantizer = system.vqgan.quantizer
    quantizer.decay = None  # the counts stay as they are
    quantizer.counts.fill_(5.0)
    quantizer.counts[3] = count
    assert loss(system, "codec", images, captions, progress=0.0)["revived"] == int(revives)


class Encodes(torch.nn.Module):
    """An encoder that gives every picture the same vectors."""

    def __init__(self, vectors: Tensor):
        super().__init__()
        self.vectors = vectors

    def forward(self, images: Tensor) -> Tensor:
        return self.vectors.repeat(len(images), 1, 1, 1)


def test_revived_codes_go_where_no_code_is_near_in_proportion_to_the_squared_distance():
    system, (images, captions) = build("dalle_mini").train(), batch(32)
    quantizer, grid = system.vqgan.quantizer, system.config.model.vqgan.grid
    quantizer.decay = None  # nothing but the revival moves the codes
    vectors = torch.zeros(1, system.config.model.vqgan.code_dim, grid, grid)
    vectors[0, 0, :, 0], vectors[0, 0, :, 1] = 1.0, 3.0  # all codes are at 0: the squared distances are 1, 9, and elsewhere 0
    system.vqgan.encoder = Encodes(vectors)
    near, far = 0, 0
    for seed in range(100):
        quantizer.codebook.data.zero_()
        quantizer.counts.zero_()
        generator = torch.Generator().manual_seed(seed)
        found = system.loss(images, captions, stage="codec", progress=0.0, generator=generator)
        assert found["revived"] == len(quantizer.codebook)
        chosen = quantizer.codebook.detach()[:, 0]
        near, far = near + (chosen == 1).sum(), far + (chosen == 3).sum()
    assert near + far == 100 * len(quantizer.codebook)
    assert near / (near + far) == pytest.approx(0.1, abs=0.03)


def test_the_codes_of_dalle_mini_start_at_patches_with_something_in_them():
    system, (images, _) = build("dalle_mini"), batch(32)
    quantizer, grid = system.vqgan.quantizer, system.config.model.vqgan.grid
    system.start_stage("prior", images, torch.Generator().manual_seed(1))
    before = quantizer.codebook.detach().clone()
    system.start_stage("codec", images, torch.Generator().manual_seed(1))
    after = quantizer.codebook.detach()
    assert not torch.equal(after, before)
    vectors = system.vqgan.encoder(images).permute(0, 2, 3, 1).flatten(0, 2)
    distances = torch.cdist(after, vectors)
    assert distances.min(dim=1).values.max() < 1e-2
    patches = images.unflatten(3, (grid, -1)).unflatten(2, (grid, -1)).permute(0, 2, 4, 1, 3, 5).flatten(0, 2).flatten(1)
    flat = patches.std(dim=1) == 0
    assert flat.float().mean() > 0.3  # most of a picture is blank paper
    assert flat[distances.argmin(dim=1)].float().mean() < 0.15
    torch.testing.assert_close(quantizer.sums, after)
    assert (quantizer.counts == 1).all()
    again = build("dalle_mini")
    again.start_stage("codec", images, torch.Generator().manual_seed(2))
    assert not torch.equal(again.vqgan.quantizer.codebook, after)


def test_the_prior_of_dalle_mini_learns_from_codes_alone():
    system, (images, captions) = build("dalle_mini"), batch(32)
    system.config = replace(system.config, recipe=replace(system.config.recipe, caption_dropout=0.0))
    found = loss(system, "prior", images, captions)
    vectors, codebook = system.vqgan.encoder(images).permute(0, 2, 3, 1), system.vqgan.quantizer.codebook
    codes = torch.cdist(vectors.flatten(0, 2), codebook).argmin(dim=1).view(8, 64)
    assert set(found) == {"loss"}
    same(found["loss"], cross_entropy(system.bart(tokens(system, captions), codes), codes))


# ---------------------------------------------------------------- CLIP, and Imagen's text encoder


def contrastive(seen: Tensor, texts: Tensor, scale: Tensor, excused: Tensor) -> Tensor:
    """Mean of -log p of one's own text and of a text's own, both ways; what is excused is left out of the sums."""
    logits, terms = scale * unit(seen) @ unit(texts).T, []
    for i in range(len(seen)):
        row = [logits[i, j] for j in range(len(texts)) if j == i or not excused[i, j]]
        column = [logits[j, i] for j in range(len(seen)) if j == i or not excused[j, i]]
        terms += [torch.stack(row).exp().sum().log() - logits[i, i], torch.stack(column).exp().sum().log() - logits[i, i]]
    return torch.stack(terms).mean()


@pytest.mark.parametrize("masked", [True, False])
def test_clip_learns_from_pictures_and_from_paraphrases(masked):
    torch.manual_seed(0)
    system, (images, captions) = tiny_clip().eval(), batch(32)
    captions[3:5] = ["a red circle", "un cercle"]  # of which the second is true of the first's picture
    recipe = ClipRecipe(augmentation=0.0, grayscale_share=0.25, negatives=2, paraphrase_weight=0.7, mask_false_negatives=masked)
    system.config = replace(system.config, recipe=recipe)
    found = loss(system, "clip", images, captions)
    generator = seeded()
    darkness = 0.4 + 0.6 * torch.rand(2, 1, 1, 1, generator=generator)
    grey = (1 - (1 - images[:2].min(dim=1, keepdim=True).values) * darkness).expand(-1, 3, -1, -1)
    said = [without_colours(text) for text in captions[:2]] + captions[2:]
    texts = said + hard_negatives(said, 2, generator, "cpu")
    otherwise = paraphrase(said, generator)
    assert texts[:8] != otherwise
    excused = compatible_captions(said, texts) & torch.tensor(masked)
    assert bool((excused[:, :8] & ~torch.eye(8, dtype=torch.bool)).any()) == masked
    pictures = system.clip.image_tower(torch.cat([grey, images[2:]]))
    read, reread = (system.clip.text_tower(tokens(system, each)) for each in (texts, otherwise))
    for part, seen in (("pictures", pictures), ("words", reread)):
        same(found[part], contrastive(seen, read, torch.tensor(30.0), excused))
    same(found["scale"], 30.0)
    same(found["loss"], found["pictures"] + 0.7 * found["words"])


@pytest.mark.parametrize(("progress", "strength"), [(0.0, 0.0), (0.25, 0.4), (0.5, 0.8), (1.0, 0.8)])
def test_clips_pictures_are_disturbed_more_and_more_until_half_way(progress, strength, monkeypatch):
    system, (images, captions) = tiny_clip(), batch(32)
    system.config = replace(system.config, recipe=replace(system.config.recipe, augmentation=0.8))
    asked = []
    monkeypatch.setattr("dalle_edu.systems.clip.augment", lambda images, generator, strength: asked.append(strength) or images)
    loss(system, "clip", images, captions, progress=progress)
    assert asked == [pytest.approx(strength)]


def test_the_text_encoders_scale_is_capped_too(monkeypatch):
    """Above 100 it no longer counts: the loss is that of a scale of 100."""
    system = build("imagen").eval()
    images, captions = batch(system.resolution)
    found = []
    for scale in (80.0, 100.0, 150.0):
        with torch.no_grad():
            system.text_encoder.log_scale.fill_(math.log(scale))
        found.append(loss(system, "text_encoder", images, captions)["sentences"])
    same(found[2], found[1])
    assert not torch.isclose(found[0], found[1])


def test_a_scale_beyond_its_cap_comes_back_to_it_and_learns():
    system, (images, captions) = tiny_clip(), batch(32)
    with torch.no_grad():
        system.clip.log_scale.fill_(10.0)
    found = loss(system, "clip", images, captions)
    found["loss"].backward()
    same(found["scale"], 100.0)
    same(system.clip.log_scale, math.log(100.0))
    assert system.clip.log_scale.grad != 0


def test_the_text_encoder_says_captions_otherwise_and_tells_true_from_false():
    system, (images, captions) = build("imagen"), batch(64)
    found = loss(system, "text_encoder", images, captions)
    generator, encoder = seeded(), system.text_encoder
    said = paraphrase(captions, generator)
    texts = captions + hard_negatives(captions, 3, generator, "cpu")
    read, written = tokens(system, texts), tokens(system, said)
    states, _, wholes = encoder(read)
    logits = encoder.transformer.decode(torch.cat([torch.zeros(8, 1, dtype=torch.long), written[:, :-1]], dim=1), states[:8], read[:8])
    rows, words = (written != 0).nonzero(as_tuple=True)
    surprises = [-log_softmax(logits)[i, j, written[i, j]] for i, j in zip(rows.tolist(), words.tolist(), strict=True)]
    same(found["written"], torch.stack(surprises).mean())
    sentences = contrastive(encoder(written)[2], wholes, encoder.log_scale.exp(), compatible_captions(captions, texts))
    same(found["sentences"], sentences)
    same(found["loss"], found["written"] + found["sentences"])
