"""`palaver chat`: a plain chat in the terminal, and a living example of the client."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated, Any

import typer

from . import development
from .options import Config, Data, load_settings, local_url
from .token import mint
from .words import Problem, in_words, ungrouped


@in_words
def chat(
    members: Annotated[
        list[str] | None, typer.Argument(help="With --group: who else is to be in it.")
    ] = None,
    user: Annotated[str | None, typer.Option("--as", help="Who you are, without --token.")] = None,
    to: Annotated[str | None, typer.Option("--with", help="Talk to this user.")] = None,
    group: Annotated[
        str | None, typer.Option(help="Talk in the group of this title; it is made if need be.")
    ] = None,
    conversation: Annotated[str | None, typer.Option(help="Talk in this one, by its id.")] = None,
    url: Annotated[
        str | None, typer.Option(help="The server; by default the one on this machine.")
    ] = None,
    token: Annotated[str | None, typer.Option(help="What the server knows you by.")] = None,
    ca: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Trust this certificate or authority, for wss://."),
    ] = None,
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

    from ..client import Address, DiskOutbox
    from .session import Opening, run

    if sum(choice is not None for choice in (to, group, conversation)) > 1:
        raise Problem("choose one of --with, --group and --conversation.")
    if members and group is None:
        raise Problem(f"{members[0]!r} is one word too many; to talk to a user say --with.")
    if user is None and token is None:
        raise Problem("who are you? Say --as NAME, or give a --token.")
    settings = load_settings(config, storage={"data": data})
    if url is None:
        url = local_url(
            settings.listen.host, settings.listen.port, tls=settings.tls.certificate is not None
        )
    try:
        Address.parse(url)
    except ValueError as error:
        raise Problem(f"{error}.") from None
    opening = Opening(to=to, group=group, members=members or [], conversation=conversation)
    context = _trusting(ca) if ca is not None else None
    kept = DiskOutbox(outbox) if outbox is not None else None
    with ungrouped():
        trio.run(run, url, token or _own_token(user or "", settings), opening, context, kept)


def _trusting(ca: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:  # so is an SSLError
        reason = "no PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise Problem(f"--ca {ca}: {reason}.") from None
    # So that it need not be its own issuer.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _own_token(user: str, settings: Any) -> Any:
    """A function that makes a fresh one for each connection."""
    secret = development.local_secret(settings)
    if secret is None:
        raise Problem(
            "there is no development server on this machine to make a token for; start one with "
            "`palaver serve`, or give a --token."
        )

    async def fresh() -> str:
        return mint(user, secret, 3600, settings.auth)

    return fresh
