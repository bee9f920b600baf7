"""Benchmarks of a CUDA machine: speed of training and drawing, use of its peak, agreement with the CPU, and time to each score.

    python -m benchmarks.gpu [--presets gpu standard] [--minutes 4] [--folder runs/gpu]
    python -m benchmarks.gpu --dry-run        the same code on a CPU, with tiny sizes: shows that it works, and measures nothing

Training goes through the loop of `dalle_edu.training.loop`: data rendered on the device, bfloat16 where the device gains by it, fused
optimiser. Shares are of the machine's own peak, which is measured first: the rate of products of two 8,192 x 8,192 bfloat16 matrices. The
operations counted are those of a batch's loss and its gradients, with all of attention and without the optimiser.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.curve import looks_table, reached_table, read_looks
from benchmarks.measuring import machine, parameters, table
from benchmarks.training import Stopwatch
from dalle_edu.bricks.dvae import DVAEConfig
from dalle_edu.bricks.gpt import GPTConfig, sample_codes
from dalle_edu.device import Device, choose_device
from dalle_edu.systems.dalle1 import PRESETS, DallE1, DallE1Config, DallE1Model, DallE1Recipe, dalle1_stages
from dalle_edu.systems.interface.noise import uniforms_for
from dalle_edu.training.loop import Trainer, train
from dalle_edu.training.run import Run
from dalle_edu.world import World

TINY = DallE1Config(
    DallE1Model(DVAEConfig(resolution=32, num_codes=16, width=16, depth=1), GPTConfig(num_codes=16, width=32, depth=1, heads=2)),
    DallE1Recipe(dalle1_stages(codec_batch_size=4, batch_size=4)),
)


@dataclass(frozen=True)
class Sizes:
    """The sizes of the measurements."""

    matrix: int
    updates: int
    draws: tuple[int, ...]  # pictures in one call of generate
    compared: int  # pictures on which the devices are compared
    exam: int


FULL = Sizes(matrix=8192, updates=120, draws=(16, 256), compared=16, exam=256)
DRY = Sizes(matrix=128, updates=30, draws=(2,), compared=2, exam=16)


def main() -> None:
    """Print all tables, for this machine's CUDA device or, in a dry run, for the CPU."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--presets", nargs="+", choices=list(PRESETS), default=["gpu", "standard"], help="presets whose speed is measured")
    parser.add_argument("--minutes", type=float, default=4.0, help="minutes of training of the first preset; 0 leaves it out (4)")
    parser.add_argument("--folder", type=Path, help="keep that training here")
    parser.add_argument("--compile", action="store_true", help="train through torch.compile")
    parser.add_argument("--dry-run", action="store_true", help="tiny sizes on the CPU")
    options = parser.parse_args()
    if options.dry_run:
        PRESETS["tiny"] = TINY
        place, sizes, presets, minutes = choose_device("cpu"), DRY, ["tiny"], min(options.minutes, 0.1)
    elif not torch.cuda.is_available():
        print("There is no CUDA device here; python -m benchmarks.gpu --dry-run tries the same path on the CPU.")
        return
    else:
        place, sizes, presets, minutes = choose_device("cuda"), FULL, options.presets, options.minutes
    print(f"{place}; {machine()}\n", flush=True)
    peak = matmul_rate(place, sizes.matrix)
    print(f"Peak: {peak / 1e12:.3g} TFLOP/s at a product of two {sizes.matrix} x {sizes.matrix} bfloat16 matrices\n", flush=True)
    print(training_table(presets, place, sizes, peak, options.compile), end="\n\n", flush=True)
    print(drawing_table(presets, place, sizes), end="\n\n", flush=True)
    print(agreement_table(presets, place, sizes), end="\n\n", flush=True)
    if minutes > 0:
        with tempfile.TemporaryDirectory() as temporary:
            folder = options.folder or Path(temporary) / "run"
            print(scores(presets[0], place, minutes, folder, sizes.exam, options.compile))


# ---------------------------------------------------------------- clocks


def finish(place: Device) -> None:
    """Wait until the device has finished its work."""
    if place.torch_device.type == "cuda":
        torch.cuda.synchronize(place.torch_device)


def wall_seconds(work: Callable[[], object], place: Device, repeats: int, warm_up: int = 2) -> float:
    """The median wall time of `work`, in seconds, until the device has finished; the first `warm_up` runs do not count."""
    seconds = []
    for _ in range(warm_up + repeats):
        finish(place)
        start = time.perf_counter()
        work()
        finish(place)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[warm_up:])


def matmul_rate(place: Device, size: int, products: int = 10) -> float:
    """Floating-point operations per second of bfloat16 products of square matrices: the machine's peak in practice."""
    left, right = (torch.randn(size, size, device=place.torch_device, dtype=torch.bfloat16) for _ in range(2))

    def work() -> None:
        for _ in range(products):
            torch.mm(left, right)

    return 2 * size**3 * products / wall_seconds(work, place, repeats=5)


# ---------------------------------------------------------------- training


