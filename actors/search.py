"""`message.search`: what the store finds, less what has just become of it (SRCH-01…07, 09, 10)."""

from __future__ import annotations

from typing import Any

from ..protocol.errors import Rejected, invalid
from ..protocol.features.search import SearchMessages
from ..protocol.paging import page_count, page_size
from ..protocol.records import Hit, Search
from ..protocol.roles import require_member
from .environment import Environment
from .registry import Registry


async def search_messages(
    query: SearchMessages, user: str, env: Environment, registry: Registry
) -> dict[str, Any]:
    """The Reply to `query` of `user`."""
    policy = env.policy
    if policy.search_mode == "off":
        raise Rejected("FEATURE_DISABLED")
    if len(query.query) < policy.search_min_chars:
        raise invalid("query", f"at least {policy.search_min_chars} characters")
    if query.conversation is not None:
        await registry.visit(query.conversation, lambda c: require_member(c.state, user))
    elif policy.search_scope == "group":
        raise invalid("conversation", "name the one to search in")
    limit = page_size(query.limit, policy.search_page, policy.max_search_page)
    reach = 0 if env.reach is None else env.reach(user)
    limited = (query.after or 0) < reach - 1
    found = await env.store.searches.search(
        Search(
            user=user,
            text=query.query,
            mode=policy.search_mode,
            conversation=query.conversation,
            by=query.by,
            after=reach - 1 if limited else query.after,
            before=query.before,
            offset=(query.page - 1) * limit,
            limit=limit,
        )
    )
    now = env.clock()
    hits = [hit for hit in found.hits if _is_there(hit, user, registry, now)]
    total = found.total - len(found.hits) + len(hits)
    return {
        "hits": [{"c": hit.conversation, **hit.message.wire(user=user)} for hit in hits],
        "page": query.page,
        "limit": limit,
        "total": total,
        "total_pages": page_count(total, limit),
        **({"limited": True} if limited else {}),
    }


def _is_there(hit: Hit, user: str, registry: Registry, now: int) -> bool:
    """Whether it has not expired or been deleted, and its conversation not been left, by what is
    not stored yet."""
    if hit.message.sent.get("expires_at", now + 1) <= now:
        return False
    conversation = registry.resident(hit.conversation)
    if conversation is None or not conversation.is_known:
        return True
    return conversation.state.has_member(user) and not conversation.has_erased(hit.message.id)
