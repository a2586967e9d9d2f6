"""What people do: talk in one big group, or in many conversations of two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .frames import masked_frame
from .load import MARKER, Device, Load
from .server import Server

TEXT_BYTES = 120


@dataclass(frozen=True, slots=True)
class Figures:
    """One run: `copies` are deliveries per message, CPU is in seconds."""

    messages: int
    seconds: float
    copies: int
    server_cpu: float
    postgres_cpu: float
    generator_cpu: float

    @property
    def messages_per_s(self) -> float:
        return self.messages / self.seconds

    @property
    def deliveries_per_s(self) -> float:
        return self.messages * self.copies / self.seconds

    @property
    def us_per_message(self) -> float:
        return self.server_cpu / self.messages * 1e6

    @property
    def postgres_us_per_message(self) -> float:
        return self.postgres_cpu / self.messages * 1e6

    @property
    def us_per_delivery(self) -> float:
        return self.us_per_message / self.copies

    @property
    def saturated_generator(self) -> bool:
        """The generator was the bottleneck, so the rate says nothing of the server."""
        return self.generator_cpu > 0.95 * self.seconds


Workload = Callable[[Load, Server, float], Figures]


def group(
    load: Load,
    server: Server,
    seconds: float,
    *,
    members: int = 100,
    senders: int = 10,
    window: int = 16,
) -> Figures:
    """One group; some of its members write, all of them get everything."""
    conversation = room(load, members)
    frames = [_message(conversation)] * senders
    return _measure(load, server, load.devices[:senders], frames, window, seconds, copies=members)


def direct(
    load: Load, server: Server, seconds: float, *, count: int = 200, window: int = 8
) -> Figures:
    """Many conversations of two, in each of which one writes; both get it."""
    pairs = chats(load, count)
    writers = [writer for writer, _ in pairs]
    frames = [_message(conversation) for _, conversation in pairs]
    return _measure(load, server, writers, frames, window, seconds, copies=2)


def room(load: Load, members: int, *absent: str) -> str:
    """A new group of `members` who connect now, and of `absent` who do not."""
    devices = [load.connect(f"user{index}") for index in range(members)]
    others = [*(device.user for device in devices[1:]), *absent]
    return _create(load, devices[0], {"kind": "group", "members": others})


def chats(load: Load, count: int) -> list[tuple[Device, str]]:
    """Each a writer and its direct conversation with a reader; both connect now."""
    pairs = []
    for index in range(count):
        writer = load.connect(f"writer{index}")
        load.connect(f"reader{index}")
        item = {"kind": "direct", "members": [f"reader{index}"]}
        pairs.append((writer, _create(load, writer, item)))
    return pairs


def _create(load: Load, device: Device, data: dict[str, Any]) -> str:
    created = load.call(device, {"t": "conversation.create", "id": 2, "d": data})
    conversation: str = created["c"]
    return conversation


def _message(conversation: str) -> bytes:
    text = MARKER.decode() + "x" * (TEXT_BYTES - len(MARKER))
    return masked_frame({"t": "message.send", "id": 3, "c": conversation, "d": {"text": text}})


def _measure(
    load: Load,
    server: Server,
    senders: list[Device],
    frames: list[bytes],
    window: int,
    seconds: float,
    copies: int,
) -> Figures:
    load.run(senders, frames, window=window, seconds=min(1.0, seconds), copies=copies)  # warm up
    load.delivered = load.replied = 0
    for device in load.devices:
        device.sent = device.replied = device.delivered = 0
    before = server.cpu(), server.postgres_cpu(), server.own_cpu()
    took, sent = load.run(senders, frames, window=window, seconds=seconds, copies=copies)
    after = server.cpu(), server.postgres_cpu(), server.own_cpu()
    used = [late - early for early, late in zip(before, after, strict=True)]
    return Figures(sent, took, copies, *used)


WORKLOADS: dict[str, Workload] = {"group": group, "direct": direct}
