"""Everybody comes back at once, each having missed a hundred events."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgpack

from ..case import Case, Scale
from ..dialect import MARKER, Line, Refused, Step
from ..figures import Figures
from ..flow import Flow
from ..frames import CLOSE, ITEM, masked_frame, take_frame
from ..lines import close, connect
from ..palaver_dialect import ask, in_words
from ..processes import Meter
from ..storm import Storm
from ..talk import busy
from ..target import Target

GAP, MEMBERS = 100, 100

_RECOVERED, _NOT_RECOVERED = b"\xa9recovered\xc3", b"\xa9recovered\xc2"
_REPLY_BYTES = 16_384
"""At most; members' marks are part of it."""
_LOOK = 20
"""One device of so many reads what it gets, the others count."""


def cases(scale: Scale) -> list[Case]:
    devices = 500 if scale.quick else 5000
    return [
        Case("resume", {"devices": devices, "gap": GAP, "members": MEMBERS}, measure, scale.seconds)
    ]


def measure(target: Target, case: Case) -> list[Figures]:
    """Groups of `members`, each with one who is there and says what the others miss."""
    devices, gap, members = (case.number(name) for name in ("devices", "gap", "members"))
    users = target.tokens.users(devices)
    groups = [users[begin : begin + members] for begin in range(0, devices, members)]
    lines: list[Line] = []
    places: dict[str, tuple[str, int]] = {}
    flow = Flow(target.dialect, 120)
    for group in groups:
        (user, token), *others = group
        line = connect(target.dialect, target.address, user, token)
        lines.append(line)
        data = {"kind": "group", "members": [user for user, _ in others]}
        room = ask(line, {"t": "conversation.create", "id": 2, "d": data})["c"]
        epoch = ask(line, {"t": "conversation.get", "id": 3, "c": room, "d": {}})["ok"]["epoch"]
        places |= {user: (room, epoch) for user, _ in others}
        flow.add(room, [line], [line], window=gap)
    try:
        flow.say(gap)
        away = [(user, token) for user, token in users if user in places]
        steps = [
            [
                *target.dialect.sign_in(target.address, user, token),
                _resume(*places[user], gap, look=index % _LOOK == 0),
            ]
            for index, (user, token) in enumerate(away)
        ]
        storm = Storm(
            target.address, [user for user, _ in away], steps.__getitem__, at_once=len(away)
        )
        meter = Meter(target.processes)
        storm.run()
        lines += storm.lines
        used = meter.stop(frames=gap * len(away))
        return [
            case.figures(
                target,
                used,
                requests=len(away),
                deliveries=gap * len(away),
                latencies={"resume": storm.latency},
                more={"turned_away": storm.refused, "took_s": used["seconds"]},
                problems=[*flow.problems(), *busy(used["generator_cpu"], used["seconds"])],
            )
        ]
    finally:
        close(lines)


def _resume(room: str, epoch: int, gap: int, look: bool) -> Step:
    """From after the first event, until everything is there."""
    item = {"t": "conversation.resume", "id": 4, "c": room, "d": {"epoch": epoch, "seq": 1}}
    take = partial(_read, seen=[1], last=gap + 1) if look else partial(_count, gap=gap)
    return Step(masked_frame(item), take)


def _count(rest: bytearray, gap: int) -> bool:
    """What most devices do: the reply is the last to come, and then all of it must be there."""
    end = max(len(rest) - _REPLY_BYTES, 0)
    if rest.find(_RECOVERED, end) < 0:
        if rest.find(_NOT_RECOVERED, end) >= 0:
            raise Refused("not recovered")
        return False
    count = rest.count(MARKER)
    if count != gap:
        raise Refused(f"recovered {count} of {gap} events")
    rest.clear()
    return True


def _read(rest: bytearray, seen: list[int], last: int) -> bool:
    """What some do: all of it, in order."""
    while (frame := take_frame(rest)) is not None:
        opcode, payload = frame
        if opcode == CLOSE:
            raise Refused(f"closed: {payload[2:].decode()}")
        items = msgpack.unpackb(payload) if opcode == ITEM else []
        for item in items if isinstance(items, list) else [items]:
            if _take(item, seen):
                if seen[-1] != last:
                    raise Refused(f"resumed up to {seen[-1]} instead of {last}")
                return True
    return False


def _take(item: dict[str, Any], seen: list[int]) -> bool:
    """Whether this is the reply."""
    if "error" in item:
        raise Refused(f"resume: {in_words(item['error'])}")
    if item["t"] == "reply":
        if not item["ok"]["recovered"]:
            raise Refused(f"not recovered: {item['ok']['reason']}")
        return True
    if item["t"] == "message.sent":
        if item["seq"] != seen[-1] + 1:
            raise Refused(f"seq {item['seq']} came after {seen[-1]}")
        seen.append(item["seq"])
    return False
