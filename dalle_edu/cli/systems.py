"""`dalle-edu systems`: the presets, stages, settings and edits of every system."""

from dataclasses import fields
from typing import Annotated, Any

import typer
from rich.table import Table

from dalle_edu.cli.app import JsonOption, command, out, ready, write_json
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
    json_file: JsonOption = None,
) -> None:
    """Print the presets, stages, settings and edits of systems."""
    from dalle_edu.systems.interface.registry import model_class, system_names

    ready(json_file)
    table = Table(show_lines=True)
    for column in (
        say("system", "système"),
        say("presets", "préréglages"),
        say("stages of training", "étapes d'entraînement"),
        say("settings of sampling", "réglages du tirage"),
        say("edits", "retouches"),
    ):
        table.add_column(column, overflow="fold")
    facts = [_facts(model_class(name)) for name in names or system_names()]
    for each in facts:
        made = ", ".join(each["foundations"])
        stages = [f"{name} ({decimal(100 * share, 0)} %)" for name, share in each["stages"].items()]
        settings = [f"{name.replace('_', '-')} {_value(value)}" for name, value in each["settings"].items()]
        table.add_row(
            each["name"],
            "\n".join(each["presets"]),
            "\n".join(stages) or say(f"none: made of {made}", f"aucune : fait de {made}"),
            "\n".join(settings) or "–",
            ", ".join(each["edits"]) or "–",
        )
    if json_file:
        write_json(json_file, facts)
    out.print(table)


def _facts(kind: Any) -> dict[str, Any]:
    """What is printed of a system."""
    preset = kind.presets.get("standard") or next(iter(kind.presets.values()))
    return {
        "name": kind.name,
        "presets": list(kind.presets),
        "stages": {stage.name: stage.share for stage in preset.recipe.stages},
        "settings": {field.name: getattr(preset.sampling, field.name) for field in fields(preset.sampling)},
        "edits": [edit for edit in EDITS if hasattr(kind, edit)],
        "foundations": sorted({source.split(".")[0] for source in kind.foundations.values()}),
    }


def _value(value: Any) -> str:
    """The default value of a setting, in the reader's language."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return say(str(value).lower(), "oui" if value else "non")
    return decimal(value, 2).rstrip("0").rstrip(".,") if isinstance(value, float) else str(value)
