"""The command line: `palaver serve`, `chat`, `tail`, `send`, `token`, `migrate`, `spool`,
`jobs`, `webhooks`, `config`, `doctor`.

Commands import what they need when they are called, so that `palaver --help` is quick.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from io import TextIOWrapper
from typing import Annotated

import typer

from ... import __version__
from .chat import chat
from .config import config
from .doctor import doctor
from .jobs import jobs
from .migrate import migrate
from .send import send
from .serve import serve
from .spool import spool
from .tail import tail
from .token import token
from .webhooks import webhooks

app = typer.Typer(
    name="palaver",
    help="Messaging in which a reply means durable. Begin with: palaver serve",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"palaver {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None: ...


app.command()(serve)
app.command()(chat)
app.command()(tail)
app.command()(send)
app.command()(token)
app.command()(migrate)
app.command()(spool)
app.add_typer(jobs, name="jobs")
app.add_typer(webhooks, name="webhooks")
app.command()(config)
app.command()(doctor)


def main() -> None:
    """The console script; other packages add commands by entry points `palaver.commands`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # what people say does not fit into any code page
    for entry in entry_points(group="palaver.commands"):
        app.command(entry.name)(entry.load())
    app()
