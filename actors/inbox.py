"""What a user sees across conversations: rows at rest, overlaid by the actors in memory.

A store knows what is stored and put away; a resident conversation knows better. Conversations that
were open when an engine died are opened to be counted right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..protocol.commands import UserQuery
from ..protocol.errors import Rejected
from ..protocol.features.inbox import GetPresence, ListConversations, SyncChanges
from ..protocol.records import InboxRow
from ..protocol.roles import require_member
from ..protocol.state import ConversationState
from .conversation import Conversation
from .environment import Environment
from .registry import Registry

SHOWN_MEMBERS = 5


class Inbox:
    def __init__(self, user: str, env: Environment, registry: Registry) -> None:
        self._user = user
        self._env = env
        self._registry = registry

    async def answer(self, query: UserQuery) -> dict[str, Any]:
        match query:
            case ListConversations(limit=limit, cursor=cursor):
                return await self._list(limit, cursor)
            case SyncChanges(cursor=cursor, n=n):
                return await self._changes(cursor, n)
            case GetPresence(conversation=id):
                return await self._presence(id)
            case _:
                raise Rejected("UNSUPPORTED_COMMAND")

    async def unread(self) -> dict[str, int]:
        """Unread counts of all conversations, without the zeros."""
        inbox = await self._env.store.inboxes.rows(self._user)
        counts = {}
        for view in await self._views(inbox.rows):
            if view["unread"]:
                counts[view["c"]] = view["unread"]
        for view in self._moving():
            counts[view["c"]] = view["unread"]
        return counts

    def unread_of(self, id: str) -> int | None:
        """The count of one resident conversation; 0 for who is no member any more."""
        conversation = self._registry.resident(id)
        if conversation is None:
            return None
        state = conversation.effects.resident.state
        return state.unread(self._user) if _is_member(state, self._user) else 0

    async def _list(self, limit: int, cursor: str | None) -> dict[str, Any]:
        page = await self._env.store.inboxes.inbox(self._user, limit, cursor)
        views = {view["c"]: view for view in await self._views(page.rows)}
        if cursor is None:
            views.update((view["c"], view) for view in self._moving())
        newest_first = sorted(views.values(), key=lambda view: (-view["ts"], view["c"]))
        return {"conversations": newest_first, "next": page.next}

    async def _changes(self, cursor: str | None, n: int) -> dict[str, Any]:
        # What is not stored yet has no place under any cursor, so it is always told. It is
        # looked at first: what gets stored meanwhile is then found by the query.
        moving = self._moving() if cursor is not None else []
        changes = await self._env.store.inboxes.changes(self._user, cursor, n)
        views = {view["c"]: view for view in moving}
        views.update((view["c"], view) for view in await self._views(changes.rows))
        return {
            "conversations": list(views.values()),
            "cursor": changes.cursor,
            "log": [
                {"n": event.n, "kind": event.kind, "data": event.data, "ts": event.at}
                for event in changes.user_events
            ],
        }

    async def _presence(self, id: str) -> dict[str, Any]:
        conversation = await self._registry.opened(id)
        if conversation is None:
            raise Rejected("CONVERSATION_NOT_FOUND")
        state = conversation.effects.resident.state
        if not state.exists:
            raise Rejected("CONVERSATION_NOT_FOUND")
        require_member(state, self._user)
        members = state.current_members()[:500]
        offline = [user for user in members if not self._env.hub.is_online(user)]
        seen = await self._env.store.inboxes.last_seen(offline)
        return {
            "users": {
                user: {"online": user not in offline, "last_seen": seen.get(user)}
                for user in members
            }
        }

    async def _views(self, rows: Iterable[InboxRow]) -> list[dict[str, Any]]:
        views = []
        for row in rows:
            conversation = self._registry.resident(row.conversation)
            if conversation is None and row.stale:
                conversation = await self._registry.opened(row.conversation)
            view = self._resident_view(conversation) if conversation is not None else None
            views.append(view or _row_view(row))
        return views

    def _moving(self) -> list[dict[str, Any]]:
        """The caller's conversations that have something not yet stored."""
        views = []
        for id in self._env.store.journal.pending():
            conversation = self._registry.resident(id)
            view = self._resident_view(conversation) if conversation is not None else None
            if view is not None:
                views.append(view)
        return views

    def _resident_view(self, conversation: Conversation) -> dict[str, Any] | None:
        state = conversation.effects.resident.state
        if not _is_member(state, self._user):
            return None
        members = state.current_members()
        last = state.last
        if last is not None and not state.members[self._user].sees(last["seq"]):
            last = None
        return {
            "c": state.id,
            "kind": state.kind,
            "epoch": state.epoch,
            "seq": state.seq,
            "number": state.number,
            "unread": state.unread(self._user),
            "title": state.title,
            "role": state.members[self._user].role,
            "members": members[:SHOWN_MEMBERS],
            "last": last,
            "ts": state.changed_at,
        }


def _is_member(state: ConversationState, user: str) -> bool:
    member = state.members.get(user)
    return member is not None and member.role is not None


def _row_view(row: InboxRow) -> dict[str, Any]:
    return {
        "c": row.conversation,
        "kind": row.kind,
        "epoch": row.epoch,
        "seq": row.head.seq,
        "number": row.head.number,
        "unread": row.unread,
        "title": row.head.title,
        "role": row.role,
        "members": row.members,
        "last": row.head.last,
        "ts": row.head.at,
    }
