"""word2vec: words met in the same company get neighbouring vectors.

A text gives examples, a word and its window (Mikolov et al. 2013a, "Efficient
Estimation of Word Representations in Vector Space"). Skip-gram and CBOW learn
vectors from these examples. Negative sampling makes it quick: a true neighbour is
told from a few words drawn at random (Mikolov et al. 2013b, "Distributed
Representations of Words and Phrases and their Compositionality"). Lesson 02.

Letters: v words in the vocabulary, t tokens of a text, n examples, c places of a
window, g words that an example gives, m noise words, d dimensions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.words import UNKNOWN, Vocabulary
from dalle_edu.device import off_metal
from dalle_edu.errors import DalleEduError

NOTHING = -1  # fills the places of a window where there is no word


def windows(
    tokens: Int[Tensor, "t"],
    sentence: Int[Tensor, "t"],
    window: int,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "t c"]:
    """The neighbours of each token in its sentence, at most `window` places away.

    `sentence` is the number of each token's sentence. c is 2 * window + 1.
    `NOTHING` fills the middle and the places without a neighbour. With a generator
    the window is dynamic: each token draws its reach from 1 to `window`, so that
    near words count more (Mikolov et al. 2013a, section 3.2).

    Raises `DalleEduError` for shapes that differ and for a window below 1.
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
    positions = torch.arange(len(tokens), device=tokens.device)
    # the padding moves every token `window` places to the right
    places = positions[:, None] + offsets + window
    around = F.pad(tokens, (window, window), value=NOTHING)[places]
    their_sentence = F.pad(sentence, (window, window), value=NOTHING)[places]
    in_reach = (offsets != 0) & (offsets.abs() <= reach[:, None])
    in_sentence = their_sentence == sentence[:, None]
    return around.masked_fill(~(in_reach & in_sentence), NOTHING)


def keep_probability(
    counts: Int[Tensor, "v"], threshold: float = 1e-3
) -> Float[Tensor, "v"]:
    """Subsampling: the probability that a word of frequency f stays in the text.

    It is min(1, √(threshold / f) + threshold / f), where f is the word's share of
    the known words' tokens. Frequent words such as "the" say little, and are often
    left out. Mikolov et al. 2013b, equation 5, has √(threshold / f) alone; the sum
    is what their program word2vec.c computes, and gensim after it. Unknown words
    have probability 0. The words around a word that is left out become neighbours.

    Raises `DalleEduError` for a threshold that is not positive.
    """
    if threshold <= 0:
        raise DalleEduError(
            f"the threshold is {threshold}; choose a positive one",
            f"le seuil est {threshold} ; choisissez-le positif",
        )
    known = exact(counts)
    known[UNKNOWN] = 0
    rarity = threshold * known.sum() / known  # threshold / f
    probability = (rarity.sqrt() + rarity).clamp(max=1)
    probability[UNKNOWN] = 0
    return beside(counts, probability)


def noise_distribution(
    counts: Int[Tensor, "v"], power: float = 0.75
) -> Float[Tensor, "v"]:
    """The probability of each word as a noise word: in proportion to count^power.

    A power of 0 makes all words equally likely, and 1 as likely as in the text. In
    between, a rare word is sampled more often than it is met (Mikolov et al. 2013b,
    section 2.2). The unknown word has probability 0.
    """
    weights = exact(counts) ** power
    weights[UNKNOWN] = 0
    return beside(counts, weights / weights.sum())


def exact(counts: Int[Tensor, "v"]) -> Float[Tensor, "v"]:
    """A copy of counts in float64: on the CPU where they are on Apple's GPU, which
    has no float64.
    """
    return off_metal(counts).to(torch.float64, copy=True)


def beside(
    counts: Int[Tensor, "v"], probabilities: Float[Tensor, "v"]
) -> Float[Tensor, "v"]:
    """Probabilities, made in float64, on the device of the counts: in float32 on
    Apple's GPU.
    """
    if counts.device.type == "mps":
        probabilities = probabilities.float()
    return probabilities.to(counts.device)


def negative_sampling_loss(
    hidden: Float[Tensor, "n d"],
    output: Float[Tensor, "v d"],
    targets: Int[Tensor, "n"],
    negatives: Int[Tensor, "n m"],
) -> Float[Tensor, ""]:
    """The loss of telling a true word from noise words, in nats, the mean over n.

    It is -log σ(output[target] · hidden) - Σ log σ(-output[negative] · hidden)
    (Mikolov et al. 2013b, equation 4). Noise words that happen to be the target are
    left out.

    Raises `DalleEduError` for shapes that do not agree.
    """
    examples_given = {len(hidden), len(targets), len(negatives)}
    if hidden.shape[1:] != output.shape[1:] or len(examples_given) != 1:
        raise DalleEduError(
            f"hidden is {tuple(hidden.shape)}, output {tuple(output.shape)}, "
            f"targets {tuple(targets.shape)} and negatives "
            f"{tuple(negatives.shape)}; expected (n, d), (v, d), (n,) and (n, m)",
            f"hidden est {tuple(hidden.shape)}, output {tuple(output.shape)}, "
            f"targets {tuple(targets.shape)} et negatives "
            f"{tuple(negatives.shape)} ; il faut (n, d), (v, d), (n,) et (n, m)",
        )
    true = (output[targets] * hidden).sum(dim=-1)
    noise = (output[negatives] * hidden.unsqueeze(1)).sum(dim=-1)
    is_target = negatives == targets.unsqueeze(-1)
    log_noise = F.logsigmoid(-noise).masked_fill(is_target, 0).sum(dim=-1)
    return -(F.logsigmoid(true) + log_noise).mean()


