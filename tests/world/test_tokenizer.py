import re
from itertools import product
from pathlib import Path

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from dalle_edu.errors import DalleEduError
from dalle_edu.world import LANGUAGES, SHAPES, CaptionTokenizer, caption, caption_tokenizer, sample_scene, train_tokenizer
from dalle_edu.world import tokenizer as tokenizer_module
from dalle_edu.world.grammar import lexicon, normalize
from dalle_edu.world.tokenizer import PAD, VOCABULARY_SIZE

LENGTH = 20
any_text = st.text(max_size=60)


@pytest.fixture(scope="module")
def tokenizer() -> CaptionTokenizer:
    return caption_tokenizer()


def test_every_known_word_is_one_token(tokenizer):
    for language in LANGUAGES:
        for word in sorted(lexicon().words[language] - {"1", "one"}):  # these two are read, but no caption says them
            assert tokenizer.tokens(word) == [f"Ġ{word}"]


def test_every_form_that_captions_use_is_one_token(tokenizer):
    for language, colour, size, shape, plural in product(LANGUAGES, SHAPES.colours, SHAPES.sizes, SHAPES.shapes, (False, True)):
        noun = shape.words[language]
        words = [noun.plural if plural else noun.singular]
        words += [adjective.words[language].form(noun.feminine, plural) for adjective in (colour, size)]
        for word in words:
            assert len(tokenizer.tokens(word)) == 1
            assert len(tokenizer.tokens(word.upper())) == 1
    assert tokenizer.tokens("à gauche d'une étoile") == ["Ġa", "Ġgauche", "Ġd'une", "Ġetoile"]


def test_every_caption_fits(tokenizer):
    captions = [caption(sample_scene(8, i, "all").description, language, i) for i in range(100) for language in LANGUAGES]
    rows = tokenizer.encode(captions, LENGTH)
    assert rows.shape == (200, LENGTH)
    assert rows.dtype == torch.int64
    assert rows.min() >= PAD
    assert rows.max() < tokenizer.vocabulary_size <= VOCABULARY_SIZE
    padding = rows == PAD
    assert (padding[:, 1:] >= padding[:, :-1]).all()  # padding stands at the end only
    assert not padding[:, 0].any()


@given(any_text)
@example("Un Cercle ROUGE à gauche d’une étoile")
@example("🙂 красный круг 红色")
def test_any_string_encodes_and_comes_back_normalised(text):
    tokenizer = caption_tokenizer()
    tokens = tokenizer.encode([text], 600)[0]
    written = tokenizer.decode(tokens)
    assert tokenizer.decode(tokenizer.encode([written], 600)[0]) == written  # what comes back is a fixed point


@given(st.text(st.sampled_from("abcdeéèçœŒÀÉ '’-z0123456789.,!?"), max_size=60))
def test_text_comes_back_as_the_grammar_reads_it(text):
    tokenizer = caption_tokenizer()
    assert words_of(tokenizer.decode(tokenizer.encode([text], 200)[0])) == words_of(text)


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", normalize(text))


@pytest.mark.parametrize(
    "text",
    ["« un cercle rouge »", "“Un cercle, rouge”", "'un cercle rouge'", "un cercle (rouge) 🙂", "un_cercle-rouge !"],
)
def test_signs_are_not_heard(tokenizer, text):
    assert tokenizer.tokens(text) == tokenizer.tokens("un cercle rouge")
    old = tokenizer.from_json(tokenizer.to_json().replace("[^", "[^«"))  # as in weights that another version wrote
    assert old.tokens(text) == tokenizer.tokens(text)


def test_what_nobody_sees_is_not_heard(tokenizer):
    assert tokenizer.tokens("un cer\u00adcle rou\u200dge\ufe0f") == tokenizer.tokens("un cercle rouge")


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_round_trip(tokenizer, language):
    for i in range(60):
        text = caption(sample_scene(8, i, "all").description, language, i)
        assert tokenizer.decode(tokenizer.encode([text], LENGTH)[0]) == normalize(text)


def test_padding_is_not_read(tokenizer):
    row = tokenizer.encode(["a red circle"], LENGTH)[0]
    row[1] = PAD  # wherever it stands
    assert tokenizer.decode(row) == "a circle"


def test_different_captions_have_different_tokens(tokenizer):
    captions = {normalize(caption(sample_scene(8, i, "all").description, "fr", i)) for i in range(100)}
    rows = tokenizer.encode(sorted(captions), LENGTH)
    assert len(rows.unique(dim=0)) == len(captions)


def test_nobody_can_type_padding(tokenizer):
    """Token 0 means that nothing stands there; a prompt that spells its name is text like any other."""
    assert PAD not in tokenizer.encode(["[PAD] a"], LENGTH)[0][:2]


def test_a_batch_encodes_like_its_members(tokenizer):
    texts = ["a red circle", "", "un cercle rouge à gauche d'une étoile verte"]
    alone = torch.cat([tokenizer.encode([text], LENGTH) for text in texts])
    assert torch.equal(tokenizer.encode(texts, LENGTH), alone)
    assert (alone[1] == PAD).all()
    assert tokenizer.encode([], LENGTH).shape == (0, LENGTH)


def test_too_long_a_caption_is_refused_and_quoted(tokenizer):
    with pytest.raises(DalleEduError, match='"a red circle" has 3 tokens and may have 2'):
        tokenizer.encode(["a circle", "a red circle"], 2)
    with pytest.raises(DalleEduError, match=r'"(red ){10}…" has 99 tokens and may have 20; shorten it'):
        tokenizer.encode(["red " * 99], LENGTH)


def test_training_again_gives_the_committed_file():
    committed = Path(tokenizer_module.__file__).with_name("tokenizer.json").read_text(encoding="utf-8")
    assert train_tokenizer().to_json() + "\n" == committed


def test_json_round_trip(tokenizer):
    again = CaptionTokenizer.from_json(tokenizer.to_json())
    assert again.to_json() == tokenizer.to_json()
    assert again.tokens("deux étoiles vertes") == ["Ġdeux", "Ġetoiles", "Ġvertes"]
