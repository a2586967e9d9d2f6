"""Sending at a fixed rate, whatever comes back: an open loop, which a slow server cannot slow down.

Latency counts from when a message was due. A generator that waits for answers before it sends
again would not see the very moments that matter (“coordinated omission”).
"""

from __future__ import annotations

import gc
import selectors
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgpack

from .frames import CLOSE, ITEM, PING, Closed, masked_frame, pong, take_frames
from .load import Device, flush
from .trace import Trace


def client_id(k: int) -> str:
    """Of message k; ids sort as their numbers do."""
    return f"m{k:08}"


class Paced:
    """`senders` (a device and the conversation it writes to) take turns, `rate` messages a second
    in all; `readers` are all devices that are read from. `trace` fills as it runs."""

    def __init__(
        self,
        readers: Sequence[Device],
        senders: Sequence[tuple[Device, str]],
        *,
        rate: float,
        text_bytes: int = 120,
    ) -> None:
        self.trace = Trace(rate)
        self.began = 0.0
        """On the clock `time.perf_counter`."""
        self._readers = readers
        self._senders = senders
        self._text = "x" * text_bytes
        self._buffers = {device: bytearray() for device in readers}

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.began

    def run(self, ended: Callable[[], bool], *, grace: float = 30.0) -> None:
        """Send until `ended`, then wait until all is answered, at most `grace` seconds.

        Raises `Closed` if the server closes a connection that it reads from.
        """
        trace = self.trace
        gc.collect()
        gc.disable()  # its pauses would be taken for the server's
        try:
            with selectors.DefaultSelector() as selector:
                for device in self._readers:
                    device.sock.setblocking(False)
                    selector.register(device.sock, selectors.EVENT_READ, device)
                self.began = time.perf_counter()
                while not ended():
                    while trace.due(trace.sent) <= self.now:
                        self._send()
                    self._read(selector, min(trace.due(trace.sent) - self.now, 0.05))
                deadline = self.now + grace
                while trace.answered < trace.sent and self.now < deadline:
                    self._read(selector, 0.05)
        finally:
            gc.enable()

    def _send(self) -> None:
        k = self.trace.add(self.now)
        device, conversation = self._senders[k % len(self._senders)]
        data = {"text": self._text, "client_id": client_id(k)}
        item = {"t": "message.send", "id": k, "c": conversation, "d": data}
        device.unsent += masked_frame(item)
        flush(device)

    def _read(self, selector: selectors.BaseSelector, seconds: float) -> None:
        for key, _ in selector.select(max(seconds, 0)):
            device: Device = key.data
            data = device.sock.recv(262_144)
            if not data:
                raise Closed(f"the connection of {device.user}")
            at = self.now
            buffer = self._buffers[device]
            buffer += data
            for opcode, payload in take_frames(buffer):
                if opcode == ITEM:
                    self._take(msgpack.unpackb(payload), at)
                elif opcode == PING:
                    device.unsent += pong(payload)
                elif opcode == CLOSE:
                    raise Closed(f"the connection of {device.user}: {payload[2:].decode()}")
            if device.unsent:
                flush(device)

    def _take(self, item: dict[str, Any], at: float) -> None:
        match item:
            case {"t": "message.sent", "d": {"client_id": str(id)}}:
                self.trace.delivered(int(id[1:]), at)
            case {"t": "reply", "id": k, "ok": {"seq": seq}, "c": conversation}:
                self.trace.replied(k, at, (conversation, seq))
            case {"t": "reply", "id": k, "error": {"code": code}}:
                self.trace.refused(k, at, code)
