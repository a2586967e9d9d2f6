"""Who may refer to what, with actors, devices and a host to ask (CONV-24, CONV-25)."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from palaver.engine import Engine
from palaver.engine.host import Thing
from palaver.engine.testing import Device, memory_engine
from palaver.protocol.errors import ERRORS
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.forwards import ForwardMessage
from palaver.protocol.features.inbox import ListConversations
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.schedule import ListScheduled, ScheduleMessage
from palaver.tests.support.engines import refused, settled
from palaver.tests.support.hosts import SECRET as HOST_SECRET
from palaver.tests.support.hosts import Bookings, Directory, bookings_by_http, shared, web

POLICY: dict[str, Any] = {
    "kinds": ("direct", "thread"),
    "direct_key": "pair_context",
    "conversation_context": ("booking",),
    "message_context": ("booking", "property"),
    "max_chars": 20,
}
LESSON, FOREIGN, NONE = ({"booking": id} for id in ("100", "200", "300"))


def bookings() -> Bookings:
    return Bookings(
        {
            ("booking", "100"): shared("ann", "tom", "bea"),
            ("booking", "200"): shared("bea", "tom"),
            ("property", "p9"): Thing(owner="tom"),
        }
    )


# Everything by which a reference can be given, by ann, where tom is the other one.
WAYS: list[tuple[str, dict[str, Any], bool]] = [
    ("conversation.create", {"kind": "direct", "members": ["tom"]}, False),
    ("conversation.create", {"kind": "thread", "members": ["tom", "bea"]}, False),
    ("message.send", {"to": "tom", "text": "hi"}, False),
    ("message.send", {"text": "hi"}, True),
    ("message.schedule", {"id": "k", "message": {"text": "hi"}}, True),
]


def given(kind: str, payload: dict[str, Any], context: dict[str, str], now: int) -> dict[str, Any]:
    if kind == "message.schedule":
        message = {**payload["message"], "context": context}
        return {**payload, "send_at": now + 5000, "message": message}
    return {**payload, "context": context}


@pytest.mark.parametrize("context", [FOREIGN, NONE])
@pytest.mark.parametrize(("kind", "payload", "in_room"), WAYS)
async def test_CONV_24_a_foreign_booking_is_forbidden(
    kind: str, payload: dict[str, Any], in_room: bool, context: dict[str, str]
):
    async with memory_engine(contexts=bookings(), policy=POLICY) as engine:
        ann, tom = Device(engine, "ann"), Device(engine, "tom")
        room = await engine.as_user("ann").create_direct("tom")
        c = room if in_room else None
        before = tom.events()
        error = (await ann.ask(kind, given(kind, payload, context, engine.now()), c=c))["error"]
        assert (error["code"], ERRORS[error["code"]].http) == ("CONTEXT_FORBIDDEN", 403)
        assert (error["details"], error["retryable"]) == ({"context": context}, False)
        assert tom.events() == before, "nothing came of it"
        reply = await ann.ask(kind, given(kind, payload, LESSON, engine.now()), c=c)
        assert "ok" in reply, reply


@pytest.mark.parametrize("context", [FOREIGN, LESSON])
async def test_CONV_24_so_it_is_by_the_embedding_api(context: dict[str, str]):
    async with memory_engine(contexts=bookings(), policy=POLICY) as engine:
        ann = engine.as_user("ann")
        for command in (
            SendMessage(to="tom", text="hi", context=context),
            CreateConversation(kind="thread", members=["tom"], context=context),
        ):
            if context is LESSON:
                await ann.do(command)
            else:
                assert (await refused(ann.do(command))).code == "CONTEXT_FORBIDDEN"


async def test_CONV_24_everybody_in_the_conversation_must_have_a_part_in_it():
    async with memory_engine(contexts=bookings(), policy={**POLICY, "kinds": ("group",)}) as engine:
        bea = engine.as_user("bea")
        room = await bea.create_group("Lessons", ["tom"])
        await bea.do(SendMessage(text="ours", context=FOREIGN), room)
        await bea.add_members(room, ["ann"])
        no = await refused(bea.do(SendMessage(text="ours", context=FOREIGN), room))
        assert no.code == "CONTEXT_FORBIDDEN"
        await bea.remove_member(room, "ann")
        await bea.do(SendMessage(text="ours again", context=FOREIGN), room)


async def test_CONV_24_what_a_message_takes_over_and_what_is_forwarded_gives_no_reference():
    hosts = bookings()
    async with memory_engine(contexts=hosts, policy=POLICY) as engine:
        ann = engine.as_user("ann")
        sent = await ann.ask(SendMessage(to="tom", text="hi", context=LESSON), None)
        other = await ann.create_direct("zed")
        hosts.asked.clear()
        engine.context_changed()
        await ann.send(sent.conversation, "about it, too")
        await ann.do(ForwardMessage(message_id=sent.id, to=other), sent.conversation)
        assert hosts.asked == []
        (copy,) = await ann.history(other)
        assert "context" not in copy


async def test_CONV_24_a_booking_is_looked_at_again_when_a_message_is_sent():
    hosts = bookings()
    async with memory_engine(contexts=hosts, policy=POLICY) as engine:
        ann, tom = engine.as_user("ann"), Device(engine, "tom")
        room = await ann.create_direct("tom")
        at, message = engine.now() + 5000, {"text": "later", "context": LESSON}
        await ann.do(ScheduleMessage(id="k", send_at=at, message=message), room)
        hosts.things["booking", "100"] = shared("bea", "tom")
        engine.context_changed(LESSON)
        await trio.sleep(10)
        assert tom.texts() == []
        (failed,) = (await ann.do(ListScheduled(status="failed")))["scheduled"]
        assert failed["error"] == "CONTEXT_FORBIDDEN"


async def test_CONV_24_a_change_is_known_within_a_second_if_it_is_told():
    hosts = bookings()
    async with memory_engine(contexts=hosts, policy=POLICY) as engine:
        ann = engine.as_user("ann")
        await ann.do(SendMessage(to="tom", text="hi", context=LESSON))
        del hosts.things["booking", "100"]
        await ann.do(SendMessage(to="tom", text="remembered", context=LESSON))
        engine.context_changed(LESSON)
        no = await refused(ann.do(SendMessage(to="tom", text="hi", context=LESSON)))
        assert no.code == "CONTEXT_FORBIDDEN"


async def test_SEND_22_the_host_is_asked_about_things_last():
    hosts, users = bookings(), Directory("ann", "tom")
    async with memory_engine(contexts=hosts, users=users, policy=POLICY) as engine:
        room = await engine.as_user("ann").create_direct("tom")
        for user, payload, c, code in (
            ("eve", {"text": "hi"}, room, "PERMISSION_DENIED"),
            ("ann", {"text": "x" * 21}, room, "MESSAGE_TOO_LONG"),
            ("ann", {"to": "tom", "text": ""}, None, "VALIDATION_FAILED"),
            ("ann", {"to": "zed", "text": "hi"}, None, "USER_NOT_FOUND"),
            ("ann", {"to": "ann", "text": "hi"}, None, "SELF_MESSAGE"),
        ):
            reply = await Device(engine, user).ask(
                "message.send", {**payload, "context": FOREIGN}, c=c
            )
            assert reply["error"]["code"] == code
        assert hosts.asked == []
        reply = await Device(engine, "ann").ask(
            "message.send", {"to": "tom", "text": "hi", "context": FOREIGN}
        )
        assert reply["error"]["code"] == "CONTEXT_FORBIDDEN"


async def test_SEND_06_a_repetition_gets_the_first_answer_whoever_has_a_part_in_it_now():
    hosts = bookings()
    async with memory_engine(contexts=hosts, policy=POLICY) as engine:
        ann = engine.as_user("ann")
        command = SendMessage(to="tom", text="hi", context=LESSON, client_id="k")
        sent = await ann.ask(command, None)
        hosts.things.clear()
        engine.context_changed()
        assert await ann.ask(command, None) == sent
        opened = CreateConversation(kind="direct", members=["tom"], context=LESSON)
        assert (await ann.do(opened))["c"] == sent.conversation, "it is there already"


async def test_a_slow_host_delays_only_the_sender_concerned():
    """semantics §5: slow checks run outside of the actor, in order per sender and conversation."""
    hosts = bookings()
    async with memory_engine(contexts=hosts, policy=POLICY, host={"timeout_s": 3}) as engine:
        room = await engine.as_user("ann").create_direct("tom")
        hosts.delay_s, began = 2.0, trio.current_time()
        ann, tom = Device(engine, "ann"), Device(engine, "tom")
        ann.submit("message.send", {"text": "about it", "context": LESSON}, c=room, id=1)
        ann.submit("message.send", {"text": "behind it"}, c=room, id=2)
        await tom.ask("message.send", {"text": "at once"}, c=room)
        await settled()
        assert trio.current_time() == began
        assert ann.texts() == tom.texts() == ["at once"]
        await trio.sleep(2)
        await settled()
        assert tom.texts() == ["at once", "about it", "behind it"]


async def test_no_message_without_a_reference_costs_a_question():
    hosts = bookings()
    async with memory_engine(contexts=hosts, policy=POLICY) as engine:
        ann = engine.as_user("ann")
        room = await ann.create_direct("tom")
        for n in range(50):
            await ann.send(room, f"{n}")
        await ann.do(SendMessage(text="{}", context={}), room)
        assert hosts.asked == hosts.asked_related == []


@pytest.mark.parametrize("when_away", ["refuse", "allow"])
async def test_CONV_24_while_the_host_is_away_the_settings_say_what_holds(when_away: str):
    hosts = bookings()
    hosts.broken = True
    away = {"when_away": when_away}
    async with memory_engine(contexts=hosts, policy=POLICY, host=away) as engine:
        message = {"to": "tom", "text": "hi", "context": LESSON}
        reply = await Device(engine, "ann").ask("message.send", message)
        if when_away == "allow":
            assert "ok" in reply
        else:
            assert (reply["error"]["code"], reply["error"]["retryable"]) == ("UNAVAILABLE", True)


async def test_the_host_itself_is_not_asked_whether_it_is_right():
    hosts = bookings()
    async with memory_engine(contexts=hosts, policy=POLICY) as engine:
        command = CreateConversation(kind="thread", members=["ann", "zed"], context=FOREIGN)
        await engine.as_host().do(command)
        assert hosts.asked == []


async def test_CONV_24_without_a_port_anybody_may_refer_to_anything():
    async with memory_engine(policy=POLICY) as engine:
        await engine.as_user("ann").do(SendMessage(to="tom", text="hi", context=NONE))
        engine.context_changed()


async def test_CONV_25_the_recipient_is_the_owner_whomever_the_payload_names():
    """A chat has two sides, the guest's and the owner's; about a property one writes to nobody
    else."""
    houses = Bookings({("property", "p9"): Thing(owner="owner")})
    async with memory_engine(profile="stayeasy", contexts=houses) as engine:
        guest, other = Device(engine, "guest"), Device(engine, "other")
        about: dict[str, Any] = {"text": "Is it free?", "context": {"property": "p9"}}
        reply = await guest.ask("message.send", {**about, "to": "other"})
        assert reply["error"]["code"] == "CONTEXT_FORBIDDEN"
        sent = (await guest.ask("message.send", {**about, "to": "owner"}))["ok"]
        for name in ("to", "recipient", "recipient_id"):
            forged = {**about, name: "other"}
            reply = await guest.ask("message.send", forged, c=sent["c"])
            assert reply["error"]["code"] == "VALIDATION_FAILED"
        await guest.ask("message.send", about, c=sent["c"])
        assert (other.events(), len(guest.texts())) == ([], 2)
        for user, others in (("guest", "owner"), ("owner", "guest")):
            (row,) = (await engine.as_user(user).do(ListConversations()))["conversations"]
            assert others in row["members"]
        await engine.as_user("owner").do(SendMessage(to="guest", **about))


async def test_CONV_24_a_story_with_a_host_behind_http():
    hosts = bookings()

    async def talk(engine: Engine) -> None:
        ann = Device(engine, "ann")
        for context, expected in ((LESSON, "ok"), (FOREIGN, "error"), (LESSON, "ok")):
            message = {"to": "tom", "text": "hi", "context": context}
            assert expected in await ann.ask("message.send", message)
        assert len(hosts.asked) == 2

    async with web(bookings_by_http(hosts)) as url:
        host = {"contexts": "callback", "url": url, "secret": HOST_SECRET}
        async with memory_engine(policy=POLICY, host=host) as engine:
            await talk(engine)
