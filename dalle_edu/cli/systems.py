"""`dalle-edu systems`: the presets, stages, settings and edits of every system."""

from dataclasses import fields
from typing import Annotated, Any

import typer
from rich.table import Table

from dalle_edu.cli.app import command, out
from dalle_edu.language import decimal, say

EDITS = ("complete", "alter", "inpaint", "vary", "mix", "steer", "loop")  # what `dalle-edu edit` can ask of a system


@command(
    say(
        "What systems there are: their presets, stages, settings and edits.",
        "Les systèmes qu'il y a : leurs préréglages, étapes, réglages et retouches.",
    ),
)
def systems(
    names: Annotated[
        list[str] | None,
        typer.Argument(help=say("names, or FILE.py:CLASS; all, unless given", "des noms, ou FICHIER.py:CLASSE ; à défaut, tous")),
    ] = None,
) -> None:
    """Print the presets, stages, settings and edits of systems."""
    from dalle_edu.systems.interface.registry import model_class, system_names

    table = Table(show_lines=True)
    for column in (
        say("system", "système"),
        say("presets", "préréglages"),
        say("stages of training", "étapes d'entraînement"),
        say("settings of sampling", "réglages du tirage"),
        say("edits", "retouches"),
    ):
        table.add_column(column, overflow="fold")
    for name in names or system_names():
        kind: Any = model_class(name)
        preset = kind.presets.get("standard") or next(iter(kind.presets.values()))
        stages = [f"{stage.name} ({decimal(100 * stage.share, 0)} %)" for stage in preset.recipe.stages]
        settings = [f"{field.name.replace('_', '-')} {_value(getattr(preset.sampling, field.name))}" for field in fields(preset.sampling)]
        made = ", ".join(sorted({source.split(".")[0] for source in kind.foundations.values()}))
        table.add_row(
            kind.name,
            "\n".join(kind.presets),
            "\n".join(stages) or say(f"none: made of {made}", f"aucune : fait de {made}"),
            "\n".join(settings) or "–",
            ", ".join(edit for edit in EDITS if hasattr(kind, edit)) or "–",
        )
    out.print(table)


def _value(value: Any) -> str:
    """The default value of a setting, in the reader's language."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return say(str(value).lower(), "oui" if value else "non")
    return decimal(value, 2).rstrip("0").rstrip(".,") if isinstance(value, float) else str(value)
