"""What `async for push in client` gives: six kinds of news, in one order.

Made for `match`::

    match push:
        case Event("message.sent", c, data={"by": who, "text": text}): ...
        case Reload(c): ...
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .outgoing import Outgoing

State = Literal["connecting", "connected", "disconnected", "reconnect_failed"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something durable. Per conversation the seqs grow one by one, except for events that this
    user may not see; each comes once. A `void` takes back the event whose id is `data["of"]`; it
    alone may come again, and with the seq of what it takes back."""

    kind: str
    conversation: str
    seq: int
    at: int
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signal:
    """Something passing: typing, marks, presence, unread counts. It may be lost."""

    kind: str
    conversation: str | None
    at: int
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reload:
    """What the application knows of `conversation` is not to be continued: read it anew, first
    `conversation.get`, then history. Events go on after `seq`; what it knows up to `keep` is right.

    `reason`: `diverged` (events that were shown are not in the log), `too_far` (too many were
    missed), `new` (met for the first time, and older than that), `unknown` (the server never knew
    what the client knows), `not_member` or an error's code in lower case: it is no longer the
    user's, and no events follow.
    """

    conversation: str
    reason: str
    seq: int = 0
    keep: int = 0


@dataclass(frozen=True, slots=True)
class StateChange:
    """The state of the connection (CLI-13). `disconnected` says why and when the next attempt is
    made; `reconnect_failed` is the last item there is."""

    state: State
    reason: str | None = None
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A command of the outgoing queue is durable: `result` is the `ok` of its Reply. It follows the
    event that it led to, and may come again after a restart."""

    outgoing: Outgoing
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Failed:
    """A command of the outgoing queue will not be sent again: the server said no for good
    (`Rejected`), or it became too old (`Expired`)."""

    outgoing: Outgoing
    error: Exception


Push = Event | Signal | Reload | StateChange | Sent | Failed
