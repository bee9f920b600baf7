"""Experiments, one for each brick: under a minute of training, a figure, and the numbers that were measured.

`python -m dalle_edu.classroom.demo NAME --out FILE.png` runs one of them.
"""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dalle_edu.classroom.figures import number_as_read
from dalle_edu.files import write_aside
from dalle_edu.language import say

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Demo:
    """The result of an experiment: a figure, the numbers measured (CPU seconds among them), and the finding in each language."""

    figure: "Figure"
    numbers: dict[str, float]
    says_en: str
    says_fr: str

    def save(self, path: str | Path) -> None:
        """Write the figure as a PNG of 110 dots per inch. Raises `DalleEduError` where `path` cannot be written."""
        number_as_read(self.figure)
        write_aside(path, lambda file: self.figure.savefig(file, format="png", dpi=110))


def run(name: str, seed: int = 0, **length: int) -> Demo:
    """Run the experiment of a brick; `length`, such as `steps=2`, makes it shorter or longer than it is in the lesson."""
    return importlib.import_module(f"dalle_edu.classroom.demos.{name}").demo(seed, **length)


if __name__ == "__main__":
    name, out = sys.argv[1], sys.argv[3] if len(sys.argv) > 3 else f"{sys.argv[1]}.png"
    shown = run(name)
    shown.save(out)
    print(say(shown.says_en, shown.says_fr), *(f"{key}: {value:.4g}" for key, value in shown.numbers.items()), sep="\n")
