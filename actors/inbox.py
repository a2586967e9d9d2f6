"""What a user sees across conversations: rows at rest, overlaid by the actors in memory.

A store knows what is stored and put away; a resident conversation knows better. Conversations that
were open when an engine died are opened to be counted right.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from ..protocol.commands import UserQuery
from ..protocol.errors import Rejected
from ..protocol.features.blocks import ListBlocks
from ..protocol.features.inbox import GetPresence, ListConversations, ListOnline, SyncChanges
from ..protocol.features.references import CONTEXT
from ..protocol.features.schedule import ListScheduled
from ..protocol.features.search import SearchMessages
from ..protocol.features.settings import GetSettings
from ..protocol.features.stars import ListStars
from ..protocol.features.templates import ListTemplates
from ..protocol.features.users import GetUsers, SearchUsers
from ..protocol.paging import page_size
from ..protocol.personal import Personal
from ..protocol.records import InboxRow, Selection
from ..protocol.references import the_one
from ..protocol.roles import require_member
from ..protocol.state import ConversationState
from .conversation import Conversation
from .environment import Environment
from .names import get_users, named, search_users
from .personal import OwnLog
from .registry import Registry
from .scheduling import scheduled
from .search import search_messages
from .stars import starred
from .templates import templates

LOG_PAGE = 500
"""Events of the user's own log in one answer."""
SHOWN_MEMBERS = 5
MAX_PRESENCES = 500
PEERS = 5000
"""Users looked through at a time for those who are online."""


