"""A language model on recurrent cells: each symbol is predicted from those before.

A vocabulary numbers the symbols, teacher forcing shows the true ones in training,
and sampling feeds the model its own. Lesson 03.

Letters: n sentences, t symbols, v entries of the vocabulary.
"""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.recurrent import Cell, LSTMCell, State, unroll
from dalle_edu.errors import DalleEduError

PAD, START, END = 0, 1, 2


class SequenceVocabulary:
    """The symbols of some sentences, and a number for each; a string counts as a
    sentence of characters. 0 pads, 1 starts, 2 ends.
    """

    def __init__(self, sentences: Iterable[Sequence[str]]):
        self.symbols = [
            "·",
            "^",
            "$",
            *sorted({symbol for sentence in sentences for symbol in sentence}),
        ]
        self.numbers = {
            symbol: number
            for number, symbol in enumerate(self.symbols)
            if number > END
        }

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, sentences: Sequence[Sequence[str]]) -> Int[Tensor, "n t"]:
        """A row for each sentence: start, symbols, end, padding up to the longest.
        Raises `DalleEduError` on an unknown symbol.
        """
        unknown = sorted(
            {symbol for sentence in sentences for symbol in sentence}
            - self.numbers.keys()
        )
        if unknown:
            raise DalleEduError(
                f"the vocabulary lacks {', '.join(unknown)}; build it from "
                "sentences that hold every symbol",
                f"le vocabulaire ignore {', '.join(unknown)} ; formez-le sur des "
                "phrases qui contiennent tous les symboles",
            )
        rows = [
            torch.tensor(
                [START, *(self.numbers[symbol] for symbol in sentence), END]
            )
            for sentence in sentences
        ]
        return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)

    def decode(self, tokens: Int[Tensor, " t"]) -> list[str]:
        """The symbols up to the end, without start, end and padding."""
        numbers = tokens.tolist()
        numbers = numbers[: numbers.index(END)] if END in numbers else numbers
        return [self.symbols[number] for number in numbers if number > END]


def expect_tokens(tokens: Int[Tensor, "n t"], size: int) -> None:
    """Refuse tokens that a vocabulary of that size does not hold, with a
    `DalleEduError`.
    """
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
    """What a writer is shown and what it must say: at each step the true symbol so
    far, and the one after it (Williams & Zipser 1989).
    """
    return sentences[:, :-1], sentences[:, 1:]


def masked_cross_entropy(
    logits: Float[Tensor, "n t v"], expected: Int[Tensor, "n t"]
) -> Float[Tensor, ""]:
    """The mean surprise, in nats, over the symbols that are no padding: -log
    softmax(logits) at the expected one.
    """
    expect_tokens(expected, logits.shape[-1])
    surprise = logits.logsumexp(dim=-1) - logits.gather(
        -1, expected.unsqueeze(-1)
    ).squeeze(-1)
    real = (expected != PAD).to(surprise.dtype)
    return (surprise * real).sum() / real.sum()


def sample_next(
    logits: Float[Tensor, "n v"], temperature: float, generator: torch.Generator
) -> Int[Tensor, " n"]:
    """Draw from softmax(logits / temperature): 1 as the network says, below 1 more
    timidly, above 1 more wildly, 0 always the likeliest.
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
    return torch.multinomial(
        (logits / temperature).softmax(dim=-1), 1, generator=generator
    ).squeeze(-1)


class CharacterModel(nn.Module):
    """The next character given those before it: an embedding, a cell, a linear head
    (Karpathy et al. 2015 look inside such a network).
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
        """The logits of the character after each one, and the state from which
        reading may go on.
        """
        expect_tokens(tokens, self.embedding.num_embeddings)
        outputs, state = unroll(self.cell, self.embedding(tokens), state)
        return self.head(outputs), state

    def loss(self, sentences: Int[Tensor, "n t"]) -> Float[Tensor, ""]:
        """Nats per character."""
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
        """`length` more symbols for each prompt (the start symbol alone will do);
        what follows an end is padding.
        """
        tokens, state, ended = (
            prompt,
            None,
            torch.zeros(len(prompt), dtype=torch.bool, device=prompt.device),
        )
        for _ in range(length):
            logits, state = self(prompt, state)
            chosen = sample_next(logits[:, -1], temperature, generator).masked_fill(
                ended, PAD
            )
            ended = ended | (chosen == END)
            # from now on the state carries all the rest
            prompt = chosen.unsqueeze(1)
            tokens = torch.cat([tokens, prompt], dim=1)
        return tokens
