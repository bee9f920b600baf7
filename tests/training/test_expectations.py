"""What a run says along the way: once at a time, beside what our own run had after as many minutes, and in the reader's language."""

import json
from pathlib import Path

import pytest

from dalle_edu.datasets import WorldSource
from dalle_edu.training import expectations
from dalle_edu.training.clock import Clock
from dalle_edu.training.expectations import Expectations, findings
from dalle_edu.training.run import Run
from dalle_edu.world import SHAPES, Catalogue


def clock(update: int, cpu_seconds: float = 0.0) -> Clock:
    return Clock(budget_updates=100, budget_seconds=None, update=update, cpu_seconds=cpu_seconds)


@pytest.fixture
def ours(tmp_path, monkeypatch) -> Path:
    """A log of our own: two exams of the prior, after a minute and after ten."""
    log = tmp_path / "dalle1.log.jsonl"
    entries = [
        {"stage": "codec", "update": 9, "cpu_seconds": 50.0, "skills": {"counting": 0.9}},
        {"stage": "prior", "update": 10, "cpu_seconds": 60.0, "skills": {"counting": 0.25, "position": 0.1}},
        {"stage": "prior", "update": 20, "cpu_seconds": 600.0, "skills": {"counting": 0.75, "position": 0.5}},
    ]
    log.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    monkeypatch.setattr(expectations, "weights_path", lambda name: tmp_path / f"{name}.safetensors")
    return log


def test_marks_stand_beside_those_that_our_own_run_had_after_as_many_minutes(ours):
    told = Expectations(Run("dalle1", "standard", minutes=1.0), WorldSource())
    seen = {"skills": {"counting": 0.5, "position": 0.2}}
    assert told.sentence("prior", clock(10, 30.0), seen) == "prior, 10 %: number 50 %, position 20 %"  # ours had not been examined yet
    later = told.sentence("prior", clock(20, 70.0), seen)
    assert later == "prior, 20 %: number 50 %, position 20 %; after as many minutes of processor our own run had number 25 %, position 10 %"
    assert "number 75 %" in (told.sentence("prior", clock(50, 700.0), seen) or "")


@pytest.mark.parametrize("preset", ["laptop", "gpu"])
def test_only_runs_of_the_same_preset_and_world_compare(ours, preset):
    seen = {"skills": {"counting": 0.5}}
    for told in (
        Expectations(Run("dalle1", preset, minutes=1.0), WorldSource()),
        Expectations(Run("dalle1", "standard", minutes=1.0), WorldSource(Catalogue(SHAPES.shapes[:3], SHAPES.colours, SHAPES.sizes))),
    ):
        assert told.sentence("prior", clock(50, 700.0), seen) == "prior, 50 %: number 50 %"


def test_a_sentence_comes_once_for_each_part_and_none_where_nothing_was_measured(ours):
    told = Expectations(Run("dalle1", minutes=1.0), WorldSource())
    seen = {"held_out_loss": 1.5}
    assert told.sentence("prior", clock(5), seen) is None
    assert told.sentence("prior", clock(30), {}) is None
    assert told.sentence("prior", clock(30), seen) == "prior, 30 %: held-out loss 1.500"
    assert told.sentence("prior", clock(40), seen) is None
    assert told.sentence("codec", clock(40), seen) is not None
    assert told.sentence("prior", clock(100), seen) == "prior, 100 %: held-out loss 1.500"
    assert told.sentence("prior", clock(100), seen) is None


def test_few_codes_are_advised_on_once_and_late(ours):
    told = Expectations(Run("dalle1", minutes=1.0), WorldSource())
    few, many = {"codes_alive": 31.0, "codes": 384.0}, {"codes_alive": 90.0, "codes": 384.0}
    assert told.sentence("codec", clock(20), few) == "codec, 20 %: codes alive 31 of 384"
    assert told.sentence("other", clock(50), many) == "other, 50 %: codes alive 90 of 384"
    assert "Training on your own pictures" in (told.sentence("codec", clock(50), few) or "")
    assert told.sentence("codec", clock(100), few) == "codec, 100 %: codes alive 31 of 384"


def test_what_the_prior_reads_is_said(monkeypatch):
    seen = {"reads_relation": 0.934, "reads_colours": 0.5}
    assert findings(seen) == ["reads the relation 93 %", "reads the colours 50 %"]
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert findings(seen) == ["lit la relation 93 %", "lit les couleurs 50 %"]


def test_a_french_reader_is_told_in_french(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    seen = {"held_out_loss": 1.5, "codes_alive": 3.0, "codes": 8.0}
    assert findings(seen) == ["perte sur les réservées 1,500", "codes vivants 3 sur 8"]
    told = Expectations(Run("dalle1", minutes=1.0), WorldSource())
    assert (told.sentence("codec", clock(20), seen) or "").replace("\xa0", " ").startswith("codec, 20 % : perte sur")
