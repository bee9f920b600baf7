"""Mistakes about convolution, pooling and upsampling."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.convolution import conv2d, conv_transpose2d
from dalle_edu.classroom.checking.proof import Mistake


def padding_counted_once(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    return (size + padding - kernel_size) // stride + 1


def one_forgotten(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    return (size + 2 * padding - kernel_size) // stride


def strides_forgotten(kernels: Sequence[int], strides: Sequence[int]) -> int:
    return 1 + sum(kernel - 1 for kernel in kernels)


def kernel_turned_over(images: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    return conv2d(images, kernels.flip(2, 3), stride, padding)


def channels_kept_apart(images: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    return conv2d(images[:, :1], kernels[:, :1], stride, padding)


def stride_ignored(images: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    rows = (images.shape[2] + 2 * padding - kernels.shape[2]) // stride + 1
    columns = (images.shape[3] + 2 * padding - kernels.shape[3]) // stride + 1
    return conv2d(images, kernels, 1, padding)[:, :, :rows, :columns]


def pixels_before_channels(images: Tensor, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0) -> Tensor:
    columns = F.unfold(images, kernel_size, padding=padding, stride=stride)
    return columns.unflatten(1, (images.shape[1], -1)).transpose(1, 2).flatten(1, 2)


def transposed_by_turning_the_kernel(maps: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    return conv_transpose2d(maps, kernels.flip(2, 3), stride, padding)


def overlaps_overwrite(maps: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    (h, w), (p, q) = maps.shape[2:], kernels.shape[2:]
    canvas = maps.new_zeros(len(maps), kernels.shape[1], (h - 1) * stride + p, (w - 1) * stride + q)
    for i in range(h):
        for j in range(w):
            painted = torch.einsum("no,ocpq->ncpq", maps[:, :, i, j], kernels)
            canvas[:, :, i * stride : i * stride + p, j * stride : j * stride + q] = painted
    return canvas[:, :, padding : canvas.shape[2] - padding, padding : canvas.shape[3] - padding]


def one_pixel_at_a_time(images: Tensor, kernel_size: int, stride: int | None = None) -> Tensor:
    return F.max_pool2d(images, kernel_size, stride or 1)


def sum_for_mean(images: Tensor, kernel_size: int, stride: int | None = None) -> Tensor:
    return kernel_size**2 * F.avg_pool2d(images, kernel_size, stride)


def picture_repeated(images: Tensor, scale: int) -> Tensor:
    return images.repeat(1, 1, scale, scale)


def corners_aligned(images: Tensor, scale: int) -> Tensor:
    return F.interpolate(images, scale_factor=scale, mode="bilinear", align_corners=True)


MISTAKES = [
    Mistake(
        "convolution:conv_output_size",
        padding_counted_once,
        "The padding is counted once; it widens the picture on both sides, so 2 × padding.",
        "La marge est comptée une fois ; elle élargit l'image des deux côtés, donc 2 × marge.",
    ),
    Mistake(
        "convolution:conv_output_size",
        one_forgotten,
        "The + 1 is forgotten: a kernel as large as the picture has one position, not none.",
        "Le + 1 est oublié : un noyau aussi grand que l'image a une position, pas zéro.",
    ),
    Mistake(
        "convolution:conv2d_by_loops",
        kernel_turned_over,
        "The kernel is turned over, as in mathematics; deep learning's convolution lays it on the patch as it is.",
        "Le noyau est retourné, comme en mathématiques ; la convolution des réseaux le pose tel quel sur le morceau d'image.",
    ),
    Mistake(
        "convolution:conv2d_by_loops",
        channels_kept_apart,
        "Only the first channel is seen; a kernel has weights for every channel, and their sums add up.",
        "Seul le premier canal est vu ; un noyau a des poids pour chaque canal, et leurs sommes s'ajoutent.",
    ),
    Mistake(
        "convolution:receptive_field",
        strides_forgotten,
        "Each layer adds kernel - 1 positions of its input, as many pixels apart as the product of the earlier strides: multiply by it.",
        "Chaque couche ajoute noyau - 1 positions de son entrée, espacées dans l'image du produit des pas précédents : multipliez.",
    ),
    Mistake(
        "convolution:conv2d",
        stride_ignored,
        "The kernel moves by one pixel whatever the stride; position i starts at pixel i × stride.",
        "Le noyau avance d'un pixel quel que soit le pas ; la position i commence au pixel i × pas.",
    ),
    Mistake(
        "convolution:im2col",
        pixels_before_channels,
        "The columns go pixel by pixel, then channel by channel; flattened kernels go channel first, so products do not match.",
        "Les colonnes vont pixel par pixel puis canal par canal ; un noyau aplati va canal d'abord : les produits ne correspondent plus.",
    ),
    Mistake(
        "convolution:conv_transpose2d",
        transposed_by_turning_the_kernel,
        "The kernel is turned over before it is painted; the transpose paints it as it is.",
        "Le noyau est retourné avant d'être peint ; la transposée le peint tel quel.",
    ),
    Mistake(
        "convolution:conv_transpose2d",
        overlaps_overwrite,
        "Where painted kernels overlap, the last one wins; they must add up.",
        "Là où les noyaux peints se recouvrent, le dernier gagne ; ils doivent s'ajouter.",
    ),
    Mistake(
        "pooling:max_pool2d",
        one_pixel_at_a_time,
        "Without a stride the window moves by one pixel; by default it moves by its own size, so that patches do not overlap.",
        "Sans pas donné, la fenêtre avance d'un pixel ; par défaut elle avance de sa propre taille, et les morceaux ne se recouvrent pas.",
    ),
    Mistake(
        "pooling:avg_pool2d",
        sum_for_mean,
        "The pixels of a patch are added up; their mean divides by how many they are, so that brightness stays the same.",
        "Les pixels d'un morceau sont additionnés ; leur moyenne divise par leur nombre, et la luminosité reste la même.",
    ),
    Mistake(
        "pooling:upsample_nearest",
        picture_repeated,
        "The whole picture is repeated like tiles; each pixel must be repeated on the spot, next to itself.",
        "L'image entière est répétée comme un carrelage ; c'est chaque pixel qui doit être répété sur place, à côté de lui-même.",
    ),
    Mistake(
        "pooling:upsample_bilinear",
        corners_aligned,
        "The corner pixels' centres are aligned, so the picture shifts with its size; it is the edges that must coincide.",
        "Les centres des pixels de coin sont alignés, si bien que l'image glisse avec sa taille ; ce sont les bords qui doivent coïncider.",
    ),
]
