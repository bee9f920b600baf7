"""Training on captioned pictures of one's own: what is learned, what bad pictures do, and that nothing is lost."""

import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from picture_book import write_picture_book
from PIL import Image
from test_processes import assert_same, ends, free_port, started
from tiny_systems import TINY, tiny_clip
from tiny_training import RUN, train_share

from dalle_edu import load
from dalle_edu.checkpoints.checkpoint import load_checkpoint
from dalle_edu.datasets import Folder
from dalle_edu.datasets.captioned_source import CaptionedSource
from dalle_edu.errors import DalleEduError
from dalle_edu.loading import of_words
from dalle_edu.systems.interface.registry import model_class
from dalle_edu.training import resume
from dalle_edu.training.loop import train
from dalle_edu.training.run import Run
from dalle_edu.world.domain import OpenDomain

SHORT = replace(RUN, updates=24, batch_size=4, exam=0)


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    write_picture_book(folder, 40)
    return folder


def fill(folder: Path, captions: list[str], side: int = 8) -> Path:
    """Pictures of random colours with these captions."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(7)
    for number, caption in enumerate(captions):
        Image.new("RGB", (side, side), tuple(rng.randrange(256) for _ in range(3))).save(folder / f"{number:03d}.png")
        (folder / f"{number:03d}.txt").write_text(caption, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", sorted(TINY.keys() - {"vqgan_clip"} | {"clip"}))
def test_every_system_learns_a_folder(name, book, tmp_path, monkeypatch):
    for kind, config in ((model_class("clip"), tiny_clip().config), *((model_class(each), TINY[each]().config) for each in TINY)):
        monkeypatch.setitem(kind.presets, "tiny", config)
    foundations = {}
    if model_class(name).foundations:
        train(Run("clip", "tiny", updates=4, batch_size=4, exam=0, data=str(book)), tmp_path / "clip", device="cpu", quiet=True)
        foundations = {"clip": str(tmp_path / "clip" / "clip.safetensors")}
    run = Run(name, "tiny", updates=12, batch_size=4, exam=8, data=str(book), foundations=foundations)
    train(run, tmp_path / name, device="cpu", quiet=True)
    assert '"held_out_loss"' in (tmp_path / name / "log.jsonl").read_text()
    model: Any = (
        load(tmp_path / name / f"{name}.safetensors") if name != "clip" else model_class(name).load(tmp_path / name / "clip.safetensors")
    )
    assert isinstance(model.domain, OpenDomain)
    assert "umbrella" in model.domain.words
    assert "zeppelin" in model.domain.check_prompt("a zeppelin above the clouds")
    if name != "clip":
        assert model.generate(["a zeppelin above the clouds"]).isfinite().all()


def test_a_clip_of_other_words_is_no_foundation(book, tmp_path, monkeypatch):
    clip_file = tmp_path / "clip.safetensors"
    tiny_clip().save(clip_file)
    monkeypatch.setitem(model_class("dalle2").presets, "tiny", TINY["dalle2"]().config)
    run = Run("dalle2", "tiny", updates=12, batch_size=4, exam=0, data=str(book), foundations={"clip": str(clip_file)})
    with pytest.raises(DalleEduError, match="other words"):
        train(run, tmp_path, device="cpu", quiet=True)


def test_weights_of_another_world_keep_what_they_know_of_pictures(book, tmp_path, capsys):
    train(SHORT, tmp_path / "shapes", device="cpu", quiet=True)
    given = tmp_path / "shapes" / "dalle1.safetensors"
    run = replace(SHORT, data=str(book), begin_with=str(given))
    seen: dict[str, torch.Tensor] = {}

    def first(*_: Any, **options: Any) -> Any:
        raise MemoryError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(model_class("dalle1"), "loss", first)
        patched.setattr(resume, "write_aside", lambda *_: None)
        kept: list[Any] = []
        begin = resume.go_on_from
        patched.setattr(resume, "go_on_from", lambda model, *rest: (kept.append(model), begin(model, *rest))[1])
        with pytest.raises(MemoryError):
            train(run, tmp_path / "book", device="cpu", quiet=True)
    assert "knows other words" in capsys.readouterr().err
    seen, (model,) = load_checkpoint(given)[0], kept
    anew = of_words(model)
    assert {"gpt.text_embedding.weight", "gpt.text_head.weight"} <= set(anew)
    for name, value in model.state_dict().items():
        assert (name in anew) != torch.equal(value.cpu(), seen[name].float()) if value.is_floating_point() else True, name


def test_killed_ten_times_it_ends_with_the_same_weights(book, tmp_path, monkeypatch):
    """Eight times in an update, twice in the middle of a write."""
    run = replace(SHORT, data=str(book), updates=60)
    train(run, tmp_path / "whole", device="cpu", quiet=True)
    kind, rng = model_class("dalle1"), random.Random(11)
    moments = ["update"] * 8 + ["write"] * 2
    rng.shuffle(moments)
    for moment in moments:
        calls = iter(range(rng.randrange(2, 7), -1, -1))
        with monkeypatch.context() as patched:
            of = (kind, "loss") if moment == "update" else (resume, "save_checkpoint")
            patched.setattr(*of, _until(getattr(*of), calls))
            with pytest.raises(MemoryError):
                train(run, tmp_path / "broken", device="cpu", quiet=True)
    train(run, tmp_path / "broken", device="cpu", quiet=True)
    assert_same(tmp_path / "whole" / "dalle1.safetensors", tmp_path / "broken" / "dalle1.safetensors")


def _until(function: Any, calls: Any) -> Any:
    def counted(*args: Any, **options: Any) -> Any:
        if next(calls) == 0:
            raise MemoryError
        return function(*args, **options)

    return counted


@pytest.mark.slow
def test_two_processes_learn_what_one_does(book, tmp_path):
    """Each takes half of every batch; the decoder's stage has no random numbers of its own."""
    train(replace(SHORT, data=str(book)), tmp_path / "before", device="cpu", quiet=True)
    begin = str(tmp_path / "before" / "dalle1.safetensors")
    run = replace(SHORT, data=str(book), only="decoder", begin_with=begin, updates=4)
    train(run, tmp_path / "one", device="cpu", quiet=True)
    port = free_port()
    folders = [tmp_path / "two", tmp_path / "other"]
    names = [str(tmp_path / f"{rank}.safetensors") for rank in (0, 1)]
    assert ends(*(started(train_share, rank, port, str(folders[rank]), run, names[rank]) for rank in (0, 1))) == [0, 0]
    one, two = (load_checkpoint(tmp_path / each / "dalle1.safetensors")[0] for each in ("one", "two"))
    before = load_checkpoint(tmp_path / "before" / "dalle1.safetensors")[0]
    moved = [name for name in one if not torch.equal(one[name], before[name])]
    assert moved
    other = train(replace(run, seed=4), tmp_path / "other seed", device="cpu", quiet=True).state_dict()  # other pictures
    apart, by_seed = (torch.stack([(each[name].float() - one[name].float()).norm() for name in moved]).norm() for each in (two, other))
    assert by_seed > 0
    assert apart < 0.25 * by_seed


