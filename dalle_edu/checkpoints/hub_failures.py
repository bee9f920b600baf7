"""What to tell a reader whom Hugging Face's hub does not give weights: why, and what to do, in English and in French."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dalle_edu.download import size_in_words
from dalle_edu.errors import DalleEduError, reasons

WEIGHTS = "open_clip_model.safetensors"


@dataclass(frozen=True)
class Source:
    """Where the weights of a model come from: its name, the repository, the hub's host, the file's address; the folder that they go to,
    and the path that they may be put to by hand.
    """

    name: str
    repository: str
    host: str
    url: str
    cache: Path
    by_hand: Path

    def again(self, size: int) -> tuple[str, str]:
        """What to do after a failure, in English and in French, about a file of `size` bytes."""
        return (
            f"ask again, or fetch {self.url} ({size_in_words(size, 'en')}) by hand, as {self.by_hand}",
            f"redemandez, ou téléchargez {self.url} ({size_in_words(size, 'fr')}) à la main, sous le nom de {self.by_hand}",
        )


def cannot_fetch(name: str, why_en: str, why_fr: str) -> DalleEduError:
    """The error for a model whose weights are not here and do not come: why, and what to do, in English and in French."""
    return DalleEduError(
        f"{name} is not on this machine and cannot be fetched: {why_en}",
        f"{name} n'est pas sur cette machine et ne peut pas être téléchargé : {why_fr}",
    )


def not_the_hub(host: str) -> tuple[str, str]:
    """What to say of an answer that the hub would not give, in English and in French."""
    return (
        f"what answers at {host} is not Hugging Face's hub, or does not say what size and checksum the file has; if this network asks for "
        "a log-in, open any page in a browser first, and if HF_ENDPOINT is set, check it",
        f"ce qui répond à {host} n'est pas le hub de Hugging Face, ou ne dit pas la taille et la somme de contrôle du fichier ; si ce "
        "réseau demande de s'identifier, ouvrez d'abord une page dans un navigateur, et si HF_ENDPOINT est défini, vérifiez-le",
    )


@contextmanager
def explained(source: Source, seconds: float, size: int | None = None) -> Iterator[None]:
    """Turn whatever the hub's library raises into a `DalleEduError`. `size` is that of the file, once it is under way."""
    try:
        yield
    except Exception as error:
        raise cannot_fetch(source.name, *_why(error, source, seconds, size)) from error


def _why(error: BaseException, source: Source, seconds: float, size: int | None) -> tuple[str, str]:
    """Why the hub's library failed and what to do, in English and in French.

    Its network's errors are those of requests, httpx or httpx2, by its version: they are told by the names of their classes.
    """
    from huggingface_hub import errors

    host, kind = source.host, type(error).__name__
    status = getattr(getattr(error, "response", None), "status_code", None)
    reason = (str(error).strip().splitlines() or [kind])[0][:200]
    if isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__:
        return _why(error.__cause__, source, seconds, size)
    if isinstance(error, errors.GatedRepoError):
        page = source.url.partition("/resolve/")[0]
        return (
            f"its makers ask for an agreement first; give it at {page}, then log in with hf auth login, or set HF_TOKEN",
            f"ses auteurs demandent d'abord un accord ; donnez-le sur {page}, puis identifiez-vous par hf auth login, ou définissez "
            "HF_TOKEN",
        )
    if isinstance(error, errors.RepositoryNotFoundError) or status in (401, 403):
        return (
            f"{host} does not show {source.repository} (error {status}): it is private or gone, or the token is wrong; log in with "
            "hf auth login, or set HF_TOKEN to a token that may read it",
            f"{host} ne montre pas {source.repository} (erreur {status}) : il est privé ou disparu, ou le jeton d'accès est faux ; "
            "identifiez-vous par hf auth login, ou donnez dans HF_TOKEN un jeton d'accès qui permet de le lire",
        )
    if status == 404:
        return (
            f"{source.repository}, where it should be, publishes no {WEIGHTS}, and nothing but safetensors is fetched; choose another tag",
            f"{source.repository}, où il devrait être, ne publie pas de {WEIGHTS}, et seuls des safetensors se téléchargent ; choisissez "
            "une autre étiquette",
        )
    if status:
        return f"{host} answers with the error {status}; try again later", f"{host} répond par l'erreur {status} ; réessayez plus tard"
    if isinstance(error, errors.FileMetadataError):
        return not_the_hub(host)
    if isinstance(error, OSError) and error.errno and (error.filename or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)):
        (en, fr), place = reasons(error), error.filename or source.cache
        return (
            f"{place} cannot be used: {en}; set HF_HOME to another folder",
            f"{place} ne peut pas servir : {fr} ; donnez un autre dossier dans HF_HOME",
        )
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            f"this machine does not trust the certificate of {host}; where a school or a firm signs with its own, name that in "
            "SSL_CERT_FILE",
            f"cette machine ne se fie pas au certificat de {host} ; si une école ou une entreprise signe avec le sien, donnez-le dans "
            "SSL_CERT_FILE",
        )
    if kind == "ProxyError":
        return (
            f"the proxy does not let the call to {host} through ({reason}); check HTTPS_PROXY",
            f"le proxy ne laisse pas passer l'appel à {host} ({reason}) ; vérifiez HTTPS_PROXY",
        )
    if size:
        why_en = why_fr = reason
        if "Consistency check" in reason:
            why_en, why_fr = "more or fewer bytes came than were announced", "il est venu plus ou moins d'octets qu'annoncé"
        en, fr = source.again(size)
        return f"{host} broke off ({why_en}); {en}", f"{host} s'est interrompu ({why_fr}) ; {fr}"
    if "Timeout" in kind:
        return (
            f"{host} took the call and did not answer in {seconds:g} seconds; try again, or set HF_HUB_ETAG_TIMEOUT to more",
            f"{host} a pris l'appel et n'a pas répondu en {seconds:g} secondes ; réessayez, ou donnez-en plus par HF_HUB_ETAG_TIMEOUT",
        )
    return (
        f"{host} cannot be asked ({reason}); try again, and where HF_TOKEN or a proxy is set, check it",
        f"{host} ne peut pas être interrogé ({reason}) ; réessayez, et si HF_TOKEN ou un proxy est défini, vérifiez-le",
    )
