"""Mistakes about the networks of a GAN."""

import torch
from torch import Tensor

from dalle_edu.bricks.dcgan import Discriminator, PatchDiscriminator
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


class HalvesToTheEnd(PatchDiscriminator):
    def __init__(self, channels: int = 3, width: int = 64, layers: int = 3, norm: type = torch.nn.BatchNorm2d):
        super().__init__(channels, width, layers, norm)
        for module in self.judge:
            if isinstance(module, torch.nn.Conv2d):
                module.stride = (2, 2)


class ClassWithoutPicture(Discriminator):
    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        assert self.embedding is not None
        logits = self.judge(self.look(images)).squeeze(1)
        return logits + self.embedding(labels).sum(dim=1)


class ClassTermAveraged(Discriminator):
    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        assert self.embedding is not None
        features = self.look(images)
        return self.judge(features).squeeze(1) + (self.embedding(labels) * features).mean(dim=1)


MISTAKES = [
    Mistake(
        "dcgan:Discriminator",
        ClassWithoutPicture,
        "The class shifts the logit whatever the picture shows; its vector must be multiplied with the picture's features.",
        "La classe décale le logit quoi que montre l'image ; son vecteur doit être multiplié par les traits de l'image.",
    ),
    Mistake(
        "dcgan:Discriminator",
        ClassTermAveraged,
        "The product of the class's vector and the features is averaged, not summed: the more features, the less the class counts.",
        "Le produit du vecteur de la classe et des traits est moyenné et non sommé : plus il y a de traits, moins la classe compte.",
    ),
    Mistake(
        "dcgan:PatchDiscriminator",
        HalvesToTheEnd,
        "Every convolution halves, so that patches are too large and too few; the last two have stride 1.",
        "Chaque convolution divise par deux : les morceaux sont trop grands et trop peu nombreux ; les deux dernières ont un pas de 1.",
    ),
    edited(
        "dcgan:PatchDiscriminator",
        "self.judge(images).squeeze(1)",
        "self.judge(images).squeeze(1).mean(dim=(1, 2))",
        "The patches are averaged into one logit for each picture; each patch keeps its own.",
        "Les morceaux sont moyennés en un logit par image ; chaque morceau garde le sien.",
    ),
    edited(
        "dcgan:PatchDiscriminator",
        "self.judge(images).squeeze(1)",
        "self.judge(images).squeeze(1).sigmoid()",
        "It returns probabilities; the losses take logits, so the last convolution has nothing after it.",
        "Il rend des probabilités ; les pertes prennent des logits : après la dernière convolution, il n'y a rien.",
    ),
    edited(
        "dcgan:PatchDiscriminator",
        "nn.LeakyReLU(0.2)",
        "nn.ReLU()",
        "A plain ReLU gives no gradient to the generator where it is off; the discriminator's are leaky, with a slope of 0.2.",
        "Une ReLU simple ne rend aucun gradient au générateur là où elle est éteinte ; celles-ci fuient, avec une pente de 0,2.",
    ),
    edited(
        "dcgan:PatchDiscriminator",
        "width * min(2**i, 8)",
        "width * 2**i",
        "The width goes on doubling; it stops at 8 times the first.",
        "La largeur double sans fin ; elle s'arrête à 8 fois la première.",
    ),
    edited(
        "dcgan:PatchDiscriminator",
        "stride=stride, padding=1)",
        "stride=stride, padding=1, bias=False)",
        "The convolutions before a normalisation have no bias, as DCGAN's; here `norm` may leave the mean alone: keep the bias.",
        "Les convolutions suivies d'une normalisation n'ont pas de biais, comme dans DCGAN ; mais `norm` peut ne rien centrer : gardez-le.",
    ),
    edited(
        "dcgan:PatchDiscriminator",
        "        initialise(self)\n",
        "",
        "The weights stay as PyTorch makes them, larger in narrow layers; call `initialise`, which samples all with a deviation of 0.02.",
        "Les poids restent ceux de PyTorch, plus grands dans les couches étroites ; appelez `initialise`, qui les tire d'écart-type 0,02.",
    ),
]
