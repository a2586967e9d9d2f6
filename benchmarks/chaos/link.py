"""The network of one device: a TCP proxy that can be cut, deaf or slow."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

import trio

Target = tuple[str, int]

_CHUNK = 16_384
_TRICKLE = 512
_TRICKLE_EVERY = 0.25
_RECEIVE_BUFFER = 4096
"""Towards the engine: what a slow device does not read is soon the engine's to hold."""
_RESET = struct.pack("ii", 1, 0)


class Link:
    """Forwards what comes to `port` to where `target()` says at that time.

    `deaf`: whatever is sent in either direction vanishes, and nobody is told. `slow`: the device
    gets 2 KiB/s. `swallowed` counts the bytes that vanished.
    """

    def __init__(self, target: Callable[[], Target | None]) -> None:
        self.port = 0
        self.deaf = False
        self.slow = False
        self.swallowed = 0
        self._target = target
        self._tunnels: set[_Tunnel] = set()

    async def serve(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Until cancelled."""
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listener.socket.getsockname()[1]
        task_status.started()
        await trio.serve_listeners(self._accept, [listener])

    def cut(self) -> None:
        """Reset every connection."""
        for tunnel in list(self._tunnels):
            tunnel.reset()

    async def _accept(self, near: trio.SocketStream) -> None:
        target = self._target()
        async with near:
            if target is None:
                return
            far = trio.socket.socket()
            far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            with far:
                try:
                    await far.connect(target)
                except OSError:
                    return
                tunnel = _Tunnel(self, near.socket, far)
                self._tunnels.add(tunnel)
                try:
                    await tunnel.run()
                finally:
                    self._tunnels.discard(tunnel)


class _Tunnel:
    def __init__(
        self, link: Link, near: trio.socket.SocketType, far: trio.socket.SocketType
    ) -> None:
        self._link = link
        self._near = near
        self._far = far
        self._scope = trio.CancelScope()

    def reset(self) -> None:
        """Both ends get RST instead of FIN."""
        for sock in (self._near, self._far):
            if sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._scope.cancel()

    async def run(self) -> None:
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._pump, self._near, self._far, False)
                nursery.start_soon(self._pump, self._far, self._near, True)

    async def _pump(
        self, source: trio.socket.SocketType, sink: trio.socket.SocketType, down: bool
    ) -> None:
        link = self._link
        try:
            while True:
                slow = down and link.slow
                data = await source.recv(_TRICKLE if slow else _CHUNK)
                if not data:
                    break
                if slow:
                    await trio.sleep(_TRICKLE_EVERY)
                if link.deaf:
                    link.swallowed += len(data)
                    continue
                view = memoryview(data)
                while view:
                    view = view[await sink.send(view) :]
        except OSError:
            pass
        self._scope.cancel()
