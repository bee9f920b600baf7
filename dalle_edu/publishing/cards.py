"""Cards: what one must know to use trained weights, written from the run that made them and from their exam.

`python -m dalle_edu.publishing.cards runs/standard` examines the weights of a run on 1,024 prompts, drawing with the settings that its
preset has today, and publishes them in `data/weights`, or `--into` another folder: the weights, the report, every skill against training
time (the log's looks, and a figure), and a card in each language. `python -m dalle_edu.publishing.cards clip` examines published weights
again, and without any name all cards are written again from what is published.
"""

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from dalle_edu.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from dalle_edu.device import choose_device, processor_name
from dalle_edu.files import write_aside
from dalle_edu.language import typeset
from dalle_edu.loading import load_model
from dalle_edu.python_files import names_a_file
from dalle_edu.scorecard import SKILL_NAMES, SKILLS, critic_exam, score
from dalle_edu.scorecard.compare import training_of
from dalle_edu.scorecard.curves import draw_rates, empty_figure
from dalle_edu.systems.critics.critic import Critic
from dalle_edu.systems.interface.older_checkpoints import regrouped, upgraded
from dalle_edu.systems.interface.recipe import Stage
from dalle_edu.systems.interface.registry import model_class
from dalle_edu.training.run import Run

WEIGHTS = Path(__file__).parents[2] / "data" / "weights"
PROMPTS = 1024

_WORDS = {
    "en": {
        "title": "# {name}: weights",
        "made": "Trained from nothing, on the captioned world alone, by",
        "facts": "{size:.1f} MB, {parameters:.2f} M parameters, pictures of {resolution} x {resolution} px."
        " World {world}, exam {exam_number}. {seeds}. {machine}.",
        "seeds": ("Seed {}", "Seeds {}", "{} and {}"),
        "exams": "{} to {}",
        "time": "| stage | updates | wall time | CPU time | GPU time |",
        "scores": "Percentage judged right, with 95 % Wilson intervals, over {prompts} prompts of scenes that training never drew"
        " (`dalle-edu score {called} --prompts {prompts}`):",
        "columns": "| skill | seen combinations | held-out combinations | French | English |",
        "curve": "Every skill against training time, as the log of the run has it, {exam} prompts at each look{looks}:",
        "alt": "Rate of each skill against minutes of training, a panel for each stage that was examined",
    },
    "fr": {
        "title": "# {name} : les poids",
        "made": "Entraînés à partir de rien, sur le seul monde légendé, par",
        "facts": "{size:.1f} Mo, {parameters:.2f} M de paramètres, images de {resolution} × {resolution} px."
        " Monde {world}, examen {exam_number}. {seeds}. {machine}.",
        "seeds": ("Graine {}", "Graines {}", "{} et {}"),
        "exams": "{} à {}",
        "time": "| étape | mises à jour | temps réel | temps processeur | temps GPU |",
        "scores": "Taux de réponses justes en pour cent, avec leur intervalle de Wilson à 95 %, sur {prompts} phrases dont"
        " l'entraînement n'a jamais dessiné les scènes (`dalle-edu score {called} --prompts {prompts}`) :",
        "columns": "| compétence | combinaisons vues | combinaisons réservées | français | anglais |",
        "curve": "Chaque compétence selon le temps d'entraînement, d'après le journal de l'entraînement,"
        " {exam} phrases à chaque examen{looks} :",
        "alt": "Taux de chaque compétence selon les minutes d'entraînement, un panneau par étape examinée",
    },
}  # fmt: skip


_ALSO_SEEN = {  # what exams along the way measure of CLIP, beyond its exam at the end
    "en": {"space": "left or right", "binding": "whose colour", "number": "number", "colour": "colour"},
    "fr": {"space": "gauche ou droite", "binding": "couleur de quel objet", "number": "nombre", "colour": "couleur"},
}
_CLOCKS = ("update", "seconds", "cpu_seconds", "gpu_seconds")


