"""Downloads of published files: the size is announced beforehand, progress is shown, and the checksum is verified.

Nothing is downloaded unless the reader asks for it. Without a network an error comes within two seconds, and names the file to fetch by
hand and the folder to put it in. A download that broke off is resumed where it stopped when it is asked for again. What Hugging Face's hub
publishes is fetched by `checkpoints.hub`, with the hub's own library.
"""

import hashlib
import queue
import shutil
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dalle_edu import language
from dalle_edu.errors import DalleEduError
from dalle_edu.files import check_writable
from dalle_edu.progress_bar import progress_bar

PATIENCE = 1.8  # seconds until a server must have taken the call: without a network, nobody does
ANSWER = 20.0  # seconds until it must have answered
STALL = 25.0  # seconds without a byte, or with fewer than SLOWEST, in the middle of a file
SLOWEST = 1000  # bytes a second
_NO_SUCH_RANGE = 416
_BAR = "{desc} |{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}]"


@dataclass(frozen=True)
class Remote:
    """A published file: its address, its place on this machine, its size, and its checksum, with the algorithm ("md5" or "sha256")."""

    url: str
    path: Path
    bytes: int
    algorithm: str
    digest: str

    @property
    def host(self) -> str:
        """The server's name, such as "huggingface.co"."""
        return host_of(self.url)


def tell(message: str) -> None:
    """Print a message for the reader on stderr; stdout is for results."""
    print(message, file=sys.stderr, flush=True)


def fetch(remotes: Sequence[Remote], say: Any = tell) -> None:
    """Download files to their places, each whole and verified or not at all; those that are there already are left alone.

    `say` is called with the size, the server and the folder before the first download. Raises `DalleEduError`, with what to fetch by hand,
    where the server does not answer within `PATIENCE` seconds, breaks off, or sends another file; and where the disk has too little room.
    """
    remotes = [remote for remote in remotes if not remote.path.exists()]
    if not remotes:
        return
    total, folder = sum(remote.bytes for remote in remotes), remotes[0].path.parent
    names, host = ", ".join(remote.path.name for remote in remotes), remotes[0].host
    check_writable(remotes[0].path)
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < 2 * total:  # for the archive and for what is unpacked from it
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
        try:
            response = _answer(remote.url, host, {"Range": f"bytes={came}-"} if came else {})
        except _Failed as failure:
            if not came or getattr(failure.__cause__, "code", None) != _NO_SUCH_RANGE:
                raise
            part.unlink()  # it is of another file than the server's
            response = _answer(remote.url, host, {})
        with response:
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
    """Append a response to the part that is there, or begin it anew; returns the size of the part, in bytes, when no more comes."""
    came = part.stat().st_size if response.status == 206 else 0
    try:
        with (
            part.open("ab" if came else "wb") as file,
            progress_bar(remote.path.name, remote.bytes, initial=came, bar_format=_BAR, unit="B", unit_scale=True) as bar,
        ):
            began, before = time.monotonic(), came
            while came <= remote.bytes and (chunk := _next_bytes(response)):  # a file that is too long is already the wrong one
                came += file.write(chunk)
                bar.reach(came)
                if (seconds := time.monotonic() - began) > STALL:
                    if came - before < SLOWEST * seconds:
                        break
                    began, before = time.monotonic(), came
    except OSError as error:
        raise _Failed(f"{part} cannot be written ({error})", f"{part} ne peut pas être écrit ({error})") from error
    return came


def _next_bytes(response: Any) -> bytes:
    try:
        return response.read1(1 << 20)
    except (OSError, HTTPException):  # no byte for STALL seconds, or the connection was lost
        return b""


def host_of(url: str) -> str:
    """The server's name in an address of the web. Raises `DalleEduError` for any other address."""
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0:
            return parts.hostname
    except ValueError:  # no port, or no IPv6 address
        pass
    raise DalleEduError(
        f'"{url}" is no address of the web; give one that begins with https://',
        f"« {url} » n'est pas une adresse du web ; donnez-en une qui commence par https://",
    )


def check_connection(url: str) -> None:
    """Raise `DalleEduError`, within `PATIENCE` seconds, where no machine takes the call at a server's address, or at that of the proxy
    before it. How long the server then takes to answer is not asked.
    """
    try:
        _call(url, "all")
    except _Failed as failure:
        raise DalleEduError(*failure.args) from failure


