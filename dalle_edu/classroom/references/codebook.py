"""Vector quantisation against vector-quantize-pytorch, SciPy and PyTorch."""

from typing import Any

import torch
from torch import Tensor

from dalle_edu.classroom.checking.asking import asked, double, numbers
from dalle_edu.classroom.checking.cases import Case, call, scenario
from dalle_edu.classroom.checking.proof import Reference
from dalle_edu.language import comma, say


def _nearest(seed: int) -> list[Case]:
    def peer(vectors: Tensor, codebook: Tensor) -> Tensor:
        from scipy.cluster.vq import vq

        codes, _ = vq(vectors.reshape(-1, vectors.shape[-1]).numpy(), codebook.numpy())
        return torch.from_numpy(codes).long().view(vectors.shape[:-1])

    line, corners = double([0.0], [2.0], [10.0]), double([1.0, 0.0], [-1.0, 0.0], [0.0, 1.0])
    twins, codes = double([5.0, 5.0], [1.0, 2.0], [1.0, 2.0]), 0.7 * numbers(seed, 7, 5)
    return [
        call(peer, double([3.0]), line),
        call(peer, double([7.0], [-4.0], [0.5]), line),
        call(peer, double([0.0, 0.0]), corners),  # as near to all three
        call(peer, double([1.0, 2.0], [0.0, 0.0]), twins),
        call(peer, double(0.0, 3.0), corners),
        call(peer, double([0.2, 0.1]), double([9.0, 9.0])),
        call(peer, numbers(seed + 1, 3, 4, 2, 5), codes),
        call(peer, numbers(seed + 2, 6, 5), 3 * codes),
        call(peer, codes, codes),
        call(peer, numbers(seed + 3, 20, 3), numbers(seed + 4, 60, 3) * numbers(seed + 5, 60, 1).abs()),
        call(peer, numbers(seed + 6, 9, 4).float(), numbers(seed + 7, 5, 4).float()),
    ]


def _straight_through(seed: int) -> list[Case]:
    """Forward the codes; backward the gradient that PyTorch's own identity would give."""

    def peer(vectors: Tensor, quantized: Tensor) -> Tensor:
        same = vectors.clone()
        same.data.copy_(quantized.data)
        return same

    def pair(place: int, *shape: int) -> list[Tensor]:
        return [numbers(seed + place + side, *shape, gradient=True) for side in (0, 1)]

    few = double([0.5, -1.0]).requires_grad_(), double([0.0, 2.0]).requires_grad_()
    return [
        call(peer, double([0.5, 0.0]), double([1.0, 0.0])),
        call(peer, *few),
        call(peer, few[0], few[0].detach()),
        call(peer, *pair(0, 3, 5, 4, 2)),
        call(peer, *pair(2, 7, 5)),
        call(peer, *pair(4, 6)),
        call(peer, numbers(seed + 6, 4, 3, gradient=True), numbers(seed + 7, 4, 3)),
    ]


class _Distance(torch.autograd.Function):
    """The mean squared distance, whose derivative, written by hand, goes to the first argument alone."""

    @staticmethod
    def forward(ctx: Any, moving: Tensor, fixed: Tensor) -> Tensor:
        ctx.save_for_backward(moving, fixed)
        return (moving - fixed).square().mean()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        moving, fixed = ctx.saved_tensors
        return gradient * 2 * (moving - fixed) / moving.numel(), None


def equation_3(vectors: Tensor, quantized: Tensor, beta: float = 0.25) -> tuple[Tensor, Tensor]:
    """The last two terms of equation 3 of van den Oord et al. (2017): what moves the codes, and what moves the vectors, times `beta`."""
    return _Distance.apply(quantized, vectors), beta * _Distance.apply(vectors, quantized)


def _losses(seed: int) -> list[Case]:
    def pair(place: int, *shape: int) -> list[Tensor]:
        return [numbers(seed + place + side, *shape, gradient=True) for side in (0, 1)]

    few = double([1.0, 2.0]), double([0.0, 0.0])
    return [
        call(equation_3, double([0.0]), double([2.0])),
        call(equation_3, *few),
        call(equation_3, *few, 1.0),
        call(equation_3, few[0], few[0], 0.5),
        call(equation_3, *pair(0, 2, 3)),
        call(equation_3, *pair(2, 3, 5, 4, 4), 0.4),
        call(equation_3, *pair(4, 3, 4, 2), beta=2.0),
        call(equation_3, *pair(6, 5), beta=0.0),
    ]


# ---------------------------------------------------------------- a codebook that learns


def _quantizer_with(version: Any, codes: Tensor, **settings: Any) -> Any:
    made = version(*codes.shape, **settings)
    with torch.no_grad():
        made.codebook.copy_(codes)
        made.sums.copy_(codes)
    return made


