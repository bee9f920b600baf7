"""Mistakes about the encoder–decoder from captions to codes."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.bart import TextToImageBART
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


class PaddingRead(TextToImageBART):
    def encode(self, text: Tensor) -> tuple[Tensor, Tensor]:
        memory, visible = super().encode(text)
        return memory, torch.ones_like(visible)


class WordsCausal(TextToImageBART):
    def encode(self, text: Tensor) -> tuple[Tensor, Tensor]:
        text = F.pad(text, (1, 0))
        visible = text != 0
        visible[:, 0] = True
        x = self.text_embedding(text) + self.text_position.weight[: text.shape[1]]
        for block in self.encoder.blocks:
            block.causal = True  # type: ignore[assignment]
        return self.encoder(x, visible), visible


class AnswerShown(TextToImageBART):
    def forward(self, text: Tensor, codes: Tensor) -> Tensor:
        memory, visible = self.encode(text)
        return self.code_head(self.decoder(self.embed_codes(codes)[:, 1:], memory, visible))


MISTAKES = [
    Mistake(
        "bart:TextToImageBART",
        PaddingRead,
        "The decoder looks at padding: what it draws depends on how much of it follows the caption; hide tokens that are 0.",
        "Le décodeur regarde le remplissage : ce qu'il dessine dépend de ce qu'il y en a après la phrase ; cachez les jetons 0.",
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
    edited(
        "bart:TextToImageBART",
        "together * torch.arange(",
        "torch.arange(",
        "Positions count tokens, where rows and columns are those of codes: the second token of four codes stands at code 4, not 1.",
        "Les positions comptent les jetons, or lignes et colonnes sont celles des codes : le deuxième jeton de 4 codes est au code 4.",
    ),
    edited(
        "bart:TextToImageBART",
        "self.local.step(hidden, written[:, whole:])",
        "self.local.step(hidden, written[:, :0])",
        "Every code of a token is written as if it were the first; give the local model those of its token that are written.",
        "Chaque code d'un jeton est écrit comme s'il était le premier ; donnez au modèle local ceux de son jeton qui sont écrits.",
    ),
]
