"""Loading a conversation: everything that was stored, and whether a device may have seen more."""

import pytest

from palaver.protocol.errors import Rejected
from palaver.protocol.features.marks import ReadMessages
from palaver.protocol.machine import apply, apply_mark
from palaver.protocol.records import Loaded
from palaver.protocol.state import STATE_VERSION, ConversationState
from palaver.tests.persistence.contract.chat import Chat, mark, new_id
from palaver.tests.persistence.contract.twins import Twin


async def load(twin: Twin, chat: Chat) -> Loaded:
    loaded = await twin.store.conversations.load(chat.id, STATE_VERSION)
    assert loaded is not None
    return loaded


def rebuilt(id: str, loaded: Loaded) -> ConversationState:
    state = ConversationState(id)
    if loaded.snapshot is not None:
        state = ConversationState.restore(id, loaded.snapshot.state)
    for event in loaded.tail:
        apply(state, event)
    for move in sorted(loaded.marks, key=lambda move: move.n):
        apply_mark(state, move)
    return state


async def busy(twin: Twin) -> Chat:
    """A conversation with some of everything."""
    chat = await Chat(twin.store, ["ann", "bob", "cy"]).create()
    for number in range(12):
        chat.send(("ann", "bob", "cy")[number % 3], f"text {number}", client_id=str(number))
    chat.edit(chat.sent[1], "edited")
    chat.read("cy", 4)
    chat.delete(chat.sent[7])
    chat.read("bob", 6)
    chat.delete(chat.sent[2])
    chat.edit(chat.sent[1], "edited twice")
    await chat.settle()
    return chat


async def test_what_was_never_created_is_not_there(twin: Twin):
    assert await twin.store.conversations.load(new_id(), 1) is None
    assert await twin.store.conversations.load("no uuid", 1) is None


async def test_HIST_13_the_log_alone_rebuilds_the_state(twin: Twin):
    chat = await busy(twin)
    loaded = await load(twin, chat)
    assert (loaded.epoch, loaded.starts_after, loaded.snapshot) == (1, [], None)
    state = rebuilt(chat.id, loaded)
    for user in chat.users:
        assert state.unread(user) == chat.unread(user)
    assert state.snapshot() == chat.state.snapshot()


async def test_HIST_13_snapshot_and_tail_rebuild_the_state(twin: Twin):
    chat = await busy(twin)
    await chat.passivate().outcome()
    first = await load(twin, chat)
    assert first.snapshot is not None
    assert (first.snapshot.seq, first.tail) == (chat.state.seq, [])
    assert rebuilt(chat.id, first).snapshot() == chat.state.snapshot()
    chat.send("ann", "later")
    chat.delete(chat.sent[4])
    await chat.settle()
    second = await load(twin, chat)
    assert len(second.tail) == 2
    assert rebuilt(chat.id, second).snapshot() == chat.state.snapshot()


async def test_a_snapshot_of_another_version_is_passed_over(twin: Twin):
    chat = await busy(twin)
    await chat.passivate().outcome()
    loaded = await twin.store.conversations.load(chat.id, STATE_VERSION + 1)
    assert loaded is not None
    assert loaded.snapshot is None
    assert len(loaded.tail) == chat.state.seq


async def test_void_events_rebuild_the_same_counts(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    chat.send("ann", "one", client_id="k")
    chat.send("ann", "one again", client_id="k")
    chat.send("ann", "two")
    await chat.settle()
    state = rebuilt(chat.id, await load(twin, chat))
    assert (state.number, state.unread("bob"), state.unread("ann")) == (3, 2, 0)
    row, *_ = (await twin.store.inboxes.rows("bob")).rows
    assert row.unread == 2


async def test_marks_are_the_latest_of_each_user_and_kind(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob", "cy"]).create()
    for number in range(6):
        chat.send("ann", str(number))
    chat.delete(chat.sent[3])
    chat.delete(chat.sent[5])
    write = chat.write("bob", ReadMessages(seq=2))
    write.marks = [
        *write.marks,
        mark(chat, "bob", "read", 4, n=2, number=3),
        mark(chat, "bob", "delivered", 6, n=3),
        mark(chat, "cy", "read", 7, n=4, number=6),
    ]
    await chat.append(write).outcome()
    found = {(move.user, move.kind): move for move in (await load(twin, chat)).marks}
    assert {key: (move.seq, move.n) for key, move in found.items()} == {
        ("bob", "read"): (4, 2),
        ("bob", "delivered"): (6, 3),
        ("cy", "read"): (7, 4),
    }
    assert found["bob", "read"].excluded == 2
    assert found["cy", "read"].excluded == 0


async def test_a_clean_stop_starts_no_epoch(twin: Twin):
    chat = await busy(twin)
    await twin.restart()
    loaded = await load(twin, chat)
    assert (loaded.epoch, loaded.starts_after) == (1, [])


async def test_an_unclean_stop_starts_an_epoch_at_the_head_once(twin: Twin):
    chat = await busy(twin)
    head = chat.state.seq
    await twin.open()
    for _ in range(2):
        loaded = await load(twin, chat)
        assert (loaded.epoch, loaded.starts_after) == (2, [head])
    chat.store = twin.store
    await chat.send("ann", "more").outcome()
    await twin.restart()
    assert (await load(twin, chat)).epoch == 2
    await twin.open()
    loaded = await load(twin, chat)
    assert (loaded.epoch, loaded.starts_after) == (3, [head, head + 1])


async def test_what_was_not_open_when_the_engine_died_keeps_its_epoch(twin: Twin):
    chat = await busy(twin)
    await twin.restart()
    other = await Chat(twin.store, ["ann", "bob"]).create()
    await twin.open()
    assert (await load(twin, chat)).epoch == 1
    assert (await load(twin, other)).epoch == 2


async def test_commit_durability_needs_no_epochs(twin: Twin):
    chat = await busy(twin)
    await twin.open("commit")
    assert (await load(twin, chat)).epoch == 1


async def test_renew_starts_an_epoch_after_what_is_certain(twin: Twin):
    chat = await busy(twin)
    await twin.store.conversations.renew(chat.id, 5)
    loaded = await load(twin, chat)
    assert (loaded.epoch, loaded.starts_after) == (2, [5])
    await twin.store.conversations.renew(new_id(), 5)


async def test_an_engine_that_was_replaced_opens_nothing(twin: Twin):
    chat = await busy(twin)
    old = twin.store
    await twin.open()
    await load(twin, chat)
    before = (await load(twin, chat)).epoch
    with pytest.raises(Rejected, match="UNAVAILABLE"):
        await old.conversations.load(chat.id, 1)
    assert (await load(twin, chat)).epoch == before
