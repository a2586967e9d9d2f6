"""A device that remembers everything it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import trio

from ...actors.outbox import Parcel, Push
from ...protocol.disconnects import Disconnect
from ...protocol.frames import Item
from ..engine import Engine


class Device:
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
        self.user = user
        self.role = role
        self.session = session
        self.limited = limited
        self.subscriptions: set[str] = set()
        self.items: list[dict[str, Any]] = []
        self.disconnects: list[Disconnect] = []
        self._engine = engine
        self._asked = 0
        self._waiting: dict[int | str, trio.Event] = {}
        engine.attach(self)

    def offer(self, parcel: Parcel) -> None:
        self.items.extend(push.item for push in parcel.pushes)

    def answer(self, replies: Sequence[Push], after: Parcel | None = None) -> None:
        if after is not None:
            self.offer(after)
        for push in replies:
            self.items.append(push.item)
            if (waiting := self._waiting.get(push.item["id"])) is not None:
                waiting.set()

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
        self._asked += 1
        id = f"ask {self._asked}"
        waiting = self._waiting[id] = trio.Event()
        self.submit(kind, payload, c=c, id=id)
        await waiting.wait()
        del self._waiting[id]
        return self.reply(id)

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
