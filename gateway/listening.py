"""Where a server can be reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .handshake import PATHS
from .listeners import netloc
from .tls import Certificate


@dataclass(frozen=True, slots=True)
class Listening:
    """Where clients connect now. `issue_token(user, ttl_s=…)` makes a token that is believed here;
    it raises `StartupError` where tokens come from elsewhere. `certificate` is the configured one:
    its `reload` reads it again, for connections to come."""

    host: str
    port: int
    http_host: str
    http_port: int
    issue_token: Callable[..., str]
    certificate: Certificate | None = None
    encrypted: bool = False
    """the WebSocket listener, which may be the host's own"""

    @property
    def ws_url(self) -> str:
        scheme = "wss" if self.encrypted else "ws"
        return f"{scheme}://{netloc(self.host, self.port)}{PATHS[0]}"

    @property
    def http_url(self) -> str:
        scheme = "http" if self.certificate is None else "https"
        return f"{scheme}://{netloc(self.http_host, self.http_port)}"
