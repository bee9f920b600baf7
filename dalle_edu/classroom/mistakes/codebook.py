"""Mistakes about codebooks; the second was published, and kept for years so that old weights would still load."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.codebook import VectorQuantizer
from dalle_edu.classroom.checking.proof import Mistake


def largest_product(vectors: Tensor, codebook: Tensor) -> Tensor:
    return (vectors @ codebook.T).argmax(dim=-1)


def farthest_code(vectors: Tensor, codebook: Tensor) -> Tensor:
    return (codebook.square().sum(dim=-1) - 2 * vectors @ codebook.T).argmax(dim=-1)


def beta_on_the_other_term(vectors: Tensor, quantized: Tensor, beta: float = 0.25) -> tuple[Tensor, Tensor]:
    return beta * F.mse_loss(quantized, vectors.detach()), F.mse_loss(vectors, quantized.detach())


def nothing_detached(vectors: Tensor, quantized: Tensor, beta: float = 0.25) -> tuple[Tensor, Tensor]:
    return F.mse_loss(quantized, vectors), beta * F.mse_loss(vectors, quantized)


def gradient_cut(vectors: Tensor, quantized: Tensor) -> Tensor:
    return quantized.detach()


def gradient_to_the_codes(vectors: Tensor, quantized: Tensor) -> Tensor:
    return quantized + (vectors - vectors.detach())


class MeanOfTheLastBatch(VectorQuantizer):
    def _follow(self, vectors: Tensor, codes: Tensor, decay: float) -> None:
        chosen = F.one_hot(codes, self.num_codes).to(vectors.dtype)
        counts = chosen.sum(dim=0).clamp(min=1)
        with torch.no_grad():
            self.codebook.copy_(chosen.T @ vectors / counts.unsqueeze(1))


class SumsNotDivided(VectorQuantizer):
    def _follow(self, vectors: Tensor, codes: Tensor, decay: float) -> None:
        chosen = F.one_hot(codes, self.num_codes).to(vectors.dtype)
        with torch.no_grad():
            self.sums.lerp_(chosen.T @ vectors, 1 - decay)
            self.codebook.copy_(self.sums)


MISTAKES = [
    Mistake(
        "codebook:nearest_code",
        largest_product,
        "The largest product is not the nearest code: long codes win everywhere; subtract half of each code's squared norm.",
        "Le plus grand produit n'est pas le code le plus proche : les codes longs gagnent ; retranchez la moitié de leur norme au carré.",
    ),
    Mistake(
        "codebook:nearest_code",
        farthest_code,
        "The argmax of a distance finds the farthest code; take its argmin.",
        "L'argmax d'une distance trouve le code le plus lointain ; prenez l'argmin.",
    ),
    Mistake(
        "codebook:vq_losses",
        beta_on_the_other_term,
        "Beta weighs the codebook loss instead of the commitment loss: it belongs on the term whose code is detached.",
        "Bêta pèse sur la perte du dictionnaire au lieu de celle d'engagement : il va sur le terme dont le code est détaché.",
    ),
    Mistake(
        "codebook:vq_losses",
        nothing_detached,
        "Nothing is detached, so both terms pull on both sides and beta no longer separates them; each term moves one side only.",
        "Rien n'est détaché : les deux termes tirent des deux côtés et bêta ne les sépare plus ; chaque terme ne déplace qu'un côté.",
    ),
    Mistake(
        "codebook:straight_through",
        gradient_cut,
        "The gradient stops at the codes and the encoder never learns from the picture; add vectors - vectors.detach().",
        "Le gradient s'arrête aux codes et l'encodeur n'apprend rien de l'image ; ajoutez vectors - vectors.detach().",
    ),
    Mistake(
        "codebook:straight_through",
        gradient_to_the_codes,
        "The gradient goes to the codes as well as to the vectors; detach the codes, they have a loss of their own.",
        "Le gradient va aux codes autant qu'aux vecteurs ; détachez les codes, ils ont leur propre perte.",
    ),
    Mistake(
        "codebook:VectorQuantizer",
        MeanOfTheLastBatch,
        "Each code is the mean of the last batch alone, and codes that nobody chose fall to zero; keep running counts and sums.",
        "Chaque code est la moyenne du seul dernier lot, et les non choisis tombent à 0 ; gardez des comptes et des sommes glissants.",
    ),
    Mistake(
        "codebook:VectorQuantizer",
        SumsNotDivided,
        "The running sums are not divided by the running counts, so popular codes run away; divide them.",
        "Les sommes glissantes ne sont pas divisées par les comptes : les codes populaires s'envolent ; divisez-les.",
    ),
]
