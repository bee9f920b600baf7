"""Autoencoders against scikit-learn's and SciPy's algebra, and torch.distributions' probabilities."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.classroom.checking.asking import asked, double, drawn, filled, gradients_by_name, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import say


def _cloud(n: int, d: int, seed: int) -> Tensor:
    """Pictures far from the origin, more spread in some directions than in others."""
    turn = torch.linalg.qr(numbers(seed + 1, d, d)).Q
    return numbers(seed, n, d) * torch.arange(d, 0, -1).double().square() @ turn + 5


def _in_one_sense(directions: Tensor) -> Tensor:
    """Directions whose largest entry is positive: either sense of a direction will do."""
    largest = directions.gather(1, directions.abs().argmax(dim=1, keepdim=True))
    return directions * largest.sign()


def _plane(data: Tensor, latent: int, fresh: Tensor, en: str, fr: str) -> Case:
    def ask(version: Any) -> dict[str, Tensor]:
        found = asked(version, data, latent)
        latents = asked(found.encode, fresh)
        return {
            say("mean", "moyenne"): found.mean,
            "variances": found.variances,
            "directions": _in_one_sense(found.directions),
            say("pictures brought back", "images rendues"): asked(found.decode, latents),
            say("lengths of latents", "longueurs des latents"): latents.abs(),
        }

    def peer() -> dict[str, Tensor]:
        from sklearn.decomposition import PCA

        theirs = PCA(latent, svd_solver="full").fit(data.numpy())
        latents = theirs.transform(fresh.numpy())
        return {
            say("mean", "moyenne"): torch.from_numpy(theirs.mean_),
            "variances": torch.from_numpy(theirs.explained_variance_),
            "directions": _in_one_sense(torch.from_numpy(theirs.components_)),
            say("pictures brought back", "images rendues"): torch.from_numpy(theirs.inverse_transform(latents)),
            say("lengths of latents", "longueurs des latents"): torch.from_numpy(latents).abs(),
        }

    return scenario(en, fr, peer, ask, data.numel() + latent)


def _pca(seed: int) -> list[Case]:
    line, triangle = double([0.0, 0.0], [2.0, 1.0], [4.0, 2.0]), double([0.0, 3.0], [4.0, 3.0], [2.0, 0.0])
    clouds = ((60, 6, 1), (60, 6, 2), (60, 6, 5), (60, 6, 6), (4, 7, 3), (9, 3, 2))
    return [
        _plane(line, 1, line, "pictures (0, 0), (2, 1), (4, 2), latent = 1", "les images (0, 0), (2, 1), (4, 2), latent = 1"),
        _plane(triangle, 2, line, "pictures (0, 3), (4, 3), (2, 0), latent = 2", "les images (0, 3), (4, 3), (2, 0), latent = 2"),
        *(
            _plane(
                _cloud(n, d, seed + place),
                latent,
                numbers(seed + 50 + place, 5, d),
                f"{n} pictures of {d} pixels, latent = {latent}",
                f"{n} images de {d} pixels, latent = {latent}",
            )
            for place, (n, d, latent) in enumerate(clouds)
        ),
    ]


def _largest_angle(seed: int) -> list[Case]:
    def peer(first: Tensor, second: Tensor) -> float:
        from scipy.linalg import subspace_angles

        return float(subspace_angles(first.numpy().T, second.numpy().T).max())

    right, diagonal = double([1.0, 0.0]), double([1.0, 1.0])
    floor, wall = double([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]), double([1.0, 0.0, 0.0], [0.0, 3.0, 4.0])
    one, other = numbers(seed, 2, 6), numbers(seed + 1, 2, 6)
    return [
        call(peer, right, diagonal),
        call(peer, right, double([0.0, 2.0])),
        call(peer, right, -3 * right),
        call(peer, floor, wall),
        call(peer, floor, double([1.0, 1.0, 0.0], [1.0, 2.0, 0.0])),
        call(peer, one, other),
        call(peer, one, one + 1e-5 * other),
        call(peer, one, double([2.0, 1.0], [0.0, 3.0]) @ one),
        call(peer, numbers(seed + 2, 3, 7), numbers(seed + 3, 3, 7)),
        _at_right_angles(peer, seed),
    ]


def _at_right_angles(peer: Callable[[Tensor, Tensor], float], seed: int) -> Case:
    """Forty pairs of planes at right angles: of some, rounding brings the sine above 1."""
    pairs = []
    for place in range(40):
        axes = torch.linalg.qr(numbers(seed + place, 6, 6)).Q
        pairs.append([numbers(seed + place + 100 + part, 2, 2) @ axes[2 * part : 2 * part + 2] for part in range(2)])
    en, fr = "forty pairs of planes at right angles", "quarante couples de plans à angle droit"
    return scenario(en, fr, lambda: [peer(*pair) for pair in pairs], lambda version: [asked(version, *pair) for pair in pairs], 500)


def stack(x: Tensor, name: str, widths: Sequence[int], seed: int, weights: dict[str, Tensor]) -> Tensor:
    """PyTorch's linear maps with ReLU between them; their weights are added to `weights`."""
    for place, (before, after) in enumerate(pairwise(widths)):
        layer = f"{name}.{2 * place}"
        for part, shape in ((f"{layer}.weight", (after, before)), (f"{layer}.bias", (after,))):
            weights[part] = drawn(part, shape, seed).requires_grad_()
        x = F.linear(x if place == 0 else F.relu(x), weights[f"{layer}.weight"], weights[f"{layer}.bias"])
    return x


