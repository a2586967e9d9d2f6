"""What the methods of a client are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypedDict, TypeVar, cast

from .outgoing import Outgoing

T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Called with how many bytes of a file went, and how many there are."""


class MessageOptions(TypedDict, total=False):
    """What a message says besides its text (docs/protocol.md, *What a message holds*)."""

    reply_to: str | None
    """The id of a message of the same conversation."""
    thread: str | None
    """The id of the message under which it hangs."""
    type: str | None
    metadata: dict[str, Any] | None
    mentions: Sequence[str] | None
    attachments: Sequence[dict[str, Any]] | None
    uploads: Sequence[str] | None
    """What `Client.upload` gave."""
    context: dict[str, Any] | None
    expires_in: int | None
    """Seconds."""
    client_id: str | None


class Calling:
    async def call(
        self, name: str, payload: dict[str, Any] | None = None, c: str | None = None
    ) -> dict[str, Any]:
        raise NotImplementedError

    async def _ask(
        self, kind: type[T], name: str, payload: dict[str, Any] | None = None, c: str | None = None
    ) -> T:
        """`call`, of which it is known what it returns."""
        return cast(T, await self.call(name, payload, c))

    async def enqueue_call(
        self, name: str, payload: dict[str, Any] | None = None, c: str | None = None
    ) -> Outgoing:
        raise NotImplementedError


def given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
