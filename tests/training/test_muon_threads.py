"""Muon whose matrices are shared out among threads."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from by_hand import seeded
from torch import nn

from dalle_edu.training.muon import Muon


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float32])
def test_muon_moves_the_same_matrices_to_the_same_places_with_threads(precision):
    shapes = [(96, 96), (288, 96), (96, 384), (384, 96), (96, 96), (24, 16, 3, 3), (288, 96)]
    starts = [torch.randn(shape, generator=seeded(rank)) for rank, shape in enumerate(shapes)]
    alone, shared = ([nn.Parameter(start.clone()) for start in starts] for _ in range(2))
    with ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        optimizers = [Muon(alone, lr=0.02, precision=precision), Muon(shared, lr=0.02, precision=precision, pool=pool)]
        for step in range(3):
            for parameters, optimizer in zip((alone, shared), optimizers, strict=True):
                for rank, parameter in enumerate(parameters):
                    parameter.grad = torch.randn(parameter.shape, generator=seeded(100 * step + rank)) if rank != 4 else None
                optimizer.step()
    for one, other, start in zip(alone, shared, starts, strict=True):
        assert torch.equal(one, other)
        assert torch.equal(one, start) == (start is starts[4])
