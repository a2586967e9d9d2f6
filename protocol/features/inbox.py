"""Across conversations: the inbox, and what changed since a cursor (CONV-07, 26; HIST-07)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ..commands import UserQuery
from ..events import SignalData
from ..ids import ConversationId, UserId
from ..immutable import immutable
from ..paging import LARGEST_PAGE
from ..references import OneReference


@immutable
class UnreadChanged(SignalData):
    """Counts that changed, and the total over all conversations (CONV-16, RCPT-07)."""

    name: ClassVar[str] = "unread.changed"

    total: int
    conversations: dict[str, int]


class ListConversations(UserQuery):
    """A page of the caller's conversations: pinned ones, last pinned first; then newest activity
    first (CONV-12). `filter` all leaves out the archived ones, `unread` chooses among the others;
    `requests` are in no other list (REQ-03). Nor is, in any, a conversation with somebody whom the
    caller keeps out. `text` chooses by the beginning of a word in the title or of another member's
    id (SRCH-08), `context` by a thing that the conversation refers to (CONV-05).

    The answer's `next`, given back as `cursor`, continues it; a conversation that becomes active
    meanwhile moves to the top and is not met again further down.
    """

    name: ClassVar[str] = "conversation.list"

    limit: int | None = Field(default=None, ge=1, le=LARGEST_PAGE)
    cursor: str | None = Field(default=None, max_length=200)
    filter: Literal["all", "unread", "archived", "requests"] = "all"
    text: str | None = Field(default=None, min_length=1, max_length=100)
    context: OneReference | None = None


class SyncChanges(UserQuery):
    """What changed since a cursor: heads of conversations, and the caller's own log after `n`.

    Without `cursor`: only the cursor of now. At least once: a conversation may come again. Of the
    log a bounded part at a time; `more` says that there is a rest.
    """

    name: ClassVar[str] = "sync.changes"

    cursor: str | None = Field(default=None, max_length=100)
    n: int = Field(default=0, ge=0)


class GetPresence(UserQuery):
    """Who of the conversation's members is online (RCPT-16)."""

    name: ClassVar[str] = "presence.get"

    conversation: ConversationId


class ListOnline(UserQuery):
    """Who is online of those with whom the caller shares a conversation, in order of user id
    (RCPT-17). `after` is the last one of the page before."""

    name: ClassVar[str] = "presence.list"

    after: UserId | None = None
    limit: int = Field(default=100, ge=1, le=500)
