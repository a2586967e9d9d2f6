"""Many connections at once, each going through the same steps: sign in, perhaps resume."""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .dialect import Address, Line, Refused, Step
from .histogram import Histogram
from .lines import allow_files, close

_PATIENCE_S = 60.0
_TRIES = 5
_AGAIN_S = 0.2


@dataclass(eq=False, slots=True)
class _Caller:
    """`at`: the step whose answer is awaited; -1 is the TCP connection."""

    index: int
    since: float
    steps: Sequence[Step]
    line: Line
    tries: int
    at: int = -1


class Storm:
    """Brings every one of `users` through `steps(index)`, `at_once` of them at a time.

    `latency` counts from the first try to connect until the last step was answered. `refused`
    counts tries that the server turned away, after which it was tried again.
    """

    def __init__(
        self,
        address: Address,
        users: Sequence[str],
        steps: Callable[[int], Sequence[Step]],
        at_once: int,
    ) -> None:
        self.lines: list[Line] = []
        self.latency = Histogram()
        self.refused = 0
        self._address = address
        self._users = users
        self._steps = steps
        self._at_once = at_once
        self._callers: dict[int, _Caller] = {}
        self._turned_away: list[tuple[float, _Caller]] = []
        self._epoll = select.epoll()

    def run(self) -> None:
        """Raises `Refused` if one is turned away five times, or nothing happens for a minute; no
        line is left open then."""
        allow_files(len(self._users))
        try:
            self._run()
        except BaseException:
            close([*self.lines, *(caller.line for caller in self._callers.values())])
            raise
        finally:
            self._epoll.close()

    def _run(self) -> None:
        begun, last = 0, time.perf_counter()
        while len(self.lines) < len(self._users):
            now = time.perf_counter()
            while begun < len(self._users) and self._busy < self._at_once:
                self._call(begun, time.perf_counter(), 1)
                begun += 1
            while self._turned_away and self._turned_away[0][0] <= now:
                _, caller = self._turned_away.pop(0)
                self._call(caller.index, caller.since, caller.tries + 1)
            for fd, _ in self._epoll.poll(0.05):
                last = now
                self._progress(fd)
            if now - last > _PATIENCE_S:
                came = f"{len(self.lines)} of {len(self._users)} came through"
                raise Refused(f"{came}, then there was silence")

    @property
    def _busy(self) -> int:
        return len(self._callers) + len(self._turned_away)

    def _call(self, index: int, since: float, tries: int) -> None:
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(self._users[index], sock)
        self._callers[sock.fileno()] = _Caller(index, since, self._steps(index), line, tries)
        self._epoll.register(sock, select.EPOLLOUT)
        code = sock.connect_ex(self._address)
        if code not in (0, errno.EINPROGRESS):
            raise Refused(f"connecting: {errno.errorcode.get(code, code)}")

    def _progress(self, fd: int) -> None:
        """Something has come for this caller."""
        caller = self._callers[fd]
        try:
            through = self._advance(caller)
        except (Refused, OSError) as why:
            self._forget(fd)
            caller.line.sock.close()
            self.refused += 1
            if caller.tries == _TRIES:
                raise Refused(f"turned away {_TRIES} times: {why}") from None
            self._turned_away.append((time.perf_counter() + _AGAIN_S, caller))
            return
        if through:
            self.latency.record(time.perf_counter() - caller.since)
            self._forget(fd)
            self.lines.append(caller.line)

    def _forget(self, fd: int) -> None:
        del self._callers[fd]
        self._epoll.unregister(fd)

    def _advance(self, caller: _Caller) -> bool:
        """Whether it has come through."""
        sock, rest = caller.line.sock, caller.line.rest
        if caller.at < 0:
            if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(code, "connecting")
            self._epoll.modify(sock, select.EPOLLIN)
            return _next(caller)
        data = sock.recv(262_144)
        if not data:
            raise Refused("the server closed the connection")
        rest += data
        while caller.steps[caller.at].take(rest):
            if _next(caller):
                return True
        return False


def _next(caller: _Caller) -> bool:
    """Begin the next step; True if there is none."""
    caller.at += 1
    if caller.at == len(caller.steps):
        return True
    send = caller.steps[caller.at].send
    # It is far smaller than an empty send buffer.
    if send and caller.line.sock.send(send) != len(send):
        raise Refused("the send buffer is full")
    return False
