"""One contract for all ports that can be asked, however they are: what was said is remembered until
that is old or said to be, who asks at once shares a question, and a host that has no answer is
UNAVAILABLE. What each port means by its answers is in the file of its name.

A port is one `Subject` more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final

import pytest
import trio

from palaver.engine import StartupError
from palaver.engine.host import Session
from palaver.protocol.errors import Rejected
from palaver.tests.support import hosts
from palaver.tests.support.engines import refused
from palaver.tests.support.hosts import (
    Answer,
    Bookings,
    Directory,
    Friendships,
    Groups,
    Product,
    SessionTable,
    Subscribers,
)

RUBBISH: Final[list[Any]] = [None, [], 5, {"ann": 5}]


class Subject:
    """A port with `product` behind it, which has a word on each of any number of things, called by
    their ids."""

    name: ClassVar[str]
    adapters: ClassVar[tuple[str, ...]] = ("python", "http")
    product: Product
    answers: dict[str, Answer]

    def __init__(self) -> None:
        self.port: Any = None

    async def ask(self, id: str) -> Any:
        """What the port says of this thing, in a form that can be compared."""
        raise NotImplementedError

    def change(self, id: str) -> None:
        """From now on the product says something else of it."""
        raise NotImplementedError

    def invalidate(self, id: str | None) -> None:
        self.port.invalidate(id)


class UsersSubject(Subject):
    name = "users"

    def __init__(self) -> None:
        super().__init__()
        self.product = self._directory = Directory(*(f"{n}" for n in range(250)))
        self.answers = hosts.by_http(self._directory)

    async def ask(self, id: str) -> Any:
        await self.port.learn([id])
        return self.port.shown([id])

    def change(self, id: str) -> None:
        self._directory.accounts[id] = hosts.person(id, name="Somebody Else")


class RelationsSubject(Subject):
    name = "relations"

    def __init__(self) -> None:
        super().__init__()
        self.product = self._friendships = Friendships()
        self.answers = hosts.relations_by_http(self._friendships)

    async def ask(self, id: str) -> Any:
        return await self.port.find("ann", id)

    def change(self, id: str) -> None:
        self._friendships.follows.set("ann", id)


class SessionsSubject(Subject):
    name = "sessions"
    adapters = ("http",)  # in Python it is the gateway that asks, each time

    def __init__(self) -> None:
        super().__init__()
        sessions = {f"{n}": Session("ann") for n in range(250)}
        self.product = self._table = SessionTable(**sessions)
        self.answers = hosts.sessions_by_http(self._table)

    async def ask(self, id: str) -> Any:
        return await self.port.find(id)

    def change(self, id: str) -> None:
        del self._table.sessions[id]


class ContextsSubject(Subject):
    name = "contexts"

    def __init__(self) -> None:
        super().__init__()
        things = {("booking", f"{n}"): hosts.shared("ann", "bob") for n in range(250)}
        self.product = self._bookings = Bookings(things)
        self.answers = hosts.bookings_by_http(self._bookings)

    async def ask(self, id: str) -> Any:
        try:
            await self.port.require(["ann", "bob"], {"booking": id})
        except Rejected as no:
            if no.code != "CONTEXT_FORBIDDEN":
                raise
            return no.code
        return "they are parties to it"

    def change(self, id: str) -> None:
        self._bookings.things["booking", id] = hosts.shared("ann")

    def invalidate(self, id: str | None) -> None:
        self.port.invalidate(None if id is None else {"booking": id})


class MembershipSubject(Subject):
    name = "membership"

    def __init__(self) -> None:
        super().__init__()
        self.product = self._groups = Groups(chess={f"{n}": "member" for n in range(250)})
        self.answers = hosts.groups_by_http(self._groups)

    async def ask(self, id: str) -> Any:
        await self.port.learn([("chess", id)])
        return self.port.role(("chess", id), "unknown")

    def change(self, id: str) -> None:
        self._groups.roles["chess"][id] = "admin"

    def invalidate(self, id: str | None) -> None:
        self.port.invalidate("chess", [] if id is None else [id])


class PremiumSubject(Subject):
    name = "premium"

    def __init__(self) -> None:
        super().__init__()
        self.product = self._subscribers = Subscribers(*(f"{n}" for n in range(250)))
        self.answers = hosts.premium_by_http(self._subscribers)

    async def ask(self, id: str) -> Any:
        await self.port.learn([id])
        return self.port.is_premium(id)

    def change(self, id: str) -> None:
        del self._subscribers.subscriptions[id]


SUBJECTS: Final[tuple[type[Subject], ...]] = (
    UsersSubject,
    RelationsSubject,
    SessionsSubject,
    ContextsSubject,
    MembershipSubject,
    PremiumSubject,
)


def ports(*but: str) -> pytest.MarkDecorator:
    """Every port by each of its adapters, but those of these ids."""
    ids = {
        f"{each.name}-{adapter}": (each, adapter) for each in SUBJECTS for adapter in each.adapters
    }
    chosen = [pytest.param(*each, id=id) for id, each in ids.items() if id not in but]
    return pytest.mark.parametrize(("subject", "adapter"), chosen)


every_port = ports()
Make = Callable[[], Subject]


@asynccontextmanager
async def opened(make: Make, adapter: str, **host: Any) -> AsyncIterator[Subject]:
    it, policy = make(), {"user_fields": ["name"]}
    async with hosts.opened(
        it.name, adapter, it.product, it.answers, policy=policy, **host
    ) as it.port:
        yield it


@every_port
async def test_what_was_said_is_not_asked_again(subject: Make, adapter: str):
    async with opened(subject, adapter) as it:
        first = await it.ask("1")
        assert [await it.ask("1") for _ in range(3)] == [first] * 3
        assert len(it.product.asked) == 1


@every_port
@pytest.mark.parametrize("all_of_them", [False, True])
async def test_what_has_changed_is_asked_anew(subject: Make, adapter: str, all_of_them: bool):
    async with opened(subject, adapter) as it:
        one, two = await it.ask("1"), await it.ask("2")
        it.change("1")
        assert await it.ask("1") == one, "nobody has said so"
        it.invalidate(None if all_of_them else "1")
        assert await it.ask("1") != one
        assert await it.ask("2") == two
        assert len(it.product.asked) == (4 if all_of_them else 3)


# Of a member whose word is old nothing is said: see test_membership.py.
@ports("membership-python", "membership-http")
async def test_what_the_product_said_is_old_after_a_while(subject: Make, adapter: str):
    async with opened(subject, adapter, cache_ttl_s=1e-6, sessions_ttl_s=1e-6) as it:
        one = await it.ask("1")
        it.change("1")
        assert await it.ask("1") != one


@every_port
async def test_many_at_once_share_few_questions(subject: Make, adapter: str):
    async with opened(subject, adapter) as it:
        said: dict[int, Any] = {}

        async def ask(n: int) -> None:
            said[n] = await it.ask(f"{n % 150}")

        async with trio.open_nursery() as nursery:
            for n in range(300):
                nursery.start_soon(ask, n)
        assert sorted(map(len, it.product.asked)) == [50, 100]
        assert all(said[n] == said[n + 150] for n in range(150))


@every_port
@pytest.mark.parametrize("trouble", ["broken", "late"])
async def test_a_product_without_an_answer_is_unavailable(
    subject: Make, adapter: str, trouble: str
):
    late = trouble == "late"
    async with opened(subject, adapter, timeout_s=0.05 if late else 5) as it:
        it.product.broken, it.product.delay_s = not late, 30 if late else 0
        no = await refused(it.ask("1"))
        assert (no.code, no.retryable) == ("UNAVAILABLE", True)


@every_port
async def test_a_product_is_asked_again_when_it_has_failed(subject: Make, adapter: str):
    async with opened(subject, adapter) as it:
        it.product.broken = True
        await refused(it.ask("1"))
        it.product.broken = False
        first = await it.ask("1")
        it.product.broken = True
        assert await it.ask("1") == first, "what is known is known"


# Of an object in Python these take what they can.
@ports("contexts-python", "membership-python")
@pytest.mark.parametrize("rubbish", RUBBISH)
async def test_rubbish_is_no_answer(subject: Make, adapter: str, rubbish: Any):
    async def answer(*question: Any) -> Any:
        return rubbish

    def nonsense() -> Subject:
        it = subject()
        it.answers = dict.fromkeys(it.answers, answer)
        it.product.find = answer  # type: ignore[attr-defined]
        return it

    async with opened(nonsense, adapter) as it:
        assert (await refused(it.ask("1"))).code == "UNAVAILABLE"


@every_port
async def test_a_product_that_is_away_is_left_in_peace(subject: Make, adapter: str):
    async with opened(subject, adapter, failures=3, cool_down_s=1000) as it:
        it.product.broken = True
        refusals = [await refused(it.ask(f"{n}")) for n in range(10)]
        assert {no.code for no in refusals} == {"UNAVAILABLE"}
        assert len(it.product.asked) == 3
        assert refusals[-1].retry_after is not None
        assert refusals[-1].retry_after > 900


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_a_callback_without_an_address_is_refused_in_words(subject: type[Subject]):
    settings: dict[str, Any] = {subject.name: "callback"}
    with pytest.raises(StartupError, match=r"host\.url and host\.secret"):
        async with hosts.opened(subject.name, "settings", None, {}, **settings):
            pass
