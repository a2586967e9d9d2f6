"""The same as `direct`, with every message stored and every reply after its commit."""

from __future__ import annotations

from ..case import Case, Scale, paced, saturated
from .direct import CHATS, measure

RATE = 500


def cases(scale: Scale) -> list[Case]:
    """Saturated, by size; paced, for the latency of the reply."""
    sizes = (120,) if scale.quick else (120, 1024, 10_240)
    every = [
        *(saturated(chats=CHATS, bytes=each) for each in sizes),
        paced(RATE, chats=CHATS, bytes=120),
    ]
    return [Case("durable", each, measure, scale.seconds, postgres=True) for each in every]
