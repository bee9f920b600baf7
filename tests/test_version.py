"""The version stands once, in the package; the citation and the newest entry of both changelogs follow it."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

import dalle_edu

ROOT = Path(__file__).parent.parent
CHANGELOGS = ("CHANGELOG.md", "CHANGELOG.fr.md")


def entries(changelog: str) -> list[str]:
    return re.findall(r"^## (\S+)$", (ROOT / changelog).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("changelog", CHANGELOGS)
def test_the_newest_entry_is_of_this_version(changelog):
    assert entries(changelog)[0] == dalle_edu.__version__


def test_both_changelogs_have_the_same_entries():
    english, french = map(entries, CHANGELOGS)
    assert english == french
    assert len(english) >= 2
    texts = [(ROOT / changelog).read_text(encoding="utf-8") for changelog in CHANGELOGS]
    assert [text.count("\n- ") for text in texts] == [texts[0].count("\n- ")] * 2


def test_the_citation_is_of_this_version():
    assert f"\nversion: {dalle_edu.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_the_package_is_built_with_the_version_of_its_code():
    built = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in built["project"]
    assert "version" in built["project"]["dynamic"]
    assert built["tool"]["hatch"]["version"] == {"path": "dalle_edu/__init__.py"}


def test_the_command_says_its_version(run):
    assert run("--version") == (0, f"dalle-edu {dalle_edu.__version__}\n", "")


def test_the_package_is_the_command(monkeypatch, capsys):
    """`python -m dalle_edu`, where no script is on the path."""
    monkeypatch.setattr("sys.argv", ["dalle_edu", "--version"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("dalle_edu", run_name="__main__")
    assert not stop.value.code
    assert capsys.readouterr().out == f"dalle-edu {dalle_edu.__version__}\n"
