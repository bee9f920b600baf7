"""From captions to token numbers: a byte-level BPE learned from the grammar's captions in both languages.

Every byte is in the vocabulary, so every string can be encoded. Text is normalised as the grammar reads it, without case, accents or
punctuation, and each word that the world knows ends up as one token. The first token is padding.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Int
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
from dalle_edu.world.catalogue import SHAPES, Catalogue
from dalle_edu.world.grammar import every_caption, normalize

PAD = 0
VOCABULARY_SIZE = 512
_FILE = Path(__file__).with_name("tokenizer.json")
_NORMALIZER = normalizers.Sequence(  # what `grammar.normalize` does, in the tokenizer's own terms, and no sign but apostrophes within words
    [
        normalizers.Lowercase(),
        *(normalizers.Replace(old, new) for old, new in (("œ", "oe"), ("’", "'"))),
        normalizers.NFKD(),
        normalizers.StripAccents(),
        normalizers.Replace(Regex(r"[^\p{L}\p{N}']|(?<!\p{L})'|'(?!\p{L})"), " "),
    ]
)


class CaptionTokenizer:
    """Encodes captions as rows of `length` tokens, padded at the end with `PAD`."""

    def __init__(self, tokenizer: Tokenizer):
        self._tokenizer = tokenizer
        self._tokenizer.normalizer = _NORMALIZER
        self._tokenizer.encode_special_tokens = True  # whoever types [PAD] writes three letters

    @property
    def vocabulary_size(self) -> int:
        return self._tokenizer.get_vocab_size()

    def tokens(self, text: str) -> list[str]:
        """The pieces that a text is cut into, for the eye."""
        return self._tokenizer.encode(text).tokens

    def encode(self, captions: Sequence[str], length: int) -> Int[Tensor, "n length"]:
        """Token numbers of captions. Raises `DalleEduError` when one has more than `length` tokens."""
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
        """The text of a row of tokens, without its padding (normalised: accents and case are gone)."""
        return self._tokenizer.decode([token for token in tokens.tolist() if token != PAD]).strip()

    def to_json(self) -> str:
        return self._tokenizer.to_str()

    @classmethod
    def from_json(cls, text: str) -> "CaptionTokenizer":
        return cls(Tokenizer.from_str(text))


def train_tokenizer(catalogue: Catalogue = SHAPES, vocabulary_size: int = VOCABULARY_SIZE) -> CaptionTokenizer:
    """Learn the merges from the grammar's own captions (Sennrich et al. 2016, on bytes as in GPT-2)."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = _NORMALIZER
    bytes_of_words = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), bytes_of_words])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=["[PAD]"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sorted({normalize(text) for text in every_caption(catalogue)}), trainer)
    return CaptionTokenizer(tokenizer)


def trimmed(tokens: Int[Tensor, "n t"]) -> Int[Tensor, "n s"]:
    """Rows of tokens without the padding that all of them share, which changes nothing and costs time."""
    return tokens[:, : int((tokens != PAD).sum(dim=1).max())]


@cache
def caption_tokenizer() -> CaptionTokenizer:
    """The tokenizer of the world of shapes, learned once and kept beside this file (`learn_again` renews it)."""
    return CaptionTokenizer.from_json(_FILE.read_text(encoding="utf-8"))


def learn_again() -> None:
    """Learn the tokenizer of the world of shapes and keep it beside this file, as a change of the grammar asks for."""
    text = train_tokenizer().to_json() + "\n"
    write_aside(_FILE, lambda file: file.write(text.encode()))
