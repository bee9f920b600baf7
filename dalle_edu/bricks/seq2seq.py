"""Sequence to sequence: an encoder reads a sentence, a decoder writes another.

In translation, the encoder turns the sentence into states. The decoder starts from
the last of them and writes word after word (Sutskever et al. 2014). Attention lets
it look at every word that was read (Bahdanau et al. 2015; Luong et al. 2015), and
the attention weights show where it looks. Lesson 03.

Letters: n sentences, t symbols, h channels of the decoder's state, k words read, m
channels of what is remembered of each (the memory), q words written, v entries of a
vocabulary.
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
    """Weighted means of what is remembered of the words read.

    There is one mean for each word to be written. Its weights are the softmax of
    scores. Kinds of attention differ in `scores` alone, but for `NoAttention`.
    """

    def __init__(self, query_size: int, memory_size: int):
        super().__init__()

    @abstractmethod
    def scores(
        self, query: Float[Tensor, "n q h"], memory: Float[Tensor, "n k m"]
    ) -> Float[Tensor, "n q k"]:
        """How well each word read fits each query, before the softmax."""

    def forward(
        self,
        query: Float[Tensor, "n q h"],
        memory: Float[Tensor, "n k m"],
        mask: Bool[Tensor, "n k"],
    ) -> tuple[Float[Tensor, "n q m"], Float[Tensor, "n q k"]]:
        """The weighted means of the memory, and the weights.

        `mask` is False where the memory is padding, whose weight is 0. The weights
        of each query sum to 1.
        """
        scores = self.scores(query, memory)
        scores = scores.masked_fill(~mask.unsqueeze(1), -math.inf)
        weights = scores.softmax(dim=-1)
        return weights @ memory, weights


class NoAttention(Attention):
    """A mixture of zeros: the decoder has the encoder's last state alone.

    This is the translator before attention (Sutskever et al. 2014). Beside the
    other kinds it tells what attention is worth. It has no parameters.
    """

    def scores(self, query: Tensor, memory: Tensor) -> Tensor:
        """Zero for each query and each word read: nothing is compared."""
        return query.new_zeros(*query.shape[:2], memory.shape[1])

    def forward(
        self, query: Tensor, memory: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Zeros of the memory's width for each query, and weights of 0."""
        weights = self.scores(query, memory)
        return query.new_zeros(*query.shape[:2], memory.shape[-1]), weights


class DotAttention(Attention):
    """score(q, k) = q · k (Luong et al. 2015, equation 8).

    It has no parameters. Raises `DalleEduError` unless queries and memory have the
    same size.
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
        """The dot product of each query with each word's memory."""
        return query @ memory.transpose(-2, -1)


class GeneralAttention(Attention):
    """score(q, k) = q · W k (Luong et al. 2015, equation 8).

    The matrix W learns which channels of the query go with which of the memory.
    """

    def __init__(self, query_size: int, memory_size: int):
        super().__init__(query_size, memory_size)
        self.key = nn.Linear(memory_size, query_size, bias=False)

    def scores(self, query: Tensor, memory: Tensor) -> Tensor:
        """The dot product of each query with each word's memory times W."""
        return query @ self.key(memory).transpose(-2, -1)


class AdditiveAttention(Attention):
    """score(q, k) = v · tanh(W q + U k) (Bahdanau et al. 2015, appendix A.1.2).

    A small network scores each pair of a query and a word's memory.
    """

    def __init__(self, query_size: int, memory_size: int):
        super().__init__(query_size, memory_size)
        self.query = nn.Linear(query_size, query_size, bias=False)
        self.key = nn.Linear(memory_size, query_size, bias=False)
        self.value = nn.Linear(query_size, 1, bias=False)

    def scores(self, query: Tensor, memory: Tensor) -> Tensor:
        """The score that the network gives to each query and each word's memory."""
        queries, keys = self.query(query), self.key(memory)
        pairs = queries.unsqueeze(2) + keys.unsqueeze(1)  # n q k h
        return self.value(pairs.tanh()).squeeze(-1)


# ---------------------------------------------------------------- translation


