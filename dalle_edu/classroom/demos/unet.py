"""A U-Net segments pictures by shape; a second one without skip connections shows what they are for."""

import time

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from dalle_edu.bricks.segmentation import mean_iou
from dalle_edu.bricks.unet import UNet, UNetConfig
from dalle_edu.classroom.demo import Demo
from dalle_edu.language import comma, say
from dalle_edu.world import SHAPES, Catalogue, render, sample_scene
from dalle_edu.world.renderer import lay_out

SHOWS = ("unet_blocks", "unet", "segmentation")

OKABE_ITO = ["#ffffff", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#000000"]  # 0: background
RESOLUTION, TESTED = 32, 200


class WithoutSkips(UNet):
    """The same network, deaf to what comes straight across."""

    def join(self, x: Tensor, skip: Tensor) -> Tensor:
        return super().join(x, torch.zeros_like(skip))


def labelled_scenes(first: int, n: int, seed: int, catalogue: Catalogue = SHAPES) -> tuple[Float[Tensor, "n 3 h w"], Int[Tensor, "n h w"]]:
    """Pictures of the captioned world, and for each pixel 0 (background) or the rank of the shape that covers it, from 1 on."""
    scenes = [sample_scene(seed, index, "all", catalogue=catalogue) for index in range(first, first + n)]
    layout = lay_out(scenes)
    truth = torch.zeros(n, RESOLUTION, RESOLUTION, dtype=torch.long)
    ranks = {shape.name: rank for rank, shape in enumerate(catalogue.shapes, start=1)}
    for group in layout.groups:
        covered = catalogue.shape(group.shape).drawing.draw(group.geometry, group.colour, RESOLUTION)[0] > 0.5
        for scene, pixels in zip((group.slot // layout.slots).tolist(), covered, strict=True):
            truth[scene][pixels] = ranks[group.shape]
    return render(scenes, RESOLUTION, catalogue=catalogue), truth


def trained(kind: type[UNet], images: Tensor, truth: Tensor, steps: int, seed: int, batch: int = 8) -> nn.Module:
    """A network that has seen `steps` batches; the rate of learning rises over the first tenth and falls to zero."""
    torch.manual_seed(seed)
    config = UNetConfig(3, len(SHAPES.shapes) + 1, 2, (32, 64, 128), depth=1, attention_levels=(), time=False)
    network = kind(config)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        chosen = torch.randint(len(images), (batch,), generator=generator)
        optimizer.zero_grad()
        F.cross_entropy(network(images[chosen]), truth[chosen]).backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def demo(seed: int = 0, steps: int = 700) -> Demo:
    """Train on random scenes, with and without skips; measure the mean IoU on scenes that neither saw."""
    started = time.process_time()
    images, truth = labelled_scenes(0, 3000, seed)
    new_images, new_truth = labelled_scenes(3000, TESTED, seed)
    found, numbers = {}, {}
    for name, kind in (("with", UNet), ("without", WithoutSkips)):
        network = trained(kind, images, truth, steps, seed)
        with torch.no_grad():
            found[name] = network(new_images).argmax(dim=1)
        numbers[f"mean_iou_{name}_skips"] = mean_iou(found[name], new_truth, len(SHAPES.shapes) + 1)
        numbers[f"pixels_right_{name}_skips"] = float((found[name] == new_truth).float().mean())
    numbers |= {"steps": float(steps), "cpu_seconds": time.process_time() - started}
    figure = _figure(new_images, [new_truth, found["with"], found["without"]], numbers)
    one, other = (numbers[f"mean_iou_{name}_skips"] for name in ("with", "without"))
    return Demo(
        figure,
        numbers,
        f"The U-Net names the pixels of new scenes with a mean IoU of {one:.2f}; without skips, {other:.2f}: "
        "it sees what is there, not where it ends.",
        f"Le U-Net nomme les pixels de scènes nouvelles avec un IoU moyen de {comma(one, 2)} ; sans raccourcis, {comma(other, 2)} : "
        "il voit ce qui est là, non où cela finit.",
    )


def _figure(images: Tensor, maps: list[Tensor], numbers: dict[str, float], columns: int = 6):
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    iou = [numbers[f"mean_iou_{name}_skips"] for name in ("with", "without")]
    titles = [
        say("picture", "image"),
        say("truth", "vérité"),
        say(f"U-Net\nIoU {iou[0]:.2f}", f"U-Net\nIoU {comma(iou[0], 2)}"),
        say(f"without skips\nIoU {iou[1]:.2f}", f"sans raccourcis\nIoU {comma(iou[1], 2)}"),
    ]
    figure = Figure(figsize=(10.5, 7.2), layout="constrained")
    axes = figure.subplots(4, columns)
    several = [index for index in range(len(images)) if len(maps[0][index].unique()) > 2][:columns]
    for column, index in enumerate(several):
        axes[0, column].imshow((images[index].permute(1, 2, 0) + 1) / 2)
        for row, labels in enumerate(maps, start=1):
            axes[row, column].imshow(labels[index], cmap=ListedColormap(OKABE_ITO), vmin=0, vmax=8, interpolation="nearest")
    for row, title in enumerate(titles):
        axes[row, 0].set_ylabel(title, fontsize=13)
        for axis in axes[row]:
            axis.set(xticks=[], yticks=[])
    names = [say(shape.words["en"].singular, shape.words["fr"].singular) for shape in SHAPES.shapes]
    patches = [Patch(facecolor=colour, label=name) for colour, name in zip(OKABE_ITO[1:], names, strict=True)]
    figure.legend(handles=patches, loc="outside lower center", ncols=8, frameon=False, fontsize=12)
    return figure