def _answer(url: str, host: str, headers: dict[str, str]) -> Any:
    """The server's response, if its machine takes the call within `PATIENCE` seconds and it answers within `ANSWER`. Raises `_Failed`
    otherwise, and where a proxy stands between, if that does not.
    """
    _call(url)
    request = urllib.request.Request(url, headers={"User-Agent": "dalle_edu"} | headers)
    return _within(ANSWER, host, lambda: urllib.request.urlopen(request, timeout=STALL))


def _call(url: str, *other_proxies: str) -> None:
    """Open a connection to the server of an address, or to the proxy before it, and close it. Raises `_Failed` where that takes more than
    `PATIENCE` seconds.

    `other_proxies` are the kinds of proxies that count where none is set for the address's own scheme.
    """
    host = host_of(url)
    proxies = {} if urllib.request.proxy_bypass(urlsplit(url).netloc) else urllib.request.getproxies()
    proxy = next((proxies[kind] for kind in (urlsplit(url).scheme, *other_proxies) if proxies.get(kind)), None)
    if proxy:
        url = proxy if "//" in proxy else f"//{proxy}"
        called = url.rpartition("//")[2].rpartition("@")[2].rstrip("/")  # without the name and the password
        host = language.say(f"the proxy {called}", f"le proxy {called}")

    def connect() -> None:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=2 * PATIENCE).close()

    _within(PATIENCE, host, connect)


def _within(seconds: float, host: str, work: Callable[[], Any]) -> Any:
    """What `work` returns, if it does so in so many seconds. Raises `_Failed` otherwise, and where it fails.

    A socket's time-out runs anew for each address of a server and does not cover looking up the addresses. So a thread does the work, and
    the wait for the thread has the time-out.
    """
    answers: queue.Queue[Any] = queue.Queue()

    def ask() -> None:
        try:
            answers.put(work())
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        waited = f"{seconds:g}"
        raise _Failed(
            f"{host} did not answer in {waited} seconds", f"{host} n'a pas répondu en {waited.replace('.', ',')} secondes"
        ) from None
    if isinstance(answer, urllib.error.HTTPError):
        raise _Failed(f"{host} answered with the error {answer.code}", f"{host} a répondu par l'erreur {answer.code}") from answer
    if isinstance(answer, Exception):
        reason = getattr(answer, "reason", answer)
        raise _Failed(f"{host} cannot be reached ({reason})", f"{host} est injoignable ({reason})") from answer
    return answer


def has_digest(path: Path, remote: Remote) -> bool:
    """Whether a file's checksum is the one that was published."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(remote.algorithm, usedforsecurity=False)).hexdigest() == remote.digest


def by_hand(remotes: Sequence[Remote]) -> tuple[str, str]:
    """How to fetch files without this program, in English and in French: addresses, sizes, names and the folder."""
    en, fr = (", ".join(_address(remote, *words) for remote in remotes) for words in (("en", "as"), ("fr", "sous le nom de")))
    folder = remotes[0].path.parent
    return f"fetch {en} by hand into {folder} and try again", f"téléchargez {fr} à la main dans {folder} et recommencez"


def _address(remote: Remote, reader_language: str, under_the_name: str) -> str:
    """A file's address, its size, and the name to save it under where that is not its own."""
    renamed = "" if remote.url.endswith(f"/{remote.path.name}") else f" {under_the_name} {remote.path.name}"
    return f"{remote.url} ({size_in_words(remote.bytes, reader_language)}){renamed}"


def size_in_words(count: int, reader_language: str) -> str:
    """A number of bytes in decimal units, to three digits, in "en" or "fr": 11594722 is "11.6 MB" or « 11,6 Mo »."""
    units = ("bytes", "kB", "MB", "GB", "TB") if reader_language == "en" else ("octets", "ko", "Mo", "Go", "To")
    power = next((power for power in range(4) if count < 999.5 * 1000**power), 4)
    text = f"{count / 1000**power:.3g}"
    return f"{text if reader_language == 'en' else text.replace('.', ',')} {units[power]}"
