"""One big group, or many conversations of two, for the measurements of what goes wrong."""

from __future__ import annotations

from typing import Any

from .load import Device, Load

TEXT_BYTES = 120


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
