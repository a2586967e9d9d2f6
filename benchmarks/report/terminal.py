"""The tables of a run on a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..figures import Results
from .sheets import EXPLAINED, Cell, Sheet, sheets

_WIDTH = 110
"""So wide a table is at least printed: better that lines wrap than that figures are cut."""


def tell(results: Results, console: Console) -> None:
    """Print the figures, and everything that they need to be worth something."""
    for sheet in sheets(results):
        console.print()
        console.print(Text.assemble((sheet.title, "bold"), f"  {sheet.setting}"))
        console.print(_table(sheet), width=max(console.width, _WIDTH), crop=False)
        for note in sheet.notes:
            console.print(Text(note, style="yellow"))
    console.print()
    for line in (EXPLAINED, *about(results)):
        console.print(Text(line, style="dim"))


def about(results: Results) -> list[str]:
    """The machine, the versions, what was set, the command."""
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    return [
        f"machine: {machine}",
        f"palaver {results.version}, {results.began}",
        *results.conditions,
        f"command: {results.command}",
    ]


def _table(sheet: Sheet) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    told = sheet.cases
    if told:
        table.add_column("case", min_width=min(max(len(row.case) for row in sheet.rows), 28))
    table.add_column("server", no_wrap=True)
    for number, column in enumerate(sheet.columns):
        words = [len(word) for word in column.split()]
        cells = [len(_text(row.cells[number])) for row in sheet.rows]
        table.add_column(column, justify="right", min_width=max(words + cells))
    table.add_column("runs", justify="right")
    last = None
    for row in sheet.rows:
        if last not in (None, row.case) and sheet.compares:
            table.add_section()
        table.add_row(
            *([Text("" if row.case == last else row.case)] if told else []),
            Text(row.target),
            *map(_text, row.cells),
            Text(row.runs, style="dim"),
            style="bold" if row.ours and sheet.compares else None,
        )
        last = row.case
    return table


def _text(cell: Cell) -> Text:
    times = (f" {cell.times:>5}", "green" if cell.better else "red")
    return Text.assemble(cell.text, times if cell.times else "", no_wrap=True)
