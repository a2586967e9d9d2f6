"""How `palaver chat` calls users: as the server says who they are, or else by their ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..client import Client, NoAnswer, Rejected
from .screen import harmless

_FIELDS: Final = ("name", "display_name", "username", "first_name")
"""Of `policy.user_fields`: the first that a user has is what they are called."""


class People:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._names: dict[str, str] = {}
        self._told = False

    def name(self, user: str) -> str:
        return harmless(self._names.get(user) or user)

    def meet(self, answer: Mapping[str, Any]) -> None:
        """Take note of who the users in `answer` are, of a kind that says it if anything does."""
        self._told = "users" in answer
        for user, fields in answer.get("users", {}).items():
            names = (fields.get(field) for field in _FIELDS)
            self._names[user] = next((str(name) for name in names if name), "")

    async def look_up(self, data: Mapping[str, Any]) -> None:
        """Ask, once, who those are in an event that have not been met."""
        named = [data.get("by"), data.get("user"), *data.get("users", ())]
        new = [user for user in dict.fromkeys(named) if user and user not in self._names][:100]
        if not new or not self._told:
            return
        self._names.update(dict.fromkeys(new, ""))
        try:
            self.meet(await self._client.users(new))
        except (Rejected, NoAnswer):
            pass
