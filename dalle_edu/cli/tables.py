"""Tables of rates, as several commands print them."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from dalle_edu.language import decimal, say


def rate_cell(rate: Any) -> str:
    """A rate in percent, its 95 % interval, and of how many."""
    facts = rate.to_json()
    if not facts["n"]:
        return "–"
    interval = say(", ", "\u00a0; ").join(decimal(100 * facts[end]) for end in ("low", "high"))
    return f"{decimal(100 * facts['rate'])} % [{interval}] {say('of', 'sur')} {facts['n']}"


def rate_table(title: str, corner: str, names: Mapping[str, str], columns: Mapping[str, Mapping[str, Any]]) -> Table:
    """A line for each of what is asked, a column for each who answers. `names` says what is asked in the reader's words."""
    table = Table(title=title)
    table.add_column(corner)
    for column in columns:
        table.add_column(column, justify="right")
    asked = next(iter(columns.values()))
    for question in asked:
        table.add_row(names[question], *(rate_cell(rates[question]) for rates in columns.values()))
    return table
