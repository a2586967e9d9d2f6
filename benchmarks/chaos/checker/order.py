"""Rules about what was seen: one contiguous order, nothing altered, every change arrives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .facts import Facts, Seen, Violation
from .truth import Row, Truth

Item = dict[str, Any]

_ENVELOPE = {"id", "by", "client_id", "number", "text", "redacted", "preview"}


def log_is_contiguous(truth: Truth) -> Iterator[Violation]:
    """seq counts from 1 without a gap, and numbers rise with it."""
    for c, log in truth.log.items():
        number = 0
        for expected, row in enumerate(log.values(), 1):
            if row.seq != expected:
                problem = f"the log has seq {row.seq} where {expected} should be"
                yield Violation("order", problem, c, expected)
                break
            if row.number is not None:
                if row.number <= number:
                    problem = f"message number {row.number} follows {number}"
                    yield Violation("order", problem, c, row.seq)
                number = row.number


def resumed_whole(facts: Facts) -> Iterator[Violation]:
    """A device that is told that it is recovered holds everything up to there."""
    for device, c, position, ok in facts.holes:
        problem = f"recovered up to seq {ok['seq']}, says the server; what came ends at {position}"
        yield Violation("order", problem, c, position + 1, device)


def views_are_the_log(facts: Facts, truth: Truth) -> Iterator[Violation]:
    """At the end every device stands at the head, and has taken every event since it loaded."""
    for (device, c), view in facts.views.items():
        head = truth.head(c)
        if view.position != head:
            problem = f"the device ends at seq {view.position}, the log at {head}"
            yield Violation("order", problem, c, view.position, device)
            continue
        for seq in range((view.base or 0) + 1, head + 1):
            item, row = view.events.get(seq), truth.row(c, seq)
            if item is None or row is None:
                problem = f"seq {seq} is missing in the {'device' if item is None else 'log'}"
                yield Violation("order", problem, c, seq, device)
                break
            difference = _difference(item, row, truth)
            if difference is not None:
                yield Violation("altered", f"the device holds {difference}", c, seq, device)
                break


def kept_is_right(facts: Facts, truth: Truth) -> Iterator[Violation]:
    """What a device holds up to where it was told to reload from is right."""
    for device, item in facts.kept:
        c, seq = item["c"], item["seq"]
        row = truth.row(c, seq)
        difference = "what the log lacks" if row is None else _difference(item, row, truth)
        if difference is not None:
            problem = f"told that it is right, the device held {difference}"
            yield Violation("altered", problem, c, seq, device)


def nothing_is_altered(facts: Facts, truth: Truth, *, may_lose: bool) -> Iterator[Violation]:
    """What was seen is what the log has, except for what was redacted since; or it was lost in a
    crash before it was answered, and the epoch that began then tells it."""
    for seen in facts.seen:
        item = seen.item
        if item["t"] == "skipped":
            continue
        row = truth.row(item["c"], item["seq"])
        difference = "nothing" if row is None else _difference(item, row, truth)
        if difference is None or (may_lose and _is_lost(seen, truth)):
            continue
        if may_lose and row is not None and _voids(row, item):
            continue
        problem = f"seen as {item['t']} {item['d'].get('id')}, in the log {difference}"
        yield Violation("altered", problem, item["c"], item["seq"], seen.device)


def _voids(row: Row, item: Item) -> bool:
    return row.kind == "void" and row.data.get("of") == item["d"].get("id")


def _is_lost(seen: Seen, truth: Truth) -> bool:
    above = truth.lost_above(seen.item["c"], seen.epoch)
    return above is not None and int(seen.item["seq"]) > above


def _difference(item: Item, row: Row, truth: Truth) -> str | None:
    """What `row` has otherwise than `item`; None if it is the same event."""
    payload = item["d"]
    if item["t"] != row.kind:
        return f"{row.kind} instead of {item['t']}"
    if item["t"] == "void":
        return None if payload.get("of") == row.data.get("of") else "another void"
    pairs: list[tuple[str, Any, Any]] = [
        ("id", payload.get("id"), row.id),
        ("by", payload.get("by"), row.sender),
        ("client_id", payload.get("client_id"), row.client_id),
        ("number", payload.get("number"), row.number),
    ]
    if payload.get("redacted"):
        target = row.data.get("message_id", row.id)
        message = truth.messages.get(row.c, {}).get(target)
        pairs.append(("redaction", True, message is not None and message.deleted))
    else:
        pairs.append(("text", payload.get("text"), row.text))
        names = (payload.keys() | row.data.keys()) - _ENVELOPE
        pairs += [(name, payload.get(name), row.data.get(name)) for name in sorted(names)]
    for name, seen, kept in pairs:
        if seen != kept:
            return f"{name} {kept!r} instead of {seen!r}"
    return None


def changes_arrive(facts: Facts, truth: Truth) -> Iterator[Violation]:
    """Edits and deletions have reached every device, also those made while it was away."""
    for (device, c), view in facts.views.items():
        messages = truth.messages.get(c, {})
        for id, held in view.messages.items():
            message = messages.get(id)
            if message is None:
                yield Violation(
                    "altered", f"the device holds message {id}, the log not", c, held.seq, device
                )
            elif held.deleted != message.deleted:
                problem = f"deleted is {message.deleted}, on the device {held.deleted}"
                yield Violation("changes", problem, c, held.seq, device)
            elif held.text != message.text:
                problem = f"the text is {message.text!r}, on the device {held.text!r}"
                yield Violation("changes", problem, c, held.seq, device)


def overlays_are_the_log(truth: Truth) -> Iterator[Violation]:
    """What history is served from agrees with what the log makes of each message."""
    overlays = {(each.c, each.seq): each for each in truth.overlays}
    for c, messages in truth.messages.items():
        for message in messages.values():
            overlay = overlays.get((c, message.seq))
            deleted = overlay is not None and overlay.deleted
            if deleted != message.deleted:
                problem = f"deleted is {message.deleted} by the log, {deleted} by the overlay"
                yield Violation("changes", problem, c, message.seq)
            elif message.version > 1 and not deleted:
                text = None if overlay is None else overlay.text
                if text != message.text:
                    problem = f"the text is {message.text!r} by the log, {text!r} by the overlay"
                    yield Violation("changes", problem, c, message.seq)


def never_diverges(facts: Facts) -> Iterator[Violation]:
    """Under `commit` nothing is shown before it is stored, so nobody ever diverges."""
    for device, c, ok in facts.reloads:
        if ok["reason"] == "diverged":
            problem = f"told to reload after {ok['reload_after']}: diverged, under commit"
            yield Violation("commit", problem, c, ok["reload_after"], device)


def reasons_are_known(facts: Facts) -> Iterator[Violation]:
    """Nobody left and no database was exchanged, so a reload has one of two reasons."""
    for device, c, ok in facts.reloads:
        if ok["reason"] not in ("diverged", "too_far"):
            problem = f"told to reload for the reason {ok['reason']!r}"
            yield Violation("order", problem, c, None, device)
