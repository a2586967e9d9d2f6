"""The dialect of Socket.IO 4 over WebSocket: https://socket.io/docs/v4/socket-io-protocol/"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from ..checks import NumberCheck
from ..dialect import NUMBER, Address, Check, Kind, Line, Step
from ..lines import do
from .any_order import AnyOrderCheck
from .websocket import compact, say, text_frame, upgrade

PATH = "/socket.io/?EIO=4&transport=websocket"


@dataclass(frozen=True, slots=True)
class SocketIo:
    """`4` is a message of Engine.IO; in it `0` connects, `2` is an event, `3` acknowledges one,
    `4` refuses a connection. The number of a message is also the id of its acknowledgement."""

    ordered: bool = True
    """Whether a sender's messages keep their order."""
    reply: bytes = b'[{"ok":true'
    alive: bytes = text_frame("3")
    """A pong; with it the server does not even ping."""
    senders_listen: bool = True

    def sign_in(self, address: Address, user: str, token: str) -> Sequence[Step]:
        connect = say("40" + compact({"token": token}), b"40{", b"44{")
        return [upgrade(address, PATH), connect]

    def open_room(self, lines: Sequence[Line], kind: Kind) -> str:
        room = f"{kind}-{uuid.uuid4()}"
        item = "421" + compact(["join", room])
        for line in lines:
            do(line, say(item, b'431[{"ok":true', b'431[{"ok":false'))
        return room

    def message(self, room: str, text: str) -> bytes:
        event = compact(["message", {"room": room, "text": text}])
        return text_frame(f"42{NUMBER.decode()}{event}")

    def check(self) -> Check:
        return NumberCheck() if self.ordered else AnyOrderCheck()
