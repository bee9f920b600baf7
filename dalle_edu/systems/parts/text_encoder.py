"""A text encoder: it learns what captions mean from text alone, and is then frozen
and read by a system that paints.

Imagen's finding was that a language model which never saw a picture serves a base
model better than a larger base model does (Saharia et al. 2022, section 4.3).
Theirs, T5, learned by filling in words on the web; ours learns in two ways, both of
which ask it who is red, who is small and who stands where. It says captions
otherwise, in either language, naming either object first. And it makes one vector
of a whole caption, near that of a paraphrase and far from that of a caption wrong
in one thing (Reimers & Gurevych 2019): so whatever the words, what stands on the
left is in the same place. The base model sees both, the states of the words and the
vector of the sentence.

Letters: n captions, t tokens read, w channels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.language_model import masked_cross_entropy
from dalle_edu.bricks.transformer import Transformer
from dalle_edu.systems.hard_negatives.contrastive_loss import (
    compatible_captions,
    masked_clip_loss,
)
from dalle_edu.systems.hard_negatives.negatives import hard_negatives
from dalle_edu.systems.hard_negatives.paraphrases import paraphrase
from dalle_edu.world.tokenizer import CaptionTokenizer, trimmed

FALSE = 3  # captions wrong in one thing, for each right one


@dataclass(frozen=True)
class TextEncoderConfig:
    """The shape of a text encoder: a transformer whose encoder is kept, and whose
    decoder only serves to train it.
    """

    vocabulary: int = 512
    text_length: int = 20
    width: int = 96
    depth: int = 3
    heads: int = 4


class TextEncoder(nn.Module):
    """Captions as token numbers in; out come a vector for each token, which tokens
    are no padding, and a vector for the whole.
    """

    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        self.config = config
        self.transformer = Transformer(
            config.vocabulary,
            config.vocabulary,
            config.width,
            config.depth,
            config.heads,
            config.text_length + 1,
            directed=True,
        )
        self.whole = nn.Linear(config.width, config.width, bias=False)
        self.log_scale = nn.Parameter(torch.tensor(math.log(20.0)))

    def forward(
        self, text: Int[Tensor, "n t"]
    ) -> tuple[Float[Tensor, "n t w"], Bool[Tensor, "n t"], Float[Tensor, "n w"]]:
        """The states, where there is a token, and the sentences' vectors, whose
        entries have variance 1. No caption at all is all zeros.
        """
        visible = text != 0
        there = visible.unsqueeze(-1)
        # what padding makes of itself is nobody's business
        states = torch.where(there, self.transformer.encode(text), 0.0)
        mean = states.sum(dim=1) / there.sum(dim=1).clamp(min=1)
        return (
            states,
            visible,
            F.normalize(self.whole(mean), dim=-1) * math.sqrt(self.config.width),
        )

    def sentence(self, text: Int[Tensor, "n t"]) -> Float[Tensor, "n w"]:
        """Captions as unit vectors."""
        return F.normalize(self(text)[2].float(), dim=-1)

    def loss(
        self,
        text: Int[Tensor, "n t"],
        states: Float[Tensor, "n t w"],
        otherwise: Int[Tensor, "n written"],
    ) -> Float[Tensor, ""]:
        """Cross-entropy, in nats per token, of captions said otherwise, each token
        given those before it and the states that the captions were read into.
        Padding starts a sentence.
        """
        written = F.pad(otherwise, (1, 0))[:, :-1]
        return masked_cross_entropy(
            self.transformer.decode(written, states, text).float(), otherwise
        )


def text_encoder_loss(
    text_encoder: TextEncoder,
    tokenizer: CaptionTokenizer,
    captions: Sequence[str],
    generator: torch.Generator | None,
) -> dict[str, Tensor]:
    """The loss of a batch of captions: say them otherwise, and know a paraphrase
    from what is false.
    """
    device, length = (
        next(text_encoder.parameters()).device,
        text_encoder.config.text_length,
    )
    otherwise = paraphrase(captions, generator)
    texts = [*captions, *hard_negatives(captions, FALSE, generator, device)]
    tokens, said = (
        trimmed(tokenizer.encode(each, length)).to(device)
        for each in (texts, otherwise)
    )
    states, _, wholes = text_encoder(tokens)
    written = text_encoder.loss(
        tokens[: len(captions)], states[: len(captions)], said
    )
    seen, read = text_encoder.sentence(said), F.normalize(wholes.float(), dim=-1)
    with torch.autocast(device.type, enabled=False):
        sentences = masked_clip_loss(
            seen,
            read,
            text_encoder.log_scale.exp().clamp(max=100.0),
            compatible_captions(captions, texts).to(device),
        )
    return {"loss": written + sentences, "written": written, "sentences": sentences}
