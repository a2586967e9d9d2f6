"""The people of the demo: a few who are suggested, and anybody else who is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...engine.host import Account

NAMES: Final = {
    "ann": "Ann Abel",
    "bob": "Bob Brandt",
    "cleo": "Cleo Castro",
    "dev": "Dev Das",
    "eve": "Eve Eriksen",
    "finn": "Finn Fischer",
    "grace": "Grace Gold",
    "hugo": "Hugo Haas",
}
LONGEST_NAME: Final = 32


class DemoPeople:
    """Implements `Users` of the host port. Whoever is named is there."""

    async def find(self, ids: Sequence[str]) -> dict[str, Account]:
        return {id: _account(id) for id in ids}

    async def search(self, user: str, text: str, limit: int) -> list[str]:
        wanted = text.strip().casefold()
        found = [id for id, name in NAMES.items() if wanted in name.casefold()]
        return found[:limit] or [wanted]


def name_of(id: str) -> str:
    """What somebody is called; who is not known goes by their id, if it could be a name."""
    if len(id) > LONGEST_NAME:
        return "Somebody"
    return NAMES.get(id) or " ".join(word[:1].upper() + word[1:] for word in id.split())


def _account(id: str) -> Account:
    name = name_of(id)
    first, _, last = name.partition(" ")
    parts = {"first_name": first, "last_name": last or None}
    return Account({"name": name, "display_name": name, "username": id, **parts})
