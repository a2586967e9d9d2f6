"""Announced files: kept as announced, completed once."""

import uuid
from dataclasses import replace

from palaver.protocol.uploads import Content, Upload
from palaver.tests.persistence.contract.chat import Chat
from palaver.tests.persistence.contract.twins import Twin


def upload() -> Upload:
    id = str(uuid.uuid4())
    return Upload(id, "ann", "image", "image/png", 9_000_000_000, "a.png", "../ä.png", 1_700_000)


async def test_what_is_announced_is_kept(twin: Twin):
    one, two = upload(), upload()
    await twin.store.uploads.add(one)
    await twin.store.uploads.add(two)
    await twin.restart()
    unknown = str(uuid.uuid4())
    assert await twin.store.uploads.find([one.id, unknown, "no id"]) == {one.id: one}
    assert await twin.store.uploads.find([]) == {}


async def test_ATT_01_it_is_completed_once(twin: Twin):
    one = upload()
    await twin.store.uploads.add(one)
    content = Content(12, bytes(range(32)), 40, 20, (150, 300))
    await twin.store.uploads.complete(one.id, content)
    await twin.store.uploads.complete(one.id, Content(13, bytes(32)))
    await twin.restart()
    assert await twin.store.uploads.find([one.id]) == {one.id: replace(one, content=content)}


async def test_ATT_22_what_is_old_and_not_complete_is_forgotten(twin: Twin):
    old, new, done, more = (
        replace(upload(), created_at=at) for at in (1000, 2_000_000, 1000, 1_999_999)
    )
    for each in (old, new, done, more):
        await twin.store.uploads.add(each)
    await twin.store.uploads.complete(done.id, Content(12, bytes(32)))
    first = await twin.store.uploads.forget(2_000_000, 1)
    rest = await twin.store.uploads.forget(2_000_000, 10)
    assert (len(first), {*first, *rest}) == (1, {old.id, more.id})
    await twin.restart()
    left = await twin.store.uploads.find([each.id for each in (old, new, done, more)])
    assert left.keys() == {new.id, done.id}


async def test_ATT_18_the_messages_that_have_it_are_found(twin: Twin):
    chat = await Chat(twin.store, ["ann", "bob"]).create()
    one, two = (replace(upload(), content=Content(1, b"", 4, 2, (300,))) for _ in range(2))
    chat.uploads = {each.id: each for each in (one, two)}
    for ids in ([one.id], [], [two.id], [two.id, one.id]):
        await chat.send("ann", "x", uploads=ids).outcome()
    url = one.attachment()["url"]
    sent = [(chat.id, chat.sent[index].id) for index in (0, 3)]
    for user in ("ann", "bob"):
        assert sorted(await twin.store.uploads.sent_in(url, user, 10)) == sorted(sent)
    assert len(await twin.store.uploads.sent_in(url, "ann", 1)) == 1
    assert await twin.store.uploads.sent_in(f"{url}/300", "ann", 10) == []
    assert await twin.store.uploads.sent_in(url, "eve", 10) == [], "she is in none of them"
