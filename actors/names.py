"""Who the users in an answer are: told once, beside it, where pages are made (CONV-19, HIST-09).

Pushes do not carry it: a message would have to be looked up for, and its bytes, which are the same
for all members, would repeat what they know. Who meets an id for the first time asks `user.get`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from typing import Any

from ..protocol.errors import Rejected
from ..protocol.features.users import GetUsers, SearchUsers
from .host import Users
from .outbox import Push
from .ports import Conversations
from .reads import Read
from .resident import Resident

_LISTS = ("messages", "hits", "stars", "conversations", "members", "readers", "online")
"""Of an answer that speaks of users, one at least is there."""


def users_in(answer: Mapping[str, Any]) -> set[str] | None:
    """The users of whom `answer` speaks; None if it is not of a kind that does."""
    if not any(name in answer for name in _LISTS):
        return None
    messages = chain(
        answer.get("messages", ()),
        answer.get("hits", ()),
        (star["message"] for star in answer.get("stars", ())),
    )
    rows = chain((answer,), answer.get("conversations", ()))
    found = set(chain.from_iterable(map(_of_message, messages)))
    found.update(chain.from_iterable(map(_of_row, rows)))
    found.update(answer.get("online", ()))
    found.update(reader["user"] for reader in answer.get("readers", ()))
    found.discard("")
    return found


def _of_message(message: Mapping[str, Any]) -> Iterator[str]:
    """Its author and whom it mentions; whom it quotes; of a system message, whom it is about."""
    yield message.get("by") or ""
    yield message.get("user") or ""
    for name in ("mentions", "users", "roles"):
        yield from message.get(name) or ()
    if (preview := message.get("preview")) is not None:
        yield preview.get("by") or ""
    if (thread := message.get("thread")) is not None and (last := thread.get("last")) is not None:
        yield last.get("by") or ""


def _of_row(row: Mapping[str, Any]) -> Iterator[str]:
    """The members that it shows, and who has written last."""
    for member in row.get("members", ()):
        yield member if isinstance(member, str) else member["user"]
    if last := row.get("last"):
        yield last["by"] or ""


class Named:
    """A read whose answer says besides who the users in it are.

    The host is asked once, at most, and outside of the conversation; what it has not said in time
    is left out.
    """

    def __init__(self, read: Read, users: Users) -> None:
        self.of_shown = read.of_shown
        self._read = read
        self._users = users
        self._answer: tuple[list[Push], dict[str, Any]] | None = None
        self._in_it: set[str] | None = None
        self._asked = False

    def missing(self, resident: Resident) -> bool:
        self._answer = None
        if self._read.missing(resident):
            return True
        self._answer = self._read.answer(resident)
        self._in_it = users_in(self._answer[1])
        if not self._in_it or self._asked:
            return False
        return not self._users.are_known(self._in_it)

    async def fetch(self, store: Conversations) -> None:
        if self._answer is None:
            await self._read.fetch(store)
        else:
            self._asked = True
            await _try_to_learn(self._in_it or (), self._users)

    def answer(self, resident: Resident) -> tuple[list[Push], dict[str, Any]]:
        assert self._answer is not None, "nothing is missing"
        pushes, result = self._answer
        return pushes, _with(result, self._in_it, self._users)


async def named(result: dict[str, Any], users: Users) -> dict[str, Any]:
    """`result`, which says besides who the users in it are."""
    if in_it := users_in(result):
        await _try_to_learn(in_it, users)
    return _with(result, in_it, users)


def _with(result: dict[str, Any], in_it: set[str] | None, users: Users) -> dict[str, Any]:
    return result if in_it is None else {**result, "users": users.shown(in_it)}


async def _try_to_learn(in_it: Collection[str], users: Users) -> None:
    try:
        await users.learn(in_it)
    except Rejected:
        pass  # a page without names is better than none


async def get_users(query: GetUsers, users: Users | None) -> dict[str, Any]:
    """The Reply to `user.get`."""
    users = _required(users)
    await users.learn(query.users)
    return {"users": users.shown(query.users)}


async def search_users(query: SearchUsers, user: str, users: Users | None) -> dict[str, Any]:
    """The Reply to `user.search` of `user`."""
    users = _required(users)
    found = await users.search(user, query.text, query.limit)
    await _try_to_learn(found, users)
    return {"found": found, "users": users.shown(found)}


def _required(users: Users | None) -> Users:
    if users is None:
        raise Rejected("FEATURE_DISABLED")
    return users
