"""One device: a client of its own, that does what docs/protocol.md says and notes everything.

It is not the shipped client, so that a mistake made in both server and client is seen. The ids of
its requests begin with what they are for (`load:7`), so that the history reads by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

import msgpack
import trio
import trio_websocket

from .history import History
from .link import Link

Item = dict[str, Any]

_LOOK_EVERY = 0.5
_PATIENCE = 4.0
"""Without a sign of life for so long the connection is given up."""
_ANSWER_IN = 8.0
"""A command without an answer for so long is sent again on a new connection."""
_HELLO_IN = 5.0
PAGE = 100


@dataclass(slots=True)
class Place:
    """What this device knows of a conversation: its position, the least it needs to follow."""

    epoch: int | None = None
    seq: int | None = None
    marks: int = 0
    asked: str | None = None
    """the request whose answer will bring it in step"""
    asked_at: float = 0.0
    behind: bool = False
    """that request was refused; to be asked again"""


@dataclass(slots=True)
class Command:
    """A durable command on its way to an answer, over as many connections as it takes."""

    item: Item
    attempt: int = 0
    settle: Callable[[Item], None] = lambda _reply: None
    sent_at: float = 0.0
    """0: it was refused for now, and is to be sent again"""


@dataclass(slots=True)
class Device:
    number: int
    user: str
    token: str
    link: Link
    history: History
    run: Callable[[], int]
    rng: Random
    syncs: bool = False
    """after a reconnect it asks what has changed, instead of resuming everything"""
    places: dict[str, Place] = field(default_factory=dict)
    cursor: str | None = None
    feed: Place = field(default_factory=Place)
    commands: dict[str, Command] = field(default_factory=dict)
    answers: dict[str, trio.Event] = field(default_factory=dict)
    replies: dict[str, Item] = field(default_factory=dict)
    away: bool = False
    online: bool = False
    reconnects: int = 0
    taken: int = 0
    _ids: Iterator[int] = field(default_factory=count)
    _out: list[Item] = field(default_factory=list)
    _wake: trio.Event = field(default_factory=trio.Event)
    _connection: trio.CancelScope = field(default_factory=trio.CancelScope)
    _heard: float = 0.0

    # For the load.

    def next_id(self) -> int:
        return next(self._ids)

    def command(self, item: Item, settle: Callable[[Item], None] = lambda _reply: None) -> None:
        """Send a durable `item` until it is answered for good; `settle` gets that reply."""
        id = f"do:{self.next_id()}"
        self.commands[id] = Command({**item, "id": id}, settle=settle)
        self._send_command(id)

    async def ask(self, kind: str, c: str | None, payload: Item, purpose: str) -> Item | None:
        """A query; None if there is no answer on this connection."""
        id = f"{purpose}:{self.next_id()}"
        self.answers[id] = trio.Event()
        item = {"t": kind, "id": id, "d": payload}
        self._post(item if c is None else {**item, "c": c})
        with trio.move_on_after(_ANSWER_IN):
            await self.answers[id].wait()
        del self.answers[id]
        return self.replies.pop(id, None)

    def say(self, item: Item) -> None:
        """Something without an answer, if there is a connection."""
        if self.online:
            self._post(item)

    def go_away(self) -> None:
        self.away = True
        self._connection.cancel()

    def come_back(self) -> None:
        self.away = False

    # The connection.

    async def live(self) -> None:
        """Connect, over and over, until cancelled."""
        while True:
            if not self.away:
                why = "cut off"
                with trio.CancelScope() as self._connection:
                    why = await self._connect()
                self.online = False
                self.history.note("close", self.number, why)
                self.reconnects += 1
                for event in self.answers.values():
                    event.set()
            await trio.sleep(self.rng.uniform(0.05, 0.4))

    async def _connect(self) -> str:
        """One connection, to its end; why it ended."""
        run, why = self.run(), "silence"
        try:
            async with trio.open_nursery() as nursery:
                with trio.fail_after(_HELLO_IN):
                    socket = await trio_websocket.connect_websocket(
                        nursery,
                        "127.0.0.1",
                        self.link.port,
                        "/v1/ws",
                        use_ssl=False,
                        subprotocols=["palaver.v1.msgpack"],
                    )
                    await self._sign_in(socket, run)
                nursery.start_soon(self._write, socket)
                nursery.start_soon(self._look_after, nursery.cancel_scope)
                await self._read(socket)
        except* (
            trio_websocket.ConnectionClosed,
            trio_websocket.HandshakeError,
            trio.TooSlowError,
            trio.BrokenResourceError,
            trio.ClosedResourceError,
            OSError,
        ) as group:
            error: BaseException = group
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            why = f"{type(error).__name__}: {getattr(error, 'reason', error)}"
        return why

    async def _sign_in(self, socket: trio_websocket.WebSocketConnection, run: int) -> None:
        hello = {"t": "hello", "id": "hello", "v": 1, "d": {"token": self.token}}
        await socket.send_message(msgpack.packb(hello))
        (welcome,) = await _receive(socket)
        if run == 0 or run != self.run() or welcome.get("t") != "welcome":
            raise trio.ClosedResourceError(f"no welcome of run {run}")
        self.history.note("open", self.number, [run, welcome])
        self._heard = trio.current_time()
        self.online, self._out = True, []
        for place in (self.feed, *self.places.values()):
            place.behind = place.behind or place.asked is not None
            place.asked = None
        self.catch_up()
        for id in list(self.commands):
            self._send_command(id)

    async def _write(self, socket: trio_websocket.WebSocketConnection) -> None:
        while True:
            while self._out:
                items, self._out = self._out[:64], self._out[64:]
                for item in items:
                    self.history.note("sent", self.number, item)
                await socket.send_message(msgpack.packb(items))
            self._wake = trio.Event()
            await self._wake.wait()

    async def _look_after(self, scope: trio.CancelScope) -> None:
        """Repeat what was refused for now; give up a connection that says nothing."""
        while True:
            await trio.sleep(_LOOK_EVERY)
            now = trio.current_time()
            waiting = [command.sent_at for command in self.commands.values()]
            places = [self.feed, *self.places.values()]
            waiting += [place.asked_at for place in places if place.asked]
            overdue = any(0 < since < now - _ANSWER_IN for since in waiting)
            if overdue or now - self._heard > _PATIENCE:
                scope.cancel()
            self._post({"t": "ping", "id": "ping"})
            for id in [id for id, command in self.commands.items() if command.sent_at == 0]:
                self._send_command(id)
            if self.feed.behind:
                self.sync()
            self._catch_up_late()

    async def _read(self, socket: trio_websocket.WebSocketConnection) -> None:
        """What a reply leads to happens only after the reply is on disk."""
        while True:
            items = await _receive(socket)
            self._heard = trio.current_time()
            for item in items:
                self.history.note("got", self.number, item)
            if any(item["t"] == "reply" for item in items):
                await self.history.synced()
            for item in items:
                self._take(item)

    def _post(self, item: Item) -> None:
        self._out.append(item)
        self._wake.set()

    def _send_command(self, id: str) -> None:
        command = self.commands[id]
        if not self.online:
            return
        command.attempt += 1
        command.sent_at = trio.current_time()
        item = command.item
        if command.attempt > 1 and "client_id" in item["d"]:
            item = {**item, "d": {**item["d"], "attempt": command.attempt}}
        self._post(item)

    # What comes in.

    def _take(self, item: Item) -> None:
        kind = item["t"]
        if kind == "reply":
            self._reply(item)
        elif kind == "conversation.head":
            self._head(item["c"], item["d"])
        elif "seq" in item:
            self._event(item)

    def _event(self, item: Item) -> None:
        c, seq = item["c"], item["seq"]
        place = self.places.setdefault(c, Place())
        if place.seq is None:
            if seq == 1:
                place.seq = 1
            self._catch_up(c, place)
        elif item["t"] == "skipped" and item["d"]["from"] <= place.seq + 1 <= seq:
            place.seq = seq
        elif seq == place.seq + 1:
            place.seq = seq
            self.taken += 1
        elif seq > place.seq:
            self._catch_up(c, place)

    def _head(self, c: str, head: Item) -> None:
        place = self.places.setdefault(c, Place())
        if place.epoch != head["epoch"] or (place.seq or 0) < head["seq"]:
            self._catch_up(c, place)

    def catch_up(self) -> None:
        """Resume all conversations, or those that have changed."""
        if self.syncs:
            self.sync()
        if self.syncs and self.cursor is not None:
            self._catch_up_late()
        else:
            for c, place in self.places.items():
                self._catch_up(c, place)

    def _catch_up_late(self) -> None:
        for c, place in self.places.items():
            if place.behind or place.seq is None:
                self._catch_up(c, place)

    def sync(self) -> None:
        """Ask which conversations there are, or have changed; nothing while that is under way."""
        if self.feed.asked is None:
            self.feed.behind, self.feed.asked_at = False, trio.current_time()
            self.feed.asked = f"sync:{self.next_id()}"
            since = {} if self.cursor is None else {"cursor": self.cursor}
            self._post({"t": "sync.changes", "id": self.feed.asked, "d": since})

    def _synced(self, reply: Item) -> None:
        self.feed.asked = None
        if "error" in reply:
            self.feed.behind = True
            return
        self.cursor = reply["ok"]["cursor"]
        for row in reply["ok"]["conversations"]:
            self._head(row["c"], row)

    @property
    def in_step(self) -> bool:
        """Whether nothing is on its way."""
        places = (self.feed, *self.places.values())
        asking = any(place.asked or place.behind for place in places)
        return self.online and not self.commands and not asking

    def _catch_up(self, c: str, place: Place) -> None:
        """Resume, or load what has no position yet; nothing while one of them is under way."""
        if place.asked is not None:
            return
        place.behind, place.asked_at = False, trio.current_time()
        if place.seq is None or place.epoch is None:
            place.asked = f"load:{self.next_id()}"
            self._post({"t": "conversation.get", "id": place.asked, "c": c})
            return
        place.asked = f"resume:{self.next_id()}"
        position = {"epoch": place.epoch, "seq": place.seq, "marks": place.marks}
        self._post({"t": "conversation.resume", "id": place.asked, "c": c, "d": position})

    def _reply(self, item: Item) -> None:
        id = str(item.get("id"))
        purpose = id.partition(":")[0]
        if purpose == "do":
            self._answered(id, item)
        elif id == self.feed.asked:
            self._synced(item)
        elif purpose in ("resume", "load"):
            place = self.places[item["c"]]
            if place.asked == id:
                place.asked = None
                self._positioned(item["c"], place, purpose, item)
        elif id in self.answers:
            self.replies[id] = item
            self.answers[id].set()

    def _positioned(self, c: str, place: Place, purpose: str, reply: Item) -> None:
        if "error" in reply:
            place.behind = True
            return
        ok = reply["ok"]
        if purpose == "resume" and not ok["recovered"]:
            place.seq = place.epoch = None
            self._catch_up(c, place)
            return
        place.epoch = ok["epoch"]
        if purpose == "load":
            place.seq = ok["seq"]
            self._post(self._item("page", "message.history", c, {"limit": PAGE}))
        else:
            place.marks = ok["marks"]["n"]
            place.behind = ok["seq"] > (place.seq or 0)
        self._post(self._item("sub", "conversation.subscribe", c, {}))

    def _item(self, purpose: str, kind: str, c: str, payload: Item) -> Item:
        return {"t": kind, "id": f"{purpose}:{self.next_id()}", "c": c, "d": payload}

    def _answered(self, id: str, reply: Item) -> None:
        command = self.commands.get(id)
        if command is None:
            return
        if "error" in reply and reply["error"]["retryable"]:
            command.sent_at = 0.0
            return
        del self.commands[id]
        command.settle(reply)


async def _receive(socket: trio_websocket.WebSocketConnection) -> list[Item]:
    """The items of the next frame."""
    data = await socket.get_message()
    assert isinstance(data, bytes), "the subprotocol is a binary one"
    frame = msgpack.unpackb(data)
    return frame if isinstance(frame, list) else [frame]
