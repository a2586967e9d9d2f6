"""`palaver chat`: a plain chat in the terminal, and a living example of the client."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .access import As, Ca, Token, Url, access
from .options import Config, Data
from .words import Problem, in_words, ungrouped


@in_words
def chat(
    members: Annotated[
        list[str] | None, typer.Argument(help="With --group: who else is to be in it.")
    ] = None,
    user: As = None,
    to: Annotated[str | None, typer.Option("--with", help="Talk to this user.")] = None,
    group: Annotated[
        str | None, typer.Option(help="Talk in the group of this title; it is made if need be.")
    ] = None,
    conversation: Annotated[str | None, typer.Option(help="Talk in this one, by its id.")] = None,
    url: Url = None,
    http_url: Annotated[
        str | None,
        typer.Option(help="Where it speaks HTTP, for /send; by default beside --url."),
    ] = None,
    token: Token = None,
    ca: Ca = None,
    outbox: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep here what cannot be sent yet, for the next time."),
    ] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Chat in the terminal. /help tells the rest.

    On the machine of a development server no token is needed: palaver chat --as ann --with bob
    """
    import trio

    from ..client import DiskOutbox
    from .session import Opening, run

    if sum(choice is not None for choice in (to, group, conversation)) > 1:
        raise Problem("choose one of --with, --group and --conversation.")
    if members and group is None:
        raise Problem(f"{members[0]!r} is one word too many; to talk to a user say --with.")
    way = access(user, token, url, ca, config, data, http_url=http_url)
    opening = Opening(to=to, group=group, members=members or [], conversation=conversation)
    kept = DiskOutbox(outbox) if outbox is not None else None
    with ungrouped():
        trio.run(run, way, opening, kept)
