"""Texts that are stored as something else until two users have to do with one another (C-46)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.testing import Device, memory_engine
from palaver.persistence.memory.store import MemoryStore
from palaver.protocol.features.edits import MessageVersions
from palaver.protocol.features.forwards import ForwardMessage
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.schedule import ScheduleMessage
from palaver.tests.support.engines import settled
from palaver.tests.support.hosts import Bookings

NUMBER = "call 555-1234"
MASKED = "call ***-****"


class Numbers:
    def mask(self, text: str) -> str:
        return re.sub(r"\d{3}-\d{4}", "***-****", text)


class Links:
    def mask(self, text: str) -> str:
        return re.sub(r"https?://\S+", "[link]", text)


@asynccontextmanager
async def masking(hosts: Bookings | None, **more: Any) -> AsyncIterator[Engine]:
    ports: dict[str, Any] = {} if hosts is None else {"contexts": hosts}
    async with memory_engine(masks=[Numbers(), Links()], **ports, **more) as engine:
        yield engine


def book(engine: Engine, hosts: Bookings, *pair: str) -> None:
    hosts.related_pairs = {(pair[0], pair[1])} if pair else set()
    engine.context_changed(users=["ann", "tom"])


async def test_C_46_texts_are_masked_until_there_is_an_active_booking():
    hosts = Bookings()
    async with masking(hosts) as engine:
        ann, tom = engine.as_user("ann"), Device(engine, "tom")
        sent = await ann.send_to("tom", NUMBER)
        assert tom.texts() == [MASKED]
        book(engine, hosts, "tom", "ann")
        await ann.send(sent.conversation, NUMBER)
        await engine.as_user("tom").send(sent.conversation, NUMBER)
        book(engine, hosts)
        await ann.send_to("tom", NUMBER)
        assert tom.texts() == [MASKED, NUMBER, NUMBER, MASKED]


async def test_C_46_what_is_masked_is_stored_so():
    store = MemoryStore()
    async with masking(Bookings(), store=store, policy={"expose_edit_history": True}) as engine:
        ann = engine.as_user("ann")
        sent = await ann.send_to("tom", NUMBER)
        await ann.edit(sent.conversation, sent.id, f"or {NUMBER}")
        versions = await ann.do(MessageVersions(message_id=sent.id), sent.conversation)
        assert [each["text"] for each in versions["versions"]] == [MASKED, f"or {MASKED}"]
        (row,) = (await ann.inbox())["conversations"]
        assert row["last"]["text"] == f"or {MASKED}"
    async with masking(Bookings(), store=store.restarted()) as engine:
        (message,) = await engine.as_user("tom").history(sent.conversation)
        assert message["text"] == f"or {MASKED}"


async def test_C_46_edits_are_masked_too():
    hosts = Bookings()
    async with masking(hosts) as engine:
        ann, tom = engine.as_user("ann"), Device(engine, "tom")
        sent = await ann.send_to("tom", "hello")
        await ann.edit(sent.conversation, sent.id, NUMBER)
        book(engine, hosts, "ann", "tom")
        await ann.edit(sent.conversation, sent.id, NUMBER)
        assert [item["d"]["text"] for item in tom.of_kind("message.edited")] == [MASKED, NUMBER]


async def test_C_46_scheduled_and_forwarded_messages_are_masked_when_they_arrive():
    hosts = Bookings({}, ("ann", "bea"))
    async with masking(hosts) as engine:
        ann, tom = engine.as_user("ann"), Device(engine, "tom")
        room = await ann.create_direct("tom")
        open = await ann.send_to("bea", NUMBER)
        assert (await ann.history(open.conversation))[0]["text"] == NUMBER
        await ann.do(ForwardMessage(message_id=open.id, to=room), open.conversation)
        assert tom.texts() == [MASKED]
        for seconds in (10, 20):
            at = engine.now() + seconds * 1000
            later = ScheduleMessage(id=f"{seconds}", send_at=at, message={"text": NUMBER})
            await ann.do(later, room)
        await trio.sleep(15)
        book(engine, hosts, "ann", "tom")
        await trio.sleep(10)
        assert tom.texts() == [MASKED, MASKED, NUMBER]


async def test_C_46_the_entities_are_those_of_what_is_stored():
    async with masking(Bookings()) as engine:
        ann = engine.as_user("ann")
        sent = await ann.send_to("tom", "see https://example.org/me or 555-1234")
        (message,) = await ann.history(sent.conversation)
        assert message["text"] == "see [link] or ***-****"
        assert "entities" not in message


async def test_C_46_nobody_is_asked_about_a_text_that_has_nothing_to_mask():
    hosts = Bookings()
    async with masking(hosts) as engine:
        ann = engine.as_user("ann")
        sent = await ann.send_to("tom", "hello")
        for n in range(20):
            await ann.send(sent.conversation, f"{n}")
        assert hosts.asked_related == []
        await ann.send(sent.conversation, NUMBER)
        await ann.send(sent.conversation, NUMBER)
        assert hosts.asked_related == [[("ann", "tom")]]


async def test_C_46_with_several_others_all_of_them_must_be_related():
    hosts = Bookings({}, ("ann", "tom"))
    async with masking(hosts) as engine:
        ann = engine.as_user("ann")
        room = await ann.create_group("Chess", ["tom", "bea"])
        await ann.send(room, NUMBER)
        hosts.related_pairs.add(("bea", "ann"))
        engine.context_changed()
        await ann.send(room, NUMBER)
        assert [each["text"] for each in await ann.history(room)] == [MASKED, NUMBER]


@pytest.mark.parametrize("when_away", ["refuse", "allow"])
async def test_C_46_while_nobody_can_say_so_nobody_is_related(when_away: str):
    hosts = Bookings({}, ("ann", "tom"))
    hosts.broken = True
    async with masking(hosts, host={"when_away": when_away}) as engine:
        ann = engine.as_user("ann")
        sent = await ann.send_to("tom", NUMBER)
        assert (await ann.history(sent.conversation))[0]["text"] == MASKED
    async with masking(None) as engine:
        ann = engine.as_user("ann")
        sent = await ann.send_to("tom", NUMBER)
        assert (await ann.history(sent.conversation))[0]["text"] == MASKED


async def test_C_46_by_what_tokens_say():
    async with masking(None, host={"contexts": "claims"}) as engine:
        ann, tom = engine.as_user("ann"), Device(engine, "tom")
        sent = await ann.send_to("tom", NUMBER)
        engine.introduce("tom", {"related": ["ann"]})
        await ann.send(sent.conversation, NUMBER)
        assert tom.texts() == [MASKED, NUMBER]


async def test_C_46_a_slow_host_delays_only_the_sender_concerned():
    hosts = Bookings({}, ("ann", "tom"))
    async with masking(hosts, host={"timeout_s": 3}) as engine:
        room = await engine.as_user("ann").create_direct("tom")
        ann, tom = Device(engine, "ann"), Device(engine, "tom")
        hosts.delay_s = 2.0
        ann.submit("message.send", {"text": NUMBER}, c=room, id=1)
        ann.submit("message.send", {"text": "behind"}, c=room, id=2)
        await tom.ask("message.send", {"text": "at once"}, c=room)
        await settled()
        assert tom.texts() == ["at once"]
        await trio.sleep(2)
        await settled()
        assert tom.texts() == ["at once", NUMBER, "behind"]


async def test_SEND_22_masking_comes_after_all_other_checks():
    hosts = Bookings()
    async with masking(hosts, policy={"max_chars": 20}) as engine:
        room = await engine.as_user("ann").create_direct("tom")
        for user, text, code in (
            ("eve", NUMBER, "PERMISSION_DENIED"),
            ("ann", f"{NUMBER} {NUMBER}", "MESSAGE_TOO_LONG"),
        ):
            reply = await Device(engine, user).ask("message.send", {"text": text}, c=room)
            assert reply["error"]["code"] == code
        assert hosts.asked_related == []


async def test_C_46_what_the_system_says_is_not_masked_and_a_repetition_is_not_asked_about():
    hosts = Bookings()
    async with masking(hosts) as engine:
        ann = engine.as_user("ann")
        command = SendMessage(to="tom", text=NUMBER, client_id="k")
        sent = await ann.ask(command, None)
        hosts.asked_related.clear()
        engine.context_changed()
        assert await ann.ask(command, None) == sent
        await engine.post(sent.conversation, NUMBER)
        assert [each["text"] for each in await ann.history(sent.conversation)] == [MASKED, NUMBER]
        assert hosts.asked_related == []


async def test_the_guards_see_a_message_once_and_what_they_make_of_it_is_masked():
    seen = []

    class Shout:
        def check(self, command: Any, context: Any, state: Any) -> Any:
            if not isinstance(command, SendMessage):
                return command
            seen.append(command.text)
            return command.model_copy(update={"text": command.text.upper()})

    async with masking(Bookings(), guards=[Shout()]) as engine:
        ann = engine.as_user("ann")
        sent = await ann.send_to("tom", NUMBER)
        assert seen == [NUMBER]
        assert (await ann.history(sent.conversation))[0]["text"] == MASKED.upper()
