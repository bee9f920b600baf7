"""Mistakes about the GPT over text and picture, some of them found in well-known libraries."""

from typing import Any

import torch
from torch import Tensor

from dalle_edu.bricks.decoding import choose
from dalle_edu.bricks.gpt import TextToImageGPT, sample_codes
from dalle_edu.classroom.checking.proof import Mistake


class RowsAndColumnsSwapped(TextToImageGPT):
    def embed_codes(self, codes: Tensor, first: int = 0) -> Tensor:
        positions = torch.arange(first, first + codes.shape[1], device=codes.device)
        rows, columns = positions % self.config.grid, positions // self.config.grid
        return self.code_embedding(codes) + self.row_position(rows) + self.column_position(columns)


class PaddingLikeAnyWord(TextToImageGPT):
    def embed_text(self, text: Tensor) -> Tensor:
        positions = torch.arange(text.shape[1], device=text.device)
        words = self.text_embedding(text) + self.text_position(positions)
        return torch.cat([self.start.expand(len(text), 1, -1), words], dim=1)


class AnswerShown(TextToImageGPT):
    def forward(self, text: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.norm(self._run(torch.cat([self.embed_text(text), self.embed_codes(codes)], dim=1), text))
        return self.text_head(hidden[:, 1 : text.shape[1] + 1]), self.code_head(hidden[:, text.shape[1] + 1 :])


@torch.no_grad()
def guided_once(model: TextToImageGPT, text: Tensor, uniforms: Tensor, guidance_scale: float = 1.0, **options: Any) -> Tensor:
    first = sample_codes(model, text, uniforms, guidance_scale, **options)[:, :1]
    codes = first
    for position in range(1, model.config.image_length):
        hidden = model._run(torch.cat([model.embed_text(text), model.embed_codes(codes)], dim=1), text)
        logits = model.code_head(model.norm(hidden)[:, -1])
        codes = torch.cat([codes, choose(logits, uniforms[:, position], **options).unsqueeze(1)], dim=1)
    return codes


def caption_emptied_in_place(model: TextToImageGPT, text: Tensor, uniforms: Tensor, guidance_scale: float = 1.0, **options: Any) -> Tensor:
    text = text.clone()
    if guidance_scale != 1.0:
        text.zero_()
    return sample_codes(model, text, uniforms, guidance_scale, **options)


def written_column_by_column(model: TextToImageGPT, text: Tensor, uniforms: Tensor, guidance_scale: float = 1.0, **options: Any) -> Tensor:
    codes = sample_codes(model, text, uniforms, guidance_scale, **options)
    return codes.unflatten(1, (model.config.grid, -1)).transpose(1, 2).flatten(1)


MISTAKES = [
    Mistake(
        "gpt:TextToImageGPT",
        RowsAndColumnsSwapped,
        "Rows and columns are swapped: code number i of the stream stands in row i // grid and column i % grid.",
        "Lignes et colonnes sont échangées : le code numéro i du flux est à la ligne i // grid et à la colonne i % grid.",
    ),
    Mistake(
        "gpt:TextToImageGPT",
        PaddingLikeAnyWord,
        "Padding is embedded like a word; each text position has a padding embedding of its own, learned.",
        "Le remplissage est plongé comme un mot ; chaque position du texte a son propre plongement de remplissage, appris.",
    ),
    Mistake(
        "gpt:TextToImageGPT",
        AnswerShown,
        "Each token is predicted from a stream that already holds it: the loss falls to nothing and the samples are noise.",
        "Chaque jeton est prédit à partir d'un flux qui le contient déjà : la perte s'effondre et les tirages ne sont que du bruit.",
    ),
    Mistake(
        "gpt:sample_codes",
        guided_once,
        "Guidance acts on the first code only; the caption and the empty caption must both go on at every step.",
        "Le guidage n'agit que sur le premier code ; la phrase et la phrase vide doivent continuer toutes deux à chaque pas.",
    ),
    Mistake(
        "gpt:sample_codes",
        caption_emptied_in_place,
        "The caption is emptied in place to make the unconditional half, so both halves are unconditional; work on a copy.",
        "La phrase est vidée sur place pour la moitié sans condition, et aucune moitié n'en a plus ; travaillez sur une copie.",
    ),
    Mistake(
        "gpt:sample_codes",
        written_column_by_column,
        "The codes are read as columns: the picture comes out mirrored along its diagonal; the stream goes row by row.",
        "Les codes sont lus en colonnes : l'image sort retournée autour de sa diagonale ; le flux va ligne par ligne.",
    ),
]
