"""The discrete VAE: Gumbel-softmax samples become one-hot as the temperature falls, and a reward for entropy keeps codes in use."""

import time
from typing import TYPE_CHECKING, Any, cast

import torch

from dalle_edu.bricks.codebook import codes_alive
from dalle_edu.bricks.dvae import DiscreteVAE, DVAEConfig, gumbel_softmax, temperature_at
from dalle_edu.classroom.demo import Demo
from dalle_edu.classroom.learner import Learner
from dalle_edu.language import say
from dalle_edu.training.learning_rate import learning_rate_schedule
from dalle_edu.world import World, render, sample_scene

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES: dict[str, Any] = {"resolution": 32, "num_codes": 128, "width": 32, "depth": 1, "code_dim": 16}
BATCH, EXAM, REWARDS = 32, 128, (0.0, 0.02)
COLOURS, MARKS = ("#E69F00", "#0072B2"), ("s", "o")  # Okabe & Ito


def demo(seed: int = 0, steps: int = 300) -> Demo:
    """Train the discrete VAE with and without the reward for the codebook's entropy; count the codes in use on the way."""
    started = time.process_time()
    scenes = render([sample_scene(seed + 1, i) for i in range(EXAM)], SIZES["resolution"])
    paths, numbers = {}, {}
    for reward in REWARDS:
        torch.manual_seed(seed)
        model = DiscreteVAE(DVAEConfig(**SIZES, entropy_weight=reward))
        learner = Learner(model, ("encoder", "decoder"))
        world, generator = World(steps * BATCH, seed=seed), torch.Generator().manual_seed(seed)
        alive: dict[int, float] = {}
        for step in range(1, steps + 1):
            images = world.collate([world[(step - 1) * BATCH + i] for i in range(BATCH)]).images(SIZES["resolution"])
            loss = model.loss(images, temperature_at(step / steps), generator)["loss"]
            learner.step(loss, learning_rate_schedule(step, step / steps))
            if step % max(1, steps // 15) == 0:
                alive[step] = float(codes_alive(model.encode(scenes), SIZES["num_codes"])[0])
        painted = model.decode(model.encode(scenes)).detach().clamp(-1, 1)
        paths[reward] = alive
        numbers[f"codes, reward {reward:g}"] = alive[max(alive)]
        numbers[f"mse, reward {reward:g}"] = float((painted - scenes).square().mean())
    numbers["cpu_seconds"] = time.process_time() - started
    without, rewarded = (numbers[f"codes, reward {reward:g}"] for reward in REWARDS)
    return Demo(
        _figure(paths, seed),
        numbers,
        f"Of {SIZES['num_codes']} codes, {without:.0f} are in use without the reward for entropy, {rewarded:.0f} with it.",
        f"Sur {SIZES['num_codes']} codes, {without:.0f} servent sans récompense de l'entropie, {rewarded:.0f} avec.",
    )


def _figure(paths: dict[float, dict[int, float]], seed: int) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.4), layout="constrained")
    draws, living = cast("Any", figure.subfigures(1, 2, width_ratios=[1.2, 1]))
    logits = torch.tensor([2.0, 1.5, 0.5, 0.0, -0.5, -1.0])
    temperatures = (4.0, 1.0, 0.25, 1 / 16)
    grid = draws.subplots(3, len(temperatures), sharex=True, sharey=True)
    for column, temperature in enumerate(temperatures):
        for row in range(3):
            generator = torch.Generator().manual_seed(seed + row)
            grid[row, column].bar(range(6), gumbel_softmax(logits, temperature, generator=generator), color="#0072B2")
            grid[row, column].set(ylim=(0, 1.05), xticks=[], yticks=[0, 1])
        grid[0, column].set_title(f"τ = {temperature:g}", fontsize=11)
    draws.suptitle(
        say(
            "Three soft draws among six codes, as the temperature τ falls",
            "Trois tirages doux entre six codes, quand la température τ baisse",
        )
    )
    axes = living.subplots()
    for (reward, path), colour, marker in zip(paths.items(), COLOURS, MARKS, strict=True):
        label = say("reward for entropy", "récompense de l'entropie") + f" {reward:g}"
        axes.plot(list(path), list(path.values()), color=colour, marker=marker, linewidth=2, label=label)
    axes.set(xlabel=say("step", "pas"), ylabel=say("codes in use", "codes en usage"), ylim=(0, SIZES["num_codes"] * 1.03))
    axes.legend(frameon=False, loc="center right")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return figure
