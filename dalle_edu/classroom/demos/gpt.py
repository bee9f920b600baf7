"""A small GPT generates pictures of one object, as codes of the codec that comes with the package."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dalle_edu.bricks.bart import TextToImageBART
from dalle_edu.bricks.dvae import DiscreteVAE
from dalle_edu.bricks.gpt import GPTConfig, TextToImageGPT, sample_codes
from dalle_edu.classroom.demo import Demo
from dalle_edu.classroom.learner import Learner
from dalle_edu.device import choose_device
from dalle_edu.language import say, sentence_language
from dalle_edu.world import SHAPES, Description, Mention, Scene, World, caption, caption_tokenizer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWS = ("cached_gpt", "gpt")

TextToImageModel = TextToImageGPT | TextToImageBART
BATCH, SHOWN, EXAM = 32, 8, 64
SCENES = 120 * BATCH


@dataclass(frozen=True)
class Task:
    """Scenes of one object as captions and codes, and the captions, each many times over, that a model is examined on."""

    dvae: DiscreteVAE  # the shipped one: it stays as it is
    text: Tensor
    codes: Tensor
    prompts: list[str]
    asked: list[Description]
    asked_text: Tensor
    uniforms: Tensor

    @torch.no_grad()
    def examine(self, model: TextToImageModel, guidance_scale: float = 2.0) -> tuple[Tensor, float]:
        """The pictures that a model draws, in the order asked, and the part of them that show their object."""
        from dalle_edu.scorecard import mark, parse_pictures

        codes = sample_codes(model, self.asked_text, self.uniforms, guidance_scale, 0.7)
        drawn = self.dvae.decode(codes.unflatten(1, (model.config.grid, -1))).clamp(-1, 1)
        marks = [mark(description, objects) for description, objects in zip(self.asked, parse_pictures(drawn), strict=True)]
        return drawn, sum(each["single_object"] for each in marks) / len(marks)


def single_scenes(count: int, seed: int) -> tuple[list[Scene], list[str]]:
    """Scenes of the world that hold one object, with their captions."""
    world, index = World(2**31, seed=seed), 0
    scenes: list[Scene] = []
    captions: list[str] = []
    while len(scenes) < count:
        scene, text = world[index]
        if len(scene.objects) == 1:
            scenes.append(scene)
            captions.append(text)
        index += 1
    return scenes, captions


def single_objects(seed: int) -> Task:
    """The task: every shape once in training's captions and once, in a colour of its own, in the exam."""
    import dalle_edu
    from dalle_edu.world import render

    dvae: DiscreteVAE = dalle_edu.load("dalle1").dvae  # type: ignore[assignment]
    scenes, captions = single_scenes(SCENES, seed)
    pictures = [render(scenes[i : i + BATCH], dvae.config.resolution) for i in range(0, SCENES, BATCH)]
    codes = torch.cat([dvae.encode(batch).flatten(1) for batch in pictures])
    kinds = [Description((Mention(shape.name, colour.name),)) for shape, colour in zip(SHAPES.shapes, SHAPES.colours, strict=True)]
    asked = [description for description in kinds for _ in range(EXAM // len(kinds))]
    language, tokenizer, length = sentence_language(), caption_tokenizer(), GPTConfig.text_length
    return Task(
        dvae,
        tokenizer.encode(captions, length),
        codes,
        [caption(description, language) for description in kinds],
        asked,
        tokenizer.encode([caption(description, language) for description in asked], length),
        torch.rand(EXAM, codes.shape[1], generator=torch.Generator().manual_seed(seed)),
    )


def train(
    model: TextToImageModel, muon: tuple[str, ...], task: Task, steps: int, seed: int, watch: Callable[[int], None] = lambda step: None
) -> None:
    """So many updates; one caption in ten is left out, so that the model also knows the pictures that nobody asked for."""
    learner, device, generator = Learner(model, muon), choose_device("cpu"), torch.Generator().manual_seed(seed)
    for step in range(1, steps + 1):
        rows = torch.randint(len(task.codes), (BATCH,), generator=generator)
        kept = torch.rand(BATCH, 1, generator=generator) >= 0.1
        with device.autocast():
            loss = model.loss(task.text[rows] * kept, task.codes[rows])["loss"]
        learner.step(loss, min(1.0, step / 20, 2 * (1 - (step - 1) / steps)))
        watch(step)


def demo(seed: int = 0, steps: int = 600) -> Demo:
    """Train on single objects only, from nothing, and examine on the way."""
    started = time.process_time()
    task = single_objects(seed)
    torch.manual_seed(seed)
    model = TextToImageGPT(GPTConfig(num_codes=task.dvae.config.num_codes, width=96, depth=2, heads=4))
    shown: dict[int, tuple[Tensor, float]] = {}

    def watch(step: int) -> None:
        if step in (max(1, steps // 20), steps // 5, steps // 2, steps):
            shown[step] = task.examine(model)

    train(model, ("blocks",), task, steps, seed, watch)
    right = shown[steps][1]
    numbers = {"steps": float(steps), "single_object": right, "cpu_seconds": time.process_time() - started}
    rows = {
        say(f"step {step}\n{part:.0%} right", f"pas {step}\n{100 * part:.0f} % justes"): pictures
        for step, (pictures, part) in shown.items()
    }
    return Demo(
        sheet(rows, task.prompts),
        numbers,
        f"After {steps} updates, {right:.0%} of the pictures show the object that was asked for.",
        f"Après {steps} mises à jour, {100 * right:.0f} % des images montrent l'objet demandé.",
    )


def sheet(rows: dict[str, Tensor], prompts: list[str]) -> "Figure":
    """One picture of each prompt for each row's name."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 0.3 + 1.6 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), SHOWN, squeeze=False)
    for number, (row, (name, pictures)) in enumerate(zip(grid, rows.items(), strict=True)):
        for axes, picture, prompt in zip(row, pictures[:: EXAM // SHOWN], prompts, strict=True):
            axes.imshow((picture.permute(1, 2, 0).numpy() + 1) / 2)
            axes.set(xticks=[], yticks=[])
            if number == 0:
                axes.set_title(prompt, fontsize=9)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11)
    return figure
