"""Reading a conversation: events in order, pages of messages, never what was deleted."""

import itertools
import random
from typing import Any

import pytest

from palaver.protocol.commands import MoveMark, Position
from palaver.protocol.features.conversation import RenameConversation
from palaver.protocol.features.deletes import DeleteMessage
from palaver.protocol.features.edits import EditMessage, MessageEdited
from palaver.protocol.features.marks import Acknowledge, ReadMessages
from palaver.protocol.features.members import AddMembers
from palaver.protocol.features.messages import MessageSent, SendMessage
from palaver.protocol.features.reactions import SetReaction
from palaver.protocol.machine import move_ahead, take_ahead
from palaver.protocol.message import Message
from palaver.protocol.records import Messages, PositionAt, Write
from palaver.protocol.state import STATE_VERSION
from palaver.tests.persistence.contract.chat import Chat, new_id, nobody
from palaver.tests.persistence.contract.twins import Twin


async def talk(twin: Twin) -> Chat:
    """40 messages, every third edited, every fifth deleted, every seventh with reactions."""
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    for number in range(40):
        chat.send("ann" if number % 2 else "bob", f"text {number}", metadata={"n": number})
        if number % 3 == 0:
            chat.edit(chat.sent[number], f"edited {number}")
        if number % 7 == 0:
            for user, emoji in (("ann", "👍"), ("bob", "👍"), ("bob", "🔥")):
                chat.do(user, SetReaction(message_id=chat.sent[number].id, emoji=emoji))
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


