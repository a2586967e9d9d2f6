"""Who is online of those one shares a conversation with (RCPT-17)."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.actors import inbox
from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.tests.support.engines import group, settled

NO_GRACE = {"presence_grace_s": 0.0}


async def online(engine: Engine, user: str, **query: Any) -> list[str]:
    device = Device(engine, user)
    answer: dict[str, Any] = (await device.ask("presence.list", query))["ok"]
    device.leave()
    assert answer["more"] is False
    found: list[str] = answer["online"]
    return found


@pytest.mark.parametrize("asleep", [False, True])
async def test_RCPT_17_those_who_are_here_and_share_a_conversation(asleep: bool):
    async with memory_engine(actors=NO_GRACE) as engine:
        await group(engine, "ann", "bob", "cid")
        await engine.as_user("ann").create_direct("dan")
        await group(engine, "bob", "eve")
        left = await group(engine, "ann", "fay")
        await engine.as_user("ann").remove_member(left, "fay")
        if asleep:
            await trio.sleep(1000)
        devices = [Device(engine, user) for user in ("ann", "bob", "bob", "dan", "eve", "fay")]
        assert await online(engine, "ann") == ["bob", "dan"]
        assert await online(engine, "eve") == ["bob"]
        assert await online(engine, "fay") == []
        devices[3].leave()
        await settled()
        assert await online(engine, "ann") == ["bob"]


async def test_RCPT_17_a_conversation_that_is_not_stored_yet_counts():
    store = MemoryStore()
    async with memory_engine(store=store, actors=NO_GRACE) as engine:
        Device(engine, "bob")
        ann = Device(engine, "ann")
        store.hold()
        ann.submit("conversation.create", {"kind": "direct", "members": ["bob"]}, id=1)
        await settled()
        assert ann.of_kind("reply") == []
        assert (await ann.ask("presence.list"))["ok"] == {"online": ["bob"], "more": False}
        store.release()


async def test_RCPT_17_by_pages_however_many_there_are(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inbox, "PEERS", 7)
    names = [f"user {n:02}" for n in range(40)]
    async with memory_engine(actors=NO_GRACE) as engine:
        await engine.as_user("user 20").create_group("All", names)
        await engine.as_user("user 20").create_group("Some", names[::2])
        here = [name for n, name in enumerate(names) if n % 3]
        for name in here:
            Device(engine, name)
        device, met, after = Device(engine, "user 20"), list[str](), None
        while True:
            query = {"limit": 5} if after is None else {"limit": 5, "after": after}
            page = (await device.ask("presence.list", query))["ok"]
            assert len(page["online"]) <= 5
            met += page["online"]
            if not page["more"]:
                break
            after = met[-1]
        assert met == [name for name in here if name != "user 20"]


async def test_RCPT_17_who_keeps_it_to_themselves_is_not_listed():
    async with memory_engine(policy={"presence_optout": True}, actors=NO_GRACE) as engine:
        await group(engine, "ann", "bob")
        bob = Device(engine, "bob")
        await settled()
        assert await online(engine, "ann") == ["bob"]
        await bob.ask("settings.set", {"presence": "nobody"})
        assert await online(engine, "ann") == []


async def test_RCPT_17_a_product_without_presence():
    async with memory_engine(policy={"presence_enabled": False}) as engine:
        reply = await Device(engine, "ann").ask("presence.list")
        assert reply["error"]["code"] == "FEATURE_DISABLED"
