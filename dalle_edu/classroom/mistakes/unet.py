"""Mistakes about the U-Net."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.unet import UNet
from dalle_edu.bricks.unet_blocks import GroupNormBlock, Middle
from dalle_edu.classroom.checking.proof import Mistake


def time_brought_to_one(time: Tensor, width: int, max_period: float = 10_000.0) -> Tensor:
    speeds = torch.exp(-math.log(max_period) * torch.arange(width // 2) / (width // 2 - 1))
    angles = (time / 1000)[:, None] * speeds
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def sines_and_cosines_interleaved(time: Tensor, width: int, max_period: float = 10_000.0) -> Tensor:
    speeds = torch.exp(-math.log(max_period) * torch.arange(width // 2) / (width // 2 - 1))
    angles = time[:, None] * speeds
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def slowest_hand_left_out(time: Tensor, width: int, max_period: float = 10_000.0) -> Tensor:
    speeds = torch.exp(-math.log(max_period) * torch.arange(width // 2) / (width // 2))
    angles = time[:, None] * speeds
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class ScaleWithoutOne(GroupNormBlock):
    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        hidden = self.norm_2(self.look_1(F.silu(self.norm_1(x))))
        if self.scale_shift is not None and condition is not None:
            scale, shift = self.scale_shift(F.silu(condition))[:, :, None, None].chunk(2, dim=1)
            hidden = hidden * scale + shift
        return self.shortcut(x) + self.look_2(F.silu(hidden))


class ConditionWithoutActivation(GroupNormBlock):
    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        hidden = self.norm_2(self.look_1(F.silu(self.norm_1(x))))
        if self.scale_shift is not None and condition is not None:
            scale, shift = self.scale_shift(condition)[:, :, None, None].chunk(2, dim=1)
            hidden = hidden * (1 + scale) + shift
        return self.shortcut(x) + self.look_2(F.silu(hidden))


class SkipsForgotten(UNet):
    def join(self, x: Tensor, skip: Tensor) -> Tensor:
        return torch.cat([x, x], dim=1)


class ShortcutForgotten(GroupNormBlock):
    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        return super().forward(x, condition) - self.shortcut(x)


class JoinedTheOtherWayRound(UNet):
    def join(self, x: Tensor, skip: Tensor) -> Tensor:
        return torch.cat([skip, x], dim=1)


class SkipTakenTooEarly(UNet):
    def down_and_up(self, x: Tensor, condition: Tensor | None = None, words: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        skips = []
        for level, down in zip(self.encoder, self.down, strict=False):
            skips.append(x)
            x = down(level(x, condition, words, mask))
        x = self.encoder[-1](x, condition, words, mask)
        if self.middle is not None:
            x = self.middle(x, words, mask)
        for level, up, skip in reversed(list(zip(self.decoder, self.up, skips, strict=True))):
            x = level(self.join(up(x), skip), condition, words, mask)
        return x


class BottomForgotten(UNet):
    def down_and_up(self, x: Tensor, condition: Tensor | None = None, words: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        skips = []
        for level, down in zip(self.encoder, self.down, strict=False):
            skips.append(level(x, condition, words, mask))
            x = down(skips[-1])
        if self.middle is not None:
            x = self.middle(x, words, mask)
        for level, up, skip in reversed(list(zip(self.decoder, self.up, skips, strict=True))):
            x = level(self.join(up(x), skip), condition, words, mask)
        return x


class ClassOverwritesTime(UNet):
    def condition_of(self, images: Tensor, time: Tensor | None, pooled: Tensor | None) -> Tensor | None:
        return super().condition_of(images, time, None) if pooled is None else self.pooled(pooled)


class TimeStandsStill(UNet):
    def condition_of(self, images: Tensor, time: Tensor | None, pooled: Tensor | None) -> Tensor | None:
        return super().condition_of(images, None if time is None else torch.zeros_like(time), pooled)


class PositionsForgotten(Middle):
    def forward(self, x: Tensor, text: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        tokens = x.flatten(2).transpose(1, 2)
        for block in self.blocks:
            tokens = block(tokens) if text is None else block(tokens, text, mask)
        return tokens.transpose(1, 2).unflatten(2, x.shape[2:])


MISTAKES = [
    Mistake(
        "unet_blocks:Middle",
        PositionsForgotten,
        "The transformer is not told where each position of the picture is: without positions, left and right are one.",
        "Le transformeur ne sait pas où se trouve chaque position de l'image : sans positions, gauche et droite se confondent.",
    ),
    Mistake(
        "unet_blocks:sinusoidal_embedding",
        time_brought_to_one,
        "The time is divided by 1,000 first: all circles hardly turn, and every timestep looks the same; keep timesteps from 0 to 1,000.",
        "Le temps est d'abord divisé par 1 000 : les cercles tournent à peine et tous les instants se ressemblent ; gardez 0 à 1 000.",
    ),
    Mistake(
        "unet_blocks:sinusoidal_embedding",
        sines_and_cosines_interleaved,
        "Sines and cosines are interleaved; here all sines come first, and weights trained with one order cannot read the other.",
        "Sinus et cosinus sont entrelacés ; ici tous les sinus viennent d'abord, et des poids appris dans un ordre ne lisent pas l'autre.",
    ),
    Mistake(
        "unet_blocks:sinusoidal_embedding",
        slowest_hand_left_out,
        "The series of speeds is divided in width / 2 and never comes to 1 / max_period: both ends are included, so divide by one less.",
        "La suite des vitesses n'arrive pas à 1 / max_period : les deux bouts sont compris ; divisez par width / 2 moins 1.",
    ),
    Mistake(
        "unet_blocks:GroupNormBlock",
        ScaleWithoutOne,
        "The channels are multiplied by the scale itself, which starts near 0 and silences them; multiply by 1 + scale.",
        "Les canaux sont multipliés par l'échelle elle-même, proche de 0 au début, ce qui les fait taire ; multipliez par 1 + échelle.",
    ),
    Mistake(
        "unet_blocks:GroupNormBlock",
        ConditionWithoutActivation,
        "The condition goes into the scale and the shift without SiLU, so two linear layers in a row do the work of one.",
        "La condition entre dans l'échelle et le décalage sans SiLU : deux couches linéaires de suite font alors le travail d'une seule.",
    ),
    Mistake(
        "unet_blocks:GroupNormBlock",
        ShortcutForgotten,
        "The correction comes back alone: a new block would return zeros; add it to the input, or to its 1 × 1 convolution.",
        "La correction revient seule : un bloc neuf rendrait des zéros ; ajoutez-la à l'entrée, ou à sa convolution 1 × 1.",
    ),
    Mistake(
        "unet:UNet",
        JoinedTheOtherWayRound,
        "The skip is put in front of what comes up; trained weights expect what comes up first, then the skip.",
        "Le raccourci est mis devant ce qui remonte ; des poids appris attendent d'abord ce qui remonte, puis le raccourci.",
    ),
    Mistake(
        "unet:UNet",
        SkipTakenTooEarly,
        "The skip is taken before the level's blocks: what they found there goes down, and not across; keep their output.",
        "Le raccourci est pris avant les blocs du niveau : ce qu'ils ont trouvé descend, mais ne traverse pas ; gardez leur sortie.",
    ),
    Mistake(
        "unet:UNet",
        BottomForgotten,
        "The last level of the encoder, the bottom, is never applied: after going down, call `self.encoder[-1]`.",
        "Le dernier niveau de l'encodeur, le fond, n'est jamais appliqué : une fois en bas, appelez `self.encoder[-1]`.",
    ),
    Mistake(
        "unet:UNet",
        SkipsForgotten,
        "What comes up is joined with itself instead of the skip: the way up no longer knows where the edges were.",
        "Ce qui remonte est joint à lui-même au lieu du raccourci : la remontée ne sait plus où étaient les contours.",
    ),
    Mistake(
        "unet:UNet",
        TimeStandsStill,
        "The network is always told time 0, and takes the noisiest picture for a clean one; hand it the timestep that came.",
        "Le réseau entend toujours le temps 0 et prend l'image la plus bruitée pour une image nette ; transmettez-lui l'instant reçu.",
    ),
    Mistake(
        "unet:UNet",
        ClassOverwritesTime,
        "The class replaces the time instead of being added to it: the network no longer knows how noisy its picture is.",
        "La classe remplace le temps au lieu de s'y ajouter : le réseau ne sait plus à quel point son image est bruitée.",
    ),
]
