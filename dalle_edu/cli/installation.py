"""The checks of `dalle-edu doctor`: what is installed, and what to do about what is missing."""

import importlib.metadata
import platform
import sys
from dataclasses import dataclass

from dalle_edu.errors import DalleEduError
from dalle_edu.language import decimal, reader_language, say

_PACKAGES = (
    "torch", "torchvision", "numpy", "scipy", "matplotlib", "pillow", "safetensors", "tokenizers", "einops", "jaxtyping", "accelerate",
    "scikit-learn", "open_clip_torch", "ipywidgets",
)  # fmt: skip
_REFERENCES = ("gensim",) if sys.version_info < (3, 14) else ()  # gensim has no wheel for 3.14 yet
_COURSE = "jupyterlab"  # of the extra `course`; Colab has a notebook of its own


@dataclass(frozen=True)
class Finding:
    """The result of one check: whether all is well, what was checked, and a version or what to do, in the reader's language."""

    good: bool
    subject: str
    says: str


def check_installation() -> list[Finding]:
    """Check Python, the packages, torchvision beside this torch, the devices and the weights, in this order."""
    version = platform.python_version()
    right = sys.version_info >= (3, 11)
    findings = [
        Finding(
            right,
            "python",
            version if right else version + say("; install Python 3.11 or later", " ; installez Python 3.11 ou plus récent"),
        )
    ]
    findings += [_package(name) for name in (*_PACKAGES, *_REFERENCES)]
    findings += [found for found in [_package(_COURSE)] if found.good]
    if all(finding.good for finding in findings[1:3]):
        findings += [_torchvision(), *_devices()]
        findings += _weights()
    return findings


def in_words(findings: list[Finding] | None = None) -> str:
    """What `check_installation` found, in a sentence or two, for who begins the course."""
    found = check_installation() if findings is None else findings
    wrong = [
        f"{finding.subject} : {finding.says}" if reader_language() == "fr" else f"{finding.subject}: {finding.says}"
        for finding in found
        if not finding.good
    ]
    if wrong:
        more = say("`dalle-edu doctor` says more.", "`dalle-edu doctor` en dit plus.")
        return say("To be mended first: ", "À réparer d'abord : ") + "; ".join(wrong) + f". {more}"
    says = {finding.subject: finding.says for finding in found}
    python, torch, device = says["python"], says["torch"], says[say("chosen", "choisi")]
    en = f"All is here: Python {python}, torch {torch}, the weights of the systems. Computing is done on: {device}."
    fr = f"Tout est là : Python {python}, torch {torch}, les poids des systèmes. Les calculs se font sur : {device}."
    return say(en, fr)


def _package(name: str) -> Finding:
    """Whether a package is installed, and its version."""
    try:
        return Finding(True, name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(
            False, name, say("missing; install it with: ", "manque ; installez-le : ") + f"pip install -c constraints.txt {name}"
        )


def _torchvision() -> Finding:
    """Whether torchvision can be imported beside this torch."""
    from dalle_edu import torchvision_without_cuda

    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError) as error:
        return Finding(
            False,
            "torchvision",
            say(
                f"cannot be imported ({error}); reinstall torch and torchvision together",
                f"ne s'importe pas ({error}) ; réinstallez torch et torchvision ensemble",
            ),
        )
    if torchvision_without_cuda._declared:
        says = say("declared here, since this torch has no CUDA", "déclarés ici, car ce torch n'a pas CUDA")
    else:
        says = say("its own", "les siens")
    return Finding(True, say("torchvision's operators", "opérateurs de torchvision"), says)


def _devices() -> list[Finding]:
    """The devices that torch has, and the one that commands take."""
    import torch

    from dalle_edu.device import choose_device

    chosen = choose_device()
    names = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count())), *(["mps"] if torch.backends.mps.is_available() else [])]
    return [Finding(True, say("devices", "appareils"), ", ".join(names)), Finding(True, say("chosen", "choisi"), str(chosen))]


def _weights() -> list[Finding]:
    """For each system its weights, or how to train them. Missing weights are a fault where no system can draw."""
    from dalle_edu.checkpoints.shipped import weights_path
    from dalle_edu.loading import load_model, made_of, trained_systems
    from dalle_edu.systems.interface.registry import system_names

    findings, drawing = [], trained_systems()
    for name in system_names():
        subject = say(f"weights of {name}", ("poids d'" if name[0] in "aeiou" else "poids de ") + name)
        missing = [each for each in made_of(name) if not weights_path(each).is_file()]
        if missing:
            train = ", ".join(f"dalle-edu train {each}" for each in missing)
            findings.append(Finding(bool(drawing), subject, say(f"none here yet: {train}", f"pas encore : {train}")))
            continue
        try:
            model = load_model(name)
            size = sum(weights_path(each).stat().st_size for each in made_of(name)) / 2**20
            parameters, mebibytes = decimal(model.parameter_count() / 1e6), decimal(size)
            says = say(f"{parameters} M parameters, {mebibytes} MiB", f"{parameters} M de paramètres, {mebibytes} Mio")
            findings.append(Finding(True, subject, f"{says}, {model.resolution} px"))
        except DalleEduError as error:
            findings.append(Finding(False, subject, str(error)))
    return findings
