"""System messages: only the host writes them, and nobody changes them."""

import pytest

from palaver.engine.testing import Device, memory_engine
from palaver.protocol.errors import Rejected
from palaver.protocol.features import COMMANDS
from palaver.protocol.features.system import PostMessage


async def test_MSG_26_a_system_message_has_no_sender_and_is_flagged_by_its_kind():
    async with memory_engine() as engine:
        ann, bob = engine.as_user("ann"), Device(engine, "bob")
        room = await ann.create_group("Ops", ["bob"])
        posted = await engine.post(room, "deployed", metadata={"version": 7})

        (push,) = bob.of_kind("message.posted")
        assert push["d"] == {"id": posted.id, "text": "deployed", "metadata": {"version": 7}}
        (message,) = await ann.history(room)
        assert message["kind"] == "message.posted"
        assert "by" not in message
        assert (await ann.conversation(room))["unread"] == 0


async def test_MSG_26_nobody_can_edit_or_delete_a_system_message():
    async with memory_engine() as engine:
        ann = engine.as_user("ann")
        room = await ann.create_group("Ops", ["bob"])
        posted = await engine.post(room, "deployed")
        for change in (ann.edit(room, posted.id, "mine"), ann.delete(room, posted.id)):
            with pytest.raises(Rejected, match="PERMISSION_DENIED"):
                await change


async def test_MSG_26_no_client_can_post_one():
    assert PostMessage.name not in COMMANDS
    async with memory_engine() as engine:
        ann = engine.as_user("ann")
        room = await ann.create_group("Ops", [])
        with pytest.raises(Rejected, match="PERMISSION_DENIED"):
            await engine.as_user("eve").do(PostMessage(text="x"), room)


async def test_MSG_26_SEND_06_under_the_same_client_id_it_is_posted_once():
    async with memory_engine() as engine:
        room = await engine.as_user("ann").create_group("Ops", ["bob"])
        posted = await engine.post(room, "deployed", client_id="k")
        assert await engine.post(room, "deployed", client_id="k") == posted
        assert await engine.post(room, "deployed", client_id="k", attempt=2) == posted
        assert await engine.post(room, "deployed", client_id="l") != posted
