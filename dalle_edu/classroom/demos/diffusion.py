"""A diffusion model generates digits of a given class: their exactness and their diversity at several guidance scales."""

import time
from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dalle_edu.bricks.diffusion import Denoiser, add_noise, denoiser, diffusion_loss, training_target
from dalle_edu.bricks.guidance import guided
from dalle_edu.bricks.inpainting import inpainting
from dalle_edu.bricks.noise_schedule import NoiseSchedule, cosine_schedule
from dalle_edu.bricks.samplers import Step, ddim, dpm_solver
from dalle_edu.bricks.unet import UNet, UNetConfig
from dalle_edu.classroom.demo import Demo
from dalle_edu.datasets.digits import digits
from dalle_edu.language import comma, say

SHOWS = ("noise_schedule", "diffusion", "inpainting")

SCALES, STEPS, PER_DIGIT, DROPPED = (1.0, 2.0, 4.0), 20, 50, 0.15


def trained(images: Tensor, classes: Tensor, schedule: NoiseSchedule, steps: int, seed: int, batch: int = 64) -> nn.Module:
    """A small U-Net that predicts v; now and then a class is blanked, so that the network knows the digits without being told which."""
    torch.manual_seed(seed)
    network = UNet(UNetConfig(1, 1, 1, (32, 64), depth=1, attention_levels=(1,), heads=2, pooled_width=10))
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, fused=True)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        chosen = torch.randint(len(images), (batch,), generator=generator)
        told = torch.rand(batch, 1, generator=generator) >= DROPPED
        optimizer.zero_grad()
        diffusion_loss(network, images[chosen], schedule, "v", generator=generator, pooled=classes[chosen] * told).backward()
        optimizer.step()
        pace.step()
    return network.eval()


def painted(network: nn.Module, asked: Tensor, scale: float, schedule: NoiseSchedule, seed: int, callback=None) -> Tensor:
    """One digit for each row of `asked` (one-hot)."""
    noise = torch.randn(len(asked), 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    return dpm_solver(_asked(network, asked, scale, schedule), noise, schedule, STEPS, callback=callback)


def _asked(network: nn.Module, asked: Tensor, scale: float, schedule: NoiseSchedule) -> Denoiser:
    """The denoiser of a network that is guided towards classes."""
    predict = guided(network, scale, {"pooled": asked}, {"pooled": torch.zeros_like(asked)})
    return denoiser(predict, schedule, "v", clip=lambda x0: x0.clamp(-1, 1))


@torch.no_grad()
def loss_by_timestep(
    network: nn.Module, images: Tensor, classes: Tensor, schedule: NoiseSchedule, moments: Sequence[int], seed: int = 0
) -> list[float]:
    """The mean squared error of v at each of some timesteps, over pictures with their classes (one-hot), as a list of numbers."""
    noise, losses = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed)), []
    for moment in moments:
        t = torch.full((len(images),), moment)
        predicted = network(add_noise(images, noise, t, schedule), t, pooled=classes)
        losses.append(float(F.mse_loss(predicted, training_target(images, noise, t, schedule, "v"))))
    return losses


def nearest(found: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    """For each picture found, the index of the closest of `images`, and how far it is: the root mean square over pixels.

    A network that repeats what it was trained on finds pictures at a distance near 0.
    """
    distances = torch.cdist(found.flatten(1), images.flatten(1)) / found[0].numel() ** 0.5
    closest = distances.min(dim=1)
    return closest.indices, closest.values


def one_hand(network: nn.Module, scale: float, schedule: NoiseSchedule, seed: int) -> Tensor:
    """The ten digits from one noise: whatever the class does not decide, all ten of them share."""
    noise = torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(seed)).expand(10, -1, -1, -1)
    return dpm_solver(_asked(network, torch.eye(10), scale, schedule), noise, schedule, STEPS)


def completed(
    network: nn.Module, known: Tensor, mask: Tensor, asked: Tensor, scale: float, schedule: NoiseSchedule, seed: int, callback=None
) -> Tensor:
    """Digits whose pixels are known where `mask` is True, and which are completed as the classes `asked` (one-hot)."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.empty_like(known).normal_(generator=generator)
    denoise = inpainting(_asked(network, asked, scale, schedule), known, mask, schedule, generator)
    return ddim(denoise, noise, schedule, 2 * STEPS, callback=callback)


def variety(images: Tensor, labels: Tensor) -> float:
    """How much the digits of one class differ: the deviation from the class's mean picture, averaged over classes and pixels."""
    spread = [images[labels == digit].var(dim=0).mean() for digit in range(10)]
    return float(torch.stack(spread).mean().sqrt())


