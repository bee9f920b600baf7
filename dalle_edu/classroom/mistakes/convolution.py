"""Mistakes about convolution, pooling and upsampling."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.convolution import conv2d, conv_transpose2d
from dalle_edu.bricks.pooling import linear_weights
from dalle_edu.classroom.checking.edited import edited
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


def one_side_only(images: Tensor, scale: int) -> Tensor:
    return images.repeat_interleave(scale, dim=2)


def zeros_between(images: Tensor, scale: int) -> Tensor:
    spread = images.new_zeros(*images.shape[:2], scale * images.shape[2], scale * images.shape[3])
    spread[:, :, ::scale, ::scale] = images
    return spread


def centres_forgotten(size: int, scale: int) -> Tensor:
    places = (torch.arange(size * scale, dtype=torch.float64) / scale).clamp(max=size - 1)
    return (1 - (places[:, None] - torch.arange(size)).abs()).clamp(min=0)


def dark_beyond_the_edge(size: int, scale: int) -> Tensor:
    places = (torch.arange(size * scale, dtype=torch.float64) + 0.5) / scale - 0.5
    return (1 - (places[:, None] - torch.arange(size)).abs()).clamp(min=0)


def nearest_takes_all(size: int, scale: int) -> Tensor:
    return torch.eye(size, dtype=torch.float64).repeat_interleave(scale, dim=0)


def last_corners_aligned(size: int, scale: int) -> Tensor:
    places = torch.linspace(0, size - 1, size * scale, dtype=torch.float64)
    return (1 - (places[:, None] - torch.arange(size)).abs()).clamp(min=0)


def rows_for_both_sides(images: Tensor, scale: int) -> Tensor:
    weights = linear_weights(images.shape[2], scale).to(images)
    side = min(images.shape[2:])
    return weights[: side * scale, :side] @ images[:, :, :side, :side] @ weights[: side * scale, :side].T


def one_side_repeated(images: Tensor, scale: int) -> Tensor:
    rows = linear_weights(images.shape[2], scale).to(images)
    return (rows @ images).repeat_interleave(scale, dim=3)


def padding_not_taken_off(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    return (size - 1) * stride + kernel_size


def padding_taken_off_once(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    return (size - 1) * stride - padding + kernel_size


def a_stride_too_many(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    return size * stride - 2 * padding + kernel_size


def padding_left_on(maps: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    return conv_transpose2d(maps, kernels, stride)


def nothing_left_without_padding(maps: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    return conv_transpose2d(maps, kernels, stride)[:, :, padding:-padding, padding:-padding]


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
        "convolution:conv_transpose2d",
        padding_left_on,
        "The padding is not taken off: here it cuts that many pixels from each side of what was painted.",
        "La marge n'est pas retirée : ici, elle enlève autant de pixels de chaque côté de ce qui a été peint.",
    ),
    Mistake(
        "convolution:conv_transpose2d",
        nothing_left_without_padding,
        "Without padding nothing is left: -0 is 0, and [0:-0] is empty. Cut from `padding` to the canvas's size less `padding`.",
        "Sans marge, il ne reste rien : -0 est 0, et [0:-0] est vide. Coupez de `padding` à la taille de la toile moins `padding`.",
    ),
    Mistake(
        "convolution:transposed_output_size",
        padding_not_taken_off,
        "The padding is forgotten: in a transposed convolution it takes pixels off on both sides, so - 2 × padding.",
        "La marge est oubliée : dans une convolution transposée, elle retire des pixels des deux côtés, donc - 2 × marge.",
    ),
    Mistake(
        "convolution:transposed_output_size",
        padding_taken_off_once,
        "The padding is taken off once; it is taken off on both sides, so - 2 × padding.",
        "La marge est retirée une fois ; elle l'est des deux côtés, donc - 2 × marge.",
    ),
    Mistake(
        "convolution:transposed_output_size",
        a_stride_too_many,
        "Between n stamps there are n - 1 strides: (`size` - 1) × `stride`, and then the last kernel whole.",
        "Entre n tampons, il y a n - 1 pas : (`size` - 1) × `stride`, puis le dernier noyau en entier.",
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
        "pooling:upsample_nearest",
        one_side_only,
        "Pixels are repeated along one side only; repeat them along rows and along columns.",
        "Les pixels ne sont répétés que d'un côté ; répétez-les le long des lignes et le long des colonnes.",
    ),
    Mistake(
        "pooling:upsample_nearest",
        zeros_between,
        "There are zeros between the pixels: fill each square with copies of its pixel.",
        "Il y a des zéros entre les pixels : remplissez chaque carré de copies de son pixel.",
    ),
    Mistake(
        "pooling:linear_weights",
        centres_forgotten,
        "New pixel i is looked up at i / `scale`, so that all slides by a fraction of a pixel: compare centres, (i + 0.5) / `scale` - 0.5.",
        "Le nouveau pixel i est cherché en i / `scale`, et tout glisse un peu : comparez les centres, (i + 0,5) / `scale` - 0,5.",
    ),
    Mistake(
        "pooling:linear_weights",
        dark_beyond_the_edge,
        "Beyond the edge the weights no longer sum to 1, which darkens the border: bring the centres back between 0 and `size` - 1.",
        "Au-delà du bord, les poids n'ont plus 1 pour somme et le bord s'assombrit : ramenez les centres entre 0 et `size` - 1.",
    ),
    Mistake(
        "pooling:linear_weights",
        nearest_takes_all,
        "The nearest pixel takes all; the two nearest share, each by 1 - its distance.",
        "Le pixel le plus proche prend tout ; les deux plus proches partagent, chacun selon 1 - sa distance.",
    ),
    Mistake(
        "pooling:linear_weights",
        last_corners_aligned,
        "The first and last centres are aligned, and the picture shifts with its size: it is the outer edges that must coincide.",
        "Les premiers et les derniers centres sont alignés, et l'image glisse avec sa taille : ce sont les bords qui doivent coïncider.",
    ),
    Mistake(
        "pooling:upsample_bilinear",
        one_side_repeated,
        "Only the rows are mixed; the columns need their weights too, on the right and transposed.",
        "Seules les lignes sont mélangées ; les colonnes ont aussi leurs poids, à droite et transposés.",
    ),
    Mistake(
        "pooling:upsample_bilinear",
        rows_for_both_sides,
        "The weights of the rows serve for the columns too, which only suits square pictures: make one matrix for each side.",
        "Les poids des lignes servent aussi pour les colonnes, ce qui ne va qu'aux images carrées : faites une matrice par côté.",
    ),
    Mistake(
        "pooling:upsample_bilinear",
        corners_aligned,
        "The corner pixels' centres are aligned, so the picture shifts with its size; it is the edges that must coincide.",
        "Les centres des pixels de coin sont alignés, si bien que l'image glisse avec sa taille ; ce sont les bords qui doivent coïncider.",
    ),
    edited(
        "convolution:Patchify",
        "whole = x[:, :, :height, :width]",
        "whole = x",
        "A side that is no whole number of patches stops it; as in a convolution, rows and columns that fill no patch are left out.",
        "Un côté qui n'est pas un nombre entier de carreaux l'arrête ; comme dans une convolution, omettez ce qui n'en remplit aucun.",
    ),
    edited(
        "convolution:Patchify",
        'rearrange(projected, "n h w d -> n d h w")',
        "projected.flatten(1, 2)",
        "The patches come in one list, and nothing says any more which are neighbours; leave them on their grid, channels first.",
        "Les carreaux viennent en une seule liste, et plus rien ne dit lesquels se touchent ; laissez-les en grille, canaux d'abord.",
    ),
    edited(
        "convolution:Unpatchify",
        "F.pixel_shuffle(self.paint(x), self.patch_size)",
        'rearrange(self.paint(x), "n (p q c) h w -> n c (h p) (w q)", p=self.patch_size, q=self.patch_size)',
        "The numbers of a position are read pixel by pixel, and colours are mixed; they are channel by channel: (c p q).",
        "Les nombres d'une position sont lus pixel par pixel, et les couleurs se mélangent ; ils vont canal par canal : (c p q).",
    ),
    edited(
        "convolution:Unpatchify",
        "F.pixel_shuffle(self.paint(x), self.patch_size)",
        'rearrange(self.paint(x), "n (c q p) h w -> n c (h p) (w q)", p=self.patch_size, q=self.patch_size)',
        "Rows and columns are exchanged within each patch; p, the row, comes before q, the column: (c p q).",
        "Lignes et colonnes sont échangées dans chaque carreau ; p, la ligne, vient avant q, la colonne : (c p q).",
    ),
    edited(
        "convolution:Unpatchify",
        "F.pixel_shuffle(self.paint(x), self.patch_size)",
        'rearrange(self.paint(x), "n (c p q) h w -> n c (p h) (q w)", p=self.patch_size, q=self.patch_size)',
        "The pixels of a patch are spread over the whole picture, one for each copy of the grid; a patch stays together: (h p) (w q).",
        "Les pixels d'un carreau s'éparpillent sur toute l'image, un par copie de la grille ; un carreau reste d'un bloc : (h p) (w q).",
    ),
]
