"""Time is told in units of a known piece of work, and the time of the continuous integration is a sum that can be checked."""

import pytest
import torch

from benchmarks import calibrate, ci


def test_the_known_work_is_the_same_each_time_and_leaves_the_threads_alone(monkeypatch):
    threads = torch.get_num_threads()
    assert calibrate.work() == calibrate.work()
    torch.set_num_threads(2)
    try:
        seen = []
        monkeypatch.setattr(calibrate, "work", lambda: seen.append(torch.get_num_threads()))
        assert calibrate.measure() >= 0
        assert (seen, torch.get_num_threads()) == ([1, 1, 1], 2)
    finally:
        torch.set_num_threads(threads)


def test_a_machine_that_is_twice_as_slow_gives_the_same_calibrated_seconds(monkeypatch):
    monkeypatch.setattr(calibrate, "REFERENCE", 1.5)
    assert calibrate.calibrated(10.0, 1.5, 1.5) == 10.0
    assert calibrate.calibrated(20.0, 2.5, 3.5) == 10.0


def test_a_task_is_timed_between_two_calibrations(monkeypatch):
    spent = iter((3.0, 1.0))
    monkeypatch.setattr(calibrate, "REFERENCE", 1.0)
    monkeypatch.setattr(calibrate, "measure", lambda: next(spent))
    clock = iter((100.0, 104.0))
    monkeypatch.setattr(calibrate.time, "process_time", lambda: next(clock))
    assert calibrate.timed(lambda: "done") == ("done", 2.0)


def test_the_time_of_the_continuous_integration_is_the_sum_of_its_parts(tmp_path, monkeypatch, capsys):
    report = tmp_path / "tests.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="tests.world.test_scenes" time="1200"/>'
        '<testcase classname="tests.classroom.test_slides" name="test_deck[fr-01_perceptron]" time="12"/>'
        '<testcase classname="tests.classroom.test_lessons" name="test_runs[01_perceptron-fr]" time="9999"/></testsuite></testsuites>'
    )
    costs = {"01": {"three_runs": 100.0}, "02": {"three_runs": 120.0}}
    monkeypatch.setattr(ci, "SITE", 30.0)
    found = ci.parts(*ci.seconds_of_tests(report), costs, rest=8.0, pace=0.5)
    assert list(found.values()) == pytest.approx([10.0, 9 * 12 / 120, 0.5 * (90 + 17 * 110) / 120, 8 + 16 * 30 / 60])

    monkeypatch.setattr(ci.build, "measured", lambda: costs)
    monkeypatch.setattr(calibrate, "measure", lambda: calibrate.REFERENCE)
    monkeypatch.setattr("sys.argv", ["ci", "--report", str(report), "--rest", "8"])
    ci.main()
    assert "43.2 min  in all;" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["ci", "--report", str(report), "--rest", "30"])
    with pytest.raises(SystemExit, match="too long"):
        ci.main()
