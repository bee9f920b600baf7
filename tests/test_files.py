import os
import stat
import subprocess
import sys

import pytest

from dalle_edu.errors import DalleEduError
from dalle_edu.files import check_writable, write_aside

LONG = "x" * 300 + ".png"  # longer than file systems allow


def write_whole(file) -> None:
    file.write(b"new")


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---------------------------------------------------------------- write_aside


def test_a_new_file(tmp_path):
    write_aside(tmp_path / "a.bin", write_whole)
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    assert names(tmp_path) == ["a.bin"]


def test_folders_on_the_way_are_made(tmp_path):
    write_aside(str(tmp_path / "one" / "two" / "a.bin"), write_whole)
    assert (tmp_path / "one" / "two" / "a.bin").read_bytes() == b"new"


def test_an_old_file_is_replaced_whole(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"something older and longer")
    write_aside(tmp_path / "a.bin", write_whole)
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    assert names(tmp_path) == ["a.bin"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    mask = os.umask(0o027)
    try:
        write_aside(tmp_path / "a.bin", write_whole)
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o640
    assert os.umask(mask) == mask  # and the mask is as it was


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError, RuntimeError("half way"), SystemExit(1)])
def test_an_interrupted_writer_leaves_the_old_file(tmp_path, interruption):
    (tmp_path / "a.bin").write_bytes(b"old")

    def half(file):
        file.write(b"n" * 100_000)
        raise interruption

    with pytest.raises(type(interruption) if isinstance(interruption, BaseException) else interruption):
        write_aside(tmp_path / "a.bin", half)
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_while_writing_a_reader_sees_the_old_file(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"old")
    seen = []
    text_encoder = (tmp_path / "a.bin").open("rb")  # who has the old file open goes on reading the old file

    def look(file):
        file.write(b"new")
        file.flush()
        seen.append((tmp_path / "a.bin").read_bytes())

    write_aside(tmp_path / "a.bin", look)
    with text_encoder:
        assert text_encoder.read() == b"old"
    assert seen == [b"old"]
    assert (tmp_path / "a.bin").read_bytes() == b"new"


def test_a_full_disk_is_told_and_leaves_the_old_file(tmp_path):
    """A limit on the size of files fails the write itself, as a full disk does; in a process of its own, which keeps the limit."""
    pytest.importorskip("resource", reason="limits on file sizes exist on Unix only")
    (tmp_path / "a.bin").write_bytes(b"old")
    program = f"""
import resource
from dalle_edu.errors import DalleEduError
from dalle_edu.files import write_aside
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_aside({str(tmp_path / "a.bin")!r}, lambda file: file.write(b"n" * 10_000_000))
except DalleEduError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told == f"{tmp_path / 'a.bin'} could not be written: file too large; what was there before is as it was\n"
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_a_folder_that_cannot_be_is_told(tmp_path):
    """Below a regular file nobody can write, root neither."""
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "a.bin", tmp_path / "file" / "deeper" / "a.bin"):
        with pytest.raises(DalleEduError, match=r"a\.bin could not be written"):
            write_aside(path, write_whole)
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_folder_in_place_of_the_file_is_told(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kept").write_text("kept")
    with pytest.raises(DalleEduError, match="folder could not be written"):
        write_aside(tmp_path / "folder", write_whole)
    assert names(tmp_path) == ["folder"]
    assert names(tmp_path / "folder") == ["kept"]


def test_too_long_a_name_is_told(tmp_path):
    with pytest.raises(DalleEduError, match="name too long"):
        write_aside(tmp_path / LONG, write_whole)
    assert names(tmp_path) == []


def test_a_device_or_a_pipe_is_not_replaced_by_a_file(tmp_path):
    """`--json /dev/stdout` as root would otherwise turn a device of the machine into a regular file."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DalleEduError, match="pipe"):
        write_aside(tmp_path / "pipe", write_whole)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert names(tmp_path) == ["pipe"]


# ---------------------------------------------------------------- check_writable


def test_a_good_place_is_left_alone(tmp_path):
    (tmp_path / "old.png").write_text("old")
    for path in (tmp_path / "a.png", str(tmp_path / "not" / "yet" / "a.png"), tmp_path / "old.png"):
        check_writable(path)
    assert names(tmp_path) == ["old.png"]
    assert (tmp_path / "old.png").read_text() == "old"


def test_a_relative_place_is_a_good_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_writable("a.png")
    check_writable("runs/a.png")
    assert names(tmp_path) == []


def test_a_folder_is_refused(tmp_path):
    for path in (tmp_path, str(tmp_path) + "/", ""):
        with pytest.raises(DalleEduError, match="is a folder; give the name of a file in it"):
            check_writable(path)


def test_a_place_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "a.png", tmp_path / "file" / "deeper" / "a.png"):
        with pytest.raises(DalleEduError, match="file is not a folder one may write in"):
            check_writable(path)


@pytest.mark.parametrize("where", [LONG, f"{LONG}/a.png"], ids=["name", "folder"])
def test_a_name_too_long_to_exist_is_refused_before_the_work(tmp_path, where):
    with pytest.raises(DalleEduError):
        check_writable(tmp_path / where)
