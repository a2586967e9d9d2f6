"""The kit for testing with an engine: no network, no disk, no waiting.

    async def test_a_reply_reaches_bob(autojump_clock):
        async with memory_engine() as engine:
            bob = Device(engine, "bob")
            ann = engine.as_user("ann")
            await ann.send_to("bob", "hi")
            assert bob.texts() == ["hi"]

A call returns after its event was pushed, so what it caused can be asserted at once. Under
pytest-trio's `autojump_clock` time passes only while everybody waits: `TrioClock` makes the
engine's time follow it.
"""

from __future__ import annotations

from .clock import TrioClock
from .device import Device
from .engine import memory_engine, numbered_ids
from .follows import Follows

__all__ = ["Device", "Follows", "TrioClock", "memory_engine", "numbered_ids"]
