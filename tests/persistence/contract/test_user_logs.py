"""What a user keeps for themselves: the log, and everything that is read by it."""

import random

import pytest
import trio

from palaver.protocol.features.drafts import DraftCleared, DraftSaved
from palaver.protocol.features.members import RemoveMember
from palaver.protocol.features.stars import MessageUnstarred
from palaver.protocol.personal import FOREVER, PreferenceChanged, SettingsChanged, UserEventData
from palaver.protocol.records import InboxRow, Remembered, Selection, UserEvent
from palaver.protocol.state import STATE_VERSION, Hidden
from palaver.tests.persistence.contract.chat import Chat, new_id
from palaver.tests.persistence.contract.twins import Twin

EVERYTHING = 10_000


async def log(twin: Twin, user: str, n: int = 0) -> list[UserEvent]:
    return await twin.store.user_logs.after(user, n, EVERYTHING)


async def rows(twin: Twin, user: str, **selection) -> list[InboxRow]:
    page = await twin.store.inboxes.inbox(user, EVERYTHING, None, Selection(**selection))
    return page.rows


async def found(twin: Twin, user: str, **selection) -> list[str]:
    return [row.conversation for row in await rows(twin, user, **selection)]


async def test_the_log_is_numbered_also_from_many_devices(twin: Twin):
    logs, ids = twin.store.user_logs, [new_id() for _ in range(20)]
    async with trio.open_nursery() as nursery:
        for number, id in enumerate(ids):
            draft = DraftSaved(conversation=id, text=f"{number}")
            nursery.start_soon(logs.append, "ann", draft, 1000 + number)
    settings = SettingsChanged(read_receipts=False)
    assert await logs.append("bob", settings, 5) == UserEvent("bob", 1, settings, 5)
    events = await log(twin, "ann")
    assert [event.n for event in events] == list(range(1, 21))
    drafts = [event.data for event in events if isinstance(event.data, DraftSaved)]
    assert {draft.conversation for draft in drafts} == set(ids)
    assert [event.at for event in events] == [1000 + int(draft.text) for draft in drafts]
    assert await log(twin, "ann", 17) == events[17:]
    assert await logs.after("ann", 3, 4) == events[3:7]
    await twin.restart()
    assert await log(twin, "ann") == events


async def test_MSG_28_of_each_subject_the_log_keeps_the_last_event_only(twin: Twin):
    logs = twin.store.user_logs
    one, two = new_id(), new_id()
    said: list[UserEventData] = [
        DraftSaved(conversation=one, text="a"),
        DraftSaved(conversation=two, text="b", reply_to=new_id()),
        DraftSaved(conversation=one, text="ab"),
        PreferenceChanged(conversation=one, archived=True),
        DraftCleared(conversation=two),
        DraftSaved(conversation=one, text="abc"),
        PreferenceChanged(conversation=one, pinned_at=5, muted_until=FOREVER),
    ]
    for data in said:
        await logs.append("ann", data, 1000)
    assert [(event.n, event.data) for event in await log(twin, "ann")] == [
        (5, said[4]),
        (6, said[5]),
        (7, said[6]),
    ]
    assert await logs.remembered("ann") == Remembered(await log(twin, "ann"), 7)
    assert await logs.remembered("bob") == Remembered([], 0)
    assert (await logs.append("ann", said[0], 2000)).n == 8


async def test_MSG_19_stars_are_remembered_by_the_database_alone(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "hello").outcome()
    await chat.star("bob", chat.sent[0])
    await chat.hide("bob", chat.sent[0])
    assert await twin.store.user_logs.remembered("bob") == Remembered([], 2)
    assert len(await log(twin, "bob")) == 2


# Inbox.


