"""FastAPI on uvicorn with asyncpg."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from ..target import Target
from .json_chat import JsonChat
from .process import running

PACKAGES = ("fastapi", "uvicorn", "uvloop", "websockets", "asyncpg")


@dataclass(frozen=True, slots=True)
class FastApiPeer:
    """With everything that `uvicorn[standard]` brings."""

    name: str = "fastapi"
    workloads: frozenset[str] = frozenset({"fanout", "direct", "durable", "idle", "connect"})

    def missing(self) -> str | None:
        try:
            _versions()
        except PackageNotFoundError as error:
            return f"needs the Python package {error.name}: pip install 'palaver[peers]'"
        return None

    def start(
        self, postgres: tuple[str, int] | None, settings: Mapping[str, str]
    ) -> AbstractContextManager[Target]:
        command = [sys.executable, "-m", "palaver.benchmarks.peers.fastapi_server"]
        conditions = f"{self.name}: {_versions()}; one process, no compression"
        return running(self.name, JsonChat(), command, postgres, conditions)


def _versions() -> str:
    """Raises `PackageNotFoundError`."""
    return ", ".join(f"{package} {version(package)}" for package in PACKAGES)
