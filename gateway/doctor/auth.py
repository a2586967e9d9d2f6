"""Whether tokens can be checked, and whether they leak. Never says a secret."""

from __future__ import annotations

from collections.abc import Iterator

from ...engine import StartupError
from ...engine.doctor import Finding, ok, problem, warning
from ...engine.sections import Auth
from ...engine.settings import Settings
from ..auth import TokenVerifier
from ..auth.documents import Unreadable, is_url, reader
from ..auth.jwks import KeySet
from ..listeners import on_loopback

_ABOUT = "tokens"


def check_tokens(settings: Settings) -> Iterator[Finding]:
    auth = settings.auth
    keys = (auth.secret, auth.public_key, auth.public_key_file, auth.jwks)
    if not any(keys) and on_loopback(settings.listen):
        yield warning(
            _ABOUT,
            "no secret is configured, so `palaver serve` runs in development mode and makes one up",
            "For production set PALAVER_AUTH__SECRET to at least 32 random bytes.",
        )
        return
    try:
        TokenVerifier(auth)
    except StartupError as error:
        yield problem(_ABOUT, str(error), "Correct auth in the settings; a start would be refused.")
    else:
        yield ok(_ABOUT, f"they are checked with {', '.join(auth.algorithms)}")


def check_sources(auth: Auth) -> Iterator[Finding]:
    if "query" in auth.token_sources:
        yield warning(
            _ABOUT,
            "they may come in URLs, which end up in logs of proxies",
            "Take `query` out of auth.token_sources.",
        )


async def check_jwks(auth: Auth) -> list[Finding]:
    """Of a URL; a file was read with the rest."""
    if auth.jwks is None or not is_url(auth.jwks):
        return []
    try:
        async with reader(auth.jwks) as read:
            document = await read()
        KeySet(document.data, auth.algorithms)
    except Unreadable as why:
        return [
            problem(
                "auth.jwks",
                f"no keys can be had from it ({why}): nobody could sign in after a start",
                "See to the address and to the network between.",
            )
        ]
    return [ok("auth.jwks", "keys were read from it")]
