"""One archive that installs the course where there is no network: `make bundle`, or `python -m tools.bundle windows-3.12 linux-3.11`.

Without a name it is for this machine. The wheels are those of `uv.lock`, chosen for each machine by the standard's own rules (PEP 751) and
downloaded by pip with their checksums. On Linux the CPU build of torch takes the place of PyPI's, which brings 2.5 GB of CUDA; pip must be
shown where it is, and `--cuda` takes PyPI's instead.
"""

import argparse
import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.pylock import Package, PackageWheel, Pylock, PylockSelectError
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms

from dalle_edu import __version__
from dalle_edu.cli.app import out
from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, say

ROOT = Path(__file__).parents[1]
FILES = Path(__file__).parent / "offline"
SITE = ROOT / "book" / "site"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
_GLIBC = range(39, 4, -1)  # the minor versions of manylinux, the newest first


@dataclass(frozen=True)
class Machine:
    """A kind of machine to install on: a name such as "windows-3.12", its Python, and what markers and tags call it."""

    name: str
    python: tuple[int, int]
    markers: dict[str, str]
    platforms: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """What the markers of requirements are asked of."""
        version = ".".join(map(str, self.python))
        of_python = {"python_version": version, "python_full_version": f"{version}.0", "implementation_version": f"{version}.0"}
        cpython = {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
        return {**self.markers, **of_python, **cpython, "platform_release": "", "platform_version": ""}

    @property
    def tags(self) -> list[Tag]:
        """The tags of wheels that it can install, the best first."""
        interpreter = f"cp{self.python[0]}{self.python[1]}"
        own = cpython_tags(self.python, platforms=self.platforms)
        return [*own, *compatible_tags(self.python, interpreter, self.platforms)]


def _markers(system: str, name: str, os_name: str, machine: str) -> dict[str, str]:
    return {"sys_platform": system, "platform_system": name, "os_name": os_name, "platform_machine": machine}


def _manylinux(machine: str) -> tuple[str, ...]:
    older = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    named = [name for minor in _GLIBC for name in (f"manylinux_2_{minor}", older.get(minor)) if name]
    return (*(f"{name}_{machine}" for name in named), f"linux_{machine}")


KINDS = {
    "linux": (_markers("linux", "Linux", "posix", "x86_64"), _manylinux("x86_64")),
    "linux-arm": (_markers("linux", "Linux", "posix", "aarch64"), _manylinux("aarch64")),
    "macos": (_markers("darwin", "Darwin", "posix", "arm64"), tuple(mac_platforms((14, 0), "arm64"))),
    "windows": (_markers("win32", "Windows", "nt", "AMD64"), ("win_amd64",)),
}


def machine_named(name: str) -> Machine:
    """The machine of a name such as "windows-3.12". Raises `DalleEduError` where there is none."""
    kind, _, version = name.rpartition("-")
    major, _, minor = version.partition(".")
    if kind not in KINDS or major != "3" or not minor.isdecimal() or int(minor) < 11:
        raise DalleEduError(
            f"there is no machine {name}; write {', '.join(KINDS)}, a hyphen and a version of Python from 3.11, as in windows-3.12",
            f"il n'y a pas de machine {name} ; écrivez {', '.join(KINDS)}, un trait d'union et une version de Python à partir de 3.11, "
            "comme windows-3.12",
        )
    return Machine(name, (3, int(minor)), *KINDS[kind])


def this_machine() -> Machine:
    """The machine that this runs on. Raises `DalleEduError` where bundles know none of its kind."""
    here = (platform.system(), platform.machine())
    kind = next((kind for kind, (said, _) in KINDS.items() if (said["platform_system"], said["platform_machine"]) == here), "-".join(here))
    return machine_named(f"{kind}-{sys.version_info[0]}.{sys.version_info[1]}")


def locked() -> Pylock:
    """What `uv.lock` has for the course, as the standard writes it. Raises `DalleEduError` where uv cannot say it."""
    command = [sys.executable, "-m", "uv", "export", "--quiet", "--frozen", "--offline", "--no-config", "--extra", "course"]
    done = subprocess.run([*command, "--no-emit-project", "--format", "pylock.toml"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise DalleEduError(f"uv cannot read uv.lock: {done.stderr.strip()}", f"uv ne peut lire uv.lock : {done.stderr.strip()}")
    return Pylock.from_dict(tomllib.loads(done.stdout))


def wheels_for(machine: Machine, lock: Pylock, cuda: bool = False) -> Iterator[tuple[Package, PackageWheel]]:
    """The wheels that a machine needs of a lock; without `cuda` not those of CUDA, nor torch where its wheel is a build for CUDA.

    Raises `DalleEduError` where a package has no wheel for it.
    """
    try:
        chosen = list(lock.select(environment=machine.environment, tags=machine.tags))  # type: ignore[arg-type]
    except PylockSelectError as error:
        raise DalleEduError(f"{machine.name}: {error}", f"{machine.name} : {error}") from error
    for package, file in chosen:
        if not isinstance(file, PackageWheel):
            raise DalleEduError(f"{package.name} has no wheel for {machine.name}", f"{package.name} n'a pas de paquet pour {machine.name}")
        if cuda or not (_of_cuda(package.name) or (package.name == "torch" and takes_cpu_build(machine))):
            yield package, file


def _of_cuda(name: str) -> bool:
    return name.startswith(("nvidia-", "cuda-")) or name == "triton"


def takes_cpu_build(machine: Machine) -> bool:
    """Whether PyPI's torch for a machine is a build for CUDA, so that another is wanted."""
    return machine.markers["sys_platform"] == "linux"


def download(machine: Machine, lock: Pylock, folder: Path, cuda: bool) -> None:
    """Bring the wheels of a machine into a folder, each with the checksum of the lock; a list of them is written beside the folder around.

    Raises `DalleEduError` where one does not come.
    """
    chosen = list(wheels_for(machine, lock, cuda))
    total = sum(wheel.size or 0 for _, wheel in chosen) / 1e6
    size = decimal(total, 0)
    out.print(
        say(f"{machine.name}: {len(chosen)} wheels, {size} MB", f"{machine.name} : {len(chosen)} paquets, {size} Mo"), highlight=False
    )
    requirements = folder.parents[1] / f"{machine.name}.txt"
    lines = [f"{package.name}=={package.version} --hash=sha256:{wheel.hashes['sha256']}" for package, wheel in chosen]
    requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
    platforms = sorted({tag.platform for _, wheel in chosen for tag in _tags(wheel)} - {"any"})
    _pip(machine, folder, platforms, ["--require-hashes", "-r", str(requirements)])
    if takes_cpu_build(machine) and not cuda:
        torch = next(str(package.version) for package in lock.packages if package.name == "torch")
        try:
            _pip(machine, folder, list(machine.platforms), [f"torch=={torch}+cpu"])
        except DalleEduError as error:
            raise DalleEduError(
                f"pip finds no CPU build of torch {torch} for {machine.name}; show it PyTorch's index (PIP_EXTRA_INDEX_URL={CPU_INDEX}), "
                "or take PyPI's build for CUDA with --cuda",
                f"pip ne trouve pas de version de torch {torch} pour processeur et {machine.name} ; montrez-lui le dépôt de PyTorch "
                f"(PIP_EXTRA_INDEX_URL={CPU_INDEX}), ou prenez celle de PyPI, pour CUDA, par --cuda",
            ) from error


def _tags(wheel: PackageWheel) -> Iterator[Tag]:
    from packaging.utils import parse_wheel_filename

    yield from parse_wheel_filename(wheel.filename)[3]


def _pip(machine: Machine, folder: Path, platforms: Sequence[str], what: Sequence[str]) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    of_machine = ["--implementation", "cp", "--python-version", ".".join(map(str, machine.python))]
    for name in platforms:
        of_machine += ["--platform", name]
    done = subprocess.run([*command, *of_machine, "--dest", str(folder), *what], capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise DalleEduError(f"pip could not download: {' '.join(last)}", f"pip n'a pas pu télécharger : {' '.join(last)}")


def own_wheels(folder: Path) -> None:
    """The wheel of the project, built here, and pip's, which installs the others. Raises `subprocess.CalledProcessError`."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps", "--dest", str(folder), "pip"]
    subprocess.run(pip, check=True, capture_output=True)


def facts(machines: Sequence[Machine], folder: Path) -> dict[str, Any]:
    """What the installer reads: the machines, the sizes, and the checksum of each wheel."""
    wheels = sorted((folder / "wheels").glob("*.whl"))
    unpacked = sum(sum(entry.file_size for entry in zipfile.ZipFile(wheel).infolist()) for wheel in wheels) // max(len(machines), 1)
    return {
        "version": __version__,
        "machines": [
            {
                "name": machine.name,
                "python": list(machine.python),
                "system": machine.markers["platform_system"],
                "machine": machine.markers["platform_machine"],
            }
            for machine in machines
        ],
        "bytes_on_disk": unpacked,
        "wheels": {wheel.name: hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels},
    }


def lay_out(machines: Sequence[Machine], folder: Path, site: Path = SITE) -> None:
    """Put beside the wheels what installs them and says how, the notebooks, and the site where it has been built."""
    for file in FILES.iterdir():
        if file.is_file():
            shutil.copy(file, folder / file.name)
    for language in ("fr", "en"):
        shutil.copytree(ROOT / "lessons" / language, folder / "lessons" / language, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    if site.is_dir():
        shutil.copytree(site, folder / "site")
    text = json.dumps(facts(machines, folder), indent=1)
    (folder / "bundle.json").write_text(text + "\n", encoding="utf-8")


def archive(folder: Path, target: Path) -> None:
    """Write a zip of a folder, whole or not at all; wheels, which are compressed, are stored as they are."""
    beside = target.with_suffix(".part")
    with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            how = zipfile.ZIP_STORED if path.suffix in (".whl", ".png", ".webp", ".woff2") else zipfile.ZIP_DEFLATED
            file.write(path, f"{folder.name}/{path.relative_to(folder).as_posix()}", compress_type=how)
    beside.replace(target)


def bundle(names: Sequence[str], into: Path, cuda: bool = False) -> Path:
    """Make the archive for these machines, or for this one; returns its path. Raises `DalleEduError` for an unknown machine, and where a
    wheel does not come.
    """
    machines = [machine_named(name) for name in dict.fromkeys(names)] or [this_machine()]
    into.mkdir(parents=True, exist_ok=True)
    lock = locked()
    with tempfile.TemporaryDirectory(dir=into) as work:
        folder = Path(work) / f"dalle-edu-{__version__}-{'-'.join(machine.name for machine in machines)}"
        (folder / "wheels").mkdir(parents=True)
        for machine in machines:
            for _ in wheels_for(machine, lock, cuda):
                pass  # all are there before the first is downloaded
        for machine in machines:
            download(machine, lock, folder / "wheels", cuda)
        own_wheels(folder / "wheels")
        lay_out(machines, folder)
        target = into / f"{folder.name}.zip"
        archive(folder, target)
    return target


def main() -> None:
    """Read the command line, make the archive and say where it is. Raises `SystemExit` with a sentence."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.bundle", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("machines", nargs="*", help=f"{', '.join(KINDS)}, a hyphen and a version of Python: windows-3.12")
    parser.add_argument("--into", type=Path, default=ROOT / "dist", help="the folder of the archive")
    parser.add_argument("--cuda", action="store_true", help="PyPI's build of torch for Linux, with 2.5 GB of CUDA")
    given = parser.parse_args()
    try:
        made = bundle(given.machines, given.into, given.cuda)
    except DalleEduError as error:
        sys.exit(str(error))
    megabytes = decimal(made.stat().st_size / 1e6, 0)
    out.print(f"→ {made} ({megabytes} {say('MB', 'Mo')})", highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
