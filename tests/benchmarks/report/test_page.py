"""The page and the picture: well-formed, self-contained, and of the same figures as the tables."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from palaver.benchmarks.figures import Results
from palaver.benchmarks.report.bars import Bar, Group, bar_chart, spoken
from palaver.benchmarks.report.charts import charts, headline_picture, headlines
from palaver.benchmarks.report.directory import write
from palaver.benchmarks.report.markup import as_svg
from palaver.benchmarks.report.page import html
from palaver.tests.support.bench_figures import EVIL, TOO_BUSY, idle, results, run, session

SVG = "{http://www.w3.org/2000/svg}"


class Reader(HTMLParser):
    """Checks that elements are closed in order; keeps what a reader sees."""

    VOID = ("meta", "br", "hr", "img", "link", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, list[str]] = {}
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.seen.setdefault(self.open[-1], []).append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_is_well_formed_and_needs_neither_network_nor_script():
    reader = read(html(session(), ["profile <1>.svg"]))
    assert reader.links == ["profile <1>.svg"]
    assert "script" not in reader.seen
    assert not re.search(r"url\(|@import", "".join(reader.seen["style"]))


def test_names_are_text_and_nothing_else():
    reader = read(html(session()))
    assert "b" not in reader.seen
    assert EVIL in "".join(reader.seen["code"])
    assert any(EVIL in each for each in reader.seen["th"])


def test_the_page_says_what_does_not_count_and_under_which_conditions_the_rest_does():
    reader = read(html(session()))
    invalid = [each for each in reader.seen["li"] if TOO_BUSY in each]
    assert len(invalid) == 3
    assert {"An <abacus>", "2", "1.2.3", "rate limits: off"} <= set(reader.seen["dd"])


def test_every_picture_can_be_told_and_stays_within_its_frame():
    for chart in (*headlines(session()), *charts(session())):
        picture = ElementTree.fromstring(as_svg(chart.drawing))
        assert picture[0].tag == f"{SVG}title"
        assert picture[1].tag == f"{SVG}desc"
        assert picture.get("role") == "img"
        _, _, width, height = map(float, picture.get("viewBox", "").split())
        for line in picture.iter(f"{SVG}polyline"):
            for point in line.get("points", "").split():
                x, y = map(float, point.split(","))
                assert 0 <= x <= width
                assert 0 <= y <= height
        for bar in picture.iter(f"{SVG}rect"):
            assert float(bar.get("x", 0)) + float(bar.get("width", 0)) <= width


def test_there_is_a_curve_for_whatever_grows_and_for_every_latency():
    titles = [chart.title for chart in charts(session())]
    assert titles == [
        "CPU per delivery against members",
        "Throughput against members",
        "Memory per idle connection",
        "Latency of the delivery: fan-out",
    ]


def test_what_was_measured_once_makes_no_curve_and_nothing_makes_no_picture():
    assert charts(results(run("fanout", "palaver", members=100, mode="saturated"))) == []
    assert headlines(results(run("connect", "palaver"))) == []
    assert headline_picture(results()) is None
    read(html(results()))


def polyline(drawing: ElementTree.Element, slot: int) -> list[tuple[float, float]]:
    group = next(g for g in drawing.iter("g") if g.get("class") == f"s{slot}" and len(g) > 2)
    line = next(each for each in group if each.tag == "polyline")
    points = (point.split(",") for point in line.get("points", "").split())
    return [(float(x), float(y)) for x, y in points]


def test_what_is_more_stands_higher_and_what_is_larger_further_right():
    chart = charts(session())[0]
    ours, theirs = polyline(chart.drawing, 0), polyline(chart.drawing, 1)
    assert [x for x, _ in ours] == [x for x, _ in theirs] == sorted(x for x, _ in ours)
    assert all(mine > other for (_, mine), (_, other) in zip(ours, theirs, strict=True))


def test_bars_are_as_long_as_their_values_and_say_how_many_times_ours_they_are():
    group = Group(
        "CPU", "each", "µs", [Bar("ours", 2.0, ours=True), Bar("a", 8.0), Bar("b", None, "why")]
    )
    bars = list(bar_chart("t", [group]).iter("rect"))
    widths = [float(bar.get("width", 0)) for bar in bars]
    assert widths == [pytest.approx(widths[1] / 4), widths[1]]
    told = [spoken(bar, group) for bar in group.bars]
    assert told == ["2.00 µs", "8.00 µs, 4.0× ours", "no valid run: why"]


def test_the_headline_takes_the_largest_case_and_shows_who_has_no_figure():
    picture = headline_picture(session())
    assert picture is not None
    text = " ".join(ElementTree.fromstring(picture).itertext())
    assert "1,000 members" in text
    assert "1,000 connections" in text
    assert "8.0×" in text
    assert TOO_BUSY in text
    assert "An <abacus>" in text


def test_the_directory_holds_the_page_the_picture_and_what_both_are_made_of(tmp_path):
    page = write(session(), tmp_path / "new" / "report", [tmp_path / "new/report/flame.svg"])
    assert read(page.read_text()).links == ["flame.svg"]
    again = Results.from_json((page.parent / "results.json").read_text())
    assert again.to_json() == session().to_json()
    assert html(again, ["flame.svg"]) == page.read_text()
    ElementTree.parse(page.parent / "headline.svg")


def test_memory_alone_makes_a_headline():
    (chart,) = headlines(results(idle("palaver", 10.0, 1000), idle("theirs", 25.0, 1000)))
    assert chart.title == "Idle, 1,000 connections: memory per connection"
    assert "theirs 25.0 KiB, 2.5× ours" in chart.drawing.findtext("desc", "")
