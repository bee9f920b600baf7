"""The discriminators of DCGAN and of patches against PyTorch's layers."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.dcgan import GANConfig
from dalle_edu.classroom.checking.asking import double, filled, numbers
from dalle_edu.classroom.checking.cases import Case, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.convolution import pixels_seen
from dalle_edu.language import say


def _patch_sizes(seed: int) -> list[Case]:
    """The patches that Isola et al. name, found by following gradients back to the picture."""

    def case(layers: int, side: int, seen: int) -> Case:
        def ask(version: Any) -> int:
            return pixels_seen(filled(version(3, 4, layers, nn.Identity), seed), side)

        return scenario(
            f"how many pixels a logit sees with layers = {layers}",
            f"combien de pixels un logit voit avec layers = {layers}",
            lambda: seen,
            ask,
            200 * layers,
        )

    return [case(1, 40, 16), case(2, 64, 34), case(3, 112, 70)]


def _with_gradient(judge: Callable[[Tensor], Tensor], images: Tensor) -> dict[str, Tensor]:
    """Logits, and the gradient of their weighted sum with respect to the pictures."""
    given = images.clone().requires_grad_()
    logits = judge(given)
    weights = torch.linspace(0.5, 1.5, logits.numel()).double().view(logits.shape)
    return {"logits": logits.detach(), say("gradient", "gradient"): torch.autograd.grad((logits * weights).sum(), given)[0]}


def _patches(seed: int) -> list[Case]:
    """A logit for each patch, by PyTorch's convolutions in a row."""

    def case(channels: int, width: int, layers: int, normed: bool, n: int, height: int, breadth: int, seed: int) -> Case:
        images = numbers(seed, n, channels, height, breadth).tanh()

        def judge(version: Any) -> Any:
            options = (channels, width, layers) if normed else (channels, width, layers, nn.Identity)
            return filled(version(*options), seed).train()

        def peer() -> dict[str, Tensor]:
            widths = [channels, *(width * min(2**place, 8) for place in range(layers + 1)), 1]
            convolutions = [nn.Conv2d(before, after, 4) for before, after in pairwise(widths)]
            shape: list[nn.Module] = [convolutions[0], nn.LeakyReLU(0.2)]
            for convolution in convolutions[1:-1]:
                norm = nn.BatchNorm2d(convolution.out_channels) if normed else nn.Identity()
                shape += [convolution, norm, nn.LeakyReLU(0.2)]
            for place, convolution in enumerate(convolutions):
                convolution.stride, convolution.padding = (2 if place < layers else 1,) * 2, (1, 1)
            theirs = filled(nn.ModuleDict({"judge": nn.Sequential(*shape, convolutions[-1])}), seed).train()
            return _with_gradient(lambda given: theirs["judge"](given)[:, 0], images)

        size = f"{n} × {channels} × {height} × {breadth}, width = {width}, layers = {layers}"
        norm = ("", "") if normed else (", norm = nn.Identity", ", norm = nn.Identity")
        en, fr = f"pictures of {size}{norm[0]}", f"des images de {size}{norm[1]}"
        return scenario(en, fr, peer, lambda version: _with_gradient(judge(version), images), images.numel())

    shapes = ((3, 2, 1, False, 1, 8, 6), (1, 3, 1, True, 2, 6, 10), (3, 2, 2, True, 2, 16, 12), (2, 1, 4, False, 1, 48, 64))
    return [*(case(*shape, seed + place) for place, shape in enumerate(shapes)), _by_default(seed), _as_initialised(seed)]


def _as_initialised(seed: int) -> Case:
    """What training starts from, by SciPy's test of a law."""
    weights, biases = say("weights of N(0, 0.02²)", "poids de N(0, 0,02²)"), say("biases at 0", "biais à 0")
    scales = say("scales of N(1, 0.02²)", "échelles de N(1, 0,02²)")

    def ask(version: Any) -> dict[str, bool]:
        from scipy.stats import kstest

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = version(2, 16, 2)

        def follow(kind: type[nn.Conv2d] | type[nn.BatchNorm2d], mean: float) -> bool:
            found = [each.weight.detach().flatten().numpy() for each in network.modules() if isinstance(each, kind)]
            return bool(found) and all(kstest(each, "norm", args=(mean, 0.02)).pvalue > 1e-7 for each in found)

        named = dict(network.named_parameters())
        zero = all(not value.any() for name, value in named.items() if name.endswith("bias"))
        return {weights: follow(nn.Conv2d, 0.0), scales: follow(nn.BatchNorm2d, 1.0), biases: zero}

    en, fr = "a new one, channels = 2, width = 16, layers = 2", "un nouveau, channels = 2, width = 16, layers = 2"
    return scenario(en, fr, lambda: {weights: True, scales: True, biases: True}, ask, 950)


