"""What the load generator must know of a server's protocol; all of its cleverness lies elsewhere.

The generator neither encodes nor parses while it measures. It sends frames that were built before,
in which it only overwrites the digits that number a message, and it counts what comes back by
searching for markers: `MARKER` stands once in every delivery, because it is part of the text, and
`Dialect.reply` once in every reply. That survives frames which the network joins or cuts.

A dialect is pickled on its way to the generator's process, so it holds values only.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Address = tuple[str, int]
Kind = Literal["direct", "group"]

MARKER = b"~" * 16
"""Stands once in every text, so once in every delivery; a server must say it nowhere else."""

NUMBER = b"#message-nr#"
"""Wherever this stands in a frame, the generator writes the number of the message: 3 digits of its
sender, 9 digits that count that sender's messages from 1. In the text it follows `MARKER`."""


def text(size: int) -> str:
    """Of `size` ASCII characters, at least 28: what every message of a workload says."""
    begin = (MARKER + NUMBER).decode()
    return begin + "x" * (size - len(begin))


class Refused(Exception):
    """The server says no, or ends the connection; the text says why."""


@dataclass(eq=False, slots=True)
class Line:
    """One connection to the server. Outside of set-up its socket does not block.

    `rest` is what was received and not used yet; it begins where a frame begins.
    """

    user: str
    sock: socket.socket
    rest: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class Step:
    """Something to send, and what must come back before the next step.

    `take` gets all bytes received and not yet taken. Once they hold the whole answer it removes
    everything up to its end, whole frames only, and returns True; it returns False, and removes
    nothing that it must see again, while more is to come. It raises `Refused`.
    """

    send: bytes
    take: Callable[[bytearray], bool]


class Check(Protocol):
    """Looks at everything that one connection receives, by real parsing; the generator has one of
    every so many connections checked."""

    deliveries: int
    """So many whole ones were seen; the generator compares it with what it counted."""
    problems: list[str]
    """What is wrong, in words; the run is invalid if there is anything."""

    def feed(self, data: bytes) -> None:
        """The next bytes, cut anywhere; the first ones begin with a frame. Raises `Refused` if the
        server refuses something: it will never land."""


class Dialect(Protocol):
    """One protocol. Messages go to every member of a room on every line, their sender's included,
    if `senders_listen`."""

    @property
    def reply(self) -> bytes:
        """Stands once in every reply to a message that was accepted (where the server is asked to
        store: that was committed), and in nothing else that a sender's line receives. Replies on
        one line come in the order of the messages. At least 2 bytes; it does not overlap itself."""

    @property
    def alive(self) -> bytes:
        """Sent unasked on every line each 20 s, so that the server does not take it for dead while
        its pings are not looked for; empty if there is no need."""

    @property
    def senders_listen(self) -> bool:
        """False: whoever sends cannot be in a room (Redis), so senders get lines of their own."""

    def sign_in(self, address: Address, user: str, token: str) -> Sequence[Step]:
        """From the TCP connection to a server that knows the user. Without the token being checked
        no `connect` figure is comparable."""

    def open_room(self, lines: Sequence[Line], kind: Kind) -> str:
        """Make a new room of the users of `lines` (signed in, sockets blocking; one line per user)
        and return its name. When it returns, each of them gets what is said there, and nothing
        that belongs to setting up is on its way any more. Raises `Refused`."""

    def message(self, room: str, text: str) -> bytes:
        """The bytes by which a member says `text` in `room`: a whole frame, masked with zeros. The
        text stands in it as it is; `NUMBER` may stand in other places, too (request id, client id),
        but must be encoded as a string of fixed length."""

    def check(self) -> Check:
        """A fresh one. `NumberCheck` (checks.py) will do for a server that does not number."""
