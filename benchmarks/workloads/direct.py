"""Many conversations of two, in each of which one writes; both get it. Nothing is stored."""

from __future__ import annotations

from ..case import Case, Scale, paced, saturated
from ..figures import Figures
from ..talk import talk
from ..target import Target

CHATS, WINDOW = 200, 8
RATE = 2000


def cases(scale: Scale) -> list[Case]:
    """Saturated, by size; paced."""
    sizes = (120,) if scale.quick else (120, 1024, 10_240)
    every = [
        *(saturated(chats=CHATS, bytes=each) for each in sizes),
        paced(RATE, chats=CHATS, bytes=120),
    ]
    return [Case("direct", each, measure, scale.seconds) for each in every]


def measure(target: Target, case: Case) -> list[Figures]:
    return [talk(target, case, rooms=case.number("chats"), members=2, senders=1, window=WINDOW)]
