"""What is taken of a page of metrics."""

from palaver.benchmarks.monitor import metrics

PAGE = """\
# HELP palaver_spool_rows Rows waiting
# TYPE palaver_spool_rows gauge
palaver_spool_rows 12.0
palaver_connections_closed_total{code="3008"} 1.0
palaver_commit_seconds_sum 0.5
"""


def test_the_wanted_figures_and_no_comments():
    assert metrics(PAGE, "palaver_spool") == {"palaver_spool_rows": 12.0}
    assert metrics(PAGE, "palaver_connections") == {
        'palaver_connections_closed_total{code="3008"}': 1.0
    }
