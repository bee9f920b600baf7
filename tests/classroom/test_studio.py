"""The prompt studio, whose sheet of pictures is replaced by a list of its labels."""

import pytest
from tiny_systems import build

from dalle_edu.classroom.widgets import studio


@pytest.fixture
def labels(monkeypatch) -> list[str]:
    found = []
    monkeypatch.setattr(studio, "sheet", lambda images, captions, alt, columns: found.extend(captions) or studio.Picture(b"", alt))
    return found


@pytest.mark.parametrize(
    ("sentence", "verdict", "label"),
    [
        ("5 red circles", "no marks", 'the examiner does not read "5": no marks'),
        ("red circles", "no marks", "the examiner cannot read this sentence: no marks"),
        ("2 red circles", "0 all right", "number"),
    ],
)
def test_the_studio_marks_nothing_where_it_does_not_read_all(labels, sentence, verdict, label):
    drawn = studio.draw_sentence(build("dalle1"), sentence, guidance_scale=1.0, seed=0, shown=2)
    assert drawn.alt.endswith(f": {verdict}.")
    assert len(labels) == 2
    assert all(label in each for each in labels)


def test_the_studio_says_what_it_does_not_read(labels):
    page = studio.Studio(build("dalle1"), ["5 red circles"]).answer("5 red circles", 1.0, 1.0, 0)
    assert "Only the numbers from 1 to 4 are read." in page
    assert "no marks" in page
