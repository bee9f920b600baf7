"""What is written into the READMEs: the table of every system's marks, that of the lessons, and what follows the repository's address.

`make marks` examines the weights that come with the package, keeps the results in `data/marks.json`, and writes the tables again.
`make lessons` and `make addresses` write again the table of lessons, badges and the line that installs without a clone; where no address
is set, there are no badges and no such line.
"""

import json
from pathlib import Path
from typing import Any

from dalle_edu import address
from dalle_edu.files import write_aside
from dalle_edu.language import typeset
from dalle_edu.scorecard.compare import same_numbers, table

ROOT = Path(__file__).parents[2]
MARKS = ROOT / "data" / "marks.json"
LESSONS = ROOT / "lessons"
READMES = {"en": ROOT / "README.md", "fr": ROOT / "README.fr.md"}
_BADGES = {
    "Colab": "https://colab.research.google.com/assets/colab-badge.svg",
    "Binder": "https://mybinder.org/badge_logo.svg",
}
_OPEN_IN = {"en": "Open in {place}", "fr": "Ouvrir dans {place}"}
_LESSON_HEAD = {"en": "| lesson | notebook | it builds |", "fr": "| leçon | notebook | on y construit |"}
_OPEN = {"en": "open", "fr": "ouvrir"}
_NO_CLONE = {
    "en": "**Without a clone**, the library, its weights and the lessons (`dalle-edu lessons get`):",
    "fr": "**Sans clone**, la bibliothèque, ses poids et les leçons (`dalle-edu lessons get`) :",
}


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


def lessons_table(language: str) -> str:
    """The table of the lessons that have a notebook in `language`, "fr" or "en", as Markdown."""
    lines = [_LESSON_HEAD[language], "|---|---|---|"]
    for lesson in json.loads((LESSONS / "course.json").read_text(encoding="utf-8")):
        for path in LESSONS.glob(f"{language}/{lesson['number']}_*.ipynb"):
            link = f"[{_OPEN[language]}]({path.relative_to(ROOT).as_posix()})"
            lines.append(f"| {lesson['number']} {lesson['title'][language]} | {link} | {lesson['builds'][language]} |")
    text = "\n".join(lines)
    return typeset(text) if language == "fr" else text


def badges(language: str) -> str:
    """The badges that open the course elsewhere, in `language` "fr" or "en"; empty where no address is set."""
    notebook = f"lessons/{language}/start.ipynb"
    leads = {"Colab": address.colab(notebook), "Binder": address.binder(notebook)}
    words = _OPEN_IN[language]
    return " ".join(f"[![{words.format(place=place)}]({_BADGES[place]})]({where})" for place, where in leads.items() if where)


def without_a_clone(language: str) -> str:
    """How to install from the repository without a clone, in `language` "fr" or "en"; empty where no address is set."""
    if not address.REPOSITORY:
        return ""
    text = f'{_NO_CLONE[language]}\n\n```sh\npip install "dalle-edu[course] @ git+{address.REPOSITORY}"\n```'
    return typeset(text) if language == "fr" else text


def with_part(readme: str, name: str, part: str) -> str:
    """The text of a README in which `part` stands between the comments "name" and "end of name". Raises `ValueError` where it has not
    each comment once.
    """
    before, rest = readme.split(f"<!-- {name} -->")
    _, after = rest.split(f"<!-- end of {name} -->")
    between = f"\n\n{part}\n" if part else "\n"
    return f"{before}<!-- {name} -->{between}<!-- end of {name} -->{after}"


def written(readme: str, measured: dict[str, Any], language: str) -> str:
    """The text of a README with all that is written into it. Raises `ValueError` where it lacks a comment that says where."""
    parts = {"badges": badges(language), "without a clone": without_a_clone(language), "lessons": lessons_table(language)}
    for name, part in parts.items():
        readme = with_part(readme, name, part and part + "\n")
    return with_part(readme, "marks", marks_table(measured, language))


if __name__ == "__main__":
    measured = json.loads(MARKS.read_text(encoding="utf-8"))
    for language, path in READMES.items():
        text = written(path.read_text(encoding="utf-8"), measured, language)
        write_aside(path, lambda file, text=text: file.write(text.encode()))  # type: ignore[misc]
