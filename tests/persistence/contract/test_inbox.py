"""A user's conversations: in order, complete, with counts that the log agrees with."""

import random
from dataclasses import replace

import pytest

from palaver.protocol.errors import Rejected
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.members import AddMembers, LeaveConversation, RemoveMember
from palaver.protocol.records import InboxRow, Write
from palaver.tests.persistence.contract.chat import Chat, new_id, nobody
from palaver.tests.persistence.contract.twins import Twin


async def walk(twin: Twin, user: str, limit: int) -> list[InboxRow]:
    rows: list[InboxRow] = []
    cursor = None
    while True:
        page = await twin.store.inboxes.inbox(user, limit, cursor)
        assert len(page.rows) <= limit
        rows += page.rows
        if page.next is None:
            return rows
        cursor = page.next


async def test_a_row_shows_the_conversation_as_it_stands(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create(title="Plans")
    await chat.send("ann", "hello").outcome()
    row, *rest = (await twin.store.inboxes.inbox("bob", 10, None)).rows
    assert rest == []
    assert row == InboxRow(
        conversation=chat.id,
        kind="group",
        epoch=1,
        role="member",
        members=["ann", "bob"],
        head=chat.head(),
        unread=1,
    )
    assert row.head.title == "Plans"


async def test_HIST_11_the_last_message_is_shown_to_those_who_may_see_it(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    chat.send("ann", "secret")
    chat.do("ann", AddMembers(users=["cy"]))
    await chat.settle()
    (old,) = (await twin.store.inboxes.inbox("bob", 10, None)).rows
    (new,) = (await twin.store.inboxes.inbox("cy", 10, None)).rows
    assert old.head.last is not None
    assert old.head.last["text"] == "secret"
    assert (new.head.last, new.head.seq) == (None, 3)
    await chat.send("ann", "hello").outcome()
    (new,) = (await twin.store.inboxes.inbox("cy", 10, None)).rows
    assert new.head.last is not None


async def test_CONV_07_newest_activity_first_and_ties_by_id(twin: Twin):
    chats = [await Chat(twin.store, ["ann", "bob"], at=n // 3).create() for n in range(12)]
    for chat in random.Random(2).sample(chats, 6):
        await chat.send("ann", "again").outcome()
    expected = sorted(chats, key=lambda chat: (-chat.head().at, chat.id))
    for limit in (1, 5, 12, 50):
        rows = await walk(twin, "bob", limit)
        assert [row.conversation for row in rows] == [chat.id for chat in expected]
    assert (await twin.store.inboxes.inbox("nobody", 10, None)).rows == []


async def test_CONV_26_1200_conversations_are_walked_without_gap_or_repeat(twin: Twin):
    chats = [Chat(twin.store, ["ann", "bob"], at=1000 + 5 * (n // 2)) for n in range(1200)]
    for chat in chats:
        chat.do("ann", CreateConversation(kind="group", members=["bob"]))
    for chat in chats:
        await chat.settle()
    chance = random.Random(3)
    seen: list[str] = []
    cursor, now = None, 100_000
    while True:
        page = await twin.store.inboxes.inbox("bob", 100, cursor)
        seen += [row.conversation for row in page.rows]
        if page.next is None:
            break
        cursor = page.next
        # Some become active meanwhile: they go to the top, and are not met again further down.
        for chat in chance.sample(chats, 5):
            now += 1
            chat.now = now
            await chat.send("ann", "news").outcome()
    again = await twin.store.inboxes.inbox("bob", 200, None)
    fresh = [row.conversation for row in again.rows if row.head.at > 100_000]
    assert len(set(seen)) == len(seen)
    assert set(seen) | set(fresh) == {chat.id for chat in chats}


@pytest.mark.parametrize("seed", range(3))
async def test_CONV_09_RCPT_07_unread_is_what_recounting_the_log_gives(twin: Twin, seed: int):
    chance = random.Random(seed)
    users = ["ann", "bob", "cy", "di"]
    chats = [await Chat(twin.store, users).create() for _ in range(3)]
    for _ in range(150):
        chat, user = chance.choice(chats), chance.choice(users)
        match chance.randrange(10):
            case 0 | 1 | 2 | 3 | 4:
                chat.send(user, "text", client_id=chance.choice([None, new_id()]))
            case 5 if chat.sent:
                chat.delete(chance.choice(chat.sent))
            case 6 if chat.sent:
                message = chance.choice(chat.sent)
                if not message.deleted:
                    chat.edit(message, f"edit {chance.random()}")
            case _:
                chat.read(user, chance.randint(1, chat.state.seq))
    for chat in chats:
        chat.passivate()
        await chat.settle()
    for user in users:
        rows = (await twin.store.inboxes.rows(user)).rows
        assert {row.conversation for row in rows} == {chat.id for chat in chats}
        for row in rows:
            chat = next(chat for chat in chats if chat.id == row.conversation)
            assert row.unread == chat.unread(user) == chat.state.unread(user)


async def test_at_most_five_members_are_shown(twin: Twin):
    users = ["zoe", "Bob", "bob", "ann", "émile", "max", "cy"]
    await Chat(twin.store, users).create()
    row, *_ = (await twin.store.inboxes.rows("max")).rows
    assert row.members == sorted(users)[:5]


async def test_who_left_has_no_row(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob", "cy"]).create()
    chat.do("bob", LeaveConversation())
    chat.do("ann", RemoveMember(user="cy"))
    await chat.settle()
    for user in ("bob", "cy"):
        assert (await twin.store.inboxes.rows(user)).rows == []
        assert (await twin.store.inboxes.inbox(user, 10, None)).rows == []
    row, *_ = (await twin.store.inboxes.rows("ann")).rows
    assert row.members == ["ann"]
    await chat.do("ann", AddMembers(users=["cy"])).outcome()
    row, *_ = (await twin.store.inboxes.rows("cy")).rows
    assert (row.role, row.unread, row.members) == ("member", 0, ["ann", "cy"])


async def test_rows_of_some_conversations(twin: Twin):
    chats = [await Chat(twin.store, ["ann", "bob"]).create() for _ in range(4)]
    others = await Chat(twin.store, ["cy", "di"]).create()
    ids = [chats[0].id, chats[2].id, others.id, new_id(), "no uuid"]
    rows = (await twin.store.inboxes.rows("bob", ids)).rows
    assert {row.conversation for row in rows} == {chats[0].id, chats[2].id}


async def test_rows_are_stale_after_an_unclean_stop_until_opened(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    assert [row.stale for row in (await twin.store.inboxes.rows("bob")).rows] == [False]
    await twin.restart()
    assert [row.stale for row in (await twin.store.inboxes.rows("bob")).rows] == [False]
    await twin.store.conversations.load(chat.id, 1)
    await twin.open()
    assert [row.stale for row in (await twin.store.inboxes.rows("bob")).rows] == [True]
    await twin.store.conversations.load(chat.id, 1)
    row, *_ = (await twin.store.inboxes.rows("bob")).rows
    assert (row.stale, row.epoch) == (False, 2)


async def test_a_head_may_be_written_anew(twin: Twin):
    """It may show a message that was refused, if more was written behind that."""
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "hello").outcome()
    right = replace(chat.head(), last=None)
    chat.append(Write(chat.id, nobody, head=right))
    chat.append(Write(chat.id, nobody, head=replace(chat.head(), seq=1)))
    await chat.settle()
    (row,) = (await twin.store.inboxes.rows("bob")).rows
    assert row.head == right


MALFORMED = ["", "x", "!!!", "MTIzNA==", "LTUuYWJj", "é", "a" * 200, "MTAwMC5ub3QgYSB1dWlk"]


async def test_a_malformed_cursor_is_refused(twin: Twin):
    for cursor in MALFORMED:
        with pytest.raises(Rejected, match="VALIDATION_FAILED"):
            await twin.store.inboxes.inbox("ann", 10, cursor)


async def test_RCPT_17_peers_are_who_is_in_a_conversation_with_one_now(twin: Twin):
    one = await Chat(twin.store, ["ann", "bob", "cy"]).create()
    two = await Chat(twin.store, ["ann", "cy", "Éva", "di"]).create()
    await Chat(twin.store, ["bob", "eve"]).create()
    one.do("ann", RemoveMember(user="bob"))
    await one.settle()

    async def peers(user: str, after: str = "", limit: int = 10) -> list[str]:
        return await twin.store.inboxes.peers(user, after, limit)

    assert await peers("ann") == ["cy", "di", "Éva"], "each once, in order of code points"
    assert await peers("ann", limit=2) == ["cy", "di"]
    assert await peers("ann", after="di") == ["Éva"]
    assert await peers("bob") == ["eve"]
    assert await peers("nobody") == []
    two.do("di", LeaveConversation())
    await two.settle()
    assert await peers("ann") == ["cy", "Éva"]
    assert await peers("di") == []
