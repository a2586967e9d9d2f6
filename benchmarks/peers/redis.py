"""The dialect of Redis pub/sub, RESP2: https://redis.io/docs/latest/develop/reference/protocol-spec/"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..checks import NumberCheck
from ..dialect import Address, Check, Kind, Line, Refused, Step
from ..lines import do

END = b"\r\n"


def command(*words: str) -> bytes:
    """An array of bulk strings."""
    bulks = [b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words]
    return b"*%d\r\n" % len(words) + b"".join(bulks)


@dataclass(frozen=True, slots=True)
class Redis:
    """A room is a channel. Who subscribes cannot publish, so senders have lines of their own, and
    all that comes back on those is one line of text for each message. Users are not known."""

    reply: bytes = END
    alive: bytes = b""
    senders_listen: bool = False

    def sign_in(self, address: Address, user: str, token: str) -> Sequence[Step]:
        return [Step(command("PING"), _answer(b"+PONG"))]

    def open_room(self, lines: Sequence[Line], kind: Kind) -> str:
        room = f"{kind}-{uuid.uuid4()}"
        # The answer has a third element: how many channels this line is subscribed to.
        answer = command("subscribe", room).replace(b"*2", b"*3", 1) + b":"
        for line in lines:
            do(line, Step(command("SUBSCRIBE", room), _answer(answer)))
        return room

    def message(self, room: str, text: str) -> bytes:
        return command("PUBLISH", room, text)

    def check(self) -> Check:
        return NumberCheck()


def _answer(begin: bytes) -> Callable[[bytearray], bool]:
    """Takes `begin` and the rest of its line."""

    def take(data: bytearray) -> bool:
        if not data.startswith(begin[: len(data)]):
            raise Refused(data.decode("utf-8", "replace"))
        end = data.find(END, len(begin))
        if end < 0:
            return False
        del data[: end + len(END)]
        return True

    return take
