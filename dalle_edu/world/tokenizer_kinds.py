"""The two kinds of tokenizers of captions: how each normalises a text and cuts it in words before the merges of its BPE apply.

`GRAMMAR` reads the captions of a catalogue: without case, accents or signs. `OPEN` reads captions that people wrote, in any script: in
NFKC and lower case; a sign or an emoji is a word of its own; nothing is lost but the form of apostrophes and what nobody sees.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from dalle_edu.world.words import INVISIBLE

_BYTES: dict[str, Any] = {"add_prefix_space": True, "trim_offsets": True}
_WORDS = r" ?[\p{L}\p{M}\p{N}]+| ?[^\s\p{L}\p{M}\p{N}]"  # of an open tokenizer: a word or a sign, with the space before it, as in GPT-2


@dataclass(frozen=True)
class Kind:
    """A kind of tokenizers: its normaliser, which files cannot choose, and its pre-tokeniser, by which files are recognised."""

    normalizer: normalizers.Normalizer
    pre_tokenizer: pre_tokenizers.PreTokenizer
    pre_tokenizer_json: dict[str, Any]

    def untrained(self) -> Tokenizer:
        """A tokenizer of this kind without a vocabulary."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = self.normalizer, self.pre_tokenizer, decoders.ByteLevel()
        return tokenizer

    @cached_property
    def parts(self) -> dict[str, Any]:
        """What the JSON of every tokenizer of this kind says beside its normaliser and its vocabulary."""
        decoder = {"type": "ByteLevel", **_BYTES, "use_regex": True}
        return {
            "truncation": None,
            "padding": None,
            "pre_tokenizer": self.pre_tokenizer_json,
            "post_processor": None,
            "decoder": decoder,
        }


GRAMMAR = Kind(
    normalizers.Sequence(  # `words.normalize` for the tokenizers package, which also drops all signs but apostrophes in words
        [
            normalizers.Replace(Regex(f"[{INVISIBLE}]"), ""),
            normalizers.Lowercase(),
            *(normalizers.Replace(old, new) for old, new in (("œ", "oe"), ("’", "'"))),
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Replace(Regex(r"[^\p{L}\p{N}']|(?<!\p{L})'|'(?!\p{L})"), " "),
        ]
    ),
    pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)]),
    {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "ByteLevel", **_BYTES, "use_regex": False}]},
)
OPEN = Kind(
    normalizers.Sequence(
        [
            normalizers.Replace(Regex(f"[{INVISIBLE}]"), ""),
            normalizers.Replace("’", "'"),
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.NFKC(),  # a small letter may compose with its accent where the capital does not: H̱, ẖ
            normalizers.Replace(Regex(r"[\s\p{Cc}]+"), " "),
            normalizers.Strip(),
            normalizers.Prepend(" "),  # so that the first word is the same token as anywhere else
        ]
    ),
    pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(_WORDS), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    ),
    {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": _WORDS}, "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
        ],
    },
)
KINDS = (GRAMMAR, OPEN)
