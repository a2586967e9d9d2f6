"""Redis pub/sub: no chat, but what a broadcast costs in C, and so a bound."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ..target import Target
from .process import running
from .redis import Redis

OPTIONS = {
    "--bind": "127.0.0.1",
    "--save": "",
    "--appendonly": "no",
    "--maxclients": "20000",
    "--tcp-backlog": "4096",
    "--loglevel": "warning",
}


@dataclass(frozen=True, slots=True)
class RedisPeer:
    """Stores nothing and knows no tokens, so there is neither `durable` nor `connect`."""

    name: str = "redis"
    workloads: frozenset[str] = frozenset({"fanout", "direct", "idle"})

    def missing(self) -> str | None:
        if shutil.which("redis-server") is None:
            return (
                "needs redis-server, which is not on the PATH; "
                "on Debian and Ubuntu: apt-get install redis-server"
            )
        return None

    def start(
        self, postgres: tuple[str, int] | None, settings: Mapping[str, str]
    ) -> AbstractContextManager[Target]:
        options = [word for option in OPTIONS.items() for word in option]
        command = ["redis-server", "--port", "{port}", *options]
        conditions = f"{self.name}: {_version()}; nothing is written to disk"
        return running(self.name, Redis(), command, None, conditions)


def _version() -> str:
    """ "Redis server v=7.0.15 sha=…" says that it is 7.0.15."""
    said = subprocess.run(["redis-server", "--version"], check=True, capture_output=True, text=True)
    return next(word[2:] for word in said.stdout.split() if word.startswith("v="))
