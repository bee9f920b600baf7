"""Tables of rates, which several commands print, narrow enough for a terminal of 80 columns."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from dalle_edu.language import decimal, say

_COLUMNS = 4  # of a table
LEGEND = say("% right (of how many); below, the 95 % interval", "% justes (sur combien) ; dessous, l'intervalle à 95 %")


def rate_cell(rate: Any) -> Text | str:
    """A rate in percent with the number that it is of, and on a second line its 95 % interval."""
    facts = rate.to_json()
    if not facts["n"]:
        return "–"
    low, high = (decimal(100 * facts[end]) for end in ("low", "high"))
    return Text.assemble(f"{decimal(100 * facts['rate'])} ({facts['n']})\n", (f"{low}–{high}", "dim"))


def rate_tables(title: str, corner: str, names: Mapping[str, str], columns: Mapping[str, Mapping[str, Any]]) -> Iterator[Table]:
    """Tables with a line for each question and a column for each of `columns`, at most four to a table.

    `columns` gives for each heading the rates by question, and `names` the questions in the reader's language. `corner` is the heading of
    the first column; the title stands over the first table and the legend under the last.
    """
    answers = list(columns.items())
    tables = -(-len(answers) // _COLUMNS)
    for number in range(tables):
        part = answers[number * len(answers) // tables : (number + 1) * len(answers) // tables]
        table = Table(title=None if number else title, caption=LEGEND if number == tables - 1 else None)
        table.add_column(corner)
        for column, _ in part:
            table.add_column(column, justify="right", overflow="fold")
        for question in part[0][1]:
            table.add_row(names[question], *(rate_cell(rates[question]) for _, rates in part))
        yield table
