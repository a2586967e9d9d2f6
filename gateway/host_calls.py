"""What the host tells by HTTP, signed as what it is asked is (`engine/host/callback.py`)."""

from __future__ import annotations

import time

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from ..engine.host.callback import is_signed, signing_key
from ..protocol.commands import bad_field
from ..protocol.errors import ERRORS, Rejected
from ..protocol.ids import UserId
from .gateway import Gateway


class Changed(BaseModel):
    """`ids` None: all."""

    model_config = ConfigDict(extra="forbid")

    ids: list[UserId] | None = None


def add_host_calls(api: FastAPI, gateway: Gateway) -> None:
    """Nothing without `host.secret`: nobody could prove who they are."""
    secret = gateway.settings.host.secret
    if secret is None:
        return
    key = signing_key(secret.get_secret_value())

    @api.post("/v1/host/users/changed", status_code=204, summary="Ask for these users anew")
    async def users_changed(request: Request) -> Response:
        body = await request.body()
        if not is_signed(key, request.headers, body, time.time()):
            return _refusal(Rejected("AUTH_FAILED"))
        try:
            ids = Changed.model_validate_json(body).ids
        except ValidationError as error:
            return _refusal(bad_field(error))
        for id in ids if ids is not None else [None]:
            gateway.engine.user_changed(id)
        return Response(status_code=204)


def _refusal(no: Rejected) -> Response:
    return JSONResponse({"error": no.payload()}, ERRORS[no.code].http)
