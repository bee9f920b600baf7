"""Where the work is done and in which precision: chosen once, and shown."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from dalle_edu.errors import DalleEduError
from dalle_edu.language import say


@dataclass(frozen=True)
class Device:
    """A torch device, whether bfloat16 autocast pays there, and its name for people."""

    torch_device: torch.device
    bfloat16: bool
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.torch_device}, {'bf16' if self.bfloat16 else 'fp32'})"

    def autocast(self, enabled: bool = True) -> torch.autocast:
        """Matrix products and convolutions in bfloat16 inside the block, where this device gains by it."""
        return torch.autocast(self.torch_device.type, torch.bfloat16, enabled=enabled and self.bfloat16)


def choose_device(wanted: str | None = None) -> Device:
    """The device asked for ("cpu", "cuda", "cuda:1", "mps"), or the fastest one present.

    Raises `DalleEduError` when the device asked for is not there.
    """
    if wanted is None:
        wanted = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise DalleEduError(
            f'the device "{wanted}" is unknown; use cpu, cuda or mps',
            f"l'appareil « {wanted} » est inconnu ; prenez cpu, cuda ou mps",
        ) from error
    if device.type == "cuda":
        if not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count():
            raise DalleEduError(
                f'the device "{wanted}" is not there: torch sees {torch.cuda.device_count()} CUDA devices; use cpu',
                f"l'appareil « {wanted} » n'est pas là : torch voit {torch.cuda.device_count()} appareils CUDA ; prenez cpu",
            )
        return Device(device, torch.cuda.is_bf16_supported(), torch.cuda.get_device_name(device))
    if device.type == "mps":
        if not torch.backends.mps.is_available():
            raise DalleEduError('the device "mps" is not there; use cpu', "l'appareil « mps » n'est pas là ; prenez cpu")
        return Device(device, False, say("Apple GPU", "GPU Apple"))
    if device.type != "cpu":
        raise DalleEduError(
            f'the device "{wanted}" is not supported; use cpu, cuda or mps',
            f"l'appareil « {wanted} » n'est pas pris en charge ; prenez cpu, cuda ou mps",
        )
    threads = torch.get_num_threads()
    count = say("1 thread", "1 fil") if threads == 1 else say(f"{threads} threads", f"{threads} fils")
    return Device(device, _cpu_gains_by_bfloat16(), f"CPU, {count}")


def _cpu_gains_by_bfloat16() -> bool:
    """True on processors with bfloat16 instructions (AMX, AVX512-BF16); elsewhere bfloat16 is emulated, and slow."""
    if os.environ.get("DALLE_EDU_BF16") in ("0", "1"):
        return os.environ["DALLE_EDU_BF16"] == "1"
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    try:
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    except AttributeError:  # private names, absent from some versions
        return False


def processor_name(device: torch.device | None = None) -> str:
    """What the maker calls a device; without one, this machine's GPU, or its processor where there is none."""
    if torch.cuda.is_available() and (device is None or device.type == "cuda"):
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def linear_for(weight: Tensor, rows: int) -> Callable[[Tensor], Tensor]:
    """`F.linear` with a weight (out, in), for inputs (rows, in) that need no gradient, as fast as the processor has it.

    Few rows against a large matrix are a matter of reading the matrix: oneDNN reads one that was laid out for it beforehand in little more
    than half the time. Where there is no oneDNN, for one row, and in other precisions it is plain `F.linear`.
    """
    operators = torch.ops.mkldnn
    plain = rows == 1 or weight.device.type != "cpu" or weight.dtype != torch.float32 or not torch.backends.mkldnn.is_available()
    if plain or not all(hasattr(operators, name) for name in ("_reorder_linear_weight", "_linear_pointwise")):
        return partial(F.linear, weight=weight)
    laid_out = operators._reorder_linear_weight(weight.detach(), rows)
    return lambda x: operators._linear_pointwise(x, laid_out, None, "none", [], "")