def _answers(found: Any, vectors: Tensor) -> dict[str, Any]:
    """Codes, vectors and loss, and the gradient that comes back to the vectors."""
    codes, quantized, loss = found
    weights = torch.linspace(0.5, 1.5, quantized.numel()).view(quantized.shape)
    (gradient,) = torch.autograd.grad((quantized * weights).sum() + loss.sum(), vectors)
    return {"codes": codes, "vectors": quantized.detach(), "loss": loss.detach().squeeze(), say("gradient", "gradient"): gradient}


def _follows(n: int, k: int, d: int, h: int, w: int, batches: int, seed: int, train: bool = True, **settings: float) -> Case:
    """Some batches: what the quantiser answers to each, and the codebook that has followed."""
    codes = 0.7 * numbers(seed, k, d).float()
    pictures = [numbers(seed + 1 + batch, n, d, h, w).float().requires_grad_() for batch in range(batches)]

    def ask(version: Any) -> list[Any]:
        ours, answers = _quantizer_with(version, codes, **settings).train(train), list[Any]()
        for batch in pictures:
            vectors = batch.detach().clone().requires_grad_()
            answers.append(_answers(ours(vectors), vectors))
        return [*answers, {"codebook": ours.codebook.detach()}]

    def peer() -> list[Any]:
        from vector_quantize_pytorch import VectorQuantize

        given = {"decay": 0.99, "beta": 0.25} | settings
        shape = {"accept_image_fmap": True, "kmeans_init": False, "rotation_trick": False}
        theirs = VectorQuantize(d, k, decay=given["decay"], commitment_weight=given["beta"], **shape).train(True)
        inner, answers = theirs._codebook, list[Any]()
        with torch.no_grad():
            inner.embed.copy_(codes[None])
            inner.embed_avg.copy_(codes[None])
            inner.cluster_size.fill_(1.0)
        for batch in pictures:
            vectors = batch.detach().clone().requires_grad_()
            quantized, indices, loss = theirs(vectors, freeze_codebook=not train)
            answers.append(_answers((indices, quantized, loss), vectors))
        return [*answers, {"codebook": inner.embed[0]}]

    said = "".join(f", {name} = {value:g}" for name, value in settings.items())
    en = f"codebook of {k} × {d}, vectors of {n} × {d} × {h} × {w}, batches: {batches}{said}"
    fr = f"codebook de {k} × {d}, vecteurs de {n} × {d} × {h} × {w}, lots : {batches}{said.replace('.', ',')}"
    when = ("", "") if train else (", in eval mode", ", en mode eval")
    return scenario(en + when[0], fr + when[1], peer, ask, batches * n * k * d * h * w)


def _learns_by_gradient(n: int, k: int, d: int, h: int, w: int, beta: float, seed: int) -> Case:
    """Without decay the codebook stays where it is, and its gradient is that of equation 3."""
    codes, picture = 0.7 * numbers(seed, k, d).float(), numbers(seed + 1, n, d, h, w).float()

    def ask(version: Any) -> dict[str, Any]:
        ours = _quantizer_with(version, codes, beta=beta, decay=None).train()
        vectors = picture.clone().requires_grad_()
        numbers_of_codes, quantized, loss = ours(vectors)
        gradients = torch.autograd.grad(loss, (vectors, ours.codebook))
        return {
            "codes": numbers_of_codes,
            "vectors": quantized.detach(),
            "loss": loss.detach(),
            say("gradients", "gradients"): list(gradients),
            "codebook": ours.codebook.detach(),
        }

    def peer() -> dict[str, Any]:
        from scipy.cluster.vq import vq

        vectors, codebook = picture.clone().requires_grad_(), codes.clone().requires_grad_()
        last = vectors.permute(0, 2, 3, 1).reshape(-1, d)
        chosen = torch.from_numpy(vq(last.detach().numpy(), codes.numpy())[0]).long()
        loss = torch.stack(equation_3(last, codebook[chosen], beta)).sum()
        gradients = torch.autograd.grad(loss, (vectors, codebook))
        return {
            "codes": chosen.view(n, h, w),
            "vectors": codes[chosen].view(n, h, w, d).permute(0, 3, 1, 2),
            "loss": loss.detach(),
            say("gradients", "gradients"): list(gradients),
            "codebook": codes,
        }

    en = f"codebook of {k} × {d}, decay = None, beta = {beta:g}"
    fr = f"codebook de {k} × {d}, decay = None, beta = {comma(beta, 1)}"
    return scenario(en, fr, peer, ask, n * k * d * h * w)


