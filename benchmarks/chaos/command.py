"""`palaver chaos`, as the entry point `palaver.commands` of this package makes it known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...gateway.cli.serve import Durability
from ...gateway.cli.words import Problem, in_words


@in_words
def chaos(
    seed: Annotated[int, typer.Option(help="Of the faults and of the load.")] = 1,
    seconds: Annotated[float, typer.Option(help="Of breaking; healing comes on top.", min=1)] = 30,
    durability: Annotated[
        Durability, typer.Option(help="What a reply is to have promised.")
    ] = Durability.write_behind,
    dsn: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Your own Postgres, which is then left in peace."),
    ] = None,
    users: Annotated[int, typer.Option(help="Two of three have two devices.", min=3)] = 12,
    rate: Annotated[float, typer.Option(help="Commands per second, of all.", min=1)] = 120,
    bound: Annotated[
        float, typer.Option(help="Under relaxed: seconds before a crash that may be lost.")
    ] = 1.0,
    directory: Annotated[
        Path | None, typer.Option(help="For histories and logs; kept if there is a violation.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Nothing but the verdict.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The verdict as one line of JSON.")] = False,
    patience: Annotated[float, typer.Option(help="Seconds in which all must have healed.")] = 60.0,
    sabotage: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Kill, stop and freeze engine, Postgres and network under load; then check every promise.

    Exits with 0 only if the histories of all clients and the database agree that every one was
    kept. What came of it stays on disk if not.
    """
    try:
        from .session import Plan, carry_out
    except ModuleNotFoundError as error:
        raise Problem(f"{error.name} is missing; install palaver[embedded,bench].") from None

    plan = Plan(
        seed=seed,
        seconds=seconds,
        durability=str(durability),
        users=users,
        rate=rate,
        dsn=dsn,
        relaxed_bound_s=bound,
        patience_s=patience,
        sabotage=sabotage,
    )
    raise typer.Exit(0 if carry_out(plan, directory, json=json, quiet=quiet) else 1)
