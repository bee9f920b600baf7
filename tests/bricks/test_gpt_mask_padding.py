"""Masked padding in the GPT: a caption's pictures depend on its words alone, and not on how many places are left after them."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from dalle_edu.bricks.gpt import GPTConfig, TextToImageGPT, sample_codes

MASKED = GPTConfig(
    text_vocabulary=30, text_length=9, num_codes=11, grid=4, width=16, depth=2, heads=2,
    smear=True, canon_taps=3, image_canon_taps=2, mask_padding=True,
)  # fmt: skip
LENGTHS = (3, 6, 0, 9)


@pytest.fixture(params=(1, 4), ids=lambda codes: f"{codes} a token")
def model(request) -> TextToImageGPT:
    torch.manual_seed(0)
    gpt = TextToImageGPT(replace(MASKED, codes_per_token=request.param)).double().eval()
    for parameter in gpt.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.3)  # far from the small first weights, or nothing would show
    return gpt


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    text = torch.randint(1, 30, (len(LENGTHS), 9), generator=generator)
    text *= torch.arange(9) < torch.tensor(LENGTHS)[:, None]
    return text, torch.randint(0, 11, (len(LENGTHS), 16), generator=generator)


def test_each_caption_is_read_as_if_alone_and_without_padding(model, batch):
    text, codes = batch
    text_logits, code_logits = model(text, codes)
    for row, length in enumerate(LENGTHS):
        words, image = model(text[row : row + 1, :length], codes[row : row + 1])
        torch.testing.assert_close(code_logits[row], image[0])
        torch.testing.assert_close(text_logits[row, :length], words[0])


def test_a_caption_that_leaves_no_place_is_read_as_without_a_mask(model, batch):
    plain = TextToImageGPT(replace(model.config, mask_padding=False)).double()
    assert plain.load_state_dict(model.state_dict(), strict=False).missing_keys == ["text_padding.weight"]
    text, codes = batch[0][3:], batch[1][3:]
    for masked, unmasked in zip(model(text, codes), plain(text, codes), strict=True):
        torch.testing.assert_close(masked, unmasked)


def test_padding_that_all_captions_share_may_be_cut(model, batch):
    text, codes = batch[0][:3], batch[1][:3]
    whole, cut = model.loss(text, codes), model.loss(text[:, :6], codes)
    assert whole.keys() == cut.keys()
    for name, loss in whole.items():
        torch.testing.assert_close(loss, cut[name])


def test_the_loss_is_the_mean_of_the_pictures_losses(model, batch):
    text, codes = batch
    each = [model.loss(text[row : row + 1], codes[row : row + 1])["loss"] for row in range(len(text))]
    torch.testing.assert_close(model.loss(text, codes)["loss"], torch.stack(each).mean())


def test_the_loss_of_words_leaves_padding_out(model, batch):
    text, codes = batch
    log_p = F.log_softmax(model(text, codes)[0].float(), dim=-1)
    words = [-log_p[row, place, text[row, place]] for row, length in enumerate(LENGTHS) for place in range(length)]
    torch.testing.assert_close(model.loss(text, codes)["text"], torch.stack(words).sum() / text.numel())


def test_the_cache_agrees_with_the_whole_stream(model, batch):
    text, codes = batch
    cached = model.with_cache(text)
    logits = torch.stack([cached.next_logits(position, codes[:, :position]) for position in range(16)], dim=1)
    torch.testing.assert_close(logits, model(text, codes)[1])


@pytest.mark.parametrize("cached", [True, False], ids=("cached", "uncached"))
def test_samples_do_not_depend_on_the_padding(model, batch, cached):
    text, uniforms = batch[0][:3], torch.rand(3, 16, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    padded = sample_codes(model, text, uniforms, 2.0, 0.8, cached=cached)
    assert torch.equal(padded, sample_codes(model, text[:, :6], uniforms, 2.0, 0.8, cached=cached))
    assert torch.equal(padded[:1], sample_codes(model, text[:1, :3], uniforms[:1], 2.0, 0.8, cached=cached))


def test_padding_has_no_weights_and_the_others_all_learn(model, batch):
    text, codes = batch
    assert model.text_padding is None
    model.loss(text, codes)["loss"].backward()
    still = [name for name, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert still == []
