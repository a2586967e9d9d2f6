"""The users port: who there is, and what they may see of one another (CONV-19, CONV-23).

`Users` is what a host implements: an embedding application in Python, or over HTTP what `HttpUsers`
asks. Without a host to ask, `ClaimedUsers` goes by what tokens say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Protocol

from ...protocol.errors import Rejected
from ...protocol.ids import is_user_id
from ...protocol.values import BadFrame, check_value
from .asking import Asking, BadAnswer
from .callback import Callback
from .claims import Claims
from .facts import Words
from .tools import Tools

MAX_FIELD_CHARS: Final = 2000
"""Of what is shown of a user; a longer one counts as not said."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the host says of one of its users. Of `fields` (name, avatar, …) others see those of
    `policy.user_fields`: strings, numbers or booleans. Who is not `active` stays the author of what
    they wrote, but nobody can write to them or add them anywhere."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    active: bool = True


class Users(Protocol):
    """The host's part. Both may wait, for `host.timeout_s` in all, and be called
    `host.max_requests` times at once. What they raise is logged without its text, and counts as no
    answer."""

    async def find(self, ids: Sequence[str]) -> Mapping[str, Account]:
        """Those of `ids`, at most 100, who are its users. The answer is remembered for a while: see
        `Engine.user_changed`."""
        ...

    async def search(self, user: str, text: str, limit: int) -> Sequence[str]:
        """The ids of at most `limit` users whom `user` may find by `text`, best first. A
        `Rejected` is passed on: FEATURE_DISABLED if there is no such thing."""
        ...


class HttpUsers:
    """`Users` of a host that is asked by HTTP (docs/embedding.md)."""

    def __init__(self, callback: Callback) -> None:
        self._callback = callback

    async def find(self, ids: Sequence[str]) -> dict[str, Account]:
        answer = await self._callback.ask("users", {"ids": list(ids)})
        match answer:
            case {"users": dict(said)}:
                return {id: _account(said[id]) for id in ids if said.get(id) is not None}
        raise BadAnswer("no `users` in it")

    async def search(self, user: str, text: str, limit: int) -> list[str]:
        question = {"user": user, "text": text, "limit": limit}
        try:
            answer = await self._callback.ask("users/search", question)
        except BadAnswer as bad:
            if bad.status in (404, 501):
                raise Rejected("FEATURE_DISABLED") from None
            raise
        match answer:
            case {"found": list(found)} if all(isinstance(id, str) for id in found):
                return found
        raise BadAnswer("no `found` in it")


def _account(said: Any) -> Account:
    if not isinstance(said, dict):
        raise BadAnswer("a user that is none")
    active = said.pop("active", True)
    if not isinstance(active, bool):
        raise BadAnswer("a user of whom is not clear whether they are active")
    return Account(said, active)


class ClaimedUsers:
    """`Words` on users by what their tokens say: every id is a user, since who has not signed in
    yet may well exist. `names` are the claims by the fields that they fill."""

    def __init__(self, claims: Claims, names: Mapping[str, str]) -> None:
        self._claims = claims
        self._names = names
        claims.want(names.values())

    def are_known(self, ids: Iterable[str]) -> bool:
        return True

    def get(self, id: str) -> Account:
        said = self._claims.of(id)
        return Account({name: _shown(said.get(claim)) for name, claim in self._names.items()})

    async def find(self, ids: Iterable[str]) -> dict[str, Account]:
        return {id: self.get(id) for id in ids}

    def invalidate(self, id: str | None) -> None:
        self._claims.forget(id)


class KnownUsers:
    """What the actors see of it (`actors/host.py`)."""

    def __init__(
        self, words: Words[str, Account], *, fail_open: bool, searching: _Searching
    ) -> None:
        self._words = words
        self._fail_open = fail_open
        self._searching = searching

    def are_there(self, users: Collection[str]) -> bool:
        return self.are_known(users) and all(map(_is_active, map(self._words.get, users)))

    async def require(self, users: Collection[str]) -> None:
        try:
            found = await self._words.find(users)
        except Rejected:
            if self._fail_open:
                return
            raise
        for user in users:
            if not _is_active(found.get(user)):
                raise Rejected("USER_NOT_FOUND", details={"user": user})

    def are_known(self, users: Iterable[str]) -> bool:
        return self._words.are_known(users)

    async def learn(self, users: Collection[str]) -> None:
        await self._words.find(users)

    def shown(self, users: Iterable[str]) -> dict[str, dict[str, Any]]:
        accounts = ((user, self._words.get(user)) for user in users)
        return {user: dict(account.fields) for user, account in accounts if account is not None}

    async def search(self, user: str, text: str, limit: int) -> list[str]:
        found = await self._searching(user, text, limit)
        there = await self._words.find(found)
        return [user for user in found if _is_active(there.get(user))]

    def invalidate(self, user: str | None) -> None:
        """What the host said of `user`, or of all, is not so any more."""
        self._words.invalidate(user)


class _Searching(Protocol):
    async def __call__(self, user: str, text: str, limit: int) -> list[str]: ...


def open_users(tools: Tools, given: Users | None) -> KnownUsers | None:
    """The port as the settings say, or by what the embedding application has `given`; None if
    every id is a user, of whom nothing is known."""
    settings, shown = tools.settings, tools.policy.user_fields
    kind = settings.users if given is None else "given"
    if kind == "any":
        return None
    words: Words[str, Account]
    searching: _Searching
    if kind == "claims":
        names = {name: settings.claims.get(name, name) for name in shown}
        words, searching = ClaimedUsers(tools.claims, names), _no_search
    else:
        users = HttpUsers(tools.callback) if given is None else given
        words = tools.facts("users", partial(_find, users, shown))
        searching = partial(_search, users, tools.asking("users/search"))
    return KnownUsers(words, fail_open=settings.when_away == "allow", searching=searching)


async def _find(users: Users, shown: Sequence[str], ids: Sequence[str]) -> dict[str, Account]:
    """What is to be remembered of `ids`: no more than may be shown."""
    found = await users.find(ids)
    return {
        id: replace(account, fields={name: _shown(account.fields.get(name)) for name in shown})
        for id, account in found.items()
    }


async def _search(users: Users, asking: Asking, user: str, text: str, limit: int) -> list[str]:
    found = await asking.ask(partial(users.search, user, text, limit))
    return [id for id in dict.fromkeys(found) if is_user_id(id)][:limit]


async def _no_search(user: str, text: str, limit: int) -> list[str]:
    raise Rejected("FEATURE_DISABLED")


def _is_active(account: Account | None) -> bool:
    return account is not None and account.active


def _shown(value: Any) -> Any:
    """`value` if it may be shown to clients, otherwise None."""
    if not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and len(value) > MAX_FIELD_CHARS:
        return None
    try:
        check_value(value)
    except BadFrame:
        return None
    return value
