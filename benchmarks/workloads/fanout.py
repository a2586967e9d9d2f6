"""One large group in which four people talk: everything is delivered to everybody."""

from __future__ import annotations

from ..case import Case, Scale, paced, saturated
from ..figures import Figures
from ..talk import talk
from ..target import Target

SENDERS, WINDOW = 4, 4
RATE = 100
"""Messages a second of the paced run: 10,000 deliveries a second in a group of 100."""


def cases(scale: Scale) -> list[Case]:
    """Saturated, by members, by size and by how much may be joined; paced in a group of 100."""
    members = (100, 1000) if scale.quick else (100, 500, 1000)
    sizes = () if scale.quick else (1024, 10_240)
    windows = () if scale.quick else (1, 16)
    every = [
        *(saturated(members=each, bytes=120) for each in members),
        *(saturated(members=100, bytes=each) for each in sizes),
        *(saturated(members=100, bytes=120, in_flight=each) for each in windows),
        paced(RATE, members=100, bytes=120),
    ]
    return [Case("fanout", each, measure, scale.seconds) for each in every]


def measure(target: Target, case: Case) -> list[Figures]:
    members = case.number("members")
    window = int(case.parameters.get("in_flight", WINDOW))
    return [talk(target, case, rooms=1, members=members, senders=SENDERS, window=window)]
