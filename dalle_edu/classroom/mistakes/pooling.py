"""More mistakes about pooling and upsampling."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.convolution import conv_output_size
from dalle_edu.bricks.pooling import linear_weights
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


def maximum_from_zero(images: Tensor, kernel_size: int, stride: int | None = None) -> Tensor:
    return F.max_pool2d(images, kernel_size, stride).clamp(min=0)


def four_pixels_always(images: Tensor, kernel_size: int, stride: int | None = None) -> Tensor:
    stride = kernel_size if stride is None else stride
    rows, columns = (conv_output_size(side, kernel_size, stride) for side in images.shape[2:])
    total = torch.zeros(())
    for i in range(2):
        for j in range(2):
            total = total + images[:, :, i::stride, j::stride][:, :, :rows, :columns]
    return total / 4


def scale_taken_for_the_size(images: Tensor, scale: int) -> Tensor:
    return F.interpolate(images, scale)


def copies_after_all_pixels(images: Tensor, scale: int) -> Tensor:
    n, c, h, w = images.shape
    return images[..., None, None].expand(n, c, h, w, scale, scale).reshape(n, c, h * scale, w * scale)


def mode_forgotten(images: Tensor, scale: int) -> Tensor:
    return F.interpolate(images, scale_factor=scale)


def mean_of_two_enlargements(images: Tensor, scale: int) -> Tensor:
    rows, columns = (linear_weights(side, scale).to(images) for side in images.shape[2:])
    return ((rows @ images).repeat_interleave(scale, dim=3) + (images @ columns.T).repeat_interleave(scale, dim=2)) / 2


MISTAKES = [
    Mistake(
        "pooling:max_pool2d",
        maximum_from_zero,
        "The search begins at 0, which beats a patch of negative values; begin at -∞, or at the patch's first pixel.",
        "La recherche commence à 0, qui l'emporte sur un morceau négatif ; commencez à -∞, ou au premier pixel du morceau.",
    ),
    edited(
        "pooling:avg_pool2d",
        "mean(dim=(-2, -1))",
        "mean(dim=(2, 3))",
        "The mean runs over the positions, axes 2 and 3; the pixels of a patch are the last two axes.",
        "La moyenne porte sur les positions, axes 2 et 3 ; les pixels d'un morceau sont les deux derniers axes.",
    ),
    edited(
        "pooling:avg_pool2d",
        "mean(dim=(-2, -1))",
        "mean(dim=-1)[..., 0]",
        "The mean runs along one row of each patch; take all its pixels, along both of its axes.",
        "La moyenne ne porte que sur une ligne de chaque morceau ; prenez tous ses pixels, le long de ses deux axes.",
    ),
    Mistake(
        "pooling:avg_pool2d",
        four_pixels_always,
        "Four pixels are added and divided by 4, whatever the patch: it has kernel_size × kernel_size pixels.",
        "Quatre pixels sont additionnés et divisés par 4, quel que soit le morceau : il a kernel_size × kernel_size pixels.",
    ),
    Mistake(
        "pooling:upsample_nearest",
        scale_taken_for_the_size,
        "The scale is taken for the side of the result, the second argument of F.interpolate: write scale_factor=scale.",
        "L'échelle est prise pour le côté du résultat, deuxième argument de F.interpolate : écrivez scale_factor=scale.",
    ),
    Mistake(
        "pooling:upsample_nearest",
        copies_after_all_pixels,
        "The copies come after both axes of pixels, and the reshape mixes them: put those of a side right after that side.",
        "Les copies viennent après les deux axes de pixels, et le reshape les mêle : mettez celles d'un côté juste après ce côté.",
    ),
    edited(
        "pooling:upsample_nearest",
        "repeat_interleave(scale, dim=2).repeat_interleave(scale, dim=3)",
        "repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)",
        "The sides are always doubled: repeat each pixel `scale` times, not 2.",
        "Les côtés sont toujours doublés : répétez chaque pixel `scale` fois, et non 2.",
    ),
    Mistake(
        "pooling:upsample_bilinear",
        mode_forgotten,
        'Each pixel is repeated, and none mixed: that is what F.interpolate does unless mode="bilinear" is asked for.',
        "Chaque pixel est répété, sans mélange : c'est ce que fait F.interpolate si l'on ne demande pas mode=\"bilinear\".",
    ),
    edited(
        "pooling:upsample_bilinear",
        "linear_weights(h, scale).to(images)",
        "linear_weights(h, scale)",
        "linear_weights(w, scale).to(images)",
        "linear_weights(w, scale)",
        "rows @ images @",
        "rows @ images.double() @",
        "The picture comes back in double precision, as the weights are: bring the weights to its type, .to(images).",
        "L'image revient en double précision, comme les poids : ramenez les poids à son type, par .to(images).",
    ),
    Mistake(
        "pooling:upsample_bilinear",
        mean_of_two_enlargements,
        "Two enlargements are averaged, each smooth along one side; mix the rows, then the columns of what that gives.",
        "Deux agrandissements sont moyennés, lisses chacun d'un côté ; mélangez les lignes, puis les colonnes du résultat.",
    ),
]
