"""Telling what happened in the product (CONV-27, AUTO-01…03).

The host's session leads: its commands run one after another, so that two events about the same
thing find, or open, the same conversation, and are told in the order in which they came.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final

from ..protocol.errors import Rejected
from ..protocol.features.business_events import TellEvent
from ..protocol.features.references import CONTEXT
from ..protocol.ids import HOST, group_conversation_id
from ..protocol.references import Reference
from .asker import Asker
from .conversation import Conversation
from .environment import Environment
from .ports import Searches
from .registry import Registry

_AT_ONCE: Final = 1000
"""References that are read at a time."""


async def tell_event(command: TellEvent, env: Environment, registry: Registry) -> dict[str, Any]:
    """Where it was told. Raises the `Rejected` of the first conversation that cannot; repeated, it
    is told in the others, too."""
    message, opening = command.message(env.policy), command.opening(env.policy)
    asker = Asker(HOST, 1)
    found = [id async for id in concerned(command.context, command.users, env, registry)]
    if not found and opening is not None:
        client_id = opening.client_id or ""
        id = group_conversation_id(env.policy.profile, HOST, client_id)
        await registry.ask(asker, id, opening)
        found = [id]
    return {"messages": [await registry.ask(asker, id, message) for id in found]}


async def concerned(
    context: Mapping[str, str],
    users: Sequence[str],
    env: Environment,
    registry: Registry,
    after: str = "",
) -> AsyncGenerator[str]:
    """Conversations that are about all of `context`, with all of `users` in them, in order of id,
    beyond `after`. One of the two must name something."""
    if context:
        about = [await _referring(reference, env.store.searches) for reference in context.items()]
        at_rest = set.intersection(*about)
    else:
        inbox = await env.store.inboxes.rows(users[0])
        at_rest = {row.conversation for row in inbox.rows}
    # What is not stored yet is in no list yet.
    unstored = {id for id in env.store.journal.pending() if registry.resident(id) is not None}
    for id in sorted(at_rest | unstored):
        if id > after and await _is_concerned(id, context, users, registry):
            yield id


async def _referring(to: Reference, searches: Searches) -> set[str]:
    """Conversations that refer to `to` themselves, and not only by messages."""
    found: set[str] = set()
    after = None
    while page := await searches.referring(to, _AT_ONCE, after):
        found.update(place.conversation for place in page if place.message is None)
        after = page[-1].conversation, page[-1].seq
    return found


async def _is_concerned(
    id: str, context: Mapping[str, str], users: Sequence[str], registry: Registry
) -> bool:
    def look(visited: Conversation) -> bool:
        state = visited.state
        about = CONTEXT.of(state)
        if any(about.get(type) != id for type, id in context.items()):
            return False
        members = (state.members.get(user) for user in users)
        return all(member is not None and member.role is not None for member in members)

    try:
        return await registry.visit(id, look)
    except Rejected as no:
        if no.code == "CONVERSATION_NOT_FOUND":  # its first event could not be stored
            return False
        raise
