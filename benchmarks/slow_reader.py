"""One member of a large group never reads: do the others notice, and what does it cost?"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from palaver.engine.settings import Settings

from .load import Load
from .monitor import Monitor
from .paced import Paced
from .postgres import temporary_data
from .rooms import room
from .server import Server

GOAL_RATIO = 1.2
GOAL_MEMORY = (
    Settings.model_fields["connections"].get_default(call_default_factory=True).outbox_bytes
    + 16 * 2**20
)

_RECEIVE_BUFFER = 4096
"""Of the slow one: so that what it does not read waits in the engine, not in the kernel."""
_WARM_UP_S = 2.0


@dataclass(frozen=True, slots=True)
class Run:
    """Latencies and lateness as in `Summary`; `grown` bytes of memory from the first message to the
    peak; CPU in parts of one core; `closed`: the slow one was disconnected."""

    delivery_p50: float
    delivery_p99: float
    late_p99: float
    grown: int
    cpu: float
    closed: bool


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        "python -m palaver.benchmarks slow-reader", description=__doc__
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run")
    parser.add_argument("--pairs", type=int, default=5, help="of runs, one without, one with it")
    parser.add_argument("--members", type=int, default=500)
    parser.add_argument("--rate", type=float, default=20.0, help="messages per second")
    parser.add_argument("--bytes", type=int, default=4000, help="of each text")
    parser.add_argument("--store", choices=("memory", "postgres"), default="postgres")
    options = parser.parse_args(arguments)
    console = Console(width=110)
    console.print(
        f"a group of {options.members}, {options.rate:g} messages/s of {options.bytes} bytes, "
        f"{options.store}, {options.pairs} pairs of {options.seconds:g} s; no rate limits"
    )
    table = Table(
        "pair", "one does not read", "delivery p50 ms", "p99 ms", "sent late", "memory", "CPU", ""
    )
    pairs: list[tuple[Run, Run]] = []
    for number in range(1, options.pairs + 1):
        # Whichever comes first has the colder machine, so they take turns.
        order = (False, True) if number % 2 else (True, False)
        runs = {slow: _run(options, slow) for slow in order}
        for slow in order:
            _row(table, number, slow, runs[slow])
        pairs.append((runs[False], runs[True]))
    console.print(table)
    sys.exit(0 if report(console, pairs) else 1)


def report(console: Console, pairs: Sequence[tuple[Run, Run]]) -> bool:
    """Print the medians over the pairs; whether the goals are met."""
    ratio = statistics.median(slow.delivery_p99 / quiet.delivery_p99 for quiet, slow in pairs)
    memory = statistics.median(slow.grown - quiet.grown for quiet, slow in pairs)
    without, having = (
        statistics.median(run.delivery_p99 for run in runs) for runs in zip(*pairs, strict=True)
    )
    console.print(f"load average of the machine: {os.getloadavg()[1]:.1f}, cores: {os.cpu_count()}")
    goals = {
        f"delivery p99 of the others {having:.1f} ms, without it {without:.1f}: median ratio "
        f"{ratio:.2f} ≤ {GOAL_RATIO:g}": ratio <= GOAL_RATIO,
        f"it costs {memory / 2**20:+.1f} MiB ≤ {GOAL_MEMORY / 2**20:g}": memory <= GOAL_MEMORY,
    }
    for goal, met in goals.items():
        console.print(f"{'met   ' if met else 'MISSED'} {goal}")
    return all(goals.values())


def _run(options: argparse.Namespace, slow: bool) -> Run:
    with ExitStack() as stack:
        data = stack.enter_context(temporary_data()) if options.store == "postgres" else None
        settings = {"PALAVER_POLICY__MAX_MEMBERS": str(options.members)}
        server = stack.enter_context(Server(data, settings=settings))
        load = Load(server.host, server.port, server.token)
        stack.callback(load.close)
        conversation = room(load, options.members - 1, "slow")
        readers = list(load.devices)
        if slow:
            load.connect("slow", receive_buffer=_RECEIVE_BUFFER)
        paced = Paced(
            readers,
            [(device, conversation) for device in readers[:20]],
            rate=options.rate,
            text_bytes=options.bytes,
        )
        monitor = stack.enter_context(Monitor(server, "palaver_connections_closed", 0.2))
        before = server.rss()
        cpu = server.cpu()
        paced.run(lambda: paced.now > options.seconds)
        used = (server.cpu() - cpu) / paced.now
        figures = paced.trace.summary(_WARM_UP_S)
        closed = any("3008" in name for name in monitor.peaks())
        peak = max(sample.rss for sample in monitor.samples)
        return Run(
            figures.delivery_p50,
            figures.delivery_p99,
            figures.late_p99,
            peak - before,
            used,
            closed,
        )


def _row(table: Table, number: int, slow: bool, run: Run) -> None:
    times = (run.delivery_p50, run.delivery_p99, run.late_p99)
    table.add_row(
        *(str(number), "yes" if slow else "no", *(f"{ms:.2f}" for ms in times)),
        *(f"{run.grown / 2**20:+.1f} MiB", f"{100 * run.cpu:.0f} %"),
        "cut off (3008)" if run.closed else "",
    )
