"""Messages with what they show: stored whole or not at all, and found again."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from palaver.protocol.features.messages import SendMessage
from palaver.protocol.media import shown
from palaver.protocol.message import Message
from palaver.protocol.records import Committed, Messages, Refused
from palaver.tests.persistence.contract.chat import Chat, new_id, nobody
from palaver.tests.persistence.contract.twins import POISON, Twin

PHOTO = {"type": "image", "url": "https://example.org/a.jpg", "width": 640, "height": 480}
SOUND = {"duration_s": 2.5, "width": "our own"}
"""Metadata of a message of type voice, with a field that is no width of ours."""
ALL = [(1, 2**62)]


async def media(twin: Twin, chat: Chat, user: str = "ann", **query: Any) -> Messages:
    query = {"spans": ALL, "limit": 100, **query}
    return await twin.store.conversations.media(chat.id, user, **query)


def ids(messages: list[Message]) -> list[str]:
    return [message.id for message in messages]


async def test_SEND_10_a_message_and_its_attachments_are_stored_whole_or_not_at_all(twin: Twin):
    await twin.refuse()
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    poisoned = [PHOTO, {**PHOTO, "name": POISON}]
    with twin.one_batch():
        before = chat.send("ann", "before", attachments=[PHOTO])
        refused = chat.send("ann", "refused", attachments=poisoned)
        after = chat.send("ann", "after", attachments=[PHOTO, PHOTO])
    assert isinstance(await refused.outcome(), Refused)
    assert await before.outcome() == await after.outcome() == Committed()
    log = (await twin.store.conversations.events(chat.id, 1, 9)).events
    assert [event.kind for event in log] == ["message.sent", "void", "message.sent"]
    page = await twin.store.conversations.page(chat.id, spans=ALL, limit=9)
    assert [message.text for message in page.messages] == ["before", "after"]
    assert ids((await media(twin, chat)).messages) == ids(page.messages)


async def test_SEND_10_a_replay_stores_them_once(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    ticket = chat.send("ann", "look", attachments=[PHOTO], client_id="k")
    await ticket.outcome()
    assert await chat.append(replace(ticket.write, done=nobody)).outcome() == Committed()
    chat.send("ann", "again", attachments=[PHOTO], client_id="k")
    await chat.settle()
    assert [message.text for message in (await media(twin, chat)).messages] == ["look"]


async def test_ATT_27_attachments_are_read_back(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    whole = {**PHOTO, "thumbnail_url": "/t", "name": "a.jpg", "mime": "image/jpeg", "size": 2**23}
    attachments = [whole, {"type": "voice", "url": "/v", "duration_s": 1.5, "waveform": [0, 9]}]
    await chat.send("ann", "", attachments=attachments).outcome()
    await twin.restart()
    (message,) = (await media(twin, chat)).messages
    assert message.wire()["attachments"] == attachments
    event = (await twin.store.conversations.events(chat.id, 1, 9)).events[0]
    assert event.data == chat.log[1].data


async def gallery(twin: Twin) -> Chat:
    """60 messages: of each six one with attachments and one of a voice; every fifth deleted, every
    fourth edited."""
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    for number in range(60):
        more: dict[str, Any] = {}
        if number % 6 == 0:
            more = {"attachments": [PHOTO, PHOTO][: 1 + number % 4]}
        elif number % 6 == 1:
            more = {"type": "voice", "metadata": SOUND}
        chat.send("ann", f"text {number}", **more)
        if number % 4 == 0:
            chat.edit(chat.sent[number], f"edited {number}")
        if number % 5 == 0:
            chat.delete(chat.sent[number])
    await chat.settle()
    return chat


@pytest.mark.parametrize("spans", [ALL, [(1, 20)], [(5, 17), (30, 61)], []])
async def test_GRP_12_pages_are_what_counting_by_hand_gives(twin: Twin, spans):
    chat = await gallery(twin)
    other = await Chat(twin.store, ["ann", "bob"]).create()
    await other.send("ann", "elsewhere", attachments=[PHOTO]).outcome()
    for before, limit in itertools.product((None, 1, 30, 31, 999), (1, 3, 100)):
        expected = [
            message
            for message in chat.sent
            if shown(message.sent)
            and not message.deleted
            and any(first <= message.seq <= last for first, last in spans)
            and (before is None or message.seq < before)
        ]
        page = await media(twin, chat, spans=spans, before=before, limit=limit)
        assert ids(page.messages) == ids(expected[-limit:])
        assert [m.current_text for m in page.messages] == [
            m.current_text for m in expected[-limit:]
        ]
        assert (page.more, page.as_of) == (len(expected) > limit, chat.state.seq)


async def test_GRP_12_what_is_meant_for_others_is_not_among_them(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob", "cy"]).create()
    write = chat.write("ann", SendMessage.model_validate({"text": "x", "attachments": [PHOTO]}))
    write.events[0].audience = ("ann", "cy")
    await chat.append(write).outcome()
    found = {user: len((await media(twin, chat, user)).messages) for user in chat.users}
    assert found == {"ann": 1, "bob": 0, "cy": 1}


async def test_GRP_12_where_there_are_none(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "x").outcome()
    assert await media(twin, chat) == Messages([], 2)
    chat.state.id = new_id()
    assert await media(twin, chat) == Messages([], 0)
