"""Signing in: the first item of every connection, and renewing it."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from .. import __version__
from ..engine.settings import Settings
from ..protocol.commands import Command, parse_command
from ..protocol.disconnects import (
    BAD_FRAME,
    BAD_TOKEN,
    BAD_VERSION,
    CONNECTION_LIMIT,
    DRAIN,
    PREMIUM_REQUIRED,
    RATE,
    Disconnect,
)
from ..protocol.errors import Rejected
from ..protocol.frames import VERSION, Item
from .auth import Authenticator, Identity

SERVER = f"palaver/{__version__}"


class Hello(Command):
    """`device` is the client's name for itself."""

    name: ClassVar[str] = "hello"

    token: str | None = None
    device: str | None = Field(default=None, max_length=64)


class Refresh(Command):
    """A new token for the same user, before the old one runs out."""

    name: ClassVar[str] = "refresh"

    token: str


_DISCONNECTS = {
    "AUTH_REQUIRED": BAD_TOKEN,
    "AUTH_FAILED": BAD_TOKEN,
    "SESSION_EXPIRED": BAD_TOKEN,
    "VALIDATION_FAILED": BAD_FRAME,
    "CONNECTION_LIMIT": CONNECTION_LIMIT,
    "PREMIUM_REQUIRED": PREMIUM_REQUIRED,
    "RATE_LIMITED": RATE,
    "UNAVAILABLE": DRAIN,
}


def refusal(no: Rejected) -> Disconnect:
    """How a connection ends that is not let in because of `no`."""
    if no.details is not None and no.details.get("field") == "v":
        return BAD_VERSION
    return _DISCONNECTS.get(no.code, BAD_TOKEN)


async def sign_in(
    item: Item, known: Identity | None, authenticator: Authenticator, *, token_in_hello: bool
) -> Identity:
    """Who says hello with `item`; `known` is who the handshake was with. Raises `Rejected`.

    The user is the token's alone: nothing else in the item could name one (DEF-01). A missing
    version means 1.
    """
    if item.kind != Hello.name:
        raise Rejected("AUTH_REQUIRED", "The first item must be hello.")
    if item.version not in (None, VERSION):
        raise Rejected(
            "VALIDATION_FAILED",
            f"v: this server speaks version {VERSION}",
            details={"field": "v", "supported": [VERSION]},
        )
    try:
        hello = parse_command(Hello, item.payload)
    except Rejected as no:
        if no.details is not None and no.details.get("field") == "token":
            raise Rejected("AUTH_FAILED") from None
        raise
    assert isinstance(hello, Hello)
    if token_in_hello and (known is None or hello.token is not None):
        return await authenticator.identify(hello.token)
    if known is None:
        raise Rejected("AUTH_REQUIRED")
    authenticator.confirm(known)
    return known


async def refreshed(item: Item, user: str, authenticator: Authenticator) -> Identity:
    """The identity of the new token, which must be of the same user."""
    refresh = parse_command(Refresh, item.payload)
    assert isinstance(refresh, Refresh)
    identity = await authenticator.identify(refresh.token)
    if identity.user != user:
        raise Rejected("AUTH_FAILED", "The token is somebody else's.")
    return identity


def welcome(
    item: Item, identity: Identity, connection: str, now: int, settings: Settings
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "t": "welcome",
        "v": VERSION,
        "ts": now,
        "d": {
            "user": identity.user,
            "connection": connection,
            "ttl": identity.ttl(),
            "heartbeat": settings.connections.heartbeat_s,
            "durability": settings.policy.durability,
            "durable": settings.policy.durability != "relaxed",
            "max_frame": settings.connections.max_frame_bytes,
            "server": SERVER,
        },
    }
    if item.id is not None:
        answer["id"] = item.id
    return answer
