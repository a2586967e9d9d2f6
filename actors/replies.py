"""Answers to the askers of one conversation, gathered until its events are on their way."""

from __future__ import annotations

from typing import Any

from ..protocol.commands import ConversationCommand
from ..protocol.errors import Rejected
from ..protocol.events import Event
from .outbox import Outbox, Push
from .pending import Pending
from .request import Request

Asked = Request[ConversationCommand]


def event_result(event: Event) -> dict[str, Any]:
    """The answer to the command that led to `event`, now and whenever it is repeated."""
    return {"c": event.conversation, "seq": event.seq, "id": event.id, "ts": event.at}


class Replies:
    """With `durable` False (durability `relaxed`) every result says so."""

    def __init__(self, *, durable: bool) -> None:
        self._durable = durable
        self.gathered: dict[Outbox, list[Push]] = {}

    def add(self, request: Asked, reply: Push | None) -> None:
        if reply is not None:
            self.gathered.setdefault(request.asker, []).append(reply)

    def ok(self, request: Asked, result: dict[str, Any]) -> None:
        self.add(request, self.ok_push(request, result))

    def no(self, request: Asked, error: Rejected) -> None:
        self.add(request, request.no(error))

    def ok_push(self, request: Asked, result: dict[str, Any]) -> Push | None:
        return request.ok(result if self._durable else {**result, "durable": False})

    def ok_all(self, pending: Pending) -> None:
        """Everybody who has asked for `pending` gets its result."""
        for request in pending.requests:
            self.ok(request, pending.result)
        pending.requests = ()

    def no_all(self, pending: Pending, error: Rejected) -> None:
        for request in pending.requests:
            self.no(request, error)
        pending.requests = ()

    def flush(self) -> None:
        if not self.gathered:
            return
        gathered, self.gathered = self.gathered, {}
        for asker, pushes in gathered.items():
            asker.answer(pushes)
