"""A page of messages by its number."""

from __future__ import annotations

from ..protocol.paging import page_count
from ..protocol.records import Messages, NumberedPage
from .ports import Conversations
from .resident import Resident
from .wanted import Wanted


class NumberedWindow:
    """The `number`th page of all that is `wanted`, in order of seq (HIST-02).

    It counts and shows what is stored, as of one seq; only what has been changed or deleted since
    is brought up to date; so is what the user has hidden.
    """

    def __init__(self, wanted: Wanted, number: int, *, newest_first: bool) -> None:
        self._wanted = wanted
        self._number = number
        self._newest_first = newest_first
        self._page: NumberedPage | None = None

    def get(self, resident: Resident) -> Messages | None:
        page = self._page
        if page is None or not resident.ring.overlay(page.messages, page.as_of):
            self._page = None
            return None
        shown = [each for each in page.messages if self._wanted.has(each, resident.state)]
        page.total -= len(page.messages) - len(shown)
        page.messages = shown
        more = self._number * self._wanted.limit < page.total
        return Messages(shown, page.as_of, more)

    async def fetch(self, store: Conversations, id: str, spans: list[tuple[int, int]]) -> None:
        wanted = self._wanted
        self._page = await store.numbered_page(
            id,
            wanted.user,
            spans=spans,
            offset=(self._number - 1) * wanted.limit,
            limit=wanted.limit,
            newest_first=self._newest_first,
            before=wanted.before,
            before_time=wanted.before_time,
            deleted=wanted.tombstones,
            system=wanted.system,
            about=wanted.about,
        )

    def place(self) -> dict[str, int]:
        """Where it stands among the others (HIST-05)."""
        assert self._page is not None
        total, limit = self._page.total, self._wanted.limit
        return {
            "page": self._number,
            "limit": limit,
            "total": total,
            "total_pages": page_count(total, limit),
        }
