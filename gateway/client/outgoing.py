"""One command of the outgoing queue, from its keeping to its answer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import trio

from .calls import is_durable
from .errors import ClientEnded

Lane = tuple[str | None, str | None]

OutgoingState = Literal["queued", "sent", "failed"]


def is_repeatable(name: str, payload: dict[str, Any]) -> bool:
    """Whether the command may be repeated at any later time: it is idempotent by its client id, or
    by what it says. A read mark «up to the end» is not: the end moves."""
    marks = name == "message.read" and ("seq" in payload or "message_ids" in payload)
    return marks or is_durable(name)


@dataclass(slots=True, eq=False)
class Outgoing:
    """What `Client.enqueue` gives: a command that is kept until it has its answer.

    `payload` is that of the next attempt. `at`: when it was enqueued, in seconds since 1970.
    """

    name: str
    payload: dict[str, Any]
    conversation: str | None
    client_id: str
    at: float
    size: int
    """In bytes, as an item."""
    n: int = 0
    """Its place in the queue."""
    deadline: float = math.inf
    """By trio's clock."""
    result: dict[str, Any] | None = None
    error: Exception | None = None
    _over: trio.Event = field(default_factory=trio.Event)

    @property
    def lane(self) -> Lane:
        """What keeps its order: the commands for one conversation, or to one user."""
        return self.conversation, self.payload.get("to") if self.conversation is None else None

    @property
    def state(self) -> OutgoingState:
        if self.result is not None:
            return "sent"
        return "queued" if self.error is None or isinstance(self.error, ClientEnded) else "failed"

    async def answer(self) -> dict[str, Any]:
        """Wait until it is durable; returns the `ok` of its Reply. If cancelled, it is still sent.

        Raises what `Failed` says, or `ClientEnded` if it is still kept when this client ends.
        """
        await self._over.wait()
        if self.result is not None:
            return self.result
        assert self.error is not None, "it ends with one of the two"
        raise self.error

    def succeed(self, result: dict[str, Any]) -> None:
        self.result = result
        self._over.set()

    def fail(self, error: Exception) -> None:
        self.error = error
        self._over.set()

    def may_have_happened(self) -> None:
        """The next attempt says that it is a repetition (SEND-06)."""
        if is_durable(self.name):
            self.payload["attempt"] = self.payload.get("attempt", 1) + 1

    def reopen(self) -> None:
        """Its client ended, and another takes it over."""
        self.error = None
        self._over = trio.Event()
        self.may_have_happened()
