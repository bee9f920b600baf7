"""The commands on an emulated Windows, in a process of its own, whose console writes cp1252."""

import json
import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
PROGRAM = """
import json, sys
sys.path[:0] = [{tests!r}]
from emulated import windows
windows.become()
from dalle_edu.cli import main
ends = []
for line in json.loads({lines!r}):
    print("$", *line, flush=True)
    sys.argv = ["dalle-edu", *line]
    try:
        main()
    except SystemExit as end:
        ends.append(end.code or 0)
print(json.dumps(ends))
"""


def on_windows(*lines: list[str], folder: Path) -> tuple[list[int], str]:
    """The exit statuses of commands, one after the other, and what they said."""
    program = PROGRAM.format(tests=str(TESTS), lines=json.dumps(lines))
    environment = os.environ | {
        "PYTHONIOENCODING": "cp1252",
        "DALLE_EDU_LANGUAGE": "fr",
        "PYTHONPATH": str(TESTS.parent),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, timeout=300)
    said = (done.stdout + done.stderr).decode("cp1252")
    assert done.returncode == 0, said
    return json.loads(done.stdout.decode("cp1252").splitlines()[-1]), said


def test_what_students_do_works(tmp_path):
    prompt = "un grand cercle rouge à gauche d'un petit carré bleu"
    ends, said = on_windows(
        ["generate", prompt, "-n", "1", "--out", "a.png", "--apart", "one by one", "--json", "a.json"],
        ["generate", prompt, "-n", "1", "--out", "a.png"],
        ["edit", "complete", "one by one/0.png", prompt, "--out", "b.png"],
        ["score", "dalle1", "--prompts", "1"],
        ["world", "--out", "world.png"],
        ["systems"],
        ["lessons", "get", "--language", "fr", "--to", "leçons"],
        ["lessons", "get", "--language", "fr", "--to", "leçons"],
        ["export", "exporté"],
        folder=tmp_path,
    )
    assert not any(ends), said
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["pictures"][0]["prompt"] == prompt
    assert len(list((tmp_path / "leçons").glob("*.ipynb"))) > 3


def test_a_name_that_windows_keeps_for_itself_is_refused_before_any_work(tmp_path):
    names = ["CON.png", "nul.PNG", "a:b.png", "com1.png", "what?.png", "CON/a.png"]
    ends, said = on_windows(*(["generate", "a red circle", "-n", "1", "--out", name] for name in names), folder=tmp_path)
    assert ends == [1] * len(names), said
    assert said.count("Windows se réserve le nom") == len(names)
    assert not list(tmp_path.iterdir())


OPEN = """
import sys
sys.path[:0] = [{tests!r}]
from emulated import windows
windows.become()
import threading, time
from pathlib import Path
from dalle_edu import files
path, released = Path("marks.json"), []
path.write_text("before", encoding="utf-8")
reader = open(path, "rb")
threading.Timer(0.3, lambda: released.append(reader.close())).start()
files.write_aside(path, lambda file: file.write(b"after"))
print(released, path.read_text(encoding="utf-8"))
files._PATIENCE = 0.1
reader = open(path, "rb")
try:
    files.write_aside(path, lambda file: file.write(b"lost"))
except files.DalleEduError as error:
    print(error)
print(path.read_text(encoding="utf-8"), [each.name for each in Path().iterdir()])
"""


def test_a_file_that_another_program_reads_is_written_when_it_is_closed_or_left_as_it_was(tmp_path):
    """An emulated Windows refuses to replace a file that is open."""
    environment = os.environ | {"DALLE_EDU_LANGUAGE": "en", "PYTHONPATH": str(TESTS.parent)}
    program = OPEN.format(tests=str(TESTS))
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
    assert done.stdout.splitlines()[0] == "[None] after", done.stderr
    assert "marks.json could not be written: permission denied; what was there before is as it was" in done.stdout
    assert done.stdout.splitlines()[-1] == "after ['marks.json']"


TRAIN = """
import sys
sys.path[:0] = [{tests!r}]
from emulated import windows
windows.become()
import multiprocessing
from dataclasses import replace
from tiny_training import RUN, train_tiny
run = replace(RUN, updates=12, exam=2)
if __name__ == "__main__":
    process = multiprocessing.Process(target=train_tiny, args=("spawned", replace(run, updates=4)))
    process.start()
    process.join()
    train_tiny("run", run)
    train_tiny("run", run)
    print(process.exitcode)
"""


def test_a_run_trains_goes_on_and_is_spawned(tmp_path):
    (tmp_path / "program.py").write_text(TRAIN.format(tests=str(TESTS)), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines()[-1:] == ["0"], done.stderr
    assert (tmp_path / "run" / "dalle1.safetensors").is_file()
    assert (tmp_path / "spawned" / "dalle1.safetensors").is_file()
