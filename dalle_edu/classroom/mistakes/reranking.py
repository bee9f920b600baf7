"""Mistakes about re-ranking."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from dalle_edu.classroom.checking.proof import Mistake
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.systems.critics.reranking import draw_candidates, judge
from dalle_edu.systems.interface.system import System


def _embedded(clip: Critic, images: Tensor) -> Tensor:
    return torch.stack([clip.encode_images(candidates) for candidates in images])


def all_judged_by_the_first_sentence(clip: Critic, images: Tensor, prompts: Sequence[str]) -> Tensor:
    return _embedded(clip, images) @ clip.encode_texts(prompts)[0]


def candidates_shared_out_in_turn(clip: Critic, images: Tensor, prompts: Sequence[str]) -> Tensor:
    n, candidates = images.shape[:2]
    texts = clip.encode_texts([*prompts] * candidates)
    return (clip.encode_images(images.flatten(0, 1)) * texts).sum(dim=1).view(n, candidates)


def as_probabilities(clip: Critic, images: Tensor, prompts: Sequence[str]) -> Tensor:
    return torch.einsum("nce,ne->nc", _embedded(clip, images), clip.encode_texts(prompts)).softmax(dim=1)


def _kept(images: Tensor, scores: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    rows = torch.arange(len(images))[:, None]
    return images[rows, places], scores[rows, places]


def the_worst_kept(
    system: System,
    prompts: Sequence[str],
    clip: Critic,
    candidates: int = 32,
    keep: int = 4,
    seed: int = 0,
    progress: Any = None,
    **options: Any,
) -> tuple[Tensor, Tensor]:
    images = draw_candidates(system, prompts, candidates, seed, progress, **options)
    scores = judge(clip, images, prompts)
    return _kept(images, scores, scores.argsort(dim=1)[:, :keep])


def the_best_in_the_order_drawn(
    system: System,
    prompts: Sequence[str],
    clip: Critic,
    candidates: int = 32,
    keep: int = 4,
    seed: int = 0,
    progress: Any = None,
    **options: Any,
) -> tuple[Tensor, Tensor]:
    images = draw_candidates(system, prompts, candidates, seed, progress, **options)
    scores = judge(clip, images, prompts)
    return _kept(images, scores, scores.topk(keep, dim=1).indices.sort(dim=1).values)


def the_places_of_the_first_sentence(
    system: System,
    prompts: Sequence[str],
    clip: Critic,
    candidates: int = 32,
    keep: int = 4,
    seed: int = 0,
    progress: Any = None,
    **options: Any,
) -> tuple[Tensor, Tensor]:
    images = draw_candidates(system, prompts, candidates, seed, progress, **options)
    scores, places = judge(clip, images, prompts).topk(keep, dim=1)
    return images[:, places[0]], scores


MISTAKES = [
    Mistake(
        "systems.critics.reranking:judge",
        all_judged_by_the_first_sentence,
        "All candidates are compared with the first sentence; those of row i belong to sentence i.",
        "Toutes les candidates sont comparées à la première phrase ; celles de la ligne i vont avec la phrase i.",
    ),
    Mistake(
        "systems.critics.reranking:judge",
        candidates_shared_out_in_turn,
        "The sentences are repeated as a whole, so that the second candidate meets the second sentence; repeat each of them in place.",
        "La liste des phrases est répétée d'un bloc : la deuxième candidate rencontre la deuxième phrase ; répétez chacune sur place.",
    ),
    Mistake(
        "systems.critics.reranking:judge",
        as_probabilities,
        "A softmax makes shares of the cosines, which add up to 1 even where all candidates are bad; return the cosines.",
        "Un softmax change les cosinus en parts dont la somme est 1, même si tout est mauvais ; rendez les cosinus.",
    ),
    Mistake(
        "systems.critics.reranking:best_of",
        the_worst_kept,
        "The candidates with the smallest cosines are kept; sort in descending order.",
        "Ce sont les candidates aux plus petits cosinus qui sont gardées ; triez par ordre décroissant.",
    ),
    Mistake(
        "systems.critics.reranking:best_of",
        the_best_in_the_order_drawn,
        "The best are kept, but in the order in which they were drawn; the very best comes first.",
        "Les meilleures sont gardées, mais dans l'ordre où elles ont été dessinées ; la toute meilleure vient en tête.",
    ),
    Mistake(
        "systems.critics.reranking:best_of",
        the_places_of_the_first_sentence,
        "The places that were best for the first sentence are taken for every sentence; each row has places of its own.",
        "Les places les meilleures pour la première phrase servent à toutes ; chaque ligne a les siennes.",
    ),
]
