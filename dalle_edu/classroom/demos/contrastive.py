"""CLIP is trained on pictures and captions of the world, then used for zero-shot classification and retrieval."""

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from dalle_edu.bricks.contrastive import CLIP, CLIPConfig, similarity
from dalle_edu.bricks.zero_shot import ensemble, recall_at, zero_shot
from dalle_edu.classroom.demo import Demo
from dalle_edu.language import say
from dalle_edu.training.muon import Muon
from dalle_edu.world import SHAPES, Description, Mention, Scene, World, caption, caption_tokenizer, phrasings, render, sample_scene

SHOWS = ("contrastive", "zero_shot")

BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"  # Okabe & Ito's, told apart by everyone
CONFIG = CLIPConfig(resolution=32, patch_size=8, width=96, image_depth=1, text_depth=1, embedding=64)
PAIRS, BATCH, GALLERY, TESTED, SHOWN = 10_000, 128, 100, 300, 8
LEARNING_RATE, MATRIX_LEARNING_RATE = 1e-3, 2e-2
NEW = 10**6  # scenes from here on are never trained on


def tokens(captions: Sequence[str]) -> Tensor:
    return caption_tokenizer().encode(captions, CONFIG.text_length)


def trained(seed: int, steps: int) -> CLIP:
    """A CLIP that has seen `steps` batches of pairs; the rate of learning rises over the first twentieth and falls to zero.

    Matrices and kernels move by Muon: with AdamW alone, colours are learned in this time and shapes hardly.
    """
    world = World(PAIRS, seed, languages=("en",))
    batch = world.collate([world[i] for i in range(PAIRS)])
    images, text = batch.images(CONFIG.resolution), tokens(batch.captions)
    text = text[:, : int((text != 0).sum(dim=1).max())]
    torch.manual_seed(seed)
    clip = CLIP(CONFIG)
    named = dict(clip.named_parameters())
    matrices = [p for name, p in named.items() if p.ndim >= 2 and ("blocks" in name or "patchify" in name)]
    others = [p for p in named.values() if not any(p is matrix for matrix in matrices)]
    optimizers = [
        Muon(matrices, MATRIX_LEARNING_RATE, weight_decay=0.01),
        torch.optim.AdamW(others, LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.05),
    ]
    paces = [torch.optim.lr_scheduler.LambdaLR(o, lambda step: min(1, 20 * step / steps) * (1 - step / steps)) for o in optimizers]
    generator = torch.Generator().manual_seed(seed)
    moves = [optimizer.step for optimizer in optimizers] + [pace.step for pace in paces]
    for _ in range(steps):
        chosen = torch.randint(PAIRS, (BATCH,), generator=generator)
        clip.zero_grad()
        clip.loss(images[chosen], text[chosen])["loss"].backward()
        for move in moves:
            move()
    return clip.eval().requires_grad_(False)


def distinct_scenes(n: int, seed: int) -> list[Scene]:
    """Scenes that training never showed, no two of which are described alike."""
    found: dict[Description, Scene] = {}
    index = NEW
    while len(found) < n:
        scene = sample_scene(seed, index)
        found.setdefault(scene.description, scene)
        index += 1
    return list(found.values())


def lone_objects(n: int, seed: int) -> list[Scene]:
    """Scenes that training never showed, with one object each."""
    scenes = (sample_scene(seed, NEW + index) for index in range(20 * n))
    return [scene for scene in scenes if len(scene.objects) == 1][:n]


def prompts(kind: str, name: str) -> dict[str, list[str]]:
    """What to ask for a shape or a colour by: its bare word, one sentence, and every sentence that leaves the other open."""
    if kind == "shape":
        word, described = SHAPES.shape(name).words["en"].singular, [Mention(name, colour.name) for colour in SHAPES.colours]
        sentence = caption(Description((Mention(name),)), "en")
    else:
        word, described = SHAPES.colour(name).words["en"].masculine, [Mention(shape.name, name) for shape in SHAPES.shapes]
        sentence = caption(Description((described[0],)), "en")
    every = [text for mention in described for text in phrasings(Description((mention,)), "en")]
    return {"word": [word], "sentence": [sentence], "ensemble": every}