async def test_a_message_is_found_by_its_id_by_those_who_are_or_were_members(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    chat.send("ann", "hi")
    await chat.settle()
    where = twin.store.conversations.where
    message = chat.sent[0].id
    assert [await where(message, user) for user in ("ann", "bob", "eve")] == [
        chat.id,
        chat.id,
        None,
    ]
    assert await where(new_id(), "ann") is None
    assert await where("no id", "ann") is None


async def test_of_an_unknown_conversation_there_is_nothing(twin: Twin):
    store, id = twin.store.conversations, new_id()
    assert await store.events(id, 0, 10) == (await store.events(id, 5, 10))
    assert (await store.events(id, 0, 10)).as_of == 0
    assert await store.messages(id, [new_id()]) == Messages([], 0)
    assert await store.page(id, spans=[(1, 9)], limit=5) == Messages([], 0)
    assert (await store.position(id, "ann", 3)).as_of == 0


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
                assert "redacted" not in event.item()["d"]
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


async def test_MSG_16_the_reactions_of_a_message_are_kept_with_it(twin: Twin):
    chat = await talk(twin)
    chat.do("ann", SetReaction(message_id=chat.sent[7].id, emoji="👍", on=False))
    await chat.settle()
    await twin.restart()
    wanted = [chat.sent[7], chat.sent[14], chat.sent[8]]
    found = await twin.store.conversations.messages(chat.id, [each.id for each in wanted])
    reactions = {message.seq: message.reactions for message in found.messages}
    assert reactions == {
        chat.sent[7].seq: {"👍": ["bob"], "🔥": ["bob"]},
        chat.sent[8].seq: {},
        chat.sent[14].seq: {"👍": ["ann", "bob"], "🔥": ["bob"]},
    }


async def test_MSG_08_who_deleted_a_message_and_when_is_kept(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    chat.send("bob", "x")
    chat.do("ann", DeleteMessage(message_id=chat.sent[0].id))
    await chat.settle()
    (kept,) = (await twin.store.conversations.messages(chat.id, [chat.sent[0].id])).messages
    assert (kept.overlay.deleted_by, kept.overlay.deleted_at) == ("ann", chat.log[-1].at)
    assert (kept.by, kept.at) == ("bob", chat.sent[0].at)


async def test_MSG_06_the_edits_of_a_message(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    for text in ("one", "two"):
        chat.send("ann", text)
    one, two = chat.sent
    for n in range(5):
        chat.edit(one, f"one {n}")
        chat.edit(two, f"two {n}")
        chat.do("bob", SetReaction(message_id=one.id, emoji="👍", on=n % 2 == 0))
    await chat.settle()
    store = twin.store.conversations
    everything = await store.edits(chat.id, one.id, 10)
    assert everything.as_of == chat.state.seq
    assert everything.events == [
        event
        for event in chat.log
        if isinstance(event.data, MessageEdited) and event.data.message_id == one.id
    ]
    assert (await store.edits(chat.id, one.id, 2)).events == everything.events[-2:]

    chat.delete(one)
    await chat.settle()
    erased = [event.item()["d"] for event in (await store.edits(chat.id, one.id, 10)).events]
    assert len(erased) == 5
    assert all("text" not in payload for payload in erased)
    other = await Chat(twin.store, ["ann"]).create()
    for conversation, message in ((chat.id, new_id()), (other.id, two.id), (new_id(), two.id)):
        assert (await store.edits(conversation, message, 10)).events == []


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
    cursors: list[dict[str, Any]] = [{"before_time": time} for time in times]
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


async def test_GRP_13_AUTO_08_system_messages_stand_among_the_others(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    for number in range(3):
        chat.send("ann", f"{number}")
        chat.edit(chat.sent[number], f"edited {number}")
        chat.do("ann", AddMembers(users=[f"u{number}"]))
        chat.do("ann", RenameConversation(title=f"Room {number}"))
    chat.delete(chat.sent[0])
    await chat.settle()

    async def page(**cursor: Any) -> list[tuple[int, str]]:
        found = await twin.store.conversations.page(chat.id, spans=[(1, 99)], **cursor)
        return [(message.seq, message.kind) for message in found.messages]

    system = ("member.added", "conversation.renamed")
    shown = [(e.seq, e.kind) for e in chat.log if e.kind == "message.sent" or e.kind in system]
    assert await page(limit=99, system=True) == shown
    assert await page(limit=4, system=True) == shown[-4:]
    assert await page(limit=4, system=True, after=0) == shown[:4]
    assert await page(limit=99, system=True, deleted=False) == shown[1:]
    assert await page(limit=99) == [each for each in shown if each[1] == "message.sent"]
    numbered = await twin.store.conversations.numbered_page(
        chat.id, "bob", spans=[(1, 99)], offset=1, limit=4, newest_first=True, system=True
    )
    assert [(message.seq, message.kind) for message in numbered.messages] == shown[-5:-1]
    assert numbered.total == len(shown)
    (added,) = (
        await twin.store.conversations.page(chat.id, spans=[(4, 4)], limit=9, system=True)
    ).messages
    assert added.wire() == {
        "id": chat.log[3].id,
        "seq": 4,
        "ts": chat.log[3].at,
        "kind": "member.added",
        "by": "ann",
        "users": ["u0"],
        "role": "member",
    }


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
    ends: list[dict[str, Any]] = [{}, {"before": 45}, {"before_time": chat.sent[20].at}]
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


async def test_HIST_12_replies_of_a_root_oldest_first(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    chat.send("ann", "root")
    chat.send("ann", "another")
    root, another = chat.sent
    for number in range(12):
        chat.send("bob", f"aside {number}")
        chat.send("ann", f"reply {number}", thread=root.id)
        chat.send("bob", f"elsewhere {number}", thread=another.id)
    replies = [m for m in chat.sent if m.sent.get("thread", {}).get("id") == root.id]
    chat.edit(replies[2], "edited")
    chat.delete(replies[5])
    await chat.settle()
    store = twin.store.conversations
    seqs = [reply.seq for reply in replies]
    afters = (0, seqs[0] - 1, seqs[0], seqs[4], seqs[-1])
    spans: tuple[list[tuple[int, int]], ...] = (
        [(1, 2**62)],
        [(seqs[3], seqs[6]), (seqs[9], 2**62)],
        [],
    )
    for after, span, limit, deleted in itertools.product(afters, spans, (1, 5, 50), (True, False)):
        page = await store.replies(
            chat.id, root.id, spans=span, after=after, limit=limit, deleted=deleted
        )
        expected = [
            reply
            for reply in replies
            if reply.seq > after
            and any(first <= reply.seq <= last for first, last in span)
            and (deleted or not reply.deleted)
        ]
        assert [m.id for m in page.messages] == [m.id for m in expected[:limit]]
        assert texts(page) == [m.current_text for m in expected[:limit]]
        assert page.more == (len(expected) > limit)
        assert page.as_of == chat.state.seq
    overlay = (await store.messages(chat.id, [root.id])).messages[0].overlay.data
    assert overlay["thread"]["count"] == 11


async def test_HIST_12_a_message_without_replies_has_none(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "root").outcome()
    other = await Chat(twin.store, ["ann", "bob"]).create()
    chat.send("bob", "reply", thread=chat.sent[0].id)
    await chat.settle()
    store = twin.store.conversations
    whole: dict[str, Any] = {"spans": [(1, 99)], "after": 0, "limit": 9}
    assert (await store.replies(chat.id, chat.sent[1].id, **whole)).messages == []
    assert (await store.replies(other.id, chat.sent[0].id, **whole)).messages == []
    assert await store.replies(new_id(), new_id(), **whole) == Messages([], 0)


async def test_HIST_12_a_reply_that_was_refused_is_none(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    chat.send("ann", "root")
    chat.send("ann", "one", thread=chat.sent[0].id, client_id="k")
    chat.send("ann", "two", thread=chat.sent[0].id, client_id="k")
    await chat.settle()
    page = await twin.store.conversations.replies(
        chat.id, chat.sent[0].id, spans=[(1, 99)], after=0, limit=9
    )
    assert texts(page) == ["one"]


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
        assert await twin.store.conversations.position(chat.id, "ann", seq) == expected


async def test_an_audience_comes_back(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob", "cy"]).create()
    write = chat.write("ann", SendMessage(text="between us"))
    write.events[0].audience = ("ann", "cy")
    await chat.append(write).outcome()
    event = (await twin.store.conversations.events(chat.id, 1, 5)).events[0]
    assert event.audience == ("ann", "cy")


async def test_MSG_29_whatever_a_message_holds_is_read_back(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    voice = {"duration_s": 2.5, "waveform": [0, 128, 255], "of": {"our": "own"}}
    links = "https://example.org"
    said = SendMessage(text="", type="voice", metadata=voice)
    await chat.do("ann", said).outcome()
    await chat.do("ann", SendMessage(text=links, mentions=["bob"])).outcome()
    page = await twin.store.conversations.page(chat.id, spans=[(1, 9)], limit=9)
    first, second = [message.wire() for message in page.messages]
    assert (first["text"], first["type"], first["metadata"]) == ("", "voice", voice)
    assert second["mentions"] == ["bob"]
    assert second["entities"] == [{"kind": "link", "offset": 0, "length": 19, "url": links}]
    events = (await twin.store.conversations.events(chat.id, 0, 9)).events
    assert [event.data for event in events] == [event.data for event in chat.log]

    await chat.do("ann", EditMessage(message_id=second["id"], text="no more")).outcome()
    page = await twin.store.conversations.page(chat.id, spans=[(1, 9)], limit=9)
    assert not {"mentions", "entities"} & page.messages[1].wire().keys()


async def test_RCPT_10_when_users_had_read_up_to_a_seq(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob", "cid", "dan", "eve"]).create()
    for number in range(10):
        chat.send("ann", f"text {number}")
    times: dict[tuple[str, int], int] = {}

    def read(user: str, seq: int) -> None:
        chat.do(user, ReadMessages(seq=seq))
        times[user, seq] = chat.now

    read("bob", 3)
    read("cid", 5)
    read("bob", 6)
    chat.send("cid", "answer")
    times["cid", 12] = chat.now
    read("bob", 12)
    chat.send("dan", "without having said so")
    times["dan", 13] = chat.now
    chat.send("dan", "again")
    chat.do("eve", Acknowledge(seq=14))
    await chat.settle()
    marks = {user: member.read_seq for user, member in chat.state.members.items()}

    async def read_at(seq: int, *users: str) -> dict[str, int]:
        asked = {user: marks[user] for user in users or marks}
        return await twin.store.conversations.read_at(chat.id, seq, asked)

    for seq, bob, cid in [(2, 3, 5), (3, 3, 5), (4, 6, 5), (5, 6, 5), (6, 6, 12), (7, 12, 12)]:
        assert await read_at(seq, "bob", "cid", "dan", "eve") == {
            "bob": times["bob", bob],
            "cid": times["cid", cid],
            "dan": times["dan", 13],
        }
    assert await read_at(7, "bob") == {"bob": times["bob", 12]}
    assert await twin.store.conversations.read_at(chat.id, 15, {"bob": 12}) == {}
    assert await twin.store.conversations.read_at(new_id(), 1, {"bob": 1}) == {}


async def test_RCPT_09_many_marks_in_one_write(twin: Twin):
    """The last of each member, stored by one statement and found again, also if it is repeated."""
    users = [f"user {number}" for number in range(20)]
    chat = await Chat(twin.store, ["ann", *users]).create()
    chat.send("ann", "1")
    chat.send("ann", "2")
    await chat.settle()
    for user in users:
        move_ahead(chat.state, MoveMark(user, "read", 3, Position(2, 0)), chat.now)
    write = Write(chat.id, nobody, marks=take_ahead(chat.state))
    for _ in range(2):
        await chat.append(write).outcome()
    loaded = await twin.store.conversations.load(chat.id, STATE_VERSION)
    assert loaded is not None
    assert sorted((m.user, m.kind, m.seq, m.number, m.n) for m in loaded.marks) == sorted(
        (user, "read", 3, 2, n) for n, user in enumerate(users, 1)
    )
