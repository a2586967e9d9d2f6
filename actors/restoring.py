"""Taking a deletion back, led by the session of who asks for it: what the message said is read
where deleted messages are kept, and its conversation decides whether it says that again (MSG-12).
"""

from __future__ import annotations

from typing import Any

from ..protocol.errors import invalid
from ..protocol.events import EventData
from ..protocol.features.restores import PutBack, RestoreMessage
from ..protocol.records import Deleted
from .asker import Asker
from .asking import ask
from .environment import Environment
from .outbox import Outbox
from .registry import Registry


async def restore(
    command: RestoreMessage,
    conversation: str | None,
    box: Outbox,
    env: Environment,
    registry: Registry,
) -> dict[str, Any]:
    """Where the event stands. Raises the `Rejected` of the conversation."""
    if conversation is None:
        raise invalid("c", "the conversation is missing")
    await env.store.journal.settled(conversation)
    deleted = await env.store.contents.deleted(conversation, command.message_id)
    text, rest = _said(deleted)
    put_back = PutBack(
        message_id=command.message_id,
        deleted_at=0 if deleted is None else deleted.at,
        text=text,
        rest=rest,
        client_id=command.client_id,
        attempt=command.attempt,
    )
    asker = Asker(box.user, 1, role=box.role, session=box.session, limited=box.limited)
    return await ask(env, registry, asker, conversation, put_back)


def _said(deleted: Deleted | None) -> tuple[str, dict[str, Any]]:
    """The text of the message, and what else of it is content."""
    if deleted is None:  # that it is not deleted is for its conversation to say
        return "", {}
    sent, *later = deleted.events
    message = sent.as_message()
    for event in later:
        event.data.change(message, event)
    names = EventData.content.intersection((*message.sent, *message.overlay.data))
    return message.current_text or "", {name: message.current(name) for name in names}
