"""`palaver migrate`: bring the database up to date without serving."""

from __future__ import annotations

import typer

from .options import Config, Data, Dsn, load_settings
from .words import Problem, in_words, ungrouped


@in_words
def migrate(dsn: Dsn = None, data: Data = None, config: Config = None) -> None:
    """Apply the migrations that the database lacks, and print their names.

    `palaver serve` does this by itself; here it can be done ahead of time.
    """
    import trio

    from ...engine import StartupError
    from ...engine import migrate as apply

    settings = load_settings(config, storage={"dsn": dsn, "data": data})
    try:
        with ungrouped():
            applied = trio.run(apply, settings)
    except StartupError as error:
        raise Problem(str(error)) from None
    for name in applied:
        typer.echo(name)
    typer.echo(f"{len(applied)} applied." if applied else "The database is up to date.")
