"""The tokenizer of captions: a byte-level BPE trained on the grammar's captions in both languages (Sennrich et al. 2016).

Every byte is in the vocabulary, so every string can be encoded. Text is normalised as the grammar normalises it, without case, accents or
punctuation. Each word of the grammar is one token. Token 0 is padding. An open tokenizer (`tokenizer_kinds.OPEN`) is trained on captions
that people wrote, and keeps their accents and signs.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from tokenizers import Tokenizer, pre_tokenizers, trainers
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.world.catalogue import SHAPES, Catalogue
from dalle_edu.world.grammar import every_caption, normalize
from dalle_edu.world.tokenizer_kinds import GRAMMAR, KINDS, OPEN, Kind

PAD = 0
VOCABULARY_SIZE = 512
MOST_OPEN_TOKENS = 2048  # in the vocabulary of an open tokenizer
MOST_BYTES = 32  # in a token of an open tokenizer, so that n tokens never come of more than 32 n characters
_FILE = Path(__file__).with_name("tokenizer.json")
# what the JSON of every model says beside its vocabulary and its merges
_MODEL: dict[str, Any] = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None}
_MODEL |= {"fuse_unk": False, "byte_fallback": False, "ignore_merges": False}


class CaptionTokenizer:
    """Encodes captions as rows of token ids, padded at the end with `PAD`."""

    def __init__(self, tokenizer: Tokenizer, kind: Kind = GRAMMAR):
        self._tokenizer = tokenizer
        self._tokenizer.normalizer = kind.normalizer
        self._tokenizer.encode_special_tokens = True  # "[PAD]" in a prompt is text, not padding

    @property
    def vocabulary_size(self) -> int:
        """The number of tokens, padding included."""
        return self._tokenizer.get_vocab_size()

    def same_words(self, other: "CaptionTokenizer") -> bool:
        """Whether the tokens of another tokenizer have the same numbers."""
        return bool(self._tokenizer.get_vocab() == other._tokenizer.get_vocab())

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text as strings, to be shown to people."""
        return self._tokenizer.encode(text).tokens

    def lengths(self, captions: Sequence[str]) -> list[int]:
        """The number of tokens of each caption."""
        parts = (list(captions[start : start + 4096]) for start in range(0, len(captions), 4096))  # an encoding takes much memory
        return [len(encoding.ids) for part in parts for encoding in self._tokenizer.encode_batch_fast(part)]

    def encode(self, captions: Sequence[str], length: int) -> Int[Tensor, "n length"]:
        """The token ids of captions, in [0, `vocabulary_size`). Raises `DalleEduError` when one has more than `length` tokens."""
        rows = torch.full((len(captions), length), PAD)
        for row, encoding, caption in zip(rows, self._tokenizer.encode_batch(list(captions)), captions, strict=True):
            if len(encoding.ids) > length:
                beginning = caption if len(caption) <= 40 else caption[:40] + "…"
                raise DalleEduError(
                    f'the caption "{beginning}" has {len(encoding.ids)} tokens and may have {length}; shorten it',
                    f"la légende « {beginning} » a {len(encoding.ids)} jetons et peut en avoir {length} ; raccourcissez-la",
                )
            row[: len(encoding.ids)] = torch.tensor(encoding.ids)
        return rows

    def decode(self, tokens: Int[Tensor, " length"]) -> str:
        """The text of a row of token ids, without its padding; it is normalised, without case, and without accents where the
        tokenizer is one of a grammar.
        """
        return self._tokenizer.decode([token for token in tokens.tolist() if token != PAD]).strip()

    def shortened(self, text: str, length: int) -> str:
        """A text of at most `length` tokens: the text itself, or as much of its beginning as fits, cut between two tokens."""
        text = text[: MOST_BYTES * length + 1]
        while len(ends := self._tokenizer.encode(text).offsets) > length:
            text = text[: ends[length][0]].rstrip() if ends[length][0] < len(text) else text[:-1]
        return text

    def to_json(self) -> str:
        """The tokenizer in the JSON format of the tokenizers package."""
        return self._tokenizer.to_str()

    @classmethod
    def from_json(cls, text: str) -> "CaptionTokenizer":
        """The tokenizer that `to_json` wrote. Raises `DalleEduError` for one of another kind, which might encode a caption otherwise, or
        never come to an end.
        """
        try:
            kind = _kind(text)  # first: the package itself is careless of what it reads
            return cls(Tokenizer.from_str(text), kind)
        except Exception as error:  # the package raises plain exceptions
            why = " ".join(f"{error!r}"[:120].split())
            raise DalleEduError(
                f"the tokenizer is none of captions ({why}); take one that CaptionTokenizer.to_json wrote",
                f"le découpage en jetons n'est pas celui de légendes ({why}) ; prenez ce que CaptionTokenizer.to_json a écrit",
            ) from error


