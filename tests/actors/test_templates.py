"""Templates through an engine: listed as the product has them, sent like any message."""

from __future__ import annotations

from palaver.engine.testing import Device, memory_engine
from palaver.protocol.features.templates import ListTemplates, SendTemplate
from palaver.tests.support.engines import group, refused

POLICY = {"templates": {"free": "Is {place} free?", "hello": "Hello!"}, "max_chars": 20}


async def test_MSG_30_FUT_12_templates_are_listed_and_sent_with_their_gaps_filled():
    async with memory_engine(policy=POLICY) as engine:
        room = await group(engine, "ann", "bob")
        ann, bob = engine.as_user("ann"), Device(engine, "bob")
        assert (await ann.do(ListTemplates()))["templates"] == [
            {"name": "free", "text": "Is {place} free?", "variables": ["place"]},
            {"name": "hello", "text": "Hello!", "variables": []},
        ]
        answers = [
            await ann.do(
                SendTemplate(
                    template="free", variables={"place": "it"}, client_id="k", attempt=attempt
                ),
                room,
            )
            for attempt in (1, 2)
        ]
        assert answers[0] == answers[1]
        assert bob.texts() == ["Is it free?"]


async def test_MSG_30_what_would_be_no_message_is_refused_as_one():
    async with memory_engine(policy=POLICY) as engine:
        room = await group(engine, "ann", "bob")
        command = SendTemplate(template="free", variables={"place": "x" * 20})
        for user, where, code in (
            ("ann", room, "MESSAGE_TOO_LONG"),
            ("eve", room, "PERMISSION_DENIED"),
            ("ann", None, "VALIDATION_FAILED"),
        ):
            assert (await refused(engine.as_user(user).do(command, where))).code == code
