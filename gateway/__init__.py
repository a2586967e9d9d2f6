"""The network side of an engine: `serve` listens, `open_gateway` takes any stream.

    server.py listeners.py         addresses, accepting, the drain on cancellation
    gateway.py                     what all connections share
    connection.py                  one connection: the reading side, its deadlines, its end
    handshake.py hello.py          who is there: path, origin, subprotocol, token
    auth/                          whose token it is: keys, sessions, revocation
    tls.py                         the certificate, and reading it again
    websocket.py streams.py wire.py  RFC 6455 in; items to frames out
    socket_outbox.py write_side.py what is written: in order, at once if possible, bounded
    http.py http_server.py         the HTTP side, on a port of its own: health, readiness, metrics,
    rest/                          and all that a socket can do
    health.py metrics.py           what they show
    host_calls.py                  what the product tells it by HTTP, signed
    client/ cli/                   the Python client and the command line

Names are loaded when they are asked for, so that a program that only needs `gateway.client` does
not load a server with it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "Gateway",
    "Identity",
    "Listening",
    "Session",
    "SessionStore",
    "TokenVerifier",
    "Verifier",
    "issue_token",
    "open_gateway",
    "serve",
]

if TYPE_CHECKING:
    from .auth import (
        Identity,
        Session,
        SessionStore,
        TokenVerifier,
        Verifier,
        issue_token,
    )
    from .gateway import Gateway, open_gateway
    from .listening import Listening
    from .server import serve
else:
    _HOMES = {
        "Gateway": ".gateway",
        "Identity": ".auth",
        "Listening": ".listening",
        "Session": ".auth",
        "SessionStore": ".auth",
        "TokenVerifier": ".auth",
        "Verifier": ".auth",
        "issue_token": ".auth",
        "open_gateway": ".gateway",
        "serve": ".server",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name], __name__), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
