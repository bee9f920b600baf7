"""The folder of a record: `record.py`, a log for each seed, `marks.json`, `README.md`; how it is written, read and checked."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.golf import exam, rules
from benchmarks.golf.judge import ROOT
from benchmarks.golf.rules import TRACKS, Track
from benchmarks.golf.source_check import check_source
from dalle_edu import __version__
from dalle_edu.errors import DalleEduError
from dalle_edu.files import read_file, write_aside
from dalle_edu.scorecard.exam import numbers, questions

RECORDS = Path(__file__).with_name("records")
_README = """# {name}

L'idée, et ce qu'elle rapporte : à écrire.

The idea, and what it gains: to be written.
"""


@dataclass(frozen=True)
class Record:
    """A record as its folder has it: its track, how its time was counted, and its runs."""

    folder: Path
    track: Track
    by: str
    runs: Sequence[dict[str, Any]]

    @property
    def name(self) -> str:
        """The name of its folder: "01-first"."""
        return self.folder.resolve().name

    def figure(self, split: str = "seen") -> exam.Figure:
        """The figure of its runs, from the marks of each question."""
        asked = [questions(self.track.prompts, run["exam_seed"]) for run in self.runs]
        marks = [run["marks"].split() for run in self.runs]
        pairs = list(zip(asked, marks, strict=True))
        return exam.figure(
            [exam.mark_of(each, given, split) for each, given in pairs], [exam.variance(each, given, split) for each, given in pairs]
        )


def sha256(contents: bytes) -> str:
    """The digest of a file's contents."""
    return hashlib.sha256(contents).hexdigest()


def library() -> dict[str, str]:
    """The library's version, and the digest of all its code."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "dalle_edu").rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return {"version": __version__, "digest": digest.hexdigest()}


def keep(folder: Path, source: bytes, track: Track, by: str, run: dict[str, Any], log: bytes) -> Record:
    """Write a run into a record's folder, beside those of the same file that are there already, and return the record."""
    head: dict[str, Any] = {"track": track.name, "by": by, "wall_seconds": track.wall_seconds, "prompts": track.prompts}
    head |= {"probe_prompts": track.probe_prompts, **numbers(), "record_sha256": sha256(source)}
    before = _marks(folder) if (folder / "marks.json").exists() else {}
    same = {key: before.get(key) for key in head} == head
    others = [each for each in before.get("runs", []) if same and each["seed"] != run["seed"]]
    runs = sorted([*others, run | {"log_sha256": sha256(log), "library": library()}], key=lambda each: each["seed"])
    if not (folder / "record.py").exists() or (folder / "record.py").read_bytes() != source:
        write_aside(folder / "record.py", lambda file: file.write(source))
    write_aside(folder / f"log-{run['seed']}.jsonl", lambda file: file.write(log))
    write_aside(folder / "marks.json", lambda file: file.write(sealed(head | {"runs": runs})))
    if not (folder / "README.md").exists():
        write_aside(folder / "README.md", lambda file: file.write(_README.format(name=folder.resolve().name).encode()))
    return read(folder)


def sealed(content: dict[str, Any]) -> bytes:
    """The contents of `marks.json`, with the digest of all that stands in it."""
    content = {key: value for key, value in content.items() if key != "seal"}
    seal = sha256(json.dumps(content, sort_keys=True).encode())
    return (json.dumps(content | {"seal": seal}, indent=1) + "\n").encode()


def _marks(folder: Path) -> dict[str, Any]:
    try:
        return json.loads(read_file(folder / "marks.json"))
    except ValueError as error:
        if isinstance(error, DalleEduError):
            raise
        raise _bad(folder, "marks.json is no JSON", "marks.json n'est pas du JSON") from error


def read(folder: str | Path) -> Record:
    """The record of a folder. Raises `DalleEduError` where there is none."""
    folder = Path(folder)
    content = _marks(folder)
    try:
        track = TRACKS[content["track"]].shortened(content["wall_seconds"], content["prompts"])
        return Record(folder, track, content["by"], content["runs"])
    except (KeyError, TypeError, AttributeError) as error:
        raise _bad(folder, f"marks.json lacks {error}", f"il manque {error} dans marks.json") from error


def check(folder: str | Path, toy: bool = False) -> Record:
    """Check all that can be checked of a record without running it: its source, digests, sums, and that it kept to the limits.

    With `toy`, less time, fewer questions and fewer seeds than the rules ask may have been given. Raises `DalleEduError` for what is wrong.
    """
    folder = Path(folder)
    content, record = _marks(folder), read(folder)
    if sealed(content) != (folder / "marks.json").read_bytes():
        raise _bad(folder, "marks.json was changed after it was written", "marks.json a été modifié après coup")
    if sha256(check_source(folder / "record.py")) != content["record_sha256"]:
        raise _bad(folder, "record.py is not the file that was judged", "record.py n'est pas le fichier qui a été jugé")
    if not toy and (record.track != TRACKS[record.track.name] or len(record.runs) < len(rules.SEEDS)):
        raise _bad(
            folder,
            f"a record has the time and the {TRACKS[record.track.name].prompts} questions of its track, and {len(rules.SEEDS)} seeds",
            f"un record a le temps et les {TRACKS[record.track.name].prompts} questions de sa catégorie, et {len(rules.SEEDS)} graines",
        )
    for run in record.runs:
        try:
            _check_run(folder, record, run)
        except (KeyError, TypeError, AttributeError) as error:
            raise _bad(folder, f"a run lacks {error}", f"il manque {error} dans un passage") from error
    return record


def _check_run(folder: Path, record: Record, run: dict[str, Any]) -> None:
    """Raise `DalleEduError` where a run's log, marks or limits are wrong."""
    seed = run["seed"]
    if sha256(read_file(folder / f"log-{seed}.jsonl")) != run["log_sha256"]:
        raise _bad(folder, f"log-{seed}.jsonl is not the log of that run", f"log-{seed}.jsonl n'est pas le journal de ce passage")
    asked, marks = questions(record.track.prompts, run["exam_seed"]), run["marks"].split()
    if [text.replace("0", "1") for text in marks] != [exam.pattern(question) for question in asked]:
        said = f"les notes de la graine {seed} ne répondent pas à ses questions"
        raise _bad(folder, f"the marks of seed {seed} do not answer its questions", said)
    for split in exam.SPLITS:
        if exam.skills(asked, marks, split) != run["skills"][split]:
            said = f"les sommes de la graine {seed} ne sont pas celles de ses notes"
            raise _bad(folder, f"the sums of seed {seed} are not those of its marks", said)
    late = run[f"{record.by}_seconds"] > record.track.most_seconds(record.by) or run["bytes"] > 1.01 * rules.WEIGHT_BYTES
    late = late or run["drawing_cpu_seconds"] > 1.01 * rules.drawing_seconds(record.track.prompts, run["calibration"])
    helped = max(run["probes"]["untrained"], run["probes"]["shuffled"]) > run["probes"]["chance"] + rules.BEYOND_CHANCE
    if late or helped:
        raise _bad(folder, f"seed {seed} did not keep to the limits", f"la graine {seed} n'a pas respecté les limites")


def _bad(folder: Path, english: str, french: str) -> DalleEduError:
    return DalleEduError(f"{folder}: {english}; play it again", f"{folder} : {french} ; rejouez-le")


def folders() -> list[Path]:
    """The folders of all records that were run, by track and number."""
    return sorted(path.parent for path in RECORDS.glob("*/*/marks.json"))
