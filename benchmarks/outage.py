"""Postgres goes away under load and comes back: is every send answered, soon, and kept?"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from .load import Load
from .monitor import Monitor
from .paced import Paced, client_id
from .postgres import Postgres, temporary_data
from .rooms import TEXT_BYTES, chats
from .server import Server
from .trace import Summary
from .verification import Row, problems

GOAL_REPLY_MS, GOAL_DELIVERY, GOAL_STORED_S = 100.0, 2.0, 60.0
SETTLE_S = 1.0
"""From the stop until the engine is expected to have noticed."""

_SLICE_S = 10

_STORED = "SELECT count(*) FROM log WHERE client_id < $1 AND NOT client_id = ANY($2::text[])"
_LOG = "SELECT conversation::text, seq, client_id FROM log"


@dataclass(slots=True)
class Course:
    """When things happened, in seconds since the beginning of the load; `stored_s` since the
    return, None if it never came to pass."""

    stopped: float = 0.0
    returned: float = 0.0
    stored_s: float | None = None
    over: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser("python -m palaver.benchmarks outage", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="without Postgres")
    parser.add_argument("--around", type=float, default=20.0, help="seconds before, at least after")
    parser.add_argument("--rate", type=float, default=1000.0, help="messages per second")
    parser.add_argument("--chats", type=int, default=200)
    parser.add_argument("--how", choices=("stop", "sigstop"), default="stop")
    parser.add_argument("--durability", default="write_behind")
    options = parser.parse_args(arguments)
    console = Console(width=110)
    console.print(
        f"{options.rate:g} messages/s of {TEXT_BYTES} bytes over {options.chats} direct chats, "
        f"{options.durability}; Postgres gone for {options.seconds:g} s ({options.how}); "
        "no rate limits"
    )
    with ExitStack() as stack:
        data = stack.enter_context(temporary_data())
        postgres = stack.enter_context(Postgres(data))
        server = stack.enter_context(
            Server(data.with_name("engine"), options.durability, dsn=postgres.dsn)
        )
        load = Load(server.host, server.port, server.token)
        stack.callback(load.close)
        paced = Paced(load.devices, chats(load, options.chats), rate=options.rate)
        course = Course()
        monitor = stack.enter_context(Monitor(server))
        script = threading.Thread(
            target=_play, args=(course, postgres, paced, options), name="outage"
        )
        script.start()
        try:
            paced.run(course.over.is_set)
        finally:
            script.join()
        if course.error is not None:
            raise course.error
        whole_s = _until_stored(postgres, paced, paced.trace.sent, paced.now)
        rows: list[Row] = [(row[0], row[1], row[2]) for row in postgres.query(_LOG)]
        passed = report(console, course, paced, monitor, rows)
        if whole_s is not None:
            console.print(f"all of it was in Postgres {whole_s:.1f} s after the last was answered")
    sys.exit(0 if passed else 1)


def _play(course: Course, postgres: Postgres, paced: Paced, options: argparse.Namespace) -> None:
    """The outage itself, beside the generator."""
    try:
        while not paced.began:
            time.sleep(0.01)
        time.sleep(options.around)
        course.stopped = paced.now
        if options.how == "stop":
            postgres.stop()
        else:
            postgres.pause()
        time.sleep(max(course.stopped + options.seconds - paced.now, 0))
        if options.how == "stop":
            postgres.start()
        else:
            postgres.resume()
        course.returned = paced.now
        upto = int(course.returned * options.rate)
        course.stored_s = _until_stored(postgres, paced, upto, course.returned)
        time.sleep(max(course.returned + options.around - paced.now, 0))
    except BaseException as error:
        course.error = error
    finally:
        course.over.set()


def _until_stored(postgres: Postgres, paced: Paced, upto: int, since: float) -> float | None:
    """Seconds from `since` until all of the first `upto` messages is stored that was replied to."""
    trace = paced.trace
    while (waited := paced.now - since) < 2 * GOAL_STORED_S:
        # What is still to be answered may yet become an error.
        replied = sum(k < upto for k in list(trace.places))
        others = [client_id(k) for k in range(upto) if k not in trace.places]
        ((stored,),) = postgres.query(_STORED, client_id(upto), others)
        if stored >= replied:
            return waited
        time.sleep(1.0)
    return None


def report(
    console: Console, course: Course, paced: Paced, monitor: Monitor, rows: Sequence[Row]
) -> bool:
    """Print the figures; whether all goals are met."""
    trace = paced.trace
    before = trace.summary(1.0, course.stopped)
    edge = trace.summary(course.stopped, course.stopped + SETTLE_S)
    during = trace.summary(course.stopped + SETTLE_S, course.returned)
    after = trace.summary(course.returned)
    table = Table(
        *(
            "",
            "sent",
            "reply p50",
            "p99",
            "max ms",
            "delivery p50",
            "p99 ms",
            "sent late",
            "errors, unanswered",
        )
    )
    _row(table, "before", before)
    _row(table, "first second", edge)
    _row(table, "during", during)
    _row(table, "after", after)
    console.print(table)
    slices = range(0, int(trace.due(trace.sent)), _SLICE_S)
    p99s = (trace.summary(second, second + _SLICE_S).reply_p99 for second in slices)
    console.print(f"reply p99 in ms, every {_SLICE_S} s: {' '.join(f'{p99:.0f}' for p99 in p99s)}")
    console.print(f"load average of the machine: {os.getloadavg()[1]:.1f}, cores: {os.cpu_count()}")
    began = paced.began
    quiet = monitor.rss(began, began + course.stopped)
    peak = max((sample.rss for sample in monitor.samples), default=0)
    console.print(
        f"engine memory: {statistics.median(quiet or [0]) / 2**20:.0f} MiB before, "
        f"{peak / 2**20:.0f} MiB at its peak"
    )
    for name, value in monitor.peaks().items():
        if not name.endswith(("_created", "_bucket")):
            console.print(f"{name}: {value:g} at its peak")
    replied = {client_id(k): place for k, place in trace.places.items()}
    wrong = problems(rows, replied)
    for problem in wrong[:10]:
        console.print(f"  {problem}", style="red")
    stored = "never" if course.stored_s is None else f"{course.stored_s:.1f} s after the return"
    whole = trace.summary()
    goals = {
        f"every send answered ({whole.sent:,}; {len(trace.errors):,} with an error)": (
            trace.answered == trace.sent and not trace.errors
        ),
        f"reply p99 during: {during.reply_p99:.1f} ms < {GOAL_REPLY_MS:g}": (
            during.reply_p99 < GOAL_REPLY_MS
        ),
        f"delivery p99 during: {during.delivery_p99:.1f} ms ≤ {GOAL_DELIVERY:g} × "
        f"{before.delivery_p99:.1f}": (during.delivery_p99 <= GOAL_DELIVERY * before.delivery_p99),
        f"all in Postgres {stored} (≤ {GOAL_STORED_S:g} s)": (
            course.stored_s is not None and course.stored_s <= GOAL_STORED_S
        ),
        f"{len(replied):,} replied to, each there once, in order, no gaps "
        f"({len(wrong)} problems)": not wrong,
    }
    for goal, met in goals.items():
        console.print(f"{'met   ' if met else 'MISSED'} {goal}")
    return all(goals.values())


def _row(table: Table, name: str, of: Summary) -> None:
    errors = [f"{code} {count:,}" for code, count in sorted(of.errors.items())]
    errors += [f"{of.unanswered:,} unanswered"] if of.unanswered else []
    latencies = (
        of.reply_p50,
        of.reply_p99,
        of.reply_max,
        of.delivery_p50,
        of.delivery_p99,
        of.late_p99,
    )
    table.add_row(name, f"{of.sent:,}", *(f"{ms:.1f}" for ms in latencies), ", ".join(errors))