class Seq2Seq(nn.Module):
    """An encoder and a decoder, with attention between them.

    The encoder reads the sentence in both directions, and the decoder (`writer`)
    starts from the last state of each. Attention comes after the decoder's step
    (Luong et al. 2015, equation 5), so that training computes it for a whole
    sentence at once. In Bahdanau et al. it comes before the step, which is given
    its result.

    Raises `DalleEduError` for an odd `hidden`.
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
                f"hidden vaut {hidden} ; les deux sens se le partagent par "
                "moitié : choisissez un nombre pair",
            )
        self.source_embedding = nn.Embedding(source_size, width)
        self.target_embedding = nn.Embedding(target_size, width)
        self.forwards = cell(width, hidden // 2)
        self.backwards = cell(width, hidden // 2)
        self.writer = cell(width, hidden)
        self.attention = attention(hidden, hidden)
        self.combine = nn.Linear(2 * hidden, hidden)
        self.head = nn.Linear(hidden, target_size)

    def encode(
        self, source: Int[Tensor, "n k"]
    ) -> tuple[Float[Tensor, "n k m"], State]:
        """The memory of each word read, and the decoder's first state.

        Both hold the two directions side by side. Raises `DalleEduError` for tokens
        out of the vocabulary.
        """
        expect_tokens(source, self.source_embedding.num_embeddings)
        embedded, mask = self.source_embedding(source), source != PAD
        ahead, end = unroll(self.forwards, embedded, mask=mask)
        back, start = unroll(self.backwards, embedded, mask=mask, backwards=True)
        memory = torch.cat([ahead, back], dim=-1)
        return memory, each_part(side_by_side, end, start)

    def decode(
        self,
        shown: Int[Tensor, "n q"],
        state: State,
        memory: Float[Tensor, "n k m"],
        mask: Bool[Tensor, "n k"],
    ) -> tuple[Float[Tensor, "n q v"], Float[Tensor, "n q k"], State]:
        """The logits of the word after each one shown.

        Returns the attention weights of each and the decoder's last state too.
        Raises `DalleEduError` for tokens out of the vocabulary.
        """
        expect_tokens(shown, self.target_embedding.num_embeddings)
        outputs, state = unroll(self.writer, self.target_embedding(shown), state)
        context, weights = self.attention(outputs, memory, mask)
        combined = self.combine(torch.cat([context, outputs], dim=-1)).tanh()
        return self.head(combined), weights, state

    def forward(
        self, source: Int[Tensor, "n k"], shown: Int[Tensor, "n q"]
    ) -> tuple[Float[Tensor, "n q v"], Float[Tensor, "n q k"]]:
        """The logits and the attention weights under teacher forcing.

        `shown` holds the true words, of which the logits predict the next.
        """
        memory, state = self.encode(source)
        logits, weights, _ = self.decode(shown, state, memory, source != PAD)
        return logits, weights

    def loss(
        self, source: Int[Tensor, "n k"], target: Int[Tensor, "n t"]
    ) -> Float[Tensor, ""]:
        """The cross-entropy of the translation, in nats per word."""
        shown, expected = teacher_forcing(target)
        return masked_cross_entropy(self(source, shown)[0], expected)

    @torch.no_grad()
    def translate(
        self, source: Int[Tensor, "n k"], length: int = 40
    ) -> tuple[Int[Tensor, "n q"], Float[Tensor, "n q k"]]:
        """Greedy translations, with the attention weights of each word.

        The likeliest word is taken at each step, until every sentence has ended or
        has `length` words. Raises `DalleEduError` for a length below 1.
        """
        if length < 1:
            raise DalleEduError(
                f"the length is {length}; allow at least 1 word",
                f"la longueur est {length} ; accordez au moins 1 mot",
            )
        memory, state = self.encode(source)
        mask = source != PAD
        last = source.new_full((len(source), 1), START)
        ended = torch.zeros_like(last, dtype=torch.bool)
        tokens: list[Tensor] = []
        looks: list[Tensor] = []  # attention weights
        while len(tokens) < length and not ended.all():
            logits, weights, state = self.decode(last, state, memory, mask)
            last = logits.argmax(dim=-1).masked_fill(ended, PAD)
            ended = ended | (last == END)
            tokens.append(last)
            looks.append(weights)
        return torch.cat(tokens, dim=1), torch.cat(looks, dim=1)


def side_by_side(
    ahead: Float[Tensor, "n h"], back: Float[Tensor, "n h"]
) -> Float[Tensor, "n both"]:
    """Two vectors of each sentence as one: the first, then the second."""
    return torch.cat([ahead, back], dim=-1)
