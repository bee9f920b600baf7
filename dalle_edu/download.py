"""Fetching published files: only when asked, the size said beforehand, the checksum verified, and never a silent wait.

Without a network the answer comes within two seconds: which file to fetch by hand, and where to put it. A download that breaks off goes on
where it stopped when it is asked for again.
"""

import hashlib
import queue
import shutil
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm import tqdm

from dalle_edu import language
from dalle_edu.errors import DalleEduError
from dalle_edu.files import check_writable

PATIENCE = 1.8  # seconds until a server must have answered
STALL = 20.0  # seconds without a byte, in the middle of a file


@dataclass(frozen=True)
class Remote:
    """A published file: where it is, where it goes, its size, and its checksum ("md5" or "sha256", as whoever published it gives it)."""

    url: str
    path: Path
    bytes: int
    algorithm: str
    digest: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or self.url


def tell(message: str) -> None:
    """Say something to the reader without mixing it with results: on stderr."""
    print(message, file=sys.stderr, flush=True)


def fetch(remotes: Sequence[Remote], say: Any = tell) -> None:
    """Fetch files to their places, each whole and verified or not at all; `say` is told how much there is to fetch before it begins.

    Raises `DalleEduError`, with what to fetch by hand, where the server does not answer within `PATIENCE` seconds, breaks off, or sends
    something else; and where the disk is full.
    """
    remotes = [remote for remote in remotes if not remote.path.exists()]
    if not remotes:
        return
    total, folder = sum(remote.bytes for remote in remotes), remotes[0].path.parent
    names, host = ", ".join(remote.path.name for remote in remotes), remotes[0].host
    check_writable(remotes[0].path)
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < 2 * total:  # the archive and what is in it
        raise DalleEduError(
            f"{names} and their contents need about {size_in_words(2 * total, 'en')} and {folder} has {size_in_words(free, 'en')} free; "
            "make room or give another folder",
            f"{names} et leur contenu prennent environ {size_in_words(2 * total, 'fr')} et {folder} a {size_in_words(free, 'fr')} libres ; "
            "faites de la place ou donnez un autre dossier",
        )
    say(
        language.say(
            f"downloading {size_in_words(total, 'en')} from {host} to {folder}: {names}",
            f"téléchargement de {size_in_words(total, 'fr')} depuis {host} vers {folder} : {names}",
        )
    )
    for i, remote in enumerate(remotes):
        try:
            _fetch_one(remote)
        except _Failed as failure:
            (why_en, why_fr), (en, fr) = failure.args, by_hand(remotes[i:])
            raise DalleEduError(f"{why_en}; {en}", f"{why_fr} ; {fr}") from failure


class _Failed(Exception):
    """Why a file could not be fetched, in English and in French."""


def _fetch_one(remote: Remote) -> None:
    part, host = remote.path.with_name(f"{remote.path.name}.part"), remote.host
    if part.is_symlink():  # it could lead anywhere
        part.unlink()
    came = part.stat().st_size if part.is_file() else 0
    if came < remote.bytes:
        headers = {"User-Agent": "dalle_edu"} | ({"Range": f"bytes={came}-"} if came else {})
        with _answer(urllib.request.Request(remote.url, headers=headers), host) as response:
            came = _write_rest(response, part, remote)
    if came < remote.bytes:
        raise _Failed(
            f"{host} broke off after {came} of {remote.bytes} bytes; ask again to go on from there",
            f"{host} s'est interrompu après {came} octets sur {remote.bytes} ; redemandez pour continuer",
        )
    if not has_digest(part, remote):
        part.unlink()
        raise _Failed(
            f"what {host} sent is not {remote.path.name} as it was published (its {remote.algorithm} differs) and was deleted",
            f"ce que {host} a envoyé n'est pas {remote.path.name} tel que publié (son {remote.algorithm} diffère) et a été effacé",
        )
    part.replace(remote.path)


