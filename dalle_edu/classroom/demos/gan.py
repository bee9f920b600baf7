"""A GAN generates digits; its generator collapses onto a few of them when it takes more steps than the discriminator."""

import time
from collections.abc import Callable
from copy import deepcopy

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from dalle_edu.bricks.dcgan import Discriminator, GANConfig, Generator
from dalle_edu.bricks.gan import Game, algorithm_1, discriminator_step, generator_step, mode_coverage
from dalle_edu.classroom.demo import Demo
from dalle_edu.datasets.digits import digits
from dalle_edu.language import comma, say

SHOWS = ("gan", "dcgan")

BLUE, ORANGE, VERMILION = "#0072B2", "#E69F00", "#D55E00"  # Okabe & Ito's, told apart by everyone
CONFIG = GANConfig(resolution=16, latent_dim=32, width=24)
SAMPLES, SHOWN, BATCH = 500, 12, 64
GREED, HASTE, GREEDY_ROUNDS = 20, 8, 16  # in the run that is to collapse: steps of G for one of D, and how much faster G learns


def digit_reader(seed: int) -> tuple[Callable[[Tensor], Tensor], float]:
    """A support vector machine trained on four fifths of the real digits, as a function of pictures, and its accuracy on the last fifth."""
    from sklearn.svm import SVC

    images, labels = digits(8)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    seen, kept = order[: len(order) * 4 // 5], order[len(order) * 4 // 5 :]
    machine = SVC(gamma=0.1).fit(images[seen].flatten(1).numpy(), labels[seen].numpy())

    def read(pictures: Float[Tensor, "n 1 h w"]) -> Int[Tensor, " n"]:
        small = F.interpolate(pictures, size=8, mode="area")
        return torch.as_tensor(machine.predict(small.flatten(1).numpy()))

    return read, float((read(images[kept]) == labels[kept]).float().mean())


def new_game(seed: int, learning_rate: float = 5e-4) -> Game:
    """Both players at their beginning, with the optimisers of DCGAN."""
    torch.manual_seed(seed)
    generator, discriminator = Generator(CONFIG), Discriminator(CONFIG)
    first, second = (torch.optim.Adam(player.parameters(), learning_rate, betas=(0.5, 0.999)) for player in (generator, discriminator))
    return Game(generator, discriminator, first, second)


@torch.no_grad()
def drawn(game: Game, noise: Tensor) -> Tensor:
    game.generator.eval()
    pictures = game.generator(noise)
    game.generator.train()
    return pictures


def demo(seed: int = 0, rounds: int = 1200) -> Demo:
    """Play algorithm 1 on the digits and count the classes among 500 samples; then let the generator run ahead, and count again."""
    started = time.process_time()
    images, labels = digits(CONFIG.resolution)
    read, accuracy = digit_reader(seed)
    generator = torch.Generator().manual_seed(seed)
    fixed = torch.randn(SAMPLES, CONFIG.latent_dim, generator=generator)

    def draw_real() -> tuple[Tensor, None]:
        return images[torch.randint(len(images), (BATCH,), generator=generator)], None

    def draw_noise() -> Tensor:
        return torch.randn(BATCH, CONFIG.latent_dim, generator=generator)

    healthy, sheets = new_game(seed), {}
    moments = sorted({round(rounds * part) for part in (0.02, 0.1, 0.4, 1)})

    def watch(turn: int, discriminator_lost: Tensor, generator_lost: Tensor) -> None:
        if turn + 1 in moments:
            sheets[turn + 1] = drawn(healthy, fixed)

    algorithm_1(healthy, draw_real, draw_noise, rounds, callback=watch)
    greedy = deepcopy(healthy)
    for group in greedy.generator_optimizer.param_groups:
        group["lr"] *= HASTE
    for _ in range(GREEDY_ROUNDS):
        discriminator_step(greedy, draw_real()[0], draw_noise())
        for _ in range(GREED):
            generator_step(greedy, draw_noise())
    collapsed = drawn(greedy, fixed)

    classes = {"real": labels, "healthy": read(sheets[rounds]), "collapsed": read(collapsed)}
    found = {name: mode_coverage(said, 10) for name, said in classes.items()}
    early = mode_coverage(read(sheets[moments[0]]), 10)
    numbers = {
        "reader_accuracy": accuracy,
        "classes_present": float(found["healthy"][0]),
        "entropy_nats": found["healthy"][1],
        "entropy_real_nats": found["real"][1],
        "classes_present_early": float(early[0]),
        "classes_collapsed": float(found["collapsed"][0]),
        "entropy_collapsed_nats": found["collapsed"][1],
        "rounds": float(rounds),
        "cpu_seconds": time.process_time() - started,
    }
    (present, nats), (left, few) = found["healthy"], found["collapsed"]
    return Demo(
        _figure(images, sheets, collapsed, classes, found),
        numbers,
        f"After {rounds} rounds {present} of 10 digits are among {SAMPLES} samples ({nats:.2f} nats of entropy; evenly, 2.30). Then the "
        f"generator is let run ahead, {GREED} hasty steps for each of the discriminator: {left} left, {few:.2f} nats. It draws whatever "
        "fools the judge at that moment, and nothing else.",
        f"Après {rounds} tours, {present} chiffres sur 10 figurent parmi {SAMPLES} tirages (entropie {comma(nats, 2)} nat, au plus 2,30). "
        f"Puis le générateur prend de l'avance, {GREED} pas hâtifs pour un du discriminateur : il en reste {left}, "
        f"{comma(few, 2)} nat. Il dessine ce qui trompe le juge à cet instant, et rien d'autre.",
    )


def _figure(images: Tensor, sheets: dict[int, Tensor], collapsed: Tensor, classes: dict[str, Tensor], found: dict[str, tuple[int, float]]):
    from matplotlib.figure import Figure

    rows = [(say(f"round {turn}", f"tour {turn}"), sheet) for turn, sheet in sheets.items()]
    rows += [(say("collapsed", "effondré"), collapsed), (say("real", "réels"), images)]
    figure = Figure(figsize=(11, 8.2), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1.75, 1])  # type: ignore[misc]
    grid = above.subplots(len(rows), 1)
    for axes, (name, sheet) in zip(grid, rows, strict=True):
        axes.imshow(torch.cat(list(sheet[:SHOWN, 0]), dim=1), cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=12)
        axes.set_xticks([])
        axes.set_yticks([])
    axes = below.subplots()
    names = {"real": say("real digits", "chiffres réels"), "healthy": say("one step each", "un pas chacun")}
    names["collapsed"] = say(f"{GREED} steps of G for one of D", f"{GREED} pas de G pour un de D")
    for place, (name, colour) in enumerate(zip(names, (BLUE, ORANGE, VERMILION), strict=True)):
        shares = classes[name].bincount(minlength=10) / len(classes[name])
        present, nats = found[name]
        count = say(f"classes: {present}, entropy: {nats:.2f} nats", f"classes : {present}, entropie : {comma(nats, 2)} nat")
        axes.bar(torch.arange(10) + 0.27 * (place - 1), shares, 0.27, color=colour, label=f"{names[name]} ({count})")
    axes.set_xticks(range(10))
    axes.set_xlabel(say("digit that the reader sees", "chiffre que voit le lecteur"), fontsize=12)
    axes.set_ylabel(say("share of samples", "part des tirages"), fontsize=12)
    axes.legend(fontsize=11)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure
