"""What is looked at on a sample of connections: is every message there, once, in order?"""

from __future__ import annotations

from .dialect import MARKER, NUMBER

COUNTER = 10**9
"""A number is COUNTER × sender + count of that sender's messages, from 1."""

_WHOLE = len(MARKER) + len(NUMBER)


class Numbers:
    """Finds the numbers of the messages in a stream that is cut anywhere."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> list[int]:
        data = self._tail + data
        found: list[int] = []
        done = 0
        while (at := data.find(MARKER, done)) >= 0 and at + _WHOLE <= len(data):
            done = at + _WHOLE
            found.append(int(data[at + len(MARKER) : done]))
        # A marker that is there in part only, or its number.
        self._tail = data[at:] if at >= 0 else data[max(done, len(data) - len(MARKER) + 1) :]
        return found


class NumberCheck:
    """Each sender's messages arrive as they were sent: all of them, once, in order."""

    def __init__(self) -> None:
        self.deliveries = 0
        self.problems: list[str] = []
        self._numbers = Numbers()
        self._last: dict[int, int] = {}

    def feed(self, data: bytes) -> None:
        for number in self._numbers.feed(data):
            self.take(number)

    def take(self, number: int) -> None:
        sender, count = divmod(number, COUNTER)
        self.deliveries += 1
        last = self._last.get(sender, 0)
        if count != last + 1 and len(self.problems) < 10:
            self.problems.append(f"message {count} of sender {sender} came after {last}")
        self._last[sender] = count
