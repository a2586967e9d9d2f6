"""Files by HTTP: up in three steps, down by signed addresses."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from palaver.gateway.rest.files import CHUNK_S
from palaver.tests.support.samples import EXE, SAMPLES, picture
from palaver.tests.support.web import Web, web

PNG = picture(size=(400, 200))


async def announced(here: Web, content: bytes = PNG, **said: Any) -> str:
    body = {"name": "../x<>.png", "mime": "image/png", "size": len(content), **said}
    return str((await here.ok("POST", "/attachments", body))["id"])


async def uploaded(here: Web, content: bytes = PNG, **said: Any) -> str:
    id = await announced(here, content, **said)
    await here.ok("PUT", f"/attachments/{id}", content=content)
    await here.ok("POST", f"/attachments/{id}/complete")
    return id


async def sent(here: Web, room: str, *ids: str) -> dict[str, Any]:
    body = {"text": "", "uploads": list(ids)}
    message: dict[str, Any] = await here.ok("POST", f"/conversations/{room}/messages", body)
    return message


async def test_ATT_01_up_in_three_steps_then_sent_then_seen():
    async with web() as here:
        room = await here.room("bob")
        response = await here.ask(
            "POST", "/attachments", {"name": "a.png", "mime": "image/png", "size": len(PNG)}
        )
        told = response.json()
        assert (response.status_code, told["type"], told["size"]) == (201, "image", len(PNG))
        place = response.headers["location"].removeprefix("/v1")
        no = await here.no("POST", f"{place}/complete")
        assert (no["code"], no["details"]["bytes"]) == ("ATTACHMENT_NOT_READY", 0)
        assert (await here.ok("PUT", place, content=PNG))["bytes"] == len(PNG)
        no = await here.no(
            "POST", f"/conversations/{room}/messages", {"text": "", "uploads": [told["id"]]}
        )
        assert (no["status"], no["code"]) == (409, "ATTACHMENT_NOT_READY")
        ready = await here.ok("POST", f"{place}/complete")
        assert (ready["width"], ready["height"]) == (400, 200)
        message = await sent(here, room, told["id"])
        page = await here.ok("GET", f"/messages/{message['id']}", user="bob")
        assert page["attachments"] == [{k: v for k, v in ready.items() if k != "id"}]


async def test_ATT_18_participants_load_it_and_nobody_else():
    async with web() as here:
        room = await here.room("bob")
        id = await uploaded(here)
        for user, status in (("ann", 200), ("bob", 404)):
            assert (await here.ask("GET", f"/attachments/{id}", user=user)).status_code == status
        message = await sent(here, room, id)
        for path in (f"/attachments/{id}", f"/messages/{message['id']}/attachments"):
            found = await here.ok("GET", path, user="bob")
            found = found["attachments"][0] if "attachments" in found else found
            assert (found["filename"], found["expires_in_seconds"]) == ("x.png", 3600)
            for url in (found["url"], found["thumbnail_url"]):
                response = await here.http.get(url)
                assert response.status_code == 200
                assert (response.content == PNG) is (url == found["url"])
                assert response.headers["x-content-type-options"] == "nosniff"
                assert (await here.http.get(url + "0")).status_code == 403
                assert (await here.http.get(url.partition("?")[0])).status_code == 403
        for user in ("cid",):
            no = await here.no("GET", f"/attachments/{id}", user=user)
            assert (no["status"], no["code"]) == (404, "ATTACHMENT_NOT_FOUND")
            assert not (
                await here.ask("GET", f"/messages/{message['id']}/attachments", user=user)
            ).is_success
        await here.ok("DELETE", f"/messages/{message['id']}")
        assert (await here.ask("GET", f"/attachments/{id}", user="bob")).status_code == 404


async def test_ATT_18_what_was_forwarded_far_and_wide_is_loaded_by_everybody_who_got_it(
    monkeypatch: pytest.MonkeyPatch,
):
    """And nobody has conversations opened that are none of theirs."""
    monkeypatch.setattr("palaver.gateway.rest.files.MAX_PLACES", 1)
    async with web() as here:
        id = await uploaded(here)
        for user in ("bob", "cid", "dan"):
            await sent(here, await here.room(user), id)
        for user, status in (("bob", 200), ("cid", 200), ("dan", 200), ("eve", 404)):
            assert (await here.ask("GET", f"/attachments/{id}", user=user)).status_code == status


async def test_ATT_18_an_address_ends(mock_clock: MockClock):
    async with web(files={"url_ttl_s": 60}) as here:
        id = await uploaded(here)
        url = (await here.ok("GET", f"/attachments/{id}"))["url"]
        assert (await here.http.get(url)).status_code == 200
        mock_clock.jump(61)
        response = await here.http.get(url)
        assert (response.status_code, response.json()["code"]) == (403, "PERMISSION_DENIED")


async def test_a_part_of_a_file():
    async with web() as here:
        url = (await here.ok("GET", f"/attachments/{await uploaded(here)}"))["url"]
        response = await here.http.get(url, headers={"Range": "bytes=10-19"})
        assert (response.status_code, response.content) == (206, PNG[10:20])


@pytest.mark.parametrize(
    ("mime", "name", "shown"),
    [
        ("image/png", "a.png", "inline"),
        ("image/svg+xml", "a.svg", "attachment"),
        ("text/plain", "ä.txt", "attachment"),
        ("application/pdf", "a.pdf", "attachment"),
        ("audio/wav", "a.wav", "inline"),
    ],
)
async def test_what_may_hold_scripts_is_saved_not_shown(mime: str, name: str, shown: str):
    types = {"image": ["image/png", "image/svg+xml"], "file": ["text/plain", "application/pdf"]}
    policy = {"attachment_types": types | {"voice": ["audio/wav"]}}
    async with web(policy=policy) as here:
        id = await uploaded(here, SAMPLES[mime], mime=mime, name=name)
        response = await here.http.get((await here.ok("GET", f"/attachments/{id}"))["url"])
        assert response.headers["content-disposition"].startswith(shown)
        assert response.headers["content-type"].partition(";")[0] == mime
        assert "sandbox" in response.headers["content-security-policy"]


# Of a body that is refused before its end, httpx leaves the rest to the garbage collector.
@pytest.mark.filterwarnings("ignore:.*ByteStream:pytest.PytestUnraisableExceptionWarning")
async def test_ATT_05_ATT_06_ATT_07_ATT_08_what_is_refused_says_why():
    async with web(policy={"attachment_limits": {"image": 1000, "file": 500}}) as here:
        for said, status, code, field in (
            ({"size": 1001}, 413, "ATTACHMENT_TOO_LARGE", "size"),
            (
                {"mime": "application/x-msdownload", "name": "a.exe"},
                400,
                "INVALID_FILE_TYPE",
                "mime",
            ),
            ({"name": "a.exe"}, 400, "INVALID_FILE_TYPE", "name"),
            ({"name": "../"}, 400, "VALIDATION_FAILED", "name"),
            ({"size": 0}, 400, "VALIDATION_FAILED", "size"),
            ({"size": "9"}, 400, "VALIDATION_FAILED", "size"),
            ({"more": 1}, 400, "VALIDATION_FAILED", "more"),
        ):
            body = {"name": "a.png", "mime": "image/png", "size": 10, **said}
            no = await here.no("POST", "/attachments", body)
            assert (no["status"], no["code"], no["details"]["field"]) == (status, code, field)
        id = await announced(here, EXE)
        no = await here.no("PUT", f"/attachments/{id}", content=EXE + b"x")
        assert (no["status"], no["details"]["max_bytes"]) == (413, len(EXE))
        await here.ok("PUT", f"/attachments/{id}", content=EXE)
        no = await here.no("POST", f"/attachments/{id}/complete")
        assert (no["status"], no["code"]) == (400, "INVALID_FILE_TYPE")
        for method, path in (
            ("PUT", f"/attachments/{id}"),
            ("POST", f"/attachments/{id}/complete"),
        ):
            assert (await here.no(method, path, user="bob"))["code"] == "ATTACHMENT_NOT_FOUND"
            assert (await here.no(method, path.replace(id, "x")))["status"] == 404


async def test_CONN_20_a_file_may_be_larger_than_another_body():
    limit = 100_000
    async with web(limits={"max_payload_bytes": limit}) as here:
        text = b"x" * (limit + 1)
        id = await uploaded(here, text, mime="text/plain", name="a.txt")
        url = (await here.ok("GET", f"/attachments/{id}"))["url"]
        assert len((await here.http.get(url)).content) == limit + 1


async def test_ATT_23_what_stalls_is_told_and_can_be_tried_again(mock_clock: MockClock):
    async def stalling() -> AsyncIterator[bytes]:
        yield PNG[:10]
        mock_clock.jump(CHUNK_S)
        await trio.sleep_forever()

    async with web() as here:
        id = await announced(here)
        no = await here.no("PUT", f"/attachments/{id}", content=stalling())
        assert (no["status"], no["code"], no["retryable"]) == (408, "UPLOAD_TIMEOUT", True)
        await here.ok("PUT", f"/attachments/{id}", content=PNG)
        await here.ok("POST", f"/attachments/{id}/complete")
