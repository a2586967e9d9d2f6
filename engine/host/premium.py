"""The premium port: who has a valid subscription (GRP-14, SEC-12), and until when.

`Premium` is what a host implements: an embedding application in Python, or over HTTP what
`HttpPremium` asks. Without a host to ask, `ClaimedPremium` goes by what tokens say.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

import structlog

from ...actors.ports import Clock
from ...protocol.policy import Policy
from .asking import BadAnswer
from .callback import Callback
from .claims import Claims
from .facts import Words
from .tools import Tools

CLAIM: Final = "premium"

_log = structlog.get_logger("palaver.host")


@dataclass(frozen=True, slots=True)
class Subscription:
    """What the host says of a user who has one. It lapses by itself at `valid_until`, in
    milliseconds since 1970; None: when the host says so. Without `extended_history` it does not
    take away the limit of `policy.free_history_days` (HIST-10)."""

    valid_until: int | None = None
    extended_history: bool = True


class Premium(Protocol):
    """The host's part. It may wait, for `host.timeout_s` in all, and be called `host.max_requests`
    times at once. What it raises is logged without its text, and counts as no answer."""

    async def find(self, users: Sequence[str]) -> Mapping[str, Subscription]:
        """Those of `users`, at most 100, who have a subscription. The answer is remembered for a
        while: see `Engine.premium_changed`."""
        ...


class HttpPremium:
    """`Premium` of a host that is asked by HTTP (docs/embedding.md)."""

    def __init__(self, callback: Callback) -> None:
        self._callback = callback

    async def find(self, users: Sequence[str]) -> dict[str, Subscription]:
        answer = await self._callback.ask("premium", {"users": list(users)})
        match answer:
            case {"premium": dict(said)}:
                return {id: _subscription(said[id]) for id in users if said.get(id) is not None}
        raise BadAnswer("no `premium` in it")


def _subscription(said: Any) -> Subscription:
    if not isinstance(said, dict):
        raise BadAnswer("a subscription that is none")
    until, extended = said.get("valid_until"), said.get("extended_history", True)
    if isinstance(until, bool) or not isinstance(until, int | None):
        raise BadAnswer("a subscription of which is not clear until when it is valid")
    if not isinstance(extended, bool):
        raise BadAnswer("a subscription of which is not clear what it extends")
    return Subscription(until, extended)


class Standings(Words[str, Subscription], Protocol):
    """The host's words on subscriptions."""

    def has(self, key: str) -> bool:
        """Whether some word on `key` is at hand, however old, be it that there is none."""
        ...


class ClaimedPremium:
    """`Standings` by what tokens say in the claim `name`: true, or until when, in seconds since
    1970. Who has not signed in to this process has none."""

    def __init__(self, claims: Claims, name: str) -> None:
        self._claims = claims
        self._name = name
        claims.want([name])

    def are_known(self, keys: Iterable[str]) -> bool:
        return True

    def has(self, key: str) -> bool:
        return True

    def get(self, key: str) -> Subscription | None:
        match self._claims.of(key).get(self._name):
            case True:
                return Subscription()
            case False:
                return None
            case int() | float() as until if math.isfinite(until):
                return Subscription(int(until * 1000))
        return None

    async def find(self, keys: Iterable[str]) -> dict[str, Subscription]:
        found = {key: self.get(key) for key in keys}
        return {key: each for key, each in found.items() if each is not None}

    def invalidate(self, key: str | None) -> None:
        self._claims.forget(key, [self._name])


class KnownPremium:
    """What the actors see of it (`actors/host.py`)."""

    def __init__(self, words: Standings, now: Clock, *, fail_open: bool) -> None:
        self._words = words
        self._now = now
        self._fail_open = fail_open

    def is_premium(self, user: str) -> bool:
        if not self._words.has(user):
            return self._fail_open
        return self._valid(user) is not None

    def has_history(self, user: str) -> bool:
        if not self._words.has(user):
            return self._fail_open
        valid = self._valid(user)
        return valid is not None and valid.extended_history

    def is_recent(self, user: str) -> bool:
        return self._words.are_known((user,))

    def is_at_hand(self, user: str) -> bool:
        return self._words.has(user)

    def until(self, user: str) -> int | None:
        word = self._words.get(user)
        return None if word is None else word.valid_until

    async def learn(self, users: Collection[str]) -> None:
        await self._words.find(users)

    def invalidate(self, user: str | None) -> None:
        self._words.invalidate(user)

    def _valid(self, user: str) -> Subscription | None:
        word = self._words.get(user)
        if word is None or (word.valid_until is not None and word.valid_until <= self._now()):
            return None
        return word


def open_premium(tools: Tools, given: Premium | None) -> KnownPremium | None:
    """The port as the settings say, or by what the embedding application has `given`; None if
    everybody counts as premium."""
    settings = tools.settings
    kind = settings.premium if given is None else "given"
    if kind == "none":
        _warn(tools.policy)
        return None
    words: Standings
    if kind == "claims":
        words = ClaimedPremium(tools.claims, settings.claims.get(CLAIM, CLAIM))
    else:
        premium = HttpPremium(tools.callback) if given is None else given
        words = tools.facts("premium", partial(_find, premium))
    return KnownPremium(words, tools.now, fail_open=settings.when_away == "allow")


async def _find(premium: Premium, users: Sequence[str]) -> dict[str, Subscription]:
    found = await premium.find(users)
    if not all(isinstance(each, Subscription) for each in found.values()):
        raise BadAnswer("something else than subscriptions")
    return dict(found)


def _warn(policy: Policy) -> None:
    if policy.premium_required or policy.free_history_days is not None:
        _log.warning("host.premium is none: everybody counts as premium")
