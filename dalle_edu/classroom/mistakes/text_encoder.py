"""Mistakes about the text encoder of Imagen and its loss."""

import math

import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.language_model import masked_cross_entropy
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake
from dalle_edu.systems.parts.text_encoder import TextEncoder


class StatesOfPadding(TextEncoder):
    def forward(self, text: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        _, visible, vectors = super().forward(text)
        return self.transformer.encode(text), visible, vectors


class FirstTokenForTheWhole(TextEncoder):
    def forward(self, text: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        states, visible, _ = super().forward(text)
        return states, visible, F.normalize(self.whole(states[:, 0]), dim=-1) * math.sqrt(self.config.width)


class NotShifted(TextEncoder):
    def loss(self, text: Tensor, states: Tensor, paraphrases: Tensor) -> Tensor:
        return masked_cross_entropy(self.transformer.decode(paraphrases, states, text).float(), paraphrases)


class PaddingIsPredicted(TextEncoder):
    def loss(self, text: Tensor, states: Tensor, paraphrases: Tensor) -> Tensor:
        logits = self.transformer.decode(F.pad(paraphrases, (1, 0))[:, :-1], states, text).float()
        return F.cross_entropy(logits.flatten(0, 1), paraphrases.flatten())


class CopiesTheCaption(TextEncoder):
    def loss(self, text: Tensor, states: Tensor, paraphrases: Tensor) -> Tensor:
        return super().loss(text, states, text)


_ENCODER, _LOSS = "systems.parts.text_encoder:TextEncoder", "systems.parts.text_encoder:text_encoder_loss"
MISTAKES = [
    Mistake(
        _ENCODER,
        StatesOfPadding,
        "Padding positions keep their states, which mean nothing: set them to zero.",
        "Les positions de remplissage gardent leurs états, qui ne veulent rien dire : mettez-les à zéro.",
    ),
    Mistake(
        _ENCODER,
        FirstTokenForTheWhole,
        "The first token stands for the whole sentence; take the mean over all its tokens.",
        "Le premier jeton tient lieu de phrase entière ; prenez la moyenne de tous ses jetons.",
    ),
    Mistake(
        _ENCODER,
        NotShifted,
        "The paraphrase is not shifted: each token is predicted from itself, and the loss falls to nothing.",
        "La paraphrase n'est pas décalée : chaque jeton est prédit à partir de lui-même, et la perte tombe à rien.",
    ),
    Mistake(
        _ENCODER,
        PaddingIsPredicted,
        "Padding is predicted too: most of the loss is then about where sentences end.",
        "Le remplissage est prédit aussi : la perte porte alors surtout sur la fin des phrases.",
    ),
    Mistake(
        _ENCODER,
        CopiesTheCaption,
        "The caption itself is to be written, which takes copying and no understanding; its paraphrase is.",
        "C'est la légende même qui est à écrire : recopier suffit, sans rien comprendre ; il faut écrire la paraphrase.",
    ),
    edited(
        _LOSS,
        "texts = [*captions, *false]",
        "texts = [*captions]",
        "No hard negatives are among the texts: a bag of words is then enough to tell captions apart.",
        "Les textes ne contiennent aucun négatif difficile : un sac de mots suffit alors à distinguer les légendes.",
    ),
    edited(
        _LOSS,
        "paraphrase_tokens)",
        "tokens[:n])",
        "Captions are compared with themselves: any encoder finds them; give it paraphrases to find them by.",
        "Les légendes sont comparées à elles-mêmes, et tout encodeur les retrouve ; c'est aux paraphrases de les retrouver.",
    ),
    edited(
        _LOSS,
        "compatible_captions(captions, texts, catalogue).to(device)",
        "torch.zeros(n, len(texts), dtype=torch.bool, device=device)",
        "Captions that may be true of the same picture count as negatives; mask them.",
        "Des légendes qui peuvent être vraies de la même image comptent pour des négatifs ; masquez-les.",
    ),
    edited(
        _LOSS,
        ".clamp(max=100.0)",
        "",
        "The scale may grow without end; it is capped at 100, as CLIP's.",
        "L'échelle peut croître sans fin ; elle est limitée à 100, comme celle de CLIP.",
    ),
    edited(
        _LOSS,
        '"loss": written + sentences',
        '"loss": (written + sentences) / 2',
        "The loss is the sum of its two terms, and not their mean.",
        "La perte est la somme de ses deux termes, et non leur moyenne.",
    ),
]
