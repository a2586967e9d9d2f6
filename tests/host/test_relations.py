"""One contract for all adapters of the relations port, and what each has of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from palaver.actors.host import Relations
from palaver.engine.host.claims import Claims
from palaver.engine.testing import memory_engine
from palaver.protocol.features.users import GetUsers
from palaver.protocol.people import Relation
from palaver.tests.support import hosts
from palaver.tests.support.engines import refused
from palaver.tests.support.hosts import Friendships, relations_by_http

every_adapter = pytest.mark.parametrize("adapter", ["python", "http", "claims"])
FOLLOWS = {"ann": ["bob", "cid"], "bob": ["ann"], "cid": [], "dan": []}
FRIENDS = Relation(follows=True, followed=True)


@asynccontextmanager
async def opened(
    adapter: str, friendships: Friendships | None = None, **host: Any
) -> AsyncIterator[tuple[Relations, Claims]]:
    friendships, claims = friendships or Friendships(), Claims(1000)
    answers = relations_by_http(friendships)
    async with hosts.opened(
        "relations", adapter, friendships, answers, claims=claims, **host
    ) as port:
        for user, others in FOLLOWS.items():
            claims.told(user, {"follows": others})
            for other in others:
                friendships.follows.set(user, other)
        yield port, claims


@every_adapter
async def test_REQ_01_who_follows_whom(adapter: str):
    async with opened(adapter) as (port, _):
        assert await port.find("ann", "bob") == await port.find("bob", "ann") == FRIENDS
        assert await port.find("ann", "cid") == Relation(follows=True)
        assert await port.find("cid", "ann") == Relation(followed=True)
        for other in ("dan", "somebody who has never been here"):
            assert await port.find("ann", other) == await port.find(other, "ann") == Relation()


@every_adapter
async def test_REQ_01_who_has_changed_is_asked_about_on_either_side(adapter: str):
    friendships = Friendships()
    async with opened(adapter, friendships) as (port, claims):
        await port.find("ann", "bob")
        await port.find("bob", "ann")
        await port.find("ann", "cid")
        asked = len(friendships.asked)
        friendships.follows.set("bob", "ann", follows=False)
        port.invalidate("bob")
        claims.told("bob", {"follows": []})
        assert await port.find("ann", "bob") == Relation(follows=True)
        assert await port.find("bob", "ann") == Relation(followed=True)
        assert await port.find("ann", "cid") == Relation(follows=True)
        assert len(friendships.asked) == (asked + 2 if asked else 0), "of others nothing new"


async def test_REQ_02_that_the_product_is_away_is_not_taken_for_a_word():
    friendships = Friendships()
    friendships.broken = True
    async with opened("python", friendships, when_away="allow") as (port, _):
        assert (await refused(port.find("ann", "bob"))).code == "UNAVAILABLE"


async def test_REQ_01_what_a_product_leaves_out_is_no_relation():
    async def answer(asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "relations": [{"ann": None, "bob": {}, "cid": {"follows": True}}[asked["pairs"][0][1]]]
        }

    async with hosts.opened("relations", "http", None, {"relations": answer}) as port:
        said = [await port.find("zoe", other) for other in ("ann", "bob", "cid")]
        assert said == [Relation(), Relation(), Relation(follows=True)]


@pytest.mark.parametrize(
    "answer", [[], [{}, {}], [5], [{"follows": 1}], [{"followed": None}], {"follows": True}]
)
async def test_REQ_02_what_is_not_clear_is_no_answer(answer: Any):
    async def rubbish(asked: dict[str, Any]) -> dict[str, Any]:
        return {"relations": answer}

    async with hosts.opened("relations", "http", None, {"relations": rubbish}) as port:
        assert (await refused(port.find("ann", "bob"))).code == "UNAVAILABLE"


@pytest.mark.parametrize("said", ["bob", {"bob": True}, None, 5, [["bob"]]])
async def test_REQ_01_a_claim_that_is_no_list_says_nothing(said: Any):
    async with opened("claims") as (port, claims):
        claims.told("dan", {"follows": said})
        assert await port.find("dan", "bob") == Relation()


async def test_REQ_01_tokens_may_call_it_otherwise_and_each_port_forgets_its_own_claims():
    host = {"relations": "claims", "users": "claims", "claims": {"follows": "friends"}}
    policy = {"message_requests": True, "user_fields": ["name"]}
    async with memory_engine(host=host, policy=policy) as engine:
        engine.introduce("ann", {"name": "Ann", "friends": ["bob", "cid"]})
        ann, bob, cid = (engine.as_user(user) for user in ("ann", "bob", "cid"))
        await ann.send_to("bob", "hi")
        assert len((await bob.inbox())["conversations"]) == 1
        engine.relations_changed("ann")
        await ann.send_to("cid", "hi")
        assert (await cid.inbox())["conversations"] == []
        assert (await bob.do(GetUsers(users=["ann"])))["users"] == {"ann": {"name": "Ann"}}
