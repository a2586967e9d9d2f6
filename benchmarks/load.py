"""Connections for the measurements of what goes wrong, which read whatever they get (paced.py).

What measures speed counts instead: flow.py.
"""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .frames import masked_frame, read_item, read_until


@dataclass(eq=False, slots=True)
class Device:
    """One connection; `unsent` is what the socket did not take yet."""

    user: str
    sock: socket.socket
    unsent: bytearray = field(default_factory=bytearray)


class Load:
    """All connections of one run. Everything here blocks."""

    def __init__(self, host: str, port: int, token: Callable[[str], str]) -> None:
        self._address = (host, port)
        self._token = token
        self.devices: list[Device] = []

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

    def close(self) -> None:
        for device in self.devices:
            device.sock.close()


def flush(device: Device) -> None:
    try:
        count = device.sock.send(device.unsent)
    except BlockingIOError:
        return
    del device.unsent[:count]
