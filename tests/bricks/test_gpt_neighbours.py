"""A GPT whose words and codes know their neighbours, against Hugging Face's GPT-2 with PyTorch's convolutions in it."""

from dataclasses import replace

import pytest
import torch
from test_gpt import NEAR, SMALL, gpt2, lively

from dalle_edu.bricks.gpt import TextToImageGPT


@pytest.fixture
def text() -> torch.Tensor:
    return torch.tensor([[3, 1, 7, 0], [5, 0, 0, 0], [0, 0, 0, 0], [10, 9, 8, 2], [1, 1, 1, 1]])


@pytest.fixture
def codes() -> torch.Tensor:
    return torch.randint(17, (5, 9), generator=torch.Generator().manual_seed(1))


class Convolved(torch.nn.Module):
    """A norm, after which PyTorch convolves the words with those before them, and the codes, with weights of their own."""

    def __init__(self, norm: torch.nn.Module, of_words: torch.Tensor, of_codes: torch.Tensor):
        super().__init__()
        self.norm, self.weights = norm, (of_words, of_codes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        lengths = [1 + SMALL.text_length, x.shape[1] - 1 - SMALL.text_length]
        parts = zip(self.norm(x).split(lengths, dim=1), self.weights, strict=True)
        return torch.cat([self.convolved(part, weight) for part, weight in parts], dim=1)

    def convolved(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        taps, width = weight.shape
        kernel = torch.cat([weight.flip(0), torch.ones(1, width, dtype=weight.dtype)]).T.reshape(width, 1, taps + 1)
        return torch.nn.functional.conv1d(torch.nn.functional.pad(x.mT, (taps, 0)), kernel, groups=width).mT


@torch.no_grad()
def test_with_neighbours_it_is_gpt2_whose_words_and_codes_are_convolved(text, codes):
    model = lively(NEAR)
    peer = gpt2(SMALL.width, SMALL.heads, SMALL.depth, 13, model.blocks, model.norm)
    for layer, of_words, of_codes in zip(peer.h, model.canons, model.image_canons, strict=True):
        layer.ln_1 = Convolved(layer.ln_1, of_words.weight, of_codes.weight)
    words = model.embed_text(text)
    words = torch.stack([words[:, 0], *(words[:, i] + words[:, i - 1] @ model.smear.before.weight.T for i in range(1, 5))], dim=1)
    hidden = peer(inputs_embeds=torch.cat([words, model.embed_codes(codes[:, :-1])], dim=1)).last_hidden_state
    text_logits, code_logits = model(text, codes)
    torch.testing.assert_close(text_logits, model.text_head(hidden[:, : SMALL.text_length]), rtol=0, atol=1e-9)
    torch.testing.assert_close(code_logits, model.code_head(hidden[:, SMALL.text_length :]), rtol=0, atol=1e-9)


def test_neighbours_are_drawn_as_they_ask_and_change_no_other_weight():
    torch.manual_seed(0)
    plain = TextToImageGPT(SMALL).state_dict()
    torch.manual_seed(0)
    near = TextToImageGPT(replace(NEAR, canon_taps=64))
    assert all(torch.equal(value, plain[name]) for name, value in near.state_dict().items() if name in plain)
    assert set(near.state_dict()) - set(plain) == {
        "smear.before.weight",
        *(f"{which}.{layer}.weight" for which in ("canons", "image_canons") for layer in range(3)),
    }
    assert all(canon.weight.detach().std() == pytest.approx(0.3, rel=0.1) for canon in near.canons)


# ---------------------------------------------------------------- the stream
