"""The version stands once, in the package; the citation and the newest entry of both changelogs follow it."""

import re
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
    assert built["project"]["dynamic"] == ["version"]
    assert built["tool"]["hatch"]["version"] == {"path": "dalle_edu/__init__.py"}
