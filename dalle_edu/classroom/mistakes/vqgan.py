"""Mistakes about VQGAN's perceptual distance and adaptive weight."""

import torch
from torch import Tensor

from dalle_edu.bricks.vqgan import PerceptualDistance
from dalle_edu.classroom.checking.edited import edited
from dalle_edu.classroom.checking.proof import Mistake


class FeaturesNotNormalised(PerceptualDistance):
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        distances = []
        for layer in self.features:
            first, second = layer(first), layer(second)
            if isinstance(layer, torch.nn.ReLU):
                distances.append((first - second).square().sum(dim=1).mean())
        return torch.stack(distances).mean()


class LastLayerOnly(PerceptualDistance):
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        first, second = (torch.nn.functional.normalize(self.features(picture), dim=1) for picture in (first, second))
        return (first - second).square().sum(dim=1).mean()


class JudgeLearns(PerceptualDistance):
    def __init__(self, features: torch.nn.Sequential):
        super().__init__(features)
        self.features.requires_grad_(True)


def ratio_turned_over(reconstruction: Tensor, adversarial: Tensor, last_layer: Tensor, most: float = 1e4) -> Tensor:
    (wanted,) = torch.autograd.grad(reconstruction, last_layer, retain_graph=True)
    (given,) = torch.autograd.grad(adversarial, last_layer, retain_graph=True)
    return (given.norm() / (wanted.norm() + 1e-4)).clamp(max=most).detach()


def ratio_of_losses(reconstruction: Tensor, adversarial: Tensor, last_layer: Tensor, most: float = 1e4) -> Tensor:
    return (reconstruction.abs() / (adversarial.abs() + 1e-4)).clamp(max=most).detach()


def no_ceiling(reconstruction: Tensor, adversarial: Tensor, last_layer: Tensor, most: float = 1e4) -> Tensor:
    (wanted,) = torch.autograd.grad(reconstruction, last_layer, retain_graph=True)
    (given,) = torch.autograd.grad(adversarial, last_layer, retain_graph=True)
    return (wanted.norm() / given.norm()).detach()


MISTAKES = [
    Mistake(
        "vqgan:PerceptualDistance",
        FeaturesNotNormalised,
        "The features are compared as they are, so the layer with the largest values decides alone; make each position a unit vector.",
        "Les caractéristiques sont comparées telles quelles, et la couche aux plus grandes valeurs décide seule ; normez chaque position.",
    ),
    Mistake(
        "vqgan:PerceptualDistance",
        LastLayerOnly,
        "Only the last layer is compared: it knows what is shown, not how sharp its edges are; look after every ReLU.",
        "Seule la dernière couche est comparée : elle sait ce qui est montré, non si les bords sont nets ; regardez après chaque ReLU.",
    ),
    Mistake(
        "vqgan:PerceptualDistance",
        JudgeLearns,
        "The judge's weights are trained too, and it learns to find everything alike; freeze them.",
        "Les poids du juge s'entraînent aussi, et il apprend à tout trouver pareil ; gelez-les.",
    ),
    Mistake(
        "vqgan:adaptive_weight",
        ratio_turned_over,
        "The ratio is turned over: where the adversary already pulls too hard, it is made to pull harder.",
        "Le rapport est renversé : là où l'adversaire tire déjà trop fort, il tire plus fort encore.",
    ),
    Mistake(
        "vqgan:adaptive_weight",
        ratio_of_losses,
        "Losses are compared instead of gradients; a loss of any size can pull with any strength.",
        "Ce sont les pertes qui sont comparées, non les gradients ; grande ou petite, une perte peut tirer avec n'importe quelle force.",
    ),
    Mistake(
        "vqgan:adaptive_weight",
        no_ceiling,
        "There is no ceiling: when the discriminator says nothing, the weight explodes.",
        "Il n'y a pas de plafond : quand le discriminateur ne dit rien, le poids explose.",
    ),
    edited(
        "vqgan:PerceptualDistance",
        "difference.square().sum(dim=1).mean()",
        "difference.square().mean()",
        "The squares are averaged over channels, so that a layer counts for less the wider it is; sum over channels, then average.",
        "Les carrés sont moyennés sur les canaux : plus une couche est large, moins elle compte ; sommez sur les canaux, puis moyennez.",
    ),
    edited(
        "vqgan:PerceptualDistance",
        "if isinstance(layer, nn.ReLU)",
        "if True",
        "Every layer is read, convolutions and poolings too; the features are those after each ReLU: test `isinstance(layer, nn.ReLU)`.",
        "Toutes les couches sont lues, même les convolutions ; les caractéristiques sont celles d'après chaque ReLU : testez `isinstance`.",
    ),
    edited(
        "vqgan:PerceptualDistance",
        "F.normalize(first, dim=1) - F.normalize(second, dim=1)",
        "first / first.norm(dim=1, keepdim=True) - second / second.norm(dim=1, keepdim=True)",
        "Where all features are 0 the division gives nan; zeros stay zeros: `F.normalize` divides by no less than a tiny number.",
        "Là où toutes les caractéristiques sont nulles, la division donne nan ; des zéros restent des zéros : `F.normalize` y veille.",
    ),
    edited(
        "vqgan:adaptive_weight",
        ".clamp(max=most)",
        "",
        "The upper limit is missing: where the adversary hardly pulls, the weight explodes; it is `most` at most.",
        "Il manque la borne : là où l'adversaire ne tire presque pas, le poids explose ; il vaut `most` au plus.",
    ),
    edited(
        "vqgan:adaptive_weight",
        ", retain_graph=True)",
        ")",
        "The graph is freed by the first gradient, and the losses can no longer be backpropagated: pass `retain_graph=True`.",
        "Le graphe est libéré par le premier gradient, et les pertes ne peuvent plus être rétropropagées : passez `retain_graph=True`.",
    ),
    edited(
        "vqgan:adaptive_weight",
        "(wanted,) = torch.autograd.grad(reconstruction, last_layer, retain_graph=True)",
        "reconstruction.backward(retain_graph=True)\n    wanted = last_layer.grad.clone()\n    last_layer.grad = None",
        "(given,) = torch.autograd.grad(adversarial, last_layer, retain_graph=True)",
        "adversarial.backward(retain_graph=True)\n    given = last_layer.grad",
        "With `backward`, every parameter keeps a gradient, which the next step would follow; `torch.autograd.grad` only returns it.",
        "Par `backward`, chaque paramètre garde un gradient, que le pas suivant suivrait ; `torch.autograd.grad` ne fait que le rendre.",
    ),
]
