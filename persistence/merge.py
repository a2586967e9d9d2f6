"""Which of two versions of a row holds.

Writes may be stored twice and, after a takeover, late; so no row of them says "plus one", each
says as of which seq it speaks, and the newer one wins.
"""

from __future__ import annotations

from ..protocol.records import MemberRow


def merge_members(known: MemberRow | None, new: MemberRow) -> MemberRow:
    """Both in one. Role and intervals are versioned by `changed_seq`, the read mark by itself:
    they come in separate writes, and a replayed old one must not undo a newer one."""
    if known is None:
        return copy_member(new)
    newest = new if new.changed_seq >= known.changed_seq else known
    reader = new if new.read_seq > known.read_seq else known
    return MemberRow(
        user=new.user,
        role=newest.role,
        intervals=_copy(newest.intervals),
        changed_seq=newest.changed_seq,
        read_seq=reader.read_seq,
        read_number=reader.read_number,
    )


def copy_member(member: MemberRow) -> MemberRow:
    """One that shares nothing that changes with `member`."""
    return MemberRow(
        member.user,
        member.role,
        _copy(member.intervals),
        member.changed_seq,
        member.read_seq,
        member.read_number,
    )


def _copy(intervals: list[list[int | None]]) -> list[list[int | None]]:
    return [list(interval) for interval in intervals]
