"""A small GPT learns to write pictures of one object, in the codes of the codec that comes with the package."""

import time
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dalle_edu.bricks.dvae import DiscreteVAE
from dalle_edu.bricks.gpt import GPTConfig, TextToImageGPT, sample_codes
from dalle_edu.classroom.demo import Demo
from dalle_edu.classroom.learner import Learner
from dalle_edu.language import reader_language, say
from dalle_edu.world import SHAPES, Description, Mention, Scene, World, caption, caption_tokenizer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BATCH, SHOWN, EXAM = 64, 8, 64


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


def demo(seed: int = 0, steps: int = 400) -> Demo:
    """Train on single objects only, from nothing; the codec is the shipped one, and stays as it is."""
    import dalle_edu
    from dalle_edu.scorecard import mark, read_pictures
    from dalle_edu.world import render

    started = time.process_time()
    dvae: DiscreteVAE = dalle_edu.load("dalle1").dvae  # type: ignore[assignment]
    resolution, tokenizer = dvae.config.resolution, caption_tokenizer()
    scenes, captions = single_scenes(60 * BATCH, seed)
    codes = torch.cat([dvae.encode(render(scenes[i : i + BATCH], resolution)).flatten(1) for i in range(0, len(scenes), BATCH)])
    torch.manual_seed(seed)
    model = TextToImageGPT(GPTConfig(num_codes=dvae.config.num_codes, width=96, depth=2, heads=4))
    text = tokenizer.encode(captions, model.config.text_length)
    learner = Learner(model, ("blocks",))
    language = reader_language()
    asked = [Description((Mention(shape.name, colour.name),)) for shape, colour in zip(SHAPES.shapes, SHAPES.colours, strict=True)]
    prompts = [caption(description, language) for description in asked]
    exam = [description for description in asked for _ in range(EXAM // len(asked))]
    exam_text = tokenizer.encode([caption(description, language) for description in exam], model.config.text_length)
    uniforms = torch.rand(EXAM, model.config.image_length, generator=torch.Generator().manual_seed(seed))
    shown: dict[int, tuple[Tensor, float]] = {}
    chance = torch.Generator().manual_seed(seed)
    for step in range(1, steps + 1):
        rows = torch.randint(len(codes), (BATCH,), generator=chance)
        kept = torch.rand(BATCH, 1, generator=chance) >= 0.1
        loss = model.loss(text[rows] * kept, codes[rows])["loss"]
        learner.step(loss, min(1.0, step / 20, 2 * (1 - (step - 1) / steps)))
        if step in (max(1, steps // 20), steps // 5, steps // 2, steps):
            drawn = dvae.decode(sample_codes(model, exam_text, uniforms, 2.0, 0.7).unflatten(1, (model.config.grid, -1))).clamp(-1, 1)
            marks = [mark(description, objects) for description, objects in zip(exam, read_pictures(drawn), strict=True)]
            shown[step] = drawn[:: EXAM // SHOWN], sum(each["single_object"] for each in marks) / EXAM
    right = shown[steps][1]
    numbers = {"steps": float(steps), "single_object": right, "cpu_seconds": time.process_time() - started}
    return Demo(
        _figure(shown, prompts),
        numbers,
        f"After {steps} updates, {right:.0%} of the pictures show the object that was asked for.",
        f"Après {steps} mises à jour, {100 * right:.0f} % des images montrent l'objet demandé.",
    )


def _figure(shown: dict[int, tuple[Tensor, float]], prompts: list[str]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 6.6), layout="constrained")
    for number, (row, (step, (pictures, right))) in enumerate(zip(figure.subplots(len(shown), SHOWN), shown.items(), strict=True)):
        for axes, picture, prompt in zip(row, pictures, prompts, strict=True):
            axes.imshow((picture.detach().permute(1, 2, 0).numpy() + 1) / 2)
            axes.set(xticks=[], yticks=[])
            if number == 0:
                axes.set_title(prompt, fontsize=9)
        label = say(f"step {step}\n{right:.0%} right", f"pas {step}\n{100 * right:.0f} % justes")
        row[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=11)
    return figure
