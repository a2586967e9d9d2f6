"""Rules about marks, which never go back, and unread counts, which equal a recount."""

from __future__ import annotations

from collections.abc import Iterator

from .facts import Facts, Violation
from .truth import Truth


def marks_rise(facts: Facts, truth: Truth, *, may_lose: bool) -> Iterator[Violation]:
    """As signalled to each connection, as answered to each user, and as stored."""
    signalled: dict[tuple[int, int, str, str, str], int] = {}
    for device, connection, signal in facts.marks:
        c, kind, by, seq = signal["c"], signal["t"], signal["d"]["by"], signal["d"]["seq"]
        key = (device, connection, c, kind, by)
        if seq < signalled.get(key, 0):
            problem = f"{kind} of {by} at {signalled[key]} was followed by {seq}"
            yield Violation("marks", problem, c, seq, device)
        signalled[key] = seq
    stored: dict[tuple[str, str, str], int] = {}
    for mark in sorted(truth.marks, key=lambda mark: mark.n):
        place = (mark.c, mark.user, mark.kind)
        if mark.seq < stored.get(place, 0):
            name = f"the {mark.kind} mark of {mark.user}"
            problem = f"{name} is stored at {stored[place]}, then at {mark.seq}"
            yield Violation("marks", problem, mark.c, mark.seq)
        stored[place] = mark.seq
    yield from _answers_hold(facts, truth, may_lose=may_lose)


def _answers_hold(facts: Facts, truth: Truth, *, may_lose: bool) -> Iterator[Violation]:
    """A read that was answered is not taken back: by no later answer, nor in the end."""
    if may_lose:
        return
    answered: dict[tuple[str, str], list[tuple[float, int]]] = {}
    for answer in facts.answers:
        if answer.command["t"] != "message.read" or "ok" not in answer.reply:
            continue
        user, seq = facts.users[answer.device], answer.reply["ok"]["seq"]
        before = answered.setdefault((answer.c, user), [])
        # Answers may cross on the way to two devices; one asked for after the other may not.
        known = max((known for time, known in before if time < answer.asked), default=0)
        if seq < known:
            problem = f"{user} had read up to {known}, and was answered {seq}"
            yield Violation("marks", problem, answer.c, seq, answer.device)
        before.append((answer.time, seq))
    for (c, user), marks in answered.items():
        known, stored = max(seq for _, seq in marks), read_mark(truth, c, user)
        if stored < known:
            problem = f"{user} had read up to {known}; in the end it is {stored}"
            yield Violation("marks", problem, c, known)


def read_mark(truth: Truth, c: str, user: str) -> int:
    """By what is stored: what was said to be read, and one's own messages."""
    said = (mark.seq for mark in truth.marks if (mark.c, mark.user, mark.kind) == (c, user, "read"))
    own = (
        row.seq
        for row in truth.log.get(c, {}).values()
        if row.sender == user and row.kind == "message.sent"
    )
    return max((*said, *own), default=0)


def unread_is_a_recount(facts: Facts, truth: Truth) -> Iterator[Violation]:
    """What the engine answers in the end is what counting one by one gives."""
    counted: dict[tuple[str, str], int] = {}

    def recount(c: str, user: str) -> int:
        if (c, user) not in counted:
            mark, messages = read_mark(truth, c, user), truth.messages.get(c, {})
            counted[c, user] = sum(
                row.seq > mark and row.sender != user and not messages[row.id].deleted
                for row in truth.log.get(c, {}).values()
                if row.kind == "message.sent"
            )
        return counted[c, user]

    for (device, c), state in facts.last.items():
        expected = recount(c, facts.users[device])
        if state["unread"] != expected:
            problem = f"conversation.get says {state['unread']} unread, a recount {expected}"
            yield Violation("unread", problem, c, None, device)
        if state["seq"] != truth.head(c):
            problem = f"conversation.get says seq {state['seq']}, the log {truth.head(c)}"
            yield Violation("order", problem, c, state["seq"], device)
    for device, rows in facts.inboxes.items():
        for row in rows:
            expected = recount(row["c"], facts.users[device])
            if row["unread"] != expected:
                problem = f"the inbox says {row['unread']} unread, a recount {expected}"
                yield Violation("unread", problem, row["c"], None, device)
