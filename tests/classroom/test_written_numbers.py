"""Numbers as people write them, in English and in French, and what is no number."""

import pytest

from dalle_edu.classroom.written_numbers import readings

READ = [
    ("12", {12}),
    ("+12", {12}),
    ("−2", {-2}),
    ("- 2", {-2}),
    ("–0.5", {-0.5}),
    ("= 12", {12}),
    ("≈ 2.3", {2.3}),
    ("≃2,3", {2.3}),
    ("3,610", {3610, 3.61}),
    ("3,61", {3.61}),
    ("0,250", {0.25}),
    ("0.250", {0.25}),
    (".5", {0.5}),
    (",5", {0.5}),
    ("12.", {12}),
    ("3 610", {3610}),
    ("3\u00a0610", {3610}),
    ("3\u202f610", {3610}),
    ("3\u2009610", {3610}),
    ("3'610", {3610}),
    ("3’610", {3610}),
    ("49_280", {49280}),
    ("3,610.5", {3610.5}),
    ("3.610,5", {3610.5}),
    ("3 610,5", {3610.5}),
    ("3 610.5", {3610.5}),
    ("1,234,567", {1234567}),
    ("1.234.567", {1234567}),
    ("1 234 567", {1234567}),
    ("3.61e3", {3610}),
    ("3,61E3", {3610}),
    ("1e3", {1000}),
    ("2e−3", {0.002}),
    ("1/4", {0.25}),
    ("−1/4", {-0.25}),
    ("1 ÷ 4", {0.25}),
    ("2^10", {1024}),
    ("2**10", {1024}),
    ("2¹⁰", {1024}),
    ("10⁻³", {0.001}),
    ("10^(-3)", {0.001}),
    ("-2^2", {-4}),
    ("3.61 × 10^3", {3610}),
    ("3,61·10³", {3610}),
    ("32 x 32", {1024}),
    ("32x32", {1024}),
    ("25 %", {0.25}),
    ("25\u202f%", {0.25}),
    ("25 percent", {0.25}),
    ("2,5 pour cent", {0.025}),
    ("2.3 nats", {2.3}),
    ("3 610 poids et biais", {3610}),
    ("3.61k", {3610}),
    ("2 millions de poids", {2e6}),
    ("12 billion", {12e9}),
]
NOT_READ = [
    "half", "la moitié", "", "-", ".", ",", "e3", "1e", "12 b", "--2", "1+1", "2 or 3", "3 61", "3,6,1", "12,34,567", "05 000", "1,234 567",
    "1.2.3", "1/0", "0/0", "1//2", "2***3", "2^^3", "2^0.5", "0^-1", "inf", "-inf", "nan", "1e999", "10**400", "10^99999", "9" * 10_000,
    "1" * 59 + "e", "2^9999^9999", "__import__('os')", "[1]", "0x10g", "½ of it", "\x00", "💥", "%", "1 % 2", "*", "/2", "2/",
]  # fmt: skip


@pytest.mark.parametrize(("written", "values"), READ)
def test_a_number_is_read_as_people_write_it(written, values):
    assert sorted(reading.value for reading in readings(written)) == pytest.approx(sorted(values))


@pytest.mark.parametrize("written", NOT_READ)
def test_what_is_no_finite_number_has_no_reading(written):
    assert readings(written) == []


def test_a_lone_dot_separates_thousands_for_french_readers_only(monkeypatch):
    assert {reading.value for reading in readings("3.610")} == {3.61}
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert {reading.value for reading in readings("3.610")} == {3.61, 3610}
    assert {reading.value for reading in readings("3,610")} == {3.61, 3610}
    assert {reading.value for reading in readings("0.610")} == {0.61}


def test_percent_may_be_what_is_asked_for():
    assert [reading.value for reading in readings("25 %", percent=True)] == [0.25, 25]
    assert [reading.value for reading in readings("25", percent=True)] == [25]


@pytest.mark.parametrize(
    ("written", "digits"),
    [("0.33", 2), ("0.330", 3), ("3600", 2), ("3.60e3", 3), ("3.6 × 10³", 2), ("1/3", None), ("2^10", None), ("0", 0), ("12.0", 3)],
)
def test_the_digits_that_count(written, digits):
    assert readings(written)[0].digits == digits
