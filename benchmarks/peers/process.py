"""A peer's server as one process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from ..dialect import Address, Dialect
from ..target import SECRET, Target

STARTS_WITHIN_S = 30.0
ENDS_WITHIN_S = 5.0


@contextmanager
def running(
    name: str,
    dialect: Dialect,
    command: Sequence[str],
    postgres: tuple[str, int] | None,
    conditions: str,
) -> Iterator[Target]:
    """`command` while it serves. `{port}` in it stands for a free port; its environment holds
    `PEER_PORT`, `PEER_SECRET` and, with `postgres`, `PEER_DSN`.

    Raises `RuntimeError` if the program ends, or accepts nothing within 30 s.
    """
    address = ("127.0.0.1", _free_port())
    settings = {"PEER_PORT": str(address[1]), "PEER_SECRET": SECRET}
    if postgres is not None:
        settings["PEER_DSN"] = postgres[0]
    process = subprocess.Popen(
        [word.replace("{port}", str(address[1])) for word in command],
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is the harness's, which then ends this one
    )
    try:
        _await_start(name, process, address)
        yield Target(
            name=name,
            dialect=dialect,
            address=address,
            store="memory" if postgres is None else "postgres",
            processes=_pids(process, postgres),
            conditions=[conditions],
        )
    finally:
        process.terminate()
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _pids(
    process: subprocess.Popen[bytes], postgres: tuple[str, int] | None
) -> Mapping[str, Sequence[int]]:
    server = {"server": [process.pid]}
    return server if postgres is None else server | {"postgres": [postgres[1]]}


def _await_start(name: str, process: subprocess.Popen[bytes], address: Address) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(address).close()
            return
        except OSError:
            time.sleep(0.05)
    said = "accepts no connections" if process.poll() is None else "ended; it said why above"
    raise RuntimeError(f"the peer {name} {said}")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
