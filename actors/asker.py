"""A caller inside this process that waits for answers: an outbox without a socket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import trio

from ..protocol.disconnects import Disconnect
from ..protocol.errors import Rejected
from .outbox import Parcel, Push


class Asker:
    """Waits for the Replies to its own commands, each under its own id; takes no events.

    At most `capacity` may be waited for; one more is OVERLOADED.
    """

    counted = False

    def __init__(
        self,
        user: str,
        capacity: int,
        *,
        role: str | None = None,
        session: str | None = None,
        limited: bool = False,
    ) -> None:
        self.user = user
        self.role = role
        self.session = session
        self.limited = limited
        self._capacity = capacity
        self.subscriptions: set[str] = set()
        self._next = 0
        self._replies: dict[str, trio.Event | dict[str, Any]] = {}

    def next_id(self) -> str:
        """A fresh id, whose Reply will be kept for `answered`."""
        if len(self._replies) >= self._capacity:
            raise Rejected("OVERLOADED", retry_after=1.0)
        self._next += 1
        id = f"ask {self._next}"
        self._replies[id] = trio.Event()
        return id

    async def answered(self, id: str) -> dict[str, Any]:
        """The Reply under `id`, as an item. Waits without limit: set a deadline."""
        try:
            waiting = self._replies[id]
            if isinstance(waiting, trio.Event):
                await waiting.wait()
            item = self._replies[id]
        finally:
            self._replies.pop(id, None)
        assert isinstance(item, dict)
        return item

    async def outcome(self, id: str, timeout_s: float) -> dict[str, Any]:
        """The result under `id`, or its `Rejected`; UNAVAILABLE after `timeout_s`."""
        with trio.move_on_after(timeout_s):
            return _result(await self.answered(id))
        raise Rejected("UNAVAILABLE", "No answer in time; the outcome is unknown.")

    def offer(self, parcel: Parcel) -> None: ...

    def answer(self, replies: Sequence[Push], after: Parcel | None = None) -> None:
        for push in replies:
            waiting = self._replies.get(push.item["id"])
            if isinstance(waiting, trio.Event):  # otherwise nobody waits any more
                self._replies[push.item["id"]] = push.item
                waiting.set()

    def close(self, disconnect: Disconnect) -> None: ...


def _result(reply: dict[str, Any]) -> dict[str, Any]:
    if (error := reply.get("error")) is not None:
        raise Rejected(
            error["code"],
            error["message"],
            details=error.get("details"),
            retry_after=error.get("retry_after"),
            correlation=error.get("correlation"),
        )
    result: dict[str, Any] = reply["ok"]
    return result
