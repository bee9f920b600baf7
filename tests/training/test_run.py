"""The settings of a run, each of its kind and in range, and the clock of a stage."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from dalle_edu.errors import DalleEduError
from dalle_edu.training.clock import Clock
from dalle_edu.training.run import Run

NAN, INFINITY = float("nan"), float("inf")
WRONG: dict[str, list[Any]] = {
    "system": [3, None, "", ["dalle1"]],
    "preset": [None, 1, "", ["laptop"]],
    "seed": [-1, 1.5, NAN, "0", None, True, 2**63, [1]],
    "updates": [2.5, 1, 0, -3, 10**8 + 1, "20", True, NAN, [20], 20.0],
    "minutes": [0, -1.0, NAN, INFINITY, "12", True, 43201, [1]],
    "batch_size": [0, 2.5, 65537, "4", NAN, True],
    "exam": [-1, 2.5, 4097, "8", None, NAN, True],
    "save_every": [-1, NAN, INFINITY, "60", None, True],
    "clip": [-1, 0, NAN, INFINITY, "1", None, True],
    "only": ["", 3, ["prior"]],
    "begin_with": ["", 3, Path("a.safetensors")],
    "rate": [0, -0.5, NAN, INFINITY, 11, "1", None, True],
    "foundations": [None, ["clip"], {"clip": Path("a")}, {"clip": ""}, {3: "a"}],
    "data": ["", 3, Path("pictures"), True],
    "world": ["", 3, Path("moon.py"), True],
    "accumulate": [0, 1.5, -2, "2", None, True, 65537],
}


@pytest.mark.parametrize("name", [field.name for field in fields(Run)])
def test_a_setting_of_another_kind_or_out_of_range_is_refused_in_a_sentence(name, no_shape_checking):
    for value in WRONG[name]:
        given: dict[str, Any] = {"system": "dalle1"} | ({"updates": 20} if name not in ("updates", "minutes") else {}) | {name: value}
        with pytest.raises(DalleEduError, match=f"^(the )?{name} is .*; (it is|give) ") as caught:
            Run(**given).check()
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "given",
    [
        *({"updates": 2}, {"updates": 10**8}, {"minutes": 1}, {"minutes": 0.01}, {"save_every": 0}, {"save_every": 1e9}, {"clip": 5}),
        *({"rate": 10}, {"seed": 2**31}, {"exam": 0}, {"accumulate": 4}, {"batch_size": 1}, {"foundations": {"clip": "a"}}),
    ],
)
def test_settings_at_the_edge_are_taken(given, no_shape_checking):
    Run(**({"system": "dalle1"} | ({} if "minutes" in given else {"updates": 20}) | given)).check()


def test_a_long_value_is_not_repeated_whole(no_shape_checking):
    with pytest.raises(DalleEduError) as caught:
        Run("dalle1", updates=20, seed=list(range(10**6))).check()  # type: ignore[arg-type]
    assert len(str(caught.value)) < 200


def test_a_stage_is_over_when_its_updates_or_its_seconds_are_spent():
    assert [Clock(8, None, update=update).progress for update in (0, 2, 8)] == [0, 0.25, 1]
    assert [Clock(None, 10.0, seconds=seconds).progress for seconds in (0.0, 2.5, 10.0, 25.0)] == [0, 0.25, 1, 1]


def test_the_log_reads_hundredths_of_a_second():
    assert Clock(8, None, update=3, seconds=1.23456, cpu_seconds=6.54321).reading() == {"update": 3, "seconds": 1.23, "cpu_seconds": 6.54}
