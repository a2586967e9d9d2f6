"""The tables of a run in Markdown, for pages that quote them."""

from __future__ import annotations

from collections.abc import Iterator

from ..figures import Results
from .sheets import EXPLAINED, Cell, Sheet, sheets
from .terminal import about

BEGIN, END = "<!-- figures -->", "<!-- end -->"


def markdown(results: Results) -> str:
    lines = [EXPLAINED, "", *(f"* {escaped(line)}" for line in about(results))]
    for sheet in sheets(results):
        lines += ["", *_sheet(sheet)]
    return "\n".join(lines) + "\n"


def filled(page: str, results: Results) -> str:
    """`page` with the figures between its markers. Raises ValueError if it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"there is no place for figures, {BEGIN} … {END}")
    return f"{before}{begin}\n{markdown(results)}{end}{after}"


def escaped(text: str) -> str:
    """`text` as it is, in a cell."""
    for each in "\\`*_|<>[]":
        text = text.replace(each, f"\\{each}")
    return text.replace("\n", " ")


def _sheet(sheet: Sheet) -> Iterator[str]:
    yield f"**{escaped(sheet.title)}**" + (f" ({escaped(sheet.setting)})" if sheet.setting else "")
    yield ""
    told = sheet.cases
    head = [*(["case"] if told else []), "server", *sheet.columns, "runs"]
    yield _line(head)
    yield "|" + "|".join(["---"] * (1 + told) + ["---:"] * (len(head) - 1 - told)) + "|"
    last = None
    for row in sheet.rows:
        case = [] if not told else ["" if row.case == last else row.case]
        last, ours = row.case, row.ours and sheet.compares
        cells = [escaped(each) for each in (*case, row.target, *map(_text, row.cells), row.runs)]
        yield _line([f"**{cell}**" if ours and cell else cell for cell in cells])
    if sheet.notes:
        yield ""
        yield from (escaped(note) + "  " for note in sheet.notes)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _text(cell: Cell) -> str:
    return f"{cell.text} ({cell.times})" if cell.times else cell.text
