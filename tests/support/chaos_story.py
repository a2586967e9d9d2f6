"""Made-up histories for the checker of `palaver chaos`: what two devices saw, and the database."""

from dataclasses import replace

from palaver.benchmarks.chaos.checker import Expectations, Facts, Truth, check
from palaver.benchmarks.chaos.checker.truth import Epochs, MarkRow, Overlay, Row

C = "a conversation"
ANN, BOB = 0, 1
USERS = {ANN: "ann", BOB: "bob"}


def message(seq, by="ann", text=None, **changes):
    """The row of a message; seq 1 is the conversation's beginning."""
    row = Row(C, seq, f"m{seq}", "message.sent", by, f"k{seq}", seq - 1, text or f"text {seq}")
    return replace(row, **changes)


def edited(seq, target, version=2, by="ann"):
    data = {"message_id": f"m{target}", "message_seq": target, "version": version}
    return Row(C, seq, f"e{seq}", "message.edited", by, f"k{seq}", None, f"text {seq}", data)


def deleted(seq, target, by="ann"):
    data = {"message_id": f"m{target}", "message_seq": target, "counted": True}
    return Row(C, seq, f"d{seq}", "message.deleted", by, f"k{seq}", None, None, data)


def void(seq, of):
    return Row(C, seq, f"v{seq}", "void", "ann", None, seq - 1, None, {"of": of})


CREATED = Row(C, 1, "m1", "conversation.created", "ann", "k1", None, None, {"kind": "group"})


def item(row, **changes):
    """The event of `row`, as a device gets it."""
    payload = {"id": row.id, "by": row.sender, "client_id": row.client_id, "number": row.number}
    payload |= {"text": row.text, **row.data}
    payload = {key: value for key, value in payload.items() if value is not None} | changes
    return {"t": row.kind, "c": row.c, "seq": row.seq, "ts": 0, "d": payload}


def redacted(row):
    changed = item(row, redacted=True)
    del changed["d"]["text"]
    return changed


class Story:
    """Grows record by record; `rules` are those that are broken in the end.

    Both devices are connected to run 1 of the engine from the start.
    """

    def __init__(self, *rows, durability="write_behind", **database):
        self.rows = list(rows)
        self.database = database
        self.durability = durability
        self.records = []
        self._time = 0.0
        self._ids = 0
        for device in USERS:
            self.open(device)

    def note(self, what, device, value):
        self._time += 1
        self.records.append((what, device, self._time, value))
        return self

    def open(self, device, run=1):
        return self.note("open", device, [run, {}])

    def crash(self):
        return self.note("fault", -1, ["killed", 1])

    def got(self, device, *items):
        for each in items:
            self.note("got", device, each)
        return self

    def both(self, *rows):
        for device in USERS:
            self.got(device, *map(item, rows))
        return self

    def asked(self, device, purpose, kind, payload=None, *, id=None):
        if id is None:
            self._ids += 1
            id = f"{purpose}:{self._ids}"
        self.note("sent", device, {"t": kind, "id": id, "c": C, "d": payload or {}})
        return id

    def answered(self, device, id, ok):
        return self.note("got", device, {"t": "reply", "id": id, "c": C, "ok": ok})

    def refused(self, device, id, code, retryable=False):
        error = {"code": code, "message": code, "retryable": retryable}
        return self.note("got", device, {"t": "reply", "id": id, "c": C, "error": error})

    def ask(self, device, purpose, kind, ok, payload=None):
        return self.answered(device, self.asked(device, purpose, kind, payload), ok)

    def does(self, device, row, ok=None, **payload):
        """A command that led to `row`, and its answer."""
        kind = {"message.sent": "message.send", "message.edited": "message.edit"}.get(
            row.kind, "message.delete"
        )
        payload = {"client_id": row.client_id, **payload}
        if row.text is not None:
            payload.setdefault("text", row.text)
        if "message_id" in row.data:
            payload["message_id"] = row.data["message_id"]
        return self.ask(device, "do", kind, ok or {"c": C, "seq": row.seq, "id": row.id}, payload)

    def resumed(self, device, seq, epoch=1):
        ok = {"recovered": True, "epoch": epoch, "seq": seq}
        return self.ask(device, "resume", "conversation.resume", ok)

    def diverged(self, device, reload_after, epoch=2, reason="diverged"):
        ok = {"recovered": False, "epoch": epoch, "seq": 0, "reason": reason}
        ok["reload_after"] = reload_after
        return self.ask(device, "resume", "conversation.resume", ok)

    def loaded(self, device, seq, epoch=2, messages=()):
        self.ask(device, "load", "conversation.get", {"epoch": epoch, "seq": seq})
        return self.ask(device, "page", "message.history", {"messages": list(messages)})

    def result(self):
        truth = Truth(self.rows, **self.database)
        facts = Facts.of(USERS, self.records)
        return check(facts, truth, Expectations(self.durability, relaxed_bound_s=2.0))

    def rules(self):
        return {violation.rule for violation in self.result().violations}


__all__ = [
    "ANN",
    "BOB",
    "CREATED",
    "C",
    "Epochs",
    "MarkRow",
    "Overlay",
    "Story",
    "deleted",
    "edited",
    "item",
    "message",
    "redacted",
    "void",
]
