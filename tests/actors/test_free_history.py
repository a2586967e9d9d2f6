"""How far back who has no premium may look (HIST-10, C-27)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from palaver.engine import Engine
from palaver.engine.host import Subscription
from palaver.engine.testing import Device, TrioClock, memory_engine
from palaver.engine.user import Sent
from palaver.protocol.features.pins import PinMessage
from palaver.protocol.features.stars import StarMessage
from palaver.tests.support.engines import NOWHERE, group, say, settled
from palaver.tests.support.hosts import Subscribers

DAY = 86_400.0
POLICY = {
    "free_history_days": 30,
    "expose_edit_history": True,
    "threads": True,
    "delete_recovery_days": 90,
    "message_types": ["text", "image"],
}
RECENT = ["new 0", "new 1", "new 2"]

everywhere = pytest.mark.parametrize("ring", [256, 4], ids=["memory", "store"])


class Talk:
    """A group of ann, who is premium, and bob and cid, who are not; cid's subscription is without
    more history. `old` was said before the limit, three messages after it."""

    def __init__(self, engine: Engine, room: str, old: list[Sent], premium: Subscribers) -> None:
        self.engine = engine
        self.room = room
        self.old = old
        self.premium = premium
        self.bob = Device(engine, "bob")

    async def ask(self, kind: str, payload: Any = None, user: str = "bob") -> dict[str, Any]:
        """The Reply to `user`."""
        device = Device(self.engine, user)
        mine = kind in ("message.search", "star.list", "conversation.list", "sync.changes")
        reply = await device.ask(kind, payload, c=None if mine else self.room)
        device.leave()
        return reply

    async def page(self, kind: str, payload: Any = None, user: str = "bob") -> Any:
        """The texts of a page, whether there is more of it, and whether it is limited."""
        ok = (await self.ask(kind, payload, user))["ok"]
        messages = ok.get("messages", ok.get("hits"))
        if messages is None:
            messages = [star["message"] for star in ok["stars"]]
        return [each["text"] for each in messages], ok.get("more"), ok.get("limited", False)


@asynccontextmanager
async def a_talk(ring: int = 256, old: int = 5, **policy: Any) -> AsyncIterator[Talk]:
    premium = Subscribers("ann", cid=Subscription(extended_history=False))
    clock = TrioClock()
    async with memory_engine(
        premium=premium, clock=clock, policy=POLICY | policy, actors={"ring": ring}
    ) as engine:
        room = await group(engine, "ann", "bob", "cid")
        said = await say(engine, room, "ann", *(f"old {n}" for n in range(old)))
        clock.jump(31 * DAY)
        await say(engine, room, "ann", *RECENT)
        yield Talk(engine, room, said, premium)


@everywhere
@pytest.mark.parametrize("user", ["bob", "cid"])
async def test_HIST_10_an_older_request_is_empty_and_says_that_it_is_limited(user: str, ring: int):
    async with a_talk(ring) as talk:
        first = talk.old[-1].seq + 1
        assert await talk.page("message.history", user=user) == (RECENT, False, True)
        assert await talk.page("message.history", {"before": first}, user) == ([], False, True)
        long_ago = {"before_time": talk.old[2].at}
        assert await talk.page("message.history", long_ago, user) == ([], False, True)
        everything = [*(f"old {n}" for n in range(5)), *RECENT]
        assert await talk.page("message.history", user="ann") == (everything, False, False)


@everywhere
async def test_HIST_10_pages_are_of_what_is_left(ring: int):
    async with a_talk(ring) as talk:
        page = talk.page
        assert await page("message.history", {"limit": 2}) == (RECENT[1:], True, True)
        first = talk.old[-1].seq + 1
        assert await page("message.history", {"before": first + 2}) == (RECENT[:2], False, True)
        assert await page("message.history", {"after": 0, "limit": 2}) == (RECENT[:2], True, True)
        newest, oldest = {"page": 1, "limit": 2}, {"page": 2, "limit": 2}
        assert await page("message.history", newest) == (RECENT[1:], True, True)
        assert await page("message.history", oldest) == (RECENT[:1], False, True)
        assert (await talk.ask("message.history", newest))["ok"]["total"] == 3


@everywhere
async def test_HIST_10_who_subscribes_sees_it_all(ring: int):
    async with a_talk(ring) as talk:
        talk.premium.subscriptions["bob"] = Subscription()
        talk.engine.premium_changed("bob")
        texts, _, limited = await talk.page("message.history")
        assert (len(texts), limited) == (8, False)
        del talk.premium.subscriptions["bob"]
        talk.engine.premium_changed("bob")
        assert await talk.page("message.history") == (RECENT, False, True)
        assert talk.bob.disconnects == []


@everywhere
async def test_HIST_10_a_young_conversation_has_no_limit(ring: int):
    async with a_talk(ring, old=0) as talk:
        room = await group(talk.engine, "ann", "bob")
        await say(talk.engine, room, "ann", "hi")
        page = (await Device(talk.engine, "bob").ask("message.history", c=room))["ok"]
        assert "limited" not in page
        assert await talk.page("message.history") == (RECENT, False, False), "nothing is left out"


@everywhere
@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("message.history", {"around": "OLD"}),
        ("thread.list", {"message_id": "OLD"}),
        ("message.readers", {"message_id": "OLD"}),
        ("message.versions", {"message_id": "OLD"}),
        ("message.send", {"text": "x", "reply_to": "OLD"}),
        ("message.send", {"text": "x", "thread": "OLD"}),
        ("message.star", {"message_id": "OLD"}),
        ("message.hide", {"message_id": "OLD"}),
        ("reaction.set", {"message_id": "OLD", "emoji": "🔥"}),
        ("message.forward", {"message_id": "OLD", "to": "HERE"}),
        ("message.delete", {"message_id": "OLD"}),
        ("message.edit", {"message_id": "OLD", "text": "x"}),
    ],
)
async def test_HIST_10_an_older_message_is_not_there(kind: str, payload: Any, ring: int):
    async with a_talk(ring) as talk:
        errors = []
        for id in (talk.old[0].id, NOWHERE):
            names = {"OLD": id, "HERE": talk.room}
            given = {name: names.get(value, value) for name, value in payload.items()}
            error = (await talk.ask(kind, given))["error"]
            errors.append(str(error).replace(id, "OLD"))
        assert "MESSAGE_NOT_FOUND" in errors[0]
        assert errors[0] == errors[1], "as if there had never been one"


@everywhere
async def test_HIST_10_nor_is_it_pinned_starred_or_found(ring: int):
    async with a_talk(ring, old=0) as talk:
        engine, room = talk.engine, talk.room
        ann, bob = engine.as_user("ann"), engine.as_user("bob")
        (old,) = await say(engine, room, "ann", "needle, then")
        await ann.do(PinMessage(message_id=old.id), room)
        await bob.do(StarMessage(message_id=old.id), room)
        engine.now.jump(31 * DAY)  # type: ignore[attr-defined]
        (new,) = await say(engine, room, "ann", "needle, now")
        await ann.do(PinMessage(message_id=new.id), room)
        await bob.do(StarMessage(message_id=new.id), room)
        for kind, payload, more in (
            ("pin.list", {}, False),
            ("star.list", {}, None),
            ("message.search", {"query": "needle"}, None),
        ):
            assert await talk.page(kind, payload) == (["needle, now"], more, True)
        found = await talk.page("message.search", {"query": "needle"}, "ann")
        assert (len(found[0]), found[2]) == (2, False)
        since = {"query": "needle", "after": new.at - 1}
        assert await talk.page("message.search", since) == (["needle, now"], None, False)


@everywhere
async def test_HIST_10_media_end_there_too(ring: int):
    async with a_talk(ring, old=0) as talk:
        image = {"text": "", "type": "image", "metadata": {"url": "https://example.org/1.png"}}
        for _ in range(2):
            assert "ok" in await talk.ask("message.send", image, "ann")
            talk.engine.now.jump(31 * DAY)  # type: ignore[attr-defined]
        assert await talk.page("media.list") == ([], False, True)
        assert await talk.page("media.list", user="ann") == (["", ""], False, False)


@everywhere
async def test_HIST_10_who_catches_up_is_not_given_more(ring: int):
    """Older messages come without content, like what one may not see; the rest as it was."""
    async with a_talk(ring) as talk:
        assert (await talk.bob.ask("conversation.resume", {"epoch": 1, "seq": 1}, c=talk.room))[
            "ok"
        ]["recovered"]
        kinds = [item["t"] for item in talk.bob.events(talk.room)]
        assert kinds == ["skipped", *["message.sent"] * 3]
        assert talk.bob.texts() == RECENT
        ann = Device(talk.engine, "ann")
        await ann.ask("conversation.resume", {"epoch": 1, "seq": 1}, c=talk.room)
        assert len(ann.texts()) == 8


async def test_HIST_10_a_reply_to_an_older_message_shows_nothing_of_it():
    async with a_talk() as talk:
        cid, ann = Device(talk.engine, "cid"), Device(talk.engine, "ann")
        reply = {"text": "as I said", "reply_to": talk.old[0].id}
        assert "ok" in await ann.ask("message.send", reply, c=talk.room)
        await settled()
        shown = [device.of_kind("message.sent")[-1]["d"] for device in (ann, talk.bob, cid)]
        texts = [each["preview"].get("text") for each in shown]
        assert texts == ["old 0", None, None]
        page = (await talk.ask("message.history", {"limit": 1}))["ok"]["messages"]
        assert page[0]["preview"].get("text") is None


@pytest.mark.parametrize("put_away", [False, True])
async def test_HIST_10_the_inbox_shows_no_older_message(put_away: bool):
    async with a_talk(old=1) as talk:
        talk.engine.now.jump(31 * DAY)  # type: ignore[attr-defined]
        for user, shown in (("ann", "new 2"), ("bob", None)):
            state = (await talk.ask("conversation.get", user=user))["ok"]
            if put_away:
                conversation = talk.engine._registry.resident(talk.room)
                assert conversation is not None
                conversation.retire()
                await settled()
                assert talk.engine._registry.resident(talk.room) is None
            inbox = (await talk.ask("conversation.list", user=user))["ok"]["conversations"]
            for last in (state["last"], inbox[0]["last"]):
                assert (last and last["text"]) == shown
