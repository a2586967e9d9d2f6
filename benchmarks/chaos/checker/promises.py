"""Rules about replies: what was answered is there, once."""

from __future__ import annotations

from collections.abc import Iterator

from .facts import Answer, Facts, Violation
from .truth import Row, Truth

_KINDS = {
    "conversation.create": "conversation.created",
    "message.send": "message.sent",
    "message.edit": "message.edited",
    "message.delete": "message.deleted",
}


def missing(facts: Facts, truth: Truth) -> Iterator[tuple[Answer, Violation]]:
    """Nothing replied to is missing, and it is what was asked for."""
    for answer in facts.answers:
        ok = answer.reply.get("ok")
        if not ok or "id" not in ok:
            continue
        problem = _difference(facts, answer, truth.row(answer.c, ok["seq"]))
        if problem is not None:
            kind = answer.command["t"]
            text = f"{kind} was answered with seq {ok['seq']}, but {problem}"
            yield (
                answer,
                Violation("missing", text, answer.c, ok["seq"], answer.device, answer.client_id),
            )


def _difference(facts: Facts, answer: Answer, row: Row | None) -> str | None:
    command, ok = answer.command, answer.reply["ok"]
    if row is None:
        return "the log has nothing there"
    if row.kind == "void":
        return "the log has a void there"
    if row.id != ok["id"]:
        return f"the log has another event there ({row.kind} {row.id})"
    if row.kind != _KINDS[command["t"]]:
        return f"the log has a {row.kind} there"
    if command["t"] == "conversation.create":
        return None  # a direct one may have been made by the other side
    if row.sender != facts.users[answer.device]:
        return f"the log says it was sent by {row.sender}"
    if row.client_id != answer.client_id:
        return f"the log has the client id {row.client_id}"
    if row.text != command["d"].get("text"):
        return f"the log has the text {row.text!r}"
    if row.data.get("message_id") != command["d"].get("message_id"):
        return f"the log has it of the message {row.data.get('message_id')}"
    return None


def twice(facts: Facts, truth: Truth) -> Iterator[Violation]:
    """Nothing appears twice: no client id, no id, no text (no two messages have the same)."""
    known: dict[tuple[str, str], Row] = {}
    for row in truth.rows:
        keys = [("id", row.id)]
        if row.client_id is not None:
            keys.append(("client id", f"{row.c}/{row.sender}/{row.client_id}"))
        if row.kind == "message.sent":
            keys.append(("text", f"{row.c}/{row.text}"))
        for key in keys:
            first = known.setdefault(key, row)
            if first is not row:
                problem = f"seq {first.seq} and {row.seq} have the same {key[0]}"
                yield Violation("twice", problem, row.c, row.seq, client_id=row.client_id)
    for (device, c), view in facts.views.items():
        ids: dict[str, int] = {}
        for seq, item in view.events.items():
            first_seq = ids.setdefault(item["d"].get("id", f"seq {seq}"), seq)
            if first_seq != seq:
                problem = f"the device took one event at seq {first_seq} and at {seq}"
                yield Violation("twice", problem, c, seq, device)


def one_answer(facts: Facts) -> Iterator[Violation]:
    """A command that was repeated under its client id has one answer."""
    first: dict[tuple[str, str, str], Answer] = {}
    for answer in facts.answers:
        if answer.client_id is None or "ok" not in answer.reply:
            continue
        key = (answer.c, facts.users[answer.device], answer.client_id)
        before = first.setdefault(key, answer).reply["ok"]
        if before.get("id") != answer.reply["ok"].get("id"):
            problem = f"answered with {before} and with {answer.reply['ok']}"
            yield Violation("one answer", problem, key[0], None, answer.device, key[2])


def settled(facts: Facts) -> Iterator[Violation]:
    """When all was mended, every command got its answer."""
    for device, item in facts.unanswered:
        problem = f"{item['t']} has no answer though all is well again"
        client_id = item["d"].get("client_id")
        yield Violation("unanswered", problem, item.get("c"), None, device, client_id)


def refused(facts: Facts, truth: Truth) -> Iterator[Violation]:
    """No command was refused for good: each was in order. (A change of a message that somebody
    deleted meanwhile may be.)"""
    for answer in facts.answers:
        if (error := answer.reply.get("error")) is None:
            continue
        message = truth.messages.get(answer.c, {}).get(answer.command["d"].get("message_id", ""))
        if error["code"] == "MESSAGE_NOT_FOUND" and message is not None and message.deleted:
            continue
        problem = f"{answer.command['t']} was refused: {error['code']} ({error['message']})"
        yield Violation("refused", problem, answer.c, None, answer.device, answer.client_id)
