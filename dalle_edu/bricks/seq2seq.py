"""A network that reads and a network that writes, and attention between them:
translation.

The reader turns a sentence into states; the writer starts from the last of them and
says the sentence in another language, word after word (Sutskever et al. 2014).
Attention lets it look back at every word read (Bahdanau et al. 2015; Luong et al.
2015), and shows us where.

Letters: n sentences, t symbols, h channels of the writer's state, k words read, m
channels of what is remembered of each, q words written, v entries of a vocabulary.

Lesson 03.
"""

import math
from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.language_model import (
    END,
    PAD,
    START,
    expect_tokens,
    masked_cross_entropy,
    teacher_forcing,
)
from dalle_edu.bricks.recurrent import Cell, GRUCell, State, each_part, unroll
from dalle_edu.errors import DalleEduError

# ---------------------------------------------------------------- attention


class Attention(nn.Module, ABC):
    """Each word written looks at all the words read, and takes home their mean,
    weighted by how well they answer.

    Kinds of attention differ in `scores` alone.
    """

    def __init__(self, query_size: int, memory_size: int):
        super().__init__()

    @abstractmethod
    def scores(
        self, query: Float[Tensor, "n q h"], memory: Float[Tensor, "n k m"]
    ) -> Float[Tensor, "n q k"]:
        """How well each word read answers each word to be written, before the
        softmax.
        """

    def forward(
        self,
        query: Float[Tensor, "n q h"],
        memory: Float[Tensor, "n k m"],
        mask: Bool[Tensor, "n k"],
    ) -> tuple[Float[Tensor, "n q m"], Float[Tensor, "n q k"]]:
        """The mixtures, and the weights that made them: over the words read they
        sum to 1, and padding (mask False) weighs nothing.
        """
        weights = (
            self.scores(query, memory)
            .masked_fill(~mask.unsqueeze(1), -math.inf)
            .softmax(dim=-1)
        )
        return weights @ memory, weights


class DotAttention(Attention):
    """score(q, k) = q · k (Luong et al. 2015, equation 8): no parameter, and both
    must be of one size.
    """

    def __init__(self, query_size: int, memory_size: int):
        super().__init__(query_size, memory_size)
        if query_size != memory_size:
            raise DalleEduError(
                f"queries of {query_size} channels have no dot product with "
                f"memories of {memory_size}; use GeneralAttention",
                f"des requêtes de {query_size} canaux n'ont pas de produit "
                f"scalaire avec des mémoires de {memory_size} ; "
                "prenez GeneralAttention",
            )

    def scores(self, query: Tensor, memory: Tensor) -> Tensor:
        return query @ memory.transpose(-2, -1)


class GeneralAttention(Attention):
    """score(q, k) = q · W k (Luong et al. 2015, equation 8): W learns which
    channels are to meet.
    """

    def __init__(self, query_size: int, memory_size: int):
        super().__init__(query_size, memory_size)
        self.key = nn.Linear(memory_size, query_size, bias=False)

    def scores(self, query: Tensor, memory: Tensor) -> Tensor:
        return query @ self.key(memory).transpose(-2, -1)


class AdditiveAttention(Attention):
    """score(q, k) = v · tanh(W q + U k) (Bahdanau et al. 2015, appendix A.1.2): a
    small network judges each pair.
    """

    def __init__(self, query_size: int, memory_size: int):
        super().__init__(query_size, memory_size)
        self.query = nn.Linear(query_size, query_size, bias=False)
        self.key = nn.Linear(memory_size, query_size, bias=False)
        self.value = nn.Linear(query_size, 1, bias=False)

    def scores(self, query: Tensor, memory: Tensor) -> Tensor:
        # n q k h
        pairs = self.query(query).unsqueeze(2) + self.key(memory).unsqueeze(1)
        return self.value(pairs.tanh()).squeeze(-1)


# ---------------------------------------------------------------- translation


