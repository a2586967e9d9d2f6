"""One contract for all adapters of the premium port, and what each has of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from structlog.testing import capture_logs

from palaver.actors.host import Premium
from palaver.engine import StartupError
from palaver.engine.host import Subscription
from palaver.engine.host.claims import Claims
from palaver.engine.host.opening import open_host
from palaver.engine.host.ports import Ports
from palaver.engine.metrics import Metrics
from palaver.engine.settings import Settings
from palaver.engine.testing import TrioClock, numbered_ids
from palaver.protocol.errors import Rejected
from palaver.tests.support.engines import refused
from palaver.tests.support.hosts import SECRET, Subscribers, premium_by_http, web

every_adapter = pytest.mark.parametrize("adapter", ["python", "http", "claims"])
who_can_be_asked = pytest.mark.parametrize("adapter", ["python", "http"])


def claimed(subscription: Subscription | None) -> dict[str, Any]:
    """What a token says of that."""
    if subscription is None:
        return {"name": "whoever"}
    until = subscription.valid_until
    return {"premium": True if until is None else until / 1000}


class Case:
    """A port with the host behind it. `change` makes a user's subscription something else and says
    so."""

    def __init__(self, port: Premium, host: Subscribers, claims: Claims, clock: TrioClock) -> None:
        self.port = port
        self.clock = clock
        self._host = host
        self._claims = claims
        for user, subscription in host.subscriptions.items():
            claims.told(user, claimed(subscription))

    def change(self, user: str, subscription: Subscription | None) -> None:
        if subscription is None:
            self._host.subscriptions.pop(user, None)
        else:
            self._host.subscriptions[user] = subscription
        self.port.invalidate(user)
        self._claims.told(user, claimed(subscription))

    async def premium(self, *users: str) -> list[bool]:
        await self.port.learn(users)
        return [self.port.is_premium(user) for user in users]


@asynccontextmanager
async def opened(adapter: str, host: Subscribers, **settings: Any) -> AsyncIterator[Case]:
    claims, given = Claims(1000), None
    if adapter == "http":
        async with (
            web(premium_by_http(host)) as url,
            _opened(claims, None, premium="callback", url=url, secret=SECRET, **settings) as (
                port,
                clock,
            ),
        ):
            yield Case(port, host, claims, clock)
        return
    if adapter == "python":
        given = host
    else:
        settings["premium"] = "claims"
    async with _opened(claims, given, **settings) as (port, clock):
        yield Case(port, host, claims, clock)


@asynccontextmanager
async def _opened(
    kept: Claims, given: Any, **host: Any
) -> AsyncIterator[tuple[Premium, TrioClock]]:
    settings, clock = Settings.model_validate({"host": host}), TrioClock()
    ports: Ports = {} if given is None else {"premium": given}
    opening = open_host(settings, kept, Metrics(), numbered_ids(), ports, clock)
    async with opening as there:
        assert there.premium is not None
        yield there.premium, clock


@every_adapter
async def test_GRP_14_who_has_a_subscription_is_premium(adapter: str):
    async with opened(adapter, Subscribers("ann", "bob")) as case:
        assert await case.premium("ann", "zed", "bob") == [True, False, True]
        assert case.port.has_history("ann")
        assert not case.port.has_history("zed")
        assert case.port.is_recent("zed")


@every_adapter
async def test_GRP_14_a_subscription_lapses_by_itself(adapter: str):
    clock = TrioClock()
    host = Subscribers(ann=Subscription(valid_until=clock() + 60_000))
    async with opened(adapter, host) as case:
        assert await case.premium("ann") == [True]
        assert case.port.until("ann") == host.subscriptions["ann"].valid_until
        case.clock.jump(61)
        assert not case.port.is_premium("ann")
        assert not case.port.has_history("ann")


@every_adapter
async def test_GRP_14_what_has_changed_is_so_at_once(adapter: str):
    async with opened(adapter, Subscribers("ann")) as case:
        assert await case.premium("ann", "bob") == [True, False]
        case.change("ann", None)
        case.change("bob", Subscription())
        assert await case.premium("ann", "bob") == [False, True]


@every_adapter
async def test_many_at_once(adapter: str):
    names = [f"user {n}" for n in range(250)]
    async with opened(adapter, Subscribers(*names[:200])) as case:
        assert await case.premium(*names) == [True] * 200 + [False] * 50


@who_can_be_asked
async def test_HIST_10_a_subscription_may_leave_history_as_it_is(adapter: str):
    async with opened(adapter, Subscribers(ann=Subscription(extended_history=False))) as case:
        assert await case.premium("ann") == [True]
        assert not case.port.has_history("ann")


@who_can_be_asked
async def test_what_was_said_is_not_asked_again(adapter: str):
    host = Subscribers("ann")
    async with opened(adapter, host) as case:
        for _ in range(3):
            assert await case.premium("ann", "zed") == [True, False]
        assert host.asked == [["ann", "zed"]]


@who_can_be_asked
@pytest.mark.parametrize("when_away", ["refuse", "allow"])
async def test_SEC_12_while_the_host_is_away(adapter: str, when_away: str):
    host = Subscribers("ann")
    async with opened(adapter, host, when_away=when_away) as case:
        assert await case.premium("ann", "zed") == [True, False]
        host.broken = True
        assert [case.port.is_premium(user) for user in ("ann", "zed")] == [True, False]
        assert (await refused(case.port.learn(["bob"]))).code == "UNAVAILABLE"
        assert not case.port.is_at_hand("bob")
        assert case.port.is_premium("bob") is case.port.has_history("bob")
        assert case.port.is_premium("bob") is (when_away == "allow")


@pytest.mark.parametrize("claim", [False, None, "yes", 0, 1e9, float("inf"), float("nan"), [1]])
async def test_GRP_14_a_claim_that_does_not_say_so_does_not(claim: object):
    claims = Claims(10)
    async with _opened(claims, None, premium="claims", claims={"premium": "plan"}) as (port, _):
        claims.told("ann", {"plan": claim, "premium": True})
        assert not port.is_premium("ann")
        claims.told("ann", {"plan": 2e9})
        assert port.is_premium("ann")


async def test_other_claims_outlive_a_subscription():
    claims = Claims(10)
    claims.want(["name"])
    async with _opened(claims, None, premium="claims") as (port, _):
        for user in ("ann", "bob"):
            claims.told(user, {"name": user, "premium": True})
        port.invalidate("ann")
        assert [port.is_premium(user) for user in ("ann", "bob")] == [False, True]
        port.invalidate(None)
        port.invalidate("nobody")
        assert not port.is_premium("bob")
        assert [claims.of(user)["name"] for user in ("ann", "bob")] == ["ann", "bob"]


@pytest.mark.parametrize(
    "said",
    [
        True,
        {"valid_until": True},
        {"valid_until": "tomorrow"},
        {"valid_until": 1.5},
        {"extended_history": None},
    ],
)
async def test_an_answer_that_makes_no_sense_is_none(said: object):
    async def answer(asked: dict[str, Any]) -> dict[str, Any]:
        return {"premium": dict.fromkeys(asked["users"], said)}

    async with (
        web({"premium": answer}) as url,
        _opened(Claims(1), None, premium="callback", url=url, secret=SECRET) as (port, _),
    ):
        assert (await refused(port.learn(["ann"]))).code == "UNAVAILABLE"


async def test_a_host_in_python_that_answers_something_else_has_not_answered():
    class Odd:
        async def find(self, users: object) -> Any:
            await trio.lowlevel.checkpoint()
            return {"ann": True}

    async with _opened(Claims(1), Odd()) as (port, _):
        with pytest.raises(Rejected, match="UNAVAILABLE"):
            await port.learn(["ann"])


async def test_GRP_14_without_a_port_everybody_counts_as_premium():
    for policy, lines in (({}, 0), ({"premium_required": True}, 1), ({"free_history_days": 5}, 1)):
        settings = Settings.model_validate({"policy": policy})
        with capture_logs() as logged:
            async with open_host(settings, Claims(1), Metrics(), numbered_ids(), {}) as there:
                assert there.premium is None
        said = [each["event"] for each in logged]
        assert said == ["host.premium is none: everybody counts as premium"] * lines


async def test_a_callback_needs_an_address():
    with pytest.raises(StartupError, match=r"host\.url and host\.secret"):
        async with _opened(Claims(1), None, premium="callback"):
            pass
