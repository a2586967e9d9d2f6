"""What `palaver bench` does with its options: plan, measure, tell."""

from __future__ import annotations

import re
import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console

from .. import __version__
from ..gateway.cli.words import Problem
from . import blocks, outage, receipts, slow_reader
from .case import Case, Scale
from .dialect import Refused
from .figures import Results
from .lines import allow_files
from .own_server import Elsewhere, Palaver
from .peers import PEERS
from .profiling import Profiling
from .report import directory, terminal
from .report.progress import progress
from .session import Session, machine
from .target import Contender, Tokens
from .workloads import WORKLOADS

DISTURBED = {
    "outage": outage.main,
    "slow-reader": slow_reader.main,
    "receipts": receipts.main,
    "blocks": blocks.main,
}
"""Measurements that are made alone: of what goes wrong, with goals of its own; of receipts; and of
what the time of an answer tells."""

_REPORT = Path("palaver-report")
_SOCKETS = 11_000
"""Of the largest case; servers inherit the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """As the command line has them; None is a default that depends on the others."""

    workloads: Sequence[str] = ()
    quick: bool = False
    peers: Sequence[str] = ()
    repeats: int | None = None
    seconds: float | None = None
    durability: str = "write_behind"
    url: str | None = None
    secret: str | None = None
    tokens: Path | None = None
    pid: int | None = None
    json: bool = False
    report: Path | None = None
    profile: bool = False


def carry_out(options: Options) -> bool:
    """Measure and tell; whether all was measured and every case has a run that counts. SIGTERM is
    as good as Ctrl-C: no server is left behind. Raises `Problem`."""
    if (disturbed := DISTURBED.get(next(iter(options.workloads), ""))) is not None:
        if len(options.workloads) > 1:
            raise Problem(f"{options.workloads[0]} is measured alone")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        disturbed(() if options.seconds is None else ("--seconds", str(options.seconds)))
        return True  # if it does not meet its goals it has ended the process
    where = options.report or _REPORT
    profiling = Profiling(where) if options.profile else None
    repeats = options.repeats or (1 if options.quick or profiling else 5)
    session = Session(_cases(options), _contenders(options), repeats, profiling)
    with suppress(Refused):  # a case that needs more says so
        allow_files(_SOCKETS)
    began = datetime.now(UTC).isoformat(timespec="seconds")
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    notes = profiling.notes if profiling else []
    whole = True
    try:
        with progress(Console(stderr=True), len(session)) as begins:
            session.run(begins)
    except KeyboardInterrupt:  # what has been measured until then is told
        whole = False
        notes = [*notes, "interrupted: this is not all"]
    results = Results(
        command=_told(sys.argv[1:]),
        began=began,
        version=__version__,
        machine=machine(),
        conditions=[*session.conditions, *notes],
        runs=session.runs,
    )
    if options.json:
        typer.echo(results.to_json())
    else:
        terminal.tell(results, console)
    if options.report is not None or profiling is not None:
        page = directory.write(results, where, profiling.left if profiling else ())
        typer.echo(f"palaver: the report is {page}", err=True)
    return whole and all(summary.runs for summary in results.summaries)


def _told(arguments: Sequence[str]) -> str:
    """The command, without a secret."""
    hidden = [
        "…" if before == "--secret" else re.sub("^--secret=.*", "--secret=…", word)
        for before, word in zip(("", *arguments), arguments, strict=False)
    ]
    return f"palaver {shlex.join(hidden)}"


def _cases(options: Options) -> list[Case]:
    for name in options.workloads:
        if name not in WORKLOADS:
            raise Problem(
                f"there is no workload {name}, but: {', '.join((*WORKLOADS, *DISTURBED))}"
            )
    scale = Scale(options.quick, options.seconds or (2.0 if options.quick else 5.0))
    names = [name for name in WORKLOADS if name in options.workloads or not options.workloads]
    cases = [case for name in names for case in WORKLOADS[name](scale)]
    # One that runs already stores what it stores.
    return cases if options.url is None else [replace(case, postgres=False) for case in cases]


def _contenders(options: Options) -> list[Contender]:
    if options.url is not None:
        return [_elsewhere(options.url, options)]
    for name in options.peers:
        if name != "all" and name not in PEERS:
            raise Problem(f"there is no peer {name}, but: {', '.join(PEERS)}, all")
        if name != "all" and (why := PEERS[name].missing()) is not None:
            raise Problem(f"{name} cannot be measured: {why}")
    able = [name for name, each in PEERS.items() if "all" in options.peers and not each.missing()]
    names = dict.fromkeys([*(name for name in options.peers if name != "all"), *able])
    return [Palaver(options.durability), *(PEERS[name] for name in names)]


def _elsewhere(url: str, options: Options) -> Elsewhere:
    if options.peers or options.profile:
        raise Problem(
            "--peer and --profile are for servers that are started here, not for --target"
        )
    try:
        if options.tokens is not None:
            tokens = Tokens(given=options.tokens.read_text().split())
        elif options.secret is not None:
            tokens = Tokens(options.secret)
        else:
            raise Problem("--target needs --secret or --tokens, to sign in")
        return Elsewhere(url, tokens, options.pid)
    except (OSError, ValueError) as error:
        raise Problem(str(error)) from None
