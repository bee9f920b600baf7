"""Fixtures: a server on this machine, Hugging Face's hub on this machine, a network that never answers, and one that is not there."""

import hashlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dalle_edu import download


class Server(ThreadingHTTPServer):
    """Serves `files`; `ends_early` breaks the line after so many bytes, once; `asked` are the paths that were asked for."""

    daemon_threads = True

    def __init__(self, handler=None):
        super().__init__(("127.0.0.1", 0), handler or Handler)
        self.files: dict[str, bytes] = {}
        self.ranges = True
        self.ends_early: int | None = None
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request, client_address):
        """Nothing: readers hang up on purpose here."""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        data = server.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        start = int(self.headers.get("Range", "bytes=0-")[6:-1]) if server.ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        end, server.ends_early = server.ends_early, None
        self.wfile.write(data[start:end])

    def log_message(self, *arguments):
        pass


class Hub(Server):
    """Publishes `weights` in the repository someone/small as Hugging Face's hub does; what is sent may be `sent` instead.

    An answer comes after `delay` seconds, the first ones after `delays`. `moved` sends readers to another host for the file, `refused` is
    an error to answer with and the hub's word for it, `headers` replace those of the file, `breaks` breaks each line off after so many
    bytes. `tokens` are the (method, path, token) of what was asked about the file.
    """

    def __init__(self):
        super().__init__(HubHandler)
        self.repository, self.name = "someone/small", "open_clip_model.safetensors"
        self.weights = b"weights" * 1000
        self.sent: bytes | None = None
        self.delay, self.delays = 0.0, []
        self.breaks: int | None = None
        self.moved = False
        self.refused: tuple[int, str] | None = None
        self.headers: dict[str, str | None] = {}
        self.tokens: list[tuple[str, str, str | None]] = []

    @property
    def path(self) -> str:
        return f"/{self.repository}/resolve/main/{self.name}"


class HubHandler(Handler):
    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        hub = self.server
        if self.path in (hub.path, "/elsewhere"):
            hub.tokens.append((self.command, self.path, self.headers.get("Authorization")))
            time.sleep(hub.delays.pop(0) if hub.delays else hub.delay)
        size, digest = str(len(hub.weights)), hashlib.sha256(hub.weights).hexdigest()
        facts = {"X-Repo-Commit": "c" * 40}
        if hub.refused:
            self.head(hub.refused[0], {"X-Error-Code": hub.refused[1] or None})
        elif self.path not in (hub.path, "/elsewhere"):
            self.head(404, {"X-Error-Code": "EntryNotFound"})
        elif hub.moved and self.path == hub.path:
            facts |= {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": size}
            self.head(302, facts | {"Location": f"http://localhost:{hub.server_port}/elsewhere"} | hub.headers)
        elif self.command == "HEAD":
            self.head(200, facts | {"ETag": f'"{digest}"', "Content-Length": size} | hub.headers)
        else:
            hub.ends_early = hub.breaks or hub.ends_early
            hub.files[self.path] = hub.weights if hub.sent is None else hub.sent
            super().do_GET()

    def head(self, status: int, headers: dict[str, str | None]):
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()


@pytest.fixture
def server(monkeypatch):
    yield from serving(Server(), monkeypatch)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Hugging Face's hub on this machine, which its library asks, with a cache of its own and no token."""
    from huggingface_hub import constants

    hub = Hub()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", hub.url.rstrip("/"))
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{hub.url}{{repo_id}}/resolve/{{revision}}/{{filename}}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "huggingface" / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "huggingface" / "token"))
    yield from serving(hub, monkeypatch)


def serving(server, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "PATIENCE", 30.0)  # a busy machine may stop a test for a while
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def silence(monkeypatch):
    """Asking for an address never ends, while the test runs."""
    over = threading.Event()

    def wait(*arguments, **options):
        over.wait(10)
        raise OSError("the test is over")

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(socket, "getaddrinfo", wait)
    yield
    over.set()


@pytest.fixture
def no_network(monkeypatch):
    """Asking for an address fails at once."""

    def refuse(*arguments, **options):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
