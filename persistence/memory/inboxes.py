"""What a user sees across conversations, from the in-memory store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import trio

from ...protocol.personal import PreferenceChanged
from ...protocol.records import EVERYTHING, Changes, Inbox, InboxRow, Selection
from ...protocol.state import Hidden
from .. import cursors
from .disk import Disk, Shelf

SHOWN_MEMBERS = 5
"""Of a conversation, in an inbox row."""


class MemoryInboxes:
    """Implements `Inboxes`. `check` is called first by everything: it raises while away."""

    def __init__(self, disk: Disk, incarnation: int, check: Callable[[], None]) -> None:
        self._disk = disk
        self._incarnation = incarnation
        self._check = check

    async def inbox(
        self, user: str, limit: int, cursor: str | None, selection: Selection = EVERYTHING
    ) -> Inbox:
        place = cursors.unpack(cursor) if cursor is not None else None
        rows = [row for row in (await self.rows(user)).rows if self._chosen(row, user, selection)]
        rows.sort(key=_order)
        if place is not None:
            rows = [row for row in rows if _order(row) > (-place[0], -place[1], place[2])]
        page = rows[:limit]
        if len(rows) <= limit:
            return Inbox(page, None)
        last = page[-1]
        return Inbox(page, cursors.pack((last.pinned_at, last.head.at, last.conversation)))

    def _chosen(self, row: InboxRow, user: str, selection: Selection) -> bool:
        own = self._disk.preferences(user).get(row.conversation)
        members = self._disk.shelves[row.conversation].members
        others = (name for name, other in members.items() if other.role and name != user)
        if own is None:
            own = PreferenceChanged(conversation=row.conversation)
        return (
            (not own.hidden_seq or row.head.number > own.hidden_number)
            and selection.has(own.archived, own.unread or row.unread > 0, row.request)
            and selection.finds(row.head.title, others)
            and selection.refers(row.head.context)
        )

    async def changes(self, user: str, cursor: str | None) -> Changes:
        since = None if cursor is None else cursors.counter(cursor)
        await self._ready()
        news = Changes([], str(self._disk.commits + 1))
        hidden = self._disk.hidden_by(user)
        for shelf in self._disk.of(user) if since is not None else ():
            row = self._row(shelf, user, hidden)
            stale = row is not None and row.stale
            if not stale and max(shelf.head_commit, shelf.member_commits[user]) < (since or 0):
                continue
            if row is not None:
                news.rows.append(row)
            elif shelf.row is not None and shelf.member_commits[user] >= (since or 0):
                news.left.append(shelf.row.id)
        return news

    async def rows(self, user: str, conversations: Collection[str] | None = None) -> Inbox:
        await self._ready()
        hidden = self._disk.hidden_by(user)
        rows = (self._row(shelf, user, hidden) for shelf in self._disk.of(user, conversations))
        return Inbox([row for row in rows if row is not None], None)

    async def peers(self, user: str, after: str, limit: int) -> list[str]:
        await self._ready()
        found: set[str] = set()
        for shelf in self._disk.of(user):
            if shelf.members[user].role is not None:
                there = (row.user for row in shelf.members.values() if row.role is not None)
                found.update(each for each in there if not self._disk.request_to(each, shelf))
        found.discard(user)
        return sorted(peer for peer in found if peer > after)[:limit]

    async def seen(self, at: Mapping[str, int]) -> None:
        await self._ready()
        for user, when in at.items():
            self._disk.seen[user] = max(when, self._disk.seen.get(user, 0))

    async def last_seen(self, users: Collection[str]) -> dict[str, int]:
        await self._ready()
        told = (user for user in users if self._disk.settings(user).presence == "everyone")
        return {user: self._disk.seen[user] for user in told if user in self._disk.seen}

    async def _ready(self) -> None:
        await trio.lowlevel.checkpoint()
        self._check()

    def _row(self, shelf: Shelf, user: str, hidden: dict[str, Hidden]) -> InboxRow | None:
        """None for who is no member now, and for what has no head."""
        member = shelf.members[user]
        if member.role is None or shelf.row is None or shelf.head is None:
            return None
        id, opened_in = shelf.row.id, shelf.opened_in
        current = sorted(row.user for row in shelf.members.values() if row.role is not None)
        own = self._disk.preferences(user).get(id)
        excluded = shelf.excluded(member.read_seq, user)
        uncounted = hidden.get(id, Hidden()).uncounted(
            member.read_seq, member.read_number, excluded
        )
        return InboxRow(
            conversation=id,
            kind=shelf.row.kind,
            epoch=shelf.epoch,
            role=member.role,
            members=current[:SHOWN_MEMBERS],
            head=shelf.head.seen_by(user, member.intervals, hidden.get(id)),
            unread=shelf.head.number - uncounted,
            stale=self._disk.ended[opened_in] is False and opened_in != self._incarnation,
            pinned_at=own.pinned_at if own is not None else 0,
            request=self._disk.request_to(user, shelf),
        )


def _order(row: InboxRow) -> tuple[int, int, str]:
    return -row.pinned_at, -row.head.at, row.conversation
