"""What `palaver chat` knows of conversations that are not open: their list, and what was said."""

from __future__ import annotations

from typing import Any

from ..client import Client
from .people import People
from .room import MARGIN, Room, place, said, title_of
from .screen import Screen, harmless


class Inbox:
    """`rows` are those that were listed last; `names` what conversations are called."""

    def __init__(self, client: Client, screen: Screen, people: People) -> None:
        self.rows: list[dict[str, Any]] = []
        self.names: dict[str, str] = {}
        self._client = client
        self._screen = screen
        self._people = people

    async def learn(self, *, unread: bool = False) -> None:
        page = await self._client.conversations(limit=50, filter="unread" if unread else None)
        self._people.meet(page)
        self.rows = page["conversations"]
        user = self._client.user or ""
        self.names.update((row["c"], title_of(row, user, self._people)) for row in self.rows)

    async def show(self, *, unread: bool = False) -> None:
        await self.learn(unread=unread)
        if not self.rows:
            nothing = "nothing new" if unread else "no conversations yet; /open USER begins one"
            self._screen.show((nothing, "dim"), margin=MARGIN)
        for number, row in enumerate(self.rows, 1):
            new = (f"  {row['unread']} new", "bold") if row["unread"] else ""
            last = row.get("last") or {}
            text = harmless(last.get("text") or "").replace("\n", " ")[:50]
            count = (f"{number:>4}  ", "dim")
            self._screen.show(self.names[row["c"]], new, (f"  {text}", "dim"), margin=count)

    async def search(self, words: str, room: Room | None) -> None:
        """In `room`, or everywhere; with the seqs by which commands name messages of a room."""
        found = await self._client.search(words, c=room.id if room is not None else None)
        self._people.meet(found)
        if room is None:
            await self.learn()
        for hit in found["hits"]:
            where = f"  {self.names.get(hit['c'], 'elsewhere')}" if room is None else ""
            text = f"{self._people.name(hit['by'])}: {harmless(said(hit))}".replace("\n", " ")
            self._screen.show(text, (where, "dim"), margin=place(hit["seq"], hit["ts"]))
        if not found["hits"]:
            self._screen.show(("nothing found", "dim"), margin=MARGIN)
