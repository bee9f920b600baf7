"""Tables of rates, as several commands print them: narrow enough for a terminal of 80 columns."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from dalle_edu.language import decimal, say

LEGEND = say("% right (of how many); below, the 95 % interval", "% justes (sur combien) ; dessous, l'intervalle à 95 %")


def rate_cell(rate: Any) -> str:
    """A rate in percent and of how many, and on a second line its 95 % interval."""
    facts = rate.to_json()
    if not facts["n"]:
        return "–"
    low, high = (decimal(100 * facts[end]) for end in ("low", "high"))
    return f"{decimal(100 * facts['rate'])} ({facts['n']})\n[dim]{low}–{high}[/dim]"


def rate_table(title: str, corner: str, names: Mapping[str, str], columns: Mapping[str, Mapping[str, Any]]) -> Table:
    """A line for each of what is asked, a column for each who answers. `names` says what is asked in the reader's words."""
    table = Table(title=title, caption=LEGEND)
    table.add_column(corner)
    for column in columns:
        table.add_column(column, justify="right")
    asked = next(iter(columns.values()))
    for question in asked:
        table.add_row(names[question], *(rate_cell(rates[question]) for rates in columns.values()))
    return table
