"""A large group in which everybody looks and everybody reads everything: what does a read cost?"""

from __future__ import annotations

import argparse
import os
import select
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from .frames import masked_frame
from .load import Device, Load
from .postgres import temporary_data
from .rooms import TEXT_BYTES, room
from .server import Server

BATCHES = ((0.0, 1), (2.0, 10), (2.0, 100))
"""`receipts_batch_s` and `receipts_batch_n`: at once, and as RCPT-09 has it."""

_RECEIVE = 1 << 20
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """CPU of the engine in seconds; what all members received in bytes."""

    reads: int
    cpu: float
    received: int


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser("python -m palaver.benchmarks receipts", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each run")
    parser.add_argument("--members", type=int, default=256)
    parser.add_argument("--store", choices=("memory", "postgres"), default="postgres")
    options = parser.parse_args(arguments)
    console = Console(width=110)
    console.print(
        f"a group of {options.members} who all look and read in turn, one after another, a message "
        f"after each round, {options.store}, {options.seconds:g} s; no rate limits"
    )
    table = Table("batch", "reads", "CPU µs per read", "bytes received per read")
    for seconds, most in BATCHES:
        run = _run(options, seconds, most)
        table.add_row(
            "none" if most == 1 else f"{seconds:g} s or {most} reads",
            f"{run.reads}",
            f"{1e6 * run.cpu / run.reads:.0f}",
            f"{run.received / run.reads:.0f}",
        )
    console.print(table)
    console.print(f"load average of the machine: {os.getloadavg()[1]:.1f}, cores: {os.cpu_count()}")


def _run(options: argparse.Namespace, batch_s: float, batch_n: int) -> Run:
    settings = {
        "PALAVER_POLICY__MAX_MEMBERS": str(options.members),
        "PALAVER_POLICY__RECEIPTS_BATCH_S": str(batch_s),
        "PALAVER_POLICY__RECEIPTS_BATCH_N": str(batch_n),
    }
    with ExitStack() as stack:
        data = stack.enter_context(temporary_data()) if options.store == "postgres" else None
        server = stack.enter_context(Server(data, settings=settings))
        load = Load(server.host, server.port, server.token)
        stack.callback(load.close)
        conversation = room(load, options.members)
        for device in load.devices:
            load.call(device, {"t": "conversation.subscribe", "id": 3, "c": conversation})
        sink = _Sink(load.devices)
        stack.callback(sink.close)
        before = server.cpu()
        reads = _talk(options.seconds, load.devices, conversation, sink)
        sink.listen(batch_s + 0.5)
        return Run(reads, server.cpu() - before, sink.received)


def _talk(seconds: float, devices: Sequence[Device], conversation: str, sink: _Sink) -> int:
    """Each in turn reads to the end, when the one before has its answer: so none is told in one
    write with another. After each round somebody says something."""
    text = {"text": "x" * TEXT_BYTES}
    said = masked_frame({"t": "message.send", "id": 1, "c": conversation, "d": text})
    read = masked_frame({"t": "message.read", "id": 1, "c": conversation, "d": {}})
    end = time.perf_counter() + seconds
    reads = answers = 0
    while time.perf_counter() < end:
        for sender, frame in [(devices[-1], said), *((device, read) for device in devices[:-1])]:
            sender.sock.send(frame)
            answers += 1
            sink.await_answers(answers)
        reads += len(devices) - 1
    return reads


class _Sink:
    """Takes in whatever comes, so that nobody is slow, and counts it."""

    def __init__(self, devices: Sequence[Device]) -> None:
        self.received = self.replies = 0
        self._buffer = bytearray(_RECEIVE)
        self._epoll = select.epoll()
        self._socks = {device.sock.fileno(): device.sock for device in devices}
        for sock in self._socks.values():
            sock.setblocking(False)
            self._epoll.register(sock, select.EPOLLIN)

    def await_answers(self, count: int) -> None:
        """Raises `RuntimeError` if there are not so many for long."""
        until = time.perf_counter() + _PATIENCE_S
        while self.replies < count:
            if time.perf_counter() > until:
                raise RuntimeError(f"{count - self.replies} answers are missing")
            self._take(0.1)

    def listen(self, seconds: float) -> None:
        until = time.perf_counter() + seconds
        while (wait := until - time.perf_counter()) > 0:
            self._take(wait)

    def _take(self, wait: float) -> None:
        for fd, _ in self._epoll.poll(wait):
            size = self._socks[fd].recv_into(self._buffer)
            self.received += size
            self.replies += self._buffer.count(b"\xa2ok", 0, size)

    def close(self) -> None:
        self._epoll.close()
