"""The membership port: who is in the groups that are the host's (GRP-16).

`Membership` is what a host implements: an embedding application in Python, or over HTTP what
`HttpMembership` asks. Without a host to ask, `ClaimedMembership` goes by what tokens say.

A group goes by the client id under which the host has created its conversation, or by the id of
that, if it gave none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol

from ...actors.host import Membership as Port
from ...actors.host import Pair
from ...protocol.errors import Rejected
from ...protocol.roles import Role
from .asking import BadAnswer
from .callback import Callback
from .claims import Claims
from .facts import Facts
from .tools import Tools


class Membership(Protocol):
    """The host's part. It may wait, for `host.timeout_s`, and be called `host.max_requests` times
    at once. What it raises is logged without its text, and counts as no answer."""

    async def find(self, pairs: Sequence[Pair]) -> Mapping[Pair, str]:
        """The role in the group, one of `policy.roles`, of those of these groups and users, at most
        100, who are members. The answer is remembered for a while: see
        `Engine.membership_changed`."""
        ...


class HttpMembership:
    """`Membership` of a host that is asked by HTTP (docs/embedding.md)."""

    def __init__(self, callback: Callback) -> None:
        self._callback = callback

    async def find(self, pairs: Sequence[Pair]) -> dict[Pair, str]:
        groups: dict[str, list[str]] = {}
        for group, user in pairs:
            groups.setdefault(group, []).append(user)
        match await self._callback.ask("membership", {"groups": groups}):
            case {"groups": dict(said)}:
                return {
                    (group, user): role
                    for group, user in pairs
                    if (role := _members(said.get(group)).get(user)) is not None
                }
        raise BadAnswer("no `groups` in it")


def _members(said: Any) -> dict[str, Any]:
    if said is None:
        return {}
    if not isinstance(said, dict):
        raise BadAnswer("members that are none")
    return said


class AskedMembership:
    """What the actors see of a host that is asked (`actors/host.py`)."""

    def __init__(self, facts: Facts[Pair, Role], *, fail_open: bool) -> None:
        self._facts = facts
        self._fail_open = fail_open

    def are_known(self, pairs: Iterable[Pair]) -> bool:
        return self._facts.are_known(pairs)

    def role(self, pair: Pair, otherwise: Role | None) -> Role | None:
        return self._facts.recent(pair, otherwise)

    def vouches(self, pair: Pair) -> bool:
        return self._fail_open or self._facts.get(pair) is not None

    async def learn(self, pairs: Collection[Pair]) -> None:
        await self._facts.find(pairs)

    def told(self, pair: Pair, role: Role | None) -> None:
        self._facts.invalidate(pair)

    def invalidate(self, group: str, users: Collection[str]) -> None:
        if users:
            for user in users:
                self._facts.invalidate((group, user))
        else:
            self._facts.invalidate_if(lambda pair: pair[0] == group)


_TOLD: Final = "\ntold"
"""Beside the claims of a user, what the host has said of them since they signed in."""


class ClaimedMembership:
    """The same of what tokens say: a claim with the ids of groups, or with roles by such ids.

    A user of whom no token is at hand, or none with the claim, is what they were. Who is named to
    `invalidate` is no member until they sign in with a token that says so.
    """

    def __init__(self, claims: Claims, name: str, roles: Sequence[Role]) -> None:
        self._claims = claims
        self._name = name
        self._roles = frozenset[str](roles)
        claims.want((name, _TOLD))

    def are_known(self, pairs: Iterable[Pair]) -> bool:
        return True

    def role(self, pair: Pair, otherwise: Role | None) -> Role | None:
        group, user = pair
        said = self._claims.of(user)
        if group in (told := said.get(_TOLD, {})):
            role = told[group]
        elif self._name in said:
            role = _claimed(said[self._name], group)
        else:
            return otherwise
        return role if isinstance(role, str) and role in self._roles else None  # type: ignore[return-value]

    def vouches(self, pair: Pair) -> bool:
        return True

    async def learn(self, pairs: Collection[Pair]) -> None: ...

    def told(self, pair: Pair, role: Role | None) -> None:
        group, user = pair
        said = self._claims.of(user)
        self._claims.told(user, {**said, _TOLD: {**said.get(_TOLD, {}), group: role}})

    def invalidate(self, group: str, users: Collection[str]) -> None:
        if not users:
            raise Rejected("FEATURE_DISABLED", "There is nobody to ask: say who has changed.")
        for user in users:
            self.told((group, user), None)


def _claimed(said: Any, group: str) -> Any:
    if isinstance(said, Mapping):
        return said.get(group)
    return "member" if isinstance(said, list | tuple) and group in said else None


def open_membership(tools: Tools, given: Membership | None) -> Port | None:
    """The port as the settings say, or by what the embedding application has `given`; None if the
    host says by commands alone who is in its groups."""
    settings, roles = tools.settings, tools.policy.roles
    kind = settings.membership if given is None else "given"
    if kind == "told":
        return None
    if kind == "claims":
        return ClaimedMembership(tools.claims, settings.claims.get("groups", "groups"), roles)
    host = HttpMembership(tools.callback) if given is None else given
    facts = tools.facts("membership", partial(_find, host, roles))
    return AskedMembership(facts, fail_open=settings.when_away == "allow")


async def _find(host: Membership, roles: Sequence[Role], pairs: Sequence[Pair]) -> dict[Pair, Role]:
    by_name: dict[Any, Role] = {role: role for role in roles}
    found = await host.find(pairs)
    try:
        return {pair: by_name[found[pair]] for pair in pairs if found.get(pair) is not None}
    except (KeyError, TypeError):
        raise BadAnswer("a role that is none of policy.roles") from None
