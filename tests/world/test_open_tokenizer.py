import json
import time
import unicodedata

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from dalle_edu.errors import DalleEduError
from dalle_edu.world import CaptionTokenizer
from dalle_edu.world.tokenizer import MOST_BYTES, PAD, caption_tokenizer, train_open_tokenizer

CAPTIONS = [
    "A red kite, over the sea!",
    "Un cerf-volant 🪁 rouge à l’été",
    "लाल पतंग आसमान में",
    "แมวสีดำบนเสื่อ",
    "赤い凧 「空」",
] * 3
INVISIBLE = "\u00ad\u200b\u200d\ufe0f\u202e"


@pytest.fixture(scope="module")
def tokenizer() -> CaptionTokenizer:
    return train_open_tokenizer(CAPTIONS)


def normal(text: str) -> str:
    """The normaliser, written again with Python's own Unicode."""
    text = "".join(c for c in text if c not in INVISIBLE).replace("’", "'")
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in text).split())


def there_and_back(tokenizer: CaptionTokenizer, text: str) -> str:
    return tokenizer.decode(tokenizer.encode([text], 600)[0])


@pytest.mark.parametrize("text", sorted(set(CAPTIONS)))
def test_every_script_comes_back(tokenizer, text):
    assert there_and_back(tokenizer, text) == normal(text)
    assert len(tokenizer.tokens(text)) < len(text.encode()) / 2  # there are merges in every script


@given(st.text(st.sampled_from("aAéÉİßœ ﬁ½’'-,!?«»\t\n\u0301\u00ad\u200d\ufe0fलत\u0902ंमेแมวสี赤い凧🪁👨👩❤Ω١")))
@example("İSTANBUL")
@example("H\u0331 Y\u030a")
@example(" é É ﬁ ")
def test_what_comes_back_is_the_text_in_nfkc_and_lower_case(text):
    tokenizer = train_open_tokenizer([])
    assert there_and_back(tokenizer, text) == normal(text)
    assert there_and_back(tokenizer, normal(text)) == normal(text)


def test_accents_and_signs_are_kept(tokenizer):
    assert there_and_back(tokenizer, "À l’été, NOËL — 50 % ?") == "à l'été, noël — 50 % ?"
    assert there_and_back(caption_tokenizer(), "À l’été") == "a l'ete"


def test_signs_and_emoji_are_words_of_their_own():
    tokenizer = train_open_tokenizer(["red!!! kite 🪁🪁", "red, kite 🪁"] * 9)
    assert tokenizer.tokens("red!!! kite 🪁🪁")[:5] == ["Ġred", "!", "!", "!", "Ġkite"]
    assert len(tokenizer.tokens("🪁🪁")) == 2


def test_the_first_word_is_the_same_token_as_anywhere_else(tokenizer):
    assert tokenizer.tokens("kite") == tokenizer.tokens("  kite ") == tokenizer.tokens("a kite")[1:] == ["Ġkite"]


def test_no_merge_that_comes_once_is_learned():
    assert train_open_tokenizer(["abcdef"]).vocabulary_size == 257
    assert train_open_tokenizer(["ab", "ab"]).vocabulary_size == 257 + 2  # " a" and " ab"


def test_the_vocabulary_and_the_tokens_are_bounded():
    words = ["".join(chr(97 + (i * 7 + j * j) % 26) for j in range(8)) for i in range(2000)] * 2
    tokenizer = train_open_tokenizer(["z" * 500, "z" * 500, *words], 400)
    assert tokenizer.vocabulary_size == 400
    assert max(len(token) for token in train_open_tokenizer(["z" * 500] * 3).tokens("z" * 500)) <= MOST_BYTES


def test_its_file_tells_what_it_is(tokenizer):
    again = CaptionTokenizer.from_json(tokenizer.to_json())
    assert again.to_json() == tokenizer.to_json()
    assert torch.equal(again.encode(CAPTIONS, 64), tokenizer.encode(CAPTIONS, 64))
    assert there_and_back(CaptionTokenizer.from_json(caption_tokenizer().to_json()), "Été !") == "ete"


def test_its_file_cannot_choose_a_normaliser(tokenizer):
    document = json.loads(tokenizer.to_json())
    document["normalizer"] = {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": "b"}
    assert CaptionTokenizer.from_json(json.dumps(document)).tokens("A kite") == tokenizer.tokens("A kite")


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["pre_tokenizer"]["pretokenizers"][0]["pattern"].update(Regex="(a+)+$"),
        lambda document: document["pre_tokenizer"]["pretokenizers"].pop(0),
        lambda document: document["pre_tokenizer"]["pretokenizers"][1].update(use_regex=True),
        lambda document: document["decoder"].update(type="Fuse"),
        lambda document: document["model"].update(dropout=0.5),
        lambda document: document["model"]["vocab"].pop("a"),
        lambda document: document.update(truncation={"max_length": 3}),
        lambda document: document["added_tokens"].append(dict(document["added_tokens"][0], content="red")),
    ],
)
def test_a_file_of_no_known_kind_is_refused(tokenizer, change):
    document = json.loads(tokenizer.to_json())
    change(document)
    with pytest.raises(DalleEduError, match="the tokenizer is none of captions"):
        CaptionTokenizer.from_json(json.dumps(document))


@given(st.text(max_size=80), st.integers(1, 12))
@example("แมวสีดำบนเสื่อ", 3)
@example("🪁" * 20, 2)
def test_a_shortened_text_is_a_beginning_that_fits(text, length):
    tokenizer = train_open_tokenizer(CAPTIONS)
    short = tokenizer.shortened(text, length)
    assert text.startswith(short)
    assert tokenizer.lengths([short])[0] <= length
    if tokenizer.lengths([text])[0] <= length:
        assert short == text
    tokenizer.encode([short], length)


def test_a_text_is_shortened_between_two_tokens(tokenizer):
    assert tokenizer.shortened("A red kite, over the sea!", 5) == "A red kite, over"
    assert tokenizer.shortened("A red kite, over the sea!", 8) == "A red kite, over the sea!"


@pytest.mark.parametrize("text", ["แมวสีดำ" * 150_000, "a" * 1_000_000, "kite " * 200_000, "\u00ad" * 1_000_000, "🪁" * 1_000_000])
def test_a_text_of_a_million_characters_takes_no_time(tokenizer, text):
    began = time.process_time()
    assert tokenizer.lengths([tokenizer.shortened(text, 64)])[0] <= 64
    assert time.process_time() - began < 2


def test_training_gives_the_same_each_time():
    captions = [f"{word} {i % 7}" for i, word in enumerate(CAPTIONS * 50)]
    assert train_open_tokenizer(captions).to_json() == train_open_tokenizer(captions).to_json()
    assert train_open_tokenizer(captions).encode(["kite"], 4)[0, -1] == PAD
