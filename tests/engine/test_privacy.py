"""What people say and who they are: data on the wire, never code, never in a log."""

import pytest
from structlog.testing import capture_logs

from palaver.engine import Settings
from palaver.engine.testing import Device, memory_engine
from palaver.protocol.codec import JsonCodec, MsgpackCodec
from palaver.protocol.errors import Rejected

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "'; DROP TABLE log; --",
    '{"$gt": ""}',
    "%s%n{0}${jndi:ldap://x}",
    "\u202eright to left, \u200binvisible, \ufeff marked",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_SEC_07_hostile_text_is_data_and_comes_back_as_it_was(text):
    async with memory_engine() as engine:
        ann, bob = engine.as_user("ann"), Device(engine, "bob")
        sent = await ann.send_to("bob", text)
        (push,) = bob.of_kind("message.sent")
        assert push["d"]["text"] == text
        assert (await ann.history(sent.conversation))[0]["text"] == text
        for codec in (MsgpackCodec(), JsonCodec()):
            assert codec.decode(codec.encode(push)) == push


class Clumsy:
    """A guard that fails, and puts everything it knows into its exception."""

    def check(self, command, context, state):
        if getattr(command, "text", "") == "my secret":
            raise RuntimeError(f"{context.user} said {command.text!r} in {state.id}")
        return command


async def test_SEC_15_neither_ids_nor_bodies_are_logged_even_when_something_breaks():
    with capture_logs() as logs:
        async with memory_engine(guards=[Clumsy()]) as engine:
            ann = engine.as_user("ann.of.green.gables")
            room = await ann.create_group("the title", ["bob"])
            with pytest.raises(Rejected, match="INTERNAL") as caught:
                await ann.send(room, "my secret")
    crash = next(entry for entry in logs if entry["event"] == "actor crashed")
    assert crash["correlation"] == caught.value.correlation  # ERR-06: it leads to its cause
    assert "in check" in crash["stack"]
    said = str(logs)
    for private in ("ann.of.green.gables", room, "my secret", "the title"):
        assert private not in said


async def test_SEC_14_a_limit_is_changed_by_the_environment(monkeypatch):
    monkeypatch.setenv("PALAVER_POLICY__MAX_CHARS", "5")
    async with memory_engine(policy=Settings().policy) as engine:
        ann = engine.as_user("ann")
        await ann.send_to("bob", "12345")
        with pytest.raises(Rejected, match="MESSAGE_TOO_LONG"):
            await ann.send_to("bob", "123456")


async def test_SEND_01_a_message_is_the_same_whichever_way_it_came():
    """By a device's frame and by a call of the host: one handler, equal effects."""
    async with memory_engine() as engine:
        ann, bob = engine.as_user("ann"), Device(engine, "bob")
        called = await ann.send_to("bob", "hello", client_id="1")
        device = Device(engine, "ann")
        frame = {"text": "hello", "client_id": "2"}
        device.submit("message.send", frame, c=called.conversation, id=1)
        history = await ann.history(called.conversation)

        def essence(item, differing):
            return {key: value for key, value in item.items() if key not in differing}

        first, second = history
        differing = {"id", "seq", "number", "ts", "client_id"}
        assert essence(first, differing) == essence(second, differing)
        first, second = (push["d"] for push in bob.of_kind("message.sent"))
        assert essence(first, differing) == essence(second, differing)


async def test_SEC_09_a_host_cannot_store_what_no_client_could_send():
    async with memory_engine() as engine:
        ann = engine.as_user("ann")
        with pytest.raises(Rejected, match="BAD_FRAME"):
            await ann.create_group("nul\x00", ["bob"])
