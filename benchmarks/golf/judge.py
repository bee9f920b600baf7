"""The judge: it has a record train, then draw, each in a process of its own, marks what is drawn, and tries whether drawing needs what was
learned.
"""

import json
import os
import platform
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from safetensors.torch import load, save
from torch import Tensor

from benchmarks import calibrate
from benchmarks.golf import exam, rules
from benchmarks.golf.guard import LIBRARY
from benchmarks.golf.rules import Track
from benchmarks.golf.timed_process import Outcome, run
from benchmarks.measuring import processor
from dalle_edu.errors import DalleEduError
from dalle_edu.scorecard.exam import questions
from dalle_edu.world.tokenizer import caption_tokenizer

ROOT = Path(__file__).parents[2]
_ROOM = ("benchmarks/__init__.py", *(f"benchmarks/golf/{name}.py" for name in ("__init__", "rules", "guard", "drawing_process")))
_WITHOUT = {"untrained": ("untrained weights", "des poids non entraînés"), "shuffled": ("its weights in disorder", "ses poids en désordre")}
Watch = Callable[[str], None]


def judge(source: bytes, track: Track, seed: int, by: str = "wall", tell: Watch = lambda sentence: None) -> tuple[dict[str, Any], bytes]:
    """One run of a record: trained with a seed, examined on questions of a seed drawn afterwards. Returns what is kept, and the log.

    Raises `DalleEduError` for a record that breaks a rule, takes too long, or draws without what it learned.
    """
    with tempfile.TemporaryDirectory(prefix="golf-") as place:
        folder = Path(place)
        (folder / "record.py").write_bytes(source)
        kept = trained(folder, track, seed, by, tell)
        weights = load((folder / "weights.safetensors").read_bytes())
        log = (folder / "log.jsonl").read_bytes() if (folder / "log.jsonl").exists() else b""
    exam_seed = secrets.randbelow(2**31)
    asked = questions(track.prompts, exam_seed)
    most = rules.drawing_seconds(track.prompts, kept["calibration"])
    pictures, took = drawn(source, tokens_of([question.text for question in asked]), weights, seed, exam_seed, most)
    marks = exam.marked(asked, pictures)
    kept |= {"exam_seed": exam_seed, "drawing_cpu_seconds": round(took, 2)}
    kept["skills"] = {split: exam.skills(asked, marks, split) for split in exam.SPLITS}
    kept["probes"] = probe(source, track, weights, seed, exam_seed, rules.drawing_seconds(track.probe_prompts, kept["calibration"]))
    kept["marks"] = " ".join(marks)
    return {"seed": seed, **kept}, log


def trained(folder: Path, track: Track, seed: int, by: str, tell: Watch) -> dict[str, Any]:
    """Train the record of a folder there, and say what it took. Raises `DalleEduError` where it is late, or ends with an error."""
    load_average = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    before = calibrate.measure()
    module = "benchmarks.golf.training_process"
    command = [sys.executable, "-m", module, str(folder), str(seed), by, str(track.seconds(by)), str(time.time())]
    most_wall = track.most_seconds("wall") if by == "wall" else 10 * track.most_seconds("cpu")
    outcome = run(command, _environment(ROOT), folder, b"", most_wall, track.most_seconds("cpu"), _Teller(folder / "log.jsonl", seed, tell))
    after = calibrate.measure()
    if outcome.status is None:
        wall, cpu = round(outcome.wall_seconds), round(outcome.cpu_seconds)
        raise DalleEduError(
            f"training took {wall} s of wall time and {cpu} s of CPU, and may take {track.seconds(by):.0f} s (by {by}); it was stopped and "
            "does not count: train until game.progress() is 1, and no longer",
            f"l'entraînement a pris {wall} s de temps réel et {cpu} s de processeur, et peut en prendre {track.seconds(by):.0f} ({by}) ; "
            "il a été arrêté et ne compte pas : entraînez jusqu'à ce que game.progress() vaille 1, et pas plus",
        )
    _check_ended(outcome, "training", "l'entraînement")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return {
        "wall_seconds": round(outcome.wall_seconds, 2),
        "cpu_seconds": round(outcome.cpu_seconds, 2),
        "calibrated_cpu_seconds": round(calibrate.calibrated(outcome.cpu_seconds, before, after), 2),
        "calibration": [round(before, 3), round(after, 3)],
        "load": load_average,
        **summary,
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "torch": str(torch.__version__),
    }


