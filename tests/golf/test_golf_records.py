"""A record's folder says what was measured, a changed file, log or mark is refused, and the figures are those of the questions."""

import json
import math
import random
import shutil
from pathlib import Path

import pytest
import torch

from benchmarks.golf import exam, rules, scoreboard
from benchmarks.golf.__main__ import main
from benchmarks.golf.record import check, folders, keep, read, sealed, sha256
from dalle_edu.errors import DalleEduError
from dalle_edu.scorecard.exam import questions

HONEST = Path(__file__).with_name("honest.py")
TOY = rules.TRACKS["dalle1"].shortened(3, 32)


def a_run(seed: int, prompts: int, **other) -> dict:
    """A run as the judge gives it, of a record that draws every second question as it should and the others not at all."""
    asked = questions(prompts, seed)
    pictures = exam.true_pictures(asked)
    pictures[::2] = 1.0
    marks = exam.marked(asked, pictures)
    return {
        "seed": seed, "exam_seed": seed, "marks": " ".join(marks),
        "skills": {split: exam.skills(asked, marks, split) for split in exam.SPLITS},
        "wall_seconds": 3.0, "cpu_seconds": 5.0, "calibrated_cpu_seconds": 4.0, "calibration": [1.0, 1.0], "load": 1.5, "updates": 12,
        "samples": 96, "bytes": 1000, "drawing_cpu_seconds": 2.0, "probes": {"chance": 0.07, "untrained": 0.01, "shuffled": 0.02},
    } | other  # fmt: skip


@pytest.fixture
def folder(tmp_path) -> Path:
    """The folder of a try with two seeds."""
    for seed in (1, 2):
        keep(tmp_path / "07-toy", HONEST.read_bytes(), TOY, "wall", a_run(seed, 32), b'{"update": 1}\n')
    return tmp_path / "07-toy"


def changed(folder: Path, change, seal: bool = True) -> None:
    """Change what stands in `marks.json`, and seal it anew as somebody would who knows how."""
    content = json.loads((folder / "marks.json").read_text())
    change(content)
    (folder / "marks.json").write_bytes(sealed(content) if seal else json.dumps(content).encode())


# ------------------------------------------------------------ the folder


def test_a_folder_is_kept_read_and_checked(folder):
    record = check(folder, toy=True)
    assert (record.name, record.track, record.by) == ("07-toy", TOY, "wall")
    assert [run["seed"] for run in record.runs] == [1, 2]
    assert {path.name for path in folder.iterdir()} == {"record.py", "README.md", "marks.json", "log-1.jsonl", "log-2.jsonl"}
    keep(folder, HONEST.read_bytes(), TOY, "wall", a_run(2, 32, updates=99), b"again\n")
    assert [run["updates"] for run in check(folder, toy=True).runs] == [12, 99]
    keep(folder, HONEST.read_bytes() + b"# another\n", TOY, "wall", a_run(3, 32), b"")
    assert [run["seed"] for run in check(folder, toy=True).runs] == [3]  # runs of another file are gone


def test_a_try_is_no_record(folder):
    with pytest.raises(DalleEduError, match="has the time and the 1024 questions of its track, and 3 seeds"):
        check(folder)


def spoil_mark(content):
    marks = content["runs"][0]["marks"]
    content["runs"][0]["marks"] = marks.replace("0", "1", 1)


def spoil_sum(content):
    content["runs"][1]["skills"]["seen"]["colours"]["correct"] += 1


def spoil_pattern(content):
    content["runs"][0]["marks"] = content["runs"][0]["marks"].replace(".", "1", 1)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (spoil_mark, "the sums of seed 1 are not those of its marks"),
        (spoil_sum, "the sums of seed 2 are not those of its marks"),
        (spoil_pattern, "the marks of seed 1 do not answer its questions"),
        (lambda content: content["runs"][0].update(exam_seed=9), "the marks of seed 1 do not answer its questions"),
        (lambda content: content["runs"][0].update(wall_seconds=8.1), "seed 1 did not keep to the limits"),
        (lambda content: content["runs"][1].update(bytes=11_000_000), "seed 2 did not keep to the limits"),
        (lambda content: content["runs"][1].update(drawing_cpu_seconds=30.0), "seed 2 did not keep to the limits"),
        (lambda content: content["runs"][1]["probes"].update(shuffled=0.18), "seed 2 did not keep to the limits"),
        (lambda content: content["runs"][1].pop("probes"), "a run lacks 'probes'"),
        (lambda content: content.pop("by"), "marks.json lacks 'by'"),
        (lambda content: content.update(record_sha256="0"), "record.py is not the file that was judged"),
    ],
)
def test_a_changed_mark_is_refused_even_under_a_new_seal(folder, change, why):
    changed(folder, change)
    with pytest.raises(DalleEduError, match=why):
        check(folder, toy=True)


