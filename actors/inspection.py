"""What the host is told when it looks (`protocol/features/inspection.py`)."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from ..protocol.features.inspection import FindConversations, InspectUser
from .environment import Environment
from .happening import concerned
from .reads import head_view
from .registry import Registry


async def find_conversations(
    query: FindConversations, env: Environment, registry: Registry
) -> dict[str, Any]:
    query.check()
    page: list[dict[str, Any]] = []
    async with aclosing(
        concerned(query.context, query.users, env, registry, query.after or "")
    ) as found:
        async for id in found:
            if len(page) == query.limit:
                return {"found": page, "more": True}
            page.append(await registry.visit(id, lambda visited: head_view(visited.state)))
    return {"found": page, "more": False}


async def inspect_user(query: InspectUser, env: Environment) -> dict[str, Any]:
    """All that this process knows of them, whoever else may."""
    user, store = query.user, env.store
    session = env.hub.sessions.get(user)
    seen = await store.inboxes.last_seen([user])
    return {
        "user": user,
        "online": session is not None and session.online,
        "connections": 0 if session is None else len(session.outboxes),
        "last_seen": seen.get(user),
        "conversation_count": len((await store.inboxes.rows(user)).rows),
    }
