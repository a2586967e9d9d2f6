"""`palaver spool`: what waits for Postgres in the local spool, and storing it now."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Config, Data, Dsn, load_settings
from .words import Problem, in_words, ungrouped

if TYPE_CHECKING:
    from ...engine.settings import Settings
    from ...engine.spool import SpoolReport


@in_words
def spool(
    drain: Annotated[
        bool,
        typer.Option(
            "--drain",
            help="Store it now, as the next start would; like that, it ends any other engine "
            "on the same database.",
        ),
    ] = False,
    dsn: Dsn = None,
    data: Data = None,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what waits for Postgres in the local spool, and what Postgres refused.

    Looking changes nothing, also while an engine is running. It ends with 0; with 1 if
    `--drain` found writes that Postgres refuses; with 2 if it could not be done.
    """
    settings = load_settings(config, storage={"dsn": dsn, "data": data})
    report = _look(settings)
    refused = report.summary.refused if report.summary else 0
    if drain and report.summary is not None and report.summary.waiting:
        _drain(settings)
        report = _look(settings)
    _print_json(report) if as_json else _print(report)
    if drain and report.summary is not None and report.summary.refused > refused:
        raise typer.Exit(1)


def _look(settings: Settings) -> SpoolReport:
    import trio

    from ...engine import StartupError
    from ...engine.spool import look_at_spool

    try:
        return trio.run(look_at_spool, settings)
    except StartupError as error:
        raise Problem(str(error)) from None


def _drain(settings: Settings) -> None:
    import trio

    from ...engine import StartupError
    from ...engine.spool import drain_spool

    def progress(line: str) -> None:
        typer.echo(line, err=True)

    try:
        with ungrouped():
            trio.run(drain_spool, settings, progress)
    except StartupError as error:
        raise Problem(str(error)) from None


def _print(report: SpoolReport) -> None:
    typer.echo(report.path)
    if (found := report.summary) is None:
        typer.echo("There is none yet: nothing waits for Postgres.")
        return
    if found.oldest is None:
        typer.echo("Nothing waits for Postgres.")
    else:
        typer.echo(
            f"{found.waiting:,} writes of {found.conversations:,} conversations wait for Postgres, "
            f"{found.bytes:,} bytes, the oldest for {_age(found.oldest):,.0f} s."
        )
    if found.refused:
        typer.echo(f"{found.refused:,} writes were refused by Postgres and are kept here:")
    for _, at, conversation, problem in report.refusals:
        written = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
        typer.echo(f"  {written}  {conversation}  {problem}")
    if found.refused > len(report.refusals):
        typer.echo(f"  and {found.refused - len(report.refusals):,} older ones")


def _print_json(report: SpoolReport) -> None:
    import json
    from dataclasses import asdict

    content: dict[str, object] = {"path": str(report.path), "exists": report.summary is not None}
    if (found := report.summary) is not None:
        content |= asdict(found)
        content["oldest_s"] = None if found.oldest is None else round(_age(found.oldest), 3)
    content["refusals"] = [refusal._asdict() for refusal in report.refusals]
    typer.echo(json.dumps(content, indent=2))


def _age(at: int) -> float:
    return time.time() - at / 1000
