"""`palaver webhooks`: telling the product again what was stored."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from .options import Config, Data, Dsn, duration, load_settings
from .words import Problem, in_words, ungrouped

webhooks = typer.Typer(
    no_args_is_help=True,
    help="What the product is told of stored events.",
    rich_markup_mode=None,
)


@webhooks.callback()
def _webhooks() -> None: ...


@webhooks.command()
@in_words
def replay(
    since: Annotated[
        str, typer.Option(help="From then on: 2026-01-31T12:00:00Z, or so long ago: 90s, 2h, 30d.")
    ],
    conversation: Annotated[str | None, typer.Option(help="Of this one only.")] = None,
    dsn: Dsn = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Have stored events told again, by the engine that runs or the next one: those of the kinds
    that webhooks.events names, under the ids under which they were told before."""
    import trio

    from ...engine import StartupError
    from ...engine.webhooks import replay_webhooks
    from ...protocol.ids import is_uuid

    if conversation is not None and not is_uuid(conversation):
        raise Problem(f"{conversation!r} is no id of a conversation.")
    settings = load_settings(config, storage={"dsn": dsn, "data": data})
    try:
        with ungrouped():
            count = trio.run(partial(replay_webhooks, settings, _time(since), conversation))
    except StartupError as error:
        raise Problem(str(error)) from None
    typer.echo(f"{count:,} will be told again.")


def _time(since: str) -> int:
    """In milliseconds."""
    try:
        at = datetime.fromisoformat(since)
    except ValueError:
        return round((time.time() - duration(since)) * 1000)
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return round(at.timestamp() * 1000)
