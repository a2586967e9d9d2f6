"""What messages and conversations refer to: pages by it, and finding all that does (CONV-05)."""

import itertools
from typing import Any

from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.members import LeaveConversation
from palaver.protocol.features.references import DropHere
from palaver.protocol.ids import HOST
from palaver.protocol.message import Message
from palaver.protocol.records import Messages, Referring, Selection
from palaver.protocol.references import refers
from palaver.tests.persistence.contract.chat import Chat, new_id
from palaver.tests.persistence.contract.twins import POISON, Twin

P9 = ("property", "p9")
EVERYTHING: Any = {"spans": [(1, 2**62)], "limit": 100}


async def talk(twin: Twin) -> Chat:
    """30 messages about one of two properties, or none; some are deleted, some lose theirs."""
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    for n in range(30):
        context = {} if n % 3 == 0 else {"property": f"p{n % 3 + 8}"}
        chat.send("ann", f"text {n}", context=context)
        chat.now += 1000
    for n in (4, 5, 10):
        chat.delete(chat.sent[n])
    drop(chat, P9, chat.sent[7], chat.sent[10])
    await chat.settle()
    return chat


def drop(chat: Chat, thing: tuple[str, str], *messages: Message) -> None:
    ids = tuple(message.id for message in messages)
    chat.do(HOST, DropHere(context=dict([thing]), messages=ids))


def about(chat: Chat, thing: tuple[str, str]) -> list[Message]:
    return [message for message in chat.sent if refers(message.current("context"), thing)]


def ids(messages: list[Message]) -> list[str]:
    return [message.id for message in messages]


async def test_HIST_04_a_page_of_what_refers_to_one_thing(twin: Twin):
    chat = await talk(twin)
    wanted = about(chat, P9)
    assert len(wanted) == 8
    seqs = [message.seq for message in wanted]
    store = twin.store.conversations
    spans: tuple[list[tuple[int, int]], ...] = (
        [(1, 2**62)],
        [(seqs[1], seqs[3]), (seqs[5], 2**62)],
        [],
    )
    cursors: list[dict[str, int]] = [{}]
    cursors += [{"before": seq} for seq in (seqs[0], seqs[4], seqs[-1] + 1)]
    cursors += [{"after": seq} for seq in (0, seqs[0], seqs[4] - 1, seqs[-1])]
    cursors += [{"before_time": wanted[4].at}]
    for span, cursor, limit, deleted in itertools.product(
        spans, cursors, (1, 3, 50), (True, False)
    ):
        page = await store.page(
            chat.id, spans=span, limit=limit, deleted=deleted, about=P9, system=True, **cursor
        )
        expected = [
            message
            for message in wanted
            if any(first <= message.seq <= last for first, last in span)
            and message.seq > cursor.get("after", 0)
            and message.seq < cursor.get("before", 2**62)
            and message.at < cursor.get("before_time", 2**62)
            and (deleted or not message.deleted)
        ]
        cut = expected[:limit] if "after" in cursor else expected[-limit:]
        assert ids(page.messages) == ids(cut)
        assert [m.current_text for m in page.messages] == [m.current_text for m in cut]
        assert page.more == (len(expected) > limit)
        assert page.as_of == chat.state.seq


async def test_HIST_04_HIST_02_a_numbered_page_of_what_refers_to_one_thing(twin: Twin):
    chat = await talk(twin)
    for newest_first, deleted in itertools.product((True, False), (True, False)):
        wanted = [m for m in about(chat, P9) if deleted or not m.deleted]
        for offset in (0, 3, 99):
            page = await twin.store.conversations.numbered_page(
                chat.id,
                "bob",
                offset=offset,
                newest_first=newest_first,
                deleted=deleted,
                about=P9,
                **{**EVERYTHING, "limit": 3},
            )
            order = wanted[::-1] if newest_first else wanted
            assert ids(page.messages) == sorted(ids(order[offset : offset + 3]), key=place(chat))
            assert (page.total, page.as_of) == (len(wanted), chat.state.seq)


def place(chat: Chat) -> Any:
    return ids(chat.sent).index


async def test_HIST_04_what_nothing_refers_to_has_an_empty_page(twin: Twin):
    chat = await talk(twin)
    store = twin.store.conversations
    for thing in (("property", "p1"), ("booking", "p9"), ("property", "' OR 1=1 --")):
        page = await store.page(chat.id, about=thing, **EVERYTHING)
        assert page == Messages([], chat.state.seq)
    assert await store.page(new_id(), about=P9, **EVERYTHING) == Messages([], 0)


async def test_CONV_05_a_context_is_read_back_and_so_is_what_is_left_of_it(twin: Twin):
    chat = await talk(twin)
    await twin.restart()
    page = await twin.store.conversations.page(chat.id, **EVERYTHING)
    contexts = [message.wire().get("context") for message in page.messages]
    assert contexts == [message.wire().get("context") for message in chat.sent]
    assert contexts[:3] == [None, {"property": "p9"}, {"property": "p10"}]
    assert contexts[7] == contexts[10] == {"property": None}


