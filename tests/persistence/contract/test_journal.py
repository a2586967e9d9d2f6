"""What becomes of a write: stored whole, once, in order; or not at all, and said so."""

from collections.abc import Callable
from dataclasses import replace

import trio

from palaver.protocol.events import Event, Void
from palaver.protocol.features.conversation import CreateConversation
from palaver.protocol.features.edits import EditMessage
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.system import PostMessage
from palaver.protocol.ids import HOST
from palaver.protocol.records import Committed, Duplicate, Foreign, Outcome, Refused, Write
from palaver.tests.persistence.contract.chat import Chat, Ticket, nobody
from palaver.tests.persistence.contract.twins import POISON, Twin


async def stored(chat: Chat) -> list[Event]:
    return (await chat.store.conversations.events(chat.id, 0, 1000)).events


def again(write: Write) -> Write:
    return replace(write, done=nobody)


async def test_a_write_is_stored_and_its_sender_told_once(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    ticket = chat.send("ann", "hello", client_id="1", metadata={"a": [1, {"ü": None}]})
    assert await ticket.outcome() == Committed()
    assert ticket.outcomes == [Committed()]
    assert await stored(chat) == chat.log


async def test_DB_12_json_comes_back_as_it_was(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    metadata = {"deep": [1, 2.5, True, None, {"key": "välue", "empty": {}}], "n": 2**53 + 1}
    await chat.send("ann", "hello\n\\ \"quoted\" 'so'", metadata=metadata).outcome()
    assert (await stored(chat))[-1].data.fields()["metadata"] == metadata


def in_order(told: list[int], ticket: Ticket) -> Callable[[Outcome], None]:
    def done(outcome: Outcome) -> None:
        told.append(ticket.write.events[0].seq)
        ticket(outcome)

    return done


async def test_outcomes_come_in_the_order_of_the_writes_of_a_conversation(twin: Twin):
    chats = [await Chat(twin.store, ["ann", "bob"]).create() for _ in range(5)]
    told: dict[str, list[int]] = {chat.id: [] for chat in chats}
    tickets = []
    for number in range(200):
        chat = chats[number * 7 % 5]
        write = chat.write("ann", SendMessage(text=str(number)))
        ticket = Ticket(write)
        write.done = in_order(told[chat.id], ticket)
        twin.store.journal.append(write)
        tickets.append(ticket)
        if number % 50 == 49:
            await trio.lowlevel.checkpoint()
    for ticket in tickets:
        await ticket.outcome()
    for chat in chats:
        assert told[chat.id] == [event.seq for event in chat.log[1:]]
        assert await stored(chat) == chat.log


async def test_SEND_06_a_client_id_is_stored_once_and_answered_with_the_first(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "once", client_id="k").outcome()
    first = chat.log[-1]
    for _ in range(3):
        assert await chat.send("ann", "twice", client_id="k").outcome() == Duplicate(first)
    assert await chat.send("bob", "other sender", client_id="k").outcome() == Committed()
    events = await stored(chat)
    assert [event.kind for event in events[1:]] == [
        "message.sent", "void", "void", "void", "message.sent",
    ]  # fmt: skip
    for event, void in zip(chat.log[2:5], events[2:5], strict=True):
        assert void == replace(event, data=Void(of=event.id), client_id=None)
    assert await chat.store.conversations.find(chat.id, "ann", "k") == first
    assert await chat.store.conversations.find(chat.id, "ann", "other") is None


async def test_SEND_06_what_the_host_did_under_a_client_id_is_found_too(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "not this", client_id="k").outcome()
    await chat.do(HOST, PostMessage(text="told", client_id="k")).outcome()
    found = chat.store.conversations.find
    assert [await found(chat.id, HOST, id) for id in ("k", "other")] == [chat.log[-1], None]
    assert await found(chat.id, "ann", "k") == chat.log[-2]


async def test_SEND_06_holds_across_restarts_and_within_one_batch(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    one, two = chat.send("ann", "a", client_id="k"), chat.send("ann", "b", client_id="k")
    assert await one.outcome() == Committed()
    assert await two.outcome() == Duplicate(one.write.events[0])
    await twin.restart()
    chat.store = twin.store
    assert await chat.send("ann", "c", client_id="k").outcome() == Duplicate(one.write.events[0])


async def test_of_a_duplicate_nothing_but_void_is_stored(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "first", client_id="k").outcome()
    write = chat.write("ann", SendMessage(text="again", client_id="k"))
    write.members = [chat.member("bob", write.events[-1].seq)]
    write.members = [replace(write.members[0], read_seq=99, read_number=99)]
    await chat.append(write).outcome()
    row, *_ = (await twin.store.inboxes.rows("bob")).rows
    assert (row.head.seq, row.head.number) == (3, 2)
    assert row.head.last is not None
    assert row.head.last["text"] == "first"
    assert row.unread == 1
    page = await twin.store.conversations.page(chat.id, spans=[(1, 99)], limit=9)
    assert [message.text for message in page.messages] == ["first"]


async def test_a_replayed_write_is_committed_and_changes_nothing(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    writes = [
        chat.send("ann", "one", client_id="k").write,
        chat.edit(chat.sent[0], "two").write,
        chat.delete(chat.sent[0]).write,
        chat.send("bob", "three").write,
        chat.read("ann").write,
    ]
    await chat.settle()
    before = await stored(chat), await twin.store.inboxes.rows("ann")
    for write in writes:
        assert await chat.append(again(write)).outcome() == Committed()
    # Also several at once, mixed with something new.
    for write in writes:
        chat.append(again(write))
    new = chat.send("ann", "four")
    await chat.settle()
    assert await new.outcome() == Committed()
    events = await stored(chat)
    assert events[:-1] == before[0]
    page = await twin.store.conversations.page(chat.id, spans=[(1, 99)], limit=9)
    assert [message.current_text for message in page.messages] == [None, "three", "four"]


async def test_an_older_version_of_a_row_does_not_replace_a_newer_one(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "one").outcome()
    edit = chat.edit(chat.sent[0], "two")
    chat.edit(chat.sent[0], "three")
    old_member, old_head = chat.member("bob", chat.state.seq), chat.head()
    chat.send("ann", "four")
    chat.read("bob")
    chat.passivate()
    await chat.settle()
    late = Write(chat.id, nobody, overlays=edit.write.overlays, members=[old_member])
    late.head = old_head
    assert await chat.append(late).outcome() == Committed()
    row, *_ = (await twin.store.inboxes.rows("bob")).rows
    assert (row.head, row.unread) == (chat.head(), 0)
    message, *_ = (await twin.store.conversations.messages(chat.id, [chat.sent[0].id])).messages
    assert message.current_text == "three"


async def test_a_refused_write_is_voided_alone(twin: Twin):
    await twin.refuse()
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    other = await Chat(twin.store, ["ann", "bob"]).create()
    tickets = [
        (each.send("ann", text), text) for text in ("a", POISON, "b") for each in (chat, other)
    ]
    for ticket, text in tickets:
        outcome = await ticket.outcome()
        if text == POISON:
            assert isinstance(outcome, Refused)
            assert outcome.voided
            assert POISON not in outcome.problem
        else:
            assert outcome == Committed()
    for each in (chat, other):
        events = await stored(each)
        assert [event.kind for event in events[1:]] == ["message.sent", "void", "message.sent"]
        row, *_ = (await twin.store.inboxes.rows("bob", [each.id])).rows
        assert (row.head.number, row.unread) == (3, 2)


async def test_a_refused_last_write_leaves_the_head_at_its_void(twin: Twin):
    await twin.refuse()
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    chat.send("ann", "a")
    await chat.send("ann", POISON).outcome()
    row, *_ = (await twin.store.inboxes.rows("bob")).rows
    assert (row.head.seq, row.head.number, row.unread) == (3, 2, 1)
    assert row.head.last is not None
    assert row.head.last["text"] == "a"


async def test_a_conversation_whose_creation_is_refused_is_not_there(twin: Twin):
    await twin.refuse()
    chat = Chat(twin.store, ["ann", "bob"])
    with twin.one_batch():
        tickets = chat.do("ann", SendMessage(text=POISON, to="bob")), chat.send("ann", "then")
    for ticket in tickets:
        outcome = await ticket.outcome()
        assert isinstance(outcome, Refused)
        assert not outcome.voided
    assert await twin.store.conversations.load(chat.id, 1) is None
    assert await stored(chat) == []
    # The next attempt finds nothing in its way.
    await twin.store.journal.settled(chat.id)
    retry = Chat(twin.store, ["ann", "bob"], id=chat.id)
    assert await retry.do("ann", SendMessage(text="fine", to="bob")).outcome() == Committed()


async def test_another_event_in_its_place_is_foreign_and_so_is_what_follows(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    stranger = Chat(twin.store, ["ann", "bob"], id=chat.id)
    stranger.write("ann", CreateConversation(kind="group", members=["bob"]))
    await chat.send("ann", "mine").outcome()
    with twin.one_batch():
        first, second = stranger.send("bob", "yours"), stranger.send("bob", "more")
    assert isinstance(await first.outcome(), Foreign)
    assert isinstance(await second.outcome(), Foreign)
    assert await stored(chat) == chat.log
    # Others are not concerned, and neither is the rightful writer.
    assert await chat.send("ann", "mine again").outcome() == Committed()


async def test_an_engine_that_was_replaced_writes_nothing_more(twin: Twin):
    old = twin.store
    chat = await Chat(old, ["ann", "bob"]).create()
    await chat.send("ann", "before").outcome()
    await twin.open()
    ticket = chat.send("ann", "too late")
    assert isinstance(await ticket.outcome(), Foreign)
    chat.store = twin.store
    assert await stored(chat) == chat.log[:-1]


async def test_a_write_is_stored_as_it_was_when_it_was_appended(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "one").outcome()
    message = chat.sent[0]
    edit = chat.write("ann", EditMessage(message_id=message.id, text="two"))
    edit.overlays = [message.overlay]  # shared, where an actor would copy
    ticket = chat.append(edit)
    message.overlay.text = "not yet"
    message.overlay.data["version"] = 77
    await ticket.outcome()
    found, *_ = (await twin.store.conversations.messages(chat.id, [message.id])).messages
    assert found.current_text == "two"
    assert found.overlay.data["version"] == 2


async def test_pending_is_what_is_not_stored_yet_and_settled_waits_for_it(twin: Twin):
    journal = twin.store.journal
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await journal.settled(chat.id)
    assert chat.id not in journal.pending()
    assert journal.has_room
    await journal.room()
    ticket = chat.send("ann", "hello")
    await journal.settled(chat.id)
    assert ticket.outcomes == [Committed()]
    assert chat.id not in journal.pending()


async def test_a_callback_may_append(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    second: list[Ticket] = []

    def done(outcome: Outcome) -> None:
        second.append(chat.send("ann", "two"))
        first(outcome)

    write = chat.write("ann", SendMessage(text="one"))
    first = Ticket(write)
    write.done = done
    twin.store.journal.append(write)
    await first.outcome()
    assert await second[0].outcome() == Committed()
    assert await stored(chat) == chat.log


async def test_marks_alone_are_stored(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "one").outcome()
    assert await chat.read("bob").outcome() == Committed()
    loaded = await twin.store.conversations.load(chat.id, 1)
    assert loaded is not None
    assert [(mark.user, mark.kind, mark.seq) for mark in loaded.marks] == [("bob", "read", 2)]
