"""Devices and precision: which torch device computes, and whether bfloat16 autocast is used on it."""

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

_BFLOAT16_SINCE = (8, 0)  # the compute capability of NVIDIA's Ampere generation


@dataclass(frozen=True)
class Device:
    """A torch device, whether bfloat16 autocast makes it faster, the name that readers are shown, and what they are told once, before
    they train on it: why it is slower than other devices of its kind, or nothing.
    """

    torch_device: torch.device
    bfloat16: bool
    name: str
    remark: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.torch_device}, {'bf16' if self.bfloat16 else 'fp32'})"

    def autocast(self, enabled: bool = True, cache: bool = True) -> torch.autocast:
        """Autocast to bfloat16, a context manager: matrix products and convolutions inside the block run in bfloat16.

        It does nothing where bfloat16 makes the device no faster, or where `enabled` is false. Without a `cache` a weight is converted at
        each use: PyTorch has one cache for all threads, and the first to leave its block empties it.
        """
        return torch.autocast(self.torch_device.type, torch.bfloat16, enabled and self.bfloat16, cache_enabled=cache)


def choose_device(wanted: str | torch.device | None = None) -> Device:
    """The device called `wanted` ("cpu", "cuda", "cuda:1", "mps"); without a name, or with "auto", CUDA, else Apple's GPU, else the CPU.

    A GPU of NVIDIA's without bfloat16 instructions, as those of the generations before Ampere, trains in float32: bfloat16 would be
    emulated there, and float16 needs a loss scaler, which skips updates and whose state would have to be kept with every checkpoint.

    Raises `DalleEduError` for an unknown name and for a device that this machine does not have.
    """
    if wanted in (None, "auto"):
        wanted = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(wanted)
    except (RuntimeError, TypeError) as error:
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
        return _cuda_device(device)
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


def _cuda_device(device: torch.device) -> Device:
    """A CUDA device. Whether it has bfloat16 is asked of itself, and not of the current device, nor with emulation counted."""
    name, (major, minor) = torch.cuda.get_device_name(device), torch.cuda.get_device_capability(device)
    if (major, minor) >= _BFLOAT16_SINCE:
        return Device(device, True, name)
    english = f"{name} has no bfloat16 (compute capability {major}.{minor}; 8.0 is needed), so it computes in float32, more slowly"
    french = f"{name} n'a pas de bfloat16 (capacité de calcul {major}.{minor} ; il faut 8.0), il calcule donc en float32, plus lentement"
    return Device(device, False, name, say(english, french))


def _cpu_gains_by_bfloat16() -> bool:
    """Whether the processor has bfloat16 instructions (AMX, AVX512-BF16); elsewhere bfloat16 is emulated, and slow.

    The environment variable DALLE_EDU_BF16 (0 or 1) overrides what is found.
    """
    if os.environ.get("DALLE_EDU_BF16") in ("0", "1"):
        return os.environ["DALLE_EDU_BF16"] == "1"
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    try:
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    except AttributeError:  # private names, absent from some versions
        return False


def processor_name(device: torch.device | None = None) -> str:
    """The maker's name of a device; without `device`, of this machine's GPU, or of its processor where there is no GPU."""
    if torch.cuda.is_available() and (device is None or device.type == "cuda"):
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def off_metal(x: Tensor) -> Tensor:
    """`x` on the CPU where it is on Apple's GPU, and as it is on any other device.

    Metal has no float64, and torch lacks some operations there: such a step is made on the CPU, and its result goes back by `.to(device)`.
    Gradients pass.
    """
    return x.cpu() if x.device.type == "mps" else x


def linear_for(weight: Tensor, rows: int) -> Callable[[Tensor], Tensor]:
    """A function that computes `F.linear` with `weight` (out, in) on inputs (rows, in), fast, without gradients.

    With few rows most of the time goes into reading the weight from memory. oneDNN reads a weight that is stored in its own layout in
    little more than half the time. The function is plain `F.linear` for one row, in other precisions than float32, on other devices than
    the CPU, and where there is no oneDNN.
    """
    operators = torch.ops.mkldnn
    plain = rows == 1 or weight.device.type != "cpu" or weight.dtype != torch.float32 or not torch.backends.mkldnn.is_available()
    if plain or not all(hasattr(operators, name) for name in ("_reorder_linear_weight", "_linear_pointwise")):
        return partial(F.linear, weight=weight)
    laid_out = operators._reorder_linear_weight(weight.detach(), rows)
    return lambda x: operators._linear_pointwise(x, laid_out, None, "none", [], "")
