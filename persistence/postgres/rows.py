"""Events, messages and their kin, to rows of the tables and back.

A row going in is a tuple of *all* columns of its table in their order there, because batches travel
as arrays of whole rows (`statement.py`). Rows coming out are read by name. Times are milliseconds
and JSON is bytes on the way in: see `connection.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import asyncpg

from ...protocol.events import Event
from ...protocol.features.references import ReferenceDropped
from ...protocol.jobs import Job
from ...protocol.machine import Mark
from ...protocol.message import Message, Overlay
from ...protocol.records import Head, MemberRow, NewConversation, Snapshot
from ..payload import join, split, subject

Row = tuple[Any, ...]
Record = asyncpg.Record

EVENT_COLUMNS = """
    l.seq, l.event_id, l.number, l.at, l.kind, l.sender, l.client_id, l.data, l.audience,
    o.deleted_at IS NOT NULL AS redacted,
    CASE WHEN o.deleted_at IS NULL THEN l.body END AS body
"""
"""What `event_of` reads; of what is deleted, the text does not even leave the database."""

MESSAGE_COLUMNS = f"""
    {EVENT_COLUMNS}, o.changed_seq, o.deleted_at, o.deleted_by, o.data AS overlay_data,
    CASE WHEN o.deleted_at IS NULL THEN o.text END AS overlay_text
"""

LOG_WITH_OVERLAY = """
    log AS l
    LEFT JOIN overlay AS o
        ON o.conversation = l.conversation
        AND o.seq = coalesce(l.message_seq, l.seq)
        AND l.message_id IS NOT NULL
"""
"""Every event with what has become of the message that it is or changes."""


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def to_json(value: Any) -> bytes | None:
    return None if value is None else _encode(value).encode()


def log_row(event: Event, incarnation: int) -> Row:
    text, rest = split(event.data)
    about = subject(event)
    return (
        event.conversation,
        event.id,
        event.seq,
        event.number,
        event.at,
        None if about is None or event.data.is_message else about[1],
        None if about is None else about[0],
        incarnation,
        event.kind,
        event.sender,
        event.client_id,
        text,
        to_json(rest),
        event.audience,
    )


def attachment_rows(event: Event, media: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Of what `event` shows, its `media`."""
    return [
        (
            event.conversation,
            event.seq,
            medium.get("size"),
            medium.get("duration_s"),
            medium.get("width"),
            medium.get("height"),
            ordinal,
            medium["type"],
            medium.get("url"),
            medium.get("thumbnail_url"),
            medium.get("name"),
            medium.get("mime"),
        )
        for ordinal, medium in enumerate(media)
    ]


def overlay_row(conversation: str, overlay: Overlay) -> Row:
    return (
        conversation,
        overlay.seq,
        overlay.changed_seq,
        overlay.deleted_at,
        overlay.deleted_by,
        overlay.text,
        to_json(overlay.data or None),
    )


def reference_rows(event: Event) -> Iterator[tuple[Row, bool]]:
    """Those that change with `event`, and whether they are there after it."""
    data, seq, there = event.data, event.seq, True
    if isinstance(data, ReferenceDropped):
        seq, there = data.message_seq or 1, False
    for type, id in (data.references or {}).items():
        yield (event.conversation, seq, type, id), there


def mark_row(mark: Mark) -> Row:
    return (mark.conversation, mark.seq, mark.number, mark.at, mark.n, mark.kind, mark.user)


def member_row(conversation: str, member: MemberRow) -> Row:
    return (
        conversation,
        member.changed_seq,
        member.read_seq,
        member.read_number,
        None,  # xid: the statement's own
        member.user,
        member.role,
        to_json(member.intervals),
    )


def head_row(conversation: str, head: Head) -> Row:
    shown = (head.title, to_json(head.last), to_json(head.context))
    return (conversation, head.seq, head.number, head.at, None, *shown)


def conversation_row(new: NewConversation, incarnation: int) -> Row:
    epoch, starts_after = 1, ()
    names = (new.kind, new.profile, new.creator, new.direct_key)
    return (new.id, new.at, epoch, incarnation, *names, starts_after)


def request_row(new: NewConversation) -> Row:
    return (new.id, new.at, new.asked, "pending", new.request)


def snapshot_row(conversation: str, snapshot: Snapshot) -> Row:
    return (conversation, snapshot.seq, snapshot.version, to_json(snapshot.state))


def job_row(job: Job) -> Row:
    return (
        job.id,
        job.due,
        job.due,  # when it may be taken
        job.priority,
        job.attempts,
        job.kind,
        job.state,
        job.owner,
        job.error,
        to_json(job.data),
        None,  # whoever has it
    )


def job_of(row: Record) -> Job:
    return Job(
        id=str(row["id"]),
        kind=row["kind"],
        due=row["due"],
        data=row["data"],
        priority=row["priority"],
        owner=row["owner"],
        state=row["state"],
        attempts=row["attempts"],
        error=row["error"],
    )


def event_of(conversation: str, row: Record) -> Event:
    """Raises `UnreadableEvent`."""
    seq: int = row["seq"]
    audience: list[str] | None = row["audience"]
    event = Event(
        conversation=conversation,
        seq=seq,
        id=str(row["event_id"]),
        data=join(row["kind"], row["body"], row["data"], conversation, seq),
        sender=row["sender"],
        at=row["at"],
        client_id=row["client_id"],
        number=row["number"],
        audience=None if audience is None else tuple(audience),
    )
    # What erases has nothing to hide itself, and tells who deleted.
    return event.redact() if row["redacted"] and not event.data.erases else event


def message_of(conversation: str, row: Record) -> Message:
    """Raises `UnreadableEvent`."""
    message = event_of(conversation, row).as_message()
    if row["redacted"]:
        message.text = None
    if row["changed_seq"] is not None:
        message.overlay = Overlay(
            seq=message.seq,
            changed_seq=row["changed_seq"],
            text=row["overlay_text"],
            deleted_at=row["deleted_at"],
            deleted_by=row["deleted_by"],
            data=row["overlay_data"] or {},
        )
    return message