def training_table(presets: list[str], place: Device, sizes: Sizes, peak: float, compile: bool) -> str:
    """A table of each stage: pictures per second, share of the peak, memory, and pictures per second of the data alone."""
    rows = []
    for preset in presets:
        for stage in ("codec", "decoder", "prior"):
            if place.torch_device.type == "cuda":
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats(place.torch_device)
            watch = Stopwatch(preset, stage, place, sizes.updates, compile=compile)
            memory = f"{torch.cuda.max_memory_allocated(place.torch_device) / 2**30:.2f}" if place.torch_device.type == "cuda" else "—"
            batch, rate = watch.stage.batch_size, watch.updates_per_second
            operations = operations_per_picture(watch, place) * batch
            rows.append([
                f"{preset}, {stage}", batch, f"{rate:.1f}", f"{rate * batch:.0f}",
                f"{operations / 1e9:.3g}", f"{rate * operations / peak:.2%}", memory,
                f"{data_rate(watch, place, sizes.updates // 3):.0f}",
            ])  # fmt: skip
    head = ["training", "batch", "updates/s", "pictures/s", "GFLOP per update", "share of peak", "memory, GiB", "data alone, pictures/s"]
    return table(head, rows)


def operations_per_picture(watch: Stopwatch, place: Device, n: int = 2) -> float:
    """Floating-point operations of the loss and its gradients, as a stage of training computes them."""
    system = watch.system.train()
    batch = World(n, seed=1).collate([World(n, seed=1)[i] for i in range(n)])
    images = batch.images(system.resolution, place.torch_device)
    generator = torch.Generator(place.torch_device).manual_seed(0)
    counter = FlopCounterMode(display=False)
    with sdpa_kernel(SDPBackend.MATH), counter:  # spelt out as products, which are counted alike on every device
        with place.autocast():
            losses = system(images, batch.captions, stage=watch.stage.name, progress=0.5, generator=generator)
        losses["loss"].backward()
    system.zero_grad(set_to_none=True)
    return counter.get_total_flops() / n


def data_rate(watch: Stopwatch, place: Device, batches: int) -> float:
    """Pictures per second that are sampled, captioned and rendered on the device, without training."""
    stream = Trainer._batches(watch, 0, watch.stage, 0)
    next(stream)
    finish(place)
    start = time.perf_counter()
    for _ in range(batches):
        next(stream).images(watch.system.resolution, place.torch_device)
    finish(place)
    return batches * watch.stage.batch_size / (time.perf_counter() - start)


# ---------------------------------------------------------------- drawing, here and on the CPU


def untrained(preset: str) -> DallE1:
    """A system on the CPU, with the same random weights each time."""
    torch.manual_seed(0)
    return DallE1(PRESETS[preset]).eval()


def captions(n: int) -> list[str]:
    """Captions of the world, the same each time."""
    world = World(n, seed=2)
    return [world[i][1] for i in range(n)]


def drawing_table(presets: list[str], place: Device, sizes: Sizes) -> str:
    """A table of seconds and pictures per second of `generate`, with the guidance of the preset."""
    rows = []
    for preset in presets:
        system = untrained(preset).to(place.torch_device)
        for n in sizes.draws:
            seconds = wall_seconds(partial(system.generate, captions(n)), place, repeats=3, warm_up=1)
            rows.append([preset, parameters(system), n, f"{seconds:.3f}", f"{n / seconds:.1f}"])
    return table(["drawing", "parameters", "pictures", "seconds", "pictures/s"], rows)


@torch.no_grad()
def agreement_table(presets: list[str], place: Device, sizes: Sizes) -> str:
    """A table of the differences between the device and the CPU for the same weights in single precision, with and without TensorFloat-32
    in convolutions.
    """
    rows = []
    before = torch.backends.cudnn.allow_tf32
    for preset in presets:
        here, there = untrained(preset), untrained(preset).to(place.torch_device)
        n, gpt = sizes.compared, here.config.model.gpt
        text = here.tokens(captions(n))
        codes = torch.randint(gpt.num_codes, (n, gpt.image_length), generator=torch.Generator().manual_seed(0))
        uniforms = uniforms_for(n, gpt.image_length, seed=0)

        def run(system: DallE1, text: Tensor = text, codes: Tensor = codes, uniforms: Tensor = uniforms) -> tuple[Tensor, Tensor, Tensor]:
            text, codes, uniforms = (tensor.to(system.device) for tensor in (text, codes, uniforms))
            logits = system.gpt(text, codes)[1]
            pixels = system.dvae.decode(codes.unflatten(1, (system.config.model.gpt.grid, -1)))
            return logits.cpu(), pixels.cpu(), sample_codes(system.gpt, text, uniforms, guidance_scale=2.0).cpu()

        expected = run(here)
        for allowed in (False, True):
            torch.backends.cudnn.allow_tf32 = allowed
            logits, pixels, drawn = run(there)
            same = (drawn == expected[2]).all(dim=1).float().mean()
            rows.append([
                f"{preset}, TF32 {'allowed' if allowed else 'off'}",
                f"{(logits - expected[0]).abs().max():.1e}", f"{expected[0].abs().max():.2f}",
                f"{(pixels - expected[1]).abs().max():.1e}", f"{expected[1].abs().max():.2f}", f"{same:.0%}",
            ])  # fmt: skip
    torch.backends.cudnn.allow_tf32 = before
    head = ["CPU against device", "logits, max difference", "largest", "pixels, max difference", "largest", "drawn with equal codes"]
    return table(head, rows)


# ---------------------------------------------------------------- learning


def scores(preset: str, place: Device, minutes: float, folder: Path, exam: int, compile: bool) -> str:
    """Train a preset for some minutes in `folder`, and return tables of its exams and of the time to each rate."""
    train(Run("dalle1", preset, minutes=minutes, exam=exam), folder, device=str(place.torch_device), compile=compile, quiet=True)
    looks = read_looks(folder)
    title = f"{preset}, {minutes:g} minutes of training in all, {exam} prompts at each look"
    return f"{title}\n\n{looks_table(looks)}\n\n{reached_table(looks, looks[-1].stage)}"


if __name__ == "__main__":
    main()