def named_slopes(loss: Tensor, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return dict(sorted(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True)))


def _autoencoders(n: int, pixels: int, latent: int, hidden: tuple[int, ...] | None, seed: int) -> list[Case]:
    """What an autoencoder gives back, its loss, and the gradients of its loss."""
    images = 2 * numbers(seed, n, pixels)
    shape = () if hidden is None else (hidden,)

    def ask(version: Any) -> dict[str, Any]:
        model = filled(version(pixels, latent, *shape), seed)
        loss = asked(model.loss, images)
        return {
            say("pictures", "images"): asked(model.forward, images).detach(),
            say("loss", "perte"): loss.detach(),
            say("gradients", "gradients"): gradients_by_name(loss, model),
        }

    def peer() -> dict[str, Any]:
        weights: dict[str, Tensor] = {}
        between = hidden or ()
        latents = stack(images, "encoder", (pixels, *between, latent), seed, weights)
        rebuilt = stack(latents, "decoder", (latent, *between[::-1], pixels), seed, weights)
        loss = F.mse_loss(rebuilt, images, reduction="sum") / n
        return {
            say("pictures", "images"): rebuilt.detach(),
            say("loss", "perte"): loss.detach(),
            say("gradients", "gradients"): named_slopes(loss, weights),
        }

    size = f"{n} × {pixels}, latent = {latent}" + ("" if hidden is None else f", hidden = {hidden}")
    return [scenario(f"pictures of {size}", f"des images de {size}", peer, ask, images.numel() + latent)]


def _as_pca(seed: int) -> Case:
    """With the weights of PCA, the pictures of PCA."""
    data = _cloud(20, 5, seed)

    def ask(version: Any) -> Tensor:
        _, _, axes = torch.linalg.svd(data - data.mean(dim=0), full_matrices=False)
        model = version(5, 2).double()
        with torch.no_grad():
            for part, weight, bias in (
                (model.encoder[0], axes[:2], -axes[:2] @ data.mean(dim=0)),
                (model.decoder[0], axes[:2].T, data.mean(dim=0)),
            ):
                part.weight.copy_(weight)
                part.bias.copy_(bias)
        return asked(model.forward, data).detach()

    def peer() -> Tensor:
        from sklearn.decomposition import PCA

        theirs = PCA(2, svd_solver="full").fit(data.numpy())
        return torch.from_numpy(theirs.inverse_transform(theirs.transform(data.numpy())))

    return scenario("the weights of PCA, 20 pictures", "les poids de l'ACP, 20 images", peer, ask, 200)


def _trained(seed: int) -> Case:
    """Trained to the end, a linear autoencoder brings data back as PCA does."""
    data = _cloud(12, 3, 0) / 10

    def ask(version: Any) -> Tensor:
        model = filled(version(3, 1), 0)
        optimiser = torch.optim.LBFGS(
            model.parameters(), max_iter=300, tolerance_grad=1e-9, tolerance_change=0.0, line_search_fn="strong_wolfe"
        )

        def closure() -> Tensor:
            optimiser.zero_grad()
            loss = model.loss(data.clone())
            loss.backward()
            return loss

        optimiser.step(closure)
        return asked(model.forward, data).detach()

    def peer() -> Tensor:
        from sklearn.decomposition import PCA

        theirs = PCA(1, svd_solver="full").fit(data.numpy())
        return torch.from_numpy(theirs.inverse_transform(theirs.transform(data.numpy())))

    return scenario("a linear one trained to the end", "un linéaire entraîné jusqu'au bout", peer, ask, 2000)


def _autoencoder(seed: int) -> list[Case]:
    shapes = ((1, 2, 1, None), (3, 6, 2, None), (4, 5, 2, (7,)), (5, 8, 3, (6, 4)), (1, 3, 5, ()))
    return [*(case for place, shape in enumerate(shapes) for case in _autoencoders(*shape, seed + place)), _as_pca(seed), _trained(seed)]


REFERENCES = [
    Reference("autoencoder:pca", "sklearn.decomposition.PCA", cases=_pca, tolerance=1e-9),
    Reference("autoencoder:largest_angle", "scipy.linalg.subspace_angles", cases=_largest_angle, tolerance=1e-10),
    Reference(
        "autoencoder:Autoencoder",
        say(
            "torch.nn.functional.linear, and sklearn.decomposition.PCA once trained",
            "torch.nn.functional.linear, et sklearn.decomposition.PCA une fois entraîné",
        ),
        cases=_autoencoder,
        tolerance=1e-6,
    ),
]