def demo(seed: int = 0, steps: int = 400) -> Demo:
    """Train on captioned pictures; then classify without having been shown a class, and search among 100 captions."""
    started = time.process_time()
    clip = trained(seed, steps)
    gallery = distinct_scenes(GALLERY, seed)
    captions = [caption(scene.description, "en") for scene in gallery]
    images, texts = clip.encode_image(render(gallery, CONFIG.resolution)), clip.encode_text(tokens(captions))
    scores = similarity(images, texts)
    numbers = {
        "caption_of_picture_top1": recall_at(scores, 1),
        "picture_of_caption_top1": recall_at(scores.T, 1),
        "caption_of_picture_top5": recall_at(scores, 5),
        "picture_of_caption_top5": recall_at(scores.T, 5),
        "scale": float(clip.scale),
    }
    alone = lone_objects(TESTED, seed)
    seen = clip.encode_image(render(alone, CONFIG.resolution))
    for kind, things in (("shape", SHAPES.shapes), ("colour", SHAPES.colours)):
        names = [thing.name for thing in things]
        truth = torch.tensor([names.index(getattr(scene.objects[0], kind)) for scene in alone])
        asked = [prompts(kind, name) for name in names]
        for way in ("word", "sentence", "ensemble"):
            classes = torch.stack([ensemble(clip.encode_text(tokens(prompt[way]))) for prompt in asked])
            chosen = zero_shot(seen, classes, clip.scale).argmax(dim=1)
            numbers[f"{kind}_by_{way}"] = float((chosen == truth).float().mean())
    numbers |= {"steps": float(steps), "cpu_seconds": time.process_time() - started}
    return Demo(
        _figure(render(gallery[:SHOWN], CONFIG.resolution), captions[:SHOWN], scores[:SHOWN, :SHOWN], numbers),
        numbers,
        f"Among {GALLERY} captions CLIP finds a new picture's own at first try {numbers['caption_of_picture_top1']:.0%} of the time "
        f"(chance: 1%). Asked by a whole ensemble of sentences, it names {numbers['shape_by_ensemble']:.0%} of the shapes and "
        f"{numbers['colour_by_ensemble']:.0%} of the colours; by the bare word, {numbers['shape_by_word']:.0%} and "
        f"{numbers['colour_by_word']:.0%}.",
        f"Parmi {GALLERY} légendes, CLIP trouve du premier coup celle d'une image nouvelle dans "
        f"{100 * numbers['caption_of_picture_top1']:.0f} % des cas (hasard : 1 %). Interrogé par tout un ensemble de phrases, il nomme "
        f"{100 * numbers['shape_by_ensemble']:.0f} % des formes et {100 * numbers['colour_by_ensemble']:.0f} % des couleurs ; par le mot "
        f"seul, {100 * numbers['shape_by_word']:.0f} % et {100 * numbers['colour_by_word']:.0f} %.",
    )


def _figure(images: Tensor, captions: list[str], scores: Tensor, numbers: dict[str, float]):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 10), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[2.3, 1])  # type: ignore[misc]
    grid = above.subplots(2, SHOWN + 1, gridspec_kw={"height_ratios": [1, SHOWN], "width_ratios": [*[1] * SHOWN, 0.3]})
    for axes, picture in zip(grid[0], images, strict=False):
        axes.imshow(((picture.permute(1, 2, 0) + 1) / 2).clamp(0, 1), interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
    for axes in (grid[0, -1], *grid[1]):
        axes.remove()
    matrix = above.add_subplot(grid[1, 0].get_gridspec()[1, :-1])
    matrix.imshow(scores.T, cmap="cividis", vmin=-1, vmax=1, aspect="auto")
    matrix.set_yticks(range(SHOWN), captions, fontsize=11)
    matrix.set_xticks([])
    for row in range(SHOWN):
        for column in range(SHOWN):
            score = float(scores[column, row])
            ink = "black" if score > 0.2 else "white"
            weight = "bold" if row == column else "normal"
            matrix.text(column, row, f"{score:.2f}", ha="center", va="center", color=ink, fontsize=10, fontweight=weight)
    ways = {"word": say("bare word", "mot seul"), "sentence": say("one sentence", "une phrase"), "ensemble": say("ensemble", "ensemble")}
    axes = below.subplots()
    for place, (way, colour) in enumerate(zip(ways, (BLUE, ORANGE, GREEN), strict=True)):
        heights = [numbers[f"{kind}_by_{way}"] for kind in ("shape", "colour")]
        bars = axes.bar([0.27 * (place - 1), 1 + 0.27 * (place - 1)], heights, 0.25, color=colour, label=ways[way])
        axes.bar_label(bars, [f"{height:.0%}" for height in heights], fontsize=11)
    found = [numbers[f"{kind}_top{k}"] for k in (1, 5) for kind in ("caption_of_picture", "picture_of_caption")]
    bars = axes.bar([2 - 0.14, 2 + 0.14, 3 - 0.14, 3 + 0.14], found, 0.25, color="#999999")
    axes.bar_label(bars, [f"{height:.0%}" for height in found], fontsize=11)
    retrieval = say("caption | picture\namong 100, top {}", "légende | image\nparmi 100, {} premiers")
    labels = [say("shapes named", "formes nommées"), say("colours named", "couleurs nommées"), retrieval.format(1), retrieval.format(5)]
    axes.set_xticks(range(4), labels, fontsize=12)
    axes.set_ylim(0, 1.3)
    axes.set_ylabel(say("accuracy", "exactitude"), fontsize=12)
    axes.legend(fontsize=11, loc="upper left", ncols=3, frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure
