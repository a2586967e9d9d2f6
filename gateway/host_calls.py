"""What the host tells by HTTP, signed as what it is asked is (`engine/host/callback.py`)."""

from __future__ import annotations

import time
from typing import Any, ClassVar, Final

import trio
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..engine import Engine
from ..engine.host.callback import is_signed, signing_key
from ..protocol.commands import bad_field
from ..protocol.errors import ERRORS, Rejected
from ..protocol.features.business_events import TellEvent
from ..protocol.ids import ClientId, UserId
from ..protocol.references import References
from .gateway import Gateway

BODY_S: Final = 30.0
"""For all of a body to come."""


class HostCall(BaseModel):
    """The body of a POST to `/v1/host/{path}`; answered when `tell` has returned: with 204, or 200
    and what it returned."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    path: ClassVar[str]
    status: ClassVar[int] = 204
    summary: ClassVar[str]

    async def tell(self, engine: Engine) -> dict[str, Any] | None:
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


class RelationsChanged(HostCall):
    """`ids` None: of all users."""

    path = "relations/changed"
    summary = "Ask anew whom these users follow, and who follows them"

    ids: list[UserId] | None = None

    async def tell(self, engine: Engine) -> None:
        for id in self.ids if self.ids is not None else [None]:
            engine.relations_changed(id)
            await trio.lowlevel.checkpoint()


class SessionsEnded(HostCall):
    path = "sessions/ended"
    summary = "Close the connections of these sessions, and let them in no more"

    ids: list[str]

    async def tell(self, engine: Engine) -> None:
        for id in self.ids:
            engine.revoke(session=id)
            await trio.lowlevel.checkpoint()


class ContextsChanged(HostCall):
    """As `Engine.context_changed`."""

    path = "contexts/changed"
    summary = "Ask for these things, and who is related to these users, anew"

    context: References | None = None
    users: list[UserId] | None = None

    async def tell(self, engine: Engine) -> None:
        engine.context_changed(self.context, self.users)


class EventHappened(HostCall):
    """As `Engine.happened`."""

    path = "events"
    status = 200
    summary = "Tell an event of the product in the conversations that it is about"

    id: ClientId
    event: str
    context: References = Field(default_factory=dict)
    users: list[UserId] = Field(default_factory=list)
    variables: dict[str, str] = Field(default_factory=dict)

    async def tell(self, engine: Engine) -> dict[str, Any]:
        return await engine.as_host().do(TellEvent(**self.model_dump()))


class MembershipChanged(HostCall):
    """`users` None: all who are in it."""

    path = "membership/changed"
    summary = "Ask anew, at once, who is in this group"

    group: ClientId
    users: list[UserId] | None = Field(None, min_length=1)

    async def tell(self, engine: Engine) -> None:
        await engine.membership_changed(self.group, *(self.users or ()))


class PremiumChanged(HostCall):
    """`users` None: all."""

    path = "premium/changed"
    summary = "Ask for the subscriptions of these users anew"

    users: list[UserId] | None = None

    async def tell(self, engine: Engine) -> None:
        for user in self.users if self.users is not None else [None]:
            engine.premium_changed(user)


CALLS: Final[tuple[type[HostCall], ...]] = (
    UsersChanged,
    RelationsChanged,
    ContextsChanged,
    MembershipChanged,
    PremiumChanged,
    SessionsEnded,
    EventHappened,
)


def add_host_calls(api: FastAPI, gateway: Gateway) -> None:
    """Nothing without `host.secret`: nobody could prove who they are."""
    secret = gateway.settings.host.secret
    if secret is not None:
        key = signing_key(secret.get_secret_value())
        for call in CALLS:
            _add(api, gateway.engine, key, call)


def _add(api: FastAPI, engine: Engine, key: bytes, call: type[HostCall]) -> None:
    async def told(request: Request) -> Response:
        try:
            with trio.fail_after(BODY_S):
                body = await request.body()
        except trio.TooSlowError:
            return _refusal(Rejected("UPLOAD_TIMEOUT"))
        if not is_signed(key, request.headers, body, time.time()):
            return _refusal(Rejected("AUTH_FAILED"))
        try:
            answer = await call.model_validate_json(body).tell(engine)
        except ValidationError as error:
            return _refusal(bad_field(error))
        except Rejected as no:
            return _refusal(no)
        return Response(status_code=call.status) if answer is None else JSONResponse(answer)

    api.post(f"/v1/host/{call.path}", status_code=call.status, summary=call.summary)(told)


def _refusal(no: Rejected) -> Response:
    return JSONResponse({"error": no.payload()}, ERRORS[no.code].http)
