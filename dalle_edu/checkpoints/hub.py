"""Pretrained models of open_clip: their names, and their weights, which Hugging Face's hub publishes.

The hub's own library fetches and keeps the weights: its cache, its token, its proxies and its variables (HF_HOME, HF_TOKEN, HF_ENDPOINT,
HF_HUB_OFFLINE) hold here too. Only safetensors are ever fetched, after their size was said, and their checksum is verified.

This module imports neither torch nor open_clip, which take seconds to import, and the part of the hub's library that fetches only where it
is used. So the error for a model that is not on this machine comes at once.
"""

import hashlib
import logging
import os
import re
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dalle_edu import language
from dalle_edu.checkpoints.hub_failures import WEIGHTS, Source, cannot_fetch, explained, not_the_hub
from dalle_edu.download import ANSWER, check_connection, host_of, size_in_words, tell
from dalle_edu.errors import DalleEduError
from dalle_edu.files import check_writable

LOCAL = "local-dir:"
EXAMPLE = "ViT-B-32/laion2b_s34b_b79k"
MAX_BYTES = 100_000_000_000  # of a file of weights

_SHA256 = re.compile("[0-9a-f]{64}")


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


def place_by_hand(name: str, folder: str | Path | None = None) -> Path:
    """The path where a model's weights are looked for first, for those who put them there by hand: in `folder`, or in
    `~/.cache/dalle_edu/open_clip`.

    Raises `DalleEduError` for a name that is not ARCHITECTURE/TAG.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(folder) if folder else cache / "dalle_edu" / "open_clip") / f"{'--'.join(parts(name))}.safetensors"


def check_reachable(name: str, folder: str | Path | None = None) -> None:
    """Raise `DalleEduError`, within two seconds, where a model is not on this machine and nobody takes a call to the hub, or
    HF_HUB_OFFLINE forbids it. Any weights in the hub's cache may be those of the model.
    """
    if name.startswith(LOCAL) or place_by_hand(name, folder).is_file():
        return
    if next(_cache(folder).glob(f"models--*/snapshots/*/{WEIGHTS}"), None) is None:
        _check_network(name)


def weights_of(name: str, repository: str, folder: str | Path | None = None, say: Callable[[str], object] = tell) -> Path:
    """The weights of the model `name`, which the hub publishes in `repository`: those on this machine, or else downloaded to the hub's
    cache, or to one in `folder`. `say` is called with their size before.

    Raises `DalleEduError`, with what to do, where the hub cannot be reached, does not publish the weights for this reader, breaks off or
    sends something else, and where there is no room for them.
    """
    repository, by_hand, cache = repository.strip("/"), place_by_hand(name, folder), _cache(folder)
    if by_hand.is_file():
        return by_hand
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache  # takes a quarter of a second

    found = try_to_load_from_cache(repository, WEIGHTS, cache_dir=cache)
    if isinstance(found, str):
        return Path(found)
    _check_network(name)
    endpoint = _endpoint()
    source = Source(name, repository, host_of(endpoint), hf_hub_url(repository, WEIGHTS, endpoint=endpoint), cache, by_hand)
    with _in_patience() as seconds:
        with explained(source, seconds):
            metadata = get_hf_file_metadata(source.url, timeout=seconds)
        size, digest = metadata.size, str(metadata.etag)
        if not metadata.commit_hash or not _SHA256.fullmatch(digest) or size is None or not 0 < size < MAX_BYTES:
            raise cannot_fetch(name, *not_the_hub(source.host))
        _check_room(source, size)
        say(
            language.say(
                f"downloading {size_in_words(size, 'en')} from {source.host} to {cache}: {repository}/{WEIGHTS}",
                f"téléchargement de {size_in_words(size, 'fr')} depuis {source.host} vers {cache} : {repository}/{WEIGHTS}",
            )
        )
        with explained(source, seconds, size):
            path = Path(hf_hub_download(repository, WEIGHTS, cache_dir=cache, endpoint=endpoint, etag_timeout=seconds))
    _verify(path, digest, source, size)
    return path


# ---------------------------------------------------------------- the hub's library


def _settings() -> Any:
    """The settings of the hub's library, read from its variables. Raises `DalleEduError` where it cannot understand them."""
    try:
        from huggingface_hub import constants
    except ValueError as error:
        raise DalleEduError(
            f"huggingface_hub does not understand its variables ({error}); HF_ENDPOINT is an address of the web, "
            "HF_HUB_ETAG_TIMEOUT and HF_HUB_DOWNLOAD_TIMEOUT are numbers of seconds",
            f"huggingface_hub ne comprend pas ses variables ({error}) ; HF_ENDPOINT est une adresse du web, "
            "HF_HUB_ETAG_TIMEOUT et HF_HUB_DOWNLOAD_TIMEOUT sont des nombres de secondes",
        ) from error
    return constants