def test_whatever_is_changed_breaks_the_seal(folder):
    changed(folder, lambda content: content["runs"][0].update(cpu_seconds=4.9), seal=False)
    with pytest.raises(DalleEduError, match=r"marks.json was changed after it was written"):
        check(folder, toy=True)


def test_a_changed_file_and_a_changed_log_are_refused(folder):
    with (folder / "log-2.jsonl").open("a") as log:
        log.write("{}\n")
    with pytest.raises(DalleEduError, match=r"log-2.jsonl is not the log of that run"):
        check(folder, toy=True)
    (folder / "record.py").write_text(HONEST.read_text() + "\n")
    with pytest.raises(DalleEduError, match=r"record.py is not the file that was judged"):
        check(folder, toy=True)
    (folder / "marks.json").write_text("{")
    with pytest.raises(DalleEduError, match=r"marks.json is no JSON"):
        check(folder, toy=True)


@pytest.mark.parametrize("kept", folders(), ids=lambda kept: f"{kept.parent.name}-{kept.name}")
def test_the_records_are_in_order(kept):
    assert check(kept).runs


# ------------------------------------------------------------ the figures


def test_true_pictures_are_right_and_the_mean_is_over_the_eight_skills():
    asked = questions(64, 3)
    marks = exam.marked(asked, exam.true_pictures(asked))
    assert marks == [exam.pattern(question) for question in asked]
    assert exam.mark_of(asked, marks, "seen") == exam.mark_of(asked, marks) == 1.0
    one_skill_gone = [text[:-1] + text[-1].replace("1", "0") for text in marks]
    assert exam.mark_of(asked, one_skill_gone) == 7 / 8
    assert exam.skills(asked, one_skill_gone)["colour_attribution"]["correct"] == 0
    assert exam.chance(asked) < 0.2


