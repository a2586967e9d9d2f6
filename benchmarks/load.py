"""A lean WebSocket load generator: one process, one epoll, no protocol library in the loop.

It builds its frames beforehand and counts what comes back by searching for markers in the raw
bytes, so that a delivery costs it a fraction of what it costs the server.
"""

from __future__ import annotations

import base64
import os
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .frames import masked_frame, read_item, read_until

MARKER = b"~load~"
"""Stands once in every message text, so once in every delivery."""
_REPLY = b"\xa1t\xa5reply"
_TAIL = max(len(MARKER), len(_REPLY)) - 1


@dataclass(eq=False, slots=True)
class Device:
    """One connection. `delivered` and `replied` count what has arrived."""

    user: str
    sock: socket.socket
    delivered: int = 0
    replied: int = 0
    sent: int = 0
    tail: bytes = b""
    unsent: bytearray = field(default_factory=bytearray)

    def take(self, data: bytes) -> tuple[int, int]:
        """Count `data`: deliveries and replies in it."""
        data = self.tail + data
        deliveries = data.count(MARKER)
        replies = data.count(_REPLY)
        # What a marker of the next chunk may begin with; a marker inside was counted already.
        cut = max(data.rfind(MARKER) + len(MARKER), data.rfind(_REPLY) + len(_REPLY))
        self.tail = data[max(cut, len(data) - _TAIL) :] if cut >= _TAIL else data[-_TAIL:]
        self.delivered += deliveries
        self.replied += replies
        return deliveries, replies


class Load:
    """All connections of one run. Blocking while it sets up; `run` is the measured loop."""

    def __init__(self, host: str, port: int, token: Callable[[str], str]) -> None:
        self._address = (host, port)
        self._token = token
        self._selector = selectors.DefaultSelector()
        self.devices: list[Device] = []
        self.delivered = 0
        self.replied = 0

    def connect(self, user: str, *, receive_buffer: int | None = None) -> Device:
        """Open a connection and sign in. `receive_buffer`: bytes that the kernel takes for it."""
        sock = socket.socket()
        if receive_buffer is not None:  # counts only if it is set before
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.connect(self._address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        sock.sendall(
            f"GET /v1/ws HTTP/1.1\r\nHost: load\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: palaver.v1.msgpack\r\n\r\n".encode()
        )
        read_until(sock, b"\r\n\r\n")
        device = Device(user, sock)
        self.call(device, {"t": "hello", "id": 1, "v": 1, "d": {"token": self._token(user)}})
        self.devices.append(device)
        return device

    def call(self, device: Device, item: dict[str, Any]) -> dict[str, Any]:
        """Send one item and return its answer, passing over everything else. For setting up."""
        device.sock.setblocking(True)
        device.sock.sendall(masked_frame(item))
        while True:
            answer = read_item(device.sock)
            if answer.get("id") == item["id"]:
                if "error" in answer:
                    raise RuntimeError(f"{item['t']}: {answer['error']}")
                return answer

    def run(
        self,
        senders: Sequence[Device],
        frames: Sequence[bytes],
        *,
        window: int,
        seconds: float,
        copies: int,
    ) -> tuple[float, int]:
        """Each sender keeps `window` messages in flight for `seconds`; a message has landed when
        it is replied to and all its `copies` are delivered. Returns the time until the last one
        landed, and how many were sent."""
        for device in self.devices:
            device.sock.setblocking(False)
            self._selector.register(device.sock, selectors.EVENT_READ, device)
        sent = 0
        began = time.perf_counter()
        end = began + seconds
        allowed = len(senders) * window
        while True:
            now = time.perf_counter()
            if now < end:
                landed = min(self.delivered // copies, self.replied)
                for index, device in enumerate(senders):
                    room = min(window - (device.sent - device.replied), allowed - (sent - landed))
                    if room > 0:
                        device.unsent += frames[index] * room
                        device.sent += room
                        sent += room
                        flush(device)
            elif self.replied >= sent and self.delivered >= sent * copies:
                break
            elif now > end + 30:
                raise RuntimeError(
                    f"lost: {sent} sent, {self.replied} replied, {self.delivered} delivered"
                )
            for key, _ in self._selector.select(0.05):
                device = key.data
                while True:
                    try:
                        data = device.sock.recv(262_144)
                    except BlockingIOError:
                        break
                    if not data:
                        raise RuntimeError(f"the server closed the connection of {device.user}")
                    delivered, replied = device.take(data)
                    self.delivered += delivered
                    self.replied += replied
                    if len(data) < 262_144:
                        break
                if device.unsent:
                    flush(device)
        took = time.perf_counter() - began
        for device in self.devices:
            self._selector.unregister(device.sock)
        return took, sent

    def close(self) -> None:
        for device in self.devices:
            device.sock.close()


def flush(device: Device) -> None:
    try:
        count = device.sock.send(device.unsent)
    except BlockingIOError:
        return
    del device.unsent[:count]
