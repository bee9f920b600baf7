"""The notes of a slide that announces a quiz: its questions, their choices, the right answer and why, for who leads the class."""

import re
from typing import Any

from dalle_edu.classroom.builder.source import Lesson


def quiz_notes(executed: Any, lesson: Lesson) -> dict[str, str]:
    """The quizzes of a lesson by their names, each as HTML with its answers unfolded, as the executed notebook shows them."""
    names = [str(cell.metadata["quiz"]) for cell in lesson.cells if "quiz" in cell.metadata]
    shown = [_unfolded(cell) for cell in executed.cells if "quiz" in cell.metadata.get("tags", [])]
    return dict(zip(names, shown, strict=False))


def _unfolded(cell: Any) -> str:
    html = "".join(output.get("data", {}).get("text/html", "") for output in cell.get("outputs", []))
    html = re.sub(r"<summary[^>]*>.*?</summary>", "", html)
    return re.sub(r"<(/?)details>", r"<\1div>", html)