def _cache(folder: str | Path | None) -> Path:
    return Path(folder or _settings().HF_HUB_CACHE)


def _endpoint() -> str:
    """The hub's address: HF_ENDPOINT, or the usual one where that is empty."""
    return _settings().ENDPOINT or "https://huggingface.co"


@contextmanager
def _in_patience() -> Iterator[float]:
    """Let the hub take `ANSWER` seconds to answer, or what the reader's variables say, and keep its library's log quiet, which is in
    English alone; gives the seconds. Its logs are left on where the reader asked for more of them.
    """
    settings, log = _settings(), logging.getLogger("huggingface_hub")
    before, level = settings.HF_HUB_DOWNLOAD_TIMEOUT, log.level
    if before == settings.DEFAULT_DOWNLOAD_TIMEOUT:
        settings.HF_HUB_DOWNLOAD_TIMEOUT = ANSWER  # only this variable says it
    if log.getEffectiveLevel() == logging.WARNING:
        log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield ANSWER if settings.HF_HUB_ETAG_TIMEOUT == settings.DEFAULT_ETAG_TIMEOUT else float(settings.HF_HUB_ETAG_TIMEOUT)
    finally:
        settings.HF_HUB_DOWNLOAD_TIMEOUT = before
        log.setLevel(level)


# ---------------------------------------------------------------- checks


def _check_network(name: str) -> None:
    """Raise `DalleEduError`, within two seconds, where nobody takes a call to the hub, or a variable forbids it.

    `name` is the model that the message says cannot be fetched.
    """
    if _settings().HF_HUB_OFFLINE:
        variable = next((each for each in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") if os.environ.get(each)), "HF_HUB_OFFLINE")
        raise cannot_fetch(
            name,
            f"{variable} is set; unset it and go online once, or take the course's own CLIP",
            f"{variable} est défini ; effacez-le et connectez-vous une fois, ou prenez le CLIP du cours",
        )
    try:
        host_of(_endpoint())
    except DalleEduError as error:
        raise cannot_fetch(name, f"HF_ENDPOINT: {error}", f"HF_ENDPOINT : {error}") from error
    try:
        check_connection(_endpoint())
    except DalleEduError as error:
        raise cannot_fetch(
            name,
            f"{error}; go online once, or take the course's own CLIP",
            f"{error} ; connectez-vous une fois, ou prenez le CLIP du cours",
        ) from error


def _check_room(source: Source, size: int) -> None:
    """Raise `DalleEduError` where `size` bytes cannot be written into the cache."""
    try:
        check_writable(source.cache / source.repository.replace("/", "--"))
    except DalleEduError as error:
        raise cannot_fetch(source.name, f"{error}, with HF_HOME", f"{error}, par HF_HOME") from error
    folder = next(each for each in (source.cache, *source.cache.absolute().parents) if each.is_dir())
    free = shutil.disk_usage(folder).free
    if free < size:
        raise cannot_fetch(
            source.name,
            f"it takes {size_in_words(size, 'en')}, and {folder} has {size_in_words(free, 'en')} free; make room, or set HF_HOME to a "
            "folder on another disk",
            f"il prend {size_in_words(size, 'fr')}, et {folder} en a {size_in_words(free, 'fr')} de libres ; faites de la place, ou donnez "
            "dans HF_HOME un dossier d'un autre disque",
        )


def _verify(path: Path, digest: str, source: Source, size: int) -> None:
    """Delete downloaded weights and raise `DalleEduError` where their SHA-256 is not the one that was published. The hub's library compares
    sizes alone.
    """
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() == digest:
            return
    path.resolve().unlink()
    path.unlink(missing_ok=True)
    en, fr = source.again(size)
    raise cannot_fetch(
        source.name,
        f"what {source.host} sent is not {WEIGHTS} as it was published (its sha256 differs) and was deleted; {en}",
        f"ce que {source.host} a envoyé n'est pas {WEIGHTS} tel que publié (son sha256 diffère) et a été effacé ; {fr}",
    )
