"""Who is let in when too many come at once: those who are in must not feel it."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Final

import trio

from ..actors.bucket import Bucket, Rate
from ..protocol.disconnects import RATE

if TYPE_CHECKING:
    from .connection import Connection

MAX_RETURN_S: Final = 60


class Admission:
    """At most `per_s` handshakes a second; whoever is refused is told to come back when it will be
    their turn, so that they come at the rate at which they can be served.

    At most `max_strangers` connections that have not signed in. One more drops the one that has
    taken longest over it: an honest client is through in a few round trips, those that only hold
    a socket open are not.
    """

    def __init__(self, per_s: int, max_strangers: int) -> None:
        self._now = Bucket(Rate(per_s, 1.0))
        self._later = Bucket(Rate(per_s, 1.0, burst=per_s * MAX_RETURN_S))
        self._max_strangers = max_strangers
        self._strangers: dict[Connection, None] = {}

    def enter(self, connection: Connection) -> None:
        self._strangers[connection] = None
        if len(self._strangers) > self._max_strangers:
            slowest = next(iter(self._strangers))
            del self._strangers[slowest]
            slowest.close(RATE)

    def known(self, connection: Connection) -> None:
        """It has signed in, or gone."""
        self._strangers.pop(connection, None)

    def retry_after(self) -> int | None:
        """None if one more handshake may be made now; otherwise in how many seconds."""
        now = trio.current_time()
        if not self._now.take(now):
            return None
        if self._later.take(now):
            return random.randint(1, MAX_RETURN_S)
        return math.ceil(round(self._later.full_at - now, 3))
