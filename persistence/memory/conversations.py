"""Reading one conversation from the in-memory store."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import trio

from ...protocol.commands import Position
from ...protocol.errors import Rejected
from ...protocol.events import Event
from ...protocol.features.edits import MessageEdited
from ...protocol.features.threads import ThreadReplied
from ...protocol.machine import Mark
from ...protocol.people import Aloof
from ...protocol.records import Events, Loaded, Messages, NumberedPage, PositionAt, Snapshot
from ...protocol.references import Reference, refers
from .disk import Disk, Shelf, copy_json


class MemoryConversations:
    """Implements `Conversations`. `check` is called by every read: it raises while away."""

    def __init__(
        self, disk: Disk, incarnation: int, epochs: bool, check: Callable[[], None]
    ) -> None:
        self._disk = disk
        self._incarnation = incarnation
        self._epochs = epochs
        self._check = check

    async def load(self, conversation: str, version: int) -> Loaded | None:
        shelf = await self._shelf(conversation)
        if shelf.row is None:
            return None
        if self._disk.ended[self._incarnation] is not None:
            raise Rejected("UNAVAILABLE", "Another engine has taken over.")
        if shelf.opened_in != self._incarnation:
            if self._epochs and self._disk.ended[shelf.opened_in] is False:
                self._renew(shelf, shelf.seq)
            shelf.opened_in = self._incarnation
        snapshot = shelf.snapshot
        if snapshot is not None and snapshot.version != version:
            snapshot = None
        return Loaded(
            epoch=shelf.epoch,
            starts_after=list(shelf.starts_after),
            snapshot=snapshot and Snapshot(snapshot.seq, version, copy_json(snapshot.state)),
            tail=shelf.events(snapshot.seq if snapshot is not None else 0),
            marks=_latest(shelf),
            hidden={
                user: hidden[conversation]
                for user in self._disk.user_log
                if conversation in (hidden := self._disk.hidden_by(user))
            },
            reticent={
                user for user in shelf.members if not self._disk.settings(user).read_receipts
            },
            aloof=self._aloof(conversation, shelf),
        )

    def _aloof(self, conversation: str, shelf: Shelf) -> dict[str, Aloof]:
        found = {user: Aloof(bar=bar) for user, bar in self._disk.barring(conversation).items()}
        for user in shelf.members:
            if (request := self._disk.request_to(user, shelf)) is not None and shelf.row:
                aloof = found.setdefault(user, Aloof())
                aloof.request, aloof.asked = request, shelf.row.asked
        return found

    async def renew(self, conversation: str, after: int) -> None:
        shelf = await self._shelf(conversation)
        if shelf.row is not None:
            self._renew(shelf, after)

    def _renew(self, shelf: Shelf, after: int) -> None:
        """A change that `changes` must tell: who was away hears of it nowhere else."""
        shelf.epoch += 1
        shelf.starts_after.append(after)
        self._disk.commits += 1
        shelf.head_commit = self._disk.commits

    async def events(self, conversation: str, after: int, limit: int) -> Events:
        shelf = await self._shelf(conversation)
        return Events(shelf.events(after, limit), shelf.seq)

    async def find(self, conversation: str, sender: str, client_id: str) -> Event | None:
        shelf = await self._shelf(conversation)
        seq = shelf.clients.get((sender, client_id))
        return shelf.events(seq - 1, 1)[0] if seq is not None else None

    async def messages(self, conversation: str, ids: Sequence[str]) -> Messages:
        shelf = await self._shelf(conversation)
        seqs = sorted({shelf.subjects[id] for id in ids if id in shelf.subjects})
        return Messages([shelf.message(shelf.log[seq - 1]) for seq in seqs], shelf.seq)

    async def where(self, message: str, user: str) -> str | None:
        await trio.lowlevel.checkpoint()
        self._check()
        for shelf in self._disk.of(user):
            if shelf.row is not None and message in shelf.subjects:
                return shelf.row.id
        return None

    async def page(
        self,
        conversation: str,
        *,
        spans: Sequence[tuple[int, int]],
        limit: int,
        before: int | None = None,
        after: int | None = None,
        before_time: int | None = None,
        deleted: bool = True,
        system: bool = False,
        about: Reference | None = None,
    ) -> Messages:
        shelf = await self._shelf(conversation)
        end = _end(shelf, before, before_time)
        found = _within(shelf, _shown(shelf, system, about), spans, after or 0, end, deleted)
        page = found[:limit] if after is not None else found[-limit:]
        messages = [shelf.message(event) for event in page]
        return Messages(messages, shelf.seq, more=len(found) > limit)

    async def numbered_page(
        self,
        conversation: str,
        user: str,
        *,
        spans: Sequence[tuple[int, int]],
        offset: int,
        limit: int,
        newest_first: bool,
        before: int | None = None,
        before_time: int | None = None,
        deleted: bool = True,
        system: bool = False,
        about: Reference | None = None,
    ) -> NumberedPage:
        shelf = await self._shelf(conversation)
        end = _end(shelf, before, before_time)
        found = [
            event
            for event in _within(shelf, _shown(shelf, system, about), spans, 0, end, deleted)
            if event.audience is None or user in event.audience
        ]
        if newest_first:
            page = found[::-1][offset : offset + limit][::-1]
        else:
            page = found[offset : offset + limit]
        return NumberedPage([shelf.message(event) for event in page], len(found), shelf.seq)

    async def edits(self, conversation: str, message: str, limit: int) -> Events:
        shelf = await self._shelf(conversation)
        edits = [
            event
            for event in shelf.events(0)
            if isinstance(event.data, MessageEdited) and event.data.message_id == message
        ]
        return Events(edits[-limit:], shelf.seq)

    async def replies(
        self,
        conversation: str,
        root: str,
        *,
        spans: Sequence[tuple[int, int]],
        after: int,
        limit: int,
        deleted: bool = True,
    ) -> Messages:
        shelf = await self._shelf(conversation)
        replies = [
            shelf.log[event.seq]  # the event after this one
            for event in shelf.log
            if isinstance(event.data, ThreadReplied) and event.data.message_id == root
        ]
        found = _within(shelf, replies, spans, after, shelf.seq + 1, deleted)
        messages = [shelf.message(event) for event in found[:limit]]
        return Messages(messages, shelf.seq, more=len(found) > limit)

    async def media(
        self,
        conversation: str,
        user: str,
        *,
        spans: Sequence[tuple[int, int]],
        limit: int,
        before: int | None = None,
    ) -> Messages:
        shelf = await self._shelf(conversation)
        media = [
            event
            for event in shelf.log
            if event.data.media and (event.audience is None or user in event.audience)
        ]
        found = _within(shelf, media, spans, 0, _end(shelf, before, None), deleted=False)
        messages = [shelf.message(event) for event in found[-limit:]]
        return Messages(messages, shelf.seq, more=len(found) > limit)

    async def position(self, conversation: str, user: str, seq: int) -> PositionAt:
        shelf = await self._shelf(conversation)
        number = max((event.number or 0 for event in shelf.log[:seq]), default=0)
        return PositionAt(Position(number, shelf.excluded(seq, user)), shelf.seq)

    async def read_at(
        self, conversation: str, seq: int, marks: Mapping[str, int]
    ) -> dict[str, int]:
        shelf = await self._shelf(conversation)
        times: dict[str, list[int]] = {user: [] for user in marks}
        for (user, kind), moves in shelf.marks.items():
            if kind == "read" and user in times:
                times[user] += [move.at for move in moves if move.seq >= seq]
        for event in shelf.log[seq - 1 :]:
            if event.number is not None and event.sender in times:
                times[event.sender].append(event.at)
        return {user: min(found) for user, found in times.items() if found}

    async def _shelf(self, conversation: str) -> Shelf:
        await trio.lowlevel.checkpoint()
        self._check()
        return self._disk.shelves.get(conversation) or Shelf()


def _end(shelf: Shelf, before: int | None, before_time: int | None) -> int:
    """The seq before which a page ends."""
    end = shelf.seq + 1 if before is None else before
    if before_time is None:
        return end
    return min(end, bisect_left(shelf.log, before_time, key=lambda event: event.at) + 1)


def _shown(shelf: Shelf, system: bool, about: Reference | None) -> list[Event]:
    """The messages, those `about` that only; with `system`, what is shown like them, too."""
    if about is not None:
        return [event for event in shelf.log if refers(shelf.context(event), about)]
    return [
        event for event in shelf.log if event.data.is_message or (system and event.data.is_system)
    ]


def _within(
    shelf: Shelf,
    events: list[Event],
    spans: Sequence[tuple[int, int]],
    after: int,
    end: int,
    deleted: bool,
) -> list[Event]:
    """Those of `events` within `spans`, between `after` and `end`."""
    return [
        event
        for event in events
        if after < event.seq < end
        and any(first <= event.seq <= last for first, last in spans)
        and (deleted or not shelf.is_deleted(event))
    ]


def _latest(shelf: Shelf) -> list[Mark]:
    return [
        replace(moves[-1], excluded=shelf.excluded(moves[-1].seq, user))
        for (user, _), moves in shelf.marks.items()
    ]
