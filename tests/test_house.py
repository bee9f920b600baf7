"""Rules of the house that no linter knows."""

from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_no_file_outgrows_its_idea():
    files = [path for folder in ("dalle_edu", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 200
    assert not [path.name for path in files if len(path.read_text().splitlines()) > 350]
