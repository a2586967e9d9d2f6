"""Opening connections, and doing things on them one after another: what comes before measuring."""

from __future__ import annotations

import resource
import socket
from collections.abc import Sequence

from .dialect import Address, Dialect, Line, Refused, Step
from .target import Target

_PATIENCE_S = 30.0


def do(line: Line, step: Step) -> None:
    """Send it and wait for its answer. Raises `Refused`, also after 30 s without an answer."""
    line.sock.settimeout(_PATIENCE_S)
    try:
        line.sock.sendall(step.send)
        while not step.take(line.rest):
            receive(line)
    except OSError as error:
        raise Refused(f"set-up: {error}") from None
    line.sock.setblocking(True)


def receive(line: Line) -> None:
    """Add to `rest` what comes next, waiting for it. Raises `Refused` if nothing ever will."""
    data = line.sock.recv(65_536)
    if not data:
        raise Refused("the server closed a connection")
    line.rest += data


def connect(dialect: Dialect, address: Address, user: str, token: str) -> Line:
    """A connection of `user`, signed in. Raises `Refused`."""
    try:
        sock = socket.create_connection(address, _PATIENCE_S)
    except OSError as error:
        raise Refused(f"connecting: {error}") from None
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line = Line(user, sock)
    for step in dialect.sign_in(address, user, token):
        do(line, step)
    return line


def people(target: Target, count: int) -> list[Line]:
    """So many users, each with a connection. Raises `Refused`."""
    allow_files(count)
    return [
        connect(target.dialect, target.address, user, token)
        for user, token in target.tokens.users(count)
    ]


def close(lines: Sequence[Line]) -> None:
    for line in lines:
        line.sock.close()


def allow_files(count: int) -> None:
    """See to it that this process, and those that it starts, may open `count` sockets. Raises
    `Refused` if they may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 100
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Refused(f"{count} connections need `ulimit -n {wanted}`; the limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
