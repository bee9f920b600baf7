"""Mistakes about the priors of DALL·E 2."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.decoding import sample_sequence
from dalle_edu.bricks.diffusion import denoiser
from dalle_edu.bricks.guidance import guided
from dalle_edu.bricks.samplers import dpm_solver
from dalle_edu.bricks.unet_blocks import sinusoidal_embedding
from dalle_edu.classroom.checking.proof import Mistake
from dalle_edu.systems.parts.embedding_priors import AutoregressivePrior, DiffusionPrior


class _Ordered(DiffusionPrior):
    def order(self, known: Tensor, time: Tensor, noisy: Tensor, answer: Tensor) -> list[Tensor]:
        return [known, time, noisy, answer]

    def forward(self, x_t: Tensor, t: Tensor, words: Tensor, caption: Tensor) -> Tensor:
        time = self.time(sinusoidal_embedding(t, self.config.width).to(x_t.dtype)).unsqueeze(1)
        tokens = self.order(self.known(words, caption), time, self.noisy(x_t).unsqueeze(1), self.answer.expand(len(x_t), 1, -1))
        x = torch.cat(tokens, dim=1)
        for block in self.blocks:
            x = block(x)
        return self.clean(self.norm(x)[:, -1])


class CaptionAfterTheNoise(_Ordered):
    def order(self, known: Tensor, time: Tensor, noisy: Tensor, answer: Tensor) -> list[Tensor]:
        return [time, noisy, known, answer]


class AnswerFirst(_Ordered):
    def order(self, known: Tensor, time: Tensor, noisy: Tensor, answer: Tensor) -> list[Tensor]:
        return [answer, known, time, noisy]


class WithoutTheTime(_Ordered):
    def order(self, known: Tensor, time: Tensor, noisy: Tensor, answer: Tensor) -> list[Tensor]:
        return [known, noisy, answer]


class FirstSampleKept(DiffusionPrior):
    def sample(
        self, noise: Tensor, words: Tensor, caption: Tensor, guidance_scale: float = 1.0, steps: int = 10, callback: Any = None
    ) -> Tensor:
        blank = {"words": torch.zeros_like(words), "caption": torch.zeros_like(caption)}
        predict = guided(self, guidance_scale, {"words": words, "caption": caption}, blank)
        z = dpm_solver(denoiser(predict, self.schedule, "x0"), noise.chunk(2, dim=1)[0], self.schedule, steps)
        return F.normalize(z, dim=-1)


class RoundedToTheNearestEdge(AutoregressivePrior):
    def to_codes(self, embedding: Tensor) -> Tensor:
        along = (embedding - self.mean) @ self.basis / self.deviation
        return ((along + 3) / 6 * self.config.bins).round().long().clamp(0, self.config.bins - 1)


class NotCentred(AutoregressivePrior):
    def to_codes(self, embedding: Tensor) -> Tensor:
        along = embedding @ self.basis / self.deviation
        return ((along + 3) / 6 * self.config.bins).floor().long().clamp(0, self.config.bins - 1)


class BeyondTheLastBin(AutoregressivePrior):
    def to_codes(self, embedding: Tensor) -> Tensor:
        along = (embedding - self.mean) @ self.basis / self.deviation
        return ((along + 3) / 6 * self.config.bins).floor().long()


class LowerEdges(AutoregressivePrior):
    def to_embedding(self, codes: Tensor) -> Tensor:
        along = (codes / self.config.bins * 6 - 3) * self.deviation
        return F.normalize(self.mean + along @ self.basis.T, dim=-1)


class LengthLost(AutoregressivePrior):
    def to_embedding(self, codes: Tensor) -> Tensor:
        along = ((codes + 0.5) / self.config.bins * 6 - 3) * self.deviation
        return self.mean + along @ self.basis.T


class SmallestVariancesFirst(AutoregressivePrior):
    @torch.no_grad()
    def settle(self) -> None:
        if self._settled:
            return
        values, vectors = torch.linalg.eigh((self.second - torch.outer(self.mean, self.mean)).double())
        signs, k = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True)).sign(), self.config.components
        self.basis.copy_((vectors * signs)[:, :k])
        self.deviation.copy_(values[:k].clamp(min=1e-8).sqrt())


class MeanLeftIn(AutoregressivePrior):
    @torch.no_grad()
    def settle(self) -> None:
        if self._settled:
            return
        values, vectors = torch.linalg.eigh(self.second.double())
        signs, k = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True)).sign(), self.config.components
        self.basis.copy_((vectors * signs).flip(1)[:, :k])
        self.deviation.copy_(values.flip(0)[:k].clamp(min=1e-8).sqrt())


class OneTableForAll(AutoregressivePrior):
    def forward(self, codes: Tensor, words: Tensor, caption: Tensor) -> Tensor:
        known, before = self.known(words, caption), codes[:, : self.config.components - 1]
        start = self.start.expand(len(codes), 1, -1)
        x = torch.cat([start, self.value(before)], dim=1) + self.place(torch.arange(before.shape[1] + 1))
        x = torch.cat([known, x], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x[:, known.shape[1] :]))


class Unguided(AutoregressivePrior):
    def sample(
        self,
        uniforms: Tensor,
        words: Tensor,
        caption: Tensor,
        guidance_scale: float = 1.0,
        temperature: float = 1.0,
        callback: Any = None,
    ) -> Tensor:
        def next_logits(position: int, written: Tensor) -> Tensor:
            return self(written, words, caption)[:, -1]

        return self.to_embedding(sample_sequence(next_logits, uniforms, 1.0, temperature))


_DIFFUSION, _CODES = "systems.parts.embedding_priors:DiffusionPrior", "systems.parts.embedding_priors:AutoregressivePrior"
MISTAKES = [
    Mistake(
        _DIFFUSION,
        CaptionAfterTheNoise,
        "The caption comes after the time and the noisy embedding; attention is causal, so that these cannot see it: put it first.",
        "La légende vient après le temps et le plongement bruité, qui ne la voient pas : l'attention est causale ; mettez-la en tête.",
    ),
    Mistake(
        _DIFFUSION,
        AnswerFirst,
        "The answer's token comes first, where it sees nothing, and the last output is another token's; put it last.",
        "Le jeton de la réponse vient en tête, où il ne voit rien, et la dernière sortie est celle d'un autre ; mettez-le à la fin.",
    ),
    Mistake(
        _DIFFUSION,
        WithoutTheTime,
        "The timestep is no token: the network cannot know how much noise there is in x_t.",
        "Le pas de temps n'est pas un jeton : le réseau ne peut savoir combien de bruit il y a dans x_t.",
    ),
    Mistake(
        _DIFFUSION,
        FirstSampleKept,
        "Only the first half of the noise is used; make two samples, and keep the one nearer to the caption's embedding.",
        "Seule la première moitié du bruit sert ; faites deux tirages, et gardez le plus proche du plongement de la légende.",
    ),
    Mistake(
        _CODES,
        RoundedToTheNearestEdge,
        "Components are rounded to the nearest edge; a bin's number is that of the edge below: round down.",
        "Les composantes sont arrondies au bord le plus proche ; une classe a le numéro de son bord inférieur : arrondissez vers le bas.",
    ),
    Mistake(
        _CODES,
        NotCentred,
        "The mean is not subtracted, so that the bins, which lie around it, are used on one side only.",
        "La moyenne n'est pas soustraite : les classes, réparties autour d'elle, ne servent que d'un côté.",
    ),
    Mistake(
        _CODES,
        BeyondTheLastBin,
        "What lies beyond three standard deviations gets a number that no bin has; bring it to the first or the last.",
        "Ce qui dépasse trois écarts-types reçoit un numéro qui n'existe pas ; ramenez-le à la première ou à la dernière classe.",
    ),
    Mistake(
        _CODES,
        LowerEdges,
        "A code gives the lower edge of its bin: every component is too small by half a bin; take the middle.",
        "Un code donne le bord inférieur de sa classe : chaque composante est trop petite d'une demi-classe ; prenez le milieu.",
    ),
    Mistake(
        _CODES,
        LengthLost,
        "The embedding is not put back to length 1; the components left out have taken a part of it away.",
        "Le plongement n'est pas ramené à la longueur 1 ; les composantes laissées de côté en ont emporté une part.",
    ),
    Mistake(
        _CODES,
        SmallestVariancesFirst,
        "The smallest variances come first out of eigh: in these directions embeddings hardly differ; take the last ones.",
        "Avec eigh, les plus petites variances viennent d'abord : les plongements y diffèrent à peine ; prenez les dernières.",
    ),
    Mistake(
        _CODES,
        MeanLeftIn,
        "The second moment is taken for the covariance, and the first direction is that of the mean: subtract mean meanᵀ.",
        "Le moment d'ordre deux est pris pour la covariance, et la première direction est la moyenne : soustrayez m mᵀ.",
    ),
    Mistake(
        _CODES,
        OneTableForAll,
        "All components share one table of values; bin 3 of the first means something else than bin 3 of the second.",
        "Toutes les composantes partagent une table ; la classe 3 de la première n'est pas la classe 3 de la deuxième.",
    ),
    Mistake(
        _CODES,
        Unguided,
        "The argument `guidance_scale` is not used: run the network with and without the caption, and go beyond the difference.",
        "L'argument `guidance_scale` ne sert pas : lancez le réseau avec et sans la légende, et allez au-delà de la différence.",
    ),
]
