"""Who keeps whom out, who has asked, and what was not for everybody."""

from palaver.actors.resident import load
from palaver.protocol.commands import Position
from palaver.protocol.features.blocks import BlockChanged
from palaver.protocol.features.reactions import SetReaction
from palaver.protocol.features.requests import RequestAnswered
from palaver.protocol.people import Aloof, Standing
from palaver.protocol.personal import PreferenceChanged, SettingsChanged
from palaver.protocol.records import InboxRow, Search, Selection
from palaver.tests.persistence.contract.chat import Chat, new_id
from palaver.tests.persistence.contract.twins import Twin


async def direct(twin: Twin, *, request: bool = False) -> Chat:
    """Of ann and bob, begun by ann."""
    chat = Chat(twin.store, ["ann", "bob"])
    chat.state.set_request("bob", "pending" if request else None)
    return await chat.create("direct")


async def row(twin: Twin, user: str, **selection) -> InboxRow | None:
    page = await twin.store.inboxes.inbox(user, 10, None, Selection(**selection))
    return page.rows[0] if page.rows else None


async def test_REQ_08_blocks_last_and_are_known_from_either_side(twin: Twin):
    logs, chat = twin.store.user_logs, await direct(twin)
    elsewhere = new_id()
    assert await logs.barring(chat.id) == {}
    await logs.append("bob", BlockChanged("ann", "blocked", chat.id, 5_000), 1)
    await logs.append("bob", BlockChanged("cid", "restricted", elsewhere), 2)
    await logs.append("ann", BlockChanged("dan", "blocked", new_id(), 7_000), 3)
    await logs.append("dan", SettingsChanged(presence="nobody", messages_from="friends"), 4)
    await logs.append("dan", BlockChanged("ann", "restricted", new_id(), 9_000), 5)
    await twin.restart()
    logs = twin.store.user_logs
    assert await logs.standings("ann", ["bob", "dan", "eve"]) == {
        "bob": Standing(bars="blocked", seen=5_000),
        "dan": Standing(bars="restricted", barred="blocked", messages_from="friends"),
        "eve": Standing(),
    }
    assert (await logs.standings("bob", ["ann"]))["ann"] == Standing(barred="blocked")
    assert await logs.barring(elsewhere) == {"bob": "restricted"}
    resident = await load(chat.id, twin.store.conversations, 10)
    assert resident.state.aloof == {"bob": Aloof(bar="blocked")}
    await logs.append("bob", BlockChanged("ann", "none", chat.id), 6)
    assert await logs.standings("ann", ["bob"]) == {"bob": Standing()}
    assert (await load(chat.id, twin.store.conversations, 10)).state.aloof == {}
    remembered = (await logs.remembered("bob")).events
    assert [event.data for event in remembered if isinstance(event.data, BlockChanged)] == [
        BlockChanged("cid", "restricted", elsewhere),
        BlockChanged("ann", "none", chat.id),
    ]


async def test_SEND_13_who_mutes_or_keeps_the_sender_out_is_not_to_be_disturbed(twin: Twin):
    logs, room, other = twin.store.user_logs, new_id(), new_id()
    await logs.append("bob", PreferenceChanged(room, muted_until=5_000), 1)
    await logs.append("cid", PreferenceChanged(other, muted_until=5_000), 1)
    await logs.append("dan", BlockChanged("ann", "restricted", new_id()), 1)
    await logs.append("eve", BlockChanged("ann", "blocked", new_id()), 1)
    await logs.append("eve", BlockChanged("ann", "none", new_id()), 2)
    users = ["bob", "cid", "dan", "eve", "fay"]
    assert await logs.undisturbed(users, room, "ann", 4_999) == {"bob", "dan"}
    assert await logs.undisturbed(users, room, "ann", 5_000) == {"dan"}
    assert await logs.undisturbed(users, other, None, 4_999) == {"cid"}
    assert await logs.undisturbed(users[3:], room, "ann", 0) == set()


