"""Mistakes about what VQGAN+CLIP looks at and climbs."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.classroom.checking.proof import Mistake


def _cut(images: Tensor, scale: Tensor, shift: Tensor, order: Tensor | None = None) -> Tensor:
    n, c = scale.shape
    maps = images.new_zeros(n, c, 2, 3)
    maps[..., 0, 0], maps[..., 1, 1], maps[..., 2] = scale, scale, shift
    grid = F.affine_grid(maps.flatten(0, 1), [n * c, 3, *images.shape[2:]], align_corners=False)
    repeated = images.repeat_interleave(c, dim=0) if order is None else images[order]
    return F.grid_sample(repeated, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _scale(uniforms: Tensor, smallest: float) -> Tensor:
    return smallest + (1 - smallest) * uniforms[..., 0]


def _shift(uniforms: Tensor, scale: Tensor) -> Tensor:
    return (uniforms[..., 1:] * 2 - 1) * (1 - scale).unsqueeze(-1)


def beyond_the_edges(images: Tensor, uniforms: Tensor, smallest: float) -> Tensor:
    return _cut(images, _scale(uniforms, smallest), uniforms[..., 1:] * 2 - 1)


def pictures_in_turn(images: Tensor, uniforms: Tensor, smallest: float) -> Tensor:
    n, c, _ = uniforms.shape
    scale = _scale(uniforms, smallest)
    return _cut(images, scale, _shift(uniforms, scale), torch.arange(n).repeat(c))


def always_in_the_middle(images: Tensor, uniforms: Tensor, smallest: float) -> Tensor:
    scale = _scale(uniforms, smallest)
    return _cut(images, scale, torch.zeros_like(uniforms[..., 1:]))


def from_nothing_at_all(images: Tensor, uniforms: Tensor, smallest: float) -> Tensor:
    scale = smallest * uniforms[..., 0]
    return _cut(images, scale, _shift(uniforms, scale))


def the_chord(first: Tensor, second: Tensor) -> Tensor:
    return (first - second).norm(dim=-1)


def the_whole_angle_squared(first: Tensor, second: Tensor) -> Tensor:
    return 4 * ((first - second).norm(dim=-1) / 2).clamp(max=1 - 1e-6).asin().square()


def one_minus_cosine(first: Tensor, second: Tensor) -> Tensor:
    return 1 - (first * second).sum(dim=-1)


MISTAKES = [
    Mistake(
        "systems.vqgan_clip:cut_out",
        beyond_the_edges,
        "A piece may lie half outside the picture; a piece of side s has room to move by 1 - s only.",
        "Un morceau peut sortir à moitié de l'image ; un morceau de côté s n'a que 1 - s pour se déplacer.",
    ),
    Mistake(
        "systems.vqgan_clip:cut_out",
        pictures_in_turn,
        "The pictures come in turn (repeat), while the cuts of a picture stand side by side: use repeat_interleave.",
        "Les images viennent à tour de rôle (repeat), alors que les découpes d'une image se suivent : prenez repeat_interleave.",
    ),
    Mistake(
        "systems.vqgan_clip:cut_out",
        always_in_the_middle,
        "Every piece is cut from the middle: the edges are never looked at, and anything may grow there.",
        "Chaque morceau est pris au milieu : les bords ne sont jamais regardés, et n'importe quoi peut y pousser.",
    ),
    Mistake(
        "systems.vqgan_clip:cut_out",
        from_nothing_at_all,
        "Sides go from 0 to `smallest`; they go from `smallest` to the whole: smallest + (1 - smallest) · u.",
        "Les côtés vont de 0 à `smallest` ; ils vont de `smallest` à l'image entière : smallest + (1 - smallest) · u.",
    ),
    Mistake(
        "systems.vqgan_clip:spherical_distance",
        the_chord,
        "This is the chord, straight through the sphere; its slope does not vanish near the target, so steps overshoot.",
        "C'est la corde, droit à travers la sphère ; sa pente ne s'annule pas près du but, et les pas le dépassent.",
    ),
    Mistake(
        "systems.vqgan_clip:spherical_distance",
        the_whole_angle_squared,
        "The square of the whole angle is twice too large: 2 (θ/2)² is θ²/2.",
        "Le carré de l'angle entier est deux fois trop grand : 2 (θ/2)² fait θ²/2.",
    ),
    Mistake(
        "systems.vqgan_clip:spherical_distance",
        one_minus_cosine,
        "This is 1 - cosine, right for small angles alone; of opposite vectors it makes 2, and its slope there is 0.",
        "C'est 1 - cosinus, qui n'est juste que pour de petits angles ; pour des vecteurs opposés il vaut 2, et sa pente y est nulle.",
    ),
]
