"""Pages of messages: from the ring where it reaches, else from the store, exact when given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ..protocol.errors import Rejected
from ..protocol.features.history import MessageHistory
from ..protocol.features.threads import ListThread, check_threads, root_of
from ..protocol.machine import visible
from ..protocol.message import Message
from ..protocol.paging import page_size
from ..protocol.policy import Policy
from ..protocol.records import Messages
from ..protocol.roles import require_member
from ..protocol.state import Hidden, Member
from .by_id import ById, quotes
from .numbered_window import NumberedWindow
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
        system: bool,
        before: int | None = None,
        after: int | None = None,
        before_time: int | None = None,
    ) -> None:
        self._user = user
        self._limit = limit
        self._tombstones = tombstones
        self._system = system
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
            recent = ring.recent_messages(page.as_of, system=self._system)
            found += [m for m in recent if self._shown(m, resident)]
        if len(found) <= self._limit and not complete:
            return None
        more = page.more or len(found) > self._limit
        cut = found[: self._limit] if self._after is not None else found[-self._limit :]
        return Messages(cut, resident.state.seq, more)

    def _shown(self, message: Message, resident: Resident) -> bool:
        return (
            resident.state.shows(self._user, message.seq)
            and (message.audience is None or self._user in message.audience)
            and message.is_listed(self._tombstones)
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
            system=self._system,
        )


class _ThreadWindow(_Window):
    """The same of the replies to one message."""

    def __init__(
        self, user: str, root: Message, *, limit: int, tombstones: bool, after: int
    ) -> None:
        # They all come after it: where the ring reaches back to it, it holds them.
        after = max(after, root.seq)
        super().__init__(user, limit=limit, tombstones=tombstones, system=False, after=after)
        self._root = root.id
        self._from = after

    def _shown(self, message: Message, resident: Resident) -> bool:
        return root_of(message.sent) == self._root and super()._shown(message, resident)

    async def fetch(self, store: Conversations, id: str, spans: list[tuple[int, int]]) -> None:
        self._page = await store.replies(
            id,
            self._root,
            spans=spans,
            after=self._from,
            limit=self._limit,
            deleted=self._tombstones,
        )


def _spans(member: Member, hidden: Hidden | None) -> list[tuple[int, int]]:
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


class _PagesRead(ABC):
    """Windows of messages, each message with a preview of what it quotes.

    Where they lie may depend on a message, `anchor`, that has to be found first.
    """

    of_shown: ClassVar[bool] = False

    def __init__(self, user: str, policy: Policy, limit: int | None, anchor: str | None) -> None:
        self._user = user
        self._limit = page_size(limit, policy.messages_page, policy.max_messages_page)
        self._tombstones = policy.show_tombstones
        self._anchor = anchor
        self._id = ""
        self._spans: list[tuple[int, int]] = []
        self._windows: Sequence[_Window | NumberedWindow] | None = None
        self._place: Callable[[], dict[str, int]] = dict
        self._paged = False
        self._quoted = ById()

    @abstractmethod
    def _anchored(self, anchor: Message) -> list[_Window]:
        """The windows, now that the anchor is found. Perhaps its user may not see it."""

    @abstractmethod
    def _check(self, resident: Resident, messages: list[Message]) -> None:
        """Raise MESSAGE_NOT_FOUND if the user may not see the anchor; `messages` is the answer."""

    def missing(self, resident: Resident) -> bool:
        member = require_member(resident.state, self._user)
        self._id = resident.state.id
        self._paged = False
        self._spans = _spans(member, resident.state.hidden.get(self._user))
        if self._windows is None:
            assert self._anchor is not None
            recent = resident.ring.message(self._anchor)
            if recent is None:
                return True
            self._windows = self._anchored(recent)
        pages = self._pages(resident)
        if pages is None:
            return True
        self._paged = True
        return self._quoted.missing(resident, quotes(m for page in pages for m in page.messages))

    def _pages(self, resident: Resident) -> list[Messages] | None:
        assert self._windows is not None
        pages = [window.get(resident) for window in self._windows]
        found = [page for page in pages if page is not None]
        return found if len(found) == len(pages) else None

    async def fetch(self, store: Conversations) -> None:
        if self._windows is None:
            assert self._anchor is not None
            found = await store.messages(self._id, [self._anchor])
            if not found.messages:
                raise self._not_found()
            self._windows = self._anchored(found.messages[0])
        if self._paged:
            await self._quoted.fetch(store, self._id)
            return
        for window in self._windows:
            await window.fetch(store, self._id, self._spans)

    def answer(self, resident: Resident) -> tuple[list[Push], dict[str, Any]]:
        pages = self._pages(resident)
        assert pages is not None
        messages = [message for page in pages for message in page.messages]
        self._check(resident, messages)
        return [], {
            "messages": [
                message.wire(self._quoted.given(resident, message.quotes), self._user)
                for message in messages
            ],
            "more": any(page.more for page in pages),
            "seq": pages[0].as_of,
            **self._place(),
        }

    def _not_found(self) -> Rejected:
        return Rejected("MESSAGE_NOT_FOUND", details={"message_id": self._anchor})


class HistoryRead(_PagesRead):
    """`message.history`. A message that one may not see is not found, wherever it is asked for."""

    def __init__(self, query: MessageHistory, user: str, policy: Policy) -> None:
        super().__init__(user, policy, query.limit, query.around)
        self._system = query.system
        self._centre: int | None = None
        number = query.page
        if number is None and policy.history_style == "page" and not query.has_cursor:
            number = 1
        if number is not None:
            numbered = NumberedWindow(
                user,
                number,
                limit=self._limit,
                newest_first=policy.history_order == "newest_page_ascending",
                tombstones=self._tombstones,
                system=self._system,
                before=query.before,
                before_time=query.before_time,
            )
            self._windows, self._place = [numbered], numbered.place
        elif query.around is None:
            self._windows = [
                self._window(before=query.before, after=query.after, before_time=query.before_time)
            ]

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
            limit=self._limit + extra,
            tombstones=self._tombstones,
            system=self._system,
            before=before,
            after=after,
            before_time=before_time,
        )

    def _anchored(self, anchor: Message) -> list[_Window]:
        # The middle one comes with those after it, and is found again there: deleted or not
        # visible, it is missing from its own window.
        self._centre = centre = anchor.seq
        return [self._window(before=centre), self._window(after=centre - 1, extra=1)]

    def _check(self, resident: Resident, messages: list[Message]) -> None:
        if self._centre is not None and all(m.seq != self._centre for m in messages):
            raise self._not_found()


class ThreadRead(_PagesRead):
    """`thread.list`: the replies to a message that one may see, be it deleted (HIST-12)."""

    def __init__(self, query: ListThread, user: str, policy: Policy) -> None:
        super().__init__(user, policy, query.limit, query.message_id)
        self._after = query.after
        self._policy = policy
        self._root: Message | None = None

    def missing(self, resident: Resident) -> bool:
        require_member(resident.state, self._user)
        check_threads(resident.state, self._policy)
        return super().missing(resident)

    def _anchored(self, anchor: Message) -> list[_Window]:
        self._root = anchor
        return [
            _ThreadWindow(
                self._user,
                anchor,
                limit=self._limit,
                tombstones=self._tombstones,
                after=self._after,
            )
        ]

    def _check(self, resident: Resident, messages: list[Message]) -> None:
        assert self._root is not None
        if not visible(resident.state, self._user, {self._root.id: self._root}):
            raise self._not_found()