def _revives(k: int, d: int, threshold: float | None, seed: int) -> Case:
    """Which codes have moved, whether onto vectors of the batch, and how many are said to have."""
    codes, picture = numbers(seed, k, d).float(), 5 + numbers(seed + 1, 2, d, 3, 2).float()
    counts = torch.arange(k).float() / 4
    rare = counts < (0.1 if threshold is None else threshold)
    moved, onto, after = say("moved", "déplacés"), say("onto vectors", "sur des vecteurs"), say("counts", "comptes")
    drawn, sums = say("by the generator", "par le générateur"), say("sums", "sommes")
    whole = say("a whole number in a tensor", "un nombre entier dans un tenseur")

    def ask(version: Any) -> dict[str, Any]:
        quantizers = [_quantizer_with(version, codes) for _ in range(10)]
        given = {} if threshold is None else {"threshold": threshold}
        found = []
        for place, quantizer in enumerate(quantizers):
            quantizer.counts.copy_(counts)
            generator = torch.Generator().manual_seed(seed + max(0, place - 1))  # the first two are given the same one
            found.append(asked(quantizer.revive, picture, generator=generator, **given))
        ours, again, *others = quantizers
        flat = picture.permute(0, 2, 3, 1).reshape(-1, d)
        near = torch.cdist(ours.codebook.detach(), flat).min(dim=1).values < 1e-5
        apart = (ours.codebook.detach() != codes).any(dim=1)
        followed = torch.where(rare[:, None], ours.sums - ours.codebook.detach(), ours.sums - codes).abs().max() < 1e-6
        same = torch.equal(ours.codebook, again.codebook)
        another = not all(torch.equal(ours.codebook, other.codebook) for other in others)
        kind = isinstance(found[0], Tensor) and not found[0].is_floating_point()
        return {
            "number": found[0],
            whole: kind,
            moved: apart,
            onto: near,
            after: ours.counts,
            sums: bool(followed),
            drawn: same and another,
        }

    def peer() -> dict[str, Any]:
        after_all = torch.where(rare, 1.0, counts)
        return {"number": rare.sum(), whole: True, moved: rare, onto: rare, after: after_all, sums: True, drawn: True}

    said = "" if threshold is None else f", threshold = {threshold:g}"
    en, fr = f"`revive` of {k} codes of {d}{said}", f"`revive` de {k} codes de {d}{said.replace('.', ',')}"
    return scenario(en, fr, peer, ask, 500 + k * d)


def _revives_apart(seed: int) -> Case:
    """Codes that are all rare find more than a few vectors of a batch that has many."""
    codes, picture = numbers(seed, 40, 2).float(), 5 + numbers(seed + 1, 2, 2, 8, 8).float()
    several = say("different codes, 20 at least", "codes différents, 20 au moins")

    def ask(version: Any) -> dict[str, bool]:
        ours = _quantizer_with(version, codes)
        asked(ours.revive, picture, threshold=2.0, generator=torch.Generator().manual_seed(seed))
        return {several: len(ours.codebook.detach().unique(dim=0)) >= 20}

    en, fr = "`revive` of 40 codes, all rare, by 128 vectors", "`revive` de 40 codes, tous rares, par 128 vecteurs"
    return scenario(en, fr, lambda: {several: True}, ask, 700)


def _quantizer(seed: int) -> list[Case]:
    return [
        _follows(1, 2, 1, 1, 2, 1, seed),
        _follows(1, 3, 2, 2, 1, 2, seed, decay=0.5),
        _follows(3, 7, 5, 4, 4, 3, seed, beta=0.25, decay=0.8),
        _follows(2, 6, 3, 2, 5, 2, seed + 10, beta=1.5),
        _follows(2, 6, 3, 2, 3, 2, seed + 20, decay=0.0),
        _follows(2, 6, 3, 2, 3, 2, seed + 30, train=False, beta=0.5, decay=0.5),
        _learns_by_gradient(1, 2, 1, 1, 2, 0.5, seed + 40),
        _learns_by_gradient(2, 6, 4, 3, 2, 0.4, seed + 50),
        _revives(5, 3, None, seed),
        _revives(6, 2, 0.6, seed + 1),
        _revives_apart(seed + 2),
    ]


REFERENCES = [
    Reference("codebook:nearest_code", "scipy.cluster.vq.vq", cases=_nearest, tolerance=0.0),
    Reference(
        "codebook:straight_through",
        say("torch.autograd of the identity", "torch.autograd de l'identité"),
        cases=_straight_through,
        tolerance=1e-10,
    ),
    Reference(
        "codebook:vq_losses",
        say("equation 3 and its derivative, by hand", "l'équation 3 et sa dérivée, à la main"),
        cases=_losses,
        tolerance=1e-10,
    ),
    Reference("codebook:VectorQuantizer", "vector_quantize_pytorch.VectorQuantize", cases=_quantizer, tolerance=1e-5),
]