def publish(folder: Path, target: Path = WEIGHTS, device: str | None = None) -> Any:
    """Examine the weights of a finished run, whose folder is given, and write weights, report, log, figure and cards to `target`. Returns
    the report. Raises `DalleEduError` where a file does not hold what it should, or cannot be written.
    """
    settings = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    kind = model_class(settings["system"])
    name, weights = kind.name, folder / f"{kind.name}.safetensors"
    tensors, header = upgraded(*load_checkpoint(weights))
    preset = kind.presets[settings["preset"]]
    drawing = {"sampling": asdict(preset.sampling)}  # the preset's settings of today, often found after the training
    header["config"] = regrouped(type(preset), header["config"]) | drawing
    machine = kind.restore(tensors, header, weights, str(choose_device(device).torch_device))
    report = _examined(machine)
    log = _whole_log(folder / "log.jsonl", target / f"{name}.log.jsonl", len(header.get("before", [])))
    looks = "".join(json.dumps(entry) + "\n" for entry in log if "loss" not in entry and "conditions" not in entry)
    save_checkpoint(target / f"{name}.safetensors", tensors, header)
    write_aside(target / f"{name}.log.jsonl", lambda file: file.write(looks.encode()))
    _report(name, target, report)
    return report


def examine_again(name: str, target: Path = WEIGHTS, device: str | None = None) -> Any:
    """Examine published weights again, and write their report, figure and cards. Returns the report. Raises `DalleEduError` where there are
    no such weights.
    """
    report = _examined(load_model(target / f"{name}.safetensors", str(choose_device(device).torch_device)))
    _report(name, target, report)
    return report


def _examined(machine: Any) -> Any:
    """The report of a critic's or a system's exam."""
    return critic_exam.examine_critic(machine, PROMPTS) if isinstance(machine, Critic) else score(machine, machine.name, PROMPTS)


def _report(name: str, target: Path, report: Any) -> None:
    """Write the results of the exam of published weights and how they were trained, as JSON, and the cards."""
    report_file = target / f"{name}.json"
    header, last = _header(target / f"{name}.safetensors"), _last(_entries(target / f"{name}.log.jsonl"))
    machines = [run.get("machine") for run in [*header.get("before", []), header]]
    training: dict[str, Any] = {"commands": commands(_runs(header))}
    for clock in ("seconds", "cpu_seconds", "gpu_seconds"):
        training[clock.replace("seconds", "minutes")] = round(sum(entry.get(clock, 0.0) for entry in last.values()) / 60, 1)
    before = training_of(report_file).get("machine")  # weights of older versions do not name their machine
    training["machine"] = "; ".join(dict.fromkeys(filter(None, machines))) or before or f"{processor_name()}, torch {torch.__version__}"
    text = json.dumps(report.to_json() | {"prompts": PROMPTS, "training": training}, indent=2) + "\n"
    write_aside(report_file, lambda file: file.write(text.encode()))
    write_cards(name, target)


def write_cards(name: str, target: Path = WEIGHTS) -> None:
    """Write the cards and figures, in each language, of published weights, from the report and the log beside them. Nothing is examined."""
    weights = target / f"{name}.safetensors"
    machine, header = load_model(weights), _header(weights)
    report = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    log, runs = _entries(weights.with_suffix(".log.jsonl")), _runs(header)
    metadata = {
        "name": name,
        "prompts": report["prompts"],
        "size": weights.stat().st_size / 1e6,
        "parameters": machine.parameter_count() / 1e6,
        "resolution": machine.resolution,
        "machine": report["training"]["machine"],
        "world": report["world"],
        "exam_number": report["exam"],
        "called": f"{runs[-1]['system']}@{weights.name}" if names_a_file(runs[-1]["system"]) else name,
    }
    for language, words in _WORDS.items():
        write_aside(target / f"{name}.{language}.png", partial(curves(log, language).savefig, format="png", dpi=120))
        looks = _shown(machine.stages, language)
        text = _card(language, words, metadata | {"looks": looks}, runs, log, report)
        suffix = "" if language == "en" else f".{language}"
        write_aside(target / f"{name}{suffix}.md", lambda file, text=text: file.write(text.encode()))  # type: ignore[misc]


def _header(weights: Path) -> dict[str, Any]:
    """The metadata of a checkpoint, under today's names."""
    return upgraded(*load_checkpoint(weights))[1]


