"""Of every command there is: nobody without a subscription gets anything out of it (SEC-12)."""

from __future__ import annotations

from typing import Any

import pytest

from palaver.engine import Engine
from palaver.engine.host import Subscription
from palaver.engine.testing import Device, memory_engine
from palaver.protocol.disconnects import PREMIUM_REQUIRED
from palaver.protocol.errors import ERRORS
from palaver.protocol.features import COMMANDS
from palaver.tests.support.engines import refused, settled
from palaver.tests.support.hosts import Subscribers
from palaver.tests.support.plans import PLANS, POLICY

LOOKS: list[tuple[str, bool]] = [
    ("conversation.get", True),
    ("message.history", True),
    ("pin.list", True),
    ("schedule.list", False),
    ("settings.get", False),
]


async def all_there_is(engine: Engine, room: str) -> list[Any]:
    """What ann can find out of the room and of her own."""
    ann = Device(engine, "ann")
    found = [(await ann.ask(kind, c=room if there else None))["ok"] for kind, there in LOOKS]
    changes = (await ann.ask("sync.changes", {"cursor": "0"}))["ok"]
    ann.leave()
    return [*found, changes["log"], [row["c"] for row in changes["conversations"]]]


@pytest.mark.parametrize("kind", sorted(COMMANDS))
async def test_GRP_14_SEC_12_nobody_who_has_lapsed_can_do_anything(kind: str):
    premium = Subscribers("ann", "bob")
    policy = POLICY | {"premium_required": True, "message_requests": False}
    async with memory_engine(premium=premium, policy=policy) as engine:
        own = await engine.as_user("ann").send_to("bob", "hello")
        room = own.conversation
        theirs = await engine.as_user("bob").send(room, "hi")
        before = await all_there_is(engine, room)
        names = {"OWN": own.id, "THEIRS": theirs.id, "LATE": own.id, "HERE": room}
        ann, bob = Device(engine, "ann"), Device(engine, "bob")
        del premium.subscriptions["ann"]
        engine.premium_changed("ann")
        await settled()

        # What nobody has a plan for has a payload that cannot be right: not even that she is told.
        plans = [plan for plan in PLANS.get(kind, []) if "do" not in plan]
        for plan in [*plans, {}, {"no such": "field"}]:
            payload = {name: names.get(str(value), value) for name, value in plan.items()}
            reply = await ann.ask(kind, payload, c=payload.pop("c", room))
            assert reply["error"]["code"] == "PREMIUM_REQUIRED"
            assert ERRORS["PREMIUM_REQUIRED"].http == 403
        command = COMMANDS[kind].model_construct()
        assert (await refused(engine.as_user("ann").do(command, room))).code == "PREMIUM_REQUIRED"
        await settled()
        assert set(ann.disconnects) == {PREMIUM_REQUIRED}
        assert (bob.items, bob.disconnects) == ([], [])

        premium.subscriptions["ann"] = Subscription()
        engine.premium_changed("ann")
        assert await all_there_is(engine, room) == before
