"""The peers on Node: Socket.IO and bare `ws`, both with `pg`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from ..target import Target
from . import npm
from .json_chat import JsonChat
from .process import running
from .socketio import SocketIo


@dataclass(frozen=True, slots=True)
class NodePeer:
    """`program` is a file in node/; `packages` are those whose versions matter."""

    name: str
    program: str
    packages: tuple[str, ...]
    dialect: JsonChat | SocketIo
    workloads: frozenset[str] = frozenset({"fanout", "direct", "durable", "idle", "connect"})

    def missing(self) -> str | None:
        return npm.missing()

    def start(
        self, postgres: tuple[str, int] | None, settings: Mapping[str, str]
    ) -> AbstractContextManager[Target]:
        """Installs the packages first if they are not there yet. Raises `RuntimeError`.

        What is stored on several connections at a time is not stored in the order it came in.
        """
        directory = npm.install()
        versions = [f"Node {npm.node_version()}"]
        versions += [f"{package} {_version(directory, package)}" for package in self.packages]
        command = ["node", str(directory / self.program)]
        conditions = f"{self.name}: {', '.join(versions)}; one process, no compression"
        dialect = replace(self.dialect, ordered=postgres is None)
        return running(self.name, dialect, command, postgres, conditions)


def _version(directory: Path, package: str) -> str:
    about = json.loads((directory / "node_modules" / package / "package.json").read_text("utf-8"))
    version: str = about["version"]
    return version