def test_the_variance_is_that_of_drawing_other_scenes():
    """Against a bootstrap over scenes, both languages of a scene together."""
    asked, rng = questions(256, 5), random.Random(0)
    asked = [question for question in asked if question.split == "seen"]
    right = [rng.random() < 0.6 for _ in asked[::2]]  # a scene is right in all its skills and both languages, or in none
    marks = [exam.pattern(question).replace("1", str(int(right[i // 2]))) for i, question in enumerate(asked)]
    means = []
    for _ in range(400):
        scenes = [rng.randrange(len(asked) // 2) for _ in asked[::2]]
        chosen = [2 * scene + language for scene in scenes for language in (0, 1)]
        means.append(exam.mark_of([asked[i] for i in chosen], [marks[i] for i in chosen]))
    mean = sum(means) / len(means)
    found = sum((each - mean) ** 2 for each in means) / (len(means) - 1)
    assert exam.variance(asked, marks) == pytest.approx(found, rel=0.25)
    naive = sum(n["correct"] / n["n"] * (1 - n["correct"] / n["n"]) / n["n"] for n in exam.skills(asked, marks).values()) / 64
    assert exam.variance(asked, marks) > 2 * naive


def test_the_figure_of_three_seeds_and_what_stands():
    figure = exam.figure([0.5, 0.6, 0.7], [0.0003, 0.0003, 0.0003])
    assert figure.mean == pytest.approx(0.6)
    assert figure.spread == pytest.approx(0.1)
    assert figure.variance == pytest.approx(0.01 / 3)  # the seeds differ by more than the questions explain
    assert exam.figure([0.6, 0.6], [0.0004, 0.0004]).variance == pytest.approx(0.0002)
    close = exam.Figure(0.6, 0.0001, 0.01)
    low = 0.6 - 1.96 * math.sqrt(0.0001 + 0.0003)
    assert exam.stands(close, low + 0.001, 0.0003)
    assert not exam.stands(close, low - 0.001, 0.0003)
    assert exam.stands(close, 0.9, 0.0003)


def test_weights_in_disorder_are_the_same_numbers():
    tensors = {"a": torch.arange(24.0).view(2, 3, 4)}
    shuffled = exam.shuffled_within(tensors, 0)["a"]
    assert not torch.equal(shuffled, tensors["a"])
    assert torch.equal(shuffled.flatten().sort().values, tensors["a"].flatten())


# ------------------------------------------------------------ the scoreboard


def test_the_table_has_the_best_first_in_both_languages(folder, tmp_path):
    better = shutil.copytree(folder, tmp_path / "08-better")
    keep(better, HONEST.read_bytes(), TOY, "wall", a_run(1, 32, marks=" ".join(map(exam.pattern, questions(32, 1)))), b"")
    lines = scoreboard.table([read(folder), read(better)], "en").splitlines()
    assert lines[0].startswith("| record | mark |")
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["08-better", "07-toy"]
    assert "," in scoreboard.table([read(folder)], "fr").splitlines()[2].split("|")[2]
    assert [line.split("|")[6].strip() for line in lines[2:]] == ["wall", "wall"]
    spent = keep(tmp_path / "09-spent", HONEST.read_bytes(), TOY, "cpu", a_run(1, 32), b"")
    assert scoreboard.table([spent], "fr").splitlines()[2].split("|")[6].strip() == "CPU"
    assert scoreboard.table([], "fr") == "Pas encore de record."


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_pages_show_the_scoreboard_of_the_folders(language):
    page = scoreboard.PAGES[language].read_text(encoding="utf-8")
    assert scoreboard.written(page, language) == page, "run python -m benchmarks.golf board"


def test_commands_speak(folder, capsys, monkeypatch):
    assert main(["check", str(folder), "--toy"]) == 0
    told = capsys.readouterr().out
    assert "in order (seeds: 1, 2)" in told
    assert "has changed" not in told
    changed(folder, lambda content: content["runs"][1]["library"].update(digest="of another day"))
    assert main(["check", str(folder), "--toy"]) == 0
    assert "in order (seeds: 1, 2)\n  the library has changed since it was played" in capsys.readouterr().out
    assert main(["check", str(folder)]) == 1
    assert "golf: " in capsys.readouterr().err
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", "fr")
    assert main([]) == 0
    assert "rejouer un record avec une autre graine" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "english", "french"),
    [
        ("pley", "invalid choice: 'pley'", "'pley' n'est pas un choix"),
        ("play", "are required: file, --track", "il manque : file, --track"),
        ("play a.py --track dalle1 --seeds 1.5", "invalid int value: '1.5'", "--seeds : '1.5' n'est pas un nombre qui convienne"),
        ("play a.py --track dalle1 --seeds", "expected at least one argument", "--seeds : donnez une valeur"),
        ("play a.py --track dalle1 --out", "expected one argument", "--out : donnez une valeur"),
        ("play a.py --track dalle1 --se 3", "ambiguous option: --se", "--se peut vouloir dire --seeds, --seconds"),
        ("check --nope", "unrecognized arguments: --nope", "rien de tel n'est attendu : --nope"),
        ("check --toy=3", "ignored explicit argument '3'", "--toy : n'attend pas de valeur, et reçoit '3'"),
    ],
)
def test_a_command_is_refused_in_the_language_of_whoever_gives_it(given, english, french, capsys, monkeypatch):
    for language, begins, sentence in (("en", "usage: ", english), ("fr", "usage : ", french)):
        monkeypatch.setenv("DALLE_EDU_LANGUAGE", language)
        with pytest.raises(SystemExit, match="^2$"):
            main(given.split())
        told = capsys.readouterr().err.replace("\u00a0", " ").replace("\u202f", " ")
        assert told.startswith(begins)
        assert sentence in told.splitlines()[-1]
        assert "argument" not in told or language == "en"


# ------------------------------------------------------------ again


@pytest.mark.parametrize(("right", "status", "said"), [(16, 0, "the record stands"), (0, 1, "the record does not stand")])
def test_a_record_that_is_played_again_stands_or_does_not(folder, monkeypatch, capsys, right, status, said):
    def judged(source, track, seed, by, tell):
        assert (sha256(source), track, seed, by) == (sha256(HONEST.read_bytes()), TOY, 3, "wall")
        asked = questions(32, 3)
        marks = [exam.pattern(q) if i % 2 and i // 2 < right else exam.pattern(q).replace("1", "0") for i, q in enumerate(asked)]
        skills = {split: exam.skills(asked, marks, split) for split in exam.SPLITS}
        return a_run(3, 32, marks=" ".join(marks), skills=skills), b""

    monkeypatch.setattr("benchmarks.golf.__main__.judge", judged)
    assert main(["again", str(folder)]) == status
    assert said in capsys.readouterr().out
    assert len(read(folder).runs) == 2


def test_the_limits_follow_the_clock_that_counts():
    assert TOY.seconds("wall") == 3
    assert TOY.seconds("cpu") == 6
    assert rules.TRACKS["dalle1"].most_seconds("cpu") == pytest.approx(617)
    assert rules.TRACKS["diffusion"].seconds("cpu") == 2400
    assert rules.drawing_seconds(100, [1.0, 2.0]) == pytest.approx(45 * 1.5)
    assert rules.drawing_seconds(100, [0.5, 0.5]) == pytest.approx(45)
