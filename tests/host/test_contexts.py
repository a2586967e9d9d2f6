"""One contract for all adapters of the contexts port, and what each has of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import pytest

from palaver.actors.host import Contexts
from palaver.engine.host import Thing
from palaver.engine.host.asking import BadAnswer
from palaver.engine.host.claims import Claims
from palaver.engine.host.contexts import HttpContexts, Pair
from palaver.engine.host.opening import open_host
from palaver.engine.host.ports import Ports
from palaver.engine.metrics import Metrics
from palaver.engine.settings import Settings
from palaver.engine.testing import numbered_ids
from palaver.protocol.errors import Rejected
from palaver.protocol.references import Reference
from palaver.tests.host.test_callback import answering, http
from palaver.tests.support.engines import refused
from palaver.tests.support.hosts import SECRET, Bookings, bookings_by_http, listed, shared, web

every_adapter = pytest.mark.parametrize("adapter", ["python", "http", "claims"])
who_can_be_asked = pytest.mark.parametrize("adapter", ["python", "http"])

LESSON: Reference = ("booking", "100")
HOUSE: Reference = ("property", "p9")
THINGS = {
    LESSON: shared("ann", "tom"),
    HOUSE: Thing(owner="tom"),
    ("topic", "chess"): Thing(),
}


class Case:
    """A port with the host behind it. `change` makes a thing something else and says so, and
    `relate` who is related."""

    def __init__(self, port: Contexts, bookings: Bookings, claims: Claims) -> None:
        self.port = port
        self._bookings = bookings
        self._claims = claims
        self._sign_in()

    def change(self, reference: Reference, thing: Thing | None) -> None:
        if thing is None:
            del self._bookings.things[reference]
        else:
            self._bookings.things[reference] = thing
        self.port.invalidate(dict([reference]))
        self._sign_in()

    def relate(self, *pairs: Pair) -> None:
        self._bookings.related_pairs = set(pairs)
        self.port.invalidate(None, ["ann", "tom", "zed"])
        self._sign_in()

    def _sign_in(self) -> None:
        """Only ann does; what her token says is for all who talk with her."""
        related = [{*pair} - {"ann"} for pair in self._bookings.related_pairs if "ann" in pair]
        contexts = listed(self._bookings.things)
        said = {"contexts": contexts, "related": [other for (other,) in related]}
        self._claims.told("ann", said)

    async def admits(self, *users: str, **about: str) -> bool:
        """Whether it does, at last; and then at once."""
        at_once = self.port.are_parties(users, about)
        try:
            await self.port.require(users, about)
        except Rejected as no:
            if no.code != "CONTEXT_FORBIDDEN" or at_once:
                raise
            return False
        assert self.port.are_parties(users, about), "without asking again"
        return True

    async def related(self, user: str, *others: str) -> bool | None:
        await self.port.relate(user, others)
        return self.port.are_related(user, others)


@asynccontextmanager
async def opened(
    adapter: str, bookings: Bookings | None = None, **host: Any
) -> AsyncIterator[Case]:
    claims, given = Claims(1000), None
    bookings = bookings or Bookings(THINGS)
    if adapter == "http":
        async with web(bookings_by_http(bookings)) as url:
            host = {"contexts": "callback", "url": url, "secret": SECRET, **host}
            async with _opened(claims, None, host) as port:
                yield Case(port, bookings, claims)
        return
    if adapter == "python":
        given = bookings
    else:
        host["contexts"] = "claims"
    async with _opened(claims, given, host) as port:
        yield Case(port, bookings, claims)


@asynccontextmanager
async def _opened(
    claims: Claims, given: Bookings | None, host: dict[str, Any]
) -> AsyncIterator[Contexts]:
    settings = Settings.model_validate({"host": host})
    ports: Ports = {} if given is None else {"contexts": given}
    async with open_host(settings, claims, Metrics(), numbered_ids(), ports) as there:
        assert there.contexts is not None
        yield there.contexts


@every_adapter
@pytest.mark.parametrize(
    ("users", "about", "admitted"),
    [
        (("ann", "tom"), {"booking": "100"}, True),
        (("ann", "zed"), {"booking": "100"}, False),
        (("ann", "tom", "zed"), {"booking": "100"}, False),
        (("ann", "tom"), {"booking": "101"}, False),
        (("ann", "tom"), {"property": "100"}, False),
        (("ann", "tom"), {"booking": "100", "property": "p9"}, True),
        (("ann", "tom"), {"booking": "100", "property": "p8"}, False),
        (("ann", "tom", "zed"), {"property": "p9"}, True),
        (("ann", "zed"), {"property": "p9"}, False),
        (("ann", "zed"), {"topic": "chess"}, True),
        (("ann", "zed"), {}, True),
    ],
)
async def test_CONV_24_who_has_a_part_in_what(
    adapter: str, users: Collection[str], about: dict[str, str], admitted: bool
):
    async with opened(adapter) as case:
        assert await case.admits(*users, **about) == admitted


@every_adapter
async def test_CONV_24_a_refusal_names_the_thing(adapter: str):
    async with opened(adapter) as case:
        about = {"property": "p9", "booking": "101"}
        no = await refused(case.port.require(["ann", "tom"], about))
        assert (no.code, no.details) == ("CONTEXT_FORBIDDEN", {"context": {"booking": "101"}})


@every_adapter
async def test_CONV_24_what_has_changed_is_asked_anew(adapter: str):
    async with opened(adapter) as case:
        assert await case.admits("ann", "tom", booking="100")
        case.change(LESSON, shared("ann", "zed"))
        assert not await case.admits("ann", "tom", booking="100")
        assert await case.admits("ann", "zed", booking="100")
        case.change(LESSON, None)
        assert not await case.admits("ann", "zed", booking="100")


@every_adapter
async def test_C_46_who_is_related_to_whom(adapter: str):
    async with opened(adapter, Bookings({}, ("tom", "ann"))) as case:
        assert await case.related("ann", "tom")
        assert await case.related("tom", "ann")
        assert await case.related("ann", "tom", "zed") is False
        case.relate()
        assert not await case.related("ann", "tom")
        case.relate(("ann", "zed"), ("ann", "tom"))
        assert await case.related("ann", "tom", "zed")


@who_can_be_asked
async def test_what_was_said_is_not_asked_again(adapter: str):
    bookings = Bookings(THINGS)
    async with opened(adapter, bookings) as case:
        for _ in range(3):
            await case.admits("ann", "tom", booking="100", property="p8")
            await case.related("ann", "tom")
            await case.related("tom", "ann")
        assert bookings.asked == [[LESSON, ("property", "p8")]]
        assert bookings.asked_related == [[("ann", "tom")]]


@who_can_be_asked
async def test_what_is_told_to_have_changed_is_all_that_is_asked_anew(adapter: str):
    bookings = Bookings(THINGS)
    async with opened(adapter, bookings) as case:

        async def asked(about: dict[str, str] | None, users: list[str] | None) -> tuple[int, int]:
            """How many things and pairs are asked for after that."""
            case.port.invalidate(about, users)
            bookings.asked, bookings.asked_related = [], []
            await case.admits("ann", "tom", booking="100", property="p9")
            await case.related("ann", "tom")
            await case.related("ann", "zed")
            return sum(map(len, bookings.asked)), len(bookings.asked_related)

        assert await asked(None, None) == (2, 2)
        assert await asked({"booking": "100"}, None) == (1, 2)
        assert await asked({"booking": "100"}, ["tom"]) == (1, 1)
        assert await asked({"booking": "101"}, ["eve"]) == (0, 0)
        assert await asked(None, ["ann"]) == (0, 2)


@who_can_be_asked
@pytest.mark.parametrize("when_away", ["refuse", "allow"])
async def test_CONV_24_C_46_while_the_host_is_away(adapter: str, when_away: str):
    bookings = Bookings(THINGS, ("ann", "tom"))
    async with opened(adapter, bookings, when_away=when_away) as case:
        assert await case.admits("ann", "tom", booking="100")
        bookings.broken = True
        assert await case.admits("ann", "tom", booking="100")
        if when_away == "allow":
            await case.port.require(["ann", "zed"], {"property": "p9"})
        else:
            no = await refused(case.port.require(["ann", "zed"], {"property": "p9"}))
            assert no.code == "UNAVAILABLE"
        assert not await case.related("ann", "tom")


async def test_C_46_CONV_24_tokens_that_say_nothing_of_use_say_nothing():
    claims = Claims(10)
    async with _opened(claims, None, {"contexts": "claims"}) as port:
        for said in ({}, {"contexts": "100", "related": "tom"}, {"contexts": [1], "related": 5}):
            claims.told("ann", said)
            assert not port.are_parties(["ann"], {"booking": "100"})
            assert not port.are_related("ann", ["tom"])


async def test_CONV_24_what_tokens_said_of_users_is_forgotten():
    async with opened("claims", Bookings(THINGS, ("ann", "tom"))) as case:
        case.port.invalidate({"booking": "100"})
        assert case.port.are_parties(["ann", "tom"], {"booking": "100"}), "the next token tells"
        case.port.invalidate({"booking": "100"}, ["ann"])
        assert not case.port.are_parties(["ann", "tom"], {"booking": "100"})
        assert not case.port.are_related("ann", ["tom"])


async def test_CONV_24_claims_by_other_names():
    claims = Claims(10)
    names = {"contexts": "bookings", "related": "partners"}
    async with _opened(claims, None, {"contexts": "claims", "claims": names}) as port:
        claims.told("ann", {"bookings": listed(THINGS), "partners": ["tom"]})
        assert port.are_parties(["ann", "tom"], {"booking": "100"})
        assert port.are_related("tom", ["ann"])


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"{}", "no `contexts`"),
        (b'{"contexts": {}}', "no `contexts`"),
        (b'{"contexts": [5]}', "none"),
        (b'{"contexts": [{"type": "booking"}]}', "none"),
        (b'{"contexts": [{"type": "booking", "id": "1", "parties": "ann"}]}', "parties"),
        (b'{"contexts": [{"type": "booking", "id": "1", "parties": [1]}]}', "parties"),
        (b'{"contexts": [{"type": "booking", "id": "1", "owner": 1}]}', "owner"),
    ],
)
async def test_what_is_no_thing_is_no_answer(answer: bytes, problem: str):
    async with answering(http(answer)) as callback:
        with pytest.raises(BadAnswer, match=problem):
            await HttpContexts(callback).find([LESSON])


@pytest.mark.parametrize("found", [b"{}", b'{"related": {}}', b'{"related": [["ann"]]}'])
async def test_what_is_no_pair_is_no_answer(found: bytes):
    async with answering(http(found)) as callback:
        with pytest.raises(BadAnswer, match="no `related`"):
            await HttpContexts(callback).related([("ann", "tom")])
