"""Files of the client go by HTTP, and what does not get through is tried again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from palaver.gateway.client import Address, Rejected, UploadFailed, linear
from palaver.gateway.client.uploads import CHUNK, Upload, Uploader
from palaver.gateway.http import make_app
from palaver.tests.support.samples import EXE, picture
from palaver.tests.support.web import Web, web

PNG = picture(size=(400, 200))


class Line(httpx.AsyncBaseTransport):
    """To the server, through `troubles`: each spoils one request, after it was carried out."""

    def __init__(self, here: Web) -> None:
        self._server = httpx.ASGITransport(make_app(here.here.gateway))
        self.troubles: list[Exception | httpx.Response] = []
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.method)
        response = await self._server.handle_async_request(request)
        if not self.troubles:
            return response
        trouble = self.troubles.pop(0)
        if isinstance(trouble, Exception):
            raise trouble
        return trouble


@asynccontextmanager
async def line() -> AsyncIterator[tuple[Web, Line, Uploader]]:
    async with web() as here:

        async def token() -> str:
            return here.here.token("ann")

        to = Line(here)
        yield here, to, Uploader("http://here", token, partial(linear, 0.0, 2), transport=to)


async def test_ATT_01_the_file_of_a_path_is_uploaded_and_sent(tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(PNG)
    async with line() as (here, to, uploader):
        id = await uploader.upload(Upload.of(path, None, None), None)
        assert to.asked == ["POST", "PUT", "POST"]
        room = await here.room("bob")
        body = {"text": "", "uploads": [id]}
        sent = await here.ok("POST", f"/conversations/{room}/messages", body)
        assert [(each["name"], each["width"]) for each in sent["attachments"]] == [("cat.png", 400)]


async def test_an_upload_tells_how_far_it_is() -> None:
    text, told = b"words " * CHUNK, list[tuple[int, int]]()
    async with line() as (_, _, uploader):
        upload = Upload.of(text, "words.txt", None)
        await uploader.upload(upload, lambda done, size: told.append((done, size)))
    assert told == [(n * CHUNK, 6 * CHUNK) for n in range(1, 7)]


async def test_CLI_12_what_does_not_get_through_is_tried_again() -> None:
    async with line() as (_, to, uploader):
        slow = {"code": "UPLOAD_TIMEOUT", "status": 408, "retryable": True, "detail": "Slow."}
        to.troubles = [httpx.ReadError("broken"), httpx.Response(408, json=slow)]
        assert await uploader.upload(Upload.of(PNG, "a.png", None), None)
        assert to.asked == ["POST", "POST", "POST", "PUT", "POST"]
        to.troubles = [httpx.ReadError("broken")] * 3
        with pytest.raises(UploadFailed, match="not uploaded: broken"):
            await uploader.upload(Upload.of(PNG, "a.png", None), None)
        assert await uploader.upload(Upload.of(PNG, "a.png", None), None), "and by hand once more"


async def test_what_the_server_does_not_take_is_not_tried_again() -> None:
    async with line() as (_, to, uploader):
        with pytest.raises(Rejected) as refused:
            await uploader.upload(Upload.of(EXE, "a.png", "image/png"), None)
        assert refused.value.code == "INVALID_FILE_TYPE"
        assert to.asked == ["POST", "PUT", "POST"]


@pytest.mark.parametrize(
    ("url", "http_url"),
    [
        ("ws://localhost:8765", "http://localhost:8766"),
        ("wss://chat.example/v1/ws", "https://chat.example:443"),
        ("ws://[::1]:80", "http://[::1]:80"),
    ],
)
def test_where_files_go_if_it_is_not_said(url: str, http_url: str) -> None:
    assert Address.parse(url).http_url == http_url
