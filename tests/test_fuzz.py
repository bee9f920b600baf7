"""A tenth of `make fuzz`: a hundred bad inputs of every kind end in one sentence and leave no file; and the harness sees faults."""

import time

import pytest

from dalle_edu.errors import DalleEduError
from tools.fuzz import KINDS, pool
from tools.fuzz.trial import Trial, Verdict, attempt, make

EACH = 4


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_bad_inputs_end_in_one_sentence(kind, no_shape_checking):
    for number in range(EACH):
        trial = make(KINDS[kind], kind, 0, number)
        began = time.process_time()
        verdict = attempt(trial)
        assert verdict.fault is None, f"{kind}/{number}: {trial.says}: {verdict}"
        assert time.process_time() - began < 20


def raises(error: BaseException):
    def call(folder):
        raise error

    return call


@pytest.mark.parametrize(
    ("trial", "fault"),
    [
        (Trial("", call=raises(DalleEduError("no", "non"))), None),
        (Trial("", call=raises(DalleEduError("no", "non")), refused=None), None),
        (Trial("", call=raises(DalleEduError("no", "non")), refused=False), "exit"),
        (Trial("", call=raises(DalleEduError("", ""))), "sentence"),
        (Trial("", call=raises(KeyError("x"))), "traceback"),
        (Trial("", call=raises(RecursionError())), "traceback"),
        (Trial("", call=lambda folder: None), "exit"),
        (Trial("", call=lambda folder: (folder / "left").touch(), refused=None), "leftover"),
        (Trial("", call=lambda folder: (folder / "left").touch(), refused=None, outputs=("left",)), None),
        (Trial("", words=("nothing",)), None),
        (Trial("", words=("systems", "dalle1"), refused=False), None),
        (Trial("", words=("systems", "dalle1")), "exit"),
    ],
)
def test_the_harness_sees_each_fault(trial, fault):
    assert attempt(trial).fault == fault


def test_an_input_is_the_same_each_time():
    for kind, maker in KINDS.items():
        assert make(maker, kind, 3, 1).says == make(maker, kind, 3, 1).says, kind


def test_a_process_that_hangs_or_fills_the_memory_is_beyond(monkeypatch):
    class Process:
        pid = 1

    worker = pool._Worker(Process(), None, ("kind", 0), time.monotonic() - 21)
    assert pool._beyond(worker) == "hang"
    worker.began = time.monotonic()
    assert pool._beyond(worker) is None
    monkeypatch.setattr(pool, "BYTES", 0)
    assert pool._beyond(worker) == "memory"
    assert Verdict(None, "").fault is None
