"""`python -m benchmarks.shards`: opens many small pictures in WebDataset shards and streams two epochs of them, as training would.

It writes the shards into a temporary folder of its own, and removes them. Two processes take their shares of every batch, each with two
workers. For every tenth of the epochs it prints the pictures taken in a second and the resident memory of all processes together, of which
those that share memory count their part (PSS). At the end it says whether every picture came once an epoch.
"""

import argparse
import io
import json
import multiprocessing
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch.utils.data import DataLoader

from benchmarks.measuring import machine, table
from dalle_edu.datasets import open_source

SEED, BATCH, RESOLUTION, PROCESSES, WORKERS, EPOCHS = 0, 100, 64, 2, 2, 2


def write(folder: Path, pictures: int, per_shard: int) -> int:
    """Write JPEGs of 64 x 64 in shards, the number of each as its caption. Returns their bytes."""
    from PIL import Image

    rng, total = np.random.default_rng(SEED), 0
    for first in range(0, pictures, per_shard):
        path = folder / f"{first // per_shard:05d}.tar"
        with tarfile.open(path, "w") as tar:
            for number in range(first, min(first + per_shard, pictures)):
                jpeg = io.BytesIO()
                coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
                coarse.resize((64, 64), Image.Resampling.BICUBIC).save(jpeg, "JPEG", quality=90)
                for ending, data in ((".jpg", jpeg.getvalue()), (".txt", f"picture number {number}".encode())):
                    header = tarfile.TarInfo(f"{number:09d}{ending}")
                    header.size = len(data)
                    tar.addfile(header, io.BytesIO(data))
        total += path.stat().st_size
    return total


def share(place: str, keep: int, rank: int, results: Any) -> None:
    """One process of training: open the source, take its share of every batch, report tenths, then the numbers that it took."""
    torch.set_num_threads(1)
    began, cpu = time.monotonic(), time.process_time()
    source = open_source(place, RESOLUTION, keep=keep)
    series, n, mine = source.series(SEED), source.size or 0, BATCH // PROCESSES
    updates = EPOCHS * n // BATCH
    told = {
        "opening": time.monotonic() - began,
        "opening cpu": time.process_time() - cpu,
        "size": n,
        "held": len(source.held_out(n).captions),
    }
    results.put(("opened", rank, told))
    order = [list(range(update * BATCH + rank * mine, update * BATCH + (rank + 1) * mine)) for update in range(updates)]
    captions: list[str] = []
    began, last = time.monotonic(), 0
    loader = DataLoader(series, batch_sampler=order, collate_fn=series.collate, num_workers=WORKERS)
    for update, batch in enumerate(loader, start=1):
        assert batch.images(RESOLUTION).shape == (mine, 3, RESOLUTION, RESOLUTION)
        captions += batch.captions
        if update * 10 // updates > last:
            last = update * 10 // updates
            now = time.monotonic()
            family = [psutil.Process(), *psutil.Process().children(recursive=True)]
            pss = sum(getattr(process.memory_full_info(), "pss", process.memory_info().rss) for process in family)
            results.put(("tenth", rank, {"tenth": last, "seconds": now - began, "pictures": len(captions), "memory": pss}))
    results.put(("done", rank, [int(caption.rsplit(" ", 1)[1]) for caption in captions]))


def once_an_epoch(taken: list[list[int]], n: int) -> bool:
    """Whether the numbers of the processes' shares, put back in the order of the series, hold each picture once in every whole epoch."""
    mine = BATCH // PROCESSES
    series = [
        number for update in range(len(taken[0]) // mine) for numbers in taken for number in numbers[update * mine : (update + 1) * mine]
    ]
    whole = len(series) // n
    return whole >= EPOCHS - 1 and all(len(set(series[epoch * n : (epoch + 1) * n])) == n for epoch in range(whole))


def stream(place: str, keep: int) -> dict[str, Any]:
    """Two epochs in two processes; what they report."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=share, args=(place, keep, rank, results)) for rank in range(PROCESSES)]
    for process in processes:
        process.start()
    opened: dict[int, Any] = {}
    tenths: dict[int, list[Any]] = {rank: [] for rank in range(PROCESSES)}
    done: dict[int, Any] = {}
    while len(done) < PROCESSES:
        kind, rank, value = results.get(timeout=1200)
        if kind == "tenth":
            tenths[rank].append(value)
        else:
            (opened if kind == "opened" else done)[rank] = value
    for process in processes:
        process.join()
    return {"opened": opened[0], "tenths": [tenths[rank] for rank in range(PROCESSES)], "taken": [done[rank] for rank in range(PROCESSES)]}


def main() -> None:
    """`python -m benchmarks.shards [--pictures N] [--per-shard N]`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shards", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=int, default=50_000)
    parser.add_argument("--per-shard", type=int, default=10_000)
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        size = write(Path(folder), given.pictures, given.per_shard)
        print(f"{given.pictures} JPEGs of 64 x 64 in shards of {given.per_shard}, {size / 1e6:.0f} MB", flush=True)
        for title, keep in (("decoded on demand", 0), ("kept in memory", 1 << 40)):
            seen = stream(folder, keep)
            opened, tenths = seen["opened"], seen["tenths"]
            n = opened["size"]
            seconds = f"{opened['opening']:.1f} s ({opened['opening cpu']:.1f} CPU s)"
            print(f"\n## {title}\n\nopened in {seconds}; {n} to train on, {opened['held']} held out\n")
            rows, before = [], [(0.0, 0)] * PROCESSES
            for ranks in zip(*tenths, strict=True):
                speeds = [
                    (now["pictures"] - pictures) / (now["seconds"] - seconds)
                    for now, (seconds, pictures) in zip(ranks, before, strict=True)
                ]
                before = [(now["seconds"], now["pictures"]) for now in ranks]
                rows.append((f"{ranks[0]['tenth'] * 10} %", f"{sum(speeds):.0f}", f"{sum(now['memory'] for now in ranks) / 1e6:.0f}"))
            print(table(("of two epochs", "pictures/s", "memory, MB"), rows))
            print(f"\nevery picture once an epoch: {json.dumps(once_an_epoch(seen['taken'], n))}", flush=True)


if __name__ == "__main__":
    main()
