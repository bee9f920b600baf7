"""The archive for machines without a network: the wheels that each machine needs, and an installer that refuses before it writes."""

import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from packaging.utils import parse_wheel_filename

from dalle_edu import __version__
from dalle_edu.errors import DalleEduError
from tools import bundle

PYTHONS = ("3.11", "3.12", "3.13", "3.14")


@pytest.fixture(scope="module")
def lock():
    return bundle.locked()


# ---------------------------------------------------------------- wheels


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("kind", bundle.KINDS)
def test_every_machine_and_every_python_has_a_wheel_of_everything(kind, python, lock):
    """Nothing is compiled, on Python 3.14 either."""
    machine = bundle.machine_named(f"{kind}-{python}")
    names = {package.name: wheel for package, wheel in bundle.wheels_for(machine, lock, cuda=True)}
    assert {"numpy", "torchvision", "jupyterlab", "tokenizers", "scikit-learn", "torch"} <= set(names)
    assert ("gensim" in names) == (python != "3.14")
    assert ("pywinpty" in names) == (kind == "windows")
    assert ("appnope" in names) == (kind == "macos")
    assert any(name.startswith("nvidia-") for name in names) == kind.startswith("linux")
    assert all(set(parse_wheel_filename(wheel.filename)[3]) & set(machine.tags) for wheel in names.values())


@pytest.mark.parametrize("python", PYTHONS)
def test_without_cuda_a_bundle_is_small(python, lock):
    for kind in bundle.KINDS:
        machine = bundle.machine_named(f"{kind}-{python}")
        chosen = list(bundle.wheels_for(machine, lock))
        assert sum(wheel.size for _, wheel in chosen) < 0.35e9
        assert not [package.name for package, _ in chosen if package.name.startswith("nvidia-")]
        assert any(package.name == "torch" for package, _ in chosen) != bundle.takes_cpu_build(machine)


@pytest.mark.parametrize("name", ["", "windows", "windows-3.10", "windows-2.7", "plan9-3.12", "linux-3.x", "windows-3.12.1"])
def test_a_machine_that_there_is_not_is_refused_in_a_sentence(name):
    with pytest.raises(DalleEduError, match="there is no machine .*; write linux, linux-arm, macos, windows, a hyphen"):
        bundle.machine_named(name)


def test_a_package_without_a_wheel_is_named(lock):
    old = bundle.machine_named("windows-3.12")
    none = bundle.Machine("nowhere-3.12", old.python, old.markers, ("plan9_x86",))
    with pytest.raises(DalleEduError, match="nowhere-3.12"):
        list(bundle.wheels_for(none, lock))


# ---------------------------------------------------------------- the installer

COMMAND = """
import sys
from pathlib import Path


def main():
    if sys.argv[1:2] == ["generate"]:
        Path(sys.argv[sys.argv.index("--out") + 1]).write_text("a picture of " + sys.argv[2])


if __name__ == "__main__":
    main()
"""


def wheel(folder: Path, name: str, version: str, files: dict[str, str], more: str = "") -> None:
    """A wheel of Python files alone, as small as can be."""
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            file.writestr(path, text)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """A bundle with a small package in place of the course, one that it needs, and a pip."""
    folder = tmp_path_factory.mktemp("bundle") / "dalle-edu"
    (folder / "wheels").mkdir(parents=True)
    wheel(
        folder / "wheels",
        "dalle_edu",
        __version__,
        {"dalle_edu/__init__.py": "", "dalle_edu/__main__.py": COMMAND},
        "Requires-Dist: needed\n",
    )
    wheel(folder / "wheels", "needed", "1.0", {"needed.py": "here = True"})
    # not imported: setuptools gives up its own distutils, which nbgrader needs, in a process that imports pip
    installed = Path(sysconfig.get_path("purelib")) / "pip"
    with zipfile.ZipFile(folder / "wheels" / "pip-1.0-py3-none-any.whl", "w") as file:
        for path in installed.rglob("*"):
            if path.suffix in (".py", ".txt", ".pem", ".json") and path.is_file():
                file.write(path, f"pip/{path.relative_to(installed).as_posix()}")
    bundle.lay_out([bundle.this_machine()], folder, folder / "no site")
    return folder


def install(folder: Path, *words: object, language: str = "en") -> subprocess.CompletedProcess:
    """Run the installer, with every way to a network closed."""
    closed = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    given = {
        **os.environ,
        **closed,
        "DALLE_EDU_LANGUAGE": language,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PYTHONPATH": str(bundle.ROOT),
    }
    return subprocess.run([sys.executable, str(folder / "install.py"), *map(str, words)], capture_output=True, text=True, env=given)


@pytest.fixture
def copy(small, tmp_path) -> Path:
    return shutil.copytree(small, tmp_path / "copy é")


def test_it_installs_with_no_network_and_draws(small, tmp_path):
    done = install(small, "--to", tmp_path / "là", "--without-jupyterlab", language="fr")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "là" / "first.png").read_text() == "a picture of un grand cercle rouge à gauche d'un petit carré bleu"
    assert "lessons get --language fr" in done.stdout
    assert (small / "lessons" / "fr" / "start.ipynb").is_file()
    again = install(small, "--to", tmp_path / "là", "--without-jupyterlab")  # as when a newer archive comes
    assert again.returncode == 0, again.stderr


def facts(folder: Path, **changed: object) -> None:
    path = folder / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def test_it_refuses_before_it_writes(copy, tmp_path):
    target = tmp_path / "target"
    machine = json.loads((copy / "bundle.json").read_text())["machines"][0]
    assert (machine["python"], machine["system"], machine["machine"]) == (
        list(sys.version_info[:2]), platform.system(), platform.machine()
    )  # fmt: skip
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "homework.txt").write_text("mine")
    cases = {"holds something else": ("--to", taken), "holds something else: name": ("--to", taken / "homework.txt")}
    for words, arguments in cases.items():
        done = install(copy, *arguments)
        assert (done.returncode, done.stdout, words in done.stderr) == (1, "", True)
    assert [path.name for path in taken.iterdir()] == ["homework.txt"]
    facts(copy, bytes_on_disk=10**15)
    assert "make room" in install(copy, "--to", target).stderr
    assert "libérez-en" in install(copy, "--to", target, language="fr").stderr
    facts(copy, bytes_on_disk=1, machines=[{**machine, "name": "windows-3.99", "python": [3, 99]}])
    assert "This archive is for windows-3.99, and this is" in install(copy, "--to", target).stderr
    facts(copy, machines=[machine])
    damaged = copy / "wheels" / "needed-1.0-py3-none-any.whl"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    assert "damaged: needed-1.0-py3-none-any.whl. Copy" in install(copy, "--to", target).stderr
    damaged.unlink()
    assert "abîmée : needed-1.0-py3-none-any.whl. Recopiez" in install(copy, "--to", target, language="fr").stderr
    assert not target.exists()


def test_the_archive_is_a_zip_whose_wheels_are_stored_as_they_are(small, tmp_path):
    bundle.archive(small, tmp_path / "made.zip")
    with zipfile.ZipFile(tmp_path / "made.zip") as file:
        names = {entry.filename: entry for entry in file.infolist()}
    assert f"{small.name}/install.py" in names
    assert names[f"{small.name}/wheels/needed-1.0-py3-none-any.whl"].compress_type == zipfile.ZIP_STORED
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made.zip"]
