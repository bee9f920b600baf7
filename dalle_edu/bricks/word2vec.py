"""word2vec: words met in the same company get neighbouring vectors (Mikolov et al.
2013a, 2013b).

From a text come examples, a word and its window; from examples, vectors, by
skip-gram or CBOW with negative sampling. Lesson 02.

Letters: v words in the vocabulary, t tokens of a text, n examples, c words that an
example is given, m noise words, d dimensions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.words import UNKNOWN, Vocabulary
from dalle_edu.errors import DalleEduError

NOTHING = -1  # fills the places of a window where there is no word


def windows(
    tokens: Int[Tensor, "t"],
    sentence: Int[Tensor, "t"],
    window: int,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "t c"]:
    """The neighbours of each token: the words at most `window` places away in the
    same sentence, and `NOTHING` elsewhere.

    `sentence` numbers the sentence of each token; c is 2 * window + 1, with
    `NOTHING` in the middle. With a generator the window is dynamic: each token
    draws its reach from 1 to `window`, so that near words count more (Mikolov et
    al. 2013a, section 3.2).
    """
    if tokens.ndim != 1 or tokens.shape != sentence.shape:
        raise DalleEduError(
            f"the tokens are {tuple(tokens.shape)} and their sentence numbers "
            f"{tuple(sentence.shape)}; expected (t,) for both",
            f"les jetons sont {tuple(tokens.shape)} et leurs numéros de phrase "
            f"{tuple(sentence.shape)} ; il faut (t,) pour les deux",
        )
    if window < 1:
        raise DalleEduError(
            f"the window is {window}; choose 1 or more",
            f"la fenêtre est {window} ; choisissez 1 ou plus",
        )
    reach = torch.full_like(tokens, window)
    if generator is not None:
        reach = torch.randint(
            1, window + 1, tokens.shape, generator=generator, device=tokens.device
        )
    offsets = torch.arange(-window, window + 1, device=tokens.device)
    places = (
        torch.arange(len(tokens), device=tokens.device)[:, None] + offsets + window
    )
    around, theirs = (
        F.pad(line, (window, window), value=NOTHING)[places]
        for line in (tokens, sentence)
    )
    near = (
        (offsets != 0)
        & (offsets.abs() <= reach[:, None])
        & (theirs == sentence[:, None])
    )
    return around.masked_fill(~near, NOTHING)


def keep_probability(
    counts: Int[Tensor, "v"], threshold: float = 1e-3
) -> Float[Tensor, "v"]:
    """Subsampling: the chance that a word of frequency f stays in the text, min(1,
    √(threshold / f) + threshold / f).

    "The" is met everywhere and says little. Mikolov et al. 2013b, equation 5, has
    √(threshold / f) alone; the sum is what their program word2vec.c computes, and
    gensim after it. Unknown words never stay: what stands on either side of them
    closes up.
    """
    if threshold <= 0:
        raise DalleEduError(
            f"the threshold is {threshold}; choose a positive one",
            f"le seuil est {threshold} ; choisissez-le positif",
        )
    known = counts.double().index_fill(0, counts.new_tensor([UNKNOWN]), 0)
    rarity = threshold * known.sum() / known
    return (
        (rarity.sqrt() + rarity)
        .clamp(max=1)
        .index_fill(0, counts.new_tensor([UNKNOWN]), 0)
    )


def noise_distribution(
    counts: Int[Tensor, "v"], power: float = 0.75
) -> Float[Tensor, "v"]:
    """The chance that each word is drawn as noise, in proportion to count^power
    (Mikolov et al. 2013b, section 2.2); never the unknown.

    Between 0, all words alike, and 1, as in the text: a rare word is drawn more
    often than it is met.
    """
    weights = (counts.double() ** power).index_fill(
        0, counts.new_tensor([UNKNOWN]), 0
    )
    return weights / weights.sum()


def negative_sampling_loss(
    hidden: Float[Tensor, "n d"],
    output: Float[Tensor, "v d"],
    targets: Int[Tensor, "n"],
    negatives: Int[Tensor, "n m"],
) -> Float[Tensor, ""]:
    """-log σ(output[target] · hidden) - Σ log σ(-output[negative] · hidden), the
    mean over n (Mikolov et al. 2013b, equation 4).

    A noise word that happens to be the target says nothing, and is left out.
    """
    if hidden.shape[1:] != output.shape[1:] or not len(hidden) == len(
        targets
    ) == len(negatives):
        raise DalleEduError(
            f"hidden is {tuple(hidden.shape)}, output {tuple(output.shape)}, "
            f"targets {tuple(targets.shape)} and negatives "
            f"{tuple(negatives.shape)}; expected (n, d), (v, d), (n,) and (n, m)",
            f"hidden est {tuple(hidden.shape)}, output {tuple(output.shape)}, "
            f"targets {tuple(targets.shape)} et negatives "
            f"{tuple(negatives.shape)} ; il faut (n, d), (v, d), (n,) et (n, m)",
        )
    true = (output[targets] * hidden).sum(dim=-1)
    noise = (output[negatives] @ hidden.unsqueeze(-1)).squeeze(-1)
    silent = negatives == targets.unsqueeze(-1)
    return -(
        F.logsigmoid(true) + F.logsigmoid(-noise).masked_fill(silent, 0).sum(dim=-1)
    ).mean()


@dataclass(frozen=True)
class Word2VecConfig:
    """How to learn vectors. `cbow` guesses a word from the mean of its neighbours;
    otherwise skip-gram guesses each neighbour.
    """

    dim: int = 48
    window: int = 5
    negatives: int = 5
    cbow: bool = False
    threshold: float = 1e-3
    epochs: int = 20
    batch_size: int = 256
    learning_rate: float = 0.05


class Word2Vec(nn.Module):
    """Two vectors a word: `input` when it is given, `output` when it is to be
    guessed. The input ones are kept (`vectors`).
    """

    def __init__(self, size: int, dim: int, generator: torch.Generator):
        super().__init__()
        self.input = nn.Parameter(
            torch.empty(size, dim, device=generator.device).uniform_(
                -0.5 / dim, 0.5 / dim, generator=generator
            )
        )
        self.output = nn.Parameter(torch.zeros_like(self.input))

    @property
    def vectors(self) -> Float[Tensor, "v d"]:
        """The vectors of all words, without gradient."""
        return self.input.detach()

    def hidden(self, given: Int[Tensor, "n c"]) -> Float[Tensor, "n d"]:
        """The mean of the input vectors of the words given, `NOTHING` apart."""
        present = (given != NOTHING).unsqueeze(-1)
        return (self.input[given.clamp(min=0)] * present).sum(dim=1) / present.sum(
            dim=1
        ).clamp(min=1)

    def forward(
        self,
        given: Int[Tensor, "n c"],
        targets: Int[Tensor, "n"],
        negatives: Int[Tensor, "n m"],
    ) -> Float[Tensor, ""]:
        """The loss of guessing `targets` from the words given."""
        return negative_sampling_loss(
            self.hidden(given), self.output, targets, negatives
        )


def examples(
    tokens: Int[Tensor, "t"], neighbours: Int[Tensor, "t c"], cbow: bool
) -> tuple[Int[Tensor, "n g"], Int[Tensor, "n"]]:
    """What is given and what is to be guessed (Mikolov et al. 2013a, figure 1):
    CBOW, one example a token that has neighbours, all given at once; skip-gram, one
    example a neighbour, to be guessed from the token.
    """
    near = neighbours != NOTHING
    if cbow:
        alone = ~near.any(dim=1)
        return neighbours[~alone], tokens[~alone]
    return tokens.unsqueeze(1).expand_as(neighbours)[near].unsqueeze(1), neighbours[
        near
    ]


def train_word2vec(
    sentences: Sequence[Sequence[str]],
    vocabulary: Vocabulary,
    config: Word2VecConfig,
    generator: torch.Generator,
) -> tuple[Word2Vec, list[float]]:
    """Learn the vectors of a vocabulary's words from sentences, on the generator's
    device; returns the model and each epoch's mean loss.

    Every epoch draws anew which frequent words are left out, how far each window
    reaches, and the noise. As in word2vec.c, each example takes its own step down
    the slope, and the steps shorten in a line to 0; only, a batch takes its steps
    together, added up.
    """
    numbers = [vocabulary.encode(sentence) for sentence in sentences]
    tokens = torch.cat([torch.empty(0, dtype=torch.long), *numbers]).to(
        generator.device
    )
    if not (tokens != UNKNOWN).any():
        raise DalleEduError(
            f"none of the {len(tokens)} tokens is in the vocabulary; build it from "
            "these sentences, with a smaller min_count",
            f"aucun des {len(tokens)} jetons n'est dans le vocabulaire ; "
            "bâtissez-le de ces phrases, avec un min_count plus petit",
        )
    sentence = (
        torch.arange(len(numbers))
        .repeat_interleave(torch.tensor([len(line) for line in numbers]))
        .to(tokens.device)
    )
    counts = vocabulary.counts.to(tokens.device)
    keep, noise = (
        keep_probability(counts, config.threshold),
        noise_distribution(counts),
    )
    model = Word2Vec(len(vocabulary), config.dim, generator)
    optimizer = torch.optim.SGD(model.parameters(), lr=config.learning_rate)
    losses = []
    for epoch in range(config.epochs):
        kept = (
            torch.rand(tokens.shape, generator=generator, device=tokens.device)
            < keep[tokens]
        )
        neighbours = windows(tokens[kept], sentence[kept], config.window, generator)
        given, targets = examples(tokens[kept], neighbours, config.cbow)
        order, total = (
            torch.randperm(len(targets), generator=generator, device=tokens.device),
            0.0,
        )
        for start in range(0, len(order), config.batch_size):
            batch = order[start : start + config.batch_size]
            optimizer.param_groups[0]["lr"] = config.learning_rate * (
                1 - (epoch + start / len(order)) / config.epochs
            )
            negatives = torch.multinomial(
                noise,
                len(batch) * config.negatives,
                replacement=True,
                generator=generator,
            )
            loss = model(
                given[batch],
                targets[batch],
                negatives.view(len(batch), config.negatives),
            )
            optimizer.zero_grad()
            (loss * len(batch)).backward()
            optimizer.step()
            total += loss.item() * len(batch)
        if not math.isfinite(total):
            raise DalleEduError(
                "the vectors grew without end: lower learning_rate "
                f"({config.learning_rate}) or batch_size ({config.batch_size})",
                "les vecteurs ont grandi sans fin : baissez learning_rate "
                f"({config.learning_rate}) ou batch_size ({config.batch_size})",
            )
        losses.append(total / max(len(order), 1))
    return model, losses
