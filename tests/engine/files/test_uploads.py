"""From a file to a message that has it, and to whoever may load it."""

import errno
import os
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trio
from trio.testing import MockClock

from palaver.engine import Engine
from palaver.engine.files.uploads import KEPT_MS, MAX_FILLING, SWEPT_AT_ONCE, Uploads
from palaver.engine.testing import TrioClock, memory_engine
from palaver.protocol.features.attachments import ListAttachments
from palaver.protocol.features.messages import SendMessage
from palaver.protocol.features.schedule import ScheduleMessage
from palaver.tests.support.engines import refused, settled
from palaver.tests.support.samples import EXE, picture

PNG = picture(size=(400, 200))


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1000):
        yield content[start : start + 1000]


async def uploaded(engine: Engine, user: str = "ann", content: bytes = PNG) -> str:
    """The id of a picture that is ready."""
    uploads = engine.files.uploads
    upload = await uploads.announce(user, "../x<>.png", "image/png", len(content))
    await uploads.fill(user, upload.id, pieces(content))
    await uploads.complete(user, upload.id)
    return upload.id


async def send(engine: Engine, room: str, *ids: str, user: str = "ann", **more: Any) -> Any:
    command = SendMessage(text="", uploads=list(ids), **more)
    return await engine.as_user(user).do(command, room)


async def test_ATT_01_a_file_is_uploaded_and_then_sent():
    async with memory_engine() as engine:
        ann, bob = engine.as_user("ann"), engine.as_user("bob")
        room = await ann.create_group("Ops", ["bob"])
        id = await uploaded(engine)
        sent = await send(engine, room, id)
        message = (await bob.history(room))[-1]
        assert message["id"] == sent["id"]
        assert message["attachments"] == [
            {
                "type": "image",
                "url": f"/v1/files/{id}",
                "thumbnail_url": f"/v1/files/{id}/300",
                "name": "x.png",
                "mime": "image/png",
                "size": len(PNG),
                "width": 400,
                "height": 200,
            }
        ]
        assert message["text"] == ""


async def test_ATT_01_what_is_not_complete_cannot_be_sent():
    async with memory_engine() as engine:
        ann, uploads = engine.as_user("ann"), engine.files.uploads
        room = await ann.create_group("Ops", ["bob"])
        upload = await uploads.announce("ann", "a.png", "image/png", len(PNG))
        for content in (b"", PNG[:-1], PNG):
            no = await refused(send(engine, room, upload.id))
            assert (no.code, no.details) == ("ATTACHMENT_NOT_READY", {"upload": upload.id})
            if content != PNG:
                no = await refused(uploads.complete("ann", upload.id))
                assert no.code == "ATTACHMENT_NOT_READY"
            await uploads.fill("ann", upload.id, pieces(content))
        assert await uploads.complete("ann", upload.id) == await uploads.complete("ann", upload.id)
        await send(engine, room, upload.id)
        assert await uploads.fill("ann", upload.id, pieces(b"other")) == len(PNG), "it stays"


async def test_ATT_07_what_comes_after_the_look_is_not_what_is_served():
    """Somebody fills it with something else while, and after, it is completed."""

    async def late() -> AsyncIterator[bytes]:
        begun.set()
        await completed.wait()
        yield EXE

    begun, completed = trio.Event(), trio.Event()
    async with memory_engine() as engine:
        uploads = engine.files.uploads
        upload = await uploads.announce("ann", "a.png", "image/png", len(PNG))
        await uploads.fill("ann", upload.id, pieces(PNG))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(uploads.fill, "ann", upload.id, late())
            await begun.wait()
            await uploads.complete("ann", upload.id)
            completed.set()
        _, file = await uploads.file(upload.id, None)
        assert file.read_bytes() == PNG
        assert list(file.parent.glob("*.incoming")) == [], "nothing of the other is left"


class Still(TrioClock):
    """Threads take time, in which a clock that jumps may go anywhere."""

    now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


