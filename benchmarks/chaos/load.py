"""What the devices say: messages, edits, deletions, marks, and now and then nothing at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from random import Random

import trio

from .device import Device, Item
from .polling import until

_UNANSWERED = 32
"""A device with so many commands on their way says nothing more."""
_AWAY = (1.0, 6.0)
_HERE = (3.0, 12.0)
_PATIENCE = 120.0
_REPEATED = 0.03
"""The part of messages that are sent again though they were answered."""


@dataclass(frozen=True, slots=True)
class Group:
    """A conversation to be: its first member creates it. Two members make it direct."""

    members: tuple[str, ...]
    direct: bool


def groups(users: list[str], rng: Random) -> list[Group]:
    """Two conversations for every three users, half of them direct."""
    count = max(2, len(users) * 2 // 3)
    made: list[Group] = []
    for number in range(count):
        pair = (users[number % len(users)], users[(number + 1) % len(users)])
        if number % 2:
            made.append(Group(pair, direct=True))
        else:
            size = min(len(users), rng.randint(3, 7))
            made.append(Group(tuple(rng.sample(users, size)), direct=False))
    return made


class Setup(Exception):
    """The conversations could not be made, before anything was broken."""


async def create(devices: list[Device], wanted: list[Group]) -> None:
    """Make the conversations; return when every device of every member follows them."""
    expected: dict[str, set[str]] = {device.user: set() for device in devices}

    def created(group: Group, reply: Item) -> None:
        if "error" in reply:
            raise Setup(f"a conversation was refused: {reply['error']}")
        for user in group.members:
            expected[user].add(reply["ok"]["c"])

    def followed(device: Device) -> bool:
        if device.in_step and expected[device.user] - device.places.keys():
            device.sync()  # it had no connection when the news came
        return device.in_step and device.places.keys() == expected[device.user]

    for number, group in enumerate(wanted):
        creator = next(device for device in devices if device.user == group.members[0])
        payload = {
            "kind": "direct" if group.direct else "group",
            "members": list(group.members[1:]),
            "client_id": f"create-{number}",
        }
        creator.command({"t": "conversation.create", "d": payload}, partial(created, group))
    with trio.move_on_after(_PATIENCE):
        await until(lambda: all(followed(device) for device in devices))
        return
    late = [device.number for device in devices if not followed(device)]
    raise Setup(f"after {_PATIENCE:g} s the devices {late} do not know their conversations")


@dataclass(slots=True)
class Load:
    """`rate` commands per second in all, by `devices` that know their conversations."""

    devices: list[Device]
    rate: float
    texts: int = 0
    _mine: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """of a user: messages that were answered, to edit and to delete"""

    async def run(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            for device in self.devices:
                nursery.start_soon(self._speak, device)
                if device.rng.random() < 0.4:
                    nursery.start_soon(self._wander, device)

    async def _speak(self, device: Device) -> None:
        pause = len(self.devices) / self.rate
        while True:
            await trio.sleep(device.rng.expovariate(1 / pause))
            if device.places and len(device.commands) < _UNANSWERED:
                self._act(device)

    async def _wander(self, device: Device) -> None:
        """Away for a while: what is said and changed meanwhile has to reach it afterwards."""
        while True:
            await trio.sleep(device.rng.uniform(*_HERE))
            device.go_away()
            try:
                await trio.sleep(device.rng.uniform(*_AWAY))
            finally:
                device.come_back()

    def _act(self, device: Device) -> None:
        c = device.rng.choice(list(device.places))
        seq = device.places[c].seq
        choice = device.rng.random()
        mine = self._mine.setdefault(device.user, [])
        if choice < 0.06 and mine:
            where, id = device.rng.choice(mine)
            self._change(device, "message.edit", where, {"message_id": id, "text": self._text()})
        elif choice < 0.10 and mine:
            where, id = mine.pop(device.rng.randrange(len(mine)))
            self._change(device, "message.delete", where, {"message_id": id})
        elif choice < 0.16 and seq:
            device.command({"t": "message.read", "c": c, "d": {"seq": seq}})
        elif choice < 0.26 and seq:
            device.say({"t": "ack", "c": c, "seq": seq})
        else:
            self._change(device, "message.send", c, {"text": self._text()})

    def _text(self) -> str:
        """Never the same twice."""
        self.texts += 1
        return f"number {self.texts}"

    def _change(self, device: Device, kind: str, c: str, payload: Item) -> None:
        payload["client_id"] = f"{device.number}-{device.next_id()}"
        item = {"t": kind, "c": c, "d": payload}
        settle = partial(self._sent, device, item) if kind == "message.send" else _nothing
        device.command(item, settle)

    def _sent(self, device: Device, item: Item, reply: Item) -> None:
        if "ok" not in reply:
            return
        self._mine[device.user].append((item["c"], reply["ok"]["id"]))
        if device.rng.random() < _REPEATED:
            device.command({**item, "d": {**item["d"], "attempt": 2}})


def _nothing(_reply: Item) -> None:
    pass
