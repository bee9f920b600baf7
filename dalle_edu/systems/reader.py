"""A reader: it learns what captions mean from text alone, and is then frozen and read by a system that paints.

Imagen's finding was that a language model which never saw a picture serves a painter better than a larger painter does (Saharia et al.
2022, section 4.3). Theirs, T5, learned by filling in words on the web; ours learns by saying the captions of the world otherwise, in
either language, which asks it who is red, who is small and who stands where. Its encoder's states are what the painter sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.recurrent import masked_cross_entropy
from dalle_edu.bricks.transformer import Transformer
from dalle_edu.systems.claims import say_otherwise
from dalle_edu.world.tokenizer import CaptionTokenizer


@dataclass(frozen=True)
class ReaderConfig:
    """The shape of a reader: a transformer whose encoder is kept, and whose decoder only serves to train it."""

    vocabulary: int = 512
    text_length: int = 20
    width: int = 96
    depth: int = 3
    heads: int = 4


class Reader(nn.Module):
    """Captions as token numbers in, a vector for each token out: (n, t, width), and which tokens are no padding."""

    def __init__(self, config: ReaderConfig):
        super().__init__()
        self.config = config
        self.transformer = Transformer(
            config.vocabulary, config.vocabulary, config.width, config.depth, config.heads, config.text_length + 1
        )

    def forward(self, text: Int[Tensor, "n t"]) -> tuple[Float[Tensor, "n t w"], Bool[Tensor, "n t"]]:
        visible = text != 0
        states = self.transformer.read(text)
        return torch.where(visible.unsqueeze(-1), states, 0.0), visible  # where nothing can be seen, as in no caption, attention gives NaN

    def loss(self, text: Int[Tensor, "n t"], otherwise: Int[Tensor, "n t"]) -> dict[str, Float[Tensor, ""]]:
        """Cross-entropy, in nats per token, of captions said otherwise, each token given those before it. Padding starts a sentence."""
        written = F.pad(otherwise, (1, 0))[:, :-1]
        return {"loss": masked_cross_entropy(self.transformer(text, written).float(), otherwise)}


def reader_loss(
    reader: Reader, tokenizer: CaptionTokenizer, captions: Sequence[str], generator: torch.Generator | None
) -> dict[str, Tensor]:
    """The loss of a batch of captions: say them otherwise."""
    device, length = next(reader.parameters()).device, reader.config.text_length
    text, otherwise = (tokenizer.encode(each, length).to(device) for each in (captions, say_otherwise(captions, generator)))
    return reader.loss(text, otherwise)
