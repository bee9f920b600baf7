"""What a run says of itself along the way, and what may be expected of it: the marks that our own run had after as many minutes."""

from typing import Any

from dalle_edu.checkpoints.shipped import weights_path
from dalle_edu.datasets.source import Source
from dalle_edu.language import decimal, say, sentence_language
from dalle_edu.scorecard.marks import SKILL_NAMES
from dalle_edu.training.clock import Clock
from dalle_edu.training.log import read_entries
from dalle_edu.training.run import Run

TOLD = (0.1, 0.2, 0.5, 1.0)  # parts of a stage after which a sentence is said
OURS = "standard"  # the preset of the weights that come with the package
_SHOWN = ("single_object", "counting", "colours", "position")
_READS = {"reads_relation": ("reads the relation", "lit la relation"), "reads_colours": ("reads the colours", "lit les couleurs")}
_FEW_CODES = 0.15  # of a codebook: when fewer are used, a sentence says where to read on


class Expectations:
    """What to say of the exams along the way of a run."""

    def __init__(self, run: Run, source: Source):
        same = run.preset == OURS and source.domain.catalogue is not None and source.text_length is None
        self.ours = list(read_entries(weights_path(run.system).with_suffix(".log.jsonl"))) if same else []
        self.told: set[tuple[str, float]] = set()
        self.advised = False

    def sentence(self, stage: str, clock: Clock, seen: dict[str, Any]) -> str | None:
        """The sentence to say after an exam of a stage that measured `seen`; None where there is none to say now."""
        passed = [part for part in TOLD if clock.progress >= part and (stage, part) not in self.told]
        found = findings(seen)
        if not passed or not found:
            return None
        self.told |= {(stage, part) for part in passed}
        part = min(100, round(100 * clock.progress))
        said = say(f"{stage}, {part} %: ", f"{stage}, {part} % : ") + ", ".join(found)
        ours = self._ours(stage, clock.cpu_seconds)
        if ours:
            listed = ", ".join(ours)
            said += say(
                f"; after as many minutes of processor our own run had {listed}",
                f" ; après autant de minutes de processeur, notre propre entraînement avait {listed}",
            )
        return said + (self._advice(seen) if clock.progress >= 0.5 else "")

    def _ours(self, stage: str, cpu_seconds: float) -> list[str]:
        """The marks that our own run had in a stage after so many seconds."""
        before = [each for each in self.ours if each["stage"] == stage and "skills" in each and each.get("cpu_seconds", 0) <= cpu_seconds]
        return findings({"skills": before[-1]["skills"]}) if before else []

    def _advice(self, seen: dict[str, Any]) -> str:
        """Once, and where few codes are in use: where to read on."""
        if self.advised or "codes_alive" not in seen or seen["codes_alive"] >= _FEW_CODES * seen["codes"]:
            return ""
        self.advised = True
        return say(
            "; pictures of few kinds need no more, but where the sheet is blurred, “Training on your own pictures” says what to do",
            " ; des images de peu de sortes n'en demandent pas plus, mais si la planche est floue, « S'entraîner sur ses propres images »"
            " dit que faire",
        )


def findings(seen: dict[str, Any]) -> list[str]:
    """What an exam measured, in a few words each: marks, what the prior reads, the loss on what is held out, the codes in use."""
    names, said = SKILL_NAMES[sentence_language()], []
    skills = seen.get("skills", {})
    said += [f"{names[skill]} {decimal(100 * skills[skill], 0)} %" for skill in _SHOWN if skill in skills]
    for name, (en, fr) in _READS.items():
        if name in seen:
            said.append(say(en, fr) + f" {decimal(100 * seen[name], 0)} %")
    if "held_out_loss" in seen:
        said.append(say("held-out loss {}", "perte sur les réservées {}").format(decimal(seen["held_out_loss"], 3)))
    if "codes_alive" in seen:
        used, of = int(seen["codes_alive"]), int(seen["codes"])
        said.append(say(f"codes alive {used} of {of}", f"codes vivants {used} sur {of}"))
    return said