def _by_default(seed: int) -> Case:
    """What a patch discriminator is when nothing is said: 3 channels, width 64, 3 halvings, batch normalisation."""

    def shapes(network: nn.Module) -> list[list[int]]:
        return [list(value.shape) for value in network.parameters()]

    def peer() -> list[list[int]]:
        normed = [
            [each for part in (nn.Conv2d(64 * 2**place, 128 * 2**place, 4), nn.BatchNorm2d(128 * 2**place)) for each in part.parameters()]
            for place in range(3)
        ]
        ends = [list(nn.Conv2d(*sizes, 4).parameters()) for sizes in ((3, 64), (512, 1))]
        return [list(value.shape) for part in (ends[0], *normed, ends[1]) for value in part]

    return scenario("shapes of weights by default", "formes des poids par défaut", peer, lambda version: shapes(version()), 900)


def _judged(config: GANConfig, n: int, seed: int, train: bool) -> Case:
    """The logits of DCGAN's discriminator. What the class adds is bilinear in the class, one-hot, and the features."""
    images = numbers(seed, n, config.channels, config.resolution, config.resolution).tanh()
    labels = torch.randint(config.num_classes, (n,), generator=torch.Generator().manual_seed(seed)) if config.num_classes else None

    def ask(version: Any) -> dict[str, Tensor]:
        judge = filled(version(config), seed).train(train)
        return _with_gradient(lambda given: judge(given) if labels is None else judge(given, labels.clone()), images)

    def peer() -> dict[str, Tensor]:
        widths = [config.channels, *config.widths[::-1]]
        look: list[nn.Module] = []
        for place, (before, after) in enumerate(pairwise(widths)):
            look.append(nn.Conv2d(before, after, 4, stride=2, padding=1, bias=place == 0))
            look += [nn.BatchNorm2d(after)] if place else []
            look.append(nn.LeakyReLU(0.2))
        parts = {"look": nn.Sequential(*look, nn.Flatten()), "judge": nn.Linear(16 * widths[-1], 1)}
        theirs = filled(nn.ModuleDict(parts), seed).train(train)
        table = filled(nn.ModuleDict({"embedding": nn.Embedding(max(1, config.num_classes), 16 * widths[-1])}), seed)
        bilinear = nn.Bilinear(max(1, config.num_classes), 16 * widths[-1], 1, bias=False).double()
        bilinear.weight.data = table["embedding"].weight.data[None]

        def judged(given: Tensor) -> Tensor:
            features = theirs["look"](given)
            logits = theirs["judge"](features)
            if labels is not None:
                logits = logits + bilinear(F.one_hot(labels, config.num_classes).double(), features)
            return logits[:, 0]

        return _with_gradient(judged, images)

    size = f"{n} × {config.channels} × {config.resolution} × {config.resolution}, num_classes = {config.num_classes}"
    mode = ("in training", "à l'entraînement") if train else ("in eval mode", "en mode eval")
    return scenario(f"pictures of {size}, {mode[0]}", f"des images de {size}, {mode[1]}", peer, ask, images.numel())


def _untrained(seed: int) -> Case:
    """Before training, the class adds nothing."""
    images, labels = numbers(seed, 3, 1, 8, 8).tanh(), torch.tensor([0, 1, 2])

    def ask(version: Any) -> Tensor:
        judge = version(GANConfig(8, width=2, num_classes=3)).double().eval()
        return (judge(images.clone(), labels) - judge(images.clone(), labels.flip(0))).detach()

    en, fr = "what another class changes, before training", "ce qu'une autre classe change, avant l'entraînement"
    return scenario(en, fr, lambda: double(0.0, 0.0, 0.0), ask, 2000)


def _projection(seed: int) -> list[Case]:
    settings = (
        (GANConfig(8, width=2), 1, False),
        (GANConfig(8, width=2, num_classes=2), 2, False),
        (GANConfig(8, width=4, num_classes=3), 6, False),
        (GANConfig(16, channels=3, width=2, num_classes=4), 5, False),
        (GANConfig(16, channels=2, width=3), 4, True),
        (GANConfig(16, width=2, num_classes=3), 4, True),
    )
    return [*(_judged(config, n, seed + place, train) for place, (config, n, train) in enumerate(settings)), _untrained(seed)]


REFERENCES = [
    Reference("dcgan:Discriminator", "torch.nn.Bilinear", cases=_projection, tolerance=1e-10),
    Reference(
        "dcgan:PatchDiscriminator",
        say("gradients followed to the picture", "gradients suivis jusqu'à l'image"),
        cases=_patch_sizes,
        tolerance=0.0,
    ),
    Reference("dcgan:PatchDiscriminator", "torch.nn.Conv2d", cases=_patches, tolerance=1e-10),
]