async def test_CONV_05_everything_that_refers_to_a_thing_is_found(twin: Twin):
    chats = []
    for n in range(4):
        chat = await Chat(twin.store, ["ann", "bob"]).create(context={"booking": "100"})
        for _ in range(n):
            chat.send("ann", "as its conversation")
        chat.send("bob", "other", context={"booking": "101"})
        await chat.settle()
        chats.append(chat)
    other = await Chat(twin.store, ["ann"]).create(context={"listing": "100"})
    await other.send("ann", "hi").outcome()
    chats.sort(key=lambda chat: chat.id)
    expected = [
        Referring(chat.id, seq, message)
        for chat in chats
        for seq, message in [
            (1, None),
            *((m.seq, m.id) for m in about(chat, ("booking", "100"))),
        ]
    ]
    assert len(expected) == 10
    referring = twin.store.searches.referring
    assert await referring(("booking", "100"), 100) == expected
    walked: list[Referring] = []
    after = None
    while found := await referring(("booking", "100"), 3, after):
        walked += found
        after = found[-1].conversation, found[-1].seq
    assert walked == expected
    assert await referring(("booking", "102"), 100) == []

    for chat in chats:
        drop(chat, ("booking", "100"), *chat.sent)
        await chat.settle()
    assert await referring(("booking", "100"), 100) == []
    assert len(await referring(("booking", "101"), 100)) == 4


async def test_CONV_05_said_and_gone_in_one_batch(twin: Twin):
    chat = Chat(twin.store, ["ann", "bob"])
    with twin.one_batch():
        command = CreateConversation(kind="group", members=["bob"], context={"booking": "100"})
        chat.do("ann", command)
        chat.send("ann", "one")
        chat.send("ann", "two")
        drop(chat, ("booking", "100"), chat.sent[0])
    await chat.settle()
    assert await twin.store.searches.referring(("booking", "100"), 9) == [
        Referring(chat.id, chat.sent[1].seq, chat.sent[1].id)
    ]
    page = await twin.store.conversations.page(chat.id, about=("booking", "100"), **EVERYTHING)
    assert ids(page.messages) == ids(chat.sent[1:])
    (row,) = (await twin.store.inboxes.rows("bob")).rows
    assert row.head.context == {"booking": None}


async def test_CONV_05_what_was_refused_refers_to_nothing(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await twin.refuse()
    await chat.send("ann", POISON, context={"property": "p9"}).outcome()
    chat.send("ann", "one", client_id="k", context={"property": "p9"})
    chat.send("ann", "twice", client_id="k", context={"property": "p9"})
    await chat.settle()
    found = await twin.store.searches.referring(P9, 9)
    assert [each.seq for each in found] == [3]
    page = await twin.store.conversations.page(chat.id, about=P9, **EVERYTHING)
    assert [message.current_text for message in page.messages] == ["one"]


async def test_CONV_05_CONV_07_the_inbox_has_the_context_and_is_filtered_by_it(twin: Twin):
    chats = []
    for n, listing in enumerate(("5", "7", "5", None, "5")):
        context = None if listing is None else {"listing": listing, "booking": f"{n}"}
        chat = Chat(twin.store, ["ann", "bob"], at=1000 * n)
        chats.append(await chat.create(context=context))
    await chats[4].do("bob", LeaveConversation()).outcome()

    async def listed(user: str, limit: int = 9, **selection: Any) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            chosen = Selection(**selection)
            page = await twin.store.inboxes.inbox(user, limit, cursor, chosen)
            found += [row.conversation for row in page.rows]
            if page.next is None:
                return found
            cursor = page.next

    rows = {row.conversation: row for row in (await twin.store.inboxes.rows("ann")).rows}
    assert rows[chats[0].id].head.context == {"listing": "5", "booking": "0"}
    assert rows[chats[3].id].head.context is None
    five = [chats[4].id, chats[2].id, chats[0].id]
    for limit in (1, 2, 9):
        assert await listed("ann", limit, about=("listing", "5")) == five
    assert await listed("bob", about=("listing", "5")) == five[1:]
    assert await listed("ann", about=("booking", "1")) == [chats[1].id]
    assert await listed("ann", about=("booking", "5")) == []
    assert await listed("ann", about=("listing", "5"), filter="archived") == []

    drop(chats[2], ("listing", "5"))
    await chats[2].settle()
    assert await listed("bob", about=("listing", "5")) == [chats[0].id]
    (row,) = (await twin.store.inboxes.rows("bob", [chats[2].id])).rows
    assert row.head.context == {"listing": None, "booking": "2"}
