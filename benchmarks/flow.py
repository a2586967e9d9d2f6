"""Messages in flight: the loop of the generator, one epoll in one thread, with no library in it.

Saturated, every sender keeps some messages in flight, and a room begins a new one only when an
old one is replied to and delivered to all. Paced, messages leave when they are due, whatever comes
back, and latency counts from then: a generator that waits for a slow server would not see how slow
it is.
"""

from __future__ import annotations

import gc
import select
import time
from collections.abc import Iterable, Sequence

from .checks import COUNTER, Numbers
from .dialect import NUMBER, Dialect, Line, Refused, text
from .histogram import Histogram
from .inlet import HEAD, Inlet, Room

_RECEIVE = 1 << 20
_ALIVE_S = 20.0
_PATIENCE_S = 30.0
"""For what is still in flight at the end."""

SAMPLE = 50
"""One connection of so many is checked, at least two; and when it is saturated, latencies are of
these. Reading costs thirty times as much as counting, so more would slow the generator down."""


class Flow:
    """All rooms of one run. `add` them, then run; each run ends when all has landed."""

    def __init__(self, dialect: Dialect, size: int) -> None:
        self._dialect = dialect
        self._text = text(size)
        self._rooms: list[Room] = []
        self._inlets: list[Inlet] = []
        self._by_fd: dict[int, Inlet] = {}
        self._buffer = bytearray(HEAD + _RECEIVE)
        self._view = memoryview(self._buffer)[HEAD:]
        self._epoll = select.epoll()
        self._stuck: set[Inlet] = set()
        self._alive_at = time.perf_counter() + _ALIVE_S
        self._measuring = False
        self.latencies = {name: Histogram() for name in ("delivery", "reply", "late")}

    def add(
        self, name: str, listeners: Sequence[Line], senders: Sequence[Line], window: int
    ) -> None:
        """A room in which `listeners` hear what `senders` say, each with `window` in flight."""
        room = Room(name, len(listeners), window)
        self._rooms.append(room)
        inlets = {id(line): Inlet(line, room) for line in listeners}
        for line in senders:
            inlet = inlets.setdefault(id(line), Inlet(line, room, listens=False))
            inlet.reply = self._dialect.reply
            inlet.number = sum(len(each.senders) for each in self._rooms)
            inlet.frame = bytearray(self._dialect.message(name, self._text))
            inlet.places = list(_places(inlet.frame))
            room.senders.append(inlet)
        for inlet in inlets.values():
            inlet.line.sock.setblocking(False)
            self._by_fd[inlet.line.sock.fileno()] = inlet
            self._epoll.register(inlet.line.sock, select.EPOLLIN)
            if inlet.line.rest:
                raise Refused("something arrived between setting up and measuring")
        self._inlets += inlets.values()

    def sample(self, all_latencies: bool = False) -> None:
        """After the last `add`: choose whom to look at closely."""
        listening = [inlet for inlet in self._inlets if inlet.listens]
        step = min(SAMPLE, max(len(listening) // 2, 1))
        for inlet in listening[::step]:
            inlet.check = self._dialect.check()
            inlet.numbers = Numbers()
        for inlet in listening if all_latencies else ():
            inlet.numbers = Numbers()

    @property
    def sent(self) -> int:
        return sum(room.sent for room in self._rooms)

    @property
    def delivered(self) -> int:
        return sum(room.delivered for room in self._rooms)

    def say(self, count: int) -> None:
        """The first sender of every room says `count` messages at once. Raises as `saturate`."""
        self._measuring = False
        for room in self._rooms:
            self._send(room.senders[0], count, time.perf_counter())
        self._land()

    def saturate(self, seconds: float, *, measuring: bool = True) -> None:
        """For `seconds`. Raises `Refused` if the server refuses a message or closes a connection,
        or something is still missing half a minute later."""
        with _Undisturbed():
            self._measuring = measuring
            end = time.perf_counter() + seconds
            touched: Iterable[Room] = self._rooms
            while time.perf_counter() < end:
                for room in touched:
                    self._top_up(room)
                touched = self._read(0.05)
            self._land()

    def pace(self, rate: float, seconds: float, *, measuring: bool = True) -> None:
        """`rate` messages a second in all, the senders in turn. Raises `Refused` as above."""
        turns = zip(*(room.senders for room in self._rooms), strict=True)
        senders = [inlet for turn in turns for inlet in turn]
        late = self.latencies["late"]
        with _Undisturbed():
            self._measuring = measuring
            began = time.perf_counter()
            for k in range(int(rate * seconds)):
                due = began + k / rate
                self._read(max(due - time.perf_counter(), 0.0))  # also when it is late
                while (wait := due - time.perf_counter()) > 0:
                    self._read(wait)
                inlet = senders[k % len(senders)]
                if measuring:
                    late.record(time.perf_counter() - due)
                self._send(inlet, 1, due)
            self._land()

    def problems(self) -> list[str]:
        """What was lost, or came twice, or not in order."""
        found = self._found()
        for inlet in self._inlets:
            if inlet.listens and inlet.delivered != inlet.room.sent:
                found.append(
                    f"one member got {inlet.delivered} of {inlet.room.sent} messages of its room"
                )
            if inlet.check is not None and inlet.check.deliveries != inlet.delivered:
                found.append(f"counted {inlet.delivered} deliveries, read {inlet.check.deliveries}")
        return found[:10]

    def _found(self) -> list[str]:
        """What those say who look closely."""
        checks = [inlet.check for inlet in self._inlets if inlet.check is not None]
        return [problem for check in checks for problem in check.problems]

    def close(self) -> None:
        self._epoll.close()
        for inlet in self._inlets:
            inlet.line.sock.close()

    def _top_up(self, room: Room) -> None:
        """As many more messages as may be in flight, over the senders in turn."""
        free = room.window * len(room.senders) - (room.sent - room.landed)
        if free <= 0:
            return
        now = time.perf_counter()
        for inlet in room.senders:
            count = min(room.window - len(inlet.awaited), free)
            if count > 0:
                self._send(inlet, count, now)
                free -= count

    def _send(self, inlet: Inlet, count: int, due: float) -> None:
        for _ in range(count):
            inlet.times.append(due)
            inlet.awaited.append(due)
        inlet.room.sent += count
        inlet.unsent += inlet.compose(count)
        self._flush(inlet)

    def _flush(self, inlet: Inlet) -> None:
        try:
            del inlet.unsent[: inlet.line.sock.send(inlet.unsent)]
        except BlockingIOError:
            pass
        except OSError as error:
            raise Refused(f"sending: {error}") from None
        if inlet.unsent:
            self._stuck.add(inlet)
        else:
            self._stuck.discard(inlet)

    def _read(self, wait: float) -> set[Room]:
        """Take in what is there, after waiting at most so many seconds for something; the rooms in
        which something has happened."""
        # epoll's timeout is in whole ms, select's in µs; and an epoll can itself be waited for.
        select.select((self._epoll,), (), (), 0.001 if self._stuck else wait)
        events = self._epoll.poll(0)
        at = time.perf_counter()
        by_fd, view, touched = self._by_fd, self._view, set()
        for fd, _ in events:
            inlet = by_fd[fd]
            try:
                size = inlet.line.sock.recv_into(view)
            except BlockingIOError:
                continue
            except OSError as error:
                raise Refused(f"receiving: {error}") from None
            if not size:
                raise Refused("the server closed a connection")
            room = inlet.room
            deliveries, replies = inlet.count(self._buffer, HEAD + size)
            inlet.delivered += deliveries
            room.delivered += deliveries
            if replies:
                self._replied(inlet, replies, at)
            if inlet.numbers is not None:
                self._look(inlet, bytes(view[:size]), at)
            touched.add(room)
        for inlet in tuple(self._stuck):
            self._flush(inlet)
        if at > self._alive_at:
            self._stay_alive(at)
        return touched

    def _replied(self, inlet: Inlet, count: int, at: float) -> None:
        inlet.room.replied += count
        for _ in range(count):
            since = inlet.awaited.popleft()
            if self._measuring:
                self.latencies["reply"].record(at - since)

    def _look(self, inlet: Inlet, data: bytes, at: float) -> None:
        """What is only done on some connections."""
        assert inlet.numbers is not None
        senders = inlet.room.senders
        for number in inlet.numbers.feed(data):
            sender, count = divmod(number, COUNTER)
            since = senders[sender - senders[0].number].times[count - 1]
            if self._measuring:
                self.latencies["delivery"].record(at - since)
        if inlet.check is not None:
            inlet.check.feed(data)

    def _land(self) -> None:
        """Wait for what is in flight."""
        until = time.perf_counter() + _PATIENCE_S
        missing = list(self._rooms)
        while missing := [room for room in missing if room.landed < room.sent]:
            if time.perf_counter() > until:
                sent, replied = self.sent, sum(room.replied for room in self._rooms)
                wanted = sum(room.sent * room.copies for room in self._rooms)
                known = [f"; {each}" for each in self._found()[:1]]
                raise Refused(
                    f"lost: {sent} sent, {replied} replied to, "
                    f"{self.delivered} of {wanted} delivered{''.join(known)}"
                )
            self._read(0.05)

    def _stay_alive(self, now: float) -> None:
        self._alive_at = now + _ALIVE_S
        if self._dialect.alive:
            for inlet in self._inlets:
                inlet.unsent += self._dialect.alive
                self._flush(inlet)


def _places(frame: bytearray) -> Iterable[slice]:
    """Where the number goes."""
    at = frame.find(NUMBER)
    while at >= 0:
        yield slice(at, at + len(NUMBER))
        at = frame.find(NUMBER, at + len(NUMBER))


class _Undisturbed:
    """No garbage collection, which would be taken for the server's slowness."""

    def __enter__(self) -> None:
        gc.collect()
        gc.disable()

    def __exit__(self, *error: object) -> None:
        gc.enable()
