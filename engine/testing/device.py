"""A device that remembers everything it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...actors.asker import Asker
from ...actors.outbox import Parcel, Push
from ...protocol.disconnects import Disconnect
from ...protocol.frames import Item
from ..engine import Engine

MAX_ASKS = 10_000


class Device(Asker):
    """One device of `user`, attached to `engine` until `leave`.

    `items` is everything in the order in which a client would have got it, Replies included.
    `limited` makes the rates of `settings.limits` hold for it, as for a connection.
    """

    def __init__(
        self,
        engine: Engine,
        user: str,
        *,
        role: str | None = None,
        session: str | None = None,
        limited: bool = False,
    ) -> None:
        super().__init__(user, MAX_ASKS, role=role, session=session, limited=limited)
        self.items: list[dict[str, Any]] = []
        self.disconnects: list[Disconnect] = []
        self._engine = engine
        engine.attach(self)

    def offer(self, parcel: Parcel) -> None:
        self.items.extend(push.item for push in parcel.pushes)

    def answer(self, replies: Sequence[Push], after: Parcel | None = None) -> None:
        if after is not None:
            self.offer(after)
        self.items.extend(push.item for push in replies)
        super().answer(replies)

    def close(self, disconnect: Disconnect) -> None:
        self.disconnects.append(disconnect)

    def leave(self) -> None:
        self._engine.detach(self)

    def submit(
        self,
        kind: str,
        payload: dict[str, Any] | None = None,
        *,
        c: str | None = None,
        id: int | str | None = None,
        seq: int | None = None,
    ) -> None:
        """Send one item, as its connection would."""
        self._engine.submit(self, Item(kind, id, c, seq, payload or {}))

    async def ask(
        self, kind: str, payload: dict[str, Any] | None = None, *, c: str | None = None
    ) -> dict[str, Any]:
        """Send one item and wait for its Reply. Waits without limit: set a deadline."""
        id = self.next_id()
        self.submit(kind, payload, c=c, id=id)
        return await self.answered(id)

    def of_kind(self, *kinds: str) -> list[dict[str, Any]]:
        """The items of these kinds, in order."""
        return [item for item in self.items if item["t"] in kinds]

    def events(self, conversation: str | None = None) -> list[dict[str, Any]]:
        """The numbered items, of one conversation or of all."""
        return [
            item
            for item in self.items
            if "seq" in item and (conversation is None or item["c"] == conversation)
        ]

    def texts(self) -> list[str]:
        """The texts of the messages that were sent to it."""
        return [item["d"]["text"] for item in self.of_kind("message.sent")]

    def reply(self, id: int | str) -> dict[str, Any]:
        """The one Reply to the command of this id."""
        (reply,) = [item for item in self.of_kind("reply") if item["id"] == id]
        return reply
