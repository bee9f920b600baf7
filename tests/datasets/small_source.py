"""Small folders of captioned pictures as sources, and what the processes of a training take of them."""

from contextlib import contextmanager

import pytest
from faulty import picture
from torch.utils.data import DataLoader

from dalle_edu.datasets import Folder
from dalle_edu.datasets.captioned_source import CaptionedSource

PLENTY = 10**9


def write(folder, captions, size=(20, 20)):
    """A folder of pictures 000.png, 001.png… with captions."""
    folder.mkdir(exist_ok=True)
    for i, caption in enumerate(captions):
        (folder / f"{i:03d}.png").write_bytes(picture(*size, seed=i))
        (folder / f"{i:03d}.txt").write_text(caption, encoding="utf-8")
    return folder


@contextmanager
def language(code):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DALLE_EDU_LANGUAGE", code)
        yield


def source(folder, **settings):
    return CaptionedSource(Folder(folder, resolution=8, **settings))


def taken(source, seed, batch, updates, processes=1, workers=0, start=0):
    """What each process takes, in the order of training/batches.py: (number, caption) by process."""
    mine = batch // processes
    for rank in range(processes):
        series = source.series(seed)
        order = [list(range(update * batch + rank * mine, update * batch + (rank + 1) * mine)) for update in range(start, start + updates)]
        loader = DataLoader(series, batch_sampler=order, collate_fn=series.collate, num_workers=workers)
        yield [(images, caption) for batch in loader for images, caption in zip(batch.images(8), batch.captions, strict=True)]
