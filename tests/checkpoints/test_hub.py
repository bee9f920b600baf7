"""Pretrained weights come from Hugging Face's hub by its own library: slowly, through redirects, or not at all, and then with a reason."""

import os
import socket
import subprocess
import sys
import time

import pytest
from asking_the_hub import NAME, REPOSITORY, fetched, left, refusal
from huggingface_hub import constants

from dalle_edu import download
from dalle_edu.checkpoints import hub as weights_hub
from dalle_edu.checkpoints.hub import check_reachable, place_by_hand, weights_of
from dalle_edu.errors import DalleEduError

PATIENCE = download.PATIENCE  # before the fixtures lengthen it


# ---------------------------------------------------------------- what arrives


def test_weights_are_kept_in_the_hubs_cache_and_taken_from_there_without_it(hub, tmp_path):
    said = []
    path = fetched(said.append)
    assert path.read_bytes() == hub.weights
    assert path.is_relative_to(tmp_path / "huggingface" / "hub" / "models--someone--small" / "snapshots")
    assert said == [f"downloading 7 kB from 127.0.0.1 to {tmp_path}/huggingface/hub: someone/small/open_clip_model.safetensors"]
    asked = len(hub.tokens)
    assert fetched(said.append) == path
    assert (len(said), len(hub.tokens)) == (1, asked)


def test_the_size_is_said_before_the_file_is_asked_for(hub, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    asked = []
    fetched(lambda message: asked.append((message[:22], {method for method, *_ in hub.tokens})))
    assert asked == [("téléchargement de 7 ko", {"HEAD"})]


def test_the_hubs_cache_serves_where_it_may_not_be_asked(hub, monkeypatch):
    path = fetched()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    check_reachable(NAME)
    assert fetched() == path


def test_another_folder_holds_a_cache_too(hub, tmp_path):
    path = weights_of(NAME, REPOSITORY, tmp_path / "mine", say=lambda message: None)
    assert path.is_relative_to(tmp_path / "mine")
    hub.refused = (503, "")
    check_reachable(NAME, tmp_path / "mine")
    assert weights_of(NAME, REPOSITORY, tmp_path / "mine") == path


def test_weights_that_were_put_there_by_hand_come_first(hub, tmp_path, no_network):
    place = place_by_hand(NAME)
    assert place == tmp_path / "dalle_edu" / "open_clip" / "ViT-B-32--small.safetensors"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"by hand")
    check_reachable(NAME)
    assert fetched() == place


@pytest.mark.parametrize("token", [None, "hf_secret"])
def test_a_token_is_sent_to_the_hub_and_to_no_other_host(hub, monkeypatch, token):
    hub.moved = True
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    assert fetched().read_bytes() == hub.weights
    sent = f"Bearer {token}" if token else None
    assert {(path == hub.path, header) for _, path, header in hub.tokens} == {(True, sent), (False, None)}


def test_the_token_that_a_log_in_kept_is_sent(hub, tmp_path):
    (tmp_path / "huggingface").mkdir()
    (tmp_path / "huggingface" / "token").write_text("hf_kept\n")
    fetched()
    assert {header for *_, header in hub.tokens} == {"Bearer hf_kept"}


# ---------------------------------------------------------------- slow networks


@pytest.mark.slow
def test_a_hub_that_answers_after_seconds_is_not_out_of_reach(hub, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", PATIENCE)
    hub.delays = [2.5]
    check_reachable(NAME)
    assert fetched().read_bytes() == hub.weights


def test_the_hub_may_take_longer_than_its_library_waits(hub, monkeypatch):
    """For each answer, that with the file too: a tenth of a second here stands for the library's ten."""
    for timeout in ("DEFAULT_ETAG_TIMEOUT", "HF_HUB_ETAG_TIMEOUT", "DEFAULT_DOWNLOAD_TIMEOUT", "HF_HUB_DOWNLOAD_TIMEOUT"):
        monkeypatch.setattr(constants, timeout, 0.1)
    hub.delay = 0.3
    assert fetched().read_bytes() == hub.weights
    assert constants.HF_HUB_DOWNLOAD_TIMEOUT == 0.1


def test_a_hub_that_never_answers_is_given_up(hub, monkeypatch):
    monkeypatch.setattr(weights_hub, "ANSWER", 0.2)
    hub.delays = [1.0]
    assert refusal() == "127.0.0.1 took the call and did not answer in 0.2 seconds; try again, or set HF_HUB_ETAG_TIMEOUT to more"
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 5)
    hub.delays = [0.5]
    fetched()


