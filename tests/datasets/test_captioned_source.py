import json
import pickle
import shutil
import time
from collections import Counter

import pytest
import torch
from faulty import picture
from small_source import PLENTY, language, source, taken, write
from torch.utils.data import DataLoader

from dalle_edu.datasets import Digits, Shards, write_shards
from dalle_edu.datasets.captioned_source import LONGEST, ROOM, CaptionedSource
from dalle_edu.datasets.split import held_out_names
from dalle_edu.errors import DalleEduError
from dalle_edu.world.words import normal_words

# ---------------------------------------------------------------- epochs


@pytest.mark.parametrize(("n", "batch", "processes"), [(1, 1, 1), (1, 4, 2), (3, 4, 2), (5, 2, 1), (7, 4, 4), (9, 6, 3), (12, 4, 2)])
def test_every_picture_comes_once_an_epoch_whoever_takes_it(tmp_path, n, batch, processes):
    made = source(write(tmp_path / "data", [f"caption {i}" for i in range(n)]), keep=PLENTY)
    size, epochs = made.size, 4
    updates = size * epochs  # whole batches and whole epochs
    shares = list(taken(made, 3, batch, updates, processes))
    assert Counter(caption for share in shares for _, caption in share) == dict.fromkeys(
        [made.captions[item][0] for item in made.items], batch * epochs
    )
    mine = batch // processes
    in_order = [shares[k % batch // mine][k // batch * mine + k % mine][1] for k in range(size * epochs)]
    for epoch in range(epochs):
        assert len(set(in_order[epoch * size : (epoch + 1) * size])) == size


@pytest.mark.parametrize("keep", [0, PLENTY])
def test_two_processes_with_two_workers_each_take_what_one_takes(tmp_path, keep):
    made = source(write(tmp_path / "data", [f"caption {i}" for i in range(14)]), keep=keep)
    alone = next(taken(made, 1, 4, 9))
    shares = list(taken(made, 1, 4, 9, processes=2, workers=2))
    together = [pair for update in range(9) for share in shares for pair in share[2 * update : 2 * update + 2]]
    assert [caption for _, caption in together] == [caption for _, caption in alone]
    assert all(torch.equal(x, y) for (x, _), (y, _) in zip(together, alone, strict=True))


def test_a_run_goes_on_exactly_from_any_update(tmp_path):
    made = source(write(tmp_path / "data", [f"caption {i}" for i in range(11)]), keep=PLENTY)
    whole = [caption for _, caption in next(taken(made, 1, 4, 12))]
    for start in range(12):
        again = source(tmp_path / "data")  # opened anew, decoded on demand
        assert [caption for _, caption in next(taken(again, 1, 4, 12 - start, start=start))] == whole[4 * start :]


def test_captions_of_a_picture_take_turns(tmp_path):
    folder = write(tmp_path / "data", ["", ""])
    (folder / "captions.json").write_text(json.dumps({"000.png": ["one", "two", "three"], "001.png": "alone"}))
    made = source(folder)
    captions = Counter(caption for _, caption in next(taken(made, 0, 2, 300)))
    assert captions["alone"] == 300
    assert all(70 < captions[caption] < 130 for caption in ("one", "two", "three"))
    first, second, again = ([caption for _, caption in next(taken(made, seed, 2, 9))] for seed in (0, 1, 0))
    assert first == again != second


def test_it_goes_to_spawned_workers(tmp_path):
    made = source(write(tmp_path / "data", [f"caption {i}" for i in range(6)]), keep=PLENTY)
    series = made.series(1)
    loader = DataLoader(series, batch_sampler=[[0, 1], [2, 3]], collate_fn=series.collate, num_workers=1, multiprocessing_context="spawn")
    for batch, start in zip(loader, (0, 2), strict=True):
        assert batch.captions == [series[start][1], series[start + 1][1]]
        assert torch.equal(batch.images(8), series.collate([series[start], series[start + 1]]).images(8))
    again = pickle.loads(pickle.dumps(series))
    assert torch.equal(again[3][0], series[3][0])


# ---------------------------------------------------------------- what is held out


def test_pictures_held_out_are_never_shown(tmp_path):
    made = source(write(tmp_path / "data", [f"caption {i}" for i in range(40)]), keep=PLENTY)
    names = held_out_names(f"{i:03d}.png" for i in range(40))
    held = made.held_out(100)
    assert held.captions == [f"caption {int(name[:3])}" for name in names]
    assert made.size == 40 - len(names)
    shown = {caption for _, caption in next(taken(made, 0, made.size, 3))}
    assert len(shown) == made.size
    assert not shown & set(held.captions)
    assert made.held_out(1).captions == held.captions[:1]
    assert torch.equal(made.held_out(100).images(8), held.images(8))
    assert made.remarks()[0] == f"pictures to train on: {made.size}; held out: {len(names)}"


def test_words_held_out_are_not_learned(tmp_path):
    names = held_out_names(f"{i:03d}.png" for i in range(20))
    captions = ["zebra zebra zebra zebra" if f"{i:03d}.png" in names else f"a red kite {i}" for i in range(20)]
    made = source(write(tmp_path / "data", captions))
    assert "zebra" not in made.domain.words
    assert "Ġzebra" not in made.tokenizer.tokens("zebra")
    made.tokenizer.encode(made.held_out(20).captions, made.text_length)  # cut to what a system can take


# ---------------------------------------------------------------- captions


def test_the_domain_has_the_words_of_the_captions(tmp_path):
    made = source(write(tmp_path / "data", ["Un château d’eau", "a red kite", "लाल पतंग", "a red kite 🪁"]))
    words = {word for text in ("un château d'eau", "a red kite", "लाल पतंग") for word in normal_words(text)}
    assert made.domain.words == tuple(sorted(words))
    assert made.domain.check_prompt("a RED chateau") is None
    assert made.domain.check_prompt("a green kite").startswith('words that never occurred in training: "green";')


def test_three_scripts_in_one_folder(tmp_path):
    captions = ["a red kite, over the sea!", "लाल पतंग आसमान में", "แมวสีด\u0e33บนเสื่อ".replace("\u0e33", "\u0e4d\u0e32")]
    made = source(write(tmp_path / "data", captions), keep=PLENTY)
    batch = next(iter(DataLoader(made.series(0), batch_sampler=[range(3)], collate_fn=made.series(0).collate)))
    assert sorted(batch.captions) == sorted(captions)
    rows = made.tokenizer.encode(batch.captions, LONGEST)
    assert [made.tokenizer.decode(row) for row in rows] == batch.captions


@pytest.mark.parametrize("text", ["kite " * 2000, "แมวสีดำ" * 1500, "x" * 10_000, "🪁" * 10_000])
def test_captions_of_ten_thousand_characters_are_shortened(tmp_path, text):
    folder = write(tmp_path / "data", ["a red kite", *(f"{i} {text}" for i in range(8))])
    began = time.process_time()
    made = source(folder, keep=PLENTY)
    assert time.process_time() - began < 5
    assert made.text_length == LONGEST
    assert made.shortened == 8
    assert f"captions shortened to {LONGEST} tokens: 8" in made.remarks()
    captions = [caption for _, caption in next(taken(made, 0, 3, 3))]
    assert made.tokenizer.encode(captions, LONGEST).shape == (9, LONGEST)
    assert all(len(caption) <= 2048 for caption in captions)
    assert all(f"{caption[0]} {text}".startswith(caption) for caption in captions if caption != "a red kite")


def test_the_length_is_that_of_the_longest_caption_with_room_for_new_words(tmp_path):
    short = source(write(tmp_path / "short", ["a red kite"] * 3 + ["a red kite, a red kite"] * 3))
    assert (short.text_length, short.shortened) == (ROOM, 0)
    assert max(short.tokenizer.lengths(["a blue zeppelin"])) <= ROOM
    long = source(write(tmp_path / "long", ["a red kite"] * 3 + [", ".join(["a red kite"] * 8)] * 3))
    assert (long.text_length, long.shortened) == (31, 0)


def test_one_caption_for_all_is_told_of(tmp_path):
    made = source(write(tmp_path / "data", ["a kite"] * 12))
    assert any("all captions are the same: nothing can be learned from words" in remark for remark in made.remarks())
    assert len(next(taken(made, 0, 4, 3))) == 12
    with language("fr"):
        assert any("toutes les légendes sont les mêmes" in remark for remark in made.remarks())


# ---------------------------------------------------------------- few pictures, small pictures


def test_one_picture_is_enough(tmp_path):
    made = source(write(tmp_path / "data", ["a kite"]))
    assert made.size == 1
    assert len(next(taken(made, 0, 4, 3, workers=2))) == 12
    assert made.held_out(5).images(8).shape == (0, 3, 8, 8)
    assert made.held_out(5).captions == []
    assert any("nothing is held out of fewer than 10 pictures" in remark for remark in made.remarks())
    assert "a batch of 4 is more than an epoch of 1: it shows each picture about 4.0 times" in made.remarks(4)
    with language("fr"):
        assert "un lot de 4 dépasse une époque de 1 : il montre chaque image environ 4,0 fois" in [
            remark.replace("\u00a0", " ") for remark in made.remarks(4)
        ]


def test_pictures_of_one_pixel_are_told_of(tmp_path):
    folder = write(tmp_path / "data", ["a", "b"])
    (folder / "001.png").write_bytes(picture(1, 1))
    made = source(folder)
    assert "pictures of one colour all over, as a single pixel is: 1 (001.png); little can be learned from them" in made.remarks()
    assert len(next(taken(made, 0, 2, 1))) == 2


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(DalleEduError, match="holds no picture with a caption that can be used; expected pictures"):
        source(tmp_path)


def test_what_is_left_out_is_told_of(tmp_path):
    folder = write(tmp_path / "data", ["a", "b", "c"])
    (folder / "001.png").write_bytes(b"")
    assert [line for line in source(folder).remarks() if "left out:" in line] == [
        "good: 2; left out: 1",
        "001.png was left out: it is empty; fetch or save it again",
    ]


def test_shards_of_unequal_length(tmp_path):
    for part, n in enumerate((7, 1, 4)):
        write_shards(tmp_path / str(part), n, seed=part)
        (tmp_path / str(part) / "00000.tar").rename(tmp_path / f"{part}.tar")
    made = CaptionedSource(Shards(tmp_path, 8, keep=PLENTY))
    assert made.size + len(made.items_held_out) == 12
    numbers = [int(made.series(0).items[made.series(0).epochs[k]]) for k in range(made.size)]
    assert sorted(numbers) == made.items


# ---------------------------------------------------------------- what it is recognised by


def test_a_folder_that_changed_has_another_fingerprint(tmp_path):
    folder = write(tmp_path / "data", ["a", "b", "c"])
    first = source(folder).fingerprint
    assert first == source(folder, keep=PLENTY).fingerprint
    assert first.startswith("folder 3 ")
    prints = {first}
    (folder / "001.txt").write_text("other")
    prints.add(source(folder).fingerprint)
    (folder / "001.png").write_bytes(picture(21, 20))
    prints.add(source(folder).fingerprint)
    (folder / "001.png").rename(folder / "001b.png")
    (folder / "001.txt").rename(folder / "001b.txt")
    prints.add(source(folder).fingerprint)
    (folder / "001b.png").unlink()
    prints.add(source(folder).fingerprint)
    assert len(prints) == 5
    assert source(folder).fingerprint == source(shutil.copytree(folder, tmp_path / "copy")).fingerprint


def test_the_digits_name_themselves_in_both_languages():
    dataset = Digits(8, first=30)
    assert dataset.pairs[3].captions == ("the handwritten digit three", "le chiffre trois écrit à la main")
    made = CaptionedSource(dataset)
    assert made.name == "digits"
    assert {"handwritten", "chiffre", "three", "trois"} <= set(made.domain.words)
    image = dataset[3][0]
    assert image.shape == (3, 8, 8)
    assert torch.equal(image[0], image[2])
    assert Digits(64, first=2)[1][0].shape == (3, 64, 64)
