"""Taking a deletion back, led by the session of who asks for it: what the message said is read
where deleted messages are kept, and its conversation decides whether it says that again (MSG-12).
"""

from __future__ import annotations

from typing import Any

from ..protocol.errors import invalid
from ..protocol.events import EventData
from ..protocol.features.restores import PutBack, RestoreMessage
from ..protocol.message import Message
from ..protocol.records import Deleted
from .asker import Asker
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
    put_back = PutBack(
        message_id=command.message_id,
        deleted_at=0 if deleted is None else deleted.at,
        **_said(deleted),
        client_id=command.client_id,
        attempt=command.attempt,
    )
    asker = Asker(box.user, 1, role=box.role, session=box.session, limited=box.limited)
    return await registry.ask(asker, conversation, put_back)


def _said(deleted: Deleted | None) -> dict[str, Any]:
    """The text of the message, and what else of it is content; and what of that is otherwise for
    users who have views of their own."""
    if deleted is None:  # that it is not deleted is for its conversation to say
        return {"text": ""}
    sent, *later = deleted.events
    message = sent.as_message()
    for event in later:
        event.change(message)
    said = _content(message)
    own = {user: _content(message.seen_by(user)) for user in message.views}
    return {**said, "apart": {user: each for user, each in own.items() if each != said}}


def _content(message: Message) -> dict[str, Any]:
    names = EventData.content.intersection((*message.sent, *message.overlay.data))
    return {
        "text": message.current_text or "",
        "rest": {name: message.current(name) for name in names},
    }
