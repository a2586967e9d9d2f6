"""What the host tells by HTTP, signed as what it is asked is (`engine/host/callback.py`)."""

from __future__ import annotations

import time
from typing import ClassVar, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from ..engine import Engine
from ..engine.host.callback import is_signed, signing_key
from ..protocol.commands import bad_field
from ..protocol.errors import ERRORS, Rejected
from ..protocol.ids import UserId
from .gateway import Gateway


class HostCall(BaseModel):
    """The body of a POST to `/v1/host/{path}`; answered with 204 when `tell` has returned."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    path: ClassVar[str]
    summary: ClassVar[str]

    async def tell(self, engine: Engine) -> None:
        """Raises `Rejected`."""
        raise NotImplementedError


class UsersChanged(HostCall):
    """`ids` None: all."""

    path = "users/changed"
    summary = "Ask for these users anew"

    ids: list[UserId] | None = None

    async def tell(self, engine: Engine) -> None:
        for id in self.ids if self.ids is not None else [None]:
            engine.user_changed(id)


CALLS: Final[tuple[type[HostCall], ...]] = (UsersChanged,)


def add_host_calls(api: FastAPI, gateway: Gateway) -> None:
    """Nothing without `host.secret`: nobody could prove who they are."""
    secret = gateway.settings.host.secret
    if secret is not None:
        key = signing_key(secret.get_secret_value())
        for call in CALLS:
            _add(api, gateway.engine, key, call)


def _add(api: FastAPI, engine: Engine, key: bytes, call: type[HostCall]) -> None:
    async def told(request: Request) -> Response:
        body = await request.body()
        if not is_signed(key, request.headers, body, time.time()):
            return _refusal(Rejected("AUTH_FAILED"))
        try:
            await call.model_validate_json(body).tell(engine)
        except ValidationError as error:
            return _refusal(bad_field(error))
        except Rejected as no:
            return _refusal(no)
        return Response(status_code=204)

    api.post(f"/v1/host/{call.path}", status_code=204, summary=call.summary)(told)


def _refusal(no: Rejected) -> Response:
    return JSONResponse({"error": no.payload()}, ERRORS[no.code].http)
