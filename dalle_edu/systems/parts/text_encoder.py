"""A text encoder: it learns what captions mean from text alone, and is then frozen
and conditions a base model.

Imagen's finding is that a larger language model, which never saw a picture,
improves pictures more than a larger base model does (Saharia et al. 2022, section
4.3). Theirs, T5, was trained to fill in words on the web. Ours is trained on two
tasks, both of which need to know which object is red, which is small and which is
on the left. The first is to paraphrase a caption in either language, naming either
object first. The second is contrastive: the vector of a whole caption is to be near
that of a paraphrase and far from that of a hard negative, a caption wrong in one
thing (Reimers & Gurevych 2019). The base model is given both the states of the
tokens and the vector of the sentence. Lesson 15.

Letters: n captions, t tokens, w channels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.language_model import masked_cross_entropy
from dalle_edu.bricks.neighbours import Smear
from dalle_edu.bricks.transformer import Transformer
from dalle_edu.systems.hard_negatives.contrastive_loss import (
    compatible_captions,
    masked_clip_loss,
)
from dalle_edu.systems.hard_negatives.negatives import hard_negatives
from dalle_edu.systems.hard_negatives.paraphrases import paraphrase
from dalle_edu.world.catalogue import SHAPES, Catalogue
from dalle_edu.world.tokenizer import CaptionTokenizer, trimmed

FALSE = 3  # hard negatives for each caption


@dataclass(frozen=True)
class TextEncoderConfig:
    """The shape of a text encoder: a transformer, of which the encoder is used, and
    the decoder serves in training alone. With `smear`, each word's embedding gets a
    map of the one before it added (`neighbours.py`).
    """

    vocabulary: int = 512
    text_length: int = 20
    width: int = 96
    depth: int = 3
    heads: int = 4
    smear: bool = False


class TextEncoder(nn.Module):
    """A transformer encoder of captions: from token numbers to a state for each
    token and a vector for the whole caption.
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
        self.smear = Smear(config.width) if config.smear else nn.Identity()

    def forward(
        self, text: Int[Tensor, "n t"]
    ) -> tuple[Float[Tensor, "n t w"], Bool[Tensor, "n t"], Float[Tensor, "n w"]]:
        """The states of the tokens, a mask that is True at tokens and False at
        padding, and the sentences' vectors, whose entries have variance 1.

        States at padding positions are set to zero. A caption that is all padding
        gives zeros.
        """
        visible = text != 0
        mask = visible.unsqueeze(-1)
        network = self.transformer
        words = self.smear(network._embed(text, network.source_embedding))
        states = torch.where(mask, network.encoder(words, visible), 0.0)
        mean = states.sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        direction = F.normalize(self.whole(mean), dim=-1)
        return states, visible, direction * math.sqrt(self.config.width)

    def sentence(self, text: Int[Tensor, "n t"]) -> Float[Tensor, "n w"]:
        """The vectors of whole captions, scaled to length 1, for comparing them."""
        return F.normalize(self(text)[2].float(), dim=-1)

    def loss(
        self,
        text: Int[Tensor, "n t"],
        states: Float[Tensor, "n t w"],
        paraphrases: Int[Tensor, "n written"],
    ) -> Float[Tensor, ""]:
        """The cross-entropy of paraphrases, in nats per token: each token is
        predicted from those before it and the states of the caption.

        `text` holds the captions, `states` what the encoder made of them, and
        `paraphrases` the same said otherwise. A padding token starts each of these.
        """
        written = F.pad(paraphrases, (1, 0))[:, :-1]
        return masked_cross_entropy(
            self.transformer.decode(written, states, text).float(), paraphrases
        )


def text_encoder_loss(
    text_encoder: TextEncoder,
    tokenizer: CaptionTokenizer,
    captions: Sequence[str],
    generator: torch.Generator | None,
    catalogue: Catalogue | None = SHAPES,
) -> dict[str, Tensor]:
    """The loss of a batch of captions, under "loss", and its two terms: "written",
    the cross-entropy of paraphrases, and "sentences", the contrastive loss that
    tells a paraphrase from hard negatives. Random numbers come from `generator`.
    Captions that people wrote, of no catalogue, have neither: each is written again
    as it is, and told from the others of the batch.
    """
    n, length = len(captions), text_encoder.config.text_length
    device = next(text_encoder.parameters()).device
    paraphrases = paraphrase(captions, generator, catalogue)
    false = hard_negatives(captions, FALSE, generator, device, catalogue)
    texts = [*captions, *false]
    tokens, paraphrase_tokens = (
        trimmed(tokenizer.encode(each, length)).to(device)
        for each in (texts, paraphrases)
    )
    states, _, vectors = text_encoder(tokens)
    written = text_encoder.loss(tokens[:n], states[:n], paraphrase_tokens)
    anchors = text_encoder.sentence(paraphrase_tokens)
    sentence_vectors = F.normalize(vectors.float(), dim=-1)
    with torch.autocast(device.type, enabled=False):
        sentences = masked_clip_loss(
            anchors,
            sentence_vectors,
            text_encoder.log_scale.exp().clamp(max=100.0),
            compatible_captions(captions, texts, catalogue).to(device),
        )
    return {"loss": written + sentences, "written": written, "sentences": sentences}
