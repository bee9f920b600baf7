"""Under guard nothing can be imported, read, written, started or reached but torch, the bricks and the record's own file."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.golf.guard import _check_open, out_of_bounds
from benchmarks.golf.judge import ROOT, furnish
from dalle_edu.errors import DalleEduError

RENDERER = ROOT / "dalle_edu" / "world" / "renderer.py"
BEYOND = f"import dalle_edu; dalle_edu.__path__.append({str(ROOT / 'dalle_edu')!r})\n"  # where the finder would find the world
CHEATS = {
    "import": (BEYOND + "import dalle_edu.world.renderer", "may not import dalle_edu.world"),
    "import_module": (BEYOND + "import importlib; importlib.import_module('dalle_edu.scorecard')", "may not import dalle_edu.scorecard"),
    "__import__": (BEYOND + "__import__('dalle_edu.systems.dalle1')", "may not import dalle_edu.systems"),
    "without the finder": (
        BEYOND + "import sys, importlib; found = sys.meta_path.pop(0)\n"
        "try: importlib.import_module('dalle_edu.world.scenes')\nfinally: sys.meta_path.insert(0, found)",
        "may not open",
    ),
    "by a spec": (
        f"from importlib.util import *; s = spec_from_file_location('r', {str(RENDERER)!r}); s.loader.exec_module(module_from_spec(s))",
        "may not open",
    ),
    "another of ours": ("import benchmarks.golf.game", "may not import benchmarks.golf.game"),
    "the guard itself": ("import benchmarks.golf.guard as guard; guard._check_open = print", "may not import benchmarks.golf.guard"),
    "a painter": ("import PIL.ImageDraw", "may not import PIL"),
    "read and run": (f"exec(open({str(RENDERER)!r}).read())", "may not open"),
    "read by number": (f"import os; os.read(os.open({str(RENDERER)!r}, os.O_RDONLY), 9)", "may not open"),
    "read bytes": (f"import pathlib; pathlib.Path({os.fsencode(RENDERER)!r}.decode()).read_bytes()", "may not open"),
    "shipped weights": (f"open({str(ROOT / 'data' / 'weights' / 'dalle1.safetensors')!r}, 'rb')", "may not open"),
    "a link": ("open('link.py')", "may not open"),
    "write": ("open('note', 'w')", "may not open"),
    "write by number": ("import os; os.open('note', os.O_CREAT | os.O_WRONLY)", "may not open"),
    "a program": ("import subprocess; subprocess.run(['ls'])", "may not do this: subprocess.Popen"),
    "a shell": ("import os; os.system('ls')", "may not do this: os.system"),
    "a fork": ("import os; os.fork()", "may not do this: os.fork"),
    "another program": ("import os; os.execv('/bin/ls', ['ls'])", "may not do this: os.exec"),
    "the network": ("import socket; socket.socket()", "may not do this: socket"),
    "a library": ("import ctypes; ctypes.CDLL(None)", "may not do this: ctypes.dlopen"),
}
TRY = """
import importlib.util, importlib, ctypes, json, socket, subprocess, pathlib, sys  # what torch loads too
from benchmarks.golf.guard import stand_guard
cheats = json.loads(sys.stdin.read())
stand_guard(pathlib.Path.cwd())
import csv, wave  # Python's own
open("record.py").read()
told = {}
for name, cheat in cheats.items():
    try:
        exec(cheat, {})
    except Exception as error:
        told[name] = f"{error}"
    else:
        told[name] = "it passed"
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict[str, str]:
    """What each cheat is told, all in one process under guard."""
    room = tmp_path_factory.mktemp("room")
    furnish(room, b"# a record\n")
    (room / "link.py").symlink_to(RENDERER)
    cheats = {name: code for name, (code, _) in CHEATS.items() if name != "a fork" or hasattr(os, "fork")}
    environment = os.environ | {"PYTHONPATH": str(room), "DALLE_EDU_LANGUAGE": "en"}
    command = [sys.executable, "-c", TRY]
    done = subprocess.run(command, input=json.dumps(cheats), cwd=room, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", CHEATS)
def test_cheats_are_refused(told, name):
    assert CHEATS[name][1] in told.get(name, CHEATS[name][1])


def test_the_room_holds_the_bricks_and_nothing_that_draws(tmp_path):
    furnish(tmp_path, b"")
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {"record.py", "dalle_edu/bricks/gpt.py", "dalle_edu/training/muon.py", "benchmarks/golf/drawing_process.py"} <= names
    assert not [name for name in names if "world" in name or "scorecard" in name or "systems" in name]


def test_an_installed_library_is_closed_too(tmp_path):
    """Among Python's packages the library lies open, with its weights, where it was installed by pip."""
    packages, room = str(tmp_path / "site-packages"), str(tmp_path / "room")
    for name in ("site-packages/numpy/core.py", "room/dalle_edu/bricks/gpt.py"):
        _check_open(str(tmp_path / name), "rb", 0, [packages], room)
    for name in ("site-packages/dalle_edu/world/renderer.py", "site-packages-2/x.py", "room/../other.py"):
        with pytest.raises(DalleEduError, match="may not open"):
            _check_open(str(tmp_path / name), "rb", 0, [packages], room)


def test_what_is_out_of_bounds():
    inside = ("dalle_edu", "dalle_edu.bricks", "dalle_edu.bricks.gpt", "dalle_edu.training.ema", "torch.nn", "numpy")
    outside = ("dalle_edu.world", "dalle_edu.training.loop", "dalle_edu.loading", "benchmarks", "lessons.x", "PIL.ImageDraw", "cv2")
    assert not any(out_of_bounds(name) for name in inside)
    assert all(out_of_bounds(name) for name in outside)
    assert not out_of_bounds("dalle_edu.world.scenes", ("dalle_edu.world",))
    assert not out_of_bounds("PIL", painters=True)
