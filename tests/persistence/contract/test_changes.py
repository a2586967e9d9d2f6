"""What changed since a cursor, and what a user keeps for themselves."""

import pytest
import trio

from palaver.protocol.errors import Rejected
from palaver.protocol.features.members import AddMembers, RemoveMember
from palaver.protocol.state import STATE_VERSION
from palaver.tests.persistence.contract.chat import Chat
from palaver.tests.persistence.contract.twins import Twin


async def changed(twin: Twin, user: str, cursor: str | None) -> tuple[set[str], set[str], str]:
    news = await twin.store.inboxes.changes(user, cursor)
    return {row.conversation for row in news.rows}, set(news.left), news.cursor


async def test_without_a_cursor_there_is_only_the_cursor_of_now(twin: Twin):
    await Chat(twin.store, ["ann", "bob"]).create()
    assert (await changed(twin, "bob", None))[:2] == (set(), set())


async def test_HIST_07_only_what_changed_since_the_cursor(twin: Twin):
    chats = [await Chat(twin.store, ["ann", "bob"]).create() for _ in range(5)]
    _, _, cursor = await changed(twin, "bob", None)
    await chats[1].send("ann", "news").outcome()
    await chats[3].send("bob", "own news").outcome()
    fresh = await Chat(twin.store, ["ann", "bob"]).create()
    await Chat(twin.store, ["ann", "cy"]).create()
    rows, left, cursor = await changed(twin, "bob", cursor)
    assert (rows, left) == ({chats[1].id, chats[3].id, fresh.id}, set())
    assert await changed(twin, "bob", cursor) == (set(), set(), cursor)


async def test_marks_count_as_a_change_once_they_reach_the_row(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "news").outcome()
    _, _, cursor = await changed(twin, "bob", None)
    chat.read("bob")
    await chat.passivate().outcome()
    rows, _, cursor = await changed(twin, "bob", cursor)
    assert rows == {chat.id}
    await chat.passivate().outcome()
    assert (await changed(twin, "bob", cursor))[0] == set()


async def test_HIST_07_a_new_epoch_is_a_change_for_who_was_away(twin: Twin):
    """They may hold an event that died with the engine; what they are pushed does not tell it."""
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    _, _, cursor = await changed(twin, "bob", None)
    await twin.open()  # the engine before it was killed
    await twin.store.conversations.load(chat.id, STATE_VERSION)
    rows, _, cursor = await changed(twin, "bob", cursor)
    assert rows == {chat.id}
    await twin.store.conversations.load(chat.id, STATE_VERSION)
    assert (await changed(twin, "bob", cursor))[0] == set()
    await twin.store.conversations.renew(chat.id, 1)
    assert (await changed(twin, "bob", cursor))[0] == {chat.id}


async def test_HIST_07_what_was_open_when_an_engine_died_has_changed_until_it_is_opened(
    twin: Twin,
):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    other = await Chat(twin.store, ["ann", "bob"]).create()
    await twin.restart()
    await twin.store.conversations.load(chat.id, STATE_VERSION)
    _, _, cursor = await changed(twin, "bob", None)
    await twin.open()  # the engine before was killed
    rows, _, cursor = await changed(twin, "bob", cursor)
    assert rows == {chat.id}
    assert other.id not in rows
    assert (await changed(twin, "bob", cursor))[0] == {chat.id}
    await twin.store.conversations.load(chat.id, STATE_VERSION)
    _, _, cursor = await changed(twin, "bob", cursor)
    assert (await changed(twin, "bob", cursor))[0] == set()


async def test_GRP_07_who_was_removed_learns_it_and_nothing_after(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob", "cy"]).create()
    _, _, cursor = await changed(twin, "bob", None)
    await chat.do("ann", RemoveMember(user="bob")).outcome()
    rows, left, cursor = await changed(twin, "bob", cursor)
    assert (rows, left) == (set(), {chat.id})
    await chat.send("ann", "without bob").outcome()
    assert (await changed(twin, "bob", cursor))[:2] == (set(), set())
    await chat.do("ann", AddMembers(users=["bob"])).outcome()
    assert (await changed(twin, "bob", cursor))[:2] == ({chat.id}, set())


async def test_no_change_falls_between_two_calls(twin: Twin):
    """Many write while one asks again and again: together the answers hold every head."""
    chats = [await Chat(twin.store, ["ann", "bob"]).create() for _ in range(8)]
    _, _, cursor = await changed(twin, "bob", None)
    heads: dict[str, int] = {}

    async def chatter(chat: Chat) -> None:
        for number in range(25):
            await chat.send("ann", str(number)).outcome()
            await trio.lowlevel.checkpoint()

    async def listen() -> None:
        nonlocal cursor
        while any(heads.get(chat.id) != 26 for chat in chats):
            news = await twin.store.inboxes.changes("bob", cursor)
            cursor = news.cursor
            heads.update((row.conversation, row.head.seq) for row in news.rows)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        for chat in chats:
            nursery.start_soon(chatter, chat)


async def test_a_malformed_cursor_is_refused(twin: Twin):
    for cursor in ("", "x", "-1", "1.5", "9" * 40, "١", " 7"):
        with pytest.raises(Rejected, match="VALIDATION_FAILED"):
            await twin.store.inboxes.changes("ann", cursor)


async def test_last_seen_is_the_latest_that_was_told(twin: Twin):
    inboxes = twin.store.inboxes
    await inboxes.seen({"ann": 2000})
    await inboxes.seen({"bob": 7, "ann": 1000})
    assert await inboxes.last_seen(["ann", "bob", "cy"]) == {"ann": 2000, "bob": 7}
    assert await inboxes.last_seen([]) == {}
