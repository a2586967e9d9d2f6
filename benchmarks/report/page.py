"""A run as one HTML file: no script, nothing from the network."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from ..figures import Results, Summary
from .charts import SHORTER, Chart, charts, headlines
from .markup import as_html, node
from .quantity import figure
from .sheets import EXPLAINED, Cell, Sheet, described, mode, sheets
from .style import page_style


def html(results: Results, profiles: Sequence[str] = ()) -> str:
    """The whole page. `profiles` are names of files that lie beside it."""
    return as_html(
        node(
            "html",
            node(
                "head",
                node("meta", charset="utf-8"),
                node("meta", name="viewport", content="width=device-width, initial-scale=1"),
                node("title", f"palaver bench, {results.began[:10]}"),
                node("style", page_style()),
            ),
            node(
                "body",
                node("h1", "How fast is palaver?"),
                node(
                    "p",
                    f"palaver {results.version}, measured {_day(results.began)} by ",
                    node("code", results.command),
                    class_="soft",
                ),
                _invalid(results),
                *_section("What it costs", SHORTER, headlines(results)),
                *_section("Curves", None, charts(results)),
                node("h2", "The same in numbers"),
                node("p", EXPLAINED, class_="soft"),
                *(_table(sheet) for sheet in sheets(results)),
                node("h2", "How it was measured"),
                _conditions(results, profiles),
                _details(results.summaries),
            ),
            lang="en",
        )
    )


def _day(began: str) -> str:
    return began[:16].replace("T", " at ")


def _section(name: str, text: str | None, pictures: Sequence[Chart]) -> list[Element]:
    if not pictures:
        return []
    said = [] if text is None else [node("p", text, class_="soft")]
    return [node("h2", name), *said, node("div", *map(_card, pictures), class_="cards")]


def _card(chart: Chart) -> Element:
    return node(
        "section",
        node("h3", chart.title),
        node("p", chart.text, class_="soft"),
        chart.drawing,
        class_="card",
    )


def _invalid(results: Results) -> Element | None:
    """What does not count comes first: nobody should have to look for it."""
    bad = [each for each in results.summaries if each.invalid]
    if not bad:
        return None
    items = (node("li", f"{_name(each)}: {'; '.join(dict.fromkeys(each.invalid))}") for each in bad)
    return node(
        "div",
        node("strong", "Some runs are invalid and not part of any figure:"),
        node("ul", *items),
        class_="warning",
        role="note",
    )


def _table(sheet: Sheet) -> Element:
    told = sheet.cases
    head = [*(("case",) if told else ()), "server", *sheet.columns, "runs"]
    texts = 1 + told
    body = []
    last = None
    for row in sheet.rows:
        begins = told and row.case != last
        last = row.case
        span = sum(each.case == row.case for each in sheet.rows)
        body.append(
            node(
                "tr",
                node("th", row.case, scope="rowgroup", rowspan=span) if begins else None,
                node("th", row.target, scope="row"),
                *map(_cell, row.cells),
                node("td", row.runs, class_="soft"),
                class_=" ".join(("ours",) * (row.ours and sheet.compares) + ("begins",) * begins)
                or None,
            )
        )
    return node(
        "section",
        node("h3", sheet.title),
        node("p", sheet.setting, class_="soft"),
        node(
            "div",
            node(
                "table",
                node(
                    "thead",
                    node(
                        "tr",
                        *(
                            node("th", name, scope="col", class_="text" if number < texts else None)
                            for number, name in enumerate(head)
                        ),
                    ),
                ),
                node("tbody", *body),
            ),
            class_="table",
            tabindex=0,
            role="region",
            aria_label=sheet.title,
        ),
        *(node("p", note, class_="bad") for note in sheet.notes),
        class_="card sheet",
    )


def _cell(cell: Cell) -> Element:
    if not cell.times:
        return node("td", cell.text)
    times = node("span", cell.times, class_="good" if cell.better else "bad")
    return node("td", cell.text, " ", times)


def _conditions(results: Results, profiles: Sequence[str]) -> Element:
    rows: list[tuple[str, Element | str]] = [
        *results.machine.items(),
        ("palaver", results.version),
        ("began", results.began),
        ("command", node("code", results.command)),
        *(("set", each) for each in results.conditions),
        *(("profile", node("a", each, href=each)) for each in profiles),
    ]
    items = [each for name, value in rows for each in (node("dt", name), node("dd", value))]
    return node("div", node("dl", *items), class_="card")


def _details(summaries: Sequence[Summary]) -> Element:
    return node(
        "details",
        node("summary", "Every figure: median, lowest, highest"),
        *(_detail(each) for each in summaries if each.runs),
    )


def _detail(summary: Summary) -> Element:
    rows = (
        node(
            "tr",
            node("th", each, scope="row"),
            *(
                node("td", figure(kind[each]))
                for kind in (summary.medians, summary.lows, summary.highs)
            ),
        )
        for each in summary.medians
    )
    head = node(
        "tr", *(node("th", each, scope="col") for each in ("figure", "median", "lowest", "highest"))
    )
    return node(
        "div",
        node("table", node("caption", _name(summary)), node("thead", head), node("tbody", *rows)),
        class_="table",
    )


def _name(summary: Summary) -> str:
    setting = described(summary, [name for name in summary.parameters if name != "mode"])
    parts = (summary.target, summary.workload, mode(summary), setting)
    return ", ".join(part for part in parts if part)
