"""A client that waits by HTTP: told like a device that something happens, and what that is about.

What has a number is not taken from here but asked for by position, so that nothing depends on who
waited when; only signals, which are nowhere else, are kept.
"""

from __future__ import annotations

from typing import Any, Final

import trio

from ...actors.outbox import Parcel
from ...protocol.disconnects import REVOKED, Disconnect
from ...protocol.errors import Rejected
from ..auth import Identity
from ..gateway import Gateway
from .caller import Caller

MAX_SIGNALS: Final = 100
_MARKS: Final = frozenset({"message.read", "message.delivered", "message.receipts"})
_SIGNALS: Final = frozenset(
    {"typing.started", "typing.stopped", "presence.changed", "message.mentioned"}
)


class Poll(Caller):
    """`touched` are conversations where something with a number has happened, or a mark moved;
    `items` what is told as it came: signals, and events that take others back."""

    def __init__(self, gateway: Gateway, identity: Identity) -> None:
        super().__init__(gateway, identity)
        self.touched: set[str] = set()
        self.items: list[dict[str, Any]] = []
        self._why: Disconnect | None = None
        self._news = trio.Event()

    def offer(self, parcel: Parcel) -> None:
        for push in parcel.pushes:
            self._take(push.item)

    def _take(self, item: dict[str, Any]) -> None:
        kind, conversation = item["t"], item.get("c")
        if kind in _SIGNALS or kind == "void":
            if len(self.items) < MAX_SIGNALS:
                self.items.append(item)
        elif conversation is not None and ("seq" in item or kind in _MARKS | {"conversation.head"}):
            self.touched.add(conversation)
        elif "n" not in item:
            return
        self._news.set()

    def close(self, disconnect: Disconnect) -> None:
        self._why = disconnect
        self._news.set()

    async def news(self) -> None:
        """Return when something has happened since it was asked last. Raises SESSION_EXPIRED if the
        session was revoked, UNAVAILABLE if the server goes."""
        await self._news.wait()
        self._news = trio.Event()
        if self._why is not None:
            if self._why is REVOKED:
                raise Rejected("SESSION_EXPIRED")
            raise Rejected("UNAVAILABLE", retry_after=1.0)
