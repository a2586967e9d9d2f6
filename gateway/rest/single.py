"""What no command answers by itself: one message, and one draft."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ...protocol.values import check_value
from .bodies import answer
from .caller import Caller
from .desk import Desk
from .handler import message


class Single:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def message(self, request: Request, caller: Caller) -> Response:
        """As history serves it."""
        check_value(request.path_params)
        id = request.path_params["message_id"]
        conversation = await self._desk.conversation_of(id, caller.user)
        return answer(request.headers, await message(caller, conversation, id))

    async def draft(self, request: Request, caller: Caller) -> Response:
        """What one has begun to write there; an empty text if that is nothing. Of what there is
        each has one place in one's own log, which is read until it is found."""
        conversation = request.path_params["conversation"]
        await caller.ask("conversation.get", None, conversation)
        n, more = 0, True
        found = {"conversation": conversation, "text": ""}
        while more:
            changes = await caller.ask("sync.changes", {"n": n})
            for entry in changes["log"]:
                n, data = entry["n"], entry["data"]
                about_it = data.get("conversation") == conversation
                if about_it and entry["kind"] == "draft.saved":
                    found = {**data, "ts": entry["ts"]}
                elif about_it and entry["kind"] == "draft.cleared":
                    found = {"conversation": conversation, "text": ""}
            more = changes["more"]
        return answer(request.headers, found)
