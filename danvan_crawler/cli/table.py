"""Tables on a terminal: never cut. If a table is wider than the terminal, each row becomes a paragraph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_PADDING = 3
"""Columns of the terminal that a table takes beside the text of each of its columns; one more for the whole table."""


def print_table(
    names: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[int, Sequence[str]] | None = None
) -> None:
    """Prints rows to stdout under the names of their columns. `styles`: number of a column -> style of each cell."""
    if not rows:
        return
    console = Console()
    cells = [
        [Text(cell, style=(styles or {}).get(number, [""] * len(rows))[row]) for number, cell in enumerate(line)]
        for row, line in enumerate(rows)
    ]
    widths = [max(cell_len(line[number]) for line in (names, *rows)) for number in range(len(names))]
    if sum(widths) + _PADDING * len(names) + 1 <= console.width:
        table = Table(*names)
        for line in cells:
            table.add_row(*line)
        console.print(table)
        return
    for line in cells:
        facts = [Text.assemble(f"{name}: ", cell) for name, cell in list(zip(names, line, strict=True))[1:]]
        console.print(line[0], style="bold")
        console.print(Padding(Text("; ").join(facts), (0, 0, 0, 2)))
