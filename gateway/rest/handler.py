"""From a request to a command and from its Reply to a response, as a line of the table says."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from ...protocol.commands import Command
from ...protocol.errors import Rejected, invalid
from ...protocol.ids import CLIENT_ID_CHARS
from ...protocol.values import check_value
from . import times
from .bodies import answer, given
from .caller import Asks
from .desk import Desk
from .endpoint import CONVERSATION, MESSAGE, Endpoint
from .query import from_query

KEY: Final = "idempotency-key"


class Handler:
    """Answers requests for `endpoint`."""

    def __init__(self, desk: Desk, endpoint: Endpoint) -> None:
        self._desk = desk
        self._endpoint = endpoint

    async def respond(self, request: Request, caller: Asks) -> Response:
        endpoint = self._endpoint
        path: dict[str, str] = request.path_params
        check_value(path)
        if endpoint.in_query:
            fields = from_query(endpoint, request.query_params.multi_items())
            check_value(fields)
        else:
            fields = await given(request)
        conversation = path.get(CONVERSATION)
        if endpoint.needs:
            conversation = _named(fields)
        command = endpoint.chosen(fields)
        if endpoint.takes_key and (key := request.headers.get(KEY)) is not None:
            _add_key(_checked(key), command, fields)
        payload = times.read(command.name, endpoint.payload(command, path, fields))
        if conversation is None and MESSAGE in path:
            conversation = await self._desk.conversation_of(path[MESSAGE], caller.user)
        if CONVERSATION in payload:  # the command has a field for it, and needs no `c`
            conversation = None
        result = await caller.ask(command.name, payload, conversation)
        status = endpoint.status
        headers = {}
        if endpoint.makes is not None:
            # One that there was already is told as well, but was not made now.
            status = 201 if "id" in result else 200
            headers["Location"] = _location(endpoint, result)
            result = {**result, **await self._whole(endpoint, result, caller)}
        if command.name == "conversation.resume":
            result = {**result, "events": caller.pushed}
        response = answer(request.headers, result, status)
        response.headers.update(headers)
        return response

    async def _whole(
        self, endpoint: Endpoint, result: dict[str, Any], caller: Asks
    ) -> dict[str, Any]:
        """What was made, as it is now; nothing if that cannot be read at the moment, since made it
        is."""
        try:
            if endpoint.makes == "conversation":
                return await caller.ask("conversation.get", None, result["c"])
            return await message(caller, result["c"], result["id"])
        except Rejected:
            return {}


async def message(caller: Asks, conversation: str, id: str) -> dict[str, Any]:
    """One message as history serves it, and its conversation. Raises MESSAGE_NOT_FOUND."""
    page = await caller.ask("message.history", {"around": id, "limit": 1}, conversation)
    for each in page["messages"]:
        if each["id"] == id:
            return {"c": conversation, **each}
    raise Rejected("MESSAGE_NOT_FOUND", details={"message_id": id})


def _location(endpoint: Endpoint, result: dict[str, Any]) -> str:
    if endpoint.makes == "conversation":
        return f"/v1{endpoint.path}/{result['c']}"
    return f"/v1/messages/{result['id']}"


def _named(fields: dict[str, Any]) -> str:
    conversation = fields.pop(CONVERSATION, None)
    if not isinstance(conversation, str):
        raise invalid(CONVERSATION, "the conversation is missing")
    return conversation


def _checked(key: str) -> str:
    """As a `client_id` (SEND-06), with or without the quotes of a structured field."""
    key = key.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    check_value(key)
    if not 1 <= len(key) <= CLIENT_ID_CHARS:
        raise invalid("client_id", f"an Idempotency-Key has 1 to {CLIENT_ID_CHARS} characters")
    return key


def _add_key(key: str, command: type[Command], fields: dict[str, Any]) -> None:
    if "client_id" in command.model_fields and fields.setdefault("client_id", key) != key:
        raise invalid("client_id", "differs from the Idempotency-Key")
