"""A connected device as the actors see it: an `Outbox` that writes to a WebSocket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import trio

from ..actors.outbox import Parcel, Push
from ..protocol.disconnects import Disconnect
from ..protocol.features.edits import MessageVersions
from ..protocol.features.history import MessageHistory, Resume
from ..protocol.features.media import ListMedia
from ..protocol.features.pins import ListPins
from ..protocol.features.search import SearchMessages
from ..protocol.features.threads import ListThread
from ..protocol.frames import Item
from .auth import Identity
from .metrics import Counters
from .wire import WebSocketWire
from .write_side import WriteSide

PAGES: Final = frozenset(
    query.name
    for query in (
        *(MessageHistory, MessageVersions, SearchMessages, Resume),
        *(ListMedia, ListPins, ListThread),
    )
)
"""Queries whose answers are as large as the client asks for."""


class SocketOutbox:
    """Frames reach the wire in the order in which they were given, answers among pushes.

    Until it is opened, it holds what it is offered: the client's welcome comes first. It also
    counts: `in_flight` commands were submitted through it and are not yet answered.

    Pages, which may be large, are asked for one at a time, when all before is written. So a client
    that asks for many and reads them is never a slow consumer, and what waits for one that does
    not read is bounded: `outbox_bytes` and one page.
    """

    __slots__ = (
        "_close",
        "_counters",
        "_held",
        "_leaving",
        "_limit",
        "_page",
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
    counted: Final = False

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
        self._page: int | str | None = None
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
        wire = self._wire
        # One call less for each member: the next one nearly always has the wire of the last.
        frame = parcel.frame if parcel.wire is wire else parcel.encoded(wire)
        self._side.write(frame, parcel.droppable)

    def answer(self, replies: Sequence[Push], after: Parcel | None = None) -> None:
        frames = [self._wire.frame(reply.item) for reply in replies]
        if after is not None:
            frames.insert(0, after.encoded(self._wire))
        self._side.write(b"".join(frames) if len(frames) > 1 else frames[0])
        self._counters.replied(replies)
        self.in_flight -= len(replies)
        if self._page is not None and any(reply.item["id"] == self._page for reply in replies):
            self._page = None
        if self._room is not None:
            self._room.set()
            self._room = None
        if self._leaving is not None and not self.in_flight:
            self._close(self._leaving)

    def close(self, disconnect: Disconnect) -> None:
        self._close(disconnect)

    def takes(self, item: Item) -> bool:
        """Whether `item` may be submitted now, or must wait for `room`."""
        if self.in_flight >= self._limit:
            return False
        return item.kind not in PAGES or (self._page is None and self._side.idle)

    def submitted(self, item: Item) -> None:
        """`item` is about to be, and has an id under which it will be answered."""
        self.in_flight += 1
        if item.kind in PAGES:
            self._page = item.id

    @property
    def leaving(self) -> bool:
        return self._leaving is not None

    async def room(self) -> None:
        """Return when something was answered or everything is written. Only the reader of the
        connection waits here."""
        if self._page is None and self.in_flight < self._limit:
            await self._side.drained()
        else:
            self._room = trio.Event()
            await self._room.wait()

    def leave(self, disconnect: Disconnect) -> None:
        """Close as soon as nothing is in flight any more."""
        self._leaving = disconnect
        if not self.in_flight:
            self._close(disconnect)