async def test_REQ_03_a_request_is_in_its_own_list_until_it_is_answered(twin: Twin):
    chat, other = await direct(twin, request=True), await Chat(twin.store, ["cid", "bob"]).create()
    await chat.send("ann", "hello").outcome()
    for filter in ("all", "unread", "archived"):
        found = await row(twin, "bob", filter=filter)
        assert found is None or found.conversation == other.id
    asked = await row(twin, "bob", filter="requests")
    assert asked is not None
    assert (asked.conversation, asked.request, asked.unread) == (chat.id, "pending", 1)
    mine = await row(twin, "ann")
    assert mine is not None
    assert (mine.conversation, mine.request) == (chat.id, None)
    assert await row(twin, "ann", filter="requests") is None
    await twin.restart()
    store = twin.store
    state = (await load(chat.id, store.conversations, 10)).state
    assert state.aloof == {"bob": Aloof(request="pending")}
    await store.user_logs.append("bob", RequestAnswered(chat.id, "declined"), 1)
    for filter in ("all", "unread", "archived", "requests"):
        found = await row(twin, "bob", filter=filter)
        assert found is None or found.conversation == other.id
    state = (await load(chat.id, store.conversations, 10)).state
    assert state.aloof == {"bob": Aloof(request="declined")}
    await store.user_logs.append("ann", RequestAnswered(chat.id, "accepted"), 1)
    assert (await load(chat.id, store.conversations, 10)).state.aloof == state.aloof, "not hers"
    await store.user_logs.append("bob", RequestAnswered(chat.id, "accepted"), 2)
    assert (await load(chat.id, store.conversations, 10)).state.aloof == {}
    rows = (await store.inboxes.rows("bob")).rows
    assert {row.conversation: row.request for row in rows} == {chat.id: None, other.id: None}


async def test_REQ_09_that_nobody_was_asked_is_kept(twin: Twin):
    chat = Chat(twin.store, ["ann", "bob"])
    chat.state.set_request("bob", "pending", asked=False)
    await chat.create("direct")
    state = (await load(chat.id, twin.store.conversations, 10)).state
    assert state.aloof == {"bob": Aloof(request="pending", asked=False)}
    assert not state.asks("ann")


async def test_REQ_09_what_was_not_for_everybody_counts_and_shows_for_whom_it_was(twin: Twin):
    chat = await direct(twin)
    await chat.send("ann", "seen").outcome()
    chat.state.set_bar("bob", "blocked")
    for text in ("one", "two", "three"):
        await chat.send("ann", text).outcome()
    seen, _one, two, _three = chat.sent
    await chat.edit(seen, "unseen").outcome()
    await chat.do("ann", SetReaction(message_id=seen.id, emoji="🔥")).outcome()
    await chat.delete(two).outcome()
    chat.state.set_bar("bob", None)
    await chat.send("ann", "back").outcome()
    await chat.passivate().outcome()

    for user, unread, excluded, last in (("ann", 0, 1, "back"), ("bob", 2, 3, "back")):
        found = await row(twin, user)
        assert found is not None
        assert found.unread == chat.state.unread(user) == unread
        assert found.head.last is not None
        assert found.head.last["text"] == last
        at = await twin.store.conversations.position(chat.id, user, 2)
        assert at.position == Position(1, excluded)
    assert await row(twin, "bob", filter="unread") is not None
    await chat.read("bob", 2).outcome()
    await chat.store.user_logs.append("bob", BlockChanged("ann", "none", chat.id), 1)
    await chat.put_away("bob")

    resident = await load(chat.id, twin.store.conversations, 100)
    assert resident.state.unread("ann") == 0
    assert resident.state.hidden["bob"].excluded == 0
    (first,) = (await twin.store.conversations.messages(chat.id, [seen.id])).messages
    mine, theirs = first.wire(user="ann"), first.wire(user="bob")
    assert (mine["text"], mine["reactions"]) == ("unseen", {"🔥": 1})
    assert (theirs["text"], "reactions" in theirs, "views" in theirs) == ("seen", False, False)


async def test_REQ_09_counting_is_the_same_when_the_conversation_is_opened_again(twin: Twin):
    chat = await direct(twin)
    await chat.send("ann", "seen").outcome()
    await chat.read("bob", 1).outcome()
    await chat.do("bob", SetReaction(message_id=chat.sent[0].id, emoji="🔥")).outcome()
    chat.state.set_bar("bob", "restricted")
    await chat.send("ann", "one").outcome()
    await chat.delete(chat.sent[1]).outcome()
    await chat.send("ann", "two").outcome()
    before = {user: chat.state.unread(user) for user in ("ann", "bob")}
    assert before == {"ann": 0, "bob": 1}
    for _ in range(2):
        resident = await load(chat.id, twin.store.conversations, 10)
        assert {user: resident.state.unread(user) for user in before} == before
        shown = resident.state.last_for("bob"), resident.state.last_for("ann")
        assert [last and last["text"] for last in shown] == ["seen", "two"]
        await chat.passivate().outcome()


async def test_REQ_09_nobody_finds_by_search_what_was_not_for_them(twin: Twin):
    chat = await direct(twin)
    await chat.send("ann", "apples").outcome()
    chat.state.set_bar("bob", "blocked")
    await chat.send("ann", "pears").outcome()
    await chat.edit(chat.sent[0], "plums").outcome()
    await twin.store.searches.caught_up()

    async def hits(user: str, text: str) -> int:
        return (await twin.store.searches.search(Search(user, text, "fts"))).total

    assert [await hits("bob", text) for text in ("apples", "pears", "plums")] == [1, 0, 0]
    assert await hits("ann", "pears") == 1
