"""What goes wrong when a lesson is run, told at its line: an error, a warning, an example with another value, a kernel that dies or stalls.

A notebook made by `notebooks.everything` says in the metadata of each cell where it stands in the lesson's source.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder.complaints import Complaint
from dalle_edu.classroom.builder.faults.code import nearest

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_SLOW = {
    "DeadKernelError": ("the kernel died (of too little memory, often)", "le noyau est mort (souvent faute de mémoire)"),
    "CellTimeoutError": ("the cell takes longer than is allowed", "la cellule prend plus de temps que permis"),
}


def fault_of_stop(path: Path, language: str, notebook: Any, place: int, error: str, message: str) -> Complaint:
    """The fault that stopped a notebook at the cell `place`; `error` is the name of the exception of nbclient, `message` its text.

    An error that the first cell's handlers told in a sentence has no traceback; its message alone says what it was.
    """
    cell = notebook.cells[place]
    failed = next((output for output in cell.get("outputs", []) if output.output_type == "error"), None)
    if error in _SLOW:
        en, fr = _SLOW[error]
        return Complaint(
            path,
            _line(path, cell, 1),
            f"the {language} edition stopped here: {en}; make the cell lighter",
            f"l'édition {language} s'est arrêtée ici : {fr} ; allégez la cellule",
        )
    what = f"{failed.ename}: {failed.evalue}" if failed else (message.strip().splitlines() or [error])[-1]
    what = _COLOURS.sub("", what)[:300]
    return Complaint(
        path,
        _line(path, cell, _line_of_traceback(failed.traceback) if failed else 1),
        f"the {language} edition stopped here: {what}; mend the cell",
        f"l'édition {language} s'est arrêtée ici : {what} ; corrigez la cellule",
    )


def faults_of_run(path: Path, language: str, notebook: Any, examples: bool = True) -> Iterator[Complaint]:
    """The faults that an executed notebook shows: warnings, and with `examples` the examples whose value is not the one behind `# →`."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                what = " ".join(_COLOURS.sub("", output.text).split())[:300]
                yield Complaint(
                    path,
                    _line(path, cell, 1),
                    f"the {language} edition left a warning: {what}; mend what it is about",
                    f"l'édition {language} a laissé un avertissement : {what} ; corrigez-en la cause",
                )
        if examples and "scratch" in cell.metadata.get("tags", []):
            yield from _example(path, language, cell)


def _example(path: Path, language: str, cell: Any) -> Iterator[Complaint]:
    written = re.findall(r"# → (.+)", cell.source)
    outputs = [output.data.get("text/plain", "") for output in cell.outputs if output.output_type in ("execute_result", "display_data")]
    shown = " ".join(" ".join(outputs).split())
    if len(written) == 1 and shown == written[0].strip():
        return
    failed = next((f"{output.ename}: {output.evalue}" for output in cell.outputs if output.output_type == "error"), "")
    place = next((number for number, line in enumerate(cell.source.split("\n"), 1) if "# → " in line), 1)
    given, wanted = shown or failed or "nothing", " ".join(written)
    yield Complaint(
        path,
        _line(path, cell, place),
        f"an example gives {given} in the {language} edition, and says → {wanted}; write the value that it gives",
        f"un essai donne {given} dans l'édition {language}, et dit → {wanted} ; écrivez la valeur qu'il donne",
    )


def _line_of_traceback(traceback: list[str]) -> int:
    """The line within the cell that raised: the last of a cell that the traceback names, which is that of the call if others follow."""
    text = _COLOURS.sub("", "\n".join(traceback))
    frames = re.findall(r"Cell In\[(\d+)\],? line (\d+)", text)
    first = [int(line) for number, line in frames if number == frames[0][0]]
    return first[-1] if first else 1


def _line(path: Path, cell: Any, number: int) -> int:
    """The line in the source of line `number` of a notebook's cell: the one that it was made of, or the cell's marker."""
    marker = int(cell.metadata.get("dalle_edu", {}).get("line", 0))
    if not marker or not path.exists():
        return max(1, marker)
    lines = path.read_text(encoding="utf-8").split("\n")
    end = next((place for place in range(marker, len(lines)) if re.match(r"# %%", lines[place])), len(lines))
    written = cell.source.split("\n")[min(number, cell.source.count("\n") + 1) - 1]
    if "implements=" in lines[marker - 1] or not written.strip():
        return marker
    return marker + nearest(written, lines[marker:end])
