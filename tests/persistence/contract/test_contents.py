"""What deleted messages said: kept for a while, then in no table any more."""

import pytest

from palaver.protocol.features.edits import MessageEdited
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.jobs import Job
from palaver.protocol.message import Message
from palaver.protocol.state import STATE_VERSION
from palaver.tests.persistence.contract.chat import Chat
from palaver.tests.persistence.contract.twins import PostgresTwin, Twin, execute

PHOTO = {"type": "image", "url": "https://a.example/secret.png", "name": "secret.png"}


async def deleted(twin: Twin, *, alone: bool = False) -> tuple[Chat, Message]:
    """A chat in which a secret was said, said again otherwise, in the end to its author alone, and
    deleted."""
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("bob", "open").outcome()
    said = SendMessage.model_validate(
        {"text": "secret", "metadata": {"k": "secret"}, "attachments": [PHOTO]}
    )
    await chat.do("ann", said).outcome()
    message = chat.sent[1]
    await chat.edit(message, "secret again").outcome()
    if alone:
        chat.state.set_bar("bob", "restricted")
        await chat.edit(message, "a secret of her own").outcome()
        chat.state.set_bar("bob", None)
    chat.passivate()
    await chat.settle()
    await chat.delete(message).outcome()
    return chat, message


async def test_MSG_12_what_a_deleted_message_said_is_kept(twin: Twin):
    chat, message = await deleted(twin)
    contents = twin.store.contents
    found = await contents.deleted(chat.id, message.id)
    assert found is not None
    assert found.at == message.overlay.deleted_at
    sent, edited = found.events
    assert sent.as_message().text == "secret"
    assert sent.as_message().sent["attachments"] == [PHOTO]
    assert sent.as_message().sent["metadata"] == {"k": "secret"}
    assert isinstance(edited.data, MessageEdited)
    assert edited.data.text == "secret again"
    assert await contents.deleted(chat.id, chat.sent[0].id) is None
    assert await contents.deleted("no conversation", message.id) is None


async def test_MSG_12_REQ_09_what_it_said_to_each_is_kept(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.send("ann", "hello").outcome()
    (message,) = chat.sent
    await chat.edit(message, "to both").outcome()
    chat.state.set_bar("bob", "restricted")
    await chat.edit(message, "to herself").outcome()
    await chat.edit(message, "to herself again").outcome()
    chat.state.set_bar("bob", None)
    await chat.delete(message).outcome()
    found = await twin.store.contents.deleted(chat.id, message.id)
    assert found is not None
    said = [(event.data.fields()["text"], event.audience) for event in found.events]
    assert said == [("hello", None), ("to both", None), ("to herself again", ("ann",))]


@pytest.mark.parametrize("alone", [False, True])
async def test_MSG_12_PRIV_11_what_is_erased_is_in_no_table(twin: Twin, alone: bool):
    chat, message = await deleted(twin, alone=alone)
    await twin.store.searches.caught_up()
    at = message.overlay.deleted_at or 0
    contents, conversations = twin.store.contents, twin.store.conversations
    await contents.erase(chat.id, message.id, at + 1)
    found = await contents.deleted(chat.id, message.id)
    assert "secret" in repr(found), "it was another deletion that was to be purged"
    for _ in range(2):
        await contents.erase(chat.id, message.id, at)
    found = await contents.deleted(chat.id, message.id)
    assert found is not None
    assert "secret" not in repr(found)
    (read,) = (await conversations.messages(chat.id, [message.id])).messages
    assert (read.deleted, read.by, read.seq) == (True, "ann", message.seq)
    loaded = await conversations.load(chat.id, STATE_VERSION)
    assert "secret" not in repr(loaded)
    assert loaded is not None
    assert [event.seq for event in loaded.tail] == [6 if alone else 5]
    if isinstance(twin, PostgresTwin):
        tables = await execute(
            twin.dsn, "SELECT table_name FROM information_schema.tables WHERE table_schema='public'"
        )
        for (table,) in map(tuple, tables):
            rows = await execute(twin.dsn, f'SELECT t::text FROM "{table}" AS t')
            assert "secret" not in repr([tuple(row) for row in rows]), table
            assert table != "log" or "open" in repr([tuple(row) for row in rows])
    else:
        assert "secret" not in repr(twin.store._disk)  # type: ignore[attr-defined]


async def test_MSG_24_jobs_are_stored_with_the_events_that_they_follow_from(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    await chat.do("ann", SendMessage(text="x", expires_in=60)).outcome()
    (job,) = chat.log[-1].data.jobs(chat.log[-1])
    await twin.restart()
    taken = await twin.store.jobs.take(job.due, 10, job.due + 1000, 3)
    assert [each.id for each in taken.jobs] == [job.id]
    (only,) = taken.jobs
    assert only == Job(job.id, job.kind, job.due, job.data, job.priority, attempts=1)