class Seq2Seq(nn.Module):
    """A reader and a writer. The reader goes over the sentence in both directions;
    the writer starts from where the reader ended.

    Attention comes after the writer's step, as in Luong et al. (2015, equation 5),
    so that training computes that of a whole sentence at once; Bahdanau et al. let
    it come before the step and feed its answer in.
    """

    def __init__(
        self,
        source_size: int,
        target_size: int,
        width: int = 64,
        hidden: int = 128,
        attention: type[Attention] = AdditiveAttention,
        cell: type[Cell] = GRUCell,
    ):
        super().__init__()
        if hidden % 2:
            raise DalleEduError(
                f"hidden is {hidden}; the two directions share it half and half: "
                "choose an even number",
                f"hidden vaut {hidden} ; les deux sens se le partagent par moitié "
                ": choisissez un nombre pair",
            )
        self.source_embedding = nn.Embedding(source_size, width)
        self.target_embedding = nn.Embedding(target_size, width)
        self.forwards, self.backwards = (
            cell(width, hidden // 2),
            cell(width, hidden // 2),
        )
        self.writer = cell(width, hidden)
        self.attention = attention(hidden, hidden)
        self.combine = nn.Linear(2 * hidden, hidden)
        self.head = nn.Linear(hidden, target_size)

    def encode(
        self, source: Int[Tensor, "n k"]
    ) -> tuple[Float[Tensor, "n k m"], State]:
        """What is remembered of each word, and the state in which the writer
        starts: both directions side by side.
        """
        expect_tokens(source, self.source_embedding.num_embeddings)
        embedded, mask = self.source_embedding(source), source != PAD
        ahead, end = unroll(self.forwards, embedded, mask=mask)
        back, start = unroll(self.backwards, embedded, mask=mask, backwards=True)
        return torch.cat([ahead, back], dim=-1), each_part(
            _side_by_side, end, start
        )

    def decode(
        self,
        shown: Int[Tensor, "n q"],
        state: State,
        memory: Float[Tensor, "n k m"],
        mask: Bool[Tensor, "n k"],
    ) -> tuple[Float[Tensor, "n q v"], Float[Tensor, "n q k"], State]:
        """The logits of the word after each one shown, where the writer looked for
        it, and its last state.
        """
        expect_tokens(shown, self.target_embedding.num_embeddings)
        outputs, state = unroll(self.writer, self.target_embedding(shown), state)
        context, weights = self.attention(outputs, memory, mask)
        return (
            self.head(self.combine(torch.cat([context, outputs], dim=-1)).tanh()),
            weights,
            state,
        )

    def forward(
        self, source: Int[Tensor, "n k"], shown: Int[Tensor, "n q"]
    ) -> tuple[Float[Tensor, "n q v"], Float[Tensor, "n q k"]]:
        """Logits and attention weights when the words of `shown` are already
        written.
        """
        memory, state = self.encode(source)
        logits, weights, _ = self.decode(shown, state, memory, source != PAD)
        return logits, weights

    def loss(
        self, source: Int[Tensor, "n k"], target: Int[Tensor, "n t"]
    ) -> Float[Tensor, ""]:
        """Nats per word of the translation."""
        shown, expected = teacher_forcing(target)
        return masked_cross_entropy(self(source, shown)[0], expected)

    @torch.no_grad()
    def translate(
        self, source: Int[Tensor, "n k"], length: int = 40
    ) -> tuple[Int[Tensor, "n q"], Float[Tensor, "n q k"]]:
        """The likeliest word at each step, until every sentence has ended or has
        `length` words; and where the writer looked for each.
        """
        if length < 1:
            raise DalleEduError(
                f"the length is {length}; allow at least 1 word",
                f"la longueur est {length} ; accordez au moins 1 mot",
            )
        (memory, state), mask = self.encode(source), source != PAD
        last = source.new_full((len(source), 1), START)
        ended = torch.zeros_like(last, dtype=torch.bool)
        tokens: list[Tensor] = []
        looks: list[Tensor] = []
        while len(tokens) < length and not ended.all():
            logits, weights, state = self.decode(last, state, memory, mask)
            last = logits.argmax(dim=-1).masked_fill(ended, PAD)
            ended = ended | (last == END)
            tokens.append(last)
            looks.append(weights)
        return torch.cat(tokens, dim=1), torch.cat(looks, dim=1)


def _side_by_side(
    ahead: Float[Tensor, "n h"], back: Float[Tensor, "n h"]
) -> Float[Tensor, "n both"]:
    return torch.cat([ahead, back], dim=-1)
