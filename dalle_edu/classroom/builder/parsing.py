"""The percent format of a lesson's source: a header in YAML, then cells, each behind a line `# %%` that may state metadata as `key=value`.

Nothing here knows what a lesson is. Whatever cannot be read is a `Complaint` with its line, and the rest of the file is read on.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder.complaints import Complaint

FENCE = "# ---"  # before and after the header
_MARK = re.compile(r"# %%(?P<markdown> \[markdown\])?(?P<facts>(?: .*)?)$")
_KEY = re.compile(r"\s*([A-Za-z_]\w*)=")


@dataclass(frozen=True)
class Block:
    """A cell as it is written: "markdown" or "code", its text, metadata, the line of its marker, and that at which its text begins."""

    kind: str
    text: str
    metadata: dict[str, Any]
    line: int
    first: int


@dataclass
class Parsed:
    """A file as it is written: the metadata of its header, the line of each, its cells, and what could not be read."""

    header: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    faults: list[Complaint] = field(default_factory=list)


def parse(path: Path) -> Parsed:
    """The header and the cells of a file. Faults are in the result: nothing is raised for what an author wrote."""
    found = Parsed()
    data = path.read_bytes()
    if not data.strip():
        found.faults.append(
            Complaint(
                path, 1, "the file is empty; it begins with a header, # ---", "le fichier est vide ; il commence par un en-tête, # ---"
            )
        )
        return found
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found.faults.append(
            Complaint(
                path, line, "a character is not UTF-8; save the file as UTF-8", "un caractère n'est pas de l'UTF-8 ; enregistrez en UTF-8"
            )
        )
        text = data.decode("utf-8", errors="replace")
    found.faults += _characters(path, text)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    body = _read_header(path, lines, found)
    _read_cells(path, lines, body, found)
    return found


def _characters(path: Path, text: str) -> Iterator[Complaint]:
    if text.startswith("\ufeff"):
        yield Complaint(
            path,
            1,
            "the file begins with a byte order mark; save it as UTF-8 without",
            "le fichier commence par une marque d'ordre (BOM) ; ôtez-la",
        )
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            yield Complaint(path, number, "a tab; write spaces", "une tabulation ; écrivez des espaces")


def _read_header(path: Path, lines: list[str], found: Parsed) -> int:
    """Read the header into `found`; the number of lines that it takes."""
    import yaml

    def fault(line: int, en: str, fr: str) -> None:
        found.faults.append(Complaint(path, line, en, fr))

    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), 0)
    if lines[0].rstrip() != FENCE or not end:
        fault(
            1,
            f"the header is not closed; it stands between two lines {FENCE}",
            f"l'en-tête n'est pas clos ; il est entre deux lignes {FENCE}",
        )
        return 0
    written = lines[1:end]
    for number, line in enumerate(written, 2):
        if key := re.match(r"#\s+(\w+):", line):
            found.lines.setdefault(key.group(1), number)
    try:
        header = yaml.safe_load("\n".join(re.sub(r"^# ?", "", line) for line in written))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = str(getattr(error, "problem", None) or error).splitlines()[0]
        fault(
            min(end, mark.line + 2) if mark else 1,
            f"the header is no YAML: {what}; mend it",
            f"l'en-tête n'est pas du YAML : {what} ; corrigez-le",
        )
        return end + 1
    inside = header.get("jupyter") if isinstance(header, dict) else None
    found.header = inside if isinstance(inside, dict) else {}
    return end + 1


def _read_cells(path: Path, lines: list[str], body: int, found: Parsed) -> None:
    places = [number for number in range(body, len(lines)) if re.match(r"#\s*%%", lines[number])]
    for number in range(body, places[0] if places else len(lines)):
        if lines[number].strip():
            found.faults.append(
                Complaint(
                    path,
                    number + 1,
                    "text before the first cell; put # %% before it",
                    "du texte avant la première cellule ; mettez # %% avant",
                )
            )
            break
    for place, end in zip(places, [*places[1:], len(lines)], strict=True):
        mark = _MARK.match(lines[place].rstrip())
        metadata, rest = read_metadata(mark["facts"] if mark else lines[place])
        if mark is None or rest:
            what = rest if mark else lines[place].strip()
            found.faults.append(
                Complaint(
                    path,
                    place + 1,
                    f'the marker cannot be read from here on: {what}; write # %% [markdown] lang="fr", or # %% level=1',
                    f'la marque ne peut pas être lue à partir de : {what} ; écrivez # %% [markdown] lang="fr", ou # %% level=1',
                )
            )
        markdown = "[markdown]" in lines[place]
        written = range(place + 1, end)
        full = [number for number in written if lines[number].strip()]
        first, last = (full[0], full[-1] + 1) if full else (place + 1, place + 1)
        text = [lines[number].rstrip("\r") for number in range(first, last)]
        if markdown:
            found.faults += _bare_lines(path, text, first)
            text = [re.sub(r"^# ?", "", line) for line in text]
            while text and not text[0].strip():
                text, first = text[1:], first + 1
            while text and not text[-1].strip():
                text.pop()
        found.blocks.append(Block("markdown" if markdown else "code", "\n".join(text), metadata, place + 1, first + 1))


def _bare_lines(path: Path, text: list[str], first: int) -> Iterator[Complaint]:
    for number, line in enumerate(text, first + 1):
        if line.strip() and not line.startswith("#"):
            yield Complaint(
                path,
                number,
                "a line of prose without # before it; write # and a space",
                "une ligne de prose sans # devant ; écrivez # et une espace",
            )


def read_metadata(text: str) -> tuple[dict[str, Any], str]:
    """The metadata `key=value` of a marker, values as in JSON, and what is left where they can no longer be read, or name a key twice."""
    metadata: dict[str, Any] = {}
    place, decoder = 0, json.JSONDecoder()
    while key := _KEY.match(text, place):
        try:
            value, end = decoder.raw_decode(text, key.end())
        except json.JSONDecodeError:
            break
        if key[1] in metadata or not re.match(r"\s|$", text[end:]):
            break
        metadata[key[1]], place = value, end
    return metadata, text[place:].strip()
