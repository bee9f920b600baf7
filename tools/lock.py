"""Write uv.lock again, with the versions of constraints.txt: `python -m tools.lock`. It needs uv, and PyPI in reach.

uv is shown the pins once, as constraints of a copy of the project; the lock that comes of them is then read by the project itself, which
keeps its versions. So pip and uv install the same, and the lock also knows what Windows and macOS need besides.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
NEEDED = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "dalle_edu/__init__.py", "dalle_edu/address.py")


def pins(text: str) -> list[str]:
    """The requirements of constraints.txt, one a line."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def constrained(project: str, requirements: Sequence[str]) -> str:
    """A pyproject.toml with these constraints besides."""
    return project + "\n[tool.uv]\nconstraint-dependencies = [" + ", ".join(f'"{each}"' for each in requirements) + "]\n"


def main() -> None:
    """Lock the copy, then the project. Raises `subprocess.CalledProcessError` where uv finds no versions that fit."""
    elsewhere = ("UV_INDEX", "UV_EXTRA_INDEX", "UV_FIND_LINKS")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(elsewhere)}
    lock = [sys.executable, "-m", "uv", "lock", "--no-config", "--default-index", "https://pypi.org/simple"]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in NEEDED:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
        project = copy / "pyproject.toml"
        project.write_text(
            constrained(project.read_text(encoding="utf-8"), pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))), encoding="utf-8"
        )
        subprocess.run(lock, cwd=copy, env=environment, check=True)
        shutil.copy(copy / "uv.lock", ROOT / "uv.lock")
    subprocess.run(lock, cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    main()
