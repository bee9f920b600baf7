"""The gates of files: what is read is a regular file, outputs do not collide, and names of all kinds are told safely."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_systems import build, tiny_clip

from dalle_edu import files
from dalle_edu.errors import DalleEduError
from dalle_edu.files import check_new_folder, check_outputs, check_writable, read_file, write_aside
from dalle_edu.loading import load_model

NOT_UTF8 = os.fsdecode(b"l\xff")


@pytest.fixture
def weights(tmp_path) -> Path:
    build("dalle1").save(tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


def refused(answer: tuple[int, str, str], *words: str) -> None:
    status, out, err = answer
    assert (status, out) == (1, "")
    assert len(err.strip().splitlines()) == 1, err
    for word in words:
        assert word in err


# ---------------------------------------------------------------- reading


def strange(path: Path, what: str) -> Path:
    """A path that is no plain file."""
    if what == "pipe":
        os.mkfifo(path)
    elif what == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            os.chdir(path.parent)  # names of sockets are short
            listener.bind(path.name)
    elif what == "loop":
        path.symlink_to(path.name)
    elif what == "folder":
        path.mkdir()
    elif what == "large":
        with path.open("wb") as file:
            file.truncate(60 << 30)
    elif what != "nothing":
        path.symlink_to(what)
    return path


STRANGE = {  # and what is said of it
    "pipe": "pipe",
    "socket": "pipe",
    "loop": "leads to itself",
    "folder": "is a folder",
    "large": "64,425 MB",
    "/dev/zero": "device",
    "nothing": "no such file",
}
unix = pytest.mark.skipif(sys.platform == "win32", reason="this system has no named pipes")


@unix
@pytest.mark.parametrize("what", STRANGE)
def test_only_regular_files_of_a_bounded_size_are_read(tmp_path, what, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DalleEduError, match=STRANGE[what]):
        read_file(strange(tmp_path / "x", what))
    with pytest.raises(DalleEduError):
        load_model(tmp_path / "x")


@unix
@pytest.mark.parametrize("what", STRANGE)
def test_pictures_weights_and_systems_go_through_the_gate(run, weights, tmp_path, what):
    strange(tmp_path / "x", what)
    refused(run("edit", "complete", "x", "a red circle", "--system", weights), STRANGE[what])
    refused(run("generate", "a red circle", "--system", "./x"), "x")
    refused(run("export", "there", "--clip", "./x"), "x")
    refused(run("score", "local-dir:x"), "x")
    refused(run("generate", "a red circle", "--system", "x:Mine@w.safetensors"), "x")


@unix
def test_a_file_that_becomes_a_pipe_is_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x")
    real = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **options: real(tmp_path / "file" if str(path).endswith("pipe") else path, **options))
    with pytest.raises(DalleEduError, match="device or a pipe"):
        read_file(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("number", "en", "fr"),
    [
        (13, "permission denied", "l'accès est refusé"),
        (24, "too many open files", "trop de fichiers"),
        (5, "input/output error", "une panne"),
    ],
)
def test_the_systems_reason_is_told(weights, monkeypatch, number, en, fr):
    def refuse(*arguments):
        raise OSError(number, "refused")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(DalleEduError, match=en):
        load_model(weights)
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    with pytest.raises(DalleEduError, match=fr):
        load_model(weights)


def test_a_sparse_file_is_not_read_before_its_header_is(tmp_path):
    """Eight bytes say how long the header is, and the header how long the file."""
    path = tmp_path / "w.safetensors"
    for first in (b"\0" * 8, (50).to_bytes(8, "little") + b"{}".ljust(50)):
        with path.open("wb") as file:
            file.write(first)
            file.truncate(20 << 30)
        with pytest.raises(DalleEduError, match="not a whole safetensors file"):
            load_model(path)


def test_a_lack_of_memory_is_one_sentence(weights, tmp_path):
    """Under `ulimit -v`, whatever is imported or allocated."""
    pytest.importorskip("resource", reason="limits on memory exist on Unix only")
    for limit in (200 << 20, 400 << 20):
        program = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))\nfrom dalle_edu.cli import main; main()"
        words = [sys.executable, "-c", program, "generate", "a red circle", "--system", str(weights)]
        done = subprocess.run(
            words, cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        )
        assert done.returncode, limit
        assert "Traceback" not in done.stderr, done.stderr[-800:]
        assert "not enough memory" in done.stderr


# ---------------------------------------------------------------- writing


@unix
def test_a_loop_of_links_is_no_place_to_write(run, weights, tmp_path):
    (tmp_path / "l.png").symlink_to("l.png")
    with pytest.raises(DalleEduError, match="leads to itself"):
        check_writable(tmp_path / "l.png" / "deeper" / "a.png")
    with pytest.raises(DalleEduError, match="leads to itself"):
        check_new_folder(tmp_path / "l.png")
    for words in (("--out", "l.png"), ("--out", "a.png", "--json", "l.png"), ("--out", "a.png", "--apart", "l.png")):
        refused(run("generate", "a red circle", "--system", weights, *words), "l.png")
    tiny_clip().save(tmp_path / "clip.safetensors")
    refused(run("export", "l.png", "--clip", "clip.safetensors"), "l.png")


@pytest.mark.parametrize("command", ["book", "slides"])
def test_a_site_that_cannot_be_written_is_told_before_the_lessons(run, command):
    refused(run(command, "--site", "/dev/null"), "/dev/null")


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    for mode in (0o600, 0o640, 0o444):
        os.chmod(tmp_path / "a", mode)
        write_aside(tmp_path / "a", lambda file: file.write(b"new"))
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


# ---------------------------------------------------------------- outputs


def outputs(*names: str, given: tuple[str, ...] = ()) -> None:
    check_outputs([Path(name) for name in names], [Path(name) for name in given])


def test_outputs_are_compared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    outputs("a.png", "b.json", "c/0.png", "c/1.png", given=("d.png",))
    for names in (("a.png", "./a.png"), ("a", "x/../a"), ("real/0.png", "link/0.png"), ("c/0.png", "c/1.png", "c/1.png")):
        with pytest.raises(DalleEduError, match="named twice"):
            outputs(*names)
    with pytest.raises(DalleEduError, match="named twice"):
        outputs("a.png", given=("./a.png",))
    for names in (("a", "a/0.png"), ("a/b/c", "a"), ("link", "real/x/y")):
        with pytest.raises(DalleEduError, match="cannot be a file and a folder"):
            outputs(*names)


def test_where_the_file_system_ignores_case_so_do_outputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for same in (False, True):
        monkeypatch.setattr(files, "_ignores_case", lambda path, same=same: same)
        for names in (("A.png", "a.PNG"), ("caf\u00e9.png", "cafe\u0301.png"), ("d/0.png", "D")):
            if same:
                with pytest.raises(DalleEduError):
                    outputs(*names)
            else:
                outputs(*names)


@pytest.mark.parametrize(
    "words",
    [("--out", "a/0.png", "--apart", "a"), ("--out", "o.png", "--apart", "a", "--json", "a/1.png"), ("--out", "a.png", "--apart", "a.png"),
     ("--out", "o.png", "--json", "o.png/j"), ("--out", "o.png", "--json", "w.safetensors"), ("--out", "o.png", "--apart", "o.png/a")],
)  # fmt: skip
def test_outputs_that_collide_are_refused_before_anything_is_drawn(run, weights, words, tmp_path):
    before = weights.read_bytes()
    refused(run("generate", "a red circle", "-n", 2, "--system", "w.safetensors", *words))
    assert weights.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


def test_a_document_goes_to_standard_output_alone(run, weights, tmp_path):
    status, out, err = run("generate", "a red circle", "-n", 1, "--system", weights, "--json", "-")
    assert status == 0
    assert json.loads(out)["pictures"][0]["prompt"] == "a red circle"
    assert "a red circle" in err
    assert not (tmp_path / "-").exists()
    status, out, err = run("score", weights, "--prompts", 2, "--json", "-")
    assert status == 0
    assert json.loads(out)
    status, out, _ = run("generate", "a red circle", "-n", 1, "--system", weights)  # and the next command speaks as ever
    assert "a red circle" in out


# ---------------------------------------------------------------- names


@unix
@pytest.mark.parametrize("name", ["l[/x]", "[bold]", ":smile:", "\x1b[2Jx", "a\rb", NOT_UTF8])
def test_any_name_may_be_read_written_and_told(run, weights, tmp_path, name, monkeypatch):
    assert run("generate", "a red circle", "-n", 1, "--system", weights, "--out", f"{name}.png", "--json", f"{name}.json")[0] == 0
    assert (tmp_path / f"{name}.png").is_file()
    assert run("edit", "complete", f"{name}.png", "a red circle", "-n", 1, "--system", weights, "--out", "b.png")[0] == 0
    status, _, err = run("generate", "a red circle", "--system", f"./{name}.safetensors")
    assert status == 1
    assert not any(c in err for c in "\x1b\r")
    err.encode()  # what a terminal or a file can take
    with pytest.raises(DalleEduError) as caught:
        read_file(tmp_path / f"{name}.bin")
    str(caught.value).encode()
    tiny_clip().save(tmp_path / "clip.safetensors")
    assert run("export", f"{name}_there", "--clip", "clip.safetensors")[0] == 0


def test_code_that_cannot_be_imported_is_one_sentence(run, tmp_path):
    for text in ("def (", "1 / 0", "\0", "import nothing_like_this"):
        (tmp_path / "mine.py").write_text(text)
        refused(run("generate", "a red circle", "--system", "mine.py:Mine@w.safetensors"), "mine.py cannot be imported")