class Inbox:
    def __init__(self, user: str, env: Environment, registry: Registry, own: OwnLog) -> None:
        self._user = user
        self._env = env
        self._registry = registry
        self._own = own

    async def answer(self, query: UserQuery) -> dict[str, Any]:
        answer = await self._answer(query)
        users = self._env.host.users
        return answer if users is None else await named(answer, users)

    async def _answer(self, query: UserQuery) -> dict[str, Any]:
        match query:
            case ListConversations():
                return await self._list(query)
            case SyncChanges(cursor=cursor, n=n):
                return await self._changes(cursor, n)
            case GetPresence(conversation=id):
                return await self._presence(id)
            case ListOnline():
                return await self._online(query)
            case ListTemplates():
                return templates(self._env.policy)
            case ListScheduled():
                return await scheduled(query, self._user, self._env)
            case ListStars():
                return await starred(query, self._user, self._env, self._registry)
            case GetSettings():
                return (await self._own.personal()).settings.fields()
            case ListBlocks():
                return _blocks(query, await self._own.personal())
            case SearchMessages():
                return await search_messages(query, self._user, self._env, self._registry)
            case GetUsers():
                return await get_users(query, self._env.host.users)
            case SearchUsers():
                return await search_users(query, self._user, self._env.host.users)
            case _:
                raise Rejected("UNSUPPORTED_COMMAND")

    async def unread(self) -> dict[str, int]:
        """Unread counts of all conversations, without the zeros."""
        inbox = await self._env.store.inboxes.rows(self._user)
        personal = await self._own.personal()
        views = {view["c"]: view for view in await self._views(inbox.rows)}
        views.update((view["c"], view) for view in self._moving())
        return {
            id: view["unread"]
            for id, view in views.items()
            if view["unread"] and _counts(view, personal)
        }

    async def unread_of(self, ids: Collection[str]) -> dict[str, int]:
        """The counts of these conversations; 0 where the user is no member any more."""
        counts = dict.fromkeys(ids, 0)
        personal = await self._own.personal()
        views, elsewhere = [], []
        for id in ids:
            conversation = self._registry.resident(id)
            if conversation is None or not conversation.is_known:
                elsewhere.append(id)
            elif (view := self._view(conversation)) is not None:
                views.append(view)
        if elsewhere:
            inbox = await self._env.store.inboxes.rows(self._user, elsewhere)
            views += await self._views(inbox.rows)
        counts.update((view["c"], view["unread"]) for view in views if _counts(view, personal))
        return counts

    async def _list(self, query: ListConversations) -> dict[str, Any]:
        personal = await self._own.personal()
        about = None if query.context is None else the_one(query.context)
        selection = Selection(query.filter, query.text, about)
        policy, inboxes = self._env.policy, self._env.store.inboxes
        limit = page_size(query.limit, policy.conversations_page, policy.max_conversations_page)
        page = await inboxes.inbox(self._user, limit, query.cursor, selection)
        views = {view["c"]: view for view in await self._views(page.rows)}
        if query.cursor is None:
            moving = self._moving(lambda state: self._selects(state, selection, personal))
            views.update((view["c"], view) for view in moving)
        found = []
        for id, view in views.items():
            own = personal.preference(id)
            # What has just been read may be unread still in the rows at rest.
            unread, request = own.unread or view["unread"] > 0, view.get("request")
            if id in personal.barred_in or (request and view["last"] is None):
                continue  # of somebody who is kept out, or who was when they asked
            if selection.has(own.archived, unread, request) and selection.refers(view["context"]):
                found.append(self._with_preference(view, personal))
        found.sort(key=lambda view: _rank(view, personal))
        return {"conversations": found, "next": page.next}

    def _selects(self, state: ConversationState, selection: Selection, personal: Personal) -> bool:
        own = personal.preference(state.id)
        others = (user for user in state.current_members() if user != self._user)
        back = not own.hidden_seq or state.number > own.hidden_number
        return back and selection.finds(state.title, others)

    def _with_preference(self, view: dict[str, Any], personal: Personal) -> dict[str, Any]:
        own = personal.preferences.get(view["c"])
        if own is not None and (shown := own.shown(self._env.clock())):
            view["preference"] = shown
        reach, last = self._env.reach, view["last"]
        if reach is not None and last is not None and last["ts"] < reach(self._user):
            view["last"] = None
        return view

    async def _changes(self, cursor: str | None, n: int) -> dict[str, Any]:
        personal = await self._own.personal()
        # What is not stored yet has no place under any cursor, so it is always told. It is
        # looked at first: what gets stored meanwhile is then found by the query.
        moving = self._moving() if cursor is not None else []
        store = self._env.store
        changes = await store.inboxes.changes(self._user, cursor)
        log = await store.user_logs.after(self._user, n, LOG_PAGE + 1)
        views = {view["c"]: view for view in moving}
        views.update((view["c"], view) for view in await self._views(changes.rows))
        return {
            "conversations": [
                self._with_preference(view, personal)
                for view in views.values()
                if _counts(view, personal)
            ],
            "left": changes.left,
            "cursor": changes.cursor,
            "log": [
                {"n": event.n, "kind": event.data.name, "data": event.data.fields(), "ts": event.at}
                for event in log[:LOG_PAGE]
            ],
            "more": len(log) > LOG_PAGE,
        }

    async def _presence(self, id: str) -> dict[str, Any]:
        if not self._env.policy.presence_enabled:
            raise Rejected("FEATURE_DISABLED")
        members, asked = await self._registry.visit(id, self._members)
        offline = [user for user in members if not self._env.hub.is_online(user)]
        store = self._env.store
        seen: dict[str, int | None] = {**await store.inboxes.last_seen(offline)}
        apart = await self._apart(members) | dict.fromkeys(asked)
        offline += apart
        seen.update(apart)
        return {
            "users": {
                user: {"online": user not in offline, "last_seen": seen.get(user)}
                for user in members
            }
        }

    async def _online(self, query: ListOnline) -> dict[str, Any]:
        if not self._env.policy.presence_enabled:
            raise Rejected("FEATURE_DISABLED")
        is_online, scanned = self._env.hub.is_online, query.after or ""
        unstored = {user for each in self._unstored() for user in self._peers(each.state)}
        online = {user for user in unstored if user > scanned and is_online(user)}
        while sum(user <= scanned for user in online) <= query.limit:
            peers = await self._env.store.inboxes.peers(self._user, scanned, PEERS)
            online.update(filter(is_online, peers))
            if len(peers) < PEERS:
                break
            scanned = peers[-1]
        apart = await self._apart(online)
        page = sorted(online - apart.keys())[: query.limit]
        return {"online": page, "more": len(online - apart.keys()) > len(page)}

    def _peers(self, state: ConversationState) -> list[str]:
        """The others in a conversation who show whether they are online."""
        others = (user for user in state.current_members() if user != self._user)
        return [user for user in others if not state.is_asked(user)]

    async def _apart(self, users: Collection[str]) -> dict[str, int | None]:
        """Those of `users` of whom the caller is not to know whether they are online, since one of
        the two keeps the other out; and when, for the caller, they were online last. It is looked
        up for nobody, too: how long an answer takes is not to tell whether there was somebody."""
        if self._env.policy.blocks == "off":
            return {}
        standings = await self._env.store.user_logs.standings(self._user, users)
        return {
            user: standing.seen
            for user, standing in standings.items()
            if standing.bars is not None or standing.barred == "blocked"
        }

    def _members(self, conversation: Conversation) -> tuple[list[str], list[str]]:
        """The members, and those of them who have not accepted the user's request."""
        state = conversation.state
        require_member(state, self._user)
        asked = [user for user in state.aloof if user != self._user and state.is_asked(user)]
        return state.current_members()[:MAX_PRESENCES], asked

    async def _views(self, rows: Iterable[InboxRow]) -> list[dict[str, Any]]:
        views = [await self._view_of(row) for row in rows]
        return [view for view in views if view is not None]

    async def _view_of(self, row: InboxRow) -> dict[str, Any] | None:
        """None if the user has been told that they are a member no more, and the row has not."""
        conversation = self._registry.resident(row.conversation)
        if conversation is not None and conversation.is_known:
            return self._view(conversation)
        if conversation is not None or row.stale:
            try:
                return await self._registry.visit(row.conversation, self._view)
            except Rejected:
                pass  # nobody knows better than the row now
        return _row_view(row)

    def _moving(
        self, selects: Callable[[ConversationState], bool] = lambda _: True
    ) -> list[dict[str, Any]]:
        """Rows of those that have told something that is not yet stored, if `selects` says so."""
        moving = (each for each in self._unstored() if selects(each.state))
        return [view for each in moving if (view := self._view(each)) is not None]

    def _unstored(self) -> Iterator[Conversation]:
        """Those of the caller's conversations that have told something that is not yet stored."""
        for id in self._env.store.journal.pending():
            conversation = self._registry.resident(id)
            if conversation is None or not conversation.is_known:
                continue
            if conversation.state.has_member(self._user):
                yield conversation

    def _view(self, conversation: Conversation) -> dict[str, Any] | None:
        state = conversation.state
        if not state.has_member(self._user):
            return None
        members = state.current_members()
        view = {
            "c": state.id,
            "kind": state.kind,
            "epoch": state.epoch,
            "seq": state.seq,
            "number": state.number,
            "unread": state.unread(self._user),
            "title": state.title,
            "context": CONTEXT.of(state),
            "role": state.members[self._user].role,
            "members": members[:SHOWN_MEMBERS],
            "last": state.last_for(self._user),
            "ts": state.changed_at,
        }
        if (request := state.request_to(self._user)) is not None:
            view["request"] = request
        return view


