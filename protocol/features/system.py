"""System messages: what the host says in a conversation, without a human sender (MSG-26)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ..commands import Context, DurableCommand, Effect
from ..content import check_metadata, check_text
from ..entities import links
from ..events import Event, EventData
from ..immutable import immutable
from ..message import PREVIEW_CHARS
from ..state import ConversationState


@immutable
class MessagePosted(EventData):
    """A message of the system: it has no `by`, is not counted as unread, and nobody can edit or
    delete it."""

    name: ClassVar[str] = "message.posted"
    is_message: ClassVar[bool] = True

    text: str
    metadata: dict[str, Any] | None = None
    format: str | None = None
    entities: list[dict[str, Any]] | None = None

    def apply(self, state: ConversationState, event: Event) -> None:
        state.last = {
            "id": event.id,
            "seq": event.seq,
            "ts": event.at,
            "text": self.text[:PREVIEW_CHARS],
        }


class PostMessage(DurableCommand):
    """For the host only: see `Engine.post`."""

    name: ClassVar[str] = "message.post"
    host_only: ClassVar[bool] = True
    while_locked: ClassVar[bool] = True

    text: str
    metadata: dict[str, Any] | None = None

    def decide(self, state: ConversationState, context: Context) -> Iterable[Effect]:
        check_text(self.text, context.policy)
        if self.metadata is not None:
            check_metadata(self.metadata, context.policy)
        policy = context.policy
        yield MessagePosted(
            text=self.text,
            metadata=self.metadata,
            format=None if policy.format == "plain" else policy.format,
            entities=links(self.text, policy.max_entities),
        )
