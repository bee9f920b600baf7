"""Reranking: a system draws many candidates of a sentence, and a critic keeps the
best (Ramesh et al. 2021, section 2.6: of 512). Lesson 12.

A system that draws a sentence correctly one time in five nearly always does so
among 32 candidates. A critic that sees what is correct finds it; what the critic
does not see stays as rare as it was.

Letters: n sentences, k pictures kept of each.
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.seeds import SEEDS, check_seed
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.systems.interface.checks import MAX_IMAGES, check_prompts
from dalle_edu.systems.interface.system import System


@torch.no_grad()
def draw_candidates(
    system: System,
    prompts: Sequence[str],
    candidates: int,
    seed: int = 0,
    **options: Any,
) -> Float[Tensor, "n candidates 3 h w"]:
    """`candidates` pictures of each sentence, in [-1, 1]. With one of each they are
    those of `system.generate`.

    Each call of `generate` draws as many as it may. `options` go to `generate`; a
    callback counts the steps of each call. Raises `DalleEduError` for prompts
    that cannot be drawn and a number that `check_candidates` refuses.
    """
    prompts, seed = check_prompts(prompts, system.domain), check_seed(seed)
    check_candidates(candidates)
    together = MAX_IMAGES // candidates
    drawn = []
    for group, start in enumerate(range(0, len(prompts), together)):
        texts = [
            prompt
            for prompt in prompts[start : start + together]
            for _ in range(candidates)
        ]
        images = system.generate(
            texts, seed=(seed + 1_000_003 * group) % SEEDS, **options
        )
        drawn.append(images.unflatten(0, (-1, candidates)))
    return torch.cat(drawn)


@torch.no_grad()
def judge(
    clip: Critic,
    images: Float[Tensor, "n candidates 3 h w"],
    prompts: Sequence[str],
) -> Float[Tensor, "n candidates"]:
    """The cosine of each candidate with its own sentence, in [-1, 1]."""
    # an outer autocast would round the cosines, and choose otherwise
    with torch.autocast(clip.scale.device.type, enabled=False):
        texts = clip.encode_texts(prompts)
        embeddings = torch.stack(
            [clip.encode_images(candidates) for candidates in images]
        )
        return torch.einsum("nce,ne->nc", embeddings, texts)


def best_of(
    system: System,
    prompts: Sequence[str],
    clip: Critic,
    candidates: int = 32,
    keep: int = 4,
    seed: int = 0,
    **options: Any,
) -> tuple[Float[Tensor, "n k 3 h w"], Float[Tensor, "n k"]]:
    """The `keep` best of `candidates` pictures of each sentence, the best first,
    and their cosines with it.

    `options` go to `system.generate`. Raises `DalleEduError` where more are to be
    kept than drawn, and as `draw_candidates` does.
    """
    check_candidates(candidates, keep)
    images = draw_candidates(system, prompts, candidates, seed, **options)
    scores, places = judge(clip, images, prompts).topk(keep, dim=1)  # n k
    places = places.to(images.device)
    rows = torch.arange(len(images), device=images.device)[:, None]
    return images[rows, places], scores


class BestOf:
    """A system that draws `candidates` pictures of each sentence and returns the
    best. It can be scored as any other. Raises `DalleEduError` for a number of
    candidates that `check_candidates` refuses.
    """

    def __init__(self, system: System, clip: Critic, candidates: int = 32):
        check_candidates(candidates)
        self.system, self.clip, self.candidates = system, clip, candidates
        self.name = f"{system.name}, {candidates} × {clip.title}"
        self.domain = system.domain

    def generate(
        self, prompts: Sequence[str], *, seed: int = 0, **options: Any
    ) -> Float[Tensor, "n 3 h w"]:
        """The best candidate of each prompt, in [-1, 1]. `options` are those of the
        system's `generate`.
        """
        images, _ = best_of(
            self.system,
            prompts,
            self.clip,
            self.candidates,
            keep=1,
            seed=seed,
            **options,
        )
        return images[:, 0]


def check_candidates(candidates: int, keep: int = 1) -> None:
    """Raise `DalleEduError` unless a sentence has 1 to 1,024 candidates, of which 1
    to all are kept.
    """
    if not 1 <= candidates <= MAX_IMAGES:
        raise DalleEduError(
            f"{candidates} candidates were asked for; a sentence has 1 to "
            f"{MAX_IMAGES}",
            f"{candidates} candidates sont demandées ; une phrase en a de 1 à "
            f"{MAX_IMAGES}",
        )
    if not 1 <= keep <= candidates:
        raise DalleEduError(
            f"{keep} pictures of {candidates} candidates are to be kept; keep 1 "
            f"to {candidates}",
            f"{keep} images sur {candidates} candidates sont à garder ; gardez-en "
            f"de 1 à {candidates}",
        )
