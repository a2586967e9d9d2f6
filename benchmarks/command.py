"""`palaver bench`, as the entry point `palaver.commands` of this package makes it known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..gateway.cli.serve import Durability
from ..gateway.cli.words import Problem, in_words


@in_words
def bench(
    workloads: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORKLOAD]...",
            help="fanout, direct, durable, idle, connect, resume, history, inbox; all of them"
            " if none is named. Alone: outage (Postgres goes away), slow-reader (one never reads),"
            " receipts (everybody reads everything), blocks (do answers tell who blocks).",
            show_default=False,
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="The cases that say most, in two minutes.")
    ] = False,
    peer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Measure it beside palaver: fastapi, socketio, ws, redis. More than once if need"
            " be; `all` are those that can run here.",
            show_default=False,
        ),
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(help="Of everything; medians are shown [5; quick: 1].", min=1)
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Of each measured part [5; quick: 2].", min=0.05)
    ] = None,
    durability: Annotated[
        Durability, typer.Option(help="What a reply of palaver promises.")
    ] = Durability.write_behind,
    target: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A palaver that runs already: ws://host:port."),
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(help="Its secret for HS256 tokens.", envvar="PALAVER_AUTH__SECRET"),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Or tokens for it, one a line, each of another user."),
    ] = None,
    pid: Annotated[
        int | None, typer.Option(help="Its process, if it is on this machine: for CPU and memory.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Everything as JSON, instead of tables.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Leave a page with plots there.")
    ] = None,
    profile: Annotated[
        bool,
        typer.Option(
            "--profile", help="Leave flame graphs of the engine in DIR, or palaver-report."
        ),
    ] = False,
) -> None:
    """Measure palaver under load: what a message costs, how long it takes, how many there can be.

    Servers are started afresh for every run, with rate limits off; what was set is printed. Exits
    with 1 if a case has no valid run.
    """
    try:
        from .bench import Options, carry_out
    except ModuleNotFoundError as error:
        raise Problem(f"{error.name} is missing; install palaver[embedded,bench].") from None

    options = Options(
        workloads=workloads or (),
        quick=quick,
        peers=peer or (),
        repeats=repeats,
        seconds=seconds,
        durability=str(durability),
        url=target,
        secret=secret,
        tokens=tokens,
        pid=pid,
        json=json,
        report=report,
        profile=profile,
    )
    raise typer.Exit(0 if carry_out(options) else 1)
