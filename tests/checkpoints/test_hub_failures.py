"""What Hugging Face's hub, its library, the network or the disk refuses is told in one sentence, with what to do."""

import errno
import logging

import pytest
from asking_the_hub import NAME, fetched, left, refusal
from huggingface_hub import constants
from huggingface_hub.errors import FileMetadataError, LocalEntryNotFoundError
from huggingface_hub.utils import close_session

from dalle_edu.checkpoints import hub as weights_hub
from dalle_edu.errors import DalleEduError

# ---------------------------------------------------------------- what the hub says instead


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (
            (404, "EntryNotFound"),
            "someone/small, where it should be, publishes no open_clip_model.safetensors, and nothing but safetensors",
        ),
        ((404, "RevisionNotFound"), "someone/small, where it should be, publishes no open_clip_model.safetensors, and nothing but"),
        ((404, "RepoNotFound"), "127.0.0.1 does not show someone/small (error 404): it is private or gone, or the token is wrong; log in"),
        ((401, "RepoNotFound"), "127.0.0.1 does not show someone/small (error 401): it is private or gone, or the token is wrong; log in"),
        ((401, ""), "127.0.0.1 does not show someone/small (error 401)"),
        ((403, "GatedRepo"), "its makers ask for an agreement first; give it at http://127.0.0.1"),
        ((403, ""), "127.0.0.1 does not show someone/small (error 403)"),
        ((500, ""), "127.0.0.1 answers with the error 500; try again later"),
        ((429, ""), "127.0.0.1 answers with the error 429; try again later"),
    ],
)
def test_what_the_hub_refuses_is_told_with_what_to_do(hub, refused, said, monkeypatch):
    hub.refused = refused
    assert refusal().startswith(said)
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(DalleEduError, match=f"^{NAME} n'est pas sur cette machine et ne peut pas être téléchargé\u00a0: "):
        fetched()


def test_pickled_weights_are_never_fetched(hub):
    hub.name = "open_clip_pytorch_model.bin"
    assert "publishes no open_clip_model.safetensors" in refusal()
    assert {path.rpartition("/")[2] for _, path, _ in hub.tokens} <= {"open_clip_model.safetensors"}


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Repo-Commit": None, "ETag": None},  # a page for logging in
        {"X-Repo-Commit": None},
        {"ETag": None},
        {"ETag": '"5f0c"'},  # nothing to verify it by
        {"Content-Length": None},
        *({"X-Linked-Size": size} for size in ("-5", "0", "7e3", str(10**15))),
    ],
)
def test_what_does_not_answer_as_the_hub_does_is_told_and_not_fetched(hub, headers):
    hub.headers = {"Content-Length": None} | headers if "X-Linked-Size" in headers else headers
    began = []
    said = refusal(began.append)
    assert said.startswith("what answers at 127.0.0.1 is not Hugging Face's hub, or does not say what size and checksum the file has")
    assert began == []
    assert {method for method, *_ in hub.tokens} == {"HEAD"}


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (
            b"falsely" * 1000,
            "what 127.0.0.1 sent is not open_clip_model.safetensors as it was published (its sha256 differs) and was deleted",
        ),
        (b"weights" * 900, "127.0.0.1 broke off (more or fewer bytes came than were announced); ask again, or fetch http"),
        (b"weights" * 1100, "127.0.0.1 broke off (more or fewer bytes came than were announced); ask again"),
        (b"<html>please log in</html>", "127.0.0.1 broke off (more or fewer bytes came than were announced); ask again"),
    ],
)
def test_something_else_is_refused_and_deleted(hub, sent, said, moved, tmp_path):
    hub.sent, hub.moved = sent, moved
    assert refusal().startswith(said)
    assert left(tmp_path) == []
    hub.sent = None
    assert fetched().read_bytes() == hub.weights


def test_a_token_with_a_character_that_none_has(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_sécret")
    said = refusal()
    assert said.startswith("127.0.0.1 cannot be asked (")
    assert said.endswith("where HF_TOKEN or a proxy is set, check it")
    assert "cret" not in said


# ---------------------------------------------------------------- the disk


def test_a_disk_without_room_is_told_before_anything_is_fetched(hub, monkeypatch, tmp_path):
    monkeypatch.setattr(weights_hub.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 6000}))
    assert refusal() == f"it takes 7 kB, and {tmp_path} has 6 kB free; make room, or set HF_HOME to a folder on another disk"
    assert {method for method, *_ in hub.tokens} == {"HEAD"}


def test_a_disk_that_fills_up_under_way(hub, monkeypatch, tmp_path):
    from huggingface_hub import file_download

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file_download, "http_get", full)
    assert refusal() == f"{tmp_path}/huggingface/hub cannot be used: no space left on device; set HF_HOME to another folder"
    assert left(tmp_path) == []


def test_a_cache_that_cannot_be_written(hub, tmp_path):
    (tmp_path / "huggingface").mkdir()
    (tmp_path / "huggingface" / "hub").write_bytes(b"a file")
    said = refusal()
    assert "cannot be written" in said
    assert said.endswith("choose another place, with HF_HOME")


def test_the_hubs_own_words_stay_out_of_the_readers_way(hub, recwarn):
    """They are English, whatever the reader's language."""
    log, words = logging.getLogger("huggingface_hub"), []
    keeper = logging.Handler()
    keeper.emit = lambda record: words.append(record.getMessage())
    log.addHandler(keeper)
    try:
        hub.ends_early = 3000
        fetched()
        assert (words, recwarn.list) == ([], [])
        assert log.getEffectiveLevel() == logging.WARNING
    finally:
        log.removeHandler(keeper)


def test_a_proxy_that_lets_nothing_through(hub, monkeypatch):
    """To a hub by TLS; ours here is the proxy, and knows no CONNECT."""
    monkeypatch.setattr(constants, "ENDPOINT", "https://hub.invalid")
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", "https://hub.invalid/{repo_id}/resolve/{revision}/{filename}")
    for variable in ("no_proxy", "NO_PROXY", "https_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", hub.url)
    close_session()  # which read the variables when it was opened
    assert refusal().startswith("the proxy does not let the call to hub.invalid through (501")
    close_session()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EACCES, "Permission denied", "/somewhere"), "/somewhere cannot be used: permission denied; set HF_HOME to another"),
        (RuntimeError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), "this machine does not trust the certificate of 127.0.0.1; where a"),
        (FileMetadataError("no header"), "what answers at 127.0.0.1 is not Hugging Face's hub"),
        (ImportError("no module for SOCKS\nInstall it"), "127.0.0.1 broke off (no module for SOCKS); ask again"),
        (KeyError(), "127.0.0.1 broke off (KeyError); ask again"),
        (RuntimeError("word " * 1000), "127.0.0.1 broke off (" + "word " * 40 + "); ask again"),
    ],
    ids=["rights", "certificate", "page", "socks", "nothing", "long"],
)
def test_whatever_the_hubs_library_raises_ends_in_a_sentence(hub, monkeypatch, error, said):
    import huggingface_hub

    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    assert refusal().startswith(said)
    wrapped = LocalEntryNotFoundError("cannot find it here")
    wrapped.__cause__ = error
    error = wrapped
    assert refusal().startswith(said)
