"""A recurrent language model: each symbol is predicted from those before it.

A vocabulary numbers the symbols. Teacher forcing gives the model the true symbols
in training, and sampling gives it those that it has sampled. Lesson 03.

Letters: n sentences, t symbols, v entries of the vocabulary, p symbols of a prompt.
"""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.recurrent import Cell, LSTMCell, State, unroll
from dalle_edu.errors import DalleEduError

PAD, START, END = 0, 1, 2


class SequenceVocabulary:
    """The symbols of some sentences, with a number for each.

    A symbol is a word, or a character where a sentence is a string. Numbers 0, 1
    and 2 are padding, start and end.
    """

    def __init__(self, sentences: Iterable[Sequence[str]]):
        met = sorted({symbol for sentence in sentences for symbol in sentence})
        # the first three show padding, start and end
        self.symbols = ["·", "^", "$", *met]
        self.numbers = {
            symbol: number for number, symbol in enumerate(met, END + 1)
        }

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, sentences: Sequence[Sequence[str]]) -> Int[Tensor, "n t"]:
        """A row of numbers for each sentence: start, symbols, end.

        Padding fills the rows up to the longest. Raises `DalleEduError` for a
        symbol that the vocabulary lacks.
        """
        met = {symbol for sentence in sentences for symbol in sentence}
        unknown = sorted(met - self.numbers.keys())
        if unknown:
            raise DalleEduError(
                f"the vocabulary lacks {', '.join(unknown)}; build it from "
                "sentences that hold every symbol",
                f"le vocabulaire ignore {', '.join(unknown)} ; formez-le sur des "
                "phrases qui contiennent tous les symboles",
            )
        rows = []
        for sentence in sentences:
            numbers = [self.numbers[symbol] for symbol in sentence]
            rows.append(torch.tensor([START, *numbers, END]))
        return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)

    def decode(self, tokens: Int[Tensor, " t"]) -> list[str]:
        """The symbols up to the end, without start, end and padding."""
        numbers = tokens.tolist()
        if END in numbers:
            numbers = numbers[: numbers.index(END)]
        return [self.symbols[number] for number in numbers if number > END]


def expect_tokens(tokens: Int[Tensor, "n t"], size: int) -> None:
    """Raise `DalleEduError` unless all tokens are in 0 to `size` - 1."""
    if tokens.numel() and not 0 <= int(tokens.min()) <= int(tokens.max()) < size:
        raise DalleEduError(
            f"the tokens go from {tokens.min()} to {tokens.max()} and the "
            f"vocabulary from 0 to {size - 1}; encode with its own vocabulary",
            f"les jetons vont de {tokens.min()} à {tokens.max()} et le vocabulaire "
            f"de 0 à {size - 1} ; encodez avec son propre vocabulaire",
        )


def teacher_forcing(
    sentences: Int[Tensor, "n t"],
) -> tuple[Int[Tensor, "n t-1"], Int[Tensor, "n t-1"]]:
    """The inputs and the targets of a model that predicts the next symbol.

    The input at each step is the true symbol, whatever the model predicted before
    (Williams & Zipser 1989), and the target is the symbol after it.
    """
    return sentences[:, :-1], sentences[:, 1:]


def masked_cross_entropy(
    logits: Float[Tensor, "n t v"], expected: Int[Tensor, "n t"]
) -> Float[Tensor, ""]:
    """The mean of -log softmax(logits)[expected], in nats, leaving padding out.

    Raises `DalleEduError` for tokens that the logits have no place for.
    """
    expect_tokens(expected, logits.shape[-1])
    logit = logits.gather(-1, expected.unsqueeze(-1)).squeeze(-1)
    surprise = logits.logsumexp(dim=-1) - logit
    real = (expected != PAD).to(surprise.dtype)
    return (surprise * real).sum() / real.sum()


def sample_next(
    logits: Float[Tensor, "n v"], temperature: float, generator: torch.Generator
) -> Int[Tensor, " n"]:
    """Sample the next symbol from softmax(logits / temperature).

    A temperature of 1 keeps the model's probabilities. Below 1 the likely symbols
    become likelier, above 1 less so. 0 always takes the likeliest. Raises
    `DalleEduError` for a negative temperature.
    """
    if temperature < 0:
        raise DalleEduError(
            f"the temperature is {temperature}; choose 0 (the likeliest symbol) or "
            "more",
            f"la température est {temperature} ; choisissez 0 (le symbole le plus "
            "probable) ou plus",
        )
    if temperature == 0:
        return logits.argmax(dim=-1)
    probabilities = (logits / temperature).softmax(dim=-1)
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(-1)


class CharacterModel(nn.Module):
    """A character-level language model: an embedding, a cell, a linear head.

    Karpathy et al. (2015) look inside such a network.
    """

    def __init__(
        self,
        vocabulary_size: int,
        width: int = 32,
        hidden: int = 128,
        cell: type[Cell] = LSTMCell,
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.cell = cell(width, hidden)
        self.head = nn.Linear(hidden, vocabulary_size)

    def forward(
        self, tokens: Int[Tensor, "n t"], state: State | None = None
    ) -> tuple[Float[Tensor, "n t v"], State]:
        """The logits of the character after each one, and the last state.

        Given that state, reading goes on where it stopped. Raises `DalleEduError`
        for tokens out of the vocabulary.
        """
        expect_tokens(tokens, self.embedding.num_embeddings)
        outputs, state = unroll(self.cell, self.embedding(tokens), state)
        return self.head(outputs), state

    def loss(self, sentences: Int[Tensor, "n t"]) -> Float[Tensor, ""]:
        """The cross-entropy of the next character, in nats per character."""
        shown, expected = teacher_forcing(sentences)
        return masked_cross_entropy(self(shown)[0], expected)

    @torch.no_grad()
    def sample(
        self,
        prompt: Int[Tensor, "n p"],
        length: int,
        temperature: float,
        generator: torch.Generator,
    ) -> Int[Tensor, "n p+{length}"]:
        """Prompts continued by `length` symbols each, sampled one after the other.

        Returns the prompts and what follows them. A prompt may be the start symbol
        alone. What follows an end is padding. Raises `DalleEduError` for a negative
        temperature.
        """
        tokens, state = prompt, None
        ended = torch.zeros(len(prompt), dtype=torch.bool, device=prompt.device)
        unread = prompt  # what the state does not hold yet
        for _ in range(length):
            logits, state = self(unread, state)
            chosen = sample_next(logits[:, -1], temperature, generator)
            chosen = chosen.masked_fill(ended, PAD)
            ended = ended | (chosen == END)
            unread = chosen.unsqueeze(1)
            tokens = torch.cat([tokens, unread], dim=1)
        return tokens
