"""The comparison page of the book: our machines' sizes, computed, beside those that were published."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dalle_edu.language import language_named

MARKS = Path(__file__).parents[4] / "data" / "marks.json"


@cache
def figures() -> dict[str, int | float]:
    """The sizes of the machines that draw, in their standard presets, by what stands in braces on the comparison page.

    "dalle1.millions" are all parameters, "dalle2.prior.millions" those of a part, "dalle2.size.0" is the first side in pixels, and
    "dalle1.model.gpt.depth" a number of the configuration.
    """
    from dalle_edu.systems.families.cascade import BASE
    from dalle_edu.systems.interface.registry import model_class

    found: dict[str, int | float] = {}
    for entry in json.loads(MARKS.read_text(encoding="utf-8"))["systems"]:
        name = entry["system"]
        preset = model_class(name).presets["standard"]
        system = model_class(name)(preset)
        found |= dict(_numbers(name, preset))
        found[f"{name}.millions"] = system.parameter_count() / 1e6
        for part, module in system.named_children():
            found[f"{name}.{part}.millions"] = sum(parameter.numel() for parameter in module.parameters()) / 1e6
        sides = [BASE, *(each.resolution for each in getattr(system, "upsamplers", ()))]
        found |= {f"{name}.size.{place}": side for place, side in enumerate(sides)}
    return found


def compared(page: str, language: str) -> str:
    """The comparison page with our sizes where it has `{MACHINE.SIZE}`; `{MACHINE.SHARE%}` is in percent.

    Raises `KeyError` for a size that no machine has.
    """
    known = figures()

    def number(found: re.Match[str]) -> str:
        value = known[found.group(1)] * (100 if found.group(2) else 1)
        if abs(value - round(value)) < 1e-9:
            return f"{round(value)}"
        return language_named(language).number(f"{value:.2f}")

    return re.sub(r"\{(\w+\.[\w.]+)(%?)\}", number, page)


def _numbers(name: str, value: Any) -> Iterator[tuple[str, int | float]]:
    """Every number of a configuration under its path, such as "dalle1.model.gpt.depth"."""
    if is_dataclass(value):
        for field in fields(value):
            yield from _numbers(f"{name}.{field.name}", getattr(value, field.name))
    elif isinstance(value, tuple):
        for place, part in enumerate(value):
            yield from _numbers(f"{name}.{place}", part)
    elif isinstance(value, (int, float)):
        yield name, value
