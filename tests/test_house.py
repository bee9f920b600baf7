"""Rules of the house that no linter knows."""

from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_no_file_outgrows_its_idea():
    files = [path for folder in ("dalle_edu", "tests", "benchmarks", "tools") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 200
    assert not [path.name for path in files if len(path.read_text().splitlines()) > 350]


def test_weights_are_light_and_each_has_its_cards():
    files = sorted((ROOT / "data" / "weights").glob("*.safetensors"))
    sizes = [path.stat().st_size for path in files]
    assert len(files) >= 4
    assert max(sizes) <= 12e6
    assert sum(sizes) <= 48e6
    systems = [path for path in files if path.stem not in ("cyclegan", "vqgan")]  # those are bricks, of which a lesson speaks
    assert all(path.with_suffix(suffix).is_file() for path in systems for suffix in (".md", ".fr.md", ".json", ".log.jsonl"))