@pytest.mark.parametrize(
    "captions",
    [
        ["one red dot"],
        ["the same for all"] * 12,
        [("a very long story " * 600)[: 10_000 - i] for i in range(12)],
        ["a cat asleep", "дом у реки", "दो नीले फूल", "🐱 at home"] * 4,
        [f"picture number {i}" for i in range(3)],
    ],
    ids=["one picture", "one caption", "long captions", "three scripts", "fewer than a batch"],
)
def test_odd_folders_can_be_learned(captions, tmp_path):
    folder = fill(tmp_path / "odd", captions)
    train(replace(SHORT, data=str(folder), batch_size=8, exam=4), tmp_path / "run", device="cpu", quiet=True)
    model: Any = load(tmp_path / "run" / "dalle1.safetensors")
    assert model.generate([captions[0][:40]]).shape[0] == 1


def test_pictures_of_one_pixel_can_be_learned_and_are_told(tmp_path):
    folder = fill(tmp_path / "odd", [f"colour {i}" for i in range(12)], side=1)
    train(replace(SHORT, data=str(folder), exam=4), tmp_path / "run", device="cpu", quiet=True)
    assert any("one colour" in remark for remark in CaptionedSource(Folder(folder, 32)).remarks())


@pytest.mark.parametrize(("place", "said"), [("empty", "no picture"), ("nowhere", "no such folder"), ("coco:nowhere", "no such folder")])
def test_places_with_nothing_to_learn_are_refused(place, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DalleEduError, match=said):
        train(replace(SHORT, data=place), tmp_path / "run", device="cpu", quiet=True)
    assert not (tmp_path / "run").exists()


def test_data_and_a_world_are_not_both(tmp_path):
    with pytest.raises(DalleEduError, match="one of them"):
        train(replace(SHORT, data="here", world="moon.py:MOONS"), tmp_path, device="cpu", quiet=True)


@pytest.mark.parametrize("gone", ["a picture", "the folder"])
def test_what_disappears_while_training_ends_the_run_and_loses_nothing(gone, book, tmp_path, monkeypatch):
    """Pictures that memory does not hold are read when they are needed. Put back, the run goes on, to the same weights."""
    folder, aside = Path(shutil.copytree(book, tmp_path / "pictures")), tmp_path / "aside"
    run = replace(SHORT, updates=60)

    def unkept() -> CaptionedSource:
        return CaptionedSource(Folder(folder, 32))

    train(run, tmp_path / "whole", device="cpu", quiet=True, source=unkept())
    kind, calls = model_class("dalle1"), iter(range(1000))
    loss, lost = kind.loss, sorted(folder.glob("*.png"))[:20] if gone == "a picture" else [folder]

    def losing(*args: Any, **options: Any) -> Any:
        if next(calls) == 8:
            aside.mkdir()
            for path in lost:
                path.rename(aside / path.name)
        return loss(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(kind, "loss", losing)
        with pytest.raises(DalleEduError, match="was good when the data set opened"):
            train(replace(run, save_every=1000.0), tmp_path / "broken", device="cpu", quiet=True, source=unkept())
    assert (tmp_path / "broken" / "checkpoint.safetensors").exists()
    for path in lost:
        (aside / path.name).rename(path)
    train(replace(run, save_every=1000.0), tmp_path / "broken", device="cpu", quiet=True, source=unkept())
    assert_same(tmp_path / "whole" / "dalle1.safetensors", tmp_path / "broken" / "dalle1.safetensors")


def test_a_folder_that_changed_is_not_gone_on_with(book, tmp_path, monkeypatch):
    folder = Path(shutil.copytree(book, tmp_path / "pictures"))
    run, kind = replace(SHORT, data=str(folder)), model_class("dalle1")
    with monkeypatch.context() as patched:
        patched.setattr(kind, "loss", _until(kind.loss, iter(range(9, -1, -1))))
        with pytest.raises(MemoryError):
            train(run, tmp_path / "run", device="cpu", quiet=True)
    before = (tmp_path / "run" / "checkpoint.safetensors").read_bytes()
    caption = next(iter(sorted(folder.glob("*.txt"))))
    caption.write_text("something else")
    with pytest.raises(DalleEduError, match="other pictures"):
        train(run, tmp_path / "run", device="cpu", quiet=True)
    assert (tmp_path / "run" / "checkpoint.safetensors").read_bytes() == before
