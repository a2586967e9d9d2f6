"""One write as it lies in the spool: bytes that hold all of it but its snapshot.

A snapshot is an abbreviation of the log, so nothing is lost without it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

import msgpack

from ...protocol.events import Event
from ...protocol.machine import Mark
from ...protocol.message import Overlay
from ...protocol.records import Head, MemberRow, NewConversation, Outcome, Write
from ..payload import join, split

_VERSION = 1


class UnreadableRecord(Exception):
    """The bytes are not those that were written, or a newer version wrote them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in its place. `incarnation` is that of the engine that wrote it, `at` the time (ms)
    at which it did. Entries are in order of `n`, and so are the writes of each conversation."""

    n: int
    incarnation: int
    at: int
    conversation: str
    checksum: int
    record: bytes


def entry(n: int, incarnation: int, at: int, write: Write) -> Entry:
    record = _encode(write)
    checksum = _checksum(n, incarnation, at, write.conversation, record)
    return Entry(n, incarnation, at, write.conversation, checksum, record)


def _checksum(n: int, incarnation: int, at: int, conversation: str, record: bytes) -> int:
    return zlib.crc32(repr((n, incarnation, at, conversation)).encode(), zlib.crc32(record))


def _values(cls: type) -> Any:
    """A function that gives the fields of a `cls` in their order."""
    return attrgetter(*(field.name for field in fields(cls)))


_mark, _overlay, _member = _values(Mark), _values(Overlay), _values(MemberRow)
_head, _created = _values(Head), _values(NewConversation)


def _encode(write: Write) -> bytes:
    return msgpack.packb(
        (
            _VERSION,
            [_event(event) for event in write.events],
            None if write.head is None else _head(write.head),
            [_overlay(overlay) for overlay in write.overlays],
            [_mark(mark) for mark in write.marks],
            [_member(member) for member in write.members],
            None if write.created is None else _created(write.created),
        )
    )


def _event(event: Event) -> tuple[Any, ...]:
    return (
        event.seq,
        event.id,
        event.kind,
        *split(event.data),
        event.sender,
        event.at,
        event.client_id,
        event.number,
        event.audience,
        *_flags(event),
    )


def _flags(event: Event) -> tuple[bool, ...]:
    """Nothing for most events; an older engine knew only the first."""
    if event.webhook:
        return event.announced, True
    return (True,) if event.announced else ()


def write_of(entry: Entry) -> Write:
    """The write again; its `done` does nothing. Raises `UnreadableRecord` or `UnreadableEvent`."""
    place = entry.n, entry.incarnation, entry.at, entry.conversation
    try:
        if _checksum(*place, entry.record) != entry.checksum:
            raise UnreadableRecord(f"entry {entry.n} is damaged: its checksum is another")
        version, *parts = msgpack.unpackb(entry.record)
        if version != _VERSION:
            raise UnreadableRecord(f"entry {entry.n} is of version {version}, not {_VERSION}")
        events, head, overlays, marks, members, created = parts
        return Write(
            entry.conversation,
            _nobody,
            events=[_event_of(entry.conversation, *values) for values in events],
            head=None if head is None else Head(*head),
            overlays=[Overlay(*values) for values in overlays],
            marks=[Mark(*values) for values in marks],
            members=[MemberRow(*values) for values in members],
            created=None if created is None else NewConversation(*created),
        )
    except (ValueError, TypeError) as error:
        raise UnreadableRecord(f"entry {entry.n}: {type(error).__name__}") from error


def _event_of(
    conversation: str,
    seq: int,
    id: str,
    kind: str,
    text: str | None,
    rest: dict[str, Any] | None,
    sender: str | None,
    at: int,
    client_id: str | None,
    number: int | None,
    audience: list[str] | None,
    announced: bool = False,
    webhook: bool = False,
) -> Event:
    return Event(
        conversation=conversation,
        seq=seq,
        id=id,
        data=join(kind, text, rest, conversation, seq),
        sender=sender,
        at=at,
        client_id=client_id,
        number=number,
        audience=None if audience is None else tuple(audience),
        announced=announced,
        webhook=webhook,
    )


def _nobody(_outcome: Outcome) -> None:
    """Whoever waited for the outcome has gone with the engine that wrote it."""
