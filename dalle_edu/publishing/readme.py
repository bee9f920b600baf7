"""The table of every system's marks in the READMEs, written from the results of `dalle-edu score all`.

`make marks` examines the weights that come with the package, keeps the results in `data/marks.json`, and writes the tables again.
"""

import json
from pathlib import Path
from typing import Any

from dalle_edu.files import write_aside
from dalle_edu.language import typeset
from dalle_edu.scorecard.compare import same_numbers, table

ROOT = Path(__file__).parents[2]
MARKS = ROOT / "data" / "marks.json"
READMES = {"en": ROOT / "README.md", "fr": ROOT / "README.fr.md"}
BEGIN, END = "<!-- marks -->", "<!-- end of marks -->"


def marks_table(measured: dict[str, Any], language: str) -> str:
    """The table as Markdown, with a column for each system, and the versions of world and exam. `measured` is the content of
    `data/marks.json`, `language` "fr" or "en".
    """
    marks, costs = table(measured["systems"], language)
    names = [f"`{entry['system']}`" for entry in measured["systems"]]
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for line in [*marks, *costs]:
        lines.append("| " + " | ".join(line) + " |")
    numbers = same_numbers(measured["systems"])
    words = {"en": "World {world}, exam {exam}.", "fr": "Monde {world}, examen {exam}."}
    text = "\n".join([*lines, "", words[language].format(**numbers)]) + "\n"
    return typeset(text) if language == "fr" else text


def with_table(readme: str, marks: str) -> str:
    """The text of a README whose table, between its two comments, is replaced by this one. Raises `ValueError` where it has not each
    comment once.
    """
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{marks}\n{END}{after}"


if __name__ == "__main__":
    measured = json.loads(MARKS.read_text(encoding="utf-8"))
    for language, path in READMES.items():
        text = with_table(path.read_text(encoding="utf-8"), marks_table(measured, language))
        write_aside(path, lambda file, text=text: file.write(text.encode()))  # type: ignore[misc]
