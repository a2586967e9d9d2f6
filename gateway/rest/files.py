"""Files: announced, filled, completed (ATT-01); and loaded from signed addresses (ATT-18)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

import trio
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from ...actors.attachments import loadable
from ...engine import Engine
from ...engine.files.links import SignedLinks
from ...engine.files.uploads import Uploads
from ...protocol.commands import bad_field
from ...protocol.errors import Rejected
from ...protocol.uploads import PATH, served_here
from ...protocol.values import check_value
from .bodies import answer, given
from .caller import Caller
from .handler import message as message_of

CHUNK_S: Final = 30.0
"""For the next bytes of a file to come; however long the whole takes."""
MAX_PLACES: Final = 100
"""The caller's messages that are looked at for one that they may see: one is enough as a rule."""
_SHOWN: Final = ("image/", "audio/", "video/")
"""What a browser may show in place; the rest, and what can hold scripts, it saves."""
_SCRIPTED: Final = frozenset({"image/svg+xml"})


class NewUpload(BaseModel):
    """What is announced. `mime` is a media type, `size` in bytes."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=1000)
    mime: str = Field(min_length=1, max_length=127)
    size: int = Field(ge=1, le=2**53)


def is_file(scope: Any) -> bool:
    """Whether the body of this request is a file, which is bounded by what was announced."""
    path: str = scope.get("path", "")
    return path.startswith("/v1/attachments/") and scope["method"] == "PUT"


class FileEndpoints:
    """They ask by no command, so it is here that they meet who may not (SEC-12)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def _uploads(self) -> Uploads:
        return self._engine.files.uploads

    @property
    def _links(self) -> SignedLinks:
        return self._engine.files.links

    async def announce(self, request: Request, caller: Caller) -> Response:
        await self._engine.admit(caller.user)
        body = await given(request)
        check_value(body)
        try:
            new = NewUpload.model_validate(body)
        except ValidationError as error:
            raise bad_field(error) from None
        upload = await self._uploads.announce(caller.user, new.name, new.mime, new.size)
        told = {"id": upload.id, "type": upload.type, "name": upload.name, "size": upload.size}
        response = answer(request.headers, told, 201)
        response.headers["Location"] = f"/v1/attachments/{upload.id}"
        return response

    async def fill(self, request: Request, caller: Caller) -> Response:
        await self._engine.admit(caller.user)
        id = request.path_params["upload"]
        async with aclosing(_body(request)) as body:
            size = await self._uploads.fill(caller.user, id, body)
        return answer(request.headers, {"id": id, "bytes": size})

    async def complete(self, request: Request, caller: Caller) -> Response:
        await self._engine.admit(caller.user)
        upload = await self._uploads.complete(caller.user, request.path_params["upload"])
        return answer(request.headers, {"id": upload.id, **upload.attachment()})

    async def show(self, request: Request, caller: Caller) -> Response:
        """An address to load one from: for its owner, and for whoever may see a message that has
        it. Others get what they get of one that there is not."""
        await self._engine.admit(caller.user)
        id = request.path_params["upload"]
        check_value(id)
        try:
            found = (await self._uploads.own(caller.user, id)).attachment()
        except Rejected as no:
            if no.code != "ATTACHMENT_NOT_FOUND":
                raise
            found = await self._sent(caller, id)
        return answer(request.headers, loadable(found, self._links))

    async def _sent(self, caller: Caller, id: str) -> dict[str, Any]:
        for conversation, message_id in await self._uploads.sent_in(id, caller.user, MAX_PLACES):
            try:
                message = await message_of(caller, conversation, message_id)
            except Rejected:
                continue
            for each in message.get("attachments", ()):
                if each["url"] == PATH + id:
                    return dict(each)
        raise Rejected("ATTACHMENT_NOT_FOUND", details={"upload": id})

    async def load(self, request: Request) -> Response:
        """The bytes, or the range of them that is asked for. It asks for no token: the address is
        the permission."""
        served = served_here(request.url.path)
        expires = request.query_params.get("expires", "")
        if served is None or not (expires.isascii() and expires.isdecimal()):
            raise Rejected("PERMISSION_DENIED")
        self._links.check(
            request.url.path, int(expires[:20]), request.query_params.get("signature", "")
        )
        id, thumbnail = served
        upload, file = await self._uploads.file(id, thumbnail)
        mime = upload.mime if thumbnail is None else "image/webp"
        shown = mime.startswith(_SHOWN) and mime not in _SCRIPTED
        return FileResponse(
            file,
            media_type=mime,
            filename=upload.name,
            content_disposition_type="inline" if shown else "attachment",
            headers={
                "Cache-Control": f"private, max-age={self._links.ttl_s}, immutable",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "X-Content-Type-Options": "nosniff",
                "Cross-Origin-Resource-Policy": "cross-origin",
                "Referrer-Policy": "no-referrer",
            },
        )


FILE: Final = PATH + "{upload}"


async def _body(request: Request) -> AsyncGenerator[bytes]:
    """UPLOAD_TIMEOUT if nothing comes for a while: the same can be tried again (ATT-23)."""
    async with aclosing(request.stream()) as stream:
        while True:
            try:
                with trio.fail_after(CHUNK_S):
                    chunk = await anext(stream, None)
            except trio.TooSlowError:
                raise Rejected("UPLOAD_TIMEOUT") from None
            if chunk is None:
                return
            yield chunk
