"""Memory for decoded pictures: how much a data set may take, and one tensor that all workers share."""

import contextlib
import os
import shutil
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

_SHARED = Path("/dev/shm")  # Linux keeps shared memory here; containers often have 64 MB of it
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container, in bytes, in both versions


def available_memory() -> int:
    """The bytes of memory that this process can still take: what the machine has available, or the limit of its container."""
    import psutil

    available = int(psutil.virtual_memory().available)
    for limit in _LIMITS:
        with contextlib.suppress(OSError, ValueError):  # no such file, or "max"
            available = min(available, int(Path(limit).read_text(encoding="utf-8")))
    return available


def room_for_pictures() -> int:
    """The bytes of decoded pictures that a data set may keep: a quarter of the available memory, shared by the processes of torchrun."""
    return available_memory() // 4 // max(int(os.environ.get("LOCAL_WORLD_SIZE", "1")), 1)


def empty_pictures(n: int, resolution: int) -> UInt8[Tensor, "n 3 h w"]:
    """An empty tensor for `n` pictures, in shared memory where there is room."""
    pictures = torch.empty(n, 3, resolution, resolution, dtype=torch.uint8)
    if not _SHARED.is_dir() or shutil.disk_usage(_SHARED).free > 2 * pictures.nbytes:
        pictures.share_memory_()
    return pictures
