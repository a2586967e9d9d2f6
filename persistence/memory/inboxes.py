"""What a user sees across conversations, from the in-memory store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import trio

from ...protocol.records import Changes, Inbox, InboxRow, UserEvent
from .. import cursors
from .disk import Disk, Shelf, copy_json

SHOWN_MEMBERS = 5
"""Of a conversation, in an inbox row."""


class MemoryInboxes:
    """Implements `Inboxes`. `check` is called first by everything: it raises while away."""

    def __init__(self, disk: Disk, incarnation: int, check: Callable[[], None]) -> None:
        self._disk = disk
        self._incarnation = incarnation
        self._check = check

    async def inbox(self, user: str, limit: int, cursor: str | None) -> Inbox:
        place = cursors.unpack(cursor) if cursor is not None else None
        rows = (await self.rows(user)).rows
        rows.sort(key=_order)
        if place is not None:
            rows = [row for row in rows if _order(row) > (-place[0], place[1])]
        page = rows[:limit]
        if len(rows) <= limit:
            return Inbox(page, None)
        return Inbox(page, cursors.pack(page[-1].head.at, page[-1].conversation))

    async def changes(self, user: str, cursor: str | None, n: int) -> Changes:
        since = None if cursor is None else cursors.counter(cursor)
        await self._ready()
        news = Changes([], str(self._disk.commits + 1), self._disk.user_log.get(user, [])[n:])
        for shelf in self._disk.of(user) if since is not None else ():
            row = self._row(shelf, user)
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
        rows = (self._row(shelf, user) for shelf in self._disk.of(user, conversations))
        return Inbox([row for row in rows if row is not None], None)

    async def append_user_event(
        self, user: str, kind: str, data: dict[str, object], at: int
    ) -> UserEvent:
        await self._ready()
        log = self._disk.user_log.setdefault(user, [])
        event = UserEvent(user, len(log) + 1, kind, copy_json(data), at)
        log.append(event)
        return event

    async def seen(self, at: Mapping[str, int]) -> None:
        await self._ready()
        for user, when in at.items():
            self._disk.seen[user] = max(when, self._disk.seen.get(user, 0))

    async def last_seen(self, users: Collection[str]) -> dict[str, int]:
        await self._ready()
        return {user: self._disk.seen[user] for user in users if user in self._disk.seen}

    async def _ready(self) -> None:
        await trio.lowlevel.checkpoint()
        self._check()

    def _row(self, shelf: Shelf, user: str) -> InboxRow | None:
        """None for who is no member now, and for what has no head."""
        member = shelf.members[user]
        if member.role is None or shelf.row is None or shelf.head is None:
            return None
        current = sorted(row.user for row in shelf.members.values() if row.role is not None)
        opened_in = shelf.opened_in
        return InboxRow(
            conversation=shelf.row.id,
            kind=shelf.row.kind,
            epoch=shelf.epoch,
            role=member.role,
            members=current[:SHOWN_MEMBERS],
            head=shelf.head.within(member.intervals),
            unread=shelf.head.number - member.read_number - shelf.excluded(member.read_seq),
            stale=self._disk.ended[opened_in] is False and opened_in != self._incarnation,
        )


def _order(row: InboxRow) -> tuple[int, str]:
    return -row.head.at, row.conversation
