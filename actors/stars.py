"""A user's starred messages, read at rest and brought up to date by the conversations in memory."""

from __future__ import annotations

from typing import Any

from ..protocol.features.stars import ListStars
from ..protocol.paging import page_size
from ..protocol.records import Starred
from .environment import Environment
from .registry import Registry


async def starred(
    query: ListStars, user: str, env: Environment, registry: Registry
) -> dict[str, Any]:
    policy = env.policy
    limit = page_size(query.limit, policy.messages_page, policy.max_messages_page)
    found = await env.store.user_logs.stars(user, limit + 1, query.before)
    page = found[:limit]
    reach = 0 if env.reach is None else env.reach(user)
    shown = [star for star in page if star.message.at >= reach]
    items = (_item(star, user, registry) for star in shown)
    return {
        "stars": [item for item in items if item is not None],
        "next": page[-1].n if len(found) > len(page) else None,
        **({"limited": True} if len(shown) < len(page) else {}),
    }


def _item(star: Starred, user: str, registry: Registry) -> dict[str, Any] | None:
    """None if the conversation has just been left, and that is not stored yet."""
    conversation = registry.resident(star.conversation)
    if conversation is not None and conversation.is_known:
        if not conversation.state.has_member(user):
            return None
        conversation.resident.ring.overlay([star.message], star.as_of)
    return {"c": star.conversation, "ts": star.at, "message": star.message.wire(user=user)}
