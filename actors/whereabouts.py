"""In which of a user's conversations a message is, where only its id is named."""

from __future__ import annotations

from ..protocol.errors import Rejected
from .environment import Environment
from .registry import Registry


async def conversation_of(message: str, user: str, env: Environment, registry: Registry) -> str:
    """Raises MESSAGE_NOT_FOUND if it is in none that `user` is or was a member of: whether it is
    anywhere else is not theirs to know. What they may do with it there, the conversation says."""
    # What is not stored yet is looked at first: what gets stored meanwhile is found by the query.
    for id in env.store.journal.pending():
        conversation = registry.resident(id)
        if conversation is None or not conversation.is_known:
            continue
        resident = conversation.resident
        if user in resident.state.members and resident.ring.message(message) is not None:
            return id
    found = await env.store.conversations.where(message, user)
    if found is None:
        raise Rejected("MESSAGE_NOT_FOUND", details={"message_id": message})
    return found