async def test_CONV_12_pinned_conversations_come_first_and_pages_keep_to_it(twin: Twin):
    chats = [await Chat(twin.store, ["ann", "bob"], at=1000 + n // 2).create() for n in range(12)]
    for at, n in ((50, 3), (60, 7), (60, 1)):
        await chats[n].prefer("bob", pinned_at=at)
    await chats[5].prefer("ann", pinned_at=70)
    pinned = [chats[n].id for n in (7, 1, 3)]
    others = [chat for chat in chats if chat.id not in pinned]
    expected = pinned + [c.id for c in sorted(others, key=lambda c: (-c.head().at, c.id))]
    for limit in (1, 2, 5, 50):
        met: list[str] = []
        cursor = None
        while True:
            page = await twin.store.inboxes.inbox("bob", limit, cursor)
            met += [row.conversation for row in page.rows]
            if (cursor := page.next) is None:
                break
        assert met == expected
    await chats[3].prefer("bob", pinned_at=0)
    assert (await found(twin, "bob"))[:3] != expected[:3]


async def test_CONV_15_each_filter_returns_exactly_its_set(twin: Twin):
    chats = [await Chat(twin.store, ["ann", "bob"]).create() for _ in range(8)]
    read, news, filed, filed_news, flagged, gone, void, partly = chats
    for chat in (news, filed_news, gone, void, partly):
        await chat.send("ann", "news").outcome()
    await partly.send("ann", "more").outcome()
    await filed.prefer("bob", archived=True)
    await filed_news.prefer("bob", archived=True)
    await flagged.prefer("bob", unread=True)
    await gone.put_away("bob")
    await void.delete(void.sent[0]).outcome()
    await partly.hide("bob", partly.sent[0])
    await read.prefer("ann", archived=True, unread=True)
    assert set(await found(twin, "bob")) == {c.id for c in (read, news, flagged, void, partly)}
    assert set(await found(twin, "bob", filter="unread")) == {
        chat.id for chat in (news, flagged, partly)
    }
    assert set(await found(twin, "bob", filter="archived")) == {filed.id, filed_news.id}
    await partly.hide("bob", partly.sent[1])
    assert set(await found(twin, "bob", filter="unread")) == {news.id, flagged.id}


async def test_SRCH_08_by_the_beginning_of_a_word_of_the_title_or_of_a_member(twin: Twin):
    plans = await Chat(twin.store, ["ann", "bob"]).create(title="Summer plans 100%")
    chess = await Chat(twin.store, ["ann", "bob", "planter"]).create(title="Chess")
    direct = await Chat(twin.store, ["bob", "Zoe_1"]).create("direct")
    await Chat(twin.store, ["ann", "planter"]).create(title="Plans of others")

    async def hits(text: str) -> set[str]:
        return set(await found(twin, "bob", text=text))

    assert await hits("plan") == {plans.id, chess.id}
    assert await hits("SUMMER PL") == {plans.id}
    assert await hits("ummer") == set()
    assert await hits("Zoe") == {direct.id}
    assert await hits("bob") == set(), "oneself is everywhere"
    assert await hits("100%") == {plans.id}
    for literal in ("%", "_", "Zoe%", "' OR true --", "\\"):
        assert await hits(literal) == set()
    await chess.do("ann", RemoveMember(user="planter")).outcome()
    assert await hits("plan") == {plans.id}


async def test_CONV_13_comes_back_with_the_next_message_empty_before_it(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    chat.send("ann", "one")
    await chat.send("ann", "two").outcome()
    await chat.put_away("bob")
    assert await found(twin, "bob") == []
    assert await found(twin, "ann") == [chat.id]
    (row,) = (await twin.store.inboxes.rows("bob")).rows
    assert (row.unread, row.head.last) == (0, None)
    await chat.delete(chat.sent[0]).outcome()
    assert await found(twin, "bob") == [], "that is no message"
    await chat.send("ann", "three").outcome()
    (row,) = await rows(twin, "bob")
    assert row.unread == 1
    assert row.head.last is not None
    assert row.head.last["text"] == "three"


async def test_MSG_09_a_last_message_that_one_has_hidden_is_not_shown(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "secret").outcome()
    await chat.hide("bob", chat.sent[0])
    (row,) = await rows(twin, "bob")
    assert (row.head.last, row.unread) == (None, 0)
    (row,) = await rows(twin, "ann")
    assert row.head.last is not None


@pytest.mark.parametrize("seed", range(3))
async def test_RCPT_07_unread_is_a_recount_without_what_one_has_hidden(twin: Twin, seed: int):
    chance = random.Random(seed)
    users = ["ann", "bob", "cy"]
    chat = await Chat(twin.store, users).create()
    hidden: dict[str, set[int]] = {user: set() for user in users}
    hidden_unread = 0
    for step in range(120):
        user = chance.choice(users)
        match chance.randrange(10):
            case 0 | 1 | 2 | 3 | 4:
                chat.send(chance.choice(["ann", "ann", user]), "text")
            case 5 if chat.sent:
                chat.delete(chance.choice(chat.sent))
            case 6 | 7 if chat.sent:
                await chat.settle()
                message = chance.choice(chat.sent[-9:])
                await chat.hide(user, message)
                hidden[user].add(message.seq)
            case 8 if chance.random() < 0.2:
                await chat.settle()
                await chat.put_away(user)
                hidden[user] |= {message.seq for message in chat.sent}
            case _:
                chat.read(user, chance.randint(1, 1 + chat.state.seq // 2))
        if step % 30 < 29:
            continue
        chat.passivate()
        await chat.settle()
        loaded = await twin.store.conversations.load(chat.id, STATE_VERSION)
        assert loaded is not None
        chat.state.hidden = loaded.hidden
        for user in users:
            mark = chat.state.members[user].read_seq
            unread = {m.seq for m in chat.sent if not m.deleted and m.seq > mark and m.by != user}
            hidden_unread += len(unread & hidden[user])
            left = len(unread - hidden[user])
            (row,) = (await twin.store.inboxes.rows(user)).rows
            assert row.unread == chat.state.unread(user) == left
            listed = await found(twin, user)
            assert await found(twin, user, filter="unread") == (listed if left else [])
        chat.state.hidden = {}
    assert hidden_unread, "something was tested"


async def test_what_members_keep_to_themselves_comes_with_the_conversation(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob", "cy"]).create()
    for text in "abcd":
        await chat.send("ann", text).outcome()
    await chat.delete(chat.sent[3]).outcome()
    await chat.hide("bob", chat.sent[0])
    await chat.hide("bob", chat.sent[3])
    await chat.prefer("cy", hidden_seq=4, hidden_number=3)
    await chat.hide("cy", chat.sent[2])
    await chat.prefer("ann", archived=True)
    logs = twin.store.user_logs
    await logs.append("cy", SettingsChanged(read_receipts=False), 1000)
    await logs.append("di", SettingsChanged(read_receipts=False), 1000)
    await logs.append("bob", SettingsChanged(presence="nobody"), 1000)
    loaded = await twin.store.conversations.load(chat.id, STATE_VERSION)
    assert loaded is not None
    assert loaded.hidden == {
        "bob": Hidden(messages={2: True, 5: False}),
        "cy": Hidden(seq=4, number=3, excluded=1, messages={4: True}),
    }
    assert loaded.reticent == {"cy"}
    assert await logs.reticent(["ann", "cy", "di", "nobody"]) == {"cy", "di"}


async def test_REQ_12_last_seen_is_not_told_of_who_wants_nobody_to_know(twin: Twin):
    inboxes, logs = twin.store.inboxes, twin.store.user_logs
    await inboxes.seen({"ann": 5})
    await logs.append("ann", SettingsChanged(presence="nobody"), 1000)
    assert await inboxes.last_seen(["ann"]) == {}
    await logs.append("ann", SettingsChanged(presence="everyone"), 1000)
    assert await inboxes.last_seen(["ann"]) == {"ann": 5}


# Stars.


async def test_MSG_19_stars_are_listed_last_first_as_the_messages_are_now(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    other = await Chat(twin.store, ["ann", "bob"]).create()
    for each in (chat, other):
        each.send("ann", "one")
        await each.send("bob", "two").outcome()
    first = await chat.star("bob", chat.sent[0])
    second = await other.star("bob", other.sent[1])
    third = await chat.star("bob", chat.sent[1])
    logs = twin.store.user_logs
    assert await logs.stars("ann", 10, None) == []
    stars = await logs.stars("bob", 10, None)
    assert [(star.n, star.conversation, star.message.current_text) for star in stars] == [
        (third.n, chat.id, "two"),
        (second.n, other.id, "two"),
        (first.n, chat.id, "one"),
    ]
    assert [star.n for star in await logs.stars("bob", 1, third.n)] == [second.n]
    chat.edit(chat.sent[1], "edited")
    await chat.delete(chat.sent[0]).outcome()
    again = await other.star("bob", other.sent[1])
    newest, edited, deleted = await logs.stars("bob", 10, None)
    assert (newest.n, edited.message.current_text) == (again.n, "edited")
    assert (deleted.message.deleted, deleted.message.text) == (True, None)
    assert edited.as_of == chat.state.seq


async def test_MSG_19_what_one_may_not_see_any_more_is_no_star(twin: Twin):
    chats = [await Chat(twin.store, ["ann", "bob"]).create() for _ in range(4)]
    for chat in chats:
        await chat.send("ann", "hello").outcome()
        await chat.star("bob", chat.sent[0])
    gone, hidden, away, unstarred = chats
    await gone.do("ann", RemoveMember(user="bob")).outcome()
    await hidden.hide("bob", hidden.sent[0])
    await away.put_away("bob")
    id = unstarred.sent[0].id
    await unstarred.keep("bob", MessageUnstarred(conversation=unstarred.id, message_id=id))
    assert await twin.store.user_logs.stars("bob", 10, None) == []
