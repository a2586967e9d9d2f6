"""A page of messages by its number."""

from __future__ import annotations

from ..protocol.paging import page_count
from ..protocol.records import Messages, NumberedPage
from .ports import Conversations
from .resident import Resident


class NumberedWindow:
    """The `number`th page of all that one user may see, in order of seq (HIST-02).

    It counts and shows what is stored, as of one seq; only what has been changed or deleted since
    is brought up to date; so is what the user has hidden.
    """

    def __init__(
        self,
        user: str,
        number: int,
        *,
        limit: int,
        newest_first: bool,
        tombstones: bool,
        system: bool,
        before: int | None,
        before_time: int | None,
    ) -> None:
        self._user = user
        self._number = number
        self._limit = limit
        self._newest_first = newest_first
        self._tombstones = tombstones
        self._system = system
        self._before = before
        self._before_time = before_time
        self._page: NumberedPage | None = None

    def get(self, resident: Resident) -> Messages | None:
        page = self._page
        if page is None or not resident.ring.overlay(page.messages, page.as_of):
            self._page = None
            return None
        shown = [
            message
            for message in page.messages
            if message.is_listed(self._tombstones) and resident.state.shows(self._user, message.seq)
        ]
        page.total -= len(page.messages) - len(shown)
        page.messages = shown
        more = self._number * self._limit < page.total
        return Messages(shown, page.as_of, more)

    async def fetch(self, store: Conversations, id: str, spans: list[tuple[int, int]]) -> None:
        self._page = await store.numbered_page(
            id,
            self._user,
            spans=spans,
            offset=(self._number - 1) * self._limit,
            limit=self._limit,
            newest_first=self._newest_first,
            before=self._before,
            before_time=self._before_time,
            deleted=self._tombstones,
            system=self._system,
        )

    def place(self) -> dict[str, int]:
        """Where it stands among the others (HIST-05)."""
        assert self._page is not None
        total = self._page.total
        return {
            "page": self._number,
            "limit": self._limit,
            "total": total,
            "total_pages": page_count(total, self._limit),
        }
