"""Mistakes about the transformer."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.transformer import Block, CrossBlock
from dalle_edu.classroom.checking.edited import edited
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
    edited(
        "transformer:Block",
        "F.gelu(self.expand(self.norm_2(x)))",
        "F.relu(self.expand(self.norm_2(x)))",
        "The activation is a ReLU; GPT-2's is a GELU, which bends smoothly.",
        "L'activation est une ReLU ; celle de GPT-2 est une GELU, qui plie en douceur.",
    ),
    edited(
        "transformer:Block",
        "F.gelu(self.expand(self.norm_2(x)))",
        'F.gelu(self.expand(self.norm_2(x)), approximate="tanh")',
        "The GELU is the approximation by a hyperbolic tangent; the exact one is wanted, F.gelu(x).",
        "La GELU est l'approximation par une tangente hyperbolique ; il faut l'exacte, F.gelu(x).",
    ),
    edited(
        "transformer:Block",
        "self.contract(F.gelu(self.expand(self.norm_2(x))))",
        "F.gelu(self.contract(self.expand(self.norm_2(x))))",
        "The activation comes after `contract`: two linear layers without anything between them are one; put it between.",
        "L'activation vient après `contract` : deux couches linéaires sans rien entre elles n'en font qu'une ; mettez-la entre les deux.",
    ),
    edited(
        "transformer:Block",
        "self.contract(F.gelu(self.expand(self.norm_2(x))))",
        "self.contract(self.expand(self.norm_2(x)))",
        "There is no activation in the small network: two linear layers in a row are one.",
        "Il n'y a pas d'activation dans le petit réseau : deux couches linéaires de suite n'en font qu'une.",
    ),
    edited(
        "transformer:Block",
        "        normed = self.norm_1(x)\n",
        "        given, normed = x, self.norm_1(x)\n",
        "return x + self.contract",
        "return given + self.contract",
        "The small network's result is added to what the block was given: what attention found is lost; add it to the stream.",
        "Le résultat du petit réseau est ajouté à l'entrée du bloc : ce que l'attention a trouvé est perdu ; ajoutez-le au flux.",
    ),
    edited(
        "transformer:Block",
        "        normed = self.norm_1(x)\n",
        "        given, normed = x, self.norm_1(x)\n",
        "self.norm_2(x)",
        "self.norm_2(given)",
        "Both sublayers read what the block was given: the small network must read what attention has made of it.",
        "Les deux sous-couches lisent l'entrée du bloc : le petit réseau doit lire ce que l'attention en a fait.",
    ),
    edited(
        "transformer:Block",
        "self.norm_2(x)",
        "self.norm_1(x)",
        "The first norm, `norm_1`, is used twice: each sublayer has a norm of its own.",
        "La première normalisation, `norm_1`, sert deux fois : chaque sous-couche a sa propre normalisation.",
    ),
    edited(
        "transformer:Block",
        "self.attention(normed, self.causal, cache",
        "self.attention(normed, True, cache",
        "Attention is always causal: pass on `self.causal`, which is False in an encoder.",
        "L'attention est toujours causale : transmettez `self.causal`, qui vaut False dans un encodeur.",
    ),
    edited(
        "transformer:Block",
        "x = x + self.attention",
        "x = self.attention",
        "Nothing is added to what attention found: the stream itself is lost.",
        "Rien n'est ajouté à ce que l'attention a trouvé : le flux lui-même est perdu.",
    ),
    edited(
        "transformer:Block",
        "return x + self.contract",
        "return self.contract",
        "The small network's result takes the place of the stream: add it to the stream.",
        "Le résultat du petit réseau prend la place du flux : ajoutez-le au flux.",
    ),
]
