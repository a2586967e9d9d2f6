"""`palaver jobs`: what could not be done in time, and trying it again."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from .options import Config, Data, Dsn, load_settings
from .words import Problem, in_words, ungrouped

if TYPE_CHECKING:
    from ...engine.settings import Settings

T = TypeVar("T")

jobs = typer.Typer(
    no_args_is_help=True,
    help="Jobs that were given up: scheduled messages, expiry, purges.",
    rich_markup_mode=None,
)

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@jobs.command("list")
@in_words
def list_(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many at most.")] = 100,
    dsn: Dsn = None,
    data: Data = None,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show the jobs that were given up, the oldest first, also while an engine is running.

    What a message says is not shown.
    """
    from ...engine.jobs import dead_jobs

    found = _run(dead_jobs, load_settings(config, storage={"dsn": dsn, "data": data}), limit)
    rows = [
        {
            "id": job.id,
            "kind": job.kind,
            "due": _time(job.due),
            "attempts": job.attempts,
            "error": job.error,
            "conversation": job.data.get("conversation"),
        }
        for job in found
    ]
    if as_json:
        import json

        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        typer.echo("  ".join(str(value) for value in row.values()))
    if not rows:
        typer.echo("No job was given up.")


@jobs.command()
@in_words
def retry(
    ids: Annotated[list[str] | None, typer.Argument(help="Which ones; see `list`.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    dsn: Dsn = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Have them tried again, from the beginning, by the engine that runs or the next one."""
    from ...engine.jobs import retry_jobs

    if bool(ids) == all_:
        raise Problem("say which ones, or --all.")
    for id in ids or ():
        if not _UUID.fullmatch(id):
            raise Problem(f"{id!r} is no id of a job; see `palaver jobs list`.")
    settings = load_settings(config, storage={"dsn": dsn, "data": data})
    count = _run(retry_jobs, settings, ids)
    typer.echo(f"{count:,} will be tried again.")


def _run(
    action: Callable[[Settings, Any], Coroutine[Any, Any, T]], settings: Settings, argument: Any
) -> T:
    import trio

    from ...engine import StartupError

    try:
        with ungrouped():
            return trio.run(action, settings, argument)
    except StartupError as error:
        raise Problem(str(error)) from None


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
