"""What goes wrong between a caption and its codes."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.bart import TextToImageBART, translate
from dalle_edu.classroom.proof import Mistake


class PaddingRead(TextToImageBART):
    def read(self, text: Tensor) -> tuple[Tensor, Tensor]:
        memory, visible = super().read(text)
        return memory, torch.ones_like(visible)


class WordsCausal(TextToImageBART):
    def read(self, text: Tensor) -> tuple[Tensor, Tensor]:
        text = F.pad(text, (1, 0))
        visible = text != 0
        visible[:, 0] = True
        x = self.text_embedding(text) + self.text_position.weight[: text.shape[1]]
        for block in self.encoder.blocks:
            block.causal = True  # type: ignore[assignment]
        return self.encoder(x, visible), visible


class AnswerShown(TextToImageBART):
    def forward(self, text: Tensor, codes: Tensor) -> Tensor:
        memory, visible = self.read(text)
        return self.code_head(self.decoder(self.embed_codes(codes)[:, 1:], memory, visible))


def caption_lost_after_the_first_code(
    model: TextToImageBART, text: Tensor, uniforms: Tensor, guidance: float = 1.0, **options: Any
) -> Tensor:
    first = translate(model, text, uniforms, guidance, **options)
    given = torch.cat([first[:, :1], torch.full_like(first[:, 1:], -1)], dim=1)
    return translate(model, torch.zeros_like(text), uniforms, 1.0, given=given, **options)


def guidance_as_a_share(model: TextToImageBART, text: Tensor, uniforms: Tensor, guidance: float = 1.0, **options: Any) -> Tensor:
    return translate(model, text, uniforms, 1.0 + guidance if guidance != 1.0 else 1.0, **options)


MISTAKES = [
    Mistake(
        "bart:TextToImageBART",
        PaddingRead,
        "The decoder looks at padding: what it draws depends on how long the other captions are; hide tokens that are 0.",
        "Le décodeur regarde le remplissage : ce qu'il dessine dépend de la longueur des autres phrases ; cachez les jetons 0.",
    ),
    Mistake(
        "bart:TextToImageBART",
        WordsCausal,
        "The encoder hides from each word those after it; it reads the whole caption at once, so it needs no causal mask.",
        "L'encodeur cache à chaque mot ceux qui le suivent ; il lit toute la phrase d'un coup, donc sans masque causal.",
    ),
    Mistake(
        "bart:TextToImageBART",
        AnswerShown,
        "Each code is predicted from a stream that already holds it: shift the codes by one place behind the start token.",
        "Chaque code est prédit à partir d'une suite qui le contient déjà : décalez les codes d'une place derrière le jeton de départ.",
    ),
    Mistake(
        "bart:translate",
        caption_lost_after_the_first_code,
        "The caption is read for the first code only; every later code must look across at it too.",
        "La phrase n'est lue que pour le premier code ; chacun des suivants doit la regarder aussi.",
    ),
    Mistake(
        "bart:translate",
        guidance_as_a_share,
        "Guidance is added on top of the caption's own logits; a scale of s means unconditional + s × (conditional − unconditional).",
        "Le guidage s'ajoute aux logits de la phrase ; une force s veut dire : sans condition + s × (avec condition − sans condition).",
    ),
]
