"""More mistakes about sizes, filters, patches and pooling, and those about the residual block."""

import math
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.convolution import conv2d, convolution_matrix, im2col
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


def rounded_up(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    return math.ceil((size + 2 * padding - kernel_size) / stride) + 1


def kernels_added(kernels: Sequence[int], strides: Sequence[int]) -> int:
    return max(1, sum(kernels))


def own_stride_counted(kernels: Sequence[int], strides: Sequence[int]) -> int:
    field, apart = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        apart *= stride
        field += (kernel - 1) * apart
    return field


def from_the_picture_on(kernels: Sequence[int], strides: Sequence[int]) -> int:
    field = 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field = (field - 1) * stride + kernel
    return field


def margin_forgotten(images: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    return conv2d(images, kernels, stride)


def positions_one_apart(images: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    rows = (images.shape[2] + 2 * padding - kernels.shape[2]) // stride + 1
    columns = (images.shape[3] + 2 * padding - kernels.shape[3]) // stride + 1
    return conv2d(images, kernels, 1, padding)[:, :, :rows, :columns]


def kernel_flattened_backwards(images: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    return conv2d(images, kernels.flip(2, 3), stride, padding)


def rows_taken_for_columns(images: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    maps = conv2d(images, kernels, stride, padding)
    return maps.flatten(2).unflatten(2, (maps.shape[3], maps.shape[2]))


def patches_as_rows(images: Tensor, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0) -> Tensor:
    return im2col(images, kernel_size, stride, padding).transpose(1, 2)


def column_by_column(images: Tensor, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0) -> Tensor:
    turned = im2col(images.transpose(2, 3), (kernel_size[1], kernel_size[0]), stride, padding)
    columns = turned.unflatten(1, (images.shape[1], kernel_size[1], kernel_size[0]))
    return columns.transpose(2, 3).flatten(1, 3)


def maps_in_columns(kernels: Tensor, size: tuple[int, int], stride: int = 1, padding: int = 0) -> Tensor:
    return convolution_matrix(kernels, size, stride, padding).T


def turned_over(kernels: Tensor, size: tuple[int, int], stride: int = 1, padding: int = 0) -> Tensor:
    return convolution_matrix(kernels.flip(2, 3), size, stride, padding)


def settings_left_out(kernels: Tensor, size: tuple[int, int], stride: int = 1, padding: int = 0) -> Tensor:
    return convolution_matrix(kernels, size)


def largest_in_size(images: Tensor, kernel_size: int, stride: int | None = None) -> Tensor:
    stride = kernel_size if stride is None else stride
    patches = images.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride).flatten(-2)
    return patches.gather(-1, patches.abs().argmax(dim=-1, keepdim=True))[..., 0]


def largest_of_all_channels(images: Tensor, kernel_size: int, stride: int | None = None) -> Tensor:
    return F.max_pool2d(images, kernel_size, stride).amax(dim=1, keepdim=True)


def mean_over_channels(images: Tensor, kernel_size: int, stride: int | None = None) -> Tensor:
    return F.avg_pool2d(images, kernel_size, stride).mean(dim=1, keepdim=True)


def mean_one_pixel_at_a_time(images: Tensor, kernel_size: int, stride: int | None = None) -> Tensor:
    return F.avg_pool2d(images, kernel_size, stride or 1)


def one_inside_the_parentheses(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    return (size + 2 * padding - kernel_size + 1) // stride


def kernel_alone_divided(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    return size + 2 * padding - kernel_size // stride + 1


def quotient_not_rounded(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> float:
    return (size + 2 * padding - kernel_size) / stride + 1


def as_for_an_ordinary_convolution(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    return (size + 2 * padding - kernel_size) // stride + 1


def last_kernel_forgotten(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    return (size - 1) * stride + 1 - 2 * padding


def last_position_left_out(images: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    maps = conv2d(images, kernels, stride, padding)
    for axis in (2, 3):
        if (images.shape[axis] + 2 * padding - kernels.shape[axis]) % stride == 0:
            maps.narrow(axis, -1, 1).zero_()
    return maps


MISTAKES = [
    Mistake(
        "convolution:conv_output_size",
        rounded_up,
        "The quotient is rounded up: a last position would hang over the edge. Round down, with //.",
        "Le quotient est arrondi au-dessus : une dernière position dépasserait du bord. Arrondissez au-dessous, par //.",
    ),
    Mistake(
        "convolution:receptive_field",
        kernels_added,
        "The sides of the kernels are added up; neighbouring fields overlap, and each layer adds only kernel - 1.",
        "Les côtés des noyaux sont additionnés ; des champs voisins se recouvrent, et chaque couche n'ajoute que noyau - 1.",
    ),
    Mistake(
        "convolution:receptive_field",
        own_stride_counted,
        "A layer's kernel is spread by its own stride; only the strides of the layers before it count.",
        "Le noyau d'une couche est écarté par son propre pas ; seuls comptent les pas des couches d'avant.",
    ),
    Mistake(
        "convolution:receptive_field",
        from_the_picture_on,
        "The chain is read from the picture on; (field - 1) × stride + kernel leads from a layer's output to its input: begin at the end.",
        "La chaîne part de l'image ; or (champ - 1) × pas + noyau mène de la sortie d'une couche à son entrée : partez de la fin.",
    ),
    Mistake(
        "convolution:conv2d_by_loops",
        margin_forgotten,
        "The padding is left out: put zeros around the picture before the window slides.",
        "La marge est oubliée : entourez l'image de zéros avant de faire glisser la fenêtre.",
    ),
    Mistake(
        "convolution:conv2d_by_loops",
        positions_one_apart,
        "The window moves by one pixel whatever the stride; position i begins at pixel i × stride.",
        "La fenêtre avance d'un pixel quel que soit le pas ; la position i commence au pixel i × pas.",
    ),
    Mistake(
        "convolution:conv2d",
        kernel_flattened_backwards,
        "The weights of a kernel are read from its end; flatten it as it is, in the order of im2col's columns.",
        "Les poids d'un noyau sont lus depuis la fin ; aplatissez-le tel quel, dans l'ordre des colonnes d'im2col.",
    ),
    Mistake(
        "convolution:conv2d",
        rows_taken_for_columns,
        "The positions are laid out with rows and columns exchanged: the map has conv_output_size(height, …) rows.",
        "Les positions sont rangées en échangeant lignes et colonnes : la carte a conv_output_size(hauteur, …) lignes.",
    ),
    Mistake(
        "convolution:im2col",
        patches_as_rows,
        "Each patch is a row; the answer has a patch in each column, and as many columns as positions.",
        "Chaque morceau est une ligne ; la réponse a un morceau par colonne, et autant de colonnes que de positions.",
    ),
    Mistake(
        "convolution:im2col",
        column_by_column,
        "The positions go down the picture first; they follow reading order, along each row, then the next row.",
        "Les positions descendent d'abord l'image ; elles suivent l'ordre de lecture : le long d'une ligne, puis la suivante.",
    ),
    Mistake(
        "convolution:convolution_matrix",
        maps_in_columns,
        "The matrix is transposed: it has a row for each number of the maps, a column for each pixel.",
        "La matrice est transposée : elle a une ligne par nombre des cartes, une colonne par pixel.",
    ),
    Mistake(
        "convolution:convolution_matrix",
        turned_over,
        "The weights of each row are in reverse order; the convolution of networks does not turn its kernel over.",
        "Les poids de chaque ligne sont dans l'ordre inverse ; la convolution des réseaux ne retourne pas son noyau.",
    ),
    Mistake(
        "convolution:convolution_matrix",
        settings_left_out,
        "Stride and padding are left out: hand them to the convolution.",
        "Le pas et la marge sont oubliés : passez-les à la convolution.",
    ),
    Mistake(
        "pooling:max_pool2d",
        largest_in_size,
        "The number furthest from 0 is kept, even below 0; the maximum is the largest, with its sign.",
        "Le nombre le plus loin de 0 est gardé, même négatif ; le maximum est le plus grand, signe compris.",
    ),
    Mistake(
        "pooling:max_pool2d",
        largest_of_all_channels,
        "The maximum runs over the channels too; each channel is pooled by itself, and stays.",
        "Le maximum porte aussi sur les canaux ; chaque canal est réduit à part, et reste.",
    ),
    Mistake(
        "pooling:avg_pool2d",
        mean_over_channels,
        "The mean runs over the channels too; each channel is pooled by itself, and stays.",
        "La moyenne porte aussi sur les canaux ; chaque canal est réduit à part, et reste.",
    ),
    Mistake(
        "pooling:avg_pool2d",
        mean_one_pixel_at_a_time,
        "Without a stride the window moves by one pixel; by default it moves by its own size.",
        "Sans pas donné, la fenêtre avance d'un pixel ; par défaut elle avance de sa propre taille.",
    ),
    edited(
        "convolution:ResidualBlock",
        "return x + self.mix",
        "return self.mix",
        "The input is not added: a block is what came in plus a correction.",
        "L'entrée n'est pas ajoutée : un bloc est ce qui est entré, plus une correction.",
    ),
    edited(
        "convolution:ResidualBlock",
        "return x + self.mix(F.relu(self.look(F.relu(x))))",
        "x = F.relu(x)\n        return x + self.mix(F.relu(self.look(x)))",
        "What is added is relu(x), so that what is below 0 is lost: the shortcut carries x itself, and the convolution alone sees relu(x).",
        "Ce qui est ajouté est relu(x), et ce qui est sous 0 se perd : le raccourci porte x lui-même, seule la convolution voit relu(x).",
    ),
    edited(
        "convolution:ResidualBlock",
        "self.look(F.relu(x))",
        "self.look(x)",
        "The first ReLU is missing: the block looks at relu(x), though it adds to x itself.",
        "Il manque la première ReLU : le bloc regarde relu(x), mais ajoute à x lui-même.",
    ),
    edited(
        "convolution:ResidualBlock",
        "self.mix(F.relu(self.look(F.relu(x))))",
        "self.mix(self.look(F.relu(x)))",
        "The ReLU between the two convolutions is missing: without it they make a single linear map.",
        "Il manque la ReLU entre les deux convolutions : sans elle, les deux n'en font qu'une, linéaire.",
    ),
    edited(
        "convolution:ResidualBlock",
        "return x + self.mix(F.relu(self.look(F.relu(x))))",
        "return F.relu(x + self.mix(F.relu(self.look(F.relu(x)))))",
        "A ReLU after the sum cuts the shortcut: what is below 0 never comes through. Add, and stop there.",
        "Une ReLU après la somme coupe le raccourci : ce qui est sous 0 ne passe plus. Ajoutez, sans rien de plus.",
    ),
    Mistake(
        "convolution:conv_output_size",
        one_inside_the_parentheses,
        "The + 1 is inside the parentheses, and is divided too: divide first, then add the first position.",
        "Le + 1 est dans les parenthèses, et il est divisé aussi : divisez d'abord, puis ajoutez la première position.",
    ),
    Mistake(
        "convolution:conv_output_size",
        kernel_alone_divided,
        "Without parentheses the kernel alone is divided by the stride: put the whole difference in parentheses.",
        "Sans parenthèses, seul le noyau est divisé par le pas : mettez toute la différence entre parenthèses.",
    ),
    Mistake(
        "convolution:conv_output_size",
        quotient_not_rounded,
        "The quotient is not rounded, and positions are counted in fractions: round it down, with //.",
        "Le quotient n'est pas arrondi, et il y a des fractions de position : arrondissez-le au-dessous, par //.",
    ),
    Mistake(
        "convolution:transposed_output_size",
        as_for_an_ordinary_convolution,
        "This is the size of an ordinary convolution; the transposed one goes back: (size - 1) × stride - 2 × padding + kernel.",
        "C'est la taille d'une convolution ordinaire ; la transposée fait le retour : (taille - 1) × pas - 2 × marge + noyau.",
    ),
    Mistake(
        "convolution:transposed_output_size",
        last_kernel_forgotten,
        "The last stamp counts as one pixel; it has as many as the kernel: (size - 1) × stride - 2 × padding + kernel.",
        "Le dernier tampon compte pour un pixel ; il en a autant que le noyau : (taille - 1) × pas - 2 × marge + noyau.",
    ),
    Mistake(
        "convolution:conv2d_by_loops",
        last_position_left_out,
        "The loops end one position early, and its output stays 0: `range` leaves its end out, so add 1 to it.",
        "Les boucles s'arrêtent une position trop tôt, et sa sortie reste 0 : `range` exclut sa fin, ajoutez-lui 1.",
    ),
    edited(
        "convolution:conv2d_by_loops",
        "(padding,) * 4",
        "(0, 2 * padding, 0, 2 * padding)",
        "All the padding is on the right and below; a picture is padded on its four sides.",
        "Toute la marge est à droite et en bas ; une image est entourée des quatre côtés.",
    ),
    edited(
        "convolution:conv2d_by_loops",
        "products.sum(dim=(2, 3, 4))",
        "products.sum(dim=(0, 2, 3, 4))",
        "The sum runs over the pictures too, which all get the same total; add up channels, rows and columns alone.",
        "La somme porte aussi sur les images, qui reçoivent toutes le même total ; n'additionnez que canaux, lignes et colonnes.",
    ),
]
