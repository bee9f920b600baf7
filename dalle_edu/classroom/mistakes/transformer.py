"""Mistakes about the transformer."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.transformer import Block, CrossBlock
from dalle_edu.classroom.checking.proof import Mistake


def sines_then_cosines(length: int, width: int) -> Tensor:
    angles = torch.arange(length).unsqueeze(1) * torch.exp(torch.arange(0, width, 2) * (-math.log(10_000) / width))
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def wavelength_of_each_channel(length: int, width: int) -> Tensor:
    angles = torch.arange(length).unsqueeze(1) * torch.exp(torch.arange(width) * (-math.log(10_000) / width))
    return torch.where(torch.arange(width) % 2 == 0, angles.sin(), angles.cos())


class NormAfter(Block):
    def forward(self, x: Tensor, *_: object, **__: object) -> Tensor:
        x = self.norm_1(x + self.attention(x, self.causal))
        return self.norm_2(x + self.contract(F.gelu(self.expand(x))))


class NoResidual(Block):
    def forward(self, x: Tensor, *_: object, **__: object) -> Tensor:
        x = self.attention(self.norm_1(x), self.causal)
        return self.contract(F.gelu(self.expand(self.norm_2(x))))


class NormOfTheSumKept(Block):
    def forward(self, x: Tensor, *_: object, **__: object) -> Tensor:
        x = self.norm_1(x)
        x = self.norm_2(x + self.attention(x, self.causal))
        return x + self.contract(F.gelu(self.expand(x)))


class PaddingRead(CrossBlock):
    def forward(self, x: Tensor, memory: Tensor, visible: Tensor | None = None, maps: list[Tensor] | None = None) -> Tensor:
        return super().forward(x, memory, None, maps)


class FutureSeen(CrossBlock):
    def forward(self, x: Tensor, memory: Tensor, visible: Tensor | None = None, maps: list[Tensor] | None = None) -> Tensor:
        x = x + self.attention(self.norm_1(x), causal=False)
        x = x + self.cross_attention(self.norm_2(x), memory, visible, maps)
        return x + self.contract(F.gelu(self.expand(self.norm_3(x))))


MISTAKES = [
    Mistake(
        "transformer:sinusoidal_positions",
        sines_then_cosines,
        "All the sines come first, then all the cosines; the paper lets them alternate, channel 2i and channel 2i + 1.",
        "Tous les sinus viennent d'abord, puis tous les cosinus ; l'article les alterne, canal 2i et canal 2i + 1.",
    ),
    Mistake(
        "transformer:sinusoidal_positions",
        wavelength_of_each_channel,
        "Sine and cosine of a pair have different wavelengths; they share one, or a shift is no longer a rotation.",
        "Le sinus et le cosinus d'une paire ont deux longueurs d'onde ; il en faut une seule, sinon un décalage n'est plus une rotation.",
    ),
    Mistake(
        "transformer:Block",
        NormAfter,
        "The layer norm comes after each sum (post-norm): deep stacks then need a careful warm-up; put it before each sublayer.",
        "La normalisation suit chaque somme (post-norm) : une pile profonde exige un échauffement ; mettez-la avant chaque sous-couche.",
    ),
    Mistake(
        "transformer:Block",
        NoResidual,
        "What was given is not added to what was found: without the residual path, tokens grow alike from block to block.",
        "L'entrée n'est pas ajoutée au résultat : sans chemin résiduel, les jetons se ressemblent de plus en plus de bloc en bloc.",
    ),
    Mistake(
        "transformer:Block",
        NormOfTheSumKept,
        "The normalised tokens replace the residual stream; normalise what goes into a sublayer, and add to the stream itself.",
        "Les jetons normalisés remplacent le flux résiduel ; normalisez ce qui entre dans la sous-couche, et ajoutez au flux lui-même.",
    ),
    Mistake(
        "transformer:CrossBlock",
        PaddingRead,
        "The decoder attends to the padding of what was read; pass on the mask of visible tokens.",
        "Le décodeur porte son attention sur le remplissage de la source ; transmettez le masque des jetons visibles.",
    ),
    Mistake(
        "transformer:CrossBlock",
        FutureSeen,
        "The decoder's self-attention is not causal: each token sees the ones it must predict.",
        "L'auto-attention du décodeur n'est pas causale : chaque jeton voit ceux qu'il doit prédire.",
    ),
]
