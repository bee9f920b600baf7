"""A CycleGAN turns filled shapes into outlines and back, trained on unpaired pictures.

`python -m dalle_edu.classroom.demos.cyclegan MINUTES` goes on from the weights that there are, or from none, for so many minutes, and
saves them where the experiment looks for them.
"""

import sys
import time

import torch
from jaxtyping import Float
from torch import Tensor

from dalle_edu.bricks.cyclegan import CycleGAN, CycleGANConfig, Exchange, cyclegan_step
from dalle_edu.classroom.demo import Demo
from dalle_edu.classroom.pretrained import briefly, recall, train_and_keep
from dalle_edu.language import comma, say
from dalle_edu.world import render, sample_scene
from dalle_edu.world.styles import outlined

CONFIG, RESOLUTION, BATCH, SHOWN, TESTED = CycleGANConfig(), 32, 4, 8, 100
BRIEF_STEPS = 120  # when there are no weights
NEW = 10**6  # scenes from here on are never trained on


def filled_and_outlined(first: int, n: int, seed: int) -> tuple[Float[Tensor, "n 3 h w"], Float[Tensor, "n 3 h w"]]:
    """The same scenes in both styles."""
    scenes = [sample_scene(seed, index) for index in range(first, first + n)]
    return render(scenes, RESOLUTION), render(scenes, RESOLUTION, catalogue=outlined())


def train(model: CycleGAN, seed: int, steps: int | None = None, seconds: float = 0.0, learning_rate: float = 4e-4) -> int:
    """Train on 4,000 filled scenes and 4,000 others, outlined, for so many steps or seconds; returns the steps taken."""
    generator = torch.Generator().manual_seed(seed)
    (filled, _), (_, lines) = filled_and_outlined(0, 4000, seed), filled_and_outlined(4000, 4000, seed)
    exchange = Exchange.start(model, generator, learning_rate)
    started, taken = time.monotonic(), 0
    while taken < steps if steps is not None else time.monotonic() - started < seconds:
        passed = taken / steps if steps is not None else (time.monotonic() - started) / seconds
        for group in (*exchange.translators.param_groups, *exchange.judges.param_groups):
            group["lr"] = learning_rate * min(1.0, 2 * (1 - passed))  # constant, then down to 0, as in Zhu et al. 2017
        a, b = (pictures[torch.randint(len(pictures), (BATCH,), generator=generator)] for pictures in (filled, lines))
        cyclegan_step(exchange, a, b)
        taken += 1
    return taken


def main(minutes: float, seed: int = 0) -> None:
    """Train for so many minutes and keep the weights."""
    torch.manual_seed(seed)
    model = CycleGAN(CONFIG)
    train_and_keep("cyclegan", model, lambda steps: train(model, seed + steps, seconds=60 * minutes), minutes)


@torch.no_grad()
def hidden_in_the_lines(model: CycleGAN, filled: Tensor, deviation: float, seed: int = 0) -> tuple[float, float]:
    """The errors there and back, without and with noise of this deviation added to the outlines between (Chu et al. 2017).

    A translator may hide the colours that an outline does not show in differences that nobody sees. A little noise then spoils the way
    back much more than it changes the outlines. Both errors are mean absolute differences from `filled`, on a scale of 2.
    """
    lines = model.to_b(filled)
    noise = torch.randn(lines.shape, generator=torch.Generator().manual_seed(seed))
    plain, noisy = (float((model.to_a(between) - filled).abs().mean()) for between in (lines, (lines + deviation * noise).clamp(-1, 1)))
    return plain, noisy


@torch.no_grad()
def demo(seed: int = 0, steps: int = BRIEF_STEPS) -> Demo:
    """Translate scenes that training never showed, both ways, and hold them against the truth, which the renderer knows."""
    started = time.process_time()
    torch.manual_seed(seed)
    model = CycleGAN(CONFIG)
    trained, minutes = recall("cyclegan", model)
    if not trained:
        with torch.enable_grad():
            trained = train(model, seed, steps)
    filled, lines = filled_and_outlined(NEW, TESTED, seed)
    model.eval()
    drawn, painted = model.to_b(filled), model.to_a(lines)
    back = model.to_a(drawn)

    def error(found: Tensor, truth: Tensor) -> float:
        return float((found - truth).abs().mean())

    numbers = {
        "error_outlining": error(drawn, lines),
        "error_filling": error(painted, filled),
        "error_untouched": error(filled, lines),
        "error_there_and_back": error(back, filled),
        "steps_trained": float(trained),
        "minutes_trained": minutes,
        "cpu_seconds": time.process_time() - started,
    }
    part = numbers["error_outlining"] / numbers["error_untouched"]
    brief_en, brief_fr = briefly("cyclegan", trained)
    return Demo(
        _figure([(filled, drawn, back, lines), (lines, painted, model.to_b(painted), filled)]),
        numbers,
        f"Without a pair to learn from, outlining leaves {part:.0%} of the difference between the styles; there and back again, a pixel is "
        f"off by {numbers['error_there_and_back']:.3f} on a scale of 2.{brief_en}",
        f"Sans une seule paire, le tracé laisse {100 * part:.0f} % de l'écart entre les styles ; après un aller-retour, un pixel s'écarte "
        f"de {comma(numbers['error_there_and_back'], 3)} sur une échelle de 2.{brief_fr}",
    )


def _figure(ways: list[tuple[Tensor, Tensor, Tensor, Tensor]]):
    from matplotlib.figure import Figure

    drawn, painted = say("outlined by G", "tracé par G"), say("filled by F", "rempli par F")
    first = [say("filled", "plein"), drawn, say("filled again by F", "rempli de nouveau par F"), say("truth", "vérité")]
    second = [say("outlined", "tracé"), painted, say("outlined again by G", "tracé de nouveau par G"), say("truth", "vérité")]
    figure = Figure(figsize=(11, 11), layout="constrained")
    grid = figure.subplots(8, 1)
    for axes, name, pictures in zip(grid, [*first, *second], [sheet for way in ways for sheet in way], strict=True):
        strip = torch.cat(list(pictures[:SHOWN]), dim=2).permute(1, 2, 0)
        axes.imshow(((strip + 1) / 2).clamp(0, 1), interpolation="nearest")
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=12)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


if __name__ == "__main__":
    main(float(sys.argv[1]))
