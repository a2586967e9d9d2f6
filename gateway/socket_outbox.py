"""A connected device as the actors see it: an `Outbox` that writes to a WebSocket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import trio

from ..actors.outbox import Parcel, Push
from ..protocol.disconnects import Disconnect
from .auth import Identity
from .metrics import Counters
from .wire import WebSocketWire
from .write_side import WriteSide


class SocketOutbox:
    """Frames reach the wire in the order in which they were given, answers among pushes.

    Until it is opened, it holds what it is offered: the client's welcome comes first. It also
    counts: `in_flight` commands were submitted through it and are not yet answered.
    """

    __slots__ = (
        "_close",
        "_counters",
        "_held",
        "_leaving",
        "_limit",
        "_room",
        "_side",
        "_wire",
        "in_flight",
        "role",
        "session",
        "subscriptions",
        "user",
    )

    limited: Final = True

    def __init__(
        self,
        identity: Identity,
        wire: WebSocketWire,
        side: WriteSide,
        close: Callable[[Disconnect], None],
        limit: int,
        counters: Counters,
    ) -> None:
        self.user = identity.user
        self.identified(identity)
        self.subscriptions: set[str] = set()
        self.in_flight = 0
        self._wire = wire
        self._side = side
        self._close = close
        self._limit = limit
        self._counters = counters
        self._held: list[Parcel] | None = []
        self._room: trio.Event | None = None
        self._leaving: Disconnect | None = None

    def identified(self, identity: Identity) -> None:
        """The user has signed in (again): what follows is said in this role and session."""
        self.role = identity.role
        self.session = identity.session

    def open(self, welcome: bytes) -> None:
        """Write `welcome`, then what was offered before it."""
        self._side.write(welcome)
        held, self._held = self._held, None
        for parcel in held or ():
            self.offer(parcel)

    def offer(self, parcel: Parcel) -> None:
        if self._held is not None:
            self._held.append(parcel)
            return
        self._side.write(parcel.encoded(self._wire), parcel.droppable)

    def answer(self, replies: Sequence[Push]) -> None:
        frame = self._wire.frame
        self._side.write(b"".join([frame(reply.item) for reply in replies]))
        self._counters.replied(replies)
        self.in_flight -= len(replies)
        if self._room is not None and self.in_flight < self._limit:
            self._room.set()
            self._room = None
        if self._leaving is not None and not self.in_flight:
            self._close(self._leaving)

    def close(self, disconnect: Disconnect) -> None:
        self._close(disconnect)

    @property
    def full(self) -> bool:
        """As many commands as may be are in flight."""
        return self.in_flight >= self._limit

    @property
    def leaving(self) -> bool:
        return self._leaving is not None

    async def room(self) -> None:
        """Return when it is no longer `full`. Only the reader of the connection waits here."""
        if self.full:
            self._room = trio.Event()
            await self._room.wait()

    def leave(self, disconnect: Disconnect) -> None:
        """Close as soon as nothing is in flight any more."""
        self._leaving = disconnect
        if not self.in_flight:
            self._close(disconnect)
