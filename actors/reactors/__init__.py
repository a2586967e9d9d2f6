"""Reactors: what happens after an event is stored.

A reactor has a bounded queue and a task of its own, so it never delays a conversation. It sees
every event once, in the order of its conversation, while the engine lives; what is queued when the
engine dies is not seen again. A full queue drops the newest event, and counts it. A reactor that
raises is logged and goes on with the next event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import structlog
import trio

from ...protocol.events import Event
from ..logs import stack

_log = structlog.get_logger("palaver.reactors")


class Reactor(Protocol):
    async def react(self, event: Event) -> None:
        """Do what follows from `event`, which is stored. May take its time."""
        ...


class Reactors:
    """All reactors of an engine: `offer` is called by conversations, `run` is their task."""

    def __init__(self, reactors: Sequence[Reactor], capacity: int = 10_000) -> None:
        self._queues = [
            (reactor, *trio.open_memory_channel[Event](capacity)) for reactor in reactors
        ]
        self.dropped = 0

    def offer(self, event: Event) -> None:
        for _, send, _ in self._queues:
            try:
                send.send_nowait(event)
            except trio.WouldBlock:
                self.dropped += 1

    def start(self, nursery: trio.Nursery) -> None:
        for reactor, _, receive in self._queues:
            nursery.start_soon(_run, reactor.react, receive)


async def _run(react: Callable[[Event], object], events: trio.MemoryReceiveChannel[Event]) -> None:
    async for event in events:
        try:
            await react(event)  # type: ignore[misc]
        except Exception as error:
            _log.error("reactor failed", kind=event.kind, stack=stack(error))
