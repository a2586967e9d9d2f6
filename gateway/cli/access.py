"""How commands that talk to a server get to it: where it is, and who asks."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import development
from .options import load_settings, local_url
from .token import mint
from .words import Problem

if TYPE_CHECKING:
    from ..client import Backoff, Client

As = Annotated[str | None, typer.Option("--as", help="Who you are, without --token.")]
Url = Annotated[str | None, typer.Option(help="The server; by default the one on this machine.")]
Token = Annotated[
    str | None,
    typer.Option(help="What the server knows you by; without --as, by default $PALAVER_TOKEN."),
]
Ca = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Trust this certificate or authority, for wss://."),
]


@dataclass(frozen=True, slots=True)
class Access:
    url: str
    token: Any
    """Or a function that makes a fresh one."""
    ssl_context: ssl.SSLContext | None
    http_url: str | None = None

    def client(self, **options: Any) -> Client:
        from ..client import Client

        return Client(
            self.url,
            self.token,
            ssl_context=self.ssl_context,
            http_url=self.http_url,
            **options,
        )

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """What can come of its client becomes a `Problem`."""
        from ..client import ClientEnded, NoAnswer, ReconnectFailed, Rejected

        try:
            yield
        except ReconnectFailed as failed:
            raise Problem(f"no connection to {self.url}: {failed.reason}.") from None
        except (ClientEnded, NoAnswer) as error:
            raise Problem(f"{error}.") from None
        except Rejected as rejection:
            raise Problem(rejection.message) from None


def at_first(again: Backoff) -> Backoff:
    """For scripts: the first attempt is the only one; a connection that there was comes back as
    `again` says."""
    first = True

    def bounds() -> Iterator[float]:
        nonlocal first
        if not first:
            return again()
        first = False
        return iter(())

    return bounds


def access(
    user: str | None,
    token: str | None,
    url: str | None,
    ca: Path | None,
    config: Path | None,
    data: Path | None,
    *,
    http_url: str | None = None,
) -> Access:
    """What the options say, or the settings of the server on this machine. Raises `Problem`."""
    from ...engine.settings import TOKEN_VARIABLE
    from ..client import Address

    if user is None:
        token = token or os.environ.get(TOKEN_VARIABLE)
    if user is None and not token:
        raise Problem("who are you? Say --as NAME, or give a --token.")
    settings = load_settings(config, storage={"data": data})
    if url is None:
        listen, tls = settings.listen, settings.tls.certificate is not None
        url = local_url(listen.host, listen.port, tls=tls)
        http_url = http_url or "http" + local_url(
            listen.host, listen.http_port, tls=tls
        ).removeprefix("ws")
    try:
        Address.parse(url)
    except ValueError as error:
        raise Problem(f"{error}.") from None
    context = _trusting(ca) if ca is not None else None
    return Access(url, token or _own_token(user or "", settings), context, http_url)


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
