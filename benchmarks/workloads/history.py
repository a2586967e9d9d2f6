"""Pages of a conversation: does it matter how long it is?"""

from __future__ import annotations

import random
from typing import Any

from ..case import Case, Scale
from ..figures import Figures
from ..flow import Flow
from ..lines import close, people
from ..processes import settle
from ..requests import requests
from ..target import Target

PAGE = 50
_AT_ONCE = 2000
_IDLE_S = 0.25
"""An actor that nobody needs is put away after that, so that the next request starts it anew."""
_STORED = {"PALAVER_STORAGE__SPOOL_BYTES": "0"}
"""A message is replied to only once Postgres has it, so that nothing is on its way there when pages
are measured."""


def cases(scale: Scale) -> list[Case]:
    lengths = (10_000,) if scale.quick else (10_000, 1_000_000)
    return [
        Case(
            *("history", {"messages": each}, measure, scale.seconds / 3),
            postgres=True,
            settings={"PALAVER_ACTORS__IDLE_S": str(_IDLE_S)} | _STORED,
        )
        for each in lengths
    ]


def measure(target: Target, case: Case) -> list[Figures]:
    """The newest page; one from anywhere; and the newest of a conversation whose actor is not
    running."""
    length = case.number("messages")
    chance = random.Random(1)
    lines = people(target, 2)
    try:
        line = lines[0]
        room = target.dialect.open_room(lines, "direct")
        flow = Flow(target.dialect, 120)
        flow.add(room, lines, [line], window=_AT_ONCE)
        for begin in range(0, length, _AT_ONCE):
            flow.say(min(_AT_ONCE, length - begin))
        settle(target.processes)  # Postgres vacuums and indexes what has just come
        size = min(PAGE, length)

        def page(**where: int) -> dict[str, Any]:
            return {"t": "message.history", "c": room, "d": {"limit": PAGE, **where}}

        def whole(ok: dict[str, Any]) -> str | None:
            seqs = [message["seq"] for message in ok["messages"]]
            right = seqs == list(range(seqs[0], seqs[0] + size)) if seqs else False
            return None if right else f"a page of {len(seqs)} messages that is not contiguous"

        def anywhere() -> dict[str, Any]:
            return page(before=chance.randint(size + 2, length + 1))

        return [
            requests(target, case, line, "first page", page, whole),
            requests(target, case, line, "random page", anywhere, whole),
            requests(target, case, line, "cold start", page, whole, pause=4 * _IDLE_S, least=20),
        ]
    finally:
        close(lines)
