"""Mistakes about cutting pictures into patches, and about laying patches side by side again."""

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from dalle_edu.bricks.convolution import Patchify, Unpatchify
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


class CutAsAView(Patchify):
    """Runs of p² numbers in reading order, in place of patches."""

    def forward(self, x: Tensor) -> Tensor:
        p = self.stride[0]
        height, width = x.shape[2] // p * p, x.shape[3] // p * p
        runs = x[:, :, :height, :width].reshape(len(x), x.shape[1], height // p, width // p, p * p)
        runs = rearrange(runs, "n c h w q -> n h w (c q)")
        return rearrange(F.linear(runs, self.weight.flatten(1), self.bias), "n h w d -> n d h w")


class LaidAsAView(Unpatchify):
    """The channels of a position are not put in place: memory is cut up another way."""

    def forward(self, x: Tensor) -> Tensor:
        painted = self.paint(x)
        p = self.patch_size
        return painted.reshape(len(x), -1, p * x.shape[2], p * x.shape[3])


MISTAKES = [
    Mistake(
        "convolution:Patchify",
        CutAsAView,
        "Runs of neighbouring numbers of a row are taken for patches: `reshape` cuts memory, not pictures; use `rearrange`.",
        "Des suites de nombres d'une ligne passent pour des carreaux : `reshape` coupe la mémoire, pas l'image ; prenez `rearrange`.",
    ),
    edited(
        "convolution:Patchify",
        "(c p q)",
        "(p q c)",
        "The numbers of a patch go pixel by pixel; the weights expect them channel by channel, then row by row: (c p q).",
        "Les nombres d'un carreau vont pixel par pixel ; les poids les attendent canal par canal, puis ligne par ligne : (c p q).",
    ),
    edited(
        "convolution:Patchify",
        "(c p q)",
        "(c q p)",
        "Rows and columns are exchanged within each patch; p, the row, comes before q, the column.",
        "Lignes et colonnes sont échangées dans chaque carreau ; p, la ligne, vient avant q, la colonne.",
    ),
    edited(
        "convolution:Patchify",
        ", self.bias",
        "",
        "The bias is not added; it is the third argument of F.linear.",
        "Le biais n'est pas ajouté ; c'est le troisième argument de F.linear.",
    ),
    Mistake(
        "convolution:Unpatchify",
        LaidAsAView,
        "A position's numbers are scattered over the picture: `reshape` moves nothing; F.pixel_shuffle or `rearrange` puts them right.",
        "Les nombres d'une place s'éparpillent dans l'image : `reshape` ne range rien ; F.pixel_shuffle ou `rearrange` les range.",
    ),
    edited(
        "convolution:Unpatchify",
        "F.pixel_shuffle(self.paint(x), self.patch_size)",
        "F.pixel_shuffle(self.paint(x), self.patch_size).transpose(2, 3)",
        "The picture is turned over: its rows are its columns; rows come first.",
        "L'image est retournée : ses lignes sont ses colonnes ; les lignes viennent d'abord.",
    ),
    edited(
        "convolution:Unpatchify",
        "F.pixel_shuffle(self.paint(x), self.patch_size)",
        "F.interpolate(self.paint(x)[:, :: self.patch_size**2], scale_factor=self.patch_size)",
        "One pixel of each patch is repeated; the convolution has computed p² different ones, to be put in place.",
        "Un seul pixel de chaque carreau est répété ; la convolution en a calculé p² différents, à ranger.",
    ),
]
