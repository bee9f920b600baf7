"""What a healthy installation looks like, and how to mend one that is not."""

import importlib.metadata
import platform
import sys
from dataclasses import dataclass

from dalle_edu.errors import DalleEduError

_PACKAGES = (
    "torch", "torchvision", "numpy", "scipy", "matplotlib", "pillow", "safetensors", "tokenizers", "einops", "jaxtyping", "accelerate",
    "gensim", "scikit-learn", "open_clip_torch", "jupyterlab", "ipywidgets",
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is as it should be, and what to do if not."""

    good: bool
    subject: str
    says: str


def examine_installation() -> list[Finding]:
    """Python, packages, torchvision beside this torch, devices, weights."""
    version = platform.python_version()
    right = (3, 11) <= sys.version_info[:2] < (3, 14)
    findings = [Finding(right, "python", version if right else f"{version}; install Python 3.11, 3.12 or 3.13")]
    findings += [_package(name) for name in _PACKAGES]
    if all(finding.good for finding in findings[1:3]):
        findings += [_torchvision(), *_devices()]
        findings += _weights()
    return findings


def _package(name: str) -> Finding:
    try:
        return Finding(True, name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(False, name, f"missing; install it with: pip install -c constraints.txt {name}")


def _torchvision() -> Finding:
    from dalle_edu import torchvision_without_cuda

    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError) as error:
        return Finding(False, "torchvision", f"cannot be imported ({error}); reinstall torch and torchvision together")
    declared = bool(torchvision_without_cuda._declared)
    return Finding(True, "torchvision operators", "declared here, since this torch has no CUDA" if declared else "its own")


def _devices() -> list[Finding]:
    import torch

    from dalle_edu.device import choose_device

    chosen = choose_device()
    names = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count())), *(["mps"] if torch.backends.mps.is_available() else [])]
    return [Finding(True, "devices", ", ".join(names)), Finding(True, "chosen", str(chosen))]


def _weights() -> list[Finding]:
    from dalle_edu.systems import SYSTEMS
    from dalle_edu.weights import load_system, weights_path

    findings = []
    for name in SYSTEMS:
        try:
            system = load_system(name)
            size = weights_path(name).stat().st_size / 2**20
            says = f"{system.parameter_count() / 1e6:.1f} M parameters, {size:.1f} MiB, {system.resolution} px"
            findings.append(Finding(True, f"weights of {name}", says))
        except DalleEduError as error:
            findings.append(Finding(False, f"weights of {name}", str(error)))
    return findings
