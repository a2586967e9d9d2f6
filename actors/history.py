"""Pages of messages: from the ring where it reaches, else from the store, exact when given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from ..protocol.errors import Rejected
from ..protocol.features.history import MessageHistory
from ..protocol.features.media import ListMedia
from ..protocol.features.threads import ListThread, check_threads, root_of
from ..protocol.media import shown
from ..protocol.message import Message
from ..protocol.paging import page_size
from ..protocol.policy import Policy
from ..protocol.records import Messages
from ..protocol.references import the_one
from ..protocol.roles import require_member
from ..protocol.state import Hidden, Member
from .by_id import ById, quotes
from .numbered_window import NumberedWindow
from .outbox import Push
from .ports import Conversations
from .resident import Resident
from .wanted import Wanted

_END = 2**62


class _Window:
    """What is `wanted`, in order of seq."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._page: Messages | None = None

    def get(self, resident: Resident) -> Messages | None:
        """The window as it is now, or None if it must be fetched (again)."""
        ring = resident.ring
        page, after, limit = self._page, self._wanted.after, self._wanted.limit
        if page is None:
            # The ring as a page that ends where it begins.
            if after is not None and after + 1 < ring.first:
                return None
            if self._wanted.before_time is not None:
                return None
            page = Messages([], ring.first - 1, more=False)
            complete = after is not None or ring.first == 1
        else:
            complete = True
            if not ring.overlay(page.messages, page.as_of):
                self._page = None
                return None
        found = [m for m in page.messages if self._shown(m, resident)]
        if not (page.more and after is not None):
            recent = ring.recent_messages(page.as_of, system=self._wanted.system)
            found += [m for m in recent if self._shown(m, resident)]
        if len(found) <= limit and not complete:
            return None
        more = page.more or len(found) > limit
        cut = found[:limit] if after is not None else found[-limit:]
        return Messages(cut, resident.state.seq, more)

    def _shown(self, message: Message, resident: Resident) -> bool:
        return self._wanted.has(message, resident.state)

    async def fetch(self, store: Conversations, id: str, spans: list[tuple[int, int]]) -> None:
        wanted = self._wanted
        self._page = await store.page(
            id,
            spans=spans,
            limit=wanted.limit,
            before=wanted.before,
            after=wanted.after,
            before_time=wanted.before_time,
            deleted=wanted.tombstones,
            system=wanted.system,
            about=wanted.about,
        )


class _ThreadWindow(_Window):
    """The same of the replies to one message."""

    def __init__(self, wanted: Wanted, root: Message, after: int) -> None:
        # They all come after it: where the ring reaches back to it, it holds them.
        self._from = max(after, root.seq)
        super().__init__(replace(wanted, after=self._from))
        self._root = root.id

    def _shown(self, message: Message, resident: Resident) -> bool:
        return root_of(message.sent) == self._root and super()._shown(message, resident)

    async def fetch(self, store: Conversations, id: str, spans: list[tuple[int, int]]) -> None:
        self._page = await store.replies(
            id,
            self._root,
            spans=spans,
            after=self._from,
            limit=self._wanted.limit,
            deleted=self._wanted.tombstones,
        )