@dataclass(frozen=True)
class Word2VecConfig:
    """How word vectors are learned.

    With `cbow` a word is predicted from the mean of its neighbours (continuous bag
    of words). Otherwise each neighbour is predicted from the word (skip-gram).
    `window` is the largest reach in words, `negatives` the noise words of an
    example, `threshold` that of `keep_probability`.
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
    """A model with two vectors for each word, `input` and `output`.

    The input vector serves where a word is given, the output vector where it is to
    be predicted. `vectors`, what one keeps, are the input ones.
    """

    def __init__(self, size: int, dim: int, generator: torch.Generator):
        super().__init__()
        bound = 0.5 / dim
        vectors = torch.empty(size, dim, device=generator.device)
        self.input = nn.Parameter(
            vectors.uniform_(-bound, bound, generator=generator)
        )
        self.output = nn.Parameter(torch.zeros_like(self.input))

    @property
    def vectors(self) -> Float[Tensor, "v d"]:
        """The input vectors of all words, without gradient."""
        return self.input.detach()

    def hidden(self, given: Int[Tensor, "n c"]) -> Float[Tensor, "n d"]:
        """The mean of the input vectors of the given words but `NOTHING`."""
        present = (given != NOTHING).unsqueeze(-1)
        total = (self.input[given.clamp(min=0)] * present).sum(dim=1)
        return total / present.sum(dim=1).clamp(min=1)

    def forward(
        self,
        given: Int[Tensor, "n c"],
        targets: Int[Tensor, "n"],
        negatives: Int[Tensor, "n m"],
    ) -> Float[Tensor, ""]:
        """The loss of predicting `targets` from the given words, against noise.

        Raises `DalleEduError` for shapes that do not agree.
        """
        hidden = self.hidden(given)
        return negative_sampling_loss(hidden, self.output, targets, negatives)


def examples(
    tokens: Int[Tensor, "t"], neighbours: Int[Tensor, "t c"], cbow: bool
) -> tuple[Int[Tensor, "n g"], Int[Tensor, "n"]]:
    """The given words and the target of each example.

    The two models are those of Mikolov et al. 2013a, figure 1. CBOW has one example
    for each token that has neighbours, which are all given together. Skip-gram has
    one example for each neighbour, which is predicted from the token alone.
    """
    near = neighbours != NOTHING
    if cbow:
        alone = ~near.any(dim=1)
        return neighbours[~alone], tokens[~alone]
    centre = tokens.unsqueeze(1).expand_as(neighbours)[near]
    return centre.unsqueeze(1), neighbours[near]


def train_word2vec(
    sentences: Sequence[Sequence[str]],
    vocabulary: Vocabulary,
    config: Word2VecConfig,
    generator: torch.Generator,
) -> tuple[Word2Vec, list[float]]:
    """Learn the vectors of a vocabulary's words from sentences.

    Returns the model, on the generator's device, and the mean loss of each epoch.
    Each epoch draws anew the frequent words that are left out, the reach of each
    window and the noise words. As in word2vec.c, the learning rate decreases
    linearly to 0, and each example takes a whole step: the steps of a batch are
    added up, not averaged.

    Raises `DalleEduError` if no token is in the vocabulary, and if the vectors grow
    without end.
    """
    device = generator.device
    numbers = [vocabulary.encode(sentence) for sentence in sentences]
    # the empty tensor serves where there are no sentences
    tokens = torch.cat([torch.empty(0, dtype=torch.long), *numbers]).to(device)
    if not (tokens != UNKNOWN).any():
        raise DalleEduError(
            f"none of the {len(tokens)} tokens is in the vocabulary; build it from "
            "these sentences, with a smaller min_count",
            f"aucun des {len(tokens)} jetons n'est dans le vocabulaire ; "
            "bâtissez-le de ces phrases, avec un min_count plus petit",
        )
    lengths = torch.tensor([len(line) for line in numbers])
    sentence = torch.arange(len(numbers)).repeat_interleave(lengths).to(device)
    counts = vocabulary.counts.to(device)
    keep = keep_probability(counts, config.threshold)
    noise = noise_distribution(counts)
    model = Word2Vec(len(vocabulary), config.dim, generator)
    optimizer = torch.optim.SGD(model.parameters(), lr=config.learning_rate)
    losses = []
    for epoch in range(config.epochs):
        uniforms = torch.rand(tokens.shape, generator=generator, device=device)
        kept = uniforms < keep[tokens]
        neighbours = windows(tokens[kept], sentence[kept], config.window, generator)
        given, targets = examples(tokens[kept], neighbours, config.cbow)
        order = torch.randperm(len(targets), generator=generator, device=device)
        total = 0.0
        for start in range(0, len(order), config.batch_size):
            batch = order[start : start + config.batch_size]
            done = (epoch + start / len(order)) / config.epochs
            optimizer.param_groups[0]["lr"] = config.learning_rate * (1 - done)
            drawn = len(batch) * config.negatives
            negatives = torch.multinomial(
                noise, drawn, replacement=True, generator=generator
            )
            negatives = negatives.view(len(batch), config.negatives)
            loss = model(given[batch], targets[batch], negatives)
            optimizer.zero_grad()
            (loss * len(batch)).backward()  # the sum over the batch, not the mean
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