def _counts(view: dict[str, Any], personal: Personal) -> bool:
    """Whether it is one of the conversations that the user has, and not a request, or one with
    somebody whom they keep out."""
    return "request" not in view and view["c"] not in personal.barred_in


def _rank(view: dict[str, Any], personal: Personal) -> tuple[int, int, str]:
    """Pinned ones before all others (CONV-12), the last pinned first; then newest activity."""
    return -personal.preference(view["c"]).pinned_at, -view["ts"], view["c"]


def _row_view(row: InboxRow) -> dict[str, Any]:
    view = {
        "c": row.conversation,
        "kind": row.kind,
        "epoch": row.epoch,
        "seq": row.head.seq,
        "number": row.head.number,
        "unread": row.unread,
        "title": row.head.title,
        "context": row.head.context or {},
        "role": row.role,
        "members": row.members,
        "last": row.head.last,
        "ts": row.head.at,
    }
    if row.request is not None:
        view["request"] = row.request
    return view


def _blocks(query: ListBlocks, personal: Personal) -> dict[str, Any]:
    users = sorted(user for user in personal.barred if user > (query.after or ""))
    page = users[: query.limit]
    return {
        "blocks": [{"user": user, "level": personal.barred[user].bar} for user in page],
        "more": len(users) > len(page),
    }