class _MediaWindow(_Window):
    """The same of those that show something, and are not deleted."""

    def _shown(self, message: Message, resident: Resident) -> bool:
        return bool(shown(message.sent | message.overlay.data)) and super()._shown(
            message, resident
        )

    async def fetch(self, store: Conversations, id: str, spans: list[tuple[int, int]]) -> None:
        wanted = self._wanted
        self._page = await store.media(
            id, wanted.user, spans=spans, limit=wanted.limit, before=wanted.before
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


def _newest_before(time: int, user: str, resident: Resident) -> int | None:
    """The seq of the newest message older than `time` that is there for `user`, 0 if there is none;
    None if it may lie before what is in memory."""
    ring, state = resident.ring, resident.state
    for push in reversed(ring.after(ring.first - 1)):
        event = push.event
        assert event is not None
        if event.at < time and event.data.is_message and state.shows(user, event.seq):
            return event.seq
    return 0 if ring.first == 1 else None


class _PagesRead(ABC):
    """Windows of messages, each message with a preview of what it quotes.

    Where they lie may depend on a message, `anchor`, that has to be found first; and on the last
    one that lies further back than the user may look (HIST-10), whose seq is the `floor`.
    """

    of_shown: ClassVar[bool] = False

    def __init__(self, user: str, policy: Policy, limit: int | None, anchor: str | None) -> None:
        size = page_size(limit, policy.messages_page, policy.max_messages_page)
        self._user = user
        self._wanted = Wanted(user, size, policy.show_tombstones)
        self._anchor = anchor
        self._id = ""
        self._spans: list[tuple[int, int]] = []
        self._since = 0
        self._floor: int | None = None
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
        state = resident.state
        member = require_member(state, self._user)
        self._id = state.id
        self._paged = False
        spans = _spans(member, state.hidden.get(self._user))
        if self._floor is None and state.outreaches(self._user, state.created_at):
            assert state.reach is not None
            self._spans, self._since = spans, state.reach(self._user)
            self._floor = _newest_before(self._since, self._user, resident)
            if self._floor is None:
                return True
        floor = self._floor or 0
        self._spans = [(max(first, floor + 1), last) for first, last in spans if last > floor]
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
        if self._since and self._floor is None:
            older = await store.page(self._id, spans=self._spans, limit=1, before_time=self._since)
            self._floor = older.messages[0].seq if older.messages else 0
            return
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
                message.wire(self._quoted.quoted(resident, self._user, message), self._user)
                for message in messages
            ],
            "more": any(page.more for page in pages),
            "seq": pages[0].as_of,
            **self._place(),
            **({"limited": True} if self._floor else {}),
        }

    def _not_found(self) -> Rejected:
        return Rejected("MESSAGE_NOT_FOUND", details={"message_id": self._anchor})


class HistoryRead(_PagesRead):
    """`message.history`. A message that one may not see is not found, wherever it is asked for."""

    def __init__(self, query: MessageHistory, user: str, policy: Policy) -> None:
        super().__init__(user, policy, query.limit, query.around)
        about = None if query.context is None else the_one(query.context)
        self._wanted = replace(self._wanted, system=query.system, about=about)
        self._centre: int | None = None
        number = query.page
        if number is None and policy.history_style == "page" and not query.has_cursor:
            number = 1
        wanted = replace(
            self._wanted, before=query.before, after=query.after, before_time=query.before_time
        )
        if number is not None:
            newest_first = policy.history_order == "newest_page_ascending"
            numbered = NumberedWindow(wanted, number, newest_first=newest_first)
            self._windows, self._place = [numbered], numbered.place
        elif query.around is None:
            self._windows = [_Window(wanted)]

    def _anchored(self, anchor: Message) -> list[_Window]:
        # The middle one comes with those after it, and is found again there: deleted or not
        # visible, it is missing from its own window.
        self._centre = centre = anchor.seq
        behind = replace(self._wanted, after=centre - 1, limit=self._wanted.limit + 1)
        return [_Window(replace(self._wanted, before=centre)), _Window(behind)]

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
        return [_ThreadWindow(self._wanted, anchor, self._after)]

    def _check(self, resident: Resident, messages: list[Message]) -> None:
        assert self._root is not None
        if not resident.state.may_see(self._user, self._root):
            raise self._not_found()


class MediaRead(_PagesRead):
    """`media.list`, newest first (GRP-12)."""

    def __init__(self, query: ListMedia, user: str, policy: Policy) -> None:
        super().__init__(user, policy, query.limit, None)
        self._windows = [_MediaWindow(replace(self._wanted, tombstones=False, before=query.before))]

    def _anchored(self, anchor: Message) -> list[_Window]:
        raise AssertionError("there is no anchor")

    def _check(self, resident: Resident, messages: list[Message]) -> None: ...

    def answer(self, resident: Resident) -> tuple[list[Push], dict[str, Any]]:
        pushes, page = super().answer(resident)
        page["messages"].reverse()
        return pushes, page
