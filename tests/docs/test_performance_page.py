"""docs/performance.md says what the harness does: fields, workloads, options, where figures go."""

import json
import re
from pathlib import Path

from palaver.benchmarks.bench import DISTURBED
from palaver.benchmarks.peers import PEERS
from palaver.benchmarks.report.markdown import filled
from palaver.benchmarks.workloads import WORKLOADS
from palaver.tests.support.bench_figures import session

PAGE = (Path(__file__).parents[2] / "docs/performance.md").read_text()


def test_every_field_of_the_results_is_documented():
    table = PAGE.partition("<!-- json -->")[2].partition("<!-- end -->")[0]
    documented = set(re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (.*?) \|", table, re.M))))
    whole = json.loads(session().to_json())
    assert documented == {*whole, *(f"runs[].{name}" for name in whole["runs"][0])}


def test_there_is_a_place_for_figures():
    page = filled(PAGE, session())
    assert page.partition("<!-- figures -->")[0] == PAGE.partition("<!-- figures -->")[0]
    assert "1,000 members" in page.partition("<!-- figures -->")[2]


def test_every_workload_and_peer_is_told_of():
    rows = re.findall(r"^\| `([\w-]+)` \|", PAGE, re.M)
    assert {*WORKLOADS, *PEERS} <= set(rows)
    assert [name for name in DISTURBED if f"`{name}`" not in PAGE] == []
