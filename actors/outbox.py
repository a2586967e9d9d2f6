"""What leaves the actors: items, encoded once for all, offered to whoever listens.

Upward there are only these non-blocking offers, never an ask, so no cycle of waiting can form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..protocol.disconnects import Disconnect
from ..protocol.events import Event
from ..protocol.message import Message


class Wire(Protocol):
    """How one kind of connection writes an item: codec and framing together.

    The bytes must not depend on the connection, so that the same ones serve every member.
    """

    def frame(self, item: dict[str, Any]) -> bytes: ...


class Push:
    """One item on its way out, with its bytes for each `Wire` that has asked so far.

    Without an `item` it is that of the `event`, made whenever it is asked for: once, as a rule, for
    the bytes. What stays in a ring is much smaller without it. `quoted` is the message that the
    item shows a preview of.
    """

    __slots__ = ("_item", "_others", "event", "frame", "quoted", "wire")

    def __init__(
        self,
        item: dict[str, Any] | None,
        event: Event | None = None,
        quoted: Message | None = None,
    ) -> None:
        self.event = event
        self.quoted = quoted
        self.wire: Wire | None = None
        """the first that asked, and nearly always the only one: `frame` is for it"""
        self.frame = b""
        self._item = item
        self._others: dict[Wire, bytes] | None = None

    @property
    def item(self) -> dict[str, Any]:
        if self._item is not None:
            return self._item
        assert self.event is not None, "one of them is given"
        return self.event.item()

    def encoded(self, wire: Wire) -> bytes:
        if self.wire is wire:
            return self.frame
        if self.wire is None:
            self.wire, self.frame = wire, wire.frame(self.item)
            return self.frame
        if self._others is None:
            self._others = {}
        frame = self._others.get(wire)
        if frame is None:
            frame = self._others[wire] = wire.frame(self.item)
        return frame


class Parcel:
    """What one wake-up produced for the same readers: joined once, written once per reader.

    A `droppable` one holds signals only: it may be left out where a reader is slow.
    """

    __slots__ = ("_joined", "droppable", "frame", "pushes", "wire")

    def __init__(self, pushes: Sequence[Push], *, droppable: bool = False) -> None:
        self.pushes = pushes
        self.droppable = droppable
        self.wire: Wire | None = None
        """the last that asked: `frame` is for it"""
        self.frame = b""
        self._joined: dict[Wire, bytes] | None = None

    def encoded(self, wire: Wire) -> bytes:
        if self.wire is wire:
            return self.frame
        if self.wire is None:
            self.frame = self._join(wire)
        else:
            if self._joined is None:
                self._joined = {}
            self._joined[self.wire] = self.frame
            self.frame = self._joined.get(wire) or self._join(wire)
        self.wire = wire
        return self.frame

    def _join(self, wire: Wire) -> bytes:
        if len(self.pushes) == 1:
            return self.pushes[0].encoded(wire)
        return b"".join([push.encoded(wire) for push in self.pushes])


class Outbox(Protocol):
    """One device of one user, as the actors see it: a connection, or a caller in this process.

    Parcels and answers arrive in the order in which they were given. No method blocks or raises.
    """

    @property
    def user(self) -> str: ...

    @property
    def role(self) -> str | None:
        """The user's role in the host's product; guards see it."""
        ...

    @property
    def session(self) -> str | None:
        """The id of the host's session behind this connection; guards see it."""
        ...

    @property
    def limited(self) -> bool:
        """Whether what comes through it counts against its user's rates (SEC-03, CONN-04): not if
        the host itself asks."""
        ...

    @property
    def counted(self) -> bool:
        """Whether its requests were counted where they came in, and its commands are not (C-28)."""
        ...

    @property
    def subscriptions(self) -> set[str]:
        """Conversations whose signals it wants. Only conversation actors change it."""
        ...

    def offer(self, parcel: Parcel) -> None:
        """Take `parcel`. What does not fit is dropped if droppable; otherwise it ends the
        connection, whose client then recovers by its positions (SEND-25)."""
        ...

    def answer(self, replies: Sequence[Push], after: Parcel | None = None) -> None:
        """Take the Replies to commands that were submitted through this outbox, each once; and
        before them, in the same write, the parcel `after` which they come."""
        ...

    def close(self, disconnect: Disconnect) -> None:
        """End the connection after what it has been given already."""
        ...
