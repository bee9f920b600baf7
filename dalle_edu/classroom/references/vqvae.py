"""The VQ-VAE as a whole, and how many of its codes live, against SciPy, PyTorch's functions and equation 3."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.codebook import VQVAE, CodecConfig
from dalle_edu.classroom.checking.asking import asked, drawn, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.classroom.references.codebook import equation_3
from dalle_edu.language import comma, say


def _living(codes: Tensor, num_codes: int) -> tuple[Tensor, Tensor]:
    """The codes that occur, and e to the entropy of their frequencies."""
    import numpy as np
    from scipy.stats import entropy

    found, counts = np.unique(codes.numpy(), return_counts=True)
    assert found.max() < num_codes
    return torch.tensor(float(len(found))), torch.tensor(float(np.exp(entropy(counts))))


def _codes_alive(seed: int) -> list[Case]:
    def some(place: int, num_codes: int, *shape: int) -> Tensor:
        return torch.randint(num_codes, shape, generator=torch.Generator().manual_seed(seed + place))

    return [
        call(_living, torch.tensor([[[0, 1]]]), 2),
        call(_living, torch.tensor([[[3]]]), 4),
        call(_living, torch.tensor([[[0, 0], [0, 0]]]), 3),
        call(_living, torch.tensor([[[0, 0, 0, 4]]]), 5),
        call(_living, torch.tensor([[[0, 2]], [[2, 2]]]), 4),
        call(_living, torch.tensor([[[1, 1]], [[2, 2]]]), 3),
        call(_living, torch.arange(8).view(2, 2, 2), 8),
        call(_living, some(0, 5, 3, 4, 4), 5),
        call(_living, some(1, 7, 2, 3, 5), 300),
    ]


# ---------------------------------------------------------------- the whole network


def _networks(config: CodecConfig, seed: int) -> dict[str, Tensor]:
    """Drawn weights for encoder, decoder and codebook, by the names of their parameters."""
    shapes = {name: parameter.shape for name, parameter in VQVAE(config).named_parameters()}
    return {name: drawn(name, shape, seed).float().requires_grad_() for name, shape in shapes.items()}


def _block(x: Tensor, name: str, weights: dict[str, Tensor], depth: int) -> Tensor:
    """Residual blocks: ReLU, convolution, ReLU, convolution of 1 x 1."""
    for place in range(depth):
        look, mix = (f"{name}.{place}.{part}" for part in ("look", "mix"))
        seen = F.conv2d(F.relu(x), weights[f"{look}.weight"], weights[f"{look}.bias"], padding="same")
        x = x + F.conv2d(F.relu(seen), weights[f"{mix}.weight"], weights[f"{mix}.bias"])
    return x


def _encoded(images: Tensor, config: CodecConfig, weights: dict[str, Tensor]) -> Tensor:
    patch = config.resolution // config.grid
    x = F.conv2d(images, weights["encoder.0.weight"], weights["encoder.0.bias"], stride=patch)
    x = F.relu(_block(x, "encoder.1", weights, config.depth))
    return F.conv2d(x, weights["encoder.3.weight"], weights["encoder.3.bias"])


def _decoded(vectors: Tensor, config: CodecConfig, weights: dict[str, Tensor]) -> Tensor:
    def enlarged(x: Tensor, name: str, scale: int) -> Tensor:
        return F.pixel_shuffle(F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding="same"), scale)

    x = F.conv2d(vectors, weights["decoder.0.weight"], weights["decoder.0.bias"], padding=1)
    x = enlarged(_block(x, "decoder.1", weights, config.depth), "decoder.2.paint", 2)
    x = F.relu(_block(x, "decoder.3", weights, config.depth))
    return enlarged(x, "decoder.5.paint", config.resolution // config.grid // 2)


def _vqvae(config: CodecConfig, n: int, beta: float | None, decay: float | None, seed: int) -> Case:
    images = numbers(seed, n, 3, config.resolution, config.resolution).float().tanh()
    grids = torch.randint(config.num_codes, (n, config.grid, config.grid), generator=torch.Generator().manual_seed(seed))
    only_loss = say("of the parts, only the loss has a gradient", "des parties, seule la perte a un gradient")
    settings = {"decay": decay} | ({} if beta is None else {"beta": beta})

    def ask(version: Any) -> dict[str, Any]:
        model, weights = version(config, **settings), _networks(config, seed)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(weights[name])
            model.quantizer.sums.copy_(model.quantizer.codebook)
        answers = {"encode": asked(model.encode, images), "decode": asked(model.decode, grids).detach()}
        parts = asked(model.loss, images)
        learned = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
        answers |= {only_loss: [name for name, value in parts.items() if value.requires_grad] == ["loss"]}
        return answers | {name: value.detach() for name, value in parts.items()} | {"gradients": _slopes(parts["loss"], learned)}

    def peer() -> dict[str, Any]:
        from scipy.cluster.vq import vq

        weights = _networks(config, seed)
        codebook = weights["quantizer.codebook"]
        vectors = _encoded(images, config, weights).permute(0, 2, 3, 1)
        codes = torch.from_numpy(vq(vectors.detach().reshape(-1, config.code_dim).numpy(), codebook.detach().numpy())[0]).long()
        codes = codes.view(vectors.shape[:-1])
        chosen = vectors.clone()
        chosen.data.copy_(codebook.data[codes])  # other numbers, the same gradient
        painted = _decoded(chosen.permute(0, 3, 1, 2), config, weights)
        codebook_loss, commitment = equation_3(vectors, codebook[codes], 0.25 if beta is None else beta)
        of_codes = commitment + codebook_loss if decay is None else commitment
        reconstruction = F.mse_loss(painted, images) + (painted - images).abs().mean()
        loss, (alive, perplexity) = reconstruction + of_codes, _living(codes, config.num_codes)
        learned = {name: weight for name, weight in weights.items() if decay is None or not name.startswith("quantizer")}
        return {
            "encode": codes,
            "decode": _decoded(codebook[grids].permute(0, 3, 1, 2), config, weights).detach(),
            only_loss: True,
            "loss": loss.detach(),
            "reconstruction": reconstruction.detach(),
            "codebook": of_codes.detach(),
            "codes_alive": alive,
            "perplexity": perplexity,
            "gradients": _slopes(loss, learned),
        }

    size = f"{n} × 3 × {config.resolution} × {config.resolution}, grid = {config.grid}, num_codes = {config.num_codes}, decay = {decay}"
    en = f"pictures of {size}" + ("" if beta is None else f", beta = {beta:g}")
    fr = f"des images de {size.replace('.', ',')}" + ("" if beta is None else f", beta = {comma(beta, 1)}")
    return scenario(en, fr, peer, ask, images.numel())


def _slopes(loss: Tensor, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The gradient with respect to each weight; zero where none comes back."""
    if not loss.requires_grad:
        return {name: torch.zeros_like(weight) for name, weight in sorted(weights.items())}
    slopes = torch.autograd.grad(loss, list(weights.values()), allow_unused=True, materialize_grads=True)
    return dict(sorted(zip(weights, slopes, strict=True)))


def _vqvaes(seed: int) -> list[Case]:
    tiny = CodecConfig(resolution=8, grid=2, num_codes=3, width=2, depth=1, code_dim=2)
    small = CodecConfig(resolution=16, grid=4, num_codes=9, width=4, depth=1, code_dim=3)
    deep = CodecConfig(resolution=8, grid=4, num_codes=5, width=3, depth=2, code_dim=4)
    return [
        _vqvae(tiny, 1, None, 0.99, seed),
        _vqvae(tiny, 2, 1.5, None, seed + 1),
        _vqvae(small, 3, 0.5, 0.9, seed + 2),
        _vqvae(deep, 2, None, None, seed + 3),
    ]


REFERENCES = [
    Reference("codebook:codes_alive", "scipy.stats.entropy", cases=_codes_alive, tolerance=1e-5),
    Reference(
        "codebook:VQVAE",
        say(
            "torch.nn.functional.conv2d and pixel_shuffle, scipy.cluster.vq.vq",
            "torch.nn.functional.conv2d et pixel_shuffle, scipy.cluster.vq.vq",
        ),
        cases=_vqvaes,
        tolerance=1e-5,
    ),
]
