"""nbgrader's own steps for a course of `dalle-edu lessons build --nbgrader`; the course's nbgrader_config.py names them.

They run in nbgrader's process, where no code of students runs: `ClearExercises` when an assignment is made, `RunSubmission` when it is
graded.
"""

import os
from copy import deepcopy
from typing import Any

from nbclient.exceptions import DeadKernelError
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.preprocessors import ClearSolutions, Execute, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_locked, is_solution

from dalle_edu.classroom.builder.nbgrader.needed import names_of_answers
from dalle_edu.classroom.caution import explained, reaches
from dalle_edu.language import say

DEATHS = 8  # a submission whose kernel dies more often is given up


class ClearExercises(NbGraderPreprocessor):
    """Put what the student fills in, in the course's language, in the place of solutions."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        """Replace one cell's solution, if it holds one, by the text that the student begins with."""
        if is_solution(cell) and "dalle_edu" in cell.metadata:
            cell.source = cell.metadata.pop("dalle_edu")["stub"]
        return cell, resources


class RunSubmission(Execute):
    """Run a submission, of the student's cells those that keep to what exercises need, and of the others none that ends the kernel.

    A cell that is not run says why, as does the log, for whoever grades. Output on stderr costs no points.
    """

    def preprocess(self, nb: Any, resources: Any = None, km: Any = None) -> tuple[Any, Any]:
        """Run all cells, and again without the one that ended the kernel, if one did.

        Raises `DeadKernelError` where the kernel has ended `DEATHS` times.
        """
        self._refused = _refused(nb)
        name = os.sep.join(str((resources or {}).get("nbgrader", {}).get(key, "")) for key in ("student", "notebook"))
        for place, reason in self._refused.items():
            self.log.warning("%s [%d]: %s", name, place, reason)
        given = deepcopy(nb)
        for _ in range(DEATHS):
            try:
                self._running = -1
                return super().preprocess(nb, resources, km)
            except DeadKernelError:
                en, fr = "The notebook's kernel ended in this cell.", "Le noyau du notebook s'est arrêté dans cette cellule."
                self._refused[self._running] = say(en, fr)
                self.log.warning("%s [%d]: %s", name, self._running, self._refused[self._running])
                nb = deepcopy(given)
        raise DeadKernelError(say(f"the kernel ended {DEATHS} times", f"le noyau s'est arrêté {DEATHS} fois"))

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Run one cell, or put the reason why not under it."""
        import nbformat.v4 as v4

        self._running = index
        if index in self._refused:
            reason = self._refused[index]
            cell.outputs = [v4.new_output("error", ename="NotRun", evalue=reason, traceback=[reason])]
            return cell, resources
        cell, resources = super().preprocess_cell(cell, resources, index)
        if cell.cell_type == "code" and is_grade(cell):
            for output in cell.outputs:
                if output.output_type == "stream":
                    output.name = "stdout"
                elif output.output_type == "error" and output.ename == "AssertionError":  # a verdict: where it was raised helps nobody
                    output.traceback = output.evalue.split("\n")
        return cell, resources


def _refused(notebook: Any) -> dict[int, str]:
    """The student's cells that are not to be run, by their place, and why. Locked cells are the course's: nbgrader has put them back.

    The cell of an exercise does not use what its own check compares with; a cell that the student added, what any check does.
    """
    code = [(place, cell) for place, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    known = [(place, cell) for place, cell in code if "grade_id" in cell.metadata.get("nbgrader", {})]
    checked = {place: names_of_answers(cell.source) for place, cell in known if is_grade(cell) and is_locked(cell)}
    exercises = {place for place, cell in known if is_solution(cell)}
    found = {}
    for place, cell in code:
        if (place, cell) in known and is_locked(cell):
            continue
        own = next((names for at, names in checked.items() if at > place), set[str]())
        what = reaches(cell.source, own if place in exercises else set[str]().union(*checked.values()))
        if what:
            found[place] = explained(what)
    return found


def _with(steps: list[Any], step: type, others: list[type]) -> list[Any]:
    """nbgrader's own steps, with others in the place of one."""
    return [new for old in steps for new in (others if old is step else [old])]


MAKING = _with(GenerateAssignment.preprocessors.default(), ClearSolutions, [ClearSolutions, ClearExercises])
GRADING = _with(Autograde.autograde_preprocessors.default(), Execute, [RunSubmission])
