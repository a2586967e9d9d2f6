"""What has become of a message that one has sent: sending, sent, delivered, read, or failed.

Pure: it is told facts, in whatever order and however often they come, and only goes forward.

    outgoing = await client.enqueue(c, "hello")
    status = MessageStatus(recipients=["bob"])
    async for push in client:
        show(status.take(push, outgoing))
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from .outgoing import Outgoing
from .pushes import Event, Failed, Push, Sent, Signal


class BackwardStatus(ValueError):
    """A message does not become what it has been before, nor anything after it has failed."""


class Status(Enum):
    """In the order in which a message goes through them; `FAILED` is an end (SEND-12)."""

    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"

    def may_become(self, other: Status) -> bool:
        """Steps may be left out, since what is read was delivered. What has been sent has not
        failed."""
        if other is Status.FAILED:
            return self is Status.SENDING
        return self is not Status.FAILED and _ORDER.index(other) > _ORDER.index(self)

    def become(self, other: Status) -> Status:
        """`other`. Raises `BackwardStatus` if that is no way forward; to stay is none either."""
        if not self.may_become(other):
            raise BackwardStatus(f"{self.value} does not become {other.value}")
        return other

    def among(self, shown: Collection[Status]) -> Status | None:
        """For a product that shows only some of them: the last of `shown` that the message has been
        through, None if there is none yet (C-44)."""
        if self is Status.FAILED:
            return self if self in shown else None
        passed = _ORDER[: _ORDER.index(self) + 1]
        return next((each for each in reversed(passed) if each in shown), None)


_ORDER = (Status.SENDING, Status.SENT, Status.DELIVERED, Status.READ)


class MessageStatus:
    """Of one message to `recipients`, who are the other members when it was sent.

    It is delivered, or read, when that is so for all of them; without any it stays sent. Marks that
    are told before the message's own place is known are kept until then.
    """

    def __init__(self, recipients: Collection[str]) -> None:
        self.now = Status.SENDING
        self._conversation: str | None = None
        self._seq: int | None = None
        self._marks = {user: {"delivered": 0, "read": 0} for user in recipients}

    def take(self, push: Push, outgoing: Outgoing) -> Status:
        """What `push` says of the message that was enqueued as `outgoing`; pushes of other
        messages and conversations say nothing, so do not filter."""
        match push:
            case Event("message.sent", c, data={"client_id": outgoing.client_id}):
                self._conversation = c  # sent to a user, it has none before
            case Event("message.sent", c, seq, data={"by": user}):
                if c == (outgoing.conversation or self._conversation):
                    self.marked(user, "read", seq)  # who answers has read, without a receipt
            case Sent(sent, result) if sent is outgoing:
                self._conversation = result["c"]
                self.sent(result["seq"])
            case Failed(failed) if failed is outgoing:
                self.failed()
            case Signal("message.read" | "message.delivered" as kind, c, data=data):
                if c is not None and c == (outgoing.conversation or self._conversation):
                    self.marked(data["by"], kind.removeprefix("message."), data["seq"])
        return self.now

    def sent(self, seq: int) -> None:
        """It is durable, at `seq`."""
        self._seq = seq
        self._go(Status.SENT)
        self._follow()

    def failed(self) -> None:
        """It will not be sent."""
        self._go(Status.FAILED)

    def marked(self, user: str, kind: str, seq: int) -> None:
        """`user` has read, or holds (`kind` "delivered"), everything up to `seq`."""
        marks = self._marks.get(user)
        if marks is None:
            return
        marks[kind] = max(marks[kind], seq)
        marks["delivered"] = max(marks.values())
        self._follow()

    def _follow(self) -> None:
        seq = self._seq
        if seq is None or not self._marks:
            return
        if all(marks["read"] >= seq for marks in self._marks.values()):
            self._go(Status.READ)
        elif all(marks["delivered"] >= seq for marks in self._marks.values()):
            self._go(Status.DELIVERED)

    def _go(self, to: Status) -> None:
        """What came late, or comes again, changes nothing."""
        if self.now.may_become(to):
            self.now = to
