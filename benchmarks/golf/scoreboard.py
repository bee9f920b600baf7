"""The scoreboard: a table for each track, made from the records' folders and written into the pages of the book."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from benchmarks.golf.judge import ROOT
from benchmarks.golf.record import Record, folders, read
from benchmarks.golf.rules import TRACKS
from dalle_edu.files import write_aside
from dalle_edu.language import SOURCE
from dalle_edu.publishing.readme import with_part

PAGES = {language: ROOT / "book" / language / "golf.md" for language in ("en", "fr")}
_HEAD = {
    "en": ("record", "mark", "interval", "spread", "held out", "time", "wall s", "CPU s", "calibrated", "updates", "pictures"),
    "fr": ("record", "note", "intervalle", "écart", "réservées", "temps", "s réelles", "s CPU", "calibrées", "mises à jour", "images"),
}
_TIME = {"en": {"wall": "wall", "cpu": "CPU"}, "fr": {"wall": "réel", "cpu": "CPU"}}
_OF_RUNS = ("wall_seconds", "cpu_seconds", "calibrated_cpu_seconds", "updates", "samples")
_NONE = {"en": "No record yet.", "fr": "Pas encore de record."}


def table(records: Sequence[Record], language: str) -> str:
    """The table of records as Markdown, the best mark first; a sentence where there are none."""
    if not records:
        return _NONE[language]
    lines = ["| " + " | ".join(_HEAD[language]) + " |", "|---|" + "---:|" * (len(_HEAD[language]) - 1)]
    rows = sorted(((record.figure(), record) for record in records), key=lambda pair: -pair[0].mean)
    for figure, record in rows:
        low, high = figure.interval
        means = [mean(run[name] for run in record.runs) for name in _OF_RUNS]
        cells = [record.name, _percent(figure.mean, language), f"{_number(low, language)}–{_number(high, language)}"]
        cells += [_number(figure.spread, language), _percent(record.figure("held_out").mean, language), _TIME[language][record.by]]
        cells += [_whole(value, language) for value in means]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def board(language: str) -> str:
    """The scoreboard of all tracks in a language, "fr" or "en", as Markdown."""
    records = [read(folder) for folder in folders()]
    parts = [f"**{track}**\n\n{table([record for record in records if record.track.name == track], language)}" for track in TRACKS]
    return SOURCE[language].typeset("\n\n".join(parts))


def written(page: str, language: str) -> str:
    """The text of a page with the scoreboard in it."""
    return with_part(page, "scoreboard", board(language))


def write() -> list[Path]:
    """Write the scoreboard into the pages, and return those that changed."""
    changed = []
    for language, path in PAGES.items():
        page = path.read_text(encoding="utf-8")
        new = written(page, language)
        if new != page:
            write_aside(path, lambda file, new=new: file.write(new.encode()))  # type: ignore[misc]
            changed.append(path)
    return changed


def _number(value: float, language: str) -> str:
    return SOURCE[language].number(f"{100 * value:.1f}")


def _percent(value: float, language: str) -> str:
    return f"{_number(value, language)}{' %' if language == 'fr' else '%'}"


def _whole(value: float, language: str) -> str:
    written = f"{value:,.0f}"
    return written.replace(",", "\u00a0") if language == "fr" else written
