import hashlib
import threading
import time

import pytest

from dalle_edu import download
from dalle_edu.download import Remote, fetch, size_in_words
from dalle_edu.errors import DalleEduError

DATA = bytes(range(256)) * 40


@pytest.fixture
def remote(tmp_path, server):
    server.files["/a.bin"] = DATA
    return Remote(f"{server.url}a.bin", tmp_path / "deep" / "a.bin", len(DATA), "sha256", hashlib.sha256(DATA).hexdigest())


def quietly(remote):
    fetch([remote], say=lambda _: None)


def test_a_file_is_fetched_once(remote, server, capsys):
    fetch([remote])
    fetch([remote])
    assert remote.path.read_bytes() == DATA
    assert server.asked == ["/a.bin"]
    assert "downloading 10.2 kB from 127.0.0.1 to" in capsys.readouterr().err
    assert [path.name for path in remote.path.parent.iterdir()] == ["a.bin"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_breaks_off_goes_on(remote, server, ranges, monkeypatch):
    server.ends_early, server.ranges = 3000, ranges
    with pytest.raises(DalleEduError, match=r"127.0.0.1 broke off after 3000 of 10240 bytes; ask again to go on from there; fetch http://"):
        quietly(remote)
    assert not remote.path.exists()
    if ranges:
        server.files["/a.bin"] = bytes(3000) + DATA[3000:]  # what came already is not asked for again
    quietly(remote)
    assert remote.path.read_bytes() == DATA


@pytest.mark.parametrize("sent", [DATA[:-1] + b"\0", DATA + b"more", b"<html>please log in</html>" * 1000])
def test_something_else_is_refused_and_deleted(remote, server, sent, monkeypatch):
    server.files["/a.bin"] = sent
    with pytest.raises(
        DalleEduError, match=r"what 127.0.0.1 sent is not a.bin as it was published \(its sha256 differs\) and was deleted; fetch"
    ):
        quietly(remote)
    assert list(remote.path.parent.iterdir()) == []
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(DalleEduError, match="n'est pas a.bin tel que publié .son sha256 diffère. et a été effacé\u00a0; téléchargez http"):
        quietly(remote)


def test_no_more_is_written_than_was_published(remote, server):
    server.files["/a.bin"] = bytes(20_000_000)
    written = []
    watched = download._next_bytes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(download, "_next_bytes", lambda response: written.append(len(part := watched(response))) or part)
        with pytest.raises(DalleEduError, match="is not a.bin as it was published"):
            quietly(remote)
    assert sum(written) < 2_000_000


def test_an_error_of_the_server(remote, server):
    server.files.clear()
    with pytest.raises(
        DalleEduError, match=r"127.0.0.1 answered with the error 404; fetch http://.*a.bin \(10.2 kB\) by hand into .*deep and try"
    ):
        quietly(remote)


def test_nobody_there(remote, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(DalleEduError, match=r"127.0.0.1 cannot be reached \(.*refused\); fetch http://"):
        quietly(remote)


def test_silence_is_not_waited_for(remote, silence, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.05)
    begun = time.monotonic()
    with pytest.raises(DalleEduError, match="127.0.0.1 did not answer in 0.05 seconds; fetch"):
        quietly(remote)
    assert time.monotonic() - begun < 5  # the silence lasts ten seconds


def test_silence_in_the_middle_of_a_file_is_not_waited_for(remote, server, monkeypatch):
    monkeypatch.setattr(download, "STALL", 0.1)
    over = threading.Event()
    plain = type(server).finish_request

    def finish(self, request, address):
        request.recv(1000)
        request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10240\r\n\r\n" + DATA[:500])
        over.wait(10)

    monkeypatch.setattr(type(server), "finish_request", finish)
    begun = time.monotonic()
    try:
        with pytest.raises(DalleEduError, match="127.0.0.1 broke off after 500 of 10240 bytes; ask again to go on"):
            quietly(remote)
        assert time.monotonic() - begun < 5
    finally:
        over.set()
    monkeypatch.setattr(type(server), "finish_request", plain)
    quietly(remote)
    assert remote.path.read_bytes() == DATA


def test_places_that_cannot_be_written(remote, tmp_path):
    (tmp_path / "deep").write_bytes(b"a file")
    with pytest.raises(DalleEduError, match="cannot be written"):
        quietly(remote)
    (tmp_path / "deep").unlink()
    (tmp_path / "deep" / "a.bin.part").mkdir(parents=True)
    with pytest.raises(DalleEduError, match=r"a.bin.part cannot be written \(.*Is a directory"):
        quietly(remote)


def test_a_part_that_is_a_link_is_not_followed(remote, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "deep" / "a.bin.part").symlink_to(tmp_path / "secret")
    quietly(remote)
    assert remote.path.read_bytes() == DATA
    assert (tmp_path / "secret").read_bytes() == b"secret"


@pytest.mark.parametrize(
    ("size", "en", "fr"),
    [
        (0, "0 bytes", "0 octets"),
        (999, "999 bytes", "999 octets"),
        (1000, "1 kB", "1 ko"),
        (999_600, "1 MB", "1 Mo"),
        (11_594_722, "11.6 MB", "11,6 Mo"),
        (252_907_541, "253 MB", "253 Mo"),
        (19_336_861_798, "19.3 GB", "19,3 Go"),
        (5 * 10**15, "5e+03 TB", "5e+03 To"),
    ],
)
def test_sizes_in_words(size, en, fr):
    assert (size_in_words(size, "en"), size_in_words(size, "fr")) == (en, fr)


# ---------------------------------------------------------------- servers that are slow, and servers that lie


def test_a_server_that_answers_late_is_not_out_of_reach(remote, server, monkeypatch):
    """Whoever takes the call within `PATIENCE` may take longer to answer."""
    monkeypatch.setattr(download, "PATIENCE", 0.5)
    plain = type(server).finish_request
    monkeypatch.setattr(type(server), "finish_request", lambda *arguments: (time.sleep(0.7), plain(*arguments)))
    quietly(remote)
    assert remote.path.read_bytes() == DATA


def drips(server, monkeypatch, head: bytes):
    """Make a server send a head, and then a byte ten times a second."""
    over = threading.Event()

    def finish(self, request, address):
        request.recv(1000)
        request.sendall(head)
        while not over.wait(0.1):
            request.sendall(b"x")

    monkeypatch.setattr(type(server), "finish_request", finish)
    return over


def test_a_server_that_drips_is_given_up(remote, server, monkeypatch):
    monkeypatch.setattr(download, "STALL", 0.5)
    over = drips(server, monkeypatch, b"HTTP/1.1 200 OK\r\nContent-Length: 10240\r\n\r\n")
    begun = time.monotonic()
    try:
        with pytest.raises(DalleEduError, match="broke off after"):
            quietly(remote)
    finally:
        over.set()
    assert time.monotonic() - begun < 8  # the whole file would take a quarter of an hour


def test_a_part_that_the_server_has_no_rest_of_is_deleted(remote, server, monkeypatch):
    """HTTP 416: the part is of a file that was longer."""
    remote.path.parent.mkdir()
    part = remote.path.with_name("a.bin.part")
    part.write_bytes(DATA[:500])
    asked = []
    plain = type(server).finish_request

    def finish(self, request, address):
        asked.append(address)
        if len(asked) == 2:  # the first is the call alone
            request.recv(1000)
            request.sendall(b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n")
        else:
            plain(self, request, address)

    monkeypatch.setattr(type(server), "finish_request", finish)
    quietly(remote)
    assert [path.name for path in remote.path.parent.iterdir()] == ["a.bin"]


@pytest.mark.parametrize(
    "url", ["", "file:///etc/hostname", "http://[::1", "ftp://127.0.0.1/a", "http://", "http://host:99999/", "huggingface.co"]
)
def test_only_addresses_of_the_web_are_opened(url, remote, tmp_path):
    with pytest.raises(DalleEduError, match="is no address of the web"):
        download.check_connection(url)
    with pytest.raises(DalleEduError, match="is no address of the web"):
        quietly(Remote(url, tmp_path / "x", 5, "md5", ""))


def test_a_call_is_taken_or_not_whatever_comes_afterwards(server, monkeypatch):
    """Of `check_connection`: a server that never answers has taken the call."""
    monkeypatch.setattr(type(server), "finish_request", lambda *arguments: time.sleep(0.5))
    began = time.monotonic()
    download.check_connection(server.url)
    assert time.monotonic() - began < 0.5
    server.shutdown()
    server.server_close()
    with pytest.raises(DalleEduError, match=r"127.0.0.1 cannot be reached \(.*refused\)"):
        download.check_connection(server.url)


@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy"])
def test_the_proxy_is_called_where_there_is_one(server, monkeypatch, variable):
    """Its name and password are not shown."""
    for each in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(variable, server.url.replace("http://", "http://me:secret@"))
    download.check_connection("http://somewhere.invalid/")
    monkeypatch.setenv(variable, "http://me:secret@127.0.0.1:9/")
    with pytest.raises(DalleEduError, match=r"^the proxy 127.0.0.1:9 cannot be reached \(.*refused\)$"):
        download.check_connection("http://somewhere.invalid/")
    monkeypatch.setenv(variable, "127.0.0.1:seven")
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(DalleEduError, match=r"^le proxy 127.0.0.1:seven est injoignable"):
        download.check_connection("http://somewhere.invalid/")
