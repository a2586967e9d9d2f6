"""Whether the log holds what was replied to: all of it, once, in order, without gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

Row = tuple[str, int, str | None]
"""Conversation, seq, client id; any order."""


def problems(rows: Sequence[Row], replied: Mapping[str, tuple[str, int]]) -> list[str]:
    """What is wrong with the log, in words; empty if nothing is.

    `replied` says of each client id where its reply put it. Client ids must sort in the order in
    which they were sent, and each conversation have one sender.
    """
    found: list[str] = []
    places: dict[str, tuple[str, int]] = {}
    conversations: dict[str, list[tuple[int, str | None]]] = {}
    for conversation, seq, id in rows:
        conversations.setdefault(conversation, []).append((seq, id))
        if id is not None:
            places[id] = (conversation, seq)
    for conversation, events in conversations.items():
        events.sort(key=lambda event: event[0])
        if [seq for seq, _ in events] != list(range(1, len(events) + 1)):
            found.append(f"{conversation}: its seqs are not contiguous from 1")
        ids = [id for _, id in events if id is not None]
        if ids != sorted(ids):
            found.append(f"{conversation}: not in the order in which it was sent")
    counts = Counter(id for _, _, id in rows if id is not None)
    found += [f"{id} is there {count} times" for id, count in counts.items() if count > 1]
    for id, place in replied.items():
        if id not in places:
            found.append(f"{id} was replied to and is not there")
        elif places[id] != place:
            found.append(f"{id} is at {places[id]}, its reply said {place}")
    return found
