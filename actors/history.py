"""Pages of messages: from the ring where it reaches, else from the store, exact when given."""

from __future__ import annotations

from typing import Any, ClassVar

from ..protocol.errors import Rejected
from ..protocol.features.history import MessageHistory
from ..protocol.message import Message
from ..protocol.policy import Policy
from ..protocol.records import Messages
from ..protocol.roles import require_member
from ..protocol.state import Hidden, Member
from .outbox import Push
from .ports import Conversations
from .resident import Resident

_END = 2**62


class _Window:
    """At most `limit` messages that one user may see, next to one cursor, in order of seq."""

    def __init__(
        self,
        user: str,
        *,
        limit: int,
        tombstones: bool,
        before: int | None = None,
        after: int | None = None,
        before_time: int | None = None,
    ) -> None:
        self._user = user
        self._limit = limit
        self._tombstones = tombstones
        self._before = before
        self._after = after
        self._before_time = before_time
        self._page: Messages | None = None

    def get(self, resident: Resident) -> Messages | None:
        """The window as it is now, or None if it must be fetched (again)."""
        ring = resident.ring
        page = self._page
        if page is None:
            # The ring as a page that ends where it begins.
            if self._after is not None and self._after + 1 < ring.first:
                return None
            if self._before_time is not None:
                return None
            page = Messages([], ring.first - 1, more=False)
            complete = self._after is not None or ring.first == 1
        else:
            complete = True
            if not ring.overlay(page.messages, page.as_of):
                self._page = None
                return None
        found = [m for m in page.messages if self._shown(m, resident)]
        if not (page.more and self._after is not None):
            found += [m for m in ring.recent_messages(page.as_of) if self._shown(m, resident)]
        if len(found) <= self._limit and not complete:
            return None
        more = page.more or len(found) > self._limit
        cut = found[: self._limit] if self._after is not None else found[-self._limit :]
        return Messages(cut, resident.state.seq, more)

    def _shown(self, message: Message, resident: Resident) -> bool:
        return (
            resident.state.shows(self._user, message.seq)
            and (message.audience is None or self._user in message.audience)
            and (self._tombstones or not message.deleted)
            and (self._before is None or message.seq < self._before)
            and (self._after is None or message.seq > self._after)
            and (self._before_time is None or message.at < self._before_time)
        )

    async def fetch(self, store: Conversations, id: str, spans: list[tuple[int, int]]) -> None:
        self._page = await store.page(
            id,
            spans=spans,
            limit=self._limit,
            before=self._before,
            after=self._after,
            before_time=self._before_time,
            deleted=self._tombstones,
        )


def spans(member: Member, hidden: Hidden | None) -> list[tuple[int, int]]:
    """The ranges of seq whose messages are there for `member`: their times in the conversation,
    without what they have hidden from themselves."""
    found = [(first or 0, _END if last is None else last) for first, last in member.intervals]
    if hidden is None:
        return found
    gaps = sorted(seq for seq in hidden.messages if seq > hidden.seq)
    shown = zip([hidden.seq, *gaps], [*gaps, _END + 1], strict=True)
    between = [(gap + 1, next_gap - 1) for gap, next_gap in shown]
    return [
        (max(one[0], other[0]), min(one[1], other[1]))
        for one in found
        for other in between
        if max(one[0], other[0]) <= min(one[1], other[1])
    ]


class HistoryRead:
    """`message.history`. A message that one may not see is not found, wherever it is asked for."""

    of_shown: ClassVar[bool] = False

    def __init__(self, query: MessageHistory, user: str, policy: Policy) -> None:
        self._query = query
        self._user = user
        self._policy = policy
        self._id = ""
        self._spans: list[tuple[int, int]] = []
        self._centre: int | None = None
        self._windows: list[_Window] | None = None
        if query.around is None:
            self._windows = [
                self._window(before=query.before, after=query.after, before_time=query.before_time)
            ]
        self._quotes: set[str] = set()
        self._quoted: Messages | None = None

    def _window(
        self,
        *,
        before: int | None = None,
        after: int | None = None,
        before_time: int | None = None,
        extra: int = 0,
    ) -> _Window:
        return _Window(
            self._user,
            limit=self._query.limit + extra,
            tombstones=self._policy.show_tombstones,
            before=before,
            after=after,
            before_time=before_time,
        )

    def missing(self, resident: Resident) -> bool:
        member = require_member(resident.state, self._user)
        self._id = resident.state.id
        self._quotes = set()
        self._spans = spans(member, resident.state.hidden.get(self._user))
        if self._query.around is not None and self._windows is None:
            recent = resident.ring.message(self._query.around)
            if recent is None:
                return True
            self._look_around(recent.seq)
        pages = self._pages(resident)
        if pages is None:
            return True
        quotes = {m.quotes for page in pages for m in page.messages if m.quotes is not None}
        self._quotes = {id for id in quotes if resident.ring.message(id) is None}
        if not self._quotes:
            return False
        quoted = self._quoted
        return quoted is None or not resident.ring.overlay(quoted.messages, quoted.as_of)

    def _look_around(self, centre: int) -> None:
        self._centre = centre
        # The middle one comes with those after it, and is found again there: deleted or not
        # visible, it is missing from its own window.
        self._windows = [
            self._window(before=centre),
            self._window(after=centre - 1, extra=1),
        ]

    def _pages(self, resident: Resident) -> list[Messages] | None:
        assert self._windows is not None
        pages = [window.get(resident) for window in self._windows]
        found = [page for page in pages if page is not None]
        return found if len(found) == len(pages) else None

    async def fetch(self, store: Conversations) -> None:
        if self._windows is None:
            assert self._query.around is not None
            found = await store.messages(self._id, [self._query.around])
            if not found.messages:
                raise Rejected("MESSAGE_NOT_FOUND", details={"message_id": self._query.around})
            self._look_around(found.messages[0].seq)
        if self._quotes:
            self._quoted = await store.messages(self._id, sorted(self._quotes))
            return
        assert self._windows is not None
        for window in self._windows:
            await window.fetch(store, self._id, self._spans)

    def answer(self, resident: Resident) -> tuple[list[Push], dict[str, Any]]:
        pages = self._pages(resident)
        assert pages is not None
        messages = [message for page in pages for message in page.messages]
        if self._centre is not None and all(m.seq != self._centre for m in messages):
            raise Rejected("MESSAGE_NOT_FOUND", details={"message_id": self._query.around})
        quoted = {m.id: m for m in self._quoted.messages} if self._quoted else {}
        items = []
        for message in messages:
            quote = message.quotes
            preview = (resident.ring.message(quote) or quoted.get(quote)) if quote else None
            items.append(message.wire(preview))
        return [], {
            "messages": items,
            "more": any(page.more for page in pages),
            "seq": resident.state.seq,
        }
