"""Score against candidates: the marks of a system when a critic reranks more and more of its pictures."""

from collections.abc import Sequence
from typing import Any

import torch

from dalle_edu.errors import DalleEduError
from dalle_edu.progress_bar import progress_bar
from dalle_edu.scorecard.exam import Report, questions
from dalle_edu.scorecard.marks import mark
from dalle_edu.scorecard.picture_parser import parse_pictures
from dalle_edu.seeds import SEEDS
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.systems.critics.reranking import check_candidates, draw_candidates, judge
from dalle_edu.systems.interface.system import System
from dalle_edu.world.domain import catalogue_of

CANDIDATES = (1, 2, 4, 8, 16, 32)


@torch.no_grad()
def score_against_candidates(
    system: System,
    clip: Critic,
    prompts: int = 128,
    candidates: Sequence[int] = CANDIDATES,
    seed: int = 0,
    progress: bool | None = None,
    **options: Any,
) -> dict[int, Report]:
    """Mark the best of several candidates for each prompt: a report for each number in `candidates`.

    Report 0 is the upper bound: of all candidates it marks the one with the most right marks, as a critic that never errs would choose.
    The largest number of candidates is generated once, and `clip` chooses among the first 1, 2, 4… of them, so that the points of the
    curve differ in the choice alone. `options` go to `system.generate`. `progress` is as in `score`. Raises
    `DalleEduError` where `candidates` is empty, or one of them or `prompts` is out of range.
    """
    if not candidates:
        raise DalleEduError("no number of candidates was given; give one or more", "aucun nombre de candidates n'est donné ; donnez-en")
    most = max(candidates)
    for number in candidates:
        check_candidates(number)
    asked, catalogue = questions(prompts, seed, catalogue_of(system)), catalogue_of(system)
    reports: dict[int, list[dict[str, bool]]] = {0: [], **{number: [] for number in candidates}}
    together = max(1, 512 // most)
    with progress_bar(system.name, prompts, progress) as bar:
        for start in range(0, prompts, together):
            batch = asked[start : start + together]
            texts = [question.text for question in batch]
            images = draw_candidates(system, texts, most, (seed * 1_000_003 + start) % SEEDS, **options)
            scores = judge(clip, images, texts).cpu()
            found = parse_pictures(images.flatten(0, 1).cpu(), catalogue)
            for i, question in enumerate(batch):
                marks = [mark(question.scene.description, objects) for objects in found[i * most : (i + 1) * most]]
                for number in candidates:
                    reports[number].append(marks[int(scores[i, :number].argmax())])
                reports[0].append(max(marks, key=lambda each: sum(each.values())))
            bar.reach(start + len(batch))
    names = {number: f"{system.name}, best of {number or 'all'}" for number in reports}
    return {number: Report(names[number], seed, asked, marks, catalogue) for number, marks in reports.items()}