def _kind(text: str) -> Kind:
    """The kind of a tokenizer's JSON, whose vocabulary and merges alone may differ from those of its kind. Raises `ValueError`, `TypeError`
    or `KeyError` unless it is a byte-level BPE with a token for each byte and each number.
    """
    document = json.loads(text)
    kind = next((kind for kind in KINDS if all(document[part] == value for part, value in kind.parts.items())), None)
    model, own = document["model"], [token["content"] for token in document["added_tokens"]]
    vocabulary = model["vocab"]
    if kind is None or own != ["[PAD]"] or {key: value for key, value in model.items() if key not in ("vocab", "merges")} != _MODEL:
        raise ValueError("it is no byte-level BPE")
    if not {"[PAD]", *pre_tokenizers.ByteLevel.alphabet()} <= set(vocabulary) or vocabulary["[PAD]"] != PAD:
        raise ValueError("it lacks a byte")
    if sorted(vocabulary.values()) != list(range(len(vocabulary))):
        raise ValueError("its numbers are not 0, 1, 2 and so on")
    return kind


def train_tokenizer(catalogue: Catalogue = SHAPES, vocabulary_size: int = VOCABULARY_SIZE) -> CaptionTokenizer:
    """Train a BPE on the captions of a catalogue's grammar (Sennrich et al. 2016; on bytes, as in GPT-2: Radford et al. 2019)."""
    return _trained(GRAMMAR, sorted({normalize(text) for text in every_caption(catalogue)}), vocab_size=vocabulary_size)


def train_open_tokenizer(captions: Iterable[str], vocabulary_size: int = MOST_OPEN_TOKENS) -> CaptionTokenizer:
    """Train a BPE on captions in any script. Two tokens are merged only where they come together at least twice."""
    return _trained(OPEN, captions, vocab_size=vocabulary_size, min_frequency=2, max_token_length=MOST_BYTES)


def _trained(kind: Kind, texts: Iterable[str], **settings: Any) -> CaptionTokenizer:
    tokenizer = kind.untrained()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(special_tokens=["[PAD]"], initial_alphabet=alphabet, show_progress=False, **settings)
    tokenizer.train_from_iterator(texts, trainer)
    return CaptionTokenizer(tokenizer, kind)


def trimmed(tokens: Int[Tensor, "n t"]) -> Int[Tensor, "n s"]:
    """Rows of token ids without the columns of padding at the end that all rows share, which would only cost time."""
    return tokens[:, : int((tokens != PAD).sum(dim=1).max())]


@cache
def caption_tokenizer() -> CaptionTokenizer:
    """The tokenizer of the catalogue `SHAPES`, read from `tokenizer.json`, which `learn_again` writes."""
    return CaptionTokenizer.from_json(_FILE.read_text(encoding="utf-8"))


def learn_again() -> None:
    """Train the tokenizer of the catalogue `SHAPES` and write `tokenizer.json`. A change of the grammar's words requires it."""
    text = train_tokenizer().to_json() + "\n"
    write_aside(_FILE, lambda file: file.write(text.encode()))