def drawn(
    source: bytes, tokens: Int[Tensor, "n t"], weights: dict[str, Tensor], build_seed: int, draw_seed: int, most: float
) -> tuple[Float[Tensor, "n 3 h w"], float]:
    """What a record draws for tokens, in a room that holds nothing else, and the CPU seconds that it took, `most` at the most.

    Without weights it draws with those of `build`. Raises `DalleEduError` for what the guard refuses, and where drawing takes too long.
    """
    given = save(
        {"tokens": tokens, **{f"weights/{name}": value for name, value in weights.items()}},
        metadata={"build": str(build_seed), "draw": str(draw_seed)},
    )
    with tempfile.TemporaryDirectory(prefix="golf-room-") as place:
        room = Path(place)
        furnish(room, source)
        command = [sys.executable, "-m", "benchmarks.golf.drawing_process"]
        outcome = run(command, _environment(room), room, given, most_wall=20 * most, most_cpu=most)
    if outcome.status is None:
        raise DalleEduError(
            f"drawing {len(tokens)} pictures took {outcome.cpu_seconds:.0f} s of CPU, and may take {most:.0f} s; draw in fewer steps",
            f"dessiner {len(tokens)} images a pris {outcome.cpu_seconds:.0f} s de processeur, et peut en prendre {most:.0f} ; "
            "dessinez en moins d'étapes",
        )
    _check_ended(outcome, "drawing", "le dessin")
    return load(outcome.output)["pictures"], outcome.cpu_seconds


def furnish(room: Path, source: bytes) -> None:
    """Put in a folder the record, the modules that it may import, and nothing else of ours."""
    (room / "record.py").write_bytes(source)
    modules = [ROOT / name for name in _ROOM]
    for name in LIBRARY:
        path = ROOT / name.replace(".", "/")
        modules.append(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))
    modules += sorted((ROOT / "dalle_edu" / "bricks").glob("*.py"))
    for module in dict.fromkeys(modules):
        to = room / module.relative_to(ROOT)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(module, to)


def probe(source: bytes, track: Track, weights: dict[str, Tensor], seed: int, exam_seed: int, most: float) -> dict[str, float]:
    """The marks that a record gets without what it learned: with fresh weights, and with its own in disorder; and those of guessing.

    Raises `DalleEduError` where it does better than guessing: then it draws by other means than by what it learned.
    """
    asked = questions(track.probe_prompts, (exam_seed + 1) % 2**31)
    tokens = tokens_of([question.text for question in asked])
    guessing = exam.chance(questions(512, 1))
    found = {"chance": round(guessing, 4)}
    for name, tensors in (("untrained", {}), ("shuffled", exam.shuffled_within(weights, exam_seed))):
        pictures, _ = drawn(source, tokens, tensors, seed + 1_000_003, exam_seed, most)
        found[name] = round(exam.mark_of(asked, exam.marked(asked, pictures)), 4)
        if found[name] > guessing + rules.BEYOND_CHANCE:
            english, french = _WITHOUT[name]
            raise DalleEduError(
                f"with {english} the record's mark is {found[name]:.0%}, and guessing gets {guessing:.0%}: it draws without what it "
                "learned, and is refused",
                f"avec {french}, la note du record est de {found[name]:.0%}, et le hasard obtient {guessing:.0%} : il dessine sans ce "
                "qu'il a appris, et il est refusé",
            )
    return found


def tokens_of(prompts: list[str]) -> Int[Tensor, "n t"]:
    """Prompts as the token numbers that a record is given."""
    return caption_tokenizer().encode(prompts, rules.TEXT_LENGTH)


def _environment(path: Path) -> dict[str, str]:
    """The environment of a process: its modules come from `path`, and it has as many threads as the rules allow."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(rules.CORES))
    return os.environ | threads | {"PYTHONPATH": str(path), "OMP_WAIT_POLICY": "PASSIVE", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}


def _check_ended(outcome: Outcome, what: str, quoi: str) -> None:
    """Raise `DalleEduError` where a process ended by a rule, or by an error of the record's, whose last lines are told."""
    lines = [line for line in outcome.errors.splitlines() if line.strip()]
    if outcome.status == rules.REFUSED and lines:
        raise DalleEduError(lines[-1], lines[-1])  # in the reader's language already
    if outcome.status != 0:
        told = "\n".join(lines[-12:])
        raise DalleEduError(
            f"{what} ended with an error (status {outcome.status}); correct the record:\n{told}",
            f"{quoi} s'est arrêté sur une erreur (statut {outcome.status}) ; corrigez le record :\n{told}",
        )


class _Teller:
    """Tells the newest line of a run's log, every half minute."""

    def __init__(self, log: Path, seed: int, tell: Watch):
        self.log, self.seed, self.tell, self.due = log, seed, tell, 30.0

    def __call__(self, seconds: float) -> None:
        """Tell how a run goes after so many seconds, where it is time to."""
        if seconds >= self.due:
            self.due += 30.0
            lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
            self.tell(f"seed {self.seed}, {seconds:.0f} s: {lines[-1] if lines else '…'}")
