"""How many messages a second, and what each costs: every sender keeps some in flight."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from contextlib import ExitStack

from rich.console import Console
from rich.table import Table

from .load import Load
from .postgres import temporary_data
from .server import Server
from .workloads import TEXT_BYTES, WORKLOADS, Figures


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser("python -m palaver.benchmarks throughput", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run")
    parser.add_argument("--repeats", type=int, default=3, help="the median is shown")
    parser.add_argument("--store", choices=("memory", "postgres"), action="append")
    parser.add_argument("--workload", choices=tuple(WORKLOADS), action="append")
    parser.add_argument("--durability", default="write_behind")
    options = parser.parse_args(arguments)
    console = Console(width=110)
    console.print(
        f"messages of {TEXT_BYTES} bytes, durability {options.durability}, "
        f"median of {options.repeats} runs of {options.seconds:g} s; no rate limits"
    )
    table = Table(
        "workload",
        "store",
        "messages/s",
        "deliveries/s",
        "µs CPU/message",
        "µs CPU/delivery",
        "µs Postgres/message",
        "generator",
    )
    for workload in options.workload or WORKLOADS:
        for store in options.store or ("memory", "postgres"):
            runs = [
                _run(workload, store, options.durability, options.seconds)
                for _ in range(options.repeats)
            ]
            runs.sort(key=lambda run: run.messages_per_s)
            _row(table, workload, store, runs)
            console.print(f"  {workload}, {store}: {runs[len(runs) // 2].messages_per_s:,.0f}/s")
    console.print(table)


def _run(workload: str, store: str, durability: str, seconds: float) -> Figures:
    with ExitStack() as stack:
        data = None
        if store == "postgres":
            data = stack.enter_context(temporary_data())
        server = stack.enter_context(Server(data, durability))
        load = Load(server.host, server.port, server.token)
        stack.callback(load.close)
        return WORKLOADS[workload](load, server, seconds)


def _row(table: Table, workload: str, store: str, runs: list[Figures]) -> None:
    def median(name: str) -> float:
        return float(statistics.median(getattr(run, name) for run in runs))

    busy = any(run.saturated_generator for run in runs)
    table.add_row(
        *(workload, store, f"{median('messages_per_s'):,.0f}"),
        *(f"{median('deliveries_per_s'):,.0f}", f"{median('us_per_message'):.1f}"),
        *(f"{median('us_per_delivery'):.2f}", f"{median('postgres_us_per_message'):.1f}"),
        "saturated" if busy else "ok",
    )