def _write_rest(response: Any, part: Path, remote: Remote) -> int:
    """Append what comes to the part that is there, or begin it anew; returns how many bytes there are when no more come."""
    came = part.stat().st_size if response.status == 206 else 0
    try:
        with (
            part.open("ab" if came else "wb") as file,
            tqdm(total=remote.bytes, initial=came, desc=remote.path.name, unit="B", unit_scale=True, disable=None) as bar,
        ):
            while came <= remote.bytes and (chunk := _next_bytes(response)):  # more than expected is wrong already
                came += file.write(chunk)
                bar.update(len(chunk))
    except OSError as error:
        raise _Failed(f"{part} cannot be written ({error})", f"{part} ne peut pas être écrit ({error})") from error
    return came


def _next_bytes(response: Any) -> bytes:
    try:
        return response.read1(1 << 20)
    except (OSError, HTTPException):  # a silence of STALL seconds, or a broken line
        return b""


def look_up(url: str, limit: int = 10_000_000) -> bytes:
    """What a server says at an address, at most `limit` bytes. Raises `DalleEduError` where it does not answer in `PATIENCE` seconds."""
    host = urlsplit(url).hostname or url
    try:
        with _answer(urllib.request.Request(url, headers={"User-Agent": "dalle_edu"}), host) as response:
            return response.read(limit)
    except _Failed as failure:
        raise DalleEduError(*failure.args) from failure
    except (OSError, HTTPException) as error:
        raise DalleEduError(f"{host} broke off ({error})", f"{host} s'est interrompu ({error})") from error


def _answer(request: urllib.request.Request, host: str) -> Any:
    """The server's answer, waited for `PATIENCE` seconds.

    The time-out of a socket counts for each address that a name has, and not at all for finding them; so a thread asks, and the clock here
    counts.
    """
    answers: queue.Queue[Any] = queue.Queue()

    def ask() -> None:
        try:
            answers.put(urllib.request.urlopen(request, timeout=STALL))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=PATIENCE)
    except queue.Empty:
        seconds = f"{PATIENCE:g}"
        raise _Failed(
            f"{host} did not answer in {seconds} seconds", f"{host} n'a pas répondu en {seconds.replace('.', ',')} secondes"
        ) from None
    if isinstance(answer, urllib.error.HTTPError):
        raise _Failed(f"{host} answered with the error {answer.code}", f"{host} a répondu par l'erreur {answer.code}") from answer
    if isinstance(answer, Exception):
        reason = getattr(answer, "reason", answer)
        raise _Failed(f"{host} cannot be reached ({reason})", f"{host} est injoignable ({reason})") from answer
    return answer


def has_digest(path: Path, remote: Remote) -> bool:
    """Whether a file has the checksum that was published for it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(remote.algorithm, usedforsecurity=False)).hexdigest() == remote.digest


def by_hand(remotes: Sequence[Remote]) -> tuple[str, str]:
    """What to do without a network, in English and in French."""
    en, fr = (", ".join(_address(remote, *words) for remote in remotes) for words in (("en", "as"), ("fr", "sous le nom de")))
    folder = remotes[0].path.parent
    return f"fetch {en} by hand into {folder} and try again", f"téléchargez {fr} à la main dans {folder} et recommencez"


def _address(remote: Remote, reader_language: str, under_the_name: str) -> str:
    """Where a file is, its size, and the name to give it, where that is another than its own."""
    renamed = "" if remote.url.endswith(f"/{remote.path.name}") else f" {under_the_name} {remote.path.name}"
    return f"{remote.url} ({size_in_words(remote.bytes, reader_language)}){renamed}"


def size_in_words(count: int, reader_language: str) -> str:
    """11594722 is "11.6 MB" and « 11,6 Mo »: decimal units, as disks and networks are sold."""
    units = ("bytes", "kB", "MB", "GB", "TB") if reader_language == "en" else ("octets", "ko", "Mo", "Go", "To")
    power = next((power for power in range(4) if count < 999.5 * 1000**power), 4)
    text = f"{count / 1000**power:.3g}"
    return f"{text if reader_language == 'en' else text.replace('.', ',')} {units[power]}"
