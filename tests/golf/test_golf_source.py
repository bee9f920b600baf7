"""The source of a record is read before it runs, and what it may not be or do is refused with file and line."""

from pathlib import Path

import pytest

from benchmarks.golf import rules
from benchmarks.golf.source_check import check_source
from dalle_edu.errors import DalleEduError

HONEST = Path(__file__).with_name("honest.py").read_text(encoding="utf-8")
RECORDS = sorted((Path(rules.__file__).parent / "records").glob("*/*/record.py"))


def refusal(tmp_path: Path, source: str) -> str:
    path = tmp_path / "cheat.py"
    path.write_text(source, encoding="utf-8")
    with pytest.raises(DalleEduError) as refused:
        check_source(path)
    return str(refused.value)


@pytest.mark.parametrize("path", [Path(__file__).with_name("honest.py"), *RECORDS], ids=lambda path: path.parent.name)
def test_honest_records_pass(path):
    assert check_source(path) == path.read_bytes()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("import dalle_edu.world.renderer", "may not import dalle_edu.world.renderer"),
        ("from dalle_edu import world", "may not import dalle_edu;"),
        ("from dalle_edu.loading import load_system", "may not import dalle_edu.loading"),
        ("import importlib", "may not import importlib"),
        ("import sys", "may not import sys"),
        ("import subprocess", "may not import subprocess"),
        ("import safetensors.torch", "may not import safetensors.torch"),
        ("from torch import hub", "may not import hub"),
        ("import torch.hub", "may not import torch.hub"),
        ("from torch import *", "without a star"),
        ("from . import other", "without a star"),
        ("__import__('dalle_edu.world')", "may not use __import__"),
        ("exec('1')", "may not use exec"),
        ("eval('1')", "may not use eval"),
        ("open('renderer.py')", "may not use open"),
        ("torch.os.system('ls')", "may not use ."),
        ("torch.load('weights')", "may not use .load"),
        ("torch.from_file('renderer.py')", "may not use .from_file"),
        ("().__class__.__base__.__subclasses__()", "may not use .__"),
        ("getattr(torch, 'o' + 's')", "getattr needs a name that is written out"),
        ("getattr(torch, 'os')", "getattr needs a name that is written out"),
        ("x = 2**4 + 18446744073709551617", "over 2**64"),
        (f"TABLE = {list(range(65))}", "65 numbers stand in one literal, and 64 may"),
        (f"TABLE = {{0: {list(range(40))}, 1: ({list(range(30))},)}}", "72 numbers stand in one literal"),
        (f"TABLE = '{'a' * 401}'", "a string has 401 characters, and may have 400"),
        (f"TABLE = b'{'a' * 401}'", "a string has 401 characters, and may have 400"),
        ("\n".join(f"T{i} = '{'b' * 399}'" for i in range(11)), "characters of strings, and may have 4000"),
        ("\n".join(f"T{i} = {list(range(64))}" for i in range(16)), "numbers in literals, and may have 1000"),
        ("def (", "this is no Python"),
    ],
)
def test_what_a_record_may_not_say_is_refused(tmp_path, line, why):
    said = refusal(tmp_path, HONEST + "\n\n" + line + "\n")
    assert why in said
    assert "cheat.py:" in said


def test_a_file_of_forty_thousand_and_one_bytes_is_refused(tmp_path):
    room = rules.FILE_BYTES - len(HONEST.encode())
    path = tmp_path / "full.py"
    path.write_text(HONEST + "#" * room, encoding="utf-8")
    assert len(check_source(path)) == rules.FILE_BYTES
    assert "40,001 bytes" in refusal(tmp_path, HONEST + "#" * (room + 1))


def test_the_three_functions_must_be_there(tmp_path):
    for spoilt in (HONEST.replace("def draw", "def drew"), HONEST.replace("def train(model, game)", "def train(model)")):
        assert "build(), train(model, game) and draw(model, tokens, seed)" in refusal(tmp_path, spoilt)


def test_a_docstring_may_be_long_and_the_refusal_names_the_line(tmp_path):
    path = tmp_path / "told.py"
    path.write_text(f'"""{"long " * 200}"""\n' + HONEST.partition("\n")[2], encoding="utf-8")
    assert check_source(path)
    assert "cheat.py:3:" in refusal(tmp_path, "import torch\n\nimport socket\n" + HONEST)


def test_refusals_speak_french(tmp_path, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert "un record ne peut pas importer socket" in refusal(tmp_path, "import socket\n" + HONEST)
