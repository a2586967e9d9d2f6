"""palaver itself as a contender: `palaver serve` in its own process, or one that runs already."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from .palaver_dialect import PalaverDialect
from .server import Server
from .target import UNLIMITED, Target, Tokens
from .workloads import WORKLOADS

_FREE = UNLIMITED | {
    "PALAVER_CONNECTIONS__MAX_STRANGERS": "50000",
    "PALAVER_CONNECTIONS__HEARTBEAT_S": "300",
    "PALAVER_LISTEN__BACKLOG": "4096",
    "PALAVER_POLICY__MAX_MEMBERS": "100000",
    "PALAVER_POLICY__MAX_CHARS": "100000",
}


class Palaver:
    """Started by the harness, with every limit off that would be all that is measured."""

    name = "palaver"
    workloads = frozenset(WORKLOADS)

    def __init__(self, durability: str = "write_behind") -> None:
        self.profile: Path | None = None
        """Where the next server leaves what cProfile says of it, if anywhere."""
        self._durability = durability

    def missing(self) -> str | None:
        return None

    @contextmanager
    def start(
        self, postgres: tuple[str, int] | None, settings: Mapping[str, str]
    ) -> Iterator[Target]:
        chosen = _FREE | dict(settings)
        with ExitStack() as stack:
            data = dsn = None
            if postgres is not None:
                dsn = postgres[0]
                above = stack.enter_context(tempfile.TemporaryDirectory(prefix="palaver-"))
                data = Path(above) / "data"
            server = stack.enter_context(
                Server(data, self._durability, dsn=dsn, settings=chosen, profile=self.profile)
            )
            said = (f"{name.removeprefix('PALAVER_')}={value}" for name, value in chosen.items())
            yield Target(
                name=self.name,
                dialect=PalaverDialect(),
                address=(server.host, server.port),
                store="memory" if postgres is None else "postgres",
                processes={"server": [server.pid]}
                | ({} if postgres is None else {"postgres": [postgres[1]]}),
                conditions=[
                    f"palaver: durability {self._durability}",
                    f"palaver: {' '.join(said)}",
                ],
            )


class Elsewhere:
    """A palaver of the user's own, at `url` (ws://host:port); `pid` of its process if it is on this
    machine. Raises `ValueError` for a URL that cannot be used."""

    name = "target"
    workloads = frozenset(WORKLOADS)

    def __init__(self, url: str, tokens: Tokens, pid: int | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme == "wss":
            raise ValueError(f"{url!r}: wss is not spoken; name the ws:// address behind the proxy")
        if parts.scheme != "ws" or parts.hostname is None:
            raise ValueError(f"{url!r}: a URL like ws://host:8765 is needed")
        self._address = (parts.hostname, parts.port or 80)
        self._tokens = tokens
        self._pid = pid

    def missing(self) -> str | None:
        return None

    @contextmanager
    def start(
        self, postgres: tuple[str, int] | None, settings: Mapping[str, str]
    ) -> Iterator[Target]:
        """It runs already, so nothing can be set or stored for it: `postgres` is passed over."""
        yield Target(
            name=self.name,
            dialect=PalaverDialect(),
            address=self._address,
            store="its own",
            tokens=self._tokens,
            processes={} if self._pid is None else {"server": [self._pid]},
            conditions=["target: its limits and its store are its own"],
        )
