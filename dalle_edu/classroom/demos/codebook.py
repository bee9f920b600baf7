"""Two codebooks compared: the VQ-VAE's, which takes the nearest code, and the discrete VAE's, which samples one with Gumbel-softmax."""

import time
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dalle_edu.bricks.codebook import VQVAE, CodecConfig, codes_alive
from dalle_edu.bricks.dvae import DiscreteVAE, DVAEConfig, temperature_at
from dalle_edu.classroom.demo import Demo
from dalle_edu.classroom.learner import Learner
from dalle_edu.language import say
from dalle_edu.training.learning_rate import learning_rate_schedule
from dalle_edu.world import World, render, sample_scene

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES: dict[str, Any] = {"resolution": 32, "num_codes": 128, "width": 32, "depth": 1, "code_dim": 16}
BATCH, EXAM = 32, 128


def demo(seed: int = 0, steps: int = 250) -> Demo:
    """Train three codecs on the same scenes: VQ-VAE without and with revival of dead codes, and the discrete VAE."""
    started = time.process_time()
    scenes = render([sample_scene(seed + 1, i) for i in range(EXAM)], SIZES["resolution"])
    numbers: dict[str, float] = {}
    shown = {say("real", "réel"): scenes[:8]}
    for name, revive in (
        ("VQ-VAE", False),
        (say("VQ-VAE, codes revived", "VQ-VAE, codes ranimés"), True),
        (say("discrete VAE", "VAE discret"), None),
    ):
        model = _train(seed, steps, revive)
        codes = model.encode(scenes)
        painted = model.decode(codes).detach().clamp(-1, 1)
        shown[name] = painted[:8]
        numbers[f"{name}: mse"] = float((painted - scenes).square().mean())
        numbers[f"{name}: codes"] = float(codes_alive(codes, SIZES["num_codes"])[0])
    numbers["cpu_seconds"] = time.process_time() - started
    alive = [f"{value:.0f}" for key, value in numbers.items() if key.endswith("codes")]
    return Demo(
        _figure(shown, numbers),
        numbers,
        f"Of {SIZES['num_codes']} codes, {alive[0]} live without revival, {alive[1]} with it, and {alive[2]} in the discrete VAE.",
        f"Sur {SIZES['num_codes']} codes, {alive[0]} vivent sans être ranimés, {alive[1]} en l'étant, et {alive[2]} dans le VAE discret.",
    )


def _train(seed: int, steps: int, revive: bool | None) -> VQVAE | DiscreteVAE:
    torch.manual_seed(seed)
    model: VQVAE | DiscreteVAE = DiscreteVAE(DVAEConfig(**SIZES)) if revive is None else VQVAE(CodecConfig(**SIZES), decay=0.95)
    learner = Learner(model, ("encoder", "decoder"))
    world, generator = World(steps * BATCH, seed=seed), torch.Generator().manual_seed(seed)
    for step in range(steps):
        images = world.collate([world[step * BATCH + i] for i in range(BATCH)]).images(SIZES["resolution"])
        loss = _loss(model, images, step / steps, generator)
        learner.step(loss, learning_rate_schedule(step, step / steps))
        if revive and isinstance(model, VQVAE) and step % 20 == 19 and step < 0.8 * steps:
            model.quantizer.revive(model.encoder(images).detach(), generator=generator)
    return model.eval()


def _loss(model: VQVAE | DiscreteVAE, images: Tensor, progress: float, generator: torch.Generator) -> Tensor:
    if isinstance(model, DiscreteVAE):
        return model.loss(images, temperature_at(progress), generator)["loss"]
    return model.loss(images)["loss"]


def _figure(shown: dict[str, Tensor], numbers: dict[str, float]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6), layout="constrained")
    for row, (name, pictures) in zip(figure.subplots(len(shown), 8), shown.items(), strict=True):
        for axes, picture in zip(row, pictures, strict=True):
            axes.imshow((picture.permute(1, 2, 0) + 1) / 2)
            axes.set(xticks=[], yticks=[])
        found = f"\n{numbers[f'{name}: codes']:.0f} codes, mse {numbers[f'{name}: mse']:.3f}" if f"{name}: mse" in numbers else ""
        row[0].set_ylabel(name.replace(", ", ",\n") + found, rotation=0, ha="right", va="center", fontsize=11)
    return figure
