"""Variational autoencoders of the real digits with 2 to 20 latents: their samples, their latent space, and PCA with as many components."""

import time
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from dalle_edu.bricks.autoencoder import Autoencoder, pca
from dalle_edu.bricks.vae import VAE, VAEConfig, interpolate, latent_plane, slerp
from dalle_edu.classroom.demo import Demo
from dalle_edu.datasets.digits import digits
from dalle_edu.language import comma, say

SHOWS = ("autoencoder", "vae")

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LATENTS, HIDDEN, BATCH, SHEET, PLANE, WALK = (2, 5, 10, 20), (256, 128), 64, 7, 13, 9
COLOURS = {"PCA": "#E69F00", "AE": "#009E73", "VAE": "#0072B2"}  # Okabe & Ito


def trained(model: VAE | Autoencoder, images: Tensor, steps: int, seed: int) -> None:
    """Adam on random batches, the rate of learning rising over the first tenth and falling to zero."""
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        batch = images[torch.randint(len(images), (BATCH,), generator=generator)]
        loss = model.loss(batch, generator)["loss"] if isinstance(model, VAE) else model.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        pace.step()


def error(painted: Tensor, images: Tensor) -> float:
    """The squared error of a picture, summed over its pixels."""
    return float((painted - images).square().sum(dim=1).mean())


@torch.no_grad()
def measured(vae: VAE, images: Tensor, seed: int) -> dict[str, float]:
    """On pictures that the VAE has not seen: the ELBO, the error from the mean of each cloud, and how many latents carry anything."""
    mean, log_variance = vae.encode(images)
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean(dim=0)
    elbo = vae.loss(images.repeat(20, 1), torch.Generator().manual_seed(seed))["elbo"]
    return {"elbo": float(elbo), "error_vae": error(vae.decode(mean), images), "latents_used": float((kl > 0.1).sum())}


def demo(seed: int = 0, steps: int = 1200) -> Demo:
    """Train on five sixths of the digits, measure on the last sixth."""
    started = time.process_time()
    pixels, labels = digits()
    images = (pixels.flatten(1) + 1) / 2
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    seen, new = images[order[:1500]], images[order[1500:]]
    numbers, vaes = {"steps": float(steps)}, {}
    for latent in LATENTS:
        torch.manual_seed(seed)
        vaes[latent], plain = VAE(VAEConfig(64, latent, HIDDEN)), Autoencoder(64, latent, HIDDEN)
        for model in (vaes[latent], plain):
            trained(model, seen, steps, seed)
        plane = pca(seen, latent)
        found = measured(vaes[latent], new, seed)
        found |= {"error_pca": error(plane.decode(plane.encode(new)), new), "error_ae": error(plain(new).detach(), new)}
        numbers |= {f"{name}_{latent}": value for name, value in found.items()}
    numbers["cpu_seconds"] = time.process_time() - started
    ends = [seen[labels[order[:1500]] == digit][0] for digit in (3, 6)]
    errors = [numbers[f"error_{name}_2"] for name in ("pca", "vae")]
    used = numbers["latents_used_20"]
    return Demo(
        _figure(vaes, ends, numbers, seed),
        numbers,
        f"With 2 latents, a new digit comes back with an error of {errors[0]:.1f} by PCA and {errors[1]:.1f} by the VAE; "
        f"of 20 latents the VAE uses {used:.0f}.",
        f"Avec 2 latents, un chiffre nouveau revient avec une erreur de {comma(errors[0])} par l'ACP et de {comma(errors[1])} par le VAE ; "
        f"sur 20 latents, le VAE en utilise {used:.0f}.",
    )


@torch.no_grad()
def _figure(vaes: dict[int, VAE], ends: list[Tensor], numbers: dict[str, float], seed: int) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.5, 9), layout="constrained")
    grid = figure.add_gridspec(3, 4, height_ratios=[1, 0.62, 0.62])
    for column, (latent, vae) in enumerate(vaes.items()):
        sheet = vae.sample(SHEET**2, torch.Generator().manual_seed(seed))
        _mosaic(figure.add_subplot(grid[0, column]), sheet, SHEET, say(f"Drawn from {latent} latents", f"Tirés de {latent} latents"))
    _mosaic(
        figure.add_subplot(grid[1:, :2]),
        vaes[2].decode(latent_plane(PLANE).flatten(0, 1)),
        PLANE,
        say("The plane of 2 latents, even in probability", "Le plan de 2 latents, régulier en probabilité"),
    )
    widest = vaes[LATENTS[-1]]
    first, second = (widest.encode(end.unsqueeze(0))[0][0] for end in ends)
    ways = torch.cat([interpolate(first, second, WALK), slerp(first, second, WALK)])
    title = say(
        f"From a 3 to a 6 in {LATENTS[-1]} latents: straight, and along the arc",
        f"D'un 3 à un 6 en {LATENTS[-1]} latents : tout droit, et par l'arc",
    )
    _mosaic(figure.add_subplot(grid[1, 2:]), widest.decode(ways), WALK, title)
    errors = figure.add_subplot(grid[2, 2:])
    for (name, colour), mark in zip(COLOURS.items(), "s^o", strict=True):
        label = {"PCA": say("PCA", "ACP"), "AE": say("autoencoder", "auto-encodeur"), "VAE": "VAE"}[name]
        errors.plot(
            LATENTS, [numbers[f"error_{name.lower()}_{latent}"] for latent in LATENTS], color=colour, marker=mark, linewidth=2, label=label
        )
    errors.set(xlabel="latents", ylabel=say("squared error of a digit", "erreur au carré d'un chiffre"), xticks=LATENTS, ylim=(0, None))
    errors.set_title(say("Digits brought back that no one trained on", "Chiffres retrouvés, absents de l'entraînement"))
    errors.legend(frameon=False)
    errors.spines[["top", "right"]].set_visible(False)
    errors.grid(alpha=0.25)
    return figure


def _mosaic(axes, pictures: Tensor, columns: int, title: str) -> None:
    framed = F.pad(pictures.unflatten(1, (8, 8)), (0, 1, 0, 1), value=0.5)
    axes.imshow(rearrange(framed, "(r c) h w -> (r h) (c w)", c=columns)[:-1, :-1], cmap="gray", vmin=0, vmax=1)
    axes.set_title(title, fontsize=12)
    axes.set_axis_off()
