"""Finding messages in the in-memory store: every word compared, nothing stemmed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import trio

from ...protocol.message import Message
from ...protocol.records import Found, Hit, Referring, Search
from ...protocol.references import Reference, refers
from ...protocol.state import Hidden, Member
from .disk import Disk, Shelf

_Rank = tuple[int, int, str, int]
_NOTHING = Hidden()


class MemorySearches:
    """Implements `Searches`. `check` is called first: it raises while away."""

    def __init__(self, disk: Disk, check: Callable[[], None]) -> None:
        self._disk = disk
        self._check = check

    async def search(self, search: Search) -> Found:
        await trio.lowlevel.checkpoint()
        self._check()
        only = None if search.conversation is None else [search.conversation]
        found: list[tuple[_Rank, Hit]] = []
        hidden = self._disk.hidden_by(search.user)
        for shelf in self._disk.of(search.user, only):
            if shelf.row is None:
                continue
            for message in _visible(shelf, search, hidden.get(shelf.row.id, _NOTHING)):
                rank = _occurrences(message.current_text or "", search)
                if rank:
                    order = -rank, -message.at, shelf.row.id, -message.seq
                    found.append((order, Hit(shelf.row.id, message)))
        found.sort(key=lambda each: each[0])
        page = found[search.offset : search.offset + search.limit]
        return Found([hit for _, hit in page], len(found))

    async def referring(
        self, to: Reference, limit: int, after: tuple[str, int] | None = None
    ) -> list[Referring]:
        await trio.lowlevel.checkpoint()
        self._check()
        found = []
        for id, shelf in sorted(self._disk.shelves.items()):
            if shelf.head is not None and refers(shelf.head.context, to):
                found.append(Referring(id, 1, None))
            found += [
                Referring(id, event.seq, event.id)
                for event in shelf.log
                if refers(shelf.context(event), to)
            ]
        behind = [each for each in found if after is None or (each.conversation, each.seq) > after]
        return behind[:limit]

    async def caught_up(self) -> None:
        await trio.lowlevel.checkpoint()


def _visible(shelf: Shelf, search: Search, hidden: Hidden) -> Iterator[Message]:
    member = shelf.members[search.user]
    if member.role is None:
        return
    times = Member(intervals=member.intervals)
    for event in shelf.log:
        if (
            event.data.is_message
            and not shelf.is_deleted(event)
            and times.sees(event.seq)
            and hidden.shows(event.seq)
            and (event.audience is None or search.user in event.audience)
            and (search.by is None or event.sender == search.by)
            and (search.after is None or event.at > search.after)
            and (search.before is None or event.at < search.before)
        ):
            yield shelf.message(event)


def _occurrences(text: str, search: Search) -> int:
    """How well `text` matches, 0 if it does not."""
    if search.mode == "trgm":
        return int(search.text.lower() in text.lower())
    wanted, words = _words(search.text), _words(text)
    counts = [words.count(word) for word in set(wanted)]
    return sum(counts) if counts and all(counts) else 0


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
