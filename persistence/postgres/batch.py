"""Many writes as one statement: one round trip, one transaction, all or nothing.

The statement first locks the row of the current incarnation; if that has ended it stores nothing
and returns no row. An event whose place or client id is taken makes all of it fail with a unique
violation: `INSERT` without `ON CONFLICT` is a tenth faster, and nothing is half stored.

Whole rows travel as arrays of the table's own row type: encoding them costs half of what a column
per parameter does, and the SQL stays free of lists of columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any

from ...protocol.events import Event
from ...protocol.records import Head, MemberRow
from ..merge import merge_members
from .parcel import Parcel
from .rows import (
    Row,
    attachment_rows,
    conversation_row,
    head_row,
    job_row,
    log_row,
    mark_row,
    member_row,
    reference_rows,
    request_row,
)

# One part per table. {rows} becomes `unnest($n::table[]) AS new`.
_PARTS = {
    "log": """
        INSERT INTO log
        SELECT new.* FROM current, {rows}
    """,
    "attachment": """
        INSERT INTO attachment
        SELECT new.* FROM current, {rows}
    """,
    "conversation_head": """
        INSERT INTO conversation_head AS head
        SELECT new.conversation, new.seq, new.number, new.at,
               pg_current_xact_id(), new.title, new.last, new.context
        FROM current, {rows}
        ON CONFLICT (conversation) DO UPDATE SET
            seq = excluded.seq,
            number = excluded.number,
            at = excluded.at,
            xid = excluded.xid,
            title = excluded.title,
            last = excluded.last,
            context = excluded.context
        WHERE head.seq <= excluded.seq
    """,
    "mark": """
        INSERT INTO mark
        SELECT new.* FROM current, {rows}
        ON CONFLICT DO NOTHING
    """,
    "overlay": """
        INSERT INTO overlay AS old
        SELECT new.* FROM current, {rows}
        ON CONFLICT (conversation, seq) DO UPDATE SET
            changed_seq = excluded.changed_seq,
            deleted_at = excluded.deleted_at,
            deleted_by = excluded.deleted_by,
            text = excluded.text,
            data = excluded.data
        WHERE old.changed_seq < excluded.changed_seq
    """,
    "member": """
        INSERT INTO member AS old
        SELECT new.conversation, new.changed_seq, new.read_seq, new.read_number,
               pg_current_xact_id(), new.user_id, new.role, new.intervals
        FROM current, {rows}
        ON CONFLICT (conversation, user_id) DO UPDATE SET
            changed_seq = greatest(old.changed_seq, excluded.changed_seq),
            read_seq = greatest(old.read_seq, excluded.read_seq),
            read_number = CASE WHEN excluded.read_seq > old.read_seq
                               THEN excluded.read_number ELSE old.read_number END,
            role = CASE WHEN excluded.changed_seq >= old.changed_seq
                        THEN excluded.role ELSE old.role END,
            intervals = CASE WHEN excluded.changed_seq >= old.changed_seq
                             THEN excluded.intervals ELSE old.intervals END,
            xid = excluded.xid
        WHERE excluded.changed_seq > old.changed_seq
           OR excluded.read_seq > old.read_seq
           OR (excluded.changed_seq = old.changed_seq
               AND (excluded.role, excluded.intervals)
                   IS DISTINCT FROM (old.role, old.intervals))
    """,
    "conversation": """
        INSERT INTO conversation
        SELECT new.* FROM current, {rows}
        ON CONFLICT DO NOTHING
    """,
    "message_request": """
        INSERT INTO message_request
        SELECT new.* FROM current, {rows}
        ON CONFLICT DO NOTHING
    """,
    "snapshot": """
        INSERT INTO snapshot AS old
        SELECT new.* FROM current, {rows}
        ON CONFLICT (conversation) DO UPDATE SET
            seq = excluded.seq,
            version = excluded.version,
            state = excluded.state
        WHERE old.seq <= excluded.seq
    """,
    "log_reference": """
        INSERT INTO log_reference
        SELECT new.* FROM current, {rows}
        ON CONFLICT DO NOTHING
    """,
    "dropped": """
        DELETE FROM log_reference AS old
        USING current, {rows}
        WHERE old.type = new.type
            AND old.id = new.id
            AND old.conversation = new.conversation
            AND old.seq = new.seq
    """,
    "job": """
        INSERT INTO job
        SELECT new.* FROM current, {rows}
        ON CONFLICT DO NOTHING
    """,
    # The head moves up to a void event and otherwise stays as it is.
    "void": """
        UPDATE conversation_head AS head SET
            seq = new.seq,
            number = greatest(head.number, new.number),
            xid = pg_current_xact_id()
        FROM current, {rows}
        WHERE head.conversation = new.conversation AND head.seq < new.seq
    """,
}

_TABLES = {"void": "conversation_head", "dropped": "log_reference"}
"""Of the parts that are not called after theirs."""


@cache
def _statement(parts: tuple[str, ...]) -> str:
    """There are as many as there are kinds of batches: few, so they stay prepared."""
    stored = ""
    for number, part in enumerate(parts, start=2):
        table = _TABLES.get(part, part)
        rows = f'unnest(${number}::"{table}"[]) AS new'
        stored += f", stored_{part} AS ({_PARTS[part].format(rows=rows)})"
    return f"""
        WITH current AS MATERIALIZED (
            SELECT id FROM incarnation WHERE id = $1 AND ended_at IS NULL FOR SHARE
        ){stored}
        SELECT id FROM current
    """


_HEAD_SEQ = attrgetter("seq")
_SNAPSHOT_SEQ = itemgetter(1)
_CHANGED_SEQ = itemgetter(2)


class Batch:
    """The rows of `parcels`. Within it, too, only the newest version of a row is stored."""

    def __init__(self, parcels: Iterable[Parcel], incarnation: int) -> None:
        self._incarnation = incarnation
        self._log: list[Row] = []
        self._attachments: list[Row] = []
        self._marks: list[Row] = []
        self._heads: dict[str, Head] = {}
        self._overlays: dict[tuple[str, int], Row] = {}
        self._members: dict[tuple[str, str], MemberRow] = {}
        self._created: dict[str, Row] = {}
        self._requests: dict[str, Row] = {}
        self._snapshots: dict[str, Row] = {}
        self._void_heads: dict[str, Head] = {}
        self._references: dict[Row, bool] = {}
        self._jobs: list[Row] = []
        for parcel in parcels:
            self._add(parcel)

    def _add(self, parcel: Parcel) -> None:
        write, id = parcel.write, parcel.conversation
        incarnation = parcel.incarnation or self._incarnation
        for event in write.events:
            self._log.append(log_row(event, incarnation))
            if media := event.data.media:
                self._attachments += attachment_rows(event, media)
            if event.data.references:
                self._references.update(reference_rows(event))
            if jobs := event.jobs():
                self._jobs += map(job_row, jobs)
        if write.head is not None:
            self._heads[id] = max(write.head, self._heads.get(id, write.head), key=_HEAD_SEQ)
            self._void_heads.pop(id, None)
        elif parcel.void:
            self._raise_head(id, write.events)
        if write.marks:
            self._marks += map(mark_row, write.marks)
        for row in parcel.overlays:
            place = id, row[1]
            self._overlays[place] = max(self._overlays.get(place, row), row, key=_CHANGED_SEQ)
        for member in parcel.members:
            key = id, member.user
            self._members[key] = merge_members(self._members.get(key), member)
        if write.created is not None:
            self._created[id] = conversation_row(write.created, incarnation)
            if write.created.request is not None:
                self._requests[id] = request_row(write.created)
        if (state := parcel.snapshot) is not None:
            self._snapshots[id] = max(self._snapshots.get(id, state), state, key=_SNAPSHOT_SEQ)

    def _raise_head(self, id: str, events: Sequence[Event]) -> None:
        last = events[-1]
        number = max(event.number or 0 for event in events)
        heads = self._heads if id in self._heads else self._void_heads
        head = heads.get(id) or Head(last.seq, number, last.at, None, None)
        heads[id] = replace(head, seq=last.seq, number=max(head.number, number))

    def statement(self) -> tuple[str, list[Any]]:
        """SQL and arguments."""
        rows = {
            "log": self._log,
            "attachment": self._attachments,
            "conversation_head": [head_row(id, head) for id, head in self._heads.items()],
            "mark": self._marks,
            "overlay": list(self._overlays.values()),
            "member": [member_row(key[0], row) for key, row in self._members.items()],
            "conversation": list(self._created.values()),
            "message_request": list(self._requests.values()),
            "snapshot": list(self._snapshots.values()),
            "log_reference": [row for row, there in self._references.items() if there],
            "dropped": [row for row, there in self._references.items() if not there],
            "job": self._jobs,
            "void": [head_row(id, head) for id, head in self._void_heads.items()],
        }
        parts = tuple(part for part, of in rows.items() if of)
        return _statement(parts), [self._incarnation, *(rows[part] for part in parts)]
