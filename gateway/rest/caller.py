"""A user who asks by HTTP, as the actors see them: no device, and no longer there than the request.

What was submitted is carried out whether or not somebody still waits for the answer.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from ...actors.asker import Asker
from ...actors.outbox import Parcel
from ...protocol.errors import Rejected
from ...protocol.frames import Item
from ...protocol.ids import is_uuid
from ..auth import Identity
from ..gateway import Gateway

_AT_ONCE: Final = 8


class Asks(Protocol):
    """Who asks by HTTP: a user (`Caller`), or the host (`service/caller.py`). `pushed` is what came
    before the last answer."""

    user: str
    pushed: list[dict[str, Any]]

    async def ask(
        self, command: str, payload: dict[str, Any] | None = None, conversation: str | None = None
    ) -> dict[str, Any]: ...


class Caller(Asker):
    """`pushed` is what came before the last answer: the events of a resume. Nothing else is pushed,
    since it follows nothing."""

    counted = True

    def __init__(self, gateway: Gateway, identity: Identity) -> None:
        super().__init__(
            identity.user,
            _AT_ONCE,
            role=identity.role,
            session=identity.session,
            limited=True,
        )
        self.identity = identity
        self.pushed: list[dict[str, Any]] = []
        self._engine = gateway.engine
        self._timeout_s = gateway.settings.actors.ask_timeout_s

    async def ask(
        self, command: str, payload: dict[str, Any] | None = None, conversation: str | None = None
    ) -> dict[str, Any]:
        """The `ok` of the Reply, or its `Rejected`. It goes the way of what a socket brings."""
        if conversation is not None and not is_uuid(conversation):
            raise Rejected("CONVERSATION_NOT_FOUND")
        self.pushed = []
        id = self.next_id()
        self._engine.submit(self, Item(command, id, conversation, None, payload or {}))
        return await self.outcome(id, self._timeout_s)

    def offer(self, parcel: Parcel) -> None:
        self.pushed += [push.item for push in parcel.pushes]
