"""Vector quantisation against vector-quantize-pytorch, SciPy and PyTorch."""

from typing import Any

import torch
from torch import Tensor

from dalle_edu.classroom.proof import Reference, gap
from dalle_edu.language import say


def _vectors(batch: int = 0) -> Tensor:
    return torch.randn(3, 5, 4, 4, generator=torch.Generator().manual_seed(batch))


def _codebook() -> Tensor:
    return 0.7 * torch.randn(7, 5, generator=torch.Generator().manual_seed(9))


def _nearest(version: Any) -> float:
    from scipy.cluster.vq import vq

    vectors = _vectors().permute(0, 2, 3, 1).double()
    expected, _ = vq(vectors.reshape(-1, 5).numpy(), _codebook().double().numpy())
    return gap(version(vectors, _codebook().double()).flatten(), torch.tensor(expected))


def _straight_through(version: Any) -> float:
    """Forward the codes; backward the gradient that PyTorch's own identity would give."""
    vectors = _vectors().double().requires_grad_()
    quantized = _codebook().double()[torch.arange(3 * 16) % 7].view(3, 4, 4, 5).permute(0, 3, 1, 2).clone().requires_grad_()
    gradient = _vectors(5).double()
    out = version(vectors, quantized)
    vector_gradient, code_gradient = torch.autograd.grad(out, (vectors, quantized), gradient, allow_unused=True, materialize_grads=True)
    return max(gap(out, quantized), gap(vector_gradient, gradient), gap(code_gradient, torch.zeros_like(quantized)))


def _losses(version: Any) -> float:
    """Values and gradients of equation 3, written out by hand."""
    vectors = _vectors().double().requires_grad_()
    quantized = _vectors(1).double().requires_grad_()
    codebook, commitment = version(vectors, quantized, 0.4)
    mean = (vectors - quantized).square().mean().detach()
    slope = 2 * (vectors - quantized).detach() / vectors.numel()
    vector_gradient, code_gradient = torch.autograd.grad(codebook + commitment, (vectors, quantized))
    return max(gap(codebook, mean), gap(commitment, 0.4 * mean), gap(vector_gradient, 0.4 * slope), gap(code_gradient, -slope))


def _quantizer(version: Any) -> float:
    """Three batches of training: codes, vectors, commitment loss and the codebook that has followed."""
    from vector_quantize_pytorch import VectorQuantize

    ours = version(7, 5, beta=0.25, decay=0.8).train()
    peer = VectorQuantize(5, 7, decay=0.8, commitment_weight=0.25, accept_image_fmap=True, kmeans_init=False, rotation_trick=False).train()
    inner = peer._codebook
    with torch.no_grad():
        inner.embed.copy_(_codebook()[None])
        inner.embed_avg.copy_(_codebook()[None])
        inner.cluster_size.fill_(1.0)
        ours.codebook.copy_(_codebook())
        ours.sums.copy_(_codebook())
    differences = []
    for batch in range(3):
        quantized, codes, loss = peer(_vectors(batch))
        found = ours(_vectors(batch))
        differences += [gap(found.codes, codes), gap(found.vectors, quantized), gap(found.loss, loss.squeeze())]
    return max(*differences, gap(ours.codebook, inner.embed[0]))


REFERENCES = [
    Reference("codebook:nearest_code", "scipy.cluster.vq.vq", _nearest, 0.0),
    Reference("codebook:straight_through", say("torch.autograd of the identity", "torch.autograd de l'identité"), _straight_through, 1e-10),
    Reference("codebook:vq_losses", say("equation 3 and its derivative, by hand", "l'équation 3 et sa dérivée, à la main"), _losses, 1e-10),
    Reference("codebook:VectorQuantizer", "vector_quantize_pytorch.VectorQuantize", _quantizer, 1e-5),
]
