"""The comparison page of the book: our machines' sizes, computed, beside those that were published."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from dalle_edu.language import comma

MARKS = Path(__file__).parents[3] / "data" / "marks.json"


def figures() -> dict[str, float]:
    """The sizes of our machines, in their standard presets: what stands in braces on the comparison page."""
    from dalle_edu.systems.interface.registry import model_class

    found: dict[str, float] = {}
    marks = json.loads(MARKS.read_text(encoding="utf-8"))["systems"]
    for entry in marks:
        found |= {f"{entry['system']}.millions": entry["parameters"] / 1e6, f"{entry['system']}.passes": entry["evaluations_per_picture"]}
        found |= dict(_sizes(entry["system"], model_class(entry["system"]).presets["standard"]))
    return found


def compared(page: str, language: str) -> str:
    """The comparison page with our sizes where it has `{SYSTEM.SIZE}`. Raises `KeyError` for a size that no machine has."""
    known = figures()

    def number(found: re.Match[str]) -> str:
        value = known[found.group(1)]
        if value == int(value):
            return f"{int(value)}"
        return comma(value, 2) if language == "fr" else f"{value:.2f}"

    return re.sub(r"\{(\w+\.[\w.]+)\}", number, page)


def _sizes(name: str, value: Any) -> Iterator[tuple[str, float]]:
    """Every number of a configuration under its path, such as "dalle1.model.gpt.depth"."""
    if is_dataclass(value):
        for field in fields(value):
            yield from _sizes(f"{name}.{field.name}", getattr(value, field.name))
    elif isinstance(value, tuple):
        for place, part in enumerate(value):
            yield from _sizes(f"{name}.{place}", part)
    elif isinstance(value, (int, float)):
        yield name, value
