"""Reading a conversation: events in order, pages of messages, never what was deleted."""

import itertools
import random

import pytest

from palaver.protocol.features.edits import MessageEdited
from palaver.protocol.features.messages import MessageSent, SendMessage
from palaver.protocol.message import Message
from palaver.protocol.records import Messages, PositionAt
from palaver.tests.persistence.contract.chat import Chat, new_id
from palaver.tests.persistence.contract.twins import Twin


async def talk(twin: Twin) -> Chat:
    """40 messages, every third edited, every fifth deleted."""
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    for number in range(40):
        chat.send("ann" if number % 2 else "bob", f"text {number}", metadata={"n": number})
        if number % 3 == 0:
            chat.edit(chat.sent[number], f"edited {number}")
        if number % 5 == 0:
            chat.delete(chat.sent[number])
        if number % 4 == 0:
            chat.now += 1000
    await chat.settle()
    return chat


def texts(messages: Messages) -> list[str | None]:
    return [message.current_text for message in messages.messages]


async def test_HIST_07_events_come_in_order_by_pages(twin: Twin):
    chat = await talk(twin)
    seqs: list[int] = []
    while True:
        page = await twin.store.conversations.events(chat.id, seqs[-1] if seqs else 0, 7)
        assert page.as_of == chat.state.seq
        if not page.events:
            break
        assert len(page.events) <= 7
        seqs += [event.seq for event in page.events]
    assert seqs == list(range(1, chat.state.seq + 1))


async def test_of_an_unknown_conversation_there_is_nothing(twin: Twin):
    store, id = twin.store.conversations, new_id()
    assert await store.events(id, 0, 10) == (await store.events(id, 5, 10))
    assert (await store.events(id, 0, 10)).as_of == 0
    assert await store.messages(id, [new_id()]) == Messages([], 0)
    assert await store.page(id, spans=[(1, 9)], limit=5) == Messages([], 0)
    assert (await store.position(id, 3)).as_of == 0


async def test_MSG_08_deleted_messages_and_their_edits_come_without_content(twin: Twin):
    chat = await talk(twin)
    deleted = {message.id for message in chat.sent if message.deleted}
    edits_of_deleted = 0
    for event in (await twin.store.conversations.events(chat.id, 0, 1000)).events:
        match event.data:
            case MessageSent():
                gone = event.id in deleted
            case MessageEdited():
                gone = event.data.message_id in deleted
                edits_of_deleted += gone
            case _:
                assert not event.redacted
                continue
        assert event.redacted == gone
        if gone:
            assert event.data.text == ""
            assert "text" not in event.item()["d"]
            assert "metadata" not in event.data.fields()
        else:
            assert event.data.text
    assert edits_of_deleted > 0
    page = await twin.store.conversations.page(chat.id, spans=[(1, 999)], limit=100)
    for message in page.messages:
        assert message.deleted == (message.id in deleted)
        if message.deleted:
            assert (message.text, message.overlay.text, message.sent) == (None, None, {})
    found = await twin.store.conversations.find(chat.id, "nobody", "none")
    assert found is None


async def test_messages_are_found_by_id_as_they_are_now(twin: Twin):
    chat = await talk(twin)
    other = await Chat(twin.store, ["ann", "bob"]).create()
    await other.send("ann", "elsewhere").outcome()
    wanted = [chat.sent[5], chat.sent[2], chat.sent[10], chat.sent[39]]
    ids = [message.id for message in wanted]
    ids += [other.sent[0].id, new_id(), chat.log[0].id, ids[0]]
    found = await twin.store.conversations.messages(chat.id, ids)
    assert [message.seq for message in found.messages] == sorted(m.seq for m in wanted)
    for message in found.messages:
        mine = next(each for each in wanted if each.id == message.id)
        assert message.overlay == mine.overlay
        assert message.current_text == mine.current_text
        assert message.deleted == mine.deleted


async def test_a_reply_knows_what_it_answers(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "question").outcome()
    await chat.send("bob", "answer", reply_to=chat.sent[0].id).outcome()
    found = await twin.store.conversations.page(chat.id, spans=[(1, 9)], limit=9)
    assert [message.quotes for message in found.messages] == [None, chat.sent[0].id]


SPANS = [
    [(1, 999)],
    [(1, 20)],
    [(5, 17), (30, 41), (60, 2**62)],
    [(30, 41), (5, 17)],
    [],
    [(1000, 2000)],
]


