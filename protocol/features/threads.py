"""Sub-threads: messages of a group that hang under one of its messages (CONV-20, HIST-12).

A reply is a message like any other, with a seq and a number of its conversation, and says which
message it hangs under. That one, the root, keeps how many replies there are and which is the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field

from ..commands import Context, Query
from ..errors import Rejected, invalid
from ..events import Event, MessageChange
from ..ids import MessageId
from ..immutable import immutable
from ..message import Message
from ..paging import LARGEST_PAGE
from ..policy import Policy
from ..state import ConversationState


@immutable
class ThreadReplied(MessageChange):
    """The root has one more reply: the message right after this event, stored together with it.

    So these rows are what the replies of a root are found by.
    """

    name: ClassVar[str] = "thread.replied"

    count: int
    """how many replies there are now: said, so that taking the event twice does no harm"""

    def change(self, message: Message, event: Event) -> None:
        last = {"seq": event.seq + 1, "by": event.sender, "ts": event.at}
        message.overlay.data["thread"] = {"count": self.count, "last": last}


@immutable
class ThreadRecounted(MessageChange):
    """With the next event one of the replies goes, and is counted no longer. `last` still tells
    when somebody last replied."""

    name: ClassVar[str] = "thread.recounted"

    count: int

    def change(self, message: Message, event: Event) -> None:
        thread = message.overlay.data.get("thread", {})
        message.overlay.data["thread"] = {**thread, "count": self.count}


class ListThread(Query):
    """A page of the replies to a message, oldest first, as they are now; `after` is a seq,
    exclusive."""

    name: ClassVar[str] = "thread.list"

    message_id: MessageId
    after: int = Field(default=0, ge=0)
    limit: int | None = Field(default=None, ge=1, le=LARGEST_PAGE)


def check_threads(state: ConversationState, policy: Policy) -> None:
    """Whether there can be threads here at all."""
    if not policy.threads:
        raise Rejected("FEATURE_DISABLED", details={"feature": "threads"})
    if state.kind not in ("group", "external_group"):
        raise invalid("thread", "only groups have threads")


def root_of(sent: Mapping[str, Any]) -> str | None:
    """Id of the message under which one hangs that was `sent` so."""
    thread = sent.get("thread")
    return None if thread is None else str(thread["id"])


def replied(root: Message) -> ThreadReplied:
    """What goes before a new reply to `root`."""
    if root_of(root.sent) is not None:
        raise invalid("thread", "that message is in a thread itself")
    return ThreadReplied(message_id=root.id, message_seq=root.seq, count=_count(root) + 1)


def recounted(reply: Message, context: Context, change: int) -> Iterator[ThreadRecounted]:
    """What goes before an event by which `reply` goes (-1), or is there again (1): nothing if it
    hangs under no message. The root may be one that the caller may not see."""
    root = context.unfiltered.get(root_of(reply.sent) or "")
    if root is not None:
        count = max(_count(root) + change, 0)
        yield ThreadRecounted(message_id=root.id, message_seq=root.seq, count=count)


def _count(root: Message) -> int:
    count: int = root.overlay.data.get("thread", {}).get("count", 0)
    return count
