"""Where pretrained models of open_clip are: on this machine, or on Hugging Face's hub.

Nothing here imports torch or open_clip, which take seconds: whoever asks offline for what is not here is told so at once.
"""

import json
import os
from pathlib import Path

from dalle_edu.download import Remote, look_up
from dalle_edu.errors import DalleEduError

LOCAL = "local-dir:"
EXAMPLE = "ViT-B-32/laion2b_s34b_b79k"
_WEIGHTS = "open_clip_model.safetensors"


def is_pretrained(name: str) -> bool:
    """Whether a name means a model of open_clip, and neither one of ours nor a file."""
    return name.startswith(LOCAL) or ("/" in name and not name.endswith(".safetensors") and not Path(name).exists())


def parts(name: str) -> tuple[str, str]:
    """Architecture and tag of a name such as "ViT-B-32/laion2b_s34b_b79k"; raises `DalleEduError` for what is none."""
    architecture, _, tag = name.partition("/")
    if not architecture or not tag or "/" in tag or not all(c.isalnum() or c in "-_.+" for c in architecture + tag):
        raise DalleEduError(
            f'the model is "{name}"; a pretrained CLIP is called ARCHITECTURE/TAG, as in "{EXAMPLE}"',
            f"le modèle est « {name} » ; un CLIP préentraîné s'appelle ARCHITECTURE/ÉTIQUETTE, comme « {EXAMPLE} »",
        )
    return architecture, tag


def place_of(name: str, folder: str | Path | None = None) -> Path:
    """Where the weights of a model are kept once fetched: in `folder`, or in `~/.cache/dalle_edu/open_clip`."""
    return (Path(folder) if folder else _cache()) / f"{'--'.join(parts(name))}.safetensors"


def check_reachable(name: str, folder: str | Path | None = None) -> None:
    """Raise `DalleEduError`, within two seconds, where a model is neither on this machine nor to be fetched."""
    if not name.startswith(LOCAL) and not place_of(name, folder).is_file() and not _any_in_the_hubs_cache():
        check_network(name)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dalle_edu" / "open_clip"


def _hub() -> Path:
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub")


def _any_in_the_hubs_cache() -> bool:
    return next(_hub().glob(f"models--*/snapshots/*/{_WEIGHTS}"), None) is not None


def in_the_hubs_cache(repository: str) -> Path | None:
    """The weights of a repository where Hugging Face's own programs keep them."""
    return next(_hub().glob(f"models--{repository.strip('/').replace('/', '--')}/snapshots/*/{_WEIGHTS}"), None)


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def check_network(name: str) -> None:
    """Raise `DalleEduError`, soon, where the hub cannot be asked."""
    en, fr = "HF_HUB_OFFLINE is set", "HF_HUB_OFFLINE est défini"
    if os.environ.get("HF_HUB_OFFLINE", "0").upper() not in ("1", "ON", "YES", "TRUE"):
        try:
            look_up(f"{_endpoint()}/api/models?limit=1")
            return
        except DalleEduError as error:
            en = fr = str(error)
    raise DalleEduError(
        f"{name} is not on this machine and cannot be fetched ({en}); go online once, or take the course's own CLIP",
        f"{name} n'est pas sur cette machine et ne peut pas être téléchargé ({fr}) ; connectez-vous une fois, ou prenez le CLIP du cours",
    )


def published(name: str, repository: str, place: Path) -> Remote:
    """The weights as the hub publishes them, with their size and checksum."""
    repository = repository.strip("/")
    try:
        files = json.loads(look_up(f"{_endpoint()}/api/models/{repository}?blobs=true"))["siblings"]
        found = next(file for file in files if file["rfilename"] == _WEIGHTS)
        size, digest = int(found["lfs"]["size"]), str(found["lfs"]["sha256"])
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise DalleEduError(
            f"{repository}, where {name} should be, publishes no {_WEIGHTS}; choose another tag",
            f"{repository}, où {name} devrait être, ne publie pas de {_WEIGHTS} ; choisissez une autre étiquette",
        ) from error
    return Remote(f"{_endpoint()}/{repository}/resolve/main/{_WEIGHTS}", place, size, "sha256", digest)
