"""Files, which go by HTTP: announced, filled, completed (docs/rest.md, *Files*)."""

from __future__ import annotations

import mimetypes
import os
import random
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import trio

from ...protocol.errors import Rejected
from .calling import Progress
from .errors import UploadFailed, rejected
from .reconnect import Backoff, delay

CHUNK = 65_536
TIMEOUT_S = 60.0
"""Without anything moving."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What is to be uploaded. `name` and `mime` of a path are by default those it seems to have."""

    content: bytes | Path
    name: str
    mime: str
    size: int

    @classmethod
    def of(
        cls, content: bytes | str | os.PathLike[str], name: str | None, mime: str | None
    ) -> Upload:
        """Raises OSError if the file is not to be had."""
        if not isinstance(content, bytes):
            content = Path(content)
            name = name or content.name
        name = name or "file"
        mime = mime or mimetypes.guess_type(name)[0] or "application/octet-stream"
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        return cls(content, name, mime, size)

    async def chunks(self, progress: Progress | None) -> AsyncGenerator[bytes]:
        done = 0
        async with await self._open() as file:
            while chunk := await file.read(CHUNK):
                yield chunk
                done += len(chunk)
                if progress is not None:
                    progress(done, self.size)

    async def _open(self) -> Any:
        if isinstance(self.content, bytes):
            return trio.wrap_file(BytesIO(self.content))
        return await trio.open_file(self.content, "rb")


class Uploader:
    """`token` is asked once for each upload. A step that did not get through, or that the server
    would see again, is repeated as `backoff` says (CLI-12)."""

    def __init__(
        self,
        url: str,
        token: Callable[[], Awaitable[str]],
        backoff: Backoff,
        ssl_context: ssl.SSLContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._token = token
        self._backoff = backoff
        self._open: Callable[[], httpx.AsyncClient] = lambda: httpx.AsyncClient(
            base_url=url,
            timeout=TIMEOUT_S,
            transport=transport,
            verify=ssl_context if ssl_context is not None else True,
        )

    async def upload(self, upload: Upload, progress: Progress | None) -> str:
        token = await self._token()
        async with self._open() as http:
            http.headers["Authorization"] = f"Bearer {token}"
            new = {"name": upload.name, "mime": upload.mime, "size": upload.size}
            told = await self._step(lambda: http.post("/v1/attachments", json=new))
            place = f"/v1/attachments/{told['id']}"
            length = {"Content-Length": str(upload.size)}
            await self._step(
                lambda: http.put(place, content=upload.chunks(progress), headers=length)
            )
            await self._step(lambda: http.post(f"{place}/complete"))
        return str(told["id"])

    async def _step(self, ask: Callable[[], Awaitable[httpx.Response]]) -> dict[str, Any]:
        bounds = self._backoff()
        while True:
            try:
                return _told(await ask())
            except httpx.TransportError as error:
                failed: Exception = UploadFailed(str(error).lower() or type(error).__name__)
                advice = None
            except Rejected as no:
                if not no.retryable:
                    raise
                failed, advice = no, no.retry_after
            bound = next(bounds, None)
            if bound is None:
                raise failed from None
            await trio.sleep(delay(bound, random.random, advice))


def _told(response: httpx.Response) -> dict[str, Any]:
    try:
        told: dict[str, Any] = response.json()
    except ValueError:
        told = {}
    if response.is_success and told:
        return told
    if "code" in told:
        raise rejected({**told, "message": told.get("detail")})
    raise UploadFailed(f"no palaver server at {response.url.netloc.decode()}")