def test_a_line_that_breaks_once_is_taken_up_again(hub):
    hub.ends_early = 3000
    assert fetched().read_bytes() == hub.weights


def test_a_line_that_breaks_each_time_is_told(hub, monkeypatch, tmp_path):
    from huggingface_hub import file_download

    monkeypatch.setattr(file_download.time, "sleep", lambda seconds: None)
    hub.breaks = 3000
    hub.ranges = False
    said, place = refusal(), f"{tmp_path}/dalle_edu/open_clip/ViT-B-32--small.safetensors"
    assert said.startswith("127.0.0.1 broke off (")
    assert said.endswith(f"; ask again, or fetch {hub.url.rstrip('/')}{hub.path} (7 kB) by hand, as {place}")
    assert left(tmp_path) == []


# ---------------------------------------------------------------- no network, and none allowed


@pytest.fixture
def black_hole(hub, monkeypatch):
    """The hub's machine takes no call: those who wait to be taken fill its queue."""
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setattr(download, "PATIENCE", PATIENCE)
        yield


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take calls beyond the length of the queue")
@pytest.mark.slow
def test_without_a_network_a_sentence_comes_within_two_seconds(black_hole):
    began = time.monotonic()
    with pytest.raises(DalleEduError, match=r"127.0.0.1 did not answer in 1.8 seconds; go online once, or take the course's own CLIP"):
        check_reachable(NAME)
    assert time.monotonic() - began < 3  # 1.8, and what a busy machine adds
    assert PATIENCE < 2


def test_silence_is_not_waited_for(hub, silence, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.05)
    began = time.monotonic()
    assert refusal() == "127.0.0.1 did not answer in 0.05 seconds; go online once, or take the course's own CLIP"
    with pytest.raises(DalleEduError, match="did not answer"):
        check_reachable(NAME)
    assert time.monotonic() - began < 5  # the silence lasts ten seconds


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_by_request_the_variable_is_named(hub, monkeypatch, variable):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv(variable, "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert refusal() == f"{variable} is set; unset it and go online once, or take the course's own CLIP"
    assert hub.tokens == []


@pytest.mark.parametrize("endpoint", ["http://[::1", "file:///etc", "nowhere"])
def test_an_endpoint_that_is_no_address_is_told(hub, monkeypatch, endpoint):
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    assert refusal() == f'HF_ENDPOINT: "{endpoint}" is no address of the web; give one that begins with https://'


def test_an_empty_endpoint_is_the_usual_one(hub, monkeypatch, no_network):
    monkeypatch.setattr(constants, "ENDPOINT", "")
    assert refusal().startswith("huggingface.co cannot be reached (Network is unreachable)")


@pytest.mark.parametrize("variables", [{"HF_ENDPOINT": "http://[::1"}, {"HF_HUB_ETAG_TIMEOUT": "soon"}])
def test_variables_that_the_hubs_library_cannot_read_are_told(variables, tmp_path):
    script = f"from dalle_edu.checkpoints.hub import check_reachable\ncheck_reachable({NAME!r})"
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)} | variables
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert "DalleEduError: huggingface_hub does not understand its variables (" in done.stderr.splitlines()[-1]


def test_asking_for_nothing_imports_nothing():
    """The hub's library costs a quarter of a second, which a command that draws would pay."""
    script = "import sys\nfrom dalle_edu.cli import app\nprint('huggingface_hub' in sys.modules, 'httpx2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