def _shown(stages: Sequence[Stage], language: str) -> str:
    """What exams along the way look at in each stage, where it is not what the finished system draws: the end of a sentence."""
    place = 0 if language == "en" else 1
    named: dict[str, list[str]] = {}
    for stage in stages:
        if stage.shows is not None:
            named.setdefault(stage.shows[place], []).append(f"`{stage.name}`")
    joined = " and " if language == "en" else " et "
    here = "; in {}, {}" if language == "en" else " ; dans {}, {}"
    return "".join(here.format(joined.join(names), what) for what, names in named.items())


def _runs(header: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs that made weights, the oldest first."""
    return [*header.get("before", []), header["run"]]


def _entries(log: Path) -> list[dict]:
    """The entries of a log."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def _whole_log(path: Path, published: Path, before: int) -> list[dict]:
    """The log of a run, after what is published of the `before` runs that it went on from; its clocks then go on from theirs.

    Each entry says under "before" how many runs came before its own, so that publishing a run twice does not enter it twice.
    """
    log = [entry | {"before": before} for entry in _entries(path)]
    if not before or not published.is_file():
        return log
    earlier = [entry for entry in _entries(published) if entry.get("before", 0) < before]
    last = _last(earlier)
    for entry in log:
        for clock in _CLOCKS:
            entry[clock] = entry.get(clock, 0) + last.get(entry["stage"], {}).get(clock, 0)
    return earlier + log


def commands(runs: list[dict[str, Any]]) -> list[str]:
    """The commands that repeat runs, given their settings, each going on from the weights of the one before it."""
    lines: list[str] = []
    for number, run in enumerate(runs, start=1):
        name = model_class(run["system"]).name
        folder = f"runs/{name}-{run['preset']}"
        budget = f"--updates {run['updates']}" if run["updates"] else f"--minutes {run['minutes']:g}"
        words = [f"dalle-edu train {run['system']} --preset {run['preset']} {budget} --seed {run['seed']}"]
        words += [f"--batch-size {run['batch_size']}"] if run.get("batch_size") else []
        words += [f"--exam {run['exam']}"] if run["exam"] != Run.exam else []
        words += [f"--foundation {each}={path}" for each, path in run.get("foundations", {}).items()]
        words += [f"--only {run['only']}"] if run.get("only") else []
        words += [f"--rate {run['rate']:g}"] if run.get("rate", 1.0) != 1.0 else []
        words += [f"--accumulate {run['accumulate']}"] if run.get("accumulate", 1) != 1 else []
        if number > 1:
            before = folder if number == 2 else f"{folder}-{number - 1}"
            words.append(f"--begin-with {before}/{name}.safetensors --run {folder}-{number}")
        lines.append(" ".join(words))
    return lines


def _card(language: str, words: dict[str, Any], metadata: dict[str, Any], runs: list[dict[str, Any]], log: list[dict], report: dict) -> str:
    """A card in one language, as Markdown."""
    seeds, exams = list(dict.fromkeys(str(run["seed"]) for run in runs)), sorted({run["exam"] for run in runs})
    one, several, joined = words["seeds"]
    metadata = metadata | {
        "seeds": one.format(*seeds) if len(seeds) == 1 else several.format(joined.format(", ".join(seeds[:-1]), seeds[-1])),
        "exam": exams[0] if len(exams) == 1 else words["exams"].format(exams[0], exams[-1]),
    }
    lines = [words["title"].format(**metadata), "", words["made"], "", "```sh", *commands(runs), "```", ""]
    lines += [words["facts"].format(**metadata), "", words["time"], "|---|---:|---:|---:|---:|"]
    for stage, last in _last(log).items():
        times = " | ".join(f"{last.get(clock, 0) / 60:.1f} min" for clock in ("seconds", "cpu_seconds", "gpu_seconds"))
        lines.append(f"| `{stage}` | {last['update']} | {times} |")
    lines += ["", words["scores"].format(**metadata), "", words["columns"], "|---|---:|---:|---:|---:|"]
    parts = [*(report["splits"][split] for split in ("seen", "held_out")), *(report["languages"][each] for each in ("fr", "en"))]
    names = SKILL_NAMES[language] | critic_exam.QUESTION_NAMES[language]
    for skill in parts[0]:
        lines.append(f"| {names[skill]} | " + " | ".join(_cell(part[skill]) for part in parts) + " |")
    lines += ["", words["curve"].format(**metadata), "", f"![{words['alt']}]({metadata['name']}.{language}.png)", ""]
    return "\n".join(lines if language == "en" else [_as_french(line) for line in lines])


def _last(log: list[dict]) -> dict[str, dict]:
    """The last entry of each stage."""
    return {entry["stage"]: entry for entry in log}


def _as_french(line: str) -> str:
    """A line of a card with its numbers and its punctuation as in French. Commands and version numbers stay as they are."""
    if line.startswith(("dalle-edu", "```")):
        return line
    intervals = re.sub(r"(?<=\d), (?=\d)", " ; ", line)
    return typeset(re.sub(r"(?<![\d.])(\d+)\.(\d+)(?![\d.])", r"\1,\2", intervals))


def _cell(rate: dict[str, int | float]) -> str:
    """A rate in percent with its interval and the number of prompts."""
    return f"{100 * rate['rate']:.1f} [{100 * rate['low']:.1f}, {100 * rate['high']:.1f}] n = {rate['n']}"


def curves(log: list[dict], language: str) -> Any:
    """A figure of matplotlib: every skill, in percent, against minutes of training, from the entries of a log.

    There is a panel for each stage and a line for each skill. A stage that draws nothing has other questions, and a legend of its own.
    """
    looks = [(entry, entry.get("skills") or _measured(entry)) for entry in log if "loss" not in entry]
    looks = [(entry, rates) for entry, rates in looks if rates]
    stages = list(dict.fromkeys(entry["stage"] for entry, _ in looks))
    figure = empty_figure(5.2 * len(stages), 4.2)
    minutes, rate = ("minutes d'entraînement", "réponses justes (%)") if language == "fr" else ("minutes of training", "judged right (%)")
    skills_shown: dict[str, Any] = {}
    for axes, stage in zip(figure.subplots(1, len(stages), sharey=True, squeeze=False)[0], stages, strict=True):
        here = [(entry, rates) for entry, rates in looks if entry["stage"] == stage]
        draws = "skills" in here[0][0]
        asked = SKILLS if draws else tuple(dict.fromkeys(question for _, rates in here for question in rates))
        names = SKILL_NAMES[language] if draws else critic_exam.QUESTION_NAMES[language] | _ALSO_SEEN[language]
        lines = draw_rates(
            axes,
            {
                names.get(question) or SKILL_NAMES[language].get(question, question): [
                    (entry["seconds"] / 60, 100 * rates[question]) for entry, rates in here if question in rates
                ]
                for question in asked
            },
        )
        if draws:
            skills_shown |= lines
        else:
            axes.legend(loc="lower right", fontsize=8)
        axes.set(title=stage, xlabel=minutes, ylabel=rate if stage == stages[0] else "")
    if skills_shown:
        figure.legend(skills_shown.values(), skills_shown.keys(), loc="outside right center", fontsize=8)
    return figure


def _measured(entry: dict[str, Any]) -> dict[str, float]:
    """What an exam measured of a stage that draws nothing."""
    return {name: value for name, value in entry.items() if name not in ("stage", "before", *_CLOCKS)}


def main() -> None:
    """`python -m dalle_edu.publishing.cards [RUN or NAME …] [--into FOLDER]`."""
    parser = argparse.ArgumentParser(prog="python -m dalle_edu.publishing.cards", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", nargs="*", help="folders of finished runs, or names of published weights; all cards, if nothing is named")
    parser.add_argument("--into", type=Path, default=WEIGHTS, help="the folder of published weights")
    asked = parser.parse_args()
    for each in asked.what:
        publish(Path(each), asked.into) if Path(each).is_dir() else examine_again(each, asked.into)
    if not asked.what:
        for file in sorted(asked.into.glob("*.log.jsonl")):
            write_cards(file.name.removesuffix(".log.jsonl"), asked.into)


if __name__ == "__main__":
    main()
