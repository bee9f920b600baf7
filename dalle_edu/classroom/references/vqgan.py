"""VQGAN's perceptual distance and adaptive weight against PyTorch's cosine similarity and gradients."""

from collections.abc import Callable
from operator import eq
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.classroom.checking.asking import DOUBLE, asked, double, filled, numbers
from dalle_edu.classroom.checking.cases import Case, ChangesAnArgument, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import comma, say


def _features(kind: str, seed: int, bias: float = 1.0) -> nn.Sequential:
    """A network that looks. Its biases have it see something everywhere: the cosine of nothing is not defined."""
    layers: dict[str, list[nn.Module]] = {
        "1 ReLU": [nn.Conv2d(3, 6, 1), nn.ReLU()],
        "2 ReLU": [nn.Conv2d(3, 9, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(9, 8, 3), nn.ReLU()],
        "3 ReLU": [nn.Conv2d(3, 9, 3, padding=1), nn.BatchNorm2d(9), nn.ReLU(), nn.Dropout(0.5), nn.Conv2d(9, 9, 2, stride=2), nn.ReLU(),
                   nn.Conv2d(9, 8, 1), nn.ReLU(), nn.Conv2d(8, 2, 1)],
    }  # fmt: skip
    network = filled(nn.Sequential(*layers[kind]), seed)
    for layer in network:
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            nn.init.constant_(layer.bias, bias)
    return network


def _by_cosines(features: nn.Sequential, first: Tensor, second: Tensor) -> Tensor:
    """The squared distance of two unit vectors is 2 - 2 cos."""
    cosines, a, b = list[Tensor](), first, second
    for layer in features.eval():
        a, b = layer(a), layer(b)
        if isinstance(layer, nn.ReLU):
            cosines.append(2 - 2 * F.cosine_similarity(a, b, dim=1).mean())
    return torch.stack(cosines).mean()


def _distances(kind: str, n: int, height: int, width: int, seed: int) -> list[Case]:
    """The distance and both gradients; that it stays the same in training; and that the network that looks learns nothing."""
    pictures = [numbers(seed + side, n, 3, height, width) for side in (0, 1)]

    def measured(distance: Callable[[Tensor, Tensor], Tensor]) -> dict[str, Any]:
        given = [picture.clone().requires_grad_() for picture in pictures]
        found = distance(*given)
        slopes = torch.autograd.grad(found, given, allow_unused=True, materialize_grads=True)
        return {say("distance", "distance"): found.detach(), say("gradients", "gradients"): list(slopes)}

    def in_training(version: Any) -> dict[str, Any]:
        features = _features(kind, seed)
        judge = version(features)
        judge.train()
        found = asked(judge.forward, *pictures)
        learns = any(weight.requires_grad for weight in features.parameters())
        return {say("distance", "distance"): found.detach(), say("its weights learn", "ses poids s'entraînent"): learns}

    def still() -> dict[str, Any]:
        found = _by_cosines(_features(kind, seed), *pictures)
        return {say("distance", "distance"): found.detach(), say("its weights learn", "ses poids s'entraînent"): False}

    size = f"{n} × 3 × {height} × {width}"
    en, fr = f"features with {kind}, pictures of {size}", f"un réseau à {kind}, des images de {size}"
    return [
        scenario(
            en,
            fr,
            lambda: measured(lambda *given: _by_cosines(_features(kind, seed), *given)),
            lambda version: measured(version(_features(kind, seed))),
            pictures[0].numel(),
        ),
        scenario(f"{en}, after `train()`", f"{fr}, après `train()`", still, in_training, pictures[0].numel() + 1),
    ]


def _at_once(en: str, fr: str, bias: float, seed: int) -> Case:
    """The distance of a picture from itself, seen or not."""
    picture, nothing = numbers(seed, 1, 3, 6, 4).abs(), torch.tensor(0.0, dtype=DOUBLE)
    return scenario(
        en, fr, lambda: nothing, lambda version: asked(version(_features("1 ReLU", seed, bias)).forward, picture, picture).detach(), 50
    )


def _perceptual(seed: int) -> list[Case]:
    return [
        *_distances("1 ReLU", 1, 1, 2, seed),
        *_distances("2 ReLU", 2, 12, 12, seed + 10),
        *_distances("2 ReLU", 1, 10, 14, seed + 20),
        *_distances("3 ReLU", 3, 4, 6, seed + 30),
        _at_once("a picture and itself", "une image et elle-même", 1.0, seed),
        _at_once("a picture and itself, and no feature", "une image et elle-même, sans caractéristique", -100.0, seed),
    ]


# ---------------------------------------------------------------- the weight of a loss


def _weighed(
    en: str, fr: str, losses: Callable[[Tensor], tuple[Tensor, Tensor]], layer: Tensor, wanted: float, most: float | None = None
) -> Case:
    """The weight; and what is left for training: the gradient of both losses, and nothing in the layer's `grad`."""
    left, gradient = say("left in grad", "laissé dans grad"), say("the losses' own gradient", "le gradient des pertes")

    def ask(version: Any) -> dict[str, Any]:
        weights = layer.clone().requires_grad_()
        reconstruction, adversarial = losses(weights)
        options = {} if most is None else {"most": most}
        before = reconstruction.item(), adversarial.item()
        found = version(reconstruction, adversarial, weights, **options)
        after = reconstruction.item(), adversarial.item()
        for name, same in zip(("reconstruction", "adversarial"), map(eq, before, after), strict=True):
            if not same:
                raise ChangesAnArgument(name)
        if not torch.equal(weights, layer):
            raise ChangesAnArgument("last_layer")
        filled_in = weights.grad is not None
        (slope,) = torch.autograd.grad(reconstruction + adversarial, weights)
        return {say("weight", "poids"): found.detach(), say("learns", "s'entraîne"): found.requires_grad, left: filled_in, gradient: slope}

    def peer() -> dict[str, Any]:
        weights = layer.clone().requires_grad_()
        (slope,) = torch.autograd.grad(sum(losses(weights)), weights)  # type: ignore[arg-type]
        weight = torch.tensor(wanted, dtype=DOUBLE)
        return {say("weight", "poids"): weight, say("learns", "s'entraîne"): False, left: False, gradient: slope}

    return scenario(en, fr, peer, ask, layer.numel())


def _weight(seed: int) -> list[Case]:
    """Losses whose gradients are known: 3 w·a has gradient 3a, |w|²/2 has gradient w."""
    a, w = double(3.0, 4.0), double(0.6, 0.8)
    table, other = numbers(seed, 4, 3), numbers(seed + 1, 4, 3)
    far, strong = float(table.norm()), float(other.norm())

    def plain(layer: Tensor) -> tuple[Tensor, Tensor]:
        return 3 * (layer * a).sum(), layer.square().sum() / 2

    def shifted(layer: Tensor) -> tuple[Tensor, Tensor]:
        return 3 * (layer * a).sum() + 1000, layer.square().sum() / 2 - 50

    def quiet(layer: Tensor) -> tuple[Tensor, Tensor]:
        return (layer * a).sum(), 1e-12 * (layer * a).sum()

    def loud(layer: Tensor) -> tuple[Tensor, Tensor]:
        return quiet(layer)[::-1]

    def silent(layer: Tensor) -> tuple[Tensor, Tensor]:
        return (layer * a).sum(), 0 * layer.sum()

    def wide(layer: Tensor) -> tuple[Tensor, Tensor]:
        return layer.square().sum() / 2, (layer * other).sum()

    return [
        _weighed("gradients of norms 15 and 1", "des gradients de normes 15 et 1", plain, w, 15 / (1 + 1e-4)),
        _weighed("losses far from 0, gradients 15 and 1", "des pertes loin de 0, gradients 15 et 1", shifted, w, 15 / (1 + 1e-4)),
        _weighed("gradients of norms 15 and 1, most = 4", "des gradients de normes 15 et 1, most = 4", plain, w, 4.0, 4.0),
        _weighed("an adversary that hardly pulls", "un adversaire qui tire à peine", quiet, w, 1e4),
        _weighed("an adversary that pulls hard", "un adversaire qui tire fort", loud, w, 5e-12 / (5 + 1e-4)),
        _weighed("an adversary without gradient", "un adversaire sans gradient", silent, w, 1e4),
        _weighed("an adversary without gradient, most = 1e6", "un adversaire sans gradient, most = 1e6", silent, w, 5e4, 1e6),
        _weighed("a layer of 4 × 3", "une couche de 4 × 3", wide, table, far / (strong + 1e-4)),
        _weighed(
            f"a layer of 4 × 3, most = {far / 9:.2f}",
            f"une couche de 4 × 3, most = {comma(far / 9, 2)}",
            wide,
            table,
            min(far / 9, far / (strong + 1e-4)),
            far / 9,
        ),
    ]


REFERENCES = [
    Reference("vqgan:PerceptualDistance", "torch.nn.functional.cosine_similarity", cases=_perceptual, tolerance=1e-8),
    Reference(
        "vqgan:adaptive_weight",
        say("the norms of known gradients", "les normes de gradients connus"),
        cases=_weight,
        tolerance=1e-8,
    ),
]