async def test_ATT_22_what_is_not_completed_within_a_day_is_gone():
    clock = Still()
    async with memory_engine(clock=clock) as engine:
        uploads = engine.files.uploads
        done = await uploaded(engine)
        upload = await uploads.announce("ann", "a.png", "image/png", len(PNG))
        await uploads.fill("ann", upload.id, pieces(PNG))
        _, file = await uploads.file(done, None)
        clock.now += KEPT_MS
        assert await uploads.sweep() == 0
        clock.now += 1
        assert await uploads.sweep() == 1
        no = await refused(uploads.complete("ann", upload.id))
        assert no.code == "ATTACHMENT_NOT_FOUND"
        left = [each.name for each in file.parents[1].rglob("*") if each.is_file()]
        assert sorted(left) == [done, f"{done}.300"]


async def test_ATT_22_it_is_looked_after_every_hour(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
):
    times: list[float] = []

    async def sweep(_: Uploads) -> int:
        times.append(trio.current_time())
        if len(times) == 1:
            raise RuntimeError("no right to delete")
        return SWEPT_AT_ONCE if len(times) == 2 else 0

    monkeypatch.setattr(Uploads, "sweep", sweep)
    async with memory_engine(files={"sweep_s": 3600.0}):
        await trio.sleep(3600 * 2.5)
    assert len(times) == 3, "once in vain; then twice, since there was more"


async def test_a_full_disk_is_nothing_that_the_client_could_mend(monkeypatch: pytest.MonkeyPatch):
    async with memory_engine() as engine:
        uploads = engine.files.uploads
        upload = await uploads.announce("ann", "a.png", "image/png", len(PNG))
        await uploads.fill("ann", upload.id, pieces(PNG))

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        for tried in (
            uploads.fill("ann", upload.id, pieces(PNG)),
            uploads.complete("ann", upload.id),
        ):
            no = await refused(tried)
            assert (no.code, no.retry_after) == ("UNAVAILABLE", 60.0)
        monkeypatch.undo()
        assert (await uploads.complete("ann", upload.id)).content is not None


async def test_ten_files_of_a_user_come_at_a_time_and_not_any_number():
    async def until(over: trio.Event) -> AsyncIterator[bytes]:
        await over.wait()
        yield PNG

    async with memory_engine() as engine:
        uploads, over = engine.files.uploads, trio.Event()
        ids = [
            (await uploads.announce("ann", "a.png", "image/png", len(PNG))).id
            for _ in range(MAX_FILLING + 1)
        ]
        assert MAX_FILLING >= 10
        async with trio.open_nursery() as nursery:
            for id in ids[1:]:
                nursery.start_soon(uploads.fill, "ann", id, until(over))
            await settled()
            no = await refused(uploads.fill("ann", ids[0], pieces(PNG)))
            assert no.code == "OVERLOADED"
            over.set()
        assert await uploads.fill("ann", ids[0], pieces(PNG)) == len(PNG)


async def test_ATT_01_it_may_be_completed_by_several_at_once():
    async with memory_engine() as engine:
        uploads, found = engine.files.uploads, []
        upload = await uploads.announce("ann", "a.png", "image/png", len(PNG))
        await uploads.fill("ann", upload.id, pieces(PNG))

        async def complete() -> None:
            found.append(await uploads.complete("ann", upload.id))

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(complete)
        assert len(found) == 5
        assert found == [found[0]] * 5
        assert found[0].content is not None


async def test_ATT_01_only_its_owner_gets_at_an_upload():
    async with memory_engine() as engine:
        bob, uploads = engine.as_user("bob"), engine.files.uploads
        room = await bob.create_group("Ops", ["ann"])
        id = await uploaded(engine)
        for no in (
            await refused(send(engine, room, id, user="bob")),
            await refused(send(engine, room, room, user="bob")),
            await refused(uploads.fill("bob", id, pieces(b""))),
            await refused(uploads.complete("bob", id)),
        ):
            assert no.code == "ATTACHMENT_NOT_FOUND"


