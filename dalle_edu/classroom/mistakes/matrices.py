"""Mistakes about convolution as a matrix product: patches as columns, kernels as rows, one big matrix."""

import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.convolution import convolution_matrix
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


def stride_taken_for_dilation(images: Tensor, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0) -> Tensor:
    return F.unfold(images, kernel_size, stride, padding)


def border_in_the_columns(kernels: Tensor, size: tuple[int, int], stride: int = 1, padding: int = 0) -> Tensor:
    return convolution_matrix(kernels, (size[0] + 2 * padding, size[1] + 2 * padding), stride)


def channels_added_up(kernels: Tensor, size: tuple[int, int], stride: int = 1, padding: int = 0) -> Tensor:
    return convolution_matrix(kernels.sum(dim=1, keepdim=True), size, stride, padding)


MISTAKES = [
    edited(
        "convolution:im2col",
        'rearrange(patches, "n c i j p q -> n (c p q) (i j)")',
        "patches.reshape(len(images), images.shape[1] * p * q, -1)",
        "The windows are reshaped as they lie, and the patches mix: bring the axes into the order (c, p, q), (i, j) first.",
        "Les fenêtres sont remises en forme telles quelles, et se mêlent : mettez d'abord les axes dans l'ordre (c, p, q), (i, j).",
    ),
    Mistake(
        "convolution:im2col",
        stride_taken_for_dilation,
        "The third argument of F.unfold is the dilation, not the stride, and pulls the pixels of a patch apart: write stride=stride.",
        "Le troisième argument de F.unfold est la dilatation, non le pas, et il écarte les pixels d'un morceau : écrivez stride=stride.",
    ),
    edited(
        "convolution:conv2d",
        "kernels.flatten(1) @ columns",
        "kernels.reshape(-1, len(kernels)).T @ columns",
        "Reshaping to (c p q, o) mixes the weights of all kernels: make each kernel a row, kernels.flatten(1).",
        "Une mise en forme en (c p q, o) mêle les poids de tous les noyaux : faites de chaque noyau une ligne, kernels.flatten(1).",
    ),
    edited(
        "convolution:conv2d",
        "conv_output_size(images.shape[2], p, stride, padding)",
        "conv_output_size(images.shape[2], p)",
        "im2col(images, (p, q), stride, padding)",
        "im2col(images, (p, q))",
        "Stride and padding are not handed on: im2col needs both, and so does conv_output_size.",
        "Le pas et la marge ne sont pas transmis : im2col a besoin des deux, et conv_output_size aussi.",
    ),
    edited(
        "convolution:conv2d",
        '"n o (i j) -> n o i j", i=rows)',
        '"n o (i j) -> o n i j", i=rows).reshape(len(images), len(kernels), rows, -1)',
        "The output channels come before the pictures, and a reshape does not exchange them: transpose the two axes.",
        "Les canaux de sortie viennent avant les images, et un reshape ne les échange pas : transposez les deux axes.",
    ),
    edited(
        "convolution:convolution_matrix",
        ".flatten(1).T",
        ".movedim(1, -1).flatten(1).T",
        "The rows go position by position; flattened maps go channel by channel, then position by position.",
        "Les lignes vont position par position ; des cartes aplaties vont canal par canal, puis position par position.",
    ),
    Mistake(
        "convolution:convolution_matrix",
        border_in_the_columns,
        "The pixels of the padding have columns too: the matrix multiplies the picture as it is, without its border of zeros.",
        "Les pixels de la marge ont aussi leurs colonnes : la matrice multiplie l'image telle quelle, sans son bord de zéros.",
    ),
    Mistake(
        "convolution:convolution_matrix",
        channels_added_up,
        "The channels of a kernel are added up, and one remains: each channel of the picture needs columns of its own.",
        "Les canaux d'un noyau sont additionnés, et il n'en reste qu'un : chaque canal de l'image a besoin de ses colonnes.",
    ),
]