def demo(seed: int = 0, steps: int = 700) -> Demo:
    """Train on three quarters of the real digits; have the painted ones read by an SVC that has read the same three quarters."""
    from sklearn.svm import SVC

    images, labels = digits(8)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    seen, new = order[: 3 * len(order) // 4], order[3 * len(order) // 4 :]
    reader = SVC(gamma="scale", C=10).fit(images[seen].flatten(1), labels[seen])
    started = time.process_time()
    schedule = cosine_schedule()
    network = trained(images[seen], F.one_hot(labels[seen], 10).float(), schedule, steps, seed)
    numbers = {"training_cpu_seconds": time.process_time() - started, "steps": float(steps)}
    numbers["reader_on_new_real_digits"] = float(reader.score(images[new].flatten(1), labels[new]))
    numbers["variety_of_real_digits"] = variety(images[seen], labels[seen])
    wanted = torch.arange(10).repeat(PER_DIGIT)
    asked, found, path = F.one_hot(wanted, 10).float(), {}, list[Step]()
    for scale in SCALES:
        found[scale] = painted(network, asked, scale, schedule, seed, path.append if scale == 2 else None)
        numbers[f"as_asked_at_guidance_{scale:g}"] = float(reader.score(found[scale].flatten(1), wanted))
        numbers[f"variety_at_guidance_{scale:g}"] = variety(found[scale], wanted)
    numbers["cpu_seconds"] = time.process_time() - started
    right, spread = ([numbers[f"{name}_at_guidance_{scale:g}"] for scale in SCALES] for name in ("as_asked", "variety"))
    return Demo(
        _figure(found, path, right, [value / numbers["variety_of_real_digits"] for value in spread]),
        numbers,
        f"In {STEPS} steps, {right[0]:.1%} of the digits are as asked without guidance and {right[1]:.1%} at scale 2; "
        f"from 1 to 4 their variety falls from {spread[0]:.2f} to {spread[2]:.2f}: guidance buys obedience with variety.",
        f"En {STEPS} pas, {comma(100 * right[0], 1)} % des chiffres sont ceux demandés sans guidage, "
        f"{comma(100 * right[1], 1)} % à l'échelle 2 ; de 1 à 4 leur variété tombe de {comma(spread[0], 2)} "
        f"à {comma(spread[2], 2)} : le guidage paie l'obéissance en variété.",
    )


def _figure(found: dict[float, Tensor], path: list[Step], right: list[float], spread: list[float]):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 8.4), layout="constrained")
    top, bottom = cast("Any", figure.subfigures(2, 1, height_ratios=[1, 1.05]))
    rows = top.subplots(2, 1)
    shown = [0, 4, 8, 11, 13, 15, 16, 17, 18, 19]
    one = 3  # the digit whose way is shown
    for axis, which, title in (
        (rows[0], "x", say("what the sampler holds, step by step", "ce que tient l'échantillonneur, pas à pas")),
        (rows[1], "x0", say("what the network believes in", "ce à quoi croit le réseau")),
    ):
        _strip(axis, [getattr(path[step], which)[one, 0] for step in shown])
        axis.set_title(title, fontsize=13)
        axis.set_xticks([9 * column + 3.5 for column in range(len(shown))], [str(path[step].t) for step in shown], fontsize=11)
    rows[1].set_xlabel(say("timestep t", "instant t"), fontsize=12)
    axes = bottom.subplots(1, 4, width_ratios=[1, 1, 1, 1.15])
    for axis, scale in zip(axes, SCALES, strict=False):
        sheet = [
            torch.cat([F.pad(found[scale][10 * row + digit, 0], (0, 1, 0, 1), value=1.0) for row in range(6)], dim=1) for digit in range(10)
        ]
        axis.imshow(torch.cat(sheet), cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
        axis.set_title(say(f"guidance {scale:g}", f"guidage {scale:g}"), fontsize=13)
        axis.set(xticks=[])
        axis.set_yticks([9 * digit + 4 for digit in range(10)], [str(digit) for digit in range(10)], fontsize=11)
    axes[0].set_ylabel(say("digit asked for", "chiffre demandé"), fontsize=12)
    axes[3].plot(SCALES, right, "o-", color="#0072B2", linewidth=2, label=say("as asked", "comme demandé"))
    axes[3].plot(SCALES, spread, "s--", color="#D55E00", linewidth=2, label=say("variety / real", "variété / réelle"))
    axes[3].set_xticks(SCALES, [f"{scale:g}" for scale in SCALES])
    axes[3].set_xlabel(say("guidance", "guidage"), fontsize=12)
    axes[3].set_ylim(0, 1.1)
    axes[3].legend(frameon=False, fontsize=12, loc="lower left")
    axes[3].spines[["top", "right"]].set_visible(False)
    return figure


def _strip(axis, pictures: list[Tensor]) -> None:
    axis.imshow(torch.cat([F.pad(picture, (0, 1), value=1.0) for picture in pictures], dim=1), cmap="gray", vmin=-1, vmax=1)
    axis.set(yticks=[])
    axis.spines[:].set_visible(False)
