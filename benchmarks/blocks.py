"""Does the time of an answer tell somebody that they are blocked (REQ-09)? The same is asked about
users who are idle, about others who are idle, too, and about some who have blocked who asks, one
after another in an order that changes with each round."""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from rich.console import Console
from rich.table import Table

from .frames import masked_frame, read_item
from .load import Device, Load
from .postgres import temporary_data
from .rooms import TEXT_BYTES
from .server import Server

GROUPS = ("idle", "idle too", "blocks", "idle, online", "blocks, online")
"""Whom it is about; all are away but those that are online."""
COMPARED = (("idle too", "idle"), ("blocks", "idle"), ("blocks, online", "idle, online"))
"""The first two differ by chance alone: so much tells nobody anything."""
PAIRS = 8
"""of each group: one conversation may happen to be slower than another"""
RESAMPLES = 400
SETTINGS = {
    "PALAVER_POLICY__BLOCKS": "silent",
    "PALAVER_POLICY__EDIT_WINDOW_S": "none",
    "PALAVER_ACTORS__PRESENCE_GRACE_S": "0",
}

Times = dict[str, list[float]]
"""Seconds by group, one of each group in each round."""
Asked = Callable[[str, int], dict[str, Any]]
"""The item for a group and a round."""


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser("python -m palaver.benchmarks blocks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each command")
    parser.add_argument("--beginnings", type=int, default=200, help="first messages to each group")
    parser.add_argument("--store", choices=("memory", "postgres"), default="postgres")
    parser.add_argument("--durability", default="write_behind")
    options = parser.parse_args(arguments)
    console = Console(width=110)
    console.print(
        f"one asks about {PAIRS} users of each kind in turn, {options.store}, {options.durability},"
        f" {options.seconds:g} s for each command; no rate limits"
    )
    heads = (f"{some} /\n{others}" for some, others in COMPARED)
    table = Table("command", "rounds", "idle, µs", *heads)
    with ExitStack() as stack:
        data = stack.enter_context(temporary_data()) if options.store == "postgres" else None
        server = stack.enter_context(Server(data, options.durability, settings=SETTINGS))
        load = Load(server.host, server.port, server.token)
        stack.callback(load.close)
        for command, times in _measure(load, options.seconds, options.beginnings):
            table.add_row(command, f"{len(times['idle'])}", *told(times))
    console.print(table)
    console.print(
        "medians of the ratios of each round, and the interval of 95 % by resampling the rounds"
    )
    console.print(f"load average of the machine: {os.getloadavg()[1]:.1f}, cores: {os.cpu_count()}")


def told(times: Times) -> list[str]:
    """Median of the idle ones, and how the groups compare."""
    cells = [f"{1e6 * statistics.median(times['idle']):.0f}"]
    for some, others in COMPARED:
        ratio, low, high = compared(times[some], times[others])
        cells.append(f"{ratio:.3f} ({low:.3f}–{high:.3f})")
    return cells


def compared(some: Sequence[float], others: Sequence[float]) -> tuple[float, float, float]:
    """The median of what one took in parts of the other in the same round, so that a machine that
    is busy for a while changes nothing; and its interval of 95 %, by resampling the rounds."""
    chance = random.Random(1)
    ratios = [one / other for one, other in zip(some, others, strict=True)]
    medians = sorted(
        statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES)
    )
    edge = RESAMPLES // 40
    return statistics.median(ratios), medians[edge], medians[-edge - 1]


def _measure(load: Load, seconds: float, beginnings: int) -> Iterator[tuple[str, Times]]:
    ann = load.connect("ann")
    rooms = {group: [_pair(load, ann, f"{group} {n}") for n in range(PAIRS)] for group in GROUPS}
    for group in GROUPS:
        for n in range(PAIRS):
            _stand(load, group, f"{group} {n}")
    text = {"text": "x" * TEXT_BYTES}
    last: dict[str, str] = {}

    def in_room(kind: str, payload: dict[str, Any]) -> Asked:
        return lambda group, n: {"t": kind, "c": rooms[group][n % PAIRS], "d": payload}

    def presence(group: str, n: int) -> dict[str, Any]:
        return {"t": "presence.get", "d": {"conversation": rooms[group][n % PAIRS]}}

    def edit(group: str, n: int) -> dict[str, Any]:
        room = rooms[group][n % PAIRS]
        return {"t": "message.edit", "c": room, "d": {"message_id": last[room], "text": f"{n}"}}

    for room in (room for of_group in rooms.values() for room in of_group):
        sent = load.call(ann, {"t": "message.send", "id": 1, "c": room, "d": text})
        last[room] = sent["ok"]["id"]
    yield "message.send", _ask(ann, seconds, in_room("message.send", text))
    yield "message.edit", _ask(ann, seconds, edit)
    yield "typing.start", _ask(ann, seconds, in_room("typing.start", {}))
    yield "presence.get", _ask(ann, seconds, presence)

    for group in GROUPS:
        for n in range(beginnings):
            _stand(load, group, f"new {group} {n}")

    def begin(group: str, n: int) -> dict[str, Any]:
        return {"t": "message.send", "d": {**text, "to": f"new {group} {n}"}}

    yield "message.send, the first", _ask(ann, seconds, begin, beginnings)


def _pair(load: Load, ann: Device, user: str) -> str:
    """Their conversation, at which ann looks."""
    payload = {"kind": "direct", "members": [user]}
    made = load.call(ann, {"t": "conversation.create", "id": 1, "d": payload})
    room: str = made["c"]
    load.call(ann, {"t": "conversation.subscribe", "id": 1, "c": room})
    return room


def _stand(load: Load, group: str, user: str) -> None:
    """`user` is here, blocks ann, or somebody else, and goes, or stays."""
    device = load.connect(user)
    barred = "ann" if "blocks" in group else "nobody"
    load.call(device, {"t": "user.block", "id": 1, "d": {"user": barred}})
    if "online" not in group:
        device.sock.close()
        load.devices.remove(device)


def _ask(ann: Device, seconds: float, asked: Asked, rounds: int = 1_000_000) -> Times:
    """How long answers take; for so many seconds or rounds."""
    chance, groups = random.Random(1), list(GROUPS)
    times: Times = {group: [] for group in GROUPS}
    end = time.perf_counter() + seconds
    for n in range(rounds):
        chance.shuffle(groups)
        for group in groups:
            times[group].append(_time(ann, asked(group, n)))
        if time.perf_counter() > end:
            break
    return times


def _time(ann: Device, item: dict[str, Any]) -> float:
    frame = masked_frame({**item, "id": 1})
    began = time.perf_counter()
    ann.sock.sendall(frame)
    while (answer := read_item(ann.sock)).get("id") != 1:
        pass
    took = time.perf_counter() - began
    if "error" in answer:
        raise RuntimeError(f"{item['t']}: {answer['error']}")
    return took
