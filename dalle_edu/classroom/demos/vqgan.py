"""A codec trained on pixel errors alone, and the same codec trained with a perceptual and an adversarial loss.

`python -m dalle_edu.classroom.demos.vqgan MINUTES` goes on from the weights that there are, or from none, for so many minutes, and saves
them where the experiment looks for them.
"""

import sys
import time
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.bricks.codebook import CodecConfig
from dalle_edu.bricks.convolution import SmallClassifier
from dalle_edu.bricks.vqgan import VQGAN
from dalle_edu.classroom.demo import Demo
from dalle_edu.classroom.learner import Learner
from dalle_edu.classroom.pretrained import briefly, is_kept, recall, train_and_keep
from dalle_edu.language import say
from dalle_edu.training.learning_rate import learning_rate_schedule
from dalle_edu.world import SHAPES, render, sample_scene

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONFIG = CodecConfig(resolution=32, grid=8, num_codes=128, width=32, depth=1, code_dim=16)
SCENES, BATCH, EXAM, SHOWN = 4000, 32, 128, 8
JUDGE_STEPS, BRIEF_STEPS = 150, 60  # when there are no weights
NEW = 10**6  # scenes from here on are never trained on


def scenes(first: int, n: int, seed: int) -> Tensor:
    return render([sample_scene(seed, index) for index in range(first, first + n)], CONFIG.resolution)


def trained_features(seed: int, steps: int = JUDGE_STEPS) -> torch.nn.Sequential:
    """The eyes: a classifier that learns which shapes a scene holds, and is then asked what it sees on the way."""
    torch.manual_seed(seed)
    names = [shape.name for shape in SHAPES.shapes]
    drawn = [sample_scene(seed, index) for index in range(SCENES)]
    images = render(drawn, CONFIG.resolution)
    holds = torch.tensor([[float(name in {thing.shape for thing in scene.objects}) for name in names] for scene in drawn])
    classifier, generator = SmallClassifier(3, len(names)), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=3e-3)
    for _ in range(steps):
        rows = torch.randint(SCENES, (64,), generator=generator)
        loss = F.binary_cross_entropy_with_logits(classifier(images[rows]), holds[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return classifier.features


def train(model: VQGAN, seed: int, steps: int | None = None, seconds: float = 0.0) -> int:
    """Train for so many steps or seconds, the adversary joining in half-way; returns the steps taken."""
    images, generator = scenes(0, SCENES, seed), torch.Generator().manual_seed(seed)
    codec = Learner(model, ("encoder", "decoder"), parts=("encoder", "decoder", "quantizer"))
    adversary = torch.optim.AdamW(model.discriminator.parameters(), lr=5e-4, betas=(0.5, 0.9))
    started, taken = time.monotonic(), 0
    model.train()
    while taken < steps if steps is not None else time.monotonic() - started < seconds:
        passed = taken / steps if steps is not None else (time.monotonic() - started) / seconds
        batch = images[torch.randint(SCENES, (BATCH,), generator=generator)]
        parts = model.loss(batch, adversarial=0.3 if passed > 0.5 else 0.0)
        codec.step(parts["loss"], learning_rate_schedule(taken, passed))
        if passed > 0.4:
            adversary.zero_grad()
            model.discriminator_loss(batch).backward()
            adversary.step()
        if taken % 20 == 19 and passed < 0.4:
            model.quantizer.revive(model.encoder(batch).detach(), generator=generator)
        taken += 1
    return taken


def begin(seed: int) -> VQGAN:
    """A model at its beginning; its eyes are trained here, unless the kept weights, which are to come, hold them."""
    features = SmallClassifier(3, len(SHAPES.shapes)).features if is_kept("vqgan") else trained_features(seed)
    torch.manual_seed(seed)
    return VQGAN(CONFIG, features, discriminator_width=24)


def main(minutes: float, seed: int = 0) -> None:
    """Train for so many minutes and keep the weights."""
    model = begin(seed)
    train_and_keep("vqgan", model, lambda steps: train(model, seed + steps, seconds=60 * minutes), minutes)


def demo(seed: int = 0, steps: int = BRIEF_STEPS) -> Demo:
    """Paint scenes that training never showed, and measure what each judge says."""
    started = time.process_time()
    model = begin(seed)
    trained, minutes = recall("vqgan", model)
    if not trained:
        trained = train(model, seed, steps)
    model.eval()
    images = scenes(NEW, EXAM, seed)
    with torch.no_grad():
        painted = model.decode(model.encode(images)).clamp(-1, 1)
        verdicts = [float((model.discriminator(pictures) > 0).float().mean()) for pictures in (images, painted)]
        numbers = {
            "pixels": float((painted - images).abs().mean()),
            "perceptual": float(model.perceptual(painted, images)),
            "real_patches_taken_for_real": verdicts[0],
            "painted_patches_taken_for_real": verdicts[1],
            "steps_trained": float(trained),
            "minutes_trained": minutes,
            "cpu_seconds": time.process_time() - started,
        }
        maps = model.discriminator(painted[:SHOWN])
    brief_en, brief_fr = briefly("vqgan", trained)
    return Demo(
        _figure(images[:SHOWN], painted[:SHOWN], maps),
        numbers,
        f"The adversary takes {verdicts[0]:.0%} of real patches for real, and {verdicts[1]:.0%} of painted ones.{brief_en}",
        f"L'adversaire tient pour vrais {100 * verdicts[0]:.0f} % des morceaux vrais, et {100 * verdicts[1]:.0f} % des peints.{brief_fr}",
    )


def _figure(images: Tensor, painted: Tensor, maps: Tensor) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5), layout="constrained")
    rows = [say("real", "réel"), say("painted", "peint"), say("verdict on each patch\n(blue: real)", "verdict par morceau\n(bleu : vrai)")]
    limit = float(maps.abs().max())
    for row, name, pictures in zip(figure.subplots(3, SHOWN), rows, (images, painted, maps), strict=True):
        for axes, picture in zip(row, pictures, strict=True):
            if picture.ndim == 3:
                axes.imshow((picture.permute(1, 2, 0) + 1) / 2)
            else:
                axes.imshow(picture, cmap="RdBu", vmin=-limit, vmax=limit)
            axes.set(xticks=[], yticks=[])
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11)
    return figure


if __name__ == "__main__":
    main(float(sys.argv[1]))
