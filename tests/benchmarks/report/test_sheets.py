"""The tables: who is compared with whom, and what does not count."""

import io

from rich.console import Console

from palaver.benchmarks.figures import Results
from palaver.benchmarks.report import markdown, terminal
from palaver.benchmarks.report.sheets import Row, Sheet, sheets
from palaver.tests.support.bench_figures import EVIL, TOO_BUSY, idle, results, run, session

SATURATED, IDLE, PACED = sheets(session())


def row(sheet: Sheet, target: str, case: str = "") -> Row:
    return next(r for r in sheet.rows if r.target.startswith(target) and r.case == case)


def column(sheet: Sheet, name: str) -> int:
    return next(number for number, each in enumerate(sheet.columns) if each.startswith(name))


def test_there_is_one_sheet_per_workload_and_mode():
    titles = [sheet.title.split(",")[-1] for sheet in (SATURATED, IDLE, PACED)]
    assert titles == [" saturated", "Idle connections", " at a fixed rate"]


def test_what_all_cases_have_in_common_is_said_once():
    assert SATURATED.setting == "120 B"
    assert {row.case for row in SATURATED.rows} == {"100 members", "1,000 members"}
    assert PACED.setting == "100 members, 100 messages/s"
    assert not PACED.cases


def test_ours_comes_first_in_each_case_whatever_ran_first():
    sheet = sheets(results(run("direct", "a"), run("direct", "palaver"), run("direct", "b")))[0]
    assert [row.target for row in sheet.rows] == ["palaver", "a", "b"]
    assert [row.ours for row in sheet.rows] == [True, False, False]


def test_less_cpu_and_less_latency_are_better():
    cpu, delivery = column(PACED, "CPU per delivery"), column(PACED, "delivery")
    ours, theirs, faster = PACED.rows
    assert (ours.cells[cpu].text, ours.cells[cpu].times) == ("4.00", "")
    assert (theirs.cells[cpu].text, theirs.cells[cpu].times) == ("32.0", "8.0×")
    assert theirs.cells[cpu].better
    assert theirs.cells[delivery].times == "8.0×"
    assert faster.cells[cpu].times == "0.50×"
    assert not faster.cells[cpu].better


def test_a_higher_rate_is_better():
    quick = run("direct", "palaver", mode="saturated")
    slow = run("direct", "theirs", mode="saturated")
    slow = type(slow)(**{name: getattr(slow, name) for name in slow.__slots__} | {"seconds": 8.0})
    (sheet,) = sheets(results(quick, slow))
    cell = row(sheet, "theirs").cells[column(sheet, "messages/s")]
    assert (cell.text, cell.times, cell.better) == ("125", "4.0×", True)


def test_latencies_are_shown_where_messages_come_at_a_fixed_rate():
    assert not any("delivery p50" in name for name in SATURATED.columns)
    assert "delivery p50/p99/p99.9, ms" in PACED.columns
    assert not any("late" in name for name in PACED.columns)
    assert PACED.rows[0].cells[column(PACED, "delivery p50")].text == "0.401/0.800/0.800"


def test_medians_are_of_valid_runs_only_and_the_others_are_mentioned():
    some = row(SATURATED, "theirs", "100 members")
    assert (some.cells[0].text, some.runs) == ("8.00", "1")
    whole = row(SATURATED, "theirs", "1,000 members")
    assert (whole.cells[0].text, whole.runs) == ("8.80", "2")
    none = row(SATURATED, EVIL, "100 members")
    assert {cell.text for cell in none.cells} == {"–"}
    assert none.runs == "invalid"
    assert list(SATURATED.notes) == [
        f"¹ some runs invalid: {TOO_BUSY}",
        f"² all runs invalid: {TOO_BUSY}",
    ]
    assert some.target.endswith("¹")
    assert none.target.endswith("²")
    assert whole.target == "theirs"


def test_figures_that_nobody_foresaw_are_shown_where_there_is_no_choice_of_figures():
    (sheet,) = sheets(results(idle("palaver", 10.25, 1000)))
    assert list(sheet.columns) == ["KiB per connection"]
    assert sheet.rows[0].cells[0].text == "10.2"
    assert not sheet.compares


def told(session: Results, width: int = 120) -> str:
    file = io.StringIO()
    terminal.tell(session, Console(file=file, width=width))
    return file.getvalue()


def test_the_terminal_shows_figures_ratios_reasons_and_conditions():
    text = told(session())
    words = ("8.0×", "0.50×", "rate limits: off", EVIL, "An <abacus>", "1.2.3", TOO_BUSY)
    for each in (*words, "palaver bench --peer", "1,000 members", "KiB per connection"):
        assert each in text, each


def test_a_narrow_terminal_loses_no_figure():
    for row in PACED.rows:
        for cell in row.cells:
            assert cell.text in told(session(), width=60)


def test_markdown_has_the_same_rows_and_names_break_no_cell():
    text = markdown.markdown(session())
    tables = [line for line in text.splitlines() if line.startswith("|")]
    bare = [line.replace("\\|", "") for line in tables]
    for sheet in (SATURATED, IDLE, PACED):
        width = 1 + sheet.cases + len(sheet.columns) + 1
        assert sum(line.count("|") == width + 1 for line in bare) >= len(sheet.rows) + 2
    assert "<b>" not in text.replace("\\<b", "")


def test_a_page_keeps_what_is_round_its_figures():
    page = "before\n<!-- figures -->\nold\n<!-- end -->\nafter\n"
    once = markdown.filled(page, session())
    assert once.startswith("before\n<!-- figures -->\n")
    assert once.endswith("<!-- end -->\nafter\n")
    assert "old" not in once
    assert markdown.filled(once, session()) == once
