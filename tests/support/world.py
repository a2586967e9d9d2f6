"""Users with devices on slow and breaking lines, talking in one conversation of an engine that
crashes, is killed and restarted, and whose store is held up: for the property that in the end
everybody agrees.

A world is driven by steps (`World.STEPS`), each with a number that chooses among what is possible.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import trio

from palaver.actors.outbox import Parcel, Push
from palaver.engine import Engine
from palaver.engine.local import Disconnected
from palaver.protocol.disconnects import Disconnect
from palaver.protocol.errors import Rejected
from palaver.protocol.events import Event, Void
from palaver.protocol.frames import Item as Inbound
from palaver.protocol.records import Write
from palaver.tests.support.engines import Lives, settled
from palaver.tests.support.faults import Trap
from palaver.tests.support.replica import Ask, Item, Replica
from palaver.tests.support.stores import Watch

USERS = ("ann", "bob", "cid", "dan")
DEVICES = ("ann", "ann", "bob", "bob", "cid", "dan")
POISON = "poison"
"""A text over which the conversation actor crashes, if the trap is set."""


@dataclass
class Wish:
    """A command of a user, repeated under its client id until there is an answer."""

    user: str
    kind: str
    payload: dict[str, Any]
    attempts: int = 0
    answer: dict[str, Any] | None = None
    error: str | None = None


class Line:
    """One device: its replica, and what is on the way to it."""

    role = session = None

    def __init__(self, user: str) -> None:
        self.user = user
        self.limited = False
        self.counted = False
        self.subscriptions: set[str] = set()
        self.replica = Replica(user)
        self.wire: deque[Item] = deque()
        self.open = False
        self._engine: Engine
        self._next = 0
        self._asks: dict[int, Ask] = {}
        self._wishes: dict[int, Wish] = {}
        self._room = ""

    # As the engine sees it.

    def offer(self, parcel: Parcel) -> None:
        if self.open:
            self.wire.extend(push.item for push in parcel.pushes)

    def answer(self, replies: Sequence[Push], after: Parcel | None = None) -> None:
        if after is not None:
            self.offer(after)
        if self.open:
            self.wire.extend(push.item for push in replies)

    def close(self, disconnect: Disconnect) -> None: ...

    # As the test sees it.

    def connect(self, engine: Engine, room: str) -> None:
        self._engine, self._room = engine, room
        self.open = True
        self.subscriptions = set()
        engine.attach(self)
        self.submit("conversation.subscribe", {})
        self.replica.connected()
        self.speak()

    def drop(self) -> None:
        """What is on the way, in either direction, is lost."""
        self.open = False
        self.wire.clear()
        self._asks.clear()
        self._wishes.clear()
        self._engine.detach(self)

    def submit(self, kind: str, payload: dict[str, Any], seq: int | None = None) -> int:
        self._next += 1
        id = None if kind == "ack" else self._next
        self._engine.submit(self, Inbound(kind, id, self._room, seq, payload))
        return self._next

    def wish(self, wish: Wish, *, again: bool = True) -> None:
        wish.attempts += 1
        payload = wish.payload
        if again and "client_id" in payload:
            payload = {**payload, "attempt": wish.attempts}
        self._wishes[self.submit(wish.kind, payload)] = wish

    def speak(self) -> None:
        """Send what the replica wants to ask."""
        asks, self.replica.asks = self.replica.asks, []
        for ask in asks:
            self._asks[self.submit(ask.kind, ask.payload)] = ask

    def hear(self, count: int) -> None:
        """Take the next `count` items off the wire."""
        for _ in range(min(count, len(self.wire))):
            item = self.wire.popleft()
            if item["t"] != "reply":
                self.replica.receive(item)
            elif (ask := self._asks.pop(item["id"], None)) is not None:
                self.replica.answered(ask, item)
            elif (wish := self._wishes.pop(item["id"], None)) is not None:
                _answer(wish, item)
        self.speak()

    @property
    def at_rest(self) -> bool:
        waiting = self.wire or self._asks or self._wishes
        return not waiting and self.replica.at_rest


def _answer(wish: Wish, reply: Item) -> None:
    """However often a command is repeated, one thing comes of it, or nothing."""
    if "ok" in reply:
        if wish.answer and "id" in wish.answer and "id" in reply["ok"]:
            assert wish.answer == reply["ok"]
        if wish.answer is None or "id" not in wish.answer:
            wish.answer = reply["ok"]
        wish.error = None
    elif wish.answer is None:
        wish.error = reply["error"]["code"]
        if not reply["error"]["retryable"]:
            wish.answer = {}


@dataclass
class World:
    lives: Lives
    trap: Trap = field(default_factory=Trap)
    lines: list[Line] = field(default_factory=lambda: [Line(user) for user in DEVICES])
    wishes: list[Wish] = field(default_factory=list)
    room: str = ""
    killed: bool = False
    followed: list[Event] = field(default_factory=list)
    """what `Engine.subscribe` gave in this life, from the first event on"""

    # The life of one engine.

    async def open(self, engine: Engine) -> None:
        self.engine = engine
        self.watch = Watch(self.lives.store)
        if not self.room:
            self.room = await engine.as_user("ann").create_group("Room", ["bob", "cid"])

    async def follow(self) -> None:
        """Follow the conversation, as a host does, as long as the engine lives."""
        self.followed = []
        while True:
            after = max((event.seq for event in self.followed), default=0)
            try:
                async with self.engine.subscribe(self.room, after=after) as events:
                    async for event in events:
                        self.followed.append(event)
            except Disconnected:
                return
            except Rejected as no:
                if no.retry_after is None:
                    raise
                await trio.sleep(no.retry_after)

    def close(self) -> None:
        """The engine is about to go, one way or the other."""
        for line in self.lines:
            if line.open:
                line.drop()

    # Steps.

    async def step(self, name: str, which: int) -> None:
        await getattr(self, f"_{name}")(which)

    def _pick(self, which: int, *, open: bool = True) -> Line | None:
        lines = [line for line in self.lines if line.open is open]
        return lines[which % len(lines)] if lines else None

    async def _connect(self, which: int) -> None:
        if (line := self._pick(which, open=False)) is not None:
            await self.connect(line)

    async def connect(self, line: Line) -> None:
        """A device whose line broke after it was shown a message, and before that was taken back,
        does not learn of it when it resumes; so it begins anew."""
        disk = self.lives.store._disk.shelves[self.room]
        voided = {event.id for event in disk.log if isinstance(event.data, Void)}
        if voided & line.replica.copy.messages.keys():
            line.replica.forget()
        line.connect(self.engine, self.room)

    async def _drop(self, which: int) -> None:
        if (line := self._pick(which)) is not None:
            line.drop()

    async def _hear(self, which: int) -> None:
        if (line := self._pick(which)) is not None:
            line.hear(1 + which // 7)

    async def _hear_all(self, which: int) -> None:
        for line in self.lines:
            line.hear(1000)

    async def _settle(self, which: int) -> None:
        await settled()

    async def _sleep(self, which: int) -> None:
        await trio.sleep((0.01, 1.5, 6.0, 40.0)[which % 4])

    def _do(self, which: int, kind: str, payload: dict[str, Any], *, once: bool = True) -> None:
        line = self._pick(which)
        if line is None:
            return
        if once:
            payload = {**payload, "client_id": f"{len(self.wishes)}"}
        wish = Wish(line.user, kind, payload)
        self.wishes.append(wish)
        line.wish(wish)

    def _message(self, which: int) -> str | None:
        """Some message that somebody has seen."""
        ids = sorted({id for line in self.lines for id in line.replica.copy.messages})
        return ids[which % len(ids)] if ids else None

    async def _send(self, which: int) -> None:
        payload: dict[str, Any] = {"text": f"text {len(self.wishes)}"}
        if which % 3 == 0 and (id := self._message(which // 3)) is not None:
            payload["reply_to"] = id
        self._do(which, "message.send", payload)

    async def _about(self, which: int, kind: str, **more: Any) -> None:
        if (id := self._message(which // 3)) is not None:
            self._do(which, kind, {"message_id": id, **more})

    async def _edit(self, which: int) -> None:
        await self._about(which, "message.edit", text=f"edit {len(self.wishes)}")

    async def _react(self, which: int) -> None:
        await self._about(which, "reaction.set", emoji="👍🔥"[which % 2], on=which % 5 > 0)

    async def _delete(self, which: int) -> None:
        await self._about(which, "message.delete")

    async def _pin(self, which: int) -> None:
        await self._about(which, "message.pin")

    async def _unpin(self, which: int) -> None:
        await self._about(which, "message.unpin")

    async def _rename(self, which: int) -> None:
        self._do(which, "conversation.rename", {"title": f"title {which % 5}"})

    async def _describe(self, which: int) -> None:
        description = ("", "one", "two")[which % 3]
        self._do(which, "conversation.change_settings", {"description": description})

    async def _add(self, which: int) -> None:
        self._do(which, "member.add", {"users": [USERS[which // 7 % 4]]})

    async def _remove(self, which: int) -> None:
        self._do(which, "member.remove", {"user": USERS[which // 7 % 4]})

    async def _role(self, which: int) -> None:
        role = ("member", "admin")[which % 2]
        self._do(which, "member.set_role", {"user": USERS[which // 7 % 4], "role": role})

    async def _leave(self, which: int) -> None:
        self._do(which, "conversation.leave", {"confirm": True})

    async def _read(self, which: int) -> None:
        payload = {} if which % 2 else {"seq": 1 + which // 5}
        self._do(which, "message.read", payload, once=False)

    async def _ack(self, which: int) -> None:
        if (line := self._pick(which)) is not None and line.replica.seq:
            line.submit("ack", {}, line.replica.seq)

    async def _again(self, which: int) -> None:
        """A user repeats what has no answer yet, or has one, from any of their devices."""
        wishes = [wish for wish in self.wishes if wish.kind != "message.read"]
        if wishes and (wish := wishes[-1 - which // 6 % len(wishes)]).answer != {}:
            lines = [line for line in self.lines if line.open and line.user == wish.user]
            if lines:
                lines[which % len(lines)].wish(wish)

    async def _anew(self, which: int) -> None:
        """A device has forgotten that it has an answer, and that it ever asked. What the spool has
        taken is answered before anybody looks whether it is stored already (docs/protocol.md)."""
        if self.spooling:
            return
        done = [wish for wish in self.wishes if wish.answer and "id" in wish.answer]
        if done:
            wish = done[which // 6 % len(done)]
            lines = [line for line in self.lines if line.open and line.user == wish.user]
            if lines:
                lines[which % len(lines)].wish(wish, again=False)

    async def _hold(self, which: int) -> None:
        self.lives.store.hold()

    async def _release(self, which: int) -> None:
        self.lives.store.release(which % 5 or None)

    async def _refuse(self, which: int) -> None:
        """The store takes no message that is a multiple of something, perhaps no void either. It
        could take all that has been replied to: what the codec lets through fits."""
        if self.spooling:
            return
        number = 2 + which % 3

        def refuses(write: Write) -> bool:
            return any(e.number is not None and e.seq % number == 0 for e in write.events)

        self.lives.store.refuse(refuses, voidable=which % 10 != 0)

    async def _accept(self, which: int) -> None:
        self.lives.store.refuse(None)

    async def _linger(self, which: int) -> None:
        """What is read of the conversation arrives late."""
        self.watch.hold("messages", "events", "page", "edits", "position", "find")

    async def _arrive(self, which: int) -> None:
        self.watch.release()

    async def _away(self, which: int) -> None:
        self.lives.store.go_away()
        if which % 3 == 0:
            self.lives.store.delay()

    async def _spool(self, which: int) -> None:
        """The store is late, and the spool takes what is written."""
        if self.lives.durability == "write_behind":
            self.lives.store.refuse(None)
            self.lives.store.spool()

    @property
    def spooling(self) -> bool:
        return self.lives.store.journal.condition().spooled > 0

    async def _back(self, which: int) -> None:
        self.lives.store.come_back()

    async def _crash(self, which: int) -> None:
        """The conversation actor crashes over a message, in the middle of what else it does."""
        if (line := self._pick(which)) is not None:
            self.trap.spring(POISON)
            line.submit("message.send", {"text": POISON})
