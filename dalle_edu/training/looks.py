"""Exams along the way ("looks"): what a system can already draw, or tell apart, at some moments of each stage."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from dalle_edu.scorecard import Question, mark, parse_pictures
from dalle_edu.scorecard.marks import tally
from dalle_edu.systems.interface.trainable import Trainable
from dalle_edu.world import picture_sheet, render, save_picture

LOOKS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # parts of a stage after which it is examined
_TOGETHER = 64  # pictures previewed at a time


@torch.compiler.set_stance("force_eager")  # compiling for another batch size takes longer than drawing so few pictures
def look(system: Trainable, stage: str, exam: Sequence[Question], sheet: Path, device: torch.device) -> dict[str, Any]:
    """The results of an exam in a stage: what `measure` returns and, where `preview` draws, the rate of each skill under "skills", in
    [0, 1]. The first 16 pictures are written to `sheet`, a PNG.

    `exam` holds scenes and prompts that training never draws. The system is in evaluation mode and on `device`.
    """
    scenes, texts = [question.scene for question in exam], [question.text for question in exam]
    images = render(scenes, system.resolution, device)
    starts = range(0, len(texts), _TOGETHER)
    seen: dict[str, Any] = {name: round(value, 4) for name, value in system.measure(stage, images, texts).items()}
    previews = [system.preview(stage, images[i : i + _TOGETHER], texts[i : i + _TOGETHER], seed=i) for i in starts]
    drawn = torch.cat([preview for preview in previews if preview is not None] or [images[:0]])
    if len(drawn):
        marks = [mark(scene.description, objects) for scene, objects in zip(scenes, parse_pictures(drawn), strict=True)]
        seen["skills"] = {skill: round(rate.correct / rate.n, 4) for skill, rate in tally(marks).items() if rate.n}
        save_picture(picture_sheet(drawn[:16], texts[:16]), sheet)
    return seen
