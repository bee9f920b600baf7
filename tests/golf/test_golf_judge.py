"""The judge at work: an honest record goes from play to check and again, and cheats that only running shows are refused."""

import json

import pytest
import torch
from forger import forged
from test_golf_records import HONEST

from benchmarks.golf import exam, judge, rules
from benchmarks.golf.__main__ import main
from benchmarks.golf.source_check import check_source
from dalle_edu.errors import DalleEduError
from dalle_edu.scorecard.exam import questions


@pytest.fixture
def forger(tmp_path):
    path = tmp_path / "forger.py"
    path.write_text(forged(), encoding="utf-8")
    return check_source(path)  # the rules of the source find nothing


def test_a_record_that_parses_and_renders_by_itself_is_found_by_the_probes(forger, monkeypatch):
    def drawn(source, tokens, weights, build_seed, draw_seed, most):
        names: dict = {}
        exec(source, names)
        return names["draw"](None, tokens, draw_seed), 1.0

    monkeypatch.setattr(judge, "drawn", drawn)
    track = rules.TRACKS["dalle1"].shortened(None, 64)
    with pytest.raises(
        DalleEduError, match=r"with untrained weights the record's mark is \d\d%, and guessing gets [678]%: it draws without"
    ):
        judge.probe(forger, track, {}, 1, 5, 60.0)


def test_a_record_that_draws_only_from_weights_in_disorder_is_found_too(monkeypatch):
    """One that looks whether weights were trained, and renders by itself where they were."""
    asked = questions(64, 6)

    def drawn(source, tokens, weights, build_seed, draw_seed, most):
        pictures = exam.true_pictures(asked)
        return (pictures if weights else pictures * 0), 1.0

    monkeypatch.setattr(judge, "drawn", drawn)
    with pytest.raises(DalleEduError, match="with its weights in disorder the record's mark is 100%"):
        judge.probe(b"", rules.TRACKS["dalle1"].shortened(None, 64), {"scale": torch.ones(1)}, 1, 5, 60.0)


def test_drawing_that_takes_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(judge, "run", lambda *given, **limits: judge.Outcome(None, b"", "", 9.0, 12.0))
    with pytest.raises(DalleEduError, match="drawing 4 pictures took 12 s of CPU, and may take 11 s"):
        judge.drawn(HONEST.read_bytes(), judge.tokens_of(["a red star"] * 4), {}, 0, 0, 11.0)


@pytest.mark.slow
def test_an_honest_record_goes_from_play_to_check_and_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(judge.calibrate, "measure", lambda: 1.0)
    out = tmp_path / "01-blur"
    given = ["play", str(HONEST), "--track", "dalle1", "--seeds", "1", "--by", "cpu", "--seconds", "4", "--prompts", "16"]
    assert main([*given, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "| 01-blur |" in said
    assert "a try, and no record" in said
    assert main(["check", str(out), "--toy"]) == 0
    assert main(["again", str(out)]) == 0
    assert "the record stands" in capsys.readouterr().out


@pytest.mark.slow
def test_batches_may_be_made_ahead_in_another_process_whose_time_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(judge.calibrate, "measure", lambda: 1.0)
    source = (
        HONEST.read_text().replace("    while game", "    ahead = game.ahead(64)\n    while game").replace("game.batch(8)", "next(ahead)")
    )
    (tmp_path / "record.py").write_text(source)
    kept = judge.trained(tmp_path, rules.Track("toy", 5), 1, "cpu", print)
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert kept["samples"] == log[-1]["samples"] == 64 * len(log)
    assert log[-1]["cpu_seconds"] <= kept["cpu_seconds"] <= 15.2


@pytest.mark.slow
def test_training_past_its_time_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(judge.calibrate, "measure", lambda: 1.0)
    source = HONEST.read_text().replace("while game.progress() < 1 or update < 12", "while True")
    (tmp_path / "record.py").write_text(source)
    with pytest.raises(DalleEduError, match="it was stopped and does not count"):
        judge.trained(tmp_path, rules.Track("toy", 1), 1, "cpu", print)


@pytest.mark.slow
def test_a_record_that_imports_the_renderer_when_it_draws_is_refused():
    source = HONEST.read_text().replace("    return model(tokens)\n", "    import dalle_edu.world.renderer\n\n    return model(tokens)\n")
    with pytest.raises(DalleEduError, match=r"a record may not import dalle_edu\.world"):
        judge.drawn(source.encode(), judge.tokens_of(["a red star"]), {}, 0, 0, 60.0)


@pytest.mark.slow
def test_records_may_use_every_brick_when_they_draw():
    """Torch loads much only when it is asked, and the guard must let it."""
    record = judge.ROOT / "benchmarks" / "golf" / "records" / "dalle1" / "01-first" / "record.py"
    source = record.read_bytes() + b"\nfrom dalle_edu.bricks import bart, contrastive, flow, unet, vqgan, word2vec  # noqa\n"
    pictures, seconds = judge.drawn(source, judge.tokens_of(["a red star"] * 3), {}, 0, 0, 60.0)
    assert pictures.shape == (3, 3, 32, 32)
    assert 0 < seconds < 60
