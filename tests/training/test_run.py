from dalle_edu.training.clock import Clock


def test_a_stage_is_over_when_its_updates_or_its_seconds_are_spent():
    assert [Clock(8, None, update=update).progress for update in (0, 2, 8)] == [0, 0.25, 1]
    assert [Clock(None, 10.0, seconds=seconds).progress for seconds in (0.0, 2.5, 10.0, 25.0)] == [0, 0.25, 1, 1]


def test_the_log_reads_hundredths_of_a_second():
    assert Clock(8, None, update=3, seconds=1.23456, cpu_seconds=6.54321).reading() == {"update": 3, "seconds": 1.23, "cpu_seconds": 6.54}