@pytest.mark.parametrize("spans", SPANS)
async def test_HIST_01_pages_are_what_counting_by_hand_gives(twin: Twin, spans):
    chat = await talk(twin)

    def visible(message: Message) -> bool:
        return any(first <= message.seq <= last for first, last in spans)

    times = [None, chat.sent[0].at, chat.sent[9].at, chat.sent[20].at + 1, 1, 10**13]
    cursors = [{"before_time": time} for time in times]
    cursors += [{"before": seq} for seq in (1, 2, 18, 45, 999)]
    cursors += [{"after": seq} for seq in (0, 7, 40, 999)]
    for cursor, limit, deleted in itertools.product(cursors, (1, 4, 100), (True, False)):
        expected = [m for m in chat.sent if visible(m) and (deleted or not m.deleted)]
        if (before := cursor.get("before")) is not None:
            expected = [m for m in expected if m.seq < before]
        if (time := cursor.get("before_time")) is not None:
            expected = [m for m in expected if m.at < time]
        if (after := cursor.get("after")) is not None:
            expected = [m for m in expected if m.seq > after]
        page = await twin.store.conversations.page(
            chat.id, spans=spans, limit=limit, deleted=deleted, **cursor
        )
        chosen = expected[:limit] if "after" in cursor else expected[-limit:]
        assert [m.id for m in page.messages] == [m.id for m in chosen], cursor
        assert texts(page) == [m.current_text for m in chosen]
        assert page.more == (len(expected) > limit)
        assert page.as_of == chat.state.seq


async def test_HIST_01_walking_back_meets_every_message_once(twin: Twin):
    chat = await talk(twin)
    seen: list[Message] = []
    before = None
    while True:
        page = await twin.store.conversations.page(
            chat.id, spans=[(1, 2**62)], limit=7, before=before
        )
        seen = page.messages + seen
        if not page.more:
            break
        before = page.messages[0].seq
    assert [message.id for message in seen] == [message.id for message in chat.sent]


async def test_HIST_02_numbered_pages_are_what_counting_by_hand_gives(twin: Twin):
    chat = await talk(twin)
    ends: list[dict[str, int]] = [{}, {"before": 45}, {"before_time": chat.sent[20].at}]
    for spans, end, deleted, newest in itertools.product(
        (SPANS[0], sorted(SPANS[2]), []), ends, (True, False), (True, False)
    ):
        expected = [
            message
            for message in chat.sent
            if any(first <= message.seq <= last for first, last in spans)
            and (deleted or not message.deleted)
            and message.seq < end.get("before", 999)
            and message.at < end.get("before_time", 10**13)
        ]
        for offset, limit in ((0, 7), (7, 100), (999, 5)):
            page = await twin.store.conversations.numbered_page(
                chat.id,
                "ann",
                spans=spans,
                offset=offset,
                limit=limit,
                newest_first=newest,
                deleted=deleted,
                **end,
            )
            ordered = expected[::-1] if newest else expected
            chosen = sorted(m.seq for m in ordered[offset : offset + limit])
            assert [message.seq for message in page.messages] == chosen
            assert (page.total, page.as_of) == (len(expected), chat.state.seq)


async def test_HIST_02_what_is_meant_for_others_is_not_counted(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob", "cy"]).create()
    write = chat.write("ann", SendMessage(text="between us"))
    write.events[0].audience = ("ann", "cy")
    await chat.append(write).outcome()
    await chat.send("ann", "to all").outcome()
    totals = {}
    for user in chat.users:
        page = await twin.store.conversations.numbered_page(
            chat.id, user, spans=[(1, 99)], offset=0, limit=9, newest_first=True
        )
        totals[user] = page.total, len(page.messages)
    assert totals == {"ann": (2, 2), "bob": (1, 1), "cy": (2, 2)}


async def test_void_events_are_no_messages(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    chat.send("ann", "one", client_id="k")
    chat.send("ann", "two", client_id="k")
    await chat.settle()
    page = await twin.store.conversations.page(chat.id, spans=[(1, 9)], limit=9)
    assert texts(page) == ["one"]
    assert page.as_of == 3
    void = chat.log[-1].id
    assert (await twin.store.conversations.messages(chat.id, [void])).messages == []


async def test_positions_are_what_counting_by_hand_gives(twin: Twin):
    chat = await talk(twin)
    for seq in random.Random(1).sample(range(chat.state.seq + 5), 20):
        expected = PositionAt(chat.position(seq), chat.state.seq)
        assert await twin.store.conversations.position(chat.id, seq) == expected


async def test_an_audience_comes_back(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob", "cy"]).create()
    write = chat.write("ann", SendMessage(text="between us"))
    write.events[0].audience = ("ann", "cy")
    await chat.append(write).outcome()
    event = (await twin.store.conversations.events(chat.id, 1, 5)).events[0]
    assert event.audience == ("ann", "cy")
