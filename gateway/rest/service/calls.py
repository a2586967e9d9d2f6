"""What the host does besides commands, and what it tells: the body of a POST, checked by its model.

What is told by signed calls (`gateway/host_calls.py`) is told here by the same models.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationError, model_validator
from starlette.requests import Request
from starlette.responses import Response

from ....engine import Engine
from ....protocol.commands import bad_field
from ....protocol.disconnects import FORBIDDEN, GOING_AWAY
from ....protocol.ids import UserId
from ...gateway import Gateway
from ...host_calls import CALLS, HostCall
from ..bodies import answer, given
from .caller import HostCaller

MAX_TTL_S = 31_536_000


class IssueToken(HostCall):
    """`ttl_s` in seconds."""

    path = "tokens"
    status = 201
    summary = "A token with which a user signs in"

    user: UserId
    ttl_s: int = Field(default=3600, ge=1, le=MAX_TTL_S)
    role: str | None = Field(default=None, max_length=64)
    session: str | None = Field(default=None, max_length=128)


class Revoke(HostCall):
    """Either of the two."""

    path = "revocations"
    summary = "Believe no token any more that a user, or a session, was given until now"

    user: UserId | None = None
    session: str | None = Field(default=None, min_length=1, max_length=128)

    @model_validator(mode="after")
    def _one(self) -> Revoke:
        if (self.user is None) == (self.session is None):
            raise ValueError("give a user or a session")
        return self

    async def tell(self, engine: Engine) -> None:
        engine.revoke(user=self.user, session=self.session)


class DisconnectUser(HostCall):
    """Not to come back by themselves unless `reconnect`. Who is not revoked may sign in anew."""

    path = "disconnects"
    summary = "End all connections of a user"

    user: UserId
    reconnect: bool = False

    async def tell(self, engine: Engine) -> None:
        engine.disconnect(self.user, GOING_AWAY if self.reconnect else FORBIDDEN)


ALL: tuple[type[HostCall], ...] = (IssueToken, Revoke, DisconnectUser, *CALLS)


class Call:
    """Answers requests for `kind`."""

    def __init__(self, gateway: Gateway, kind: type[HostCall]) -> None:
        self._gateway = gateway
        self._kind = kind

    async def respond(self, request: Request, caller: HostCaller) -> Response:
        try:
            call = self._kind.model_validate(await given(request), strict=True)
        except ValidationError as error:
            raise bad_field(error) from None
        if isinstance(call, IssueToken):
            result: dict[str, Any] | None = {"token": self._issue(call), "ttl_s": call.ttl_s}
        else:
            result = await call.tell(caller.engine)
        return answer(request.headers, result, call.status)

    def _issue(self, call: IssueToken) -> str:
        return self._gateway.authenticator.issue(
            call.user, ttl_s=call.ttl_s, role=call.role, session=call.session
        )
