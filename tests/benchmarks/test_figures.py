"""What is derived of a run, of several, and of two."""

import json
from dataclasses import replace

import pytest

from palaver.benchmarks.figures import Figures, Results, ratios, summaries
from palaver.benchmarks.histogram import Histogram


def run(target: str = "palaver", seconds: float = 2.0, **changes: object) -> Figures:
    latency = Histogram()
    latency.record(0.001)
    figures = Figures(
        workload="fanout",
        target=target,
        parameters={"members": 100, "mode": "saturated", "store": "memory"},
        seconds=seconds,
        messages=1000,
        deliveries=100_000,
        cpu={"server": 1.0, "postgres": 0.5},
        rss={"server": 2**20},
        generator_cpu=0.5,
        writes=10_100,
        latencies={"delivery": latency},
        more={"kib_per_connection": 12.5},
    )
    return replace(figures, **changes)  # type: ignore[arg-type]


def test_every_figure_has_a_name():
    assert run().values() == pytest.approx(
        {
            "messages_per_s": 500.0,
            "us_per_message": 1000.0,
            "us_per_message_all": 1500.0,
            "deliveries_per_s": 50_000.0,
            "us_per_delivery": 10.0,
            "us_per_delivery_all": 15.0,
            "frames_per_write": 10.0,
            "delivery_p50_ms": 1.0,
            "delivery_p99_ms": 1.0,
            "delivery_p99.9_ms": 1.0,
            "delivery_max_ms": 1.0,
            "server_mib": 1.0,
            "generator": 0.25,
            "kib_per_connection": 12.5,
        }
    )


def test_what_is_not_known_has_no_figure():
    values = run(cpu={}, writes=None, rss={}, seconds=0.0, messages=0, deliveries=0).values()
    assert set(values) == {*(f"delivery_{p}_ms" for p in ("p50", "p99", "p99.9", "max"))} | {
        "kib_per_connection"
    }


def test_medians_are_of_the_runs_that_count():
    runs = [run(seconds=seconds) for seconds in (1.0, 2.0, 4.0)]
    runs.append(run(seconds=100.0, problems=["the generator was late"]))
    (summary,) = summaries(runs)
    assert summary.runs == 3
    assert summary.invalid == ["the generator was late"]
    assert summary.medians["messages_per_s"] == 500.0
    assert (summary.lows["messages_per_s"], summary.highs["messages_per_s"]) == (250.0, 1000.0)
    assert summary.latencies["delivery"].count == 3


def test_without_a_run_that_counts_there_is_no_figure():
    (summary,) = summaries([run(problems=["lost"])])
    assert (summary.runs, summary.medians, summary.invalid) == (0, {}, ["lost"])


def test_only_the_same_is_taken_together():
    other = run(parameters={"members": 1000, "mode": "saturated", "store": "memory"})
    found = summaries([run(), run("ws"), other, run()])
    assert [(each.target, each.runs) for each in found] == [
        ("palaver", 2),
        ("ws", 1),
        ("palaver", 1),
    ]
    assert found[0].key == found[1].key != found[2].key


def test_a_ratio_is_ours_by_theirs_where_both_are_known():
    ours, theirs = summaries([run(), run("ws", seconds=4.0, cpu={"server": 3.0}, writes=None)])
    found = ratios(ours, theirs)
    assert found["messages_per_s"] == pytest.approx(2.0)
    assert found["us_per_delivery"] == pytest.approx(1 / 3)
    assert not {"us_per_delivery_all", "frames_per_write"} & found.keys()


def test_results_survive_json():
    results = Results(
        command="palaver bench",
        began="2026-01-01T00:00:00+00:00",
        version="0",
        machine={"cores": "2"},
        conditions=["limits off"],
        runs=[run(), run("ws", problems=["lost"])],
    )
    text = results.to_json()
    assert json.loads(text)["runs"][0]["values"]["messages_per_s"] == 500.0
    again = Results.from_json(text)
    assert again.to_json() == text
    assert [each.values() for each in again.runs] == [each.values() for each in results.runs]
