"""Rules of the house that no linter knows."""

import re
import runpy
import textwrap
from pathlib import Path

from dalle_edu.datasets.world_source import open_world

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


def test_the_object_that_the_guide_adds_is_told_from_all_others(tmp_path, capsys):
    """The example of CONTRIBUTING.md, saved and run as it stands there, and opened as commands open it."""
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "moon.py").write_text(textwrap.dedent(example), encoding="utf-8")
    runpy.run_path(str(tmp_path / "moon.py"), run_name="__main__")
    assert capsys.readouterr().out == "100 of 100 pictures are read without a fault\n"
    assert open_world(f"{tmp_path / 'moon.py'}:MOONS").catalogue.shapes[-1].name == "moon"
    assert capsys.readouterr().out == ""


def test_the_guide_names_only_files_that_there_are():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Rooms and words")[0]
    named = set(re.findall(r"(?:dalle_edu|tests|benchmarks|lessons)/[\w./]+\w", text))
    assert len(named) > 15
    assert not [name for name in named if "NAME" not in name and "NN" not in name and not (ROOT / name).exists()]
