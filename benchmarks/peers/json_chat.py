"""The dialect of the servers in fastapi_server.py and node/ws.js."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from ..checks import NumberCheck
from ..dialect import NUMBER, Address, Check, Kind, Line, Step
from ..lines import do
from .any_order import AnyOrderCheck
from .websocket import compact, say, text_frame, upgrade


@dataclass(frozen=True, slots=True)
class JsonChat:
    """One JSON object per text frame; the token is in the URL, as browsers have to do it."""

    ordered: bool = True
    """Whether a sender's messages keep their order."""
    reply: bytes = b'{"type":"ack"'
    alive: bytes = b""
    senders_listen: bool = True

    def sign_in(self, address: Address, user: str, token: str) -> Sequence[Step]:
        return [upgrade(address, f"/ws?token={token}")]

    def open_room(self, lines: Sequence[Line], kind: Kind) -> str:
        room = f"{kind}-{uuid.uuid4()}"
        item = compact({"type": "join", "ref": "1", "room": room})
        for line in lines:
            do(line, say(item, b'{"type":"joined"', b'{"type":"error"'))
        return room

    def message(self, room: str, text: str) -> bytes:
        item = {"type": "message", "ref": NUMBER.decode(), "room": room, "text": text}
        return text_frame(compact(item))

    def check(self) -> Check:
        return NumberCheck() if self.ordered else AnyOrderCheck()
