"""The disconnect table: why the server ends a connection, and whether to come back.

The code alone decides (CONN-21): 3000–3499 come back, 3500–3999 do not; below 3000 are the codes of
RFC 6455, after which a client comes back, except 1002, 1003, 1007 and 1009, which would only happen
again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Disconnect:
    """`reason` goes into the close frame, so it holds no secret and at most 123 bytes."""

    code: int
    reason: str

    @property
    def reconnect(self) -> bool:
        return may_reconnect(self.code)


def may_reconnect(code: int) -> bool:
    """Whether a client that was closed with `code` should connect again."""
    if code >= 3000:
        return code < 3500
    return code not in (1002, 1003, 1007, 1009)


NORMAL = Disconnect(1000, "bye")
GOING_AWAY = Disconnect(1001, "going away")
TOO_LARGE = Disconnect(1009, "frame too large")
DRAIN = Disconnect(3001, "server is shutting down")
SLOW = Disconnect(3008, "slow consumer")
NO_PONG = Disconnect(3012, "no sign of life")
RATE = Disconnect(3013, "rate limit exceeded")
BAD_TOKEN = Disconnect(3500, "token refused or expired")
BAD_FRAME = Disconnect(3501, "bad frame")
HELLO_TIMEOUT = Disconnect(3502, "no hello in time")
REVOKED = Disconnect(3503, "session revoked")
CONNECTION_LIMIT = Disconnect(3504, "too many connections of this user")
BAD_VERSION = Disconnect(3505, "protocol version not supported")
PREMIUM_REQUIRED = Disconnect(3506, "no valid subscription")
FORBIDDEN = Disconnect(3507, "forbidden")

DISCONNECTS = (
    NORMAL,
    GOING_AWAY,
    TOO_LARGE,
    DRAIN,
    SLOW,
    NO_PONG,
    RATE,
    BAD_TOKEN,
    BAD_FRAME,
    HELLO_TIMEOUT,
    REVOKED,
    CONNECTION_LIMIT,
    BAD_VERSION,
    PREMIUM_REQUIRED,
    FORBIDDEN,
)
