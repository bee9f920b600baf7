"""Pretrained models of open_clip: their names, their weights on this machine, and Hugging Face's hub, which publishes them.

This module imports neither torch nor open_clip, which take seconds to import. So the error for a model that is not on this machine comes
at once.
"""

import json
import os
from pathlib import Path

from dalle_edu.download import Remote, look_up
from dalle_edu.errors import DalleEduError

LOCAL = "local-dir:"
EXAMPLE = "ViT-B-32/laion2b_s34b_b79k"
_WEIGHTS = "open_clip_model.safetensors"
MAX_BYTES = 100_000_000_000  # of a file of weights


def is_pretrained(name: str) -> bool:
    """Whether a name means a pretrained model of open_clip, and not one of this library's models or a file."""
    return name.startswith(LOCAL) or ("/" in name and not name.endswith(".safetensors") and not Path(name).exists())


def parts(name: str) -> tuple[str, str]:
    """The architecture and the tag in a name such as "ViT-B-32/laion2b_s34b_b79k". Raises `DalleEduError` for a name of another form."""
    architecture, _, tag = name.partition("/")
    if not architecture or not tag or "/" in tag or not all(c.isalnum() or c in "-_.+" for c in architecture + tag):
        raise DalleEduError(
            f'the model is "{name}"; a pretrained CLIP is called ARCHITECTURE/TAG, as in "{EXAMPLE}"',
            f"le modèle est « {name} » ; un CLIP préentraîné s'appelle ARCHITECTURE/ÉTIQUETTE, comme « {EXAMPLE} »",
        )
    return architecture, tag


def place_of(name: str, folder: str | Path | None = None) -> Path:
    """The path that a model's weights are downloaded to: in `folder`, or in `~/.cache/dalle_edu/open_clip`.

    Raises `DalleEduError` for a name that is not ARCHITECTURE/TAG.
    """
    return (Path(folder) if folder else _cache()) / f"{'--'.join(parts(name))}.safetensors"


def check_reachable(name: str, folder: str | Path | None = None) -> None:
    """Raise `DalleEduError`, within two seconds, where a model is not on this machine and the hub cannot be reached."""
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
    """The weights of a repository in the cache of Hugging Face's own programs; none where they are not there."""
    return next(_hub().glob(f"models--{repository.strip('/').replace('/', '--')}/snapshots/*/{_WEIGHTS}"), None)


def _endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def _token() -> str | None:
    """The token by which Hugging Face's hub knows the reader: what its own programs would send."""
    from huggingface_hub import get_token  # takes half a second

    return get_token()


def check_network(name: str) -> None:
    """Raise `DalleEduError`, within two seconds, where the hub does not answer or HF_HUB_OFFLINE forbids asking it.

    `name` is the model that the message says cannot be fetched.
    """
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
    """The weights of the model `name` as the hub publishes them in `repository`, with size and checksum, to be downloaded to `place`.

    Raises `DalleEduError` where the hub does not answer, and where the repository has no weights in safetensors.
    """
    repository, token = repository.strip("/"), _token()
    try:
        files = json.loads(look_up(f"{_endpoint()}/api/models/{repository}?blobs=true", token=token))["siblings"]
        found = next(file for file in files if file["rfilename"] == _WEIGHTS)
        size, digest = found["lfs"]["size"], str(found["lfs"]["sha256"])
        if type(size) is not int or not 0 < size < MAX_BYTES:
            raise ValueError(f"{size} bytes")
    except (ValueError, KeyError, TypeError, RecursionError, StopIteration) as error:
        raise DalleEduError(
            f"{repository}, where {name} should be, publishes no {_WEIGHTS}; choose another tag",
            f"{repository}, où {name} devrait être, ne publie pas de {_WEIGHTS} ; choisissez une autre étiquette",
        ) from error
    return Remote(f"{_endpoint()}/{repository}/resolve/main/{_WEIGHTS}", place, size, "sha256", digest, token)
