"""The finding of lesson 07's knob: as beta rises, the divergence falls, the error rises, and latents go out one by one."""

from itertools import pairwise

import pytest
import torch

from dalle_edu.bricks.vae import VAE, VAEConfig, kl_to_standard_normal
from dalle_edu.classroom.demos.autoencoder import error, trained
from dalle_edu.datasets.digits import digits

BETAS = (0.0, 1.0, 4.0, 16.0)


@torch.no_grad()
def measured(vae: VAE, images: torch.Tensor) -> tuple[float, float, int, float]:
    """The divergence, the error, the latents used, and the standard deviation of a picture's cloud."""
    mean, log_variance = vae.encode(images)
    of_each = kl_to_standard_normal(mean.unsqueeze(-1), log_variance.unsqueeze(-1)).mean(dim=0)
    spread = float((log_variance / 2).exp().mean())
    return float(of_each.sum()), error(vae.decode(mean), images), int((of_each > 0.1).sum()), spread


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_more_beta_means_less_divergence_more_error_and_fewer_latents(seed):
    images = (digits()[0].flatten(1) + 1) / 2
    images = images[torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))]
    known, new = images[:1500], images[1500:]
    found = []
    for beta in BETAS:
        torch.manual_seed(seed)
        vae = VAE(VAEConfig(64, 10, (256, 128), "gaussian", std=0.2, beta=beta))
        trained(vae, known, 500, seed)
        found.append(measured(vae, new))
    divergences, errors, used, spreads = zip(*found, strict=True)
    assert all(more > 2 * less for more, less in pairwise(divergences))
    assert all(less < more for less, more in pairwise(errors))
    assert all(more >= less for more, less in pairwise(used))
    assert (used[0], used[-1]) == (10, 0)
    assert spreads[0] < 0.05  # without a divergence the network turns its noise off
    assert spreads[-1] > 0.95
    mean_digit = error(known.mean(dim=0).expand_as(new), new)
    assert abs(errors[-1] - mean_digit) < 0.1  # all collapsed: the decoder gives the mean digit