async def test_files_of_the_server_are_named_by_their_uploads_alone():
    async with memory_engine() as engine:
        ann = engine.as_user("ann")
        room = await ann.create_group("Ops", ["bob"])
        id = await uploaded(engine, "bob")
        forged = [{"type": "image", "url": f"/v1/files/{id}"}]
        command = SendMessage.model_validate({"text": "", "attachments": forged})
        no = await refused(ann.do(command, room))
        assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "attachments.0.url"})


async def test_ATT_20_uploads_count_as_attachments():
    async with memory_engine(policy={"max_attachments": 2}) as engine:
        room = await engine.as_user("ann").create_group("Ops", ["bob"])
        id = await uploaded(engine)
        elsewhere = [{"type": "image", "url": "https://example.org/a.png"}]
        mixed = SendMessage.model_validate({"text": "", "attachments": elsewhere, "uploads": [id]})
        await engine.as_user("ann").do(mixed, room)
        no = await refused(send(engine, room, id, id, id))
        assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "uploads"})


async def test_ATT_05_ATT_07_what_it_is_not_is_never_ready():
    async with memory_engine() as engine:
        uploads = engine.files.uploads
        upload = await uploads.announce("ann", "a.png", "image/png", len(EXE))
        no = await refused(uploads.fill("ann", upload.id, pieces(EXE + b"x")))
        assert (no.code, no.details) == (
            "ATTACHMENT_TOO_LARGE",
            {"field": "size", "max_bytes": len(EXE)},
        )
        await uploads.fill("ann", upload.id, pieces(EXE))
        no = await refused(uploads.complete("ann", upload.id))
        assert (no.code, (no.details or {})["field"]) == ("INVALID_FILE_TYPE", "content")
        assert (await refused(uploads.file(upload.id, None))).code == "ATTACHMENT_NOT_FOUND"


@pytest.mark.parametrize("thumbnail", [None, 300])
async def test_ATT_18_who_may_see_the_message_gets_addresses(thumbnail: int | None):
    async with memory_engine(files={"url_ttl_s": 100}) as engine:
        ann = engine.as_user("ann")
        room = await ann.create_group("Ops", ["bob"])
        id = await uploaded(engine)
        asked = ListAttachments(message_id=(await send(engine, room, id))["id"])
        for user in ("ann", "bob"):
            answer = await engine.as_user(user).do(asked, room)
            (found,) = answer["attachments"]
            said = {
                name: found[name] for name in ("filename", "mime", "size", "expires_in_seconds")
            }
            assert said == {
                "filename": "x.png",
                "mime": "image/png",
                "size": len(PNG),
                "expires_in_seconds": 100,
            }
            url = urlsplit(found["url" if thumbnail is None else "thumbnail_url"])
            query = parse_qs(url.query)
            engine.files.links.check(url.path, int(query["expires"][0]), query["signature"][0])
            _, file = await engine.files.uploads.file(id, thumbnail)
            assert (file.read_bytes() == PNG) is (thumbnail is None)
        assert (await refused(engine.as_user("cid").do(asked, room))).code == "PERMISSION_DENIED"
        await ann.delete(room, asked.message_id)
        assert (await refused(ann.do(asked, room))).code == "MESSAGE_NOT_FOUND"


async def test_MSG_23_a_file_is_sent_later():
    async with memory_engine() as engine:
        ann = engine.as_user("ann")
        room = await ann.create_group("Ops", ["bob"])
        id = await uploaded(engine)
        later = {"text": "", "uploads": [id]}
        at = engine.now() + 60_000
        scheduled = ScheduleMessage.model_validate({"id": "k", "send_at": at, "message": later})
        await ann.do(scheduled, room)
        async with engine.subscribe(room) as events:
            async for event in events:
                if event.kind == "message.sent":
                    assert event.data.fields()["attachments"][0]["url"] == f"/v1/files/{id}"
                    break
