"""Answers that people wrote without sight of the checks: those that are right are accepted, those that are wrong refused, most by name."""

import json
import linecache
import re
from collections import Counter, defaultdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from einops import rearrange

from dalle_edu.classroom.builder import build
from dalle_edu.classroom.builder.hollow import taught_module
from dalle_edu.classroom.checking.diagnosis import diagnose
from dalle_edu.language import speak

ANSWERS = [
    answer for file in sorted((Path(__file__).parent / "answers").glob("*.json")) for answer in json.loads(file.read_text(encoding="utf-8"))
]
TAUGHT = [(lesson.number, cell.implements) for lesson in build.lessons() for cell in lesson.cells if cell.implements]
ANSWERED = [(answer["lesson"], answer["target"]) for answer in ANSWERS]  # before its lesson is written, too
MODULES = defaultdict[str, list[ModuleType]](list)
for number, target in dict.fromkeys([*TAUGHT, *ANSWERED]):
    MODULES[number].append(taught_module(target))
TARGETS = sorted({answer["target"] for answer in ANSWERS})
BARE = re.compile(r"off by|1\.8e\+308|expected PerceptronRun$")


def version(answer: dict, number: int):
    """What an answer's code defines, in a namespace that has all the names of its lesson but this one."""
    scope = {"np": np, "torch": torch, "F": F, "rearrange": rearrange}
    for module in MODULES[answer["lesson"]]:
        scope |= {name: value for name, value in vars(module).items() if name[:2] != "__"}
    name, file = answer["target"].split(":")[1], f"<answer {number}>"
    scope |= {"__name__": "__main__"}
    del scope[name]
    linecache.cache[file] = (1, None, answer["code"].splitlines(keepends=True), file)
    exec(compile(answer["code"], file, "exec"), scope)
    return scope[name]


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_answers_are_judged_rightly_and_most_faults_are_named(target, monkeypatch):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "en")
    monkeypatch.setenv("DALLE_EDU_PATIENCE", "0.3")
    said = Counter[str]()
    for number, answer in enumerate(ANSWERS):
        if answer["target"] != target:
            continue
        speak(answer["language"])
        verdict = diagnose(version(answer, number), target, number)
        assert not BARE.search(verdict.text), (answer["what"], verdict.text)
        assert verdict.right == (answer["kind"] == "right"), (answer["what"], verdict.text)
        said["right" if verdict.right else "named" if verdict.named else "shown"] += 1
    assert said["named"] >= 0.6 * (said["named"] + said["shown"]), said
